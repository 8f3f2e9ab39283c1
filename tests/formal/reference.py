"""A plain Metamath verifier, written from the specification alone: slow, token by token, to compare with."""

import re
from itertools import combinations, product


class Wrong(Exception):
    """The reference finds the database or the proof wrong."""


def need(condition, why):
    if not condition:
        raise Wrong(why)


class Reference:
    """Reads a database of one file.

    Attributes:
        statements: by label (kind, symbols, frame): a frame has the labels of the mandatory hypotheses, the mandatory
            pairs of variables that must be distinct, all such pairs, the labels of all active hypotheses, the proof.
    """

    def __init__(self, text):
        self.statements = {}
        self.constants, self.ever = set(), set()
        tokens = iter(self.tokens(text))
        scopes = [{"v": set(), "d": set(), "hyps": []}]
        label = None
        for token in tokens:
            if label and token[0] == "$":
                need(token in ("$f", "$e", "$a", "$p"), "a label before a statement that has none")
            if token == "${":
                scopes.append({"v": set(), "d": set(), "hyps": []})
            elif token == "$}":
                scopes.pop()
                need(scopes, "too many $}")
            elif token == "$c":
                symbols = self.until(tokens, "$.")
                need(
                    len(scopes) == 1 and not self.constants & set(symbols) and not self.ever & set(symbols),
                    "$c",
                )
                need(len(set(symbols)) == len(symbols) > 0, "$c")
                self.constants |= set(symbols)
            elif token == "$v":
                symbols = self.until(tokens, "$.")
                active = set().union(*(s["v"] for s in scopes))
                need(not self.constants & set(symbols) and not active & set(symbols), "$v")
                need(len(set(symbols)) == len(symbols) > 0, "$v")
                scopes[-1]["v"] |= set(symbols)
                self.ever |= set(symbols)
            elif token == "$d":
                symbols = self.until(tokens, "$.")
                active = set().union(*(s["v"] for s in scopes))
                need(set(symbols) <= active and len(set(symbols)) == len(symbols) > 1, "$d")
                scopes[-1]["d"] |= {frozenset(pair) for pair in combinations(symbols, 2)}
            elif token in ("$f", "$e", "$a", "$p"):
                need(label and label not in self.statements, "label")
                need(re.fullmatch(r"[A-Za-z0-9._-]+", label), "a label with strange characters")
                symbols = self.until(tokens, "$=" if token == "$p" else "$.")
                proof = self.until(tokens, "$.") if token == "$p" else None
                self.add(token, label, symbols, proof, scopes)
                label = None
            else:
                need(label is None and "$" not in token, f"strange token {token}")
                label = token
        need(len(scopes) == 1 and label is None, "the end")
        need(not set(self.statements) & (self.constants | self.ever), "a label that is a symbol too")

    @staticmethod
    def tokens(text):
        words = iter(text.split())
        for word in words:
            if word == "$(":
                while next(words) != "$)":
                    pass
            else:
                yield word

    @staticmethod
    def until(tokens, end):
        found = []
        for token in tokens:
            if token == end:
                return found
            need("$" not in token, "a statement without an end")
            found.append(token)
        raise Wrong("a statement without an end")

    def add(self, kind, label, symbols, proof, scopes):
        variables = set().union(*(s["v"] for s in scopes))
        need(symbols and symbols[0] in self.constants, "begins with no constant")
        need(set(symbols) <= self.constants | variables, "a symbol that is not active")
        hyps = [h for s in scopes for h in s["hyps"]]
        typed = {self.statements[h][1][1] for h in hyps if self.statements[h][0] == "$f"}
        if kind == "$f":
            need(len(symbols) == 2 and symbols[1] in variables and symbols[1] not in typed, "$f")
        else:
            need({s for s in symbols if s in variables} <= typed, "a variable without a type")
        if kind in ("$f", "$e"):
            scopes[-1]["hyps"].append(label)
            self.statements[label] = (kind, symbols, None)
            return
        used = {s for s in symbols if s in variables}
        for h in hyps:
            if self.statements[h][0] == "$e":
                used |= set(self.statements[h][1]) & variables
        mandatory = [h for h in hyps if self.statements[h][0] == "$e" or self.statements[h][1][1] in used]
        everything = set().union(*(s["d"] for s in scopes))
        self.statements[label] = (
            kind,
            symbols,
            (mandatory, {pair for pair in everything if pair <= used}, everything, hyps, proof),
        )

    def check(self, label, proof=None):
        """True if a theorem's proof is right, its own or another list of tokens; raises Wrong if it is not."""
        _, wanted, (mandatory, _, distinct, active, own) = self.statements[label]
        before = list(self.statements)[: list(self.statements).index(label)]
        citable = {k for k in before if self.statements[k][0] in ("$a", "$p")} | set(active)
        proof = own if proof is None else proof
        stack = []
        if proof[:1] == ["("]:
            need(")" in proof, "no )")
            middle = proof.index(")")
            labels = [*mandatory, *proof[1:middle]]
            need(not set(mandatory) & set(proof[1:middle]), "a mandatory hypothesis between ( and )")
            # all of what stands between ( and ) must be there, whether it is used or not
            need(set(labels) <= citable, "a label that can't be cited")
            saved, number, fresh = [], 0, False
            for letter in "".join(proof[middle + 1 :]):
                need("A" <= letter <= "Z" or letter == "?", "a strange letter")
                if letter == "Z":
                    need(stack and fresh and not number, "nothing to save")
                    saved.append(stack[-1])
                    fresh = False
                elif letter == "?":
                    raise Wrong("incomplete")
                elif letter >= "U":
                    number = 5 * number + "UVWXY".index(letter) + 1
                    fresh = False
                else:
                    place = 20 * number + ord(letter) - ord("A")
                    number, fresh = 0, True
                    if place < len(labels):
                        self.step(labels[place], stack, distinct)
                    else:
                        need(place - len(labels) < len(saved), "nothing of this number was saved")
                        stack.append(saved[place - len(labels)])
            need(number == 0, "a number without an end")
        else:
            need(proof, "no proof")
            for word in proof:
                need(word in citable, f"{word} can't be cited")
                self.step(word, stack, distinct)
        need(stack == [wanted], "proves something else")
        return True

    def step(self, label, stack, distinct):
        kind, symbols, frame = self.statements[label]
        if kind in ("$f", "$e"):
            stack.append(symbols)
            return
        mandatory, apart, *_ = frame
        need(len(stack) >= len(mandatory), "too few on the stack")
        entries = [stack.pop() for _ in mandatory][::-1]
        substitution = {}
        for h, entry in zip(mandatory, entries):
            if self.statements[h][0] == "$f":
                need(entry[0] == self.statements[h][1][0], "the wrong type")
                substitution[self.statements[h][1][1]] = entry[1:]
        for h, entry in zip(mandatory, entries):
            if self.statements[h][0] == "$e":
                need(
                    entry == self.replaced(self.statements[h][1], substitution),
                    "a hypothesis that doesn't fit",
                )
        for pair in apart:
            first, second = pair
            for one, other in product(substitution[first], substitution[second]):
                if one not in self.constants and other not in self.constants:
                    need(one != other and frozenset((one, other)) in distinct, "variables not distinct")
        stack.append(self.replaced(symbols, substitution))

    @staticmethod
    def replaced(symbols, substitution):
        return [new for symbol in symbols for new in substitution.get(symbol, [symbol])]
