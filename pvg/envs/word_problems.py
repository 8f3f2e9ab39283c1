"""Word problems: is the claimed answer right?  The proof is a solution, said in a language model's tokens."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from pvg.envs.arithmetic import LARGEST, NAMES, THINGS, VERBS
from pvg.envs.claims import Claim, make_claims
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.payoffs import Payoff
from pvg.envs.problems import SHARES, Problem, part
from pvg.envs.prompts import CLAIMS_CHAT, CLAIMS_PLAIN, Prompts
from pvg.envs.protocols import Protocol
from pvg.envs.word_sources import problems
from pvg.errors import UserError

ROLES = ("sneaky", "helpful", "verifier")  # the first two by label
FIRST = 9  # the largest number that a synthetic problem begins with


def vocabulary() -> list[str]:
    """Texts that hold every word of the synthetic problems, their solutions and what stands around them."""
    numbers = " ".join(map(str, range(LARGEST + 1)))
    words = [*NAMES, *NAMES.values(), *THINGS, *VERBS]
    around = [text.replace("{number}", " ") for text in CLAIMS_PLAIN.values()]
    return [numbers, " ".join(words), "has + - = . ####", *around]


class WordProblems(ExchangeEnv):
    """Word problems with a claimed answer, right for half of them.

    Provers know whether it is; they say solutions that should lead to it.  Deciders see problem, claim and what was
    said, and may ask in tokens of the same vocabulary.  What follows a message's first end token is padding: nobody
    hears it.  Instances are ``texts`` int32 ``[n, 3, t]`` with their ``lengths`` (the prompts of the sneaky, the
    helpful, and whoever decides), ``claim`` and ``lesson`` (padded with -1), and ``gap``, how far off the claim is.

    Args:
        tokenizer: of the models that play, as transformers makes them, with an end and a padding token.
        most: tokens of a prover's message.
        ask: tokens of a decider's message; 0 for deciders that don't speak.
        data, path: as for :func:`~pvg.envs.word_sources.problems`.
        steps: of the synthetic problems.
        train, test: how many problems at most; held out are those that :func:`~pvg.envs.problems.part` calls ``test``.
        templates: in place of ours (see :mod:`pvg.envs.prompts`).
        data_seed: decides the synthetic problems, the split and the claims.

    Raises:
        UserError: sizes below what is needed, a vocabulary that lacks words, a template of no use; and what
            :func:`~pvg.envs.word_sources.problems` raises.
    """

    def __init__(
        self,
        protocol: Protocol,
        *,
        tokenizer: Any,
        payoffs: Mapping[str, Payoff] | None = None,
        slots: int = 128,
        seed: int = 0,
        device: str | torch.device = "cpu",
        most: int = 22,
        ask: int = 1,
        data: str = "synthetic",
        steps: int = 3,
        path: str | None = None,
        train: int = 6000,
        test: int = 1000,
        templates: Mapping[str, str] | None = None,
        data_seed: int = 0,
    ):
        if most < 1 or ask < 0:
            raise UserError(
                f"env.most={most} and env.ask={ask}: a prover says 1 token or more, a decider 0 or more."
            )
        if steps < 1:
            raise UserError(f"env.steps={steps}: a problem has 1 step or more.")
        if train < 0 or test < 0:
            raise UserError(f"env.train={train} and env.test={test} can't be below 0.")
        self.tokenizer, self.most, self.ask = tokenizer, most, ask
        self.end, self.pad = int(tokenizer.eos_token_id), int(tokenizer.pad_token_id)
        self.words = len(tokenizer)
        self.prompts = Prompts(tokenizer, templates, CLAIMS_PLAIN, CLAIMS_CHAT, "env.templates")
        claims = {}
        for name, own in self._problems(data, steps, path, train, test, data_seed).items():
            made = make_claims(own, random.Random(f"{data_seed} {name}"), self._sayable)
            claims[name] = made
        table = self._table([*claims["train"], *claims["test"]])
        drawn, held_out = table.split([len(claims["train"]), len(claims["test"])])
        self._marks = {channel: self._ids(self._mark(protocol, channel)) for channel in protocol.channels}
        super().__init__(
            drawn, held_out, protocol=protocol, payoffs=payoffs, slots=slots, seed=seed, device=device
        )

    # ------------------------------------------------------------------ instances
    def _problems(
        self, data: str, steps: int, path: str | None, train: int, test: int, seed: int
    ) -> dict[str, list[Problem]]:
        count = round(max(train / (1 - SHARES["test"]), test / SHARES["test"]) * 1.1) + 100
        found = problems(
            data, path, count if data == "synthetic" else None, seed=seed, steps=steps, first=FIRST
        )
        for problem in found:
            if not self._sayable(f"{problem.question} {problem.solution}"):
                raise UserError(
                    f"agents.model: its vocabulary lacks words of the problem {problem.question[:60]!r}. With "
                    "agents.model=null there are only the words of env.data=synthetic: name a model that has more."
                )
        parts: dict[str, list[Problem]] = {"train": [], "test": []}
        for problem in found:
            parts["test" if part(problem.solution, seed) == "test" else "train"].append(problem)
        return {"train": parts["train"][:train], "test": parts["test"][:test]}

    def _sayable(self, text: str) -> bool:
        unknown = self.tokenizer.unk_token_id
        return unknown is None or unknown not in self._ids(text)

    def _ids(self, text: str) -> list[int]:
        return self.prompts.ids(text)

    def _table(self, claims: Sequence[Claim]) -> TensorDict:
        openings = [self.prompts(role, c.problem.question, c.answer) for c in claims for role in ROLES]
        lessons = [[] if c.solution is None else [*self._ids(c.solution), self.end] for c in claims]
        rows = {
            "label": torch.tensor([c.label for c in claims], dtype=torch.bool),
            "texts": _padded(openings, self.pad).unflatten(0, (-1, len(ROLES))),
            "lengths": torch.tensor([len(o) for o in openings], dtype=torch.int32).view(-1, len(ROLES)),
            "claim": _padded([self._ids(self.prompts.fill("claim", answer=c.answer)) for c in claims], -1),
            "lesson": _padded(lessons, -1),
            "gap": torch.tensor([_gap(c) for c in claims]),
        }
        return TensorDict(rows, [len(claims)])

    def _mark(self, protocol: Protocol, channel: str) -> str:
        """What stands before a message; channels of one kind are numbered where there are several."""
        asks = protocol.asks(channel)
        alike = [c for c in protocol.channels if protocol.asks(c) == asks]
        number = f" {alike.index(channel) + 1}" if len(alike) > 1 else ""
        return self.prompts.fill("asked" if asks else "told", number=number)

    # ------------------------------------------------------------------ messages
    def message(self, channel: str) -> tuple[int, int]:
        """Tokens of the tokenizer's vocabulary."""
        length = self.ask if self.protocol.asks(channel) else self.most
        return (length, self.words) if length else (0, 1)

    def heard_of(self, message: Tensor) -> Tensor:
        """Which tokens of messages ``[..., length]`` count, bool: all up to the first end token, that included."""
        ends = (message == self.end).long()
        return (message >= 0) & (ends.cumsum(-1) - ends == 0)

    def reach(self, agent: str) -> int:
        """The most tokens that a text of this agent may take, its own message included."""
        return self._width(agent) + self.message(self.protocol.places(agent)[0].voice.speaks)[0]

    def _width(self, agent: str) -> int:
        voice, decides = self.protocol.places(agent)[0].voice, agent in self.protocol.deciders
        rows = self.instances["lengths"]
        width = int((rows[:, 2] if decides else rows[:, :2]).max())
        for channel in voice.hears:
            length = self.message(channel)[0]
            width += self._times(agent, channel) * (length + len(self._marks[channel])) if length else 0
        width += self.instances["claim"].shape[-1] if decides else 0
        return width + (len(self._marks[voice.speaks]) if self.message(voice.speaks)[0] else 0)

    def _times(self, agent: str, channel: str) -> int:
        """How many messages of a channel an agent has heard when it speaks for the last time, at most."""
        own, others = self.protocol.places(agent), self.protocol.places()
        before = any(
            o.voice.speaks == channel and o.track == p.track and o.seat < p.seat for p in own for o in others
        )
        return self.protocol.rounds - (not before)

    # ------------------------------------------------------------------ what models see
    def view(self, agent: str, observation: TensorDictBase) -> dict[str, Tensor]:
        """The text that the agent reads, up to where its own message begins.

        Returns:
            ``tokens`` int64 ``[..., t]``, padded at the right; ``length`` int64 ``[...]``; for deciders ``judged`` bool
            ``[..., t]``, the tokens whose truth is in question: what provers said, and the claim.
        """
        voice, decides = self.protocol.places(agent)[0].voice, agent in self.protocol.deciders
        index, said = observation["index"].long(), observation["transcript"].long()
        lead = index.shape
        label = self.instances["label"][index].long()
        role = torch.full_like(label, 2) if decides else label
        opening = self.instances["texts"][index, role].long()
        there = torch.arange(opening.shape[-1], device=self.device) < self.instances["lengths"][
            index, role
        ].unsqueeze(-1)
        parts = [(opening, there, False)]

        def mark(channel: str, shown: Tensor) -> None:
            tokens = torch.tensor(self._marks[channel], dtype=torch.long, device=self.device)
            parts.append((tokens.expand(*lead, -1), shown.unsqueeze(-1).expand(*lead, len(tokens)), False))

        for turn in range(self.protocol.rounds):
            offset = 0
            for channel in voice.hears:
                length = self.message(channel)[0]
                if length:
                    words = said[..., turn, offset : offset + length]
                    mark(channel, words[..., 0] >= 0)
                    parts.append((words, self.heard_of(words), not self.protocol.asks(channel)))
                    offset += length
        if decides:
            claim = self.instances["claim"][index].long()
            parts.append((claim, claim >= 0, True))
        if self.message(voice.speaks)[0]:
            mark(voice.speaks, torch.ones_like(label, dtype=torch.bool))
        tokens, there = torch.cat([p[0] for p in parts], -1), torch.cat([p[1] for p in parts], -1)
        order = there.logical_not().to(torch.uint8).argsort(dim=-1, stable=True)[..., : self._width(agent)]
        there = there.gather(-1, order)
        seen = {
            "tokens": tokens.gather(-1, order).masked_fill(~there, self.pad),
            "length": there.sum(-1),
        }
        if decides:
            judged = [torch.full_like(p[0], p[2], dtype=torch.bool) for p in parts]
            seen["judged"] = torch.cat(judged, -1).gather(-1, order) & there
        return seen

    def teach(self, agent: str, observation: TensorDictBase) -> Tensor | None:
        """For provers the solution that leads to the claim, in pieces of a message's length where it is longer, and the
        end once all is said; for deciders the label."""
        if agent in self.protocol.deciders:
            return super().teach(agent, observation)
        lesson = self.instances["lesson"][observation["index"].long()].long()
        known = (lesson >= 0).sum(-1, keepdim=True)
        place = observation["round"].long().unsqueeze(-1) * self.most + torch.arange(
            self.most, device=self.device
        )
        piece = lesson.gather(-1, place.clamp(max=lesson.shape[-1] - 1)).masked_fill(place >= known, -1)
        over = (place[..., :1] >= known) & (known > 0)
        piece[..., :1] = torch.where(over, self.end, piece[..., :1])
        return piece

    # ------------------------------------------------------------------ for people
    def difficulty(self, index: Tensor) -> dict[str, Tensor]:
        """By how far the claim is from the truth."""
        gap = self.instances["gap"][index]
        return {
            "right": gap == 0,
            "off by 1 or 2": (gap > 0) & (gap <= 2),
            "further off": (gap > 2) | (gap < 0),
        }

    def describe(self, index: int) -> str:
        """The text that the provers are given."""
        row = self.instances[index]
        role = int(row["label"])
        return self.tokenizer.decode(row["texts"][role, : int(row["lengths"][role])].tolist())

    def say(self, channel: str, message: list[int], index: int) -> str:
        """A message in words, as far as it is heard."""
        heard = self.heard_of(torch.tensor(message)).sum()
        return self.tokenizer.decode(message[: int(heard)], skip_special_tokens=True)


def _padded(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """Rows of tokens as one int32 table, at least a column wide."""
    some = [torch.tensor(row, dtype=torch.int32) for row in rows]
    width = max(1, *map(len, some)) if some else 1
    table = pad_sequence([*some, torch.empty(width, dtype=torch.int32)], batch_first=True, padding_value=fill)
    return table[:-1]


def _gap(claim: Claim) -> float:
    """How far the claim is from the truth; -1 if that can't be told."""
    try:
        return abs(float(claim.answer.replace(",", "")) - float(claim.problem.answer.replace(",", "")))
    except ValueError:
        return -1.0
