"""How provers and generators learn: imitation of proofs, and policy gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torchrl.data import ListStorage, ReplayBuffer

from pvg.agents.theorems import Scorer, module
from pvg.envs.candidates import Goal, Move
from pvg.envs.derivations import Example, Proof, Rejected, examples
from pvg.envs.theorems import pad
from pvg.envs.theory import Theory
from pvg.errors import UserError


@dataclass
class Imitation:
    """How a prover learns from proofs.

    Args:
        updates: gradient steps an iteration.
        batch: states a step.
        database: share of a batch that comes from the database's training proofs; all, while there are no others.
        found: share of the rest that comes from the prover's own proofs, as far as there are any.
        buffer_size: states of generated proofs, and as many of own ones, that are learned from: the newest.
        learning_rate: of Adam.
        max_grad_norm: of a gradient step.
    """

    updates: int = 8
    batch: int = 64
    database: float = 0.5
    found: float = 0.3
    buffer_size: int = 5000
    learning_rate: float = 3e-3
    max_grad_norm: float = 1.0

    def __post_init__(self):
        _check("trainer.imitation", self, ("updates", "batch", "buffer_size"), ("database", "found"))


def _check(where: str, how: object, counts: Sequence[str], shares: Sequence[str]) -> None:
    for name in counts:
        if getattr(how, name) < 1:
            raise UserError(f"{where}.{name}={getattr(how, name)}: write 1 or more.")
    for name in shares:
        if not 0 <= getattr(how, name) <= 1:
            raise UserError(f"{where}.{name}={getattr(how, name)}: write a share, from 0 to 1.")
    for name in ("learning_rate", "max_grad_norm"):
        if getattr(how, name) <= 0:
            raise UserError(f"{where}.{name}={getattr(how, name)}: write a number above 0.")


class StoredExample(NamedTuple):
    """A state of a proof in a replay buffer: which proof, which of its states, and the state."""

    proof: Proof
    place: int
    example: Example


class ExampleBuffer:
    """A TorchRL replay buffer of the states of proofs, which are replayed again when the library has forgotten.

    Args:
        replay: makes the states of a proof, or raises ``Rejected``.
        size: the newest so many states are held.
    """

    def __init__(self, theory: Theory, replay: Callable[[Proof], list[Example]], size: int = 1_000_000):
        self.theory, self.replay, self.generation = theory, replay, theory.library.generation
        self.buffer = ReplayBuffer(storage=ListStorage(size), collate_fn=list)

    def add(self, proofs: Iterable[Proof]) -> int:
        """Take proofs; returns how many could not be replayed within the limits of a game."""
        self._remember()
        lost, new = 0, []
        for proof in proofs:
            try:
                new += [StoredExample(proof, k, example) for k, example in enumerate(self.replay(proof))]
            except Rejected:
                lost += 1
        if new:
            self.buffer.extend([(one,) for one in new])
        return lost

    def sample(self, count: int) -> list[Example]:
        """So many states, by chance, with repetition."""
        self._remember()
        if not len(self.buffer) or not count:
            return []
        return [one.example for (one,) in self.buffer.sample(count)]

    def __len__(self) -> int:
        return len(self.buffer)

    def _items(self) -> list[StoredExample]:
        return [self.buffer.storage.get(k)[0] for k in range(len(self.buffer))]

    def _remember(self) -> None:
        """Make the states anew if their numbers have lost their meaning."""
        if self.generation != self.theory.library.generation:
            self.generation = self.theory.library.generation
            self._put([(one.proof, one.place) for one in self._items()], self.buffer.writer.state_dict())

    def _put(self, items: Sequence[tuple[Proof, int]], cursor: dict) -> None:
        again: dict[int, list[Example]] = {}
        for proof, _ in items:
            if id(proof) not in again:
                again[id(proof)] = self.replay(proof)
        self.buffer.empty()
        if items:
            self.buffer.extend([(StoredExample(proof, k, again[id(proof)][k]),) for proof, k in items])
        self.buffer.writer.load_state_dict(cursor)

    def state_dict(self) -> dict:
        """The proofs as plain data, and which states of which are where."""
        proofs: dict[int, int] = {}
        saved: list[list] = []
        items: list[list[int]] = []
        for one in self._items():
            if id(one.proof) not in proofs:
                proofs[id(one.proof)] = len(saved)
                saved.append(plain(one.proof))
            items.append([proofs[id(one.proof)], one.place])
        return {"proofs": saved, "items": items, "cursor": dict(self.buffer.writer.state_dict())}

    def load_state_dict(self, saved: dict) -> None:
        """Take back the proofs."""
        proofs = list(map(unplain, saved["proofs"]))
        self.generation = self.theory.library.generation
        self._put([(proofs[p], k) for p, k in saved["items"]], saved["cursor"])


class Learner:
    """A scorer and its optimiser."""

    def __init__(self, scorer: Scorer, learning_rate: float, max_grad_norm: float):
        self.scorer, self.policy, self.max_grad_norm = scorer.eval(), module(scorer), max_grad_norm
        self.optimiser = torch.optim.Adam(scorer.parameters(), learning_rate)

    def descend(self, loss: Tensor) -> None:
        """One gradient step."""
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.scorer.parameters(), self.max_grad_norm)
        self.optimiser.step()

    def imitation(self, some: Sequence[Example]) -> Tensor:
        """Minus the log-probability of choosing any that was right, a mean over states."""
        self.scorer.train()
        td = self.policy(pad([example.state for example in some]))
        self.scorer.eval()
        right = torch.zeros(td["mask"].shape, dtype=torch.bool)
        for k, example in enumerate(some):
            right[k, list(example.right)] = True
        log_probs = td["logits"].log_softmax(-1)
        return -log_probs.masked_fill(~right, -torch.inf).logsumexp(-1).mean()

    def state_dict(self) -> dict:
        """Weights and optimiser."""
        return {"scorer": self.scorer.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, saved: dict) -> None:
        """Take them back."""
        self.scorer.load_state_dict(saved["scorer"])
        self.optimiser.load_state_dict(saved["optimiser"])


class ProverTrainer(Learner):
    """Imitates proofs: of the database, of generated theorems and of all their nodes, and the prover's own."""

    def __init__(
        self, theory: Theory, scorer: Scorer, replay: Callable[[Proof], list[Example]], how: Imitation
    ):
        super().__init__(scorer, how.learning_rate, how.max_grad_norm)
        self.how = how
        self.database = ExampleBuffer(theory, replay)
        self.database.add(theory.proofs)
        self.generated, self.found = (ExampleBuffer(theory, replay, how.buffer_size) for _ in range(2))

    def learn(self) -> dict[str, float]:
        """An iteration's gradient steps."""
        losses = []
        for _ in range(self.how.updates):
            some = self._batch()
            if some:
                loss = self.imitation(some)
                self.descend(loss)
                losses.append(loss.detach())
        return {"prover/loss": float(torch.stack(losses).mean())} if losses else {}

    def _batch(self) -> list[Example]:
        how, others = self.how, bool(len(self.generated) or len(self.found))
        database = (round(how.database * how.batch) if others else how.batch) if len(self.database) else 0
        rest = how.batch - database if others else 0
        found = min(rest, round(how.found * rest)) if len(self.generated) else rest
        found = found if len(self.found) else 0
        sources = ((self.database, database), (self.found, found), (self.generated, rest - found))
        return [example for source, count in sources for example in source.sample(count)]

    def state_dict(self) -> dict:
        """Everything but the database's proofs."""
        buffers = {"generated": self.generated.state_dict(), "found": self.found.state_dict()}
        return super().state_dict() | buffers

    def load_state_dict(self, saved: dict) -> None:
        """Go on from a saved state."""
        super().load_state_dict(saved)
        self.generated.load_state_dict(saved["generated"])
        self.found.load_state_dict(saved["found"])


@dataclass
class PolicyGradient:
    """How a generator learns from rewards (Williams 1992).

    Args:
        entropy: weight of the entropy of its choices.
        updates, batch: of imitation, where it learns from the database or by a token.
        learning_rate: of Adam.
        max_grad_norm: of a gradient step.
    """

    entropy: float = 0.01
    updates: int = 4
    batch: int = 64
    learning_rate: float = 1e-3
    max_grad_norm: float = 1.0

    def __post_init__(self):
        _check("trainer.policy_gradient", self, ("updates", "batch"), ())


class GeneratorTrainer(Learner):
    """Learns what to invent: by rewards, by a token that says what came of it, or from the database."""

    def __init__(self, theory: Theory, scorer: Scorer, how: PolicyGradient):
        super().__init__(scorer, how.learning_rate, how.max_grad_norm)
        self.theory, self.how = theory, how
        self.database = ExampleBuffer(theory, lambda proof: self._states(proof.moves))
        self.database.add(Proof(None, p.moves) for p in theory.proofs if p.goal and not p.goal.hypotheses)

    def learn(self, plays: Sequence[tuple[Move, ...]], rewards: Tensor) -> dict[str, float]:
        """One policy-gradient step on plays with rewards ``[n]``, normalised over them."""
        chosen = [(example, k) for k, play in enumerate(plays) for example in self._states(play)]
        if not chosen:
            return {}
        advantage = (rewards - rewards.mean()) / (rewards.std(correction=0) + 1e-6)
        td = self.policy(pad([example.state for example, _ in chosen]))
        action = torch.tensor([example.right[0] for example, _ in chosen])
        whose = torch.tensor([k for _, k in chosen])
        log_probs = td["logits"].log_softmax(-1)
        taken = log_probs.gather(1, action.unsqueeze(1)).squeeze(1)
        entropy = -(log_probs.exp() * log_probs.masked_fill(~td["mask"], 0.0)).sum(-1).mean()
        loss = -(advantage[whose] * taken).sum() / len(plays)
        self.descend(loss - self.how.entropy * entropy)
        return {"generator/loss": float(loss.detach()), "generator/entropy": float(entropy.detach())}

    def imitate(self, plays: Sequence[tuple[Move, ...]], tokens: Sequence[int]) -> dict[str, float]:
        """Learn to do again what was played when what came of it is asked for; tokens are numbers of the library."""
        some = [example for play, token in zip(plays, tokens) for example in self._states(play, token)]
        return self._imitate([some] if some else [])

    def learn_database(self) -> dict[str, float]:
        """Gradient steps on the database's proofs."""
        return self._imitate([self.database.sample(self.how.batch) for _ in range(self.how.updates)])

    def _imitate(self, batches: list[list[Example]]) -> dict[str, float]:
        losses = []
        for some in batches:
            loss = self.imitation(some)
            self.descend(loss)
            losses.append(loss.detach())
        return {"generator/loss": float(torch.stack(losses).mean())} if losses else {}

    def _states(self, play: tuple[Move, ...], token: int = 0) -> list[Example]:
        library, most = self.theory.library, self.theory.candidates
        found = examples(library, Proof(None, play), most, stops=True)[0]
        full = len(play) >= self.theory.moves  # its budget ended the game, it did not stop
        found = found[: len(play)] if full else found
        return [example._replace(state=example.state._replace(goal=token)) for example in found]


def plain(proof: Proof) -> list:
    """A proof as lists and tuples of strings and numbers."""
    goal = proof.goal
    head = goal and [goal.statement, list(goal.hypotheses), sorted(goal.distinct), goal.order, goal.name]
    return [head, [(move.label, list(move.premises)) for move in proof.moves]]


def unplain(saved: list) -> Proof:
    """The proof again."""
    head, moves = saved
    goal = head and Goal(head[0], tuple(head[1]), frozenset(map(tuple, head[2])), head[3], head[4])
    return Proof(goal, tuple(Move(label, tuple(premises)) for label, premises in moves))
