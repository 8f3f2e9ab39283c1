"""Rollout-IW for one tree, node by node, written from the papers: what the batched planner is compared with.

Bandres, Bonet and Geffner (2018): a rollout goes on while nodes are novel; the label solved goes up when all actions
of a node lead to solved nodes.  Junyent, Jonsson and Gómez (2019): nodes kept from the decision before have no part in
the table, and actions are drawn by a policy.
"""

MOVES = {"stay": (0, 0), "up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}
COLOURS = ".WKDH"


class Game:
    """The key-and-door game on a map, as plain Python."""

    def __init__(self, rows, moves, block):
        self.rows, self.moves, self.block = rows, moves, block
        self.start = next((r, row.index("H"), False) for r, row in enumerate(rows) if "H" in row)

    def step(self, state, action):
        """The next state, the reward and whether the game is over."""
        r, c, key = state
        dr, dc = MOVES[self.moves[action]]
        if 0 <= r + dr < len(self.rows) and 0 <= c + dc < len(self.rows[0]):
            there = self.rows[r + dr][c + dc]
            if not (there == "W" and self.block):
                r, c = r + dr, c + dc
                if there == "W":
                    return (r, c, key), -1.0, True
                if there == "D" and key:
                    return (r, c, key), 1.0, True
                key = key or there == "K"
        return (r, c, key), 0.0, False

    def atoms(self, state):
        """What is seen in each cell, row by row."""
        r, c, key = state
        seen = [[0 if x == "H" or (x == "K" and key) else COLOURS.index(x) for x in row] for row in self.rows]
        seen[r][c] = COLOURS.index("H")
        return [x for row in seen for x in row]


class Node:
    """A node; a root has no parent."""

    def __init__(self, state, parent=None, action=None, reward=0.0, done=False):
        self.state, self.parent, self.action, self.reward, self.done = state, parent, action, reward, done
        self.depth = parent.depth + 1 if parent else 0
        self.children, self.solved, self.visits = {}, False, 0
        if parent:
            parent.children[action] = self

    def below(self):
        """The node and all below it."""
        return [self] + [n for child in self.children.values() for n in child.below()]


class Reference:
    """One tree; ``nodes`` in the order in which they were made."""

    def __init__(self, game, budget, capacity):
        self.game, self.budget, self.capacity = game, budget, capacity
        self.nodes = [Node(game.start)]

    def label(self, node):
        """Solved, and up as far as that makes others solved."""
        node.solved = True
        up = node.parent
        while up and len(up.children) == len(self.game.moves) and all(c.solved for c in up.children.values()):
            up.solved, up = True, up.parent

    def plan(self, draws, logits=None):
        """Roll out until the budget is spent; ``draws`` has a row for every node that is visited, in order."""
        root, table, spent, draws = self.nodes[0], {}, 0, iter(draws)
        for node in self.nodes:
            node.solved, node.visits = False, 0
        for node in self.nodes:
            if node.done:
                self.label(node)
        node = root
        while spent < self.budget and len(self.nodes) < self.capacity and not root.solved:
            bias = logits(node.state) if logits else [0.0] * len(self.game.moves)
            row = next(draws)
            left = [
                a
                for a in range(len(self.game.moves))
                if a not in node.children or not node.children[a].solved
            ]
            action = max(left, key=lambda a: row[a] + bias[a])
            fresh = action not in node.children
            if fresh:
                state, reward, done = self.game.step(node.state, action)
                self.nodes.append(Node(state, node, action, reward, done))
                spent += 1
            node = node.children[action]
            node.visits += 1
            atoms = list(enumerate(self.game.atoms(node.state)))
            first = [table.get(atom, float("inf")) for atom in atoms]
            novel = any(node.depth < d or (not fresh and node.depth == d) for d in first)
            if fresh:
                table.update({atom: min(d, node.depth) for atom, d in zip(atoms, first)})
            if node.done or not novel:
                self.label(node)
                node = root

    def value(self, node, discount):
        """The node's reward and the best that follows it."""
        later = [self.value(child, discount) for child in node.children.values()]
        return node.reward + discount * max(later, default=0.0)

    def follow(self, action):
        """Keep what is below the root's child."""
        root = self.nodes[0].children[action]
        kept = {id(node) for node in root.below()}
        self.nodes = [node for node in self.nodes if id(node) in kept]
        root.parent = None
        for node in self.nodes:
            node.depth = node.parent.depth + 1 if node.parent else 0
