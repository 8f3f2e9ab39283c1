"""A prover that plans what it says to a frozen verifier: width-based search, led by what the verifier believes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from tensordict import TensorDict
from torch import Tensor

from pvg.agents.agent import Agent
from pvg.attacks import one_prover
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.payoffs import ACCEPT, REJECT
from pvg.envs.rules import mix
from pvg.errors import UserError
from pvg.planning.exchange import Answer, ExchangeSimulator
from pvg.planning.rollout import RolloutIW
from pvg.planning.simulator import State

ENTRIES = 1 << 24  # of the tables of the trees that grow side by side
BITS = 24  # of a random number


@dataclass(frozen=True)
class PlannedProver:
    """Attacks with a prover that plans; an :data:`Attack`.

    In each game a tree grows whose edges are the prover's messages (token by token) and in which the verifier, taking
    its likeliest act, is part of what follows: π-IW (Junyent, Jonsson and Gómez 2019) with the verifier's own belief
    as the policy.  A search that has pruned all there was to say begins anew on the same tree, until the verifier has
    accepted, the budget is spent, or everything has been said.

    Args:
        budget: how often the verifier may be asked about a claim.
        temperature: of the policy that leads the search, over the verifier's log-odds after each next token; looking
            ahead asks the verifier once a token.  None: all tokens are equally likely, and it is asked only when it
            has a choice to make or something to say (Rollout-IW).
        width: of the novelty, 1 or 2.
        layer: name of a part of the verifier's network; which of its outputs are above 0 are then features beside the
            tokens said, and the verifier is asked after every message.
        seed: decides what is drawn; what becomes of an instance does not depend on those beside it.

    Raises:
        UserError: a budget too small for one game, a layer that is not there, or a protocol with more voices.
    """

    budget: int = 256
    temperature: float | None = 0.1
    width: int = 1
    layer: str | None = None
    seed: int = 0

    def __post_init__(self):
        if self.temperature is not None and self.temperature <= 0:
            raise UserError(
                f"PlannedProver: temperature={self.temperature:g}: write a number above 0, or null."
            )

    def __call__(self, env: ExchangeEnv, agents: Mapping[str, Agent], index: Tensor) -> Tensor:
        """Which instances were accepted, bool ``[n]``."""
        return self.plan(env, agents, index)[0]

    @torch.no_grad()
    def plan(
        self, env: ExchangeEnv, agents: Mapping[str, Agent], index: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The same; also the transcripts ``[n, rounds, width]`` of the games that were accepted (-1 in the others), and
        how often the verifier was asked, int64 ``[n]``."""
        prover, decider = one_prover(env)
        verifier, draft = Frozen(agents[decider.voice.agent], self.layer), _draft(agents[prover.voice.agent])
        found, begin, looks = [], 0, self.layer is not None
        while begin < len(index):
            simulator = ExchangeSimulator(
                env,
                index[begin:],
                prover,
                decider,
                verifier,
                looks=looks,
                temperature=self.temperature,
                draft=draft,
            )
            nodes = self._nodes(simulator, env.protocol.rounds)
            novelty = simulator.atoms_shape[0] ** self.width * simulator.atoms_shape[1] ** self.width
            trees = min(len(index) - begin, max(1, ENTRIES // max(nodes * simulator.actions, novelty)))
            part = index[begin : begin + trees]
            search = Search(simulator, part, width=self.width, capacity=nodes, seed=self.seed)
            found.append(search.attack(self.budget))
            begin += trees
        accepted, said, asked = map(torch.cat, zip(*found, strict=True))
        return accepted, said, asked

    def _nodes(self, simulator: ExchangeSimulator, rounds: int) -> int:
        """How many a tree needs room for."""
        steps, led = rounds * simulator.length, self.temperature is not None
        least = steps * simulator.price if led else rounds
        if self.budget < least:
            raise UserError(
                f"PlannedProver: budget={self.budget}, and one game of {steps} tokens may ask the verifier {least} "
                "times" + (", as it looks ahead at each (temperature=null does not)." if led else ".")
            )
        expansions = self.budget // simulator.actions if led else self.budget
        every = sum(simulator.actions**k for k in range(steps + 1))
        return min(4 * expansions * steps, every) + simulator.actions


class Search(RolloutIW):
    """Rollout-IW, or π-IW, on given instances; a step costs what it asks of the verifier, and the first acceptance ends
    a tree's search.

    Attributes:
        asked: answers that each tree has taken, int64 ``[trees]``.
        accepted: bool ``[trees]``.
    """

    def __init__(self, simulator: ExchangeSimulator, index: Tensor, *, width: int, capacity: int, seed: int):
        room = max(simulator.actions, min(256, capacity - 1))  # rows of draws made at once
        super().__init__(
            simulator,
            width=width,
            trees=len(index),
            budget=room,
            capacity=max(capacity, room + 1),
            discount=1.0,
        )
        self.price = simulator.price
        self.keys, self.moment, self.drawn = mix(index, seed), 0, 0

    def attack(self, budget: int) -> tuple[Tensor, Tensor, Tensor]:
        """Search with so many answers of the verifier a tree; what :meth:`PlannedProver.plan` returns."""
        state: State = self.simulator.initial(self.trees)
        self.begin(state)
        self.asked, self.accepted = state["asked"].clone(), state["accepted"].clone()
        self.said = torch.where(self.accepted.view(-1, 1, 1), state["transcript"], -1)
        self.quota = torch.where(state["live"], budget, 0)
        while bool((self._allowance() > 0).any()):
            before = self.forest.count.clone()
            self.moment, self.drawn = self.moment + 1, 0
            self._search()
            self.quota = self.quota * (self.forest.count > before)  # 0 where there is nothing left to say
        return self.accepted, self.said, self.asked

    def _allowance(self) -> Tensor:
        """Answers that each tree may still take; 0 if they are too few for a step."""
        left = self.quota - self.asked
        able = (left >= self.price) & ~self.accepted & (self.forest.count < self.forest.capacity)
        return left * able

    def _visit(self, trees: Tensor) -> Tensor:
        """As of Rollout-IW, but only answers of the verifier count."""
        forest = self.forest
        before = forest.count.index_select(0, trees)
        super()._visit(trees)
        count = forest.count.index_select(0, trees)
        fresh = (count > before).nonzero().squeeze(1)
        which, nodes = trees[fresh], forest.roots[trees[fresh]] + count[fresh] - 1
        self.asked.index_add_(0, which, forest.states["asked"].index_select(0, nodes))
        won = forest.states["accepted"].index_select(0, nodes)
        self.accepted.index_copy_(0, which, won)
        self.said.index_copy_(0, which[won], forest.states["transcript"].index_select(0, nodes[won]))
        self.left = self._allowance()
        open_ = (self.left > 0) & ~forest.solved.index_select(0, forest.roots)
        return trees[open_.index_select(0, trees)]

    def uniform(self, count: int) -> Tensor:
        """Random numbers that depend on the instance, its search and its draw alone: ``[count * trees, actions]``."""
        time = (self.moment << 32) + self.drawn + torch.arange(count, device=self.keys.device)
        self.drawn += count
        rows = mix(self.keys + time.unsqueeze(1), 1).view(-1, 1)
        drawn = mix(rows + torch.arange(self.simulator.actions, device=self.keys.device), 2)
        return (drawn >> (63 - BITS)).float() / (1 << BITS)


class Frozen:
    """A verifier as a simulator asks it: its likeliest act, how it believes, and a hidden layer if one is named.

    Args:
        agent: the verifier.
        layer: name of a part of its network (``named_modules``).

    Raises:
        UserError: there is no such part, or it is not used.
    """

    def __init__(self, agent: Agent, layer: str | None = None):
        self.agent, self.layer = agent, layer
        names = [name for name, part in agent.net.named_modules() if name and not list(part.children())]
        if layer is not None and layer not in dict(agent.net.named_modules()):
            raise UserError(
                f"layer={layer}: the verifier's network has no such part. It has {', '.join(names)}."
            )

    def __call__(self, seen: TensorDict) -> Answer:
        """What the verifier makes of observations."""
        parts = [self._answer(piece) for piece in seen.split(self.agent.chunk)]
        hidden = [part[2] for part in parts if part[2] is not None]
        act, odds = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
        return Answer(act, odds, torch.cat(hidden) if hidden else None)

    def _answer(self, seen: TensorDict) -> tuple[Tensor, Tensor, Tensor | None]:
        agent, caught = self.agent, []
        if self.layer is not None:
            part = agent.net.get_submodule(self.layer)
            hook = part.register_forward_hook(
                lambda *args: caught.append((args[-1] > 0).reshape(len(seen), -1))
            )
        try:
            logits = agent.evaluate(seen)[0]
        finally:
            if self.layer is not None:
                hook.remove()
        if self.layer is not None and len(caught) != 1:
            raise UserError(
                f"layer={self.layer}: it is used {len(caught)} times in a pass, and should be once."
            )
        # who speaks may say one word after the other
        act = agent.dist(logits, seen).mode if len(agent.tokens) == 1 else agent.act(seen, greedy=True)[0]
        odds = logits[:, -1, ACCEPT] - logits[:, -1, REJECT]
        return act, odds, caught[0] if caught else None


def _draft(prover: Agent) -> Callable[[TensorDict], Tensor]:
    """The likeliest messages of a prover."""
    return lambda seen: torch.cat([prover.act(part, greedy=True)[0] for part in seen.split(prover.chunk)])
