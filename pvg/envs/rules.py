"""The rules of one exchange, on batches of games of any size: what is said, heard, decided and paid.

``ExchangeEnv`` interleaves such games; evaluation and attacks play them one by one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property

import torch
from tensordict import TensorDictBase
from torch import Tensor
from torchrl.envs import EnvBase

from pvg.envs.payoffs import ACCEPT, CONTINUE, PERSUADE, RIGHT, Payoff
from pvg.envs.protocols import Place, Protocol, by_role, check_messages
from pvg.errors import UserError

BLANK = -1  # a token not yet said


def mix(x: Tensor, seed: int) -> Tensor:
    """A well-mixed non-negative int64 of each integer (SplitMix64's finaliser, Steele et al. 2014)."""
    offset = seed * 2862933555777941757 + 3037000493
    x = x * -7046029254386353131 + ((offset + 2**63) % 2**64 - 2**63)  # torch takes no larger integers
    x = (x ^ (x >> 30 & 0x3FFFFFFFF)) * -4658895280553007687
    x = (x ^ (x >> 27 & 0x1FFFFFFFFF)) * -7723592293110705685
    return (x ^ (x >> 31 & 0x1FFFFFFFF)) & 0x7FFFFFFFFFFFFFFF


class ExchangeRules(EnvBase):
    """What a scenario says, and what follows from it and the protocol for any batch of games.

    A game is a dict of tensors ``[n, ...]``: ``index`` int32 of the instance, ``transcript``
    ``[n, rounds, width]`` of all channels side by side, ``coins`` int16 ``[n, rounds, c]``, ``round`` int16,
    ``live`` bool.

    Attributes:
        columns: where each channel's tokens stand in the transcript.
        vocabularies: sizes of the tokens that make up an agent's act; the last of a decider's is its decision.
        heard: the columns that a voice hears, None for all of them.
        token_type: of the transcript: int16, or int32 for vocabularies above 32,768.
    """

    protocol: Protocol
    payoffs: dict[str, Payoff]
    instances: TensorDictBase

    # ------------------------------------------------------------------ what a scenario says
    @abstractmethod
    def message(self, channel: str) -> tuple[int, int]:
        """Length and vocabulary of a message on ``channel``; length 0 for a silent one."""

    @abstractmethod
    def view(self, agent: str, observation: TensorDictBase) -> dict[str, Tensor]:
        """What the agent's network sees: dense tensors made from a compact observation of any batch shape."""

    def coins(self, index: Tensor, serial: Tensor) -> Tensor:
        """Public randomness of each game, int16 ``[n, rounds, c]``; row ``r`` is shown from round ``r`` on."""
        return torch.empty(*index.shape, self.protocol.rounds, 0, dtype=torch.int16, device=index.device)

    def teach(self, agent: str, observation: TensorDictBase) -> Tensor | None:
        """The honest act where one is known, int64 ``[..., tokens]``, -1 where not; None if never.

        The base class knows what a decider should decide.
        """
        if agent not in self.protocol.deciders:
            return None
        label = self.instances["label"][observation["index"].long()].long()
        silent = label.new_full((*label.shape, len(self.vocabularies[agent]) - 1), -1)
        return torch.cat([silent, label.unsqueeze(-1)], -1)

    def difficulty(self, index: Tensor) -> dict[str, Tensor]:
        """Masks ``[n]`` by name that split instances into kinds, for the tables of an evaluation."""
        return {}

    def describe(self, index: int) -> str:
        """One line about an instance, for people."""
        return f"instance {index}"

    def say(self, channel: str, message: list[int], index: int) -> str:
        """A message in words, for people."""
        return " ".join(map(str, message))

    def say_coins(self, coins: list[int], index: int) -> str:
        """A round's coins in words, for people."""
        return " ".join(map(str, coins))

    # ------------------------------------------------------------------ computed once
    def _set_rules(self) -> None:
        protocol, device = self.protocol, self.device
        check_messages(protocol, self.message)
        self.columns: dict[str, slice] = {}
        width = 0
        for channel in protocol.channels:
            length, _ = self.message(channel)
            self.columns[channel] = slice(width, width + length)
            width += length
        self.width = width
        largest = max(self.message(channel)[1] for channel in protocol.channels)
        self.token_type = torch.int16 if largest <= 1 << 15 else torch.int32
        self.vocabularies: dict[str, tuple[int, ...]] = {}
        self.heard: dict[Place, Tensor | None] = {}
        for agent in protocol.agents:
            for place in protocol.places(agent):
                heard = [c for name in place.voice.hears for c in range(width)[self.columns[name]]]
                every = heard == list(range(width))
                self.heard[place] = None if every else torch.tensor(heard, dtype=torch.long, device=device)
            length, vocabulary = self.message(place.voice.speaks)
            self.vocabularies[agent] = (vocabulary,) * length + ((3,) if place.voice.decides else ())
        self._rounds = rounds = torch.arange(protocol.rounds, device=device)
        early, last = rounds < protocol.first_decision, rounds == protocol.rounds - 1
        # which decisions are open in each round: [rounds, 3]
        self._open = torch.stack([~early | last, ~early | last, ~last], -1)
        self._pay_tables()

    def _pay_tables(self) -> None:
        """What every voice gets, by label and decision."""
        unknown = set(self.payoffs) - {*self.protocol.agents, "default", "prover", "verifier"}
        if unknown:
            raise UserError(
                f"env.payoffs: no agent is called {sorted(unknown)}; there are {list(self.protocol.agents)}."
            )
        self._payoff = []
        for t in range(len(self.protocol.tracks)):
            voices = [p.voice for p in self.protocol.places() if p.track == t]
            tables = [self._payoff_of(v.agent, v.decides).table() for v in voices]
            table = torch.tensor(tables, dtype=torch.float32, device=self.device)
            self._payoff.append(table.permute(1, 2, 0).flatten(0, 1))  # [label * 3 + decision, voices]

    def _payoff_of(self, agent: str, decides: bool) -> Payoff:
        return by_role(self.payoffs, agent, decides) or (RIGHT if decides else PERSUADE)

    @cached_property
    def coin_count(self) -> int:
        """Coins shown a round."""
        one = torch.zeros(1, dtype=torch.long, device=self.device)
        return self.coins(one, one).shape[-1]

    # ------------------------------------------------------------------ one game (a batch of any size)
    def new_games(self, index: Tensor, serial: Tensor) -> dict[str, Tensor]:
        """Fresh games ``[n]`` on the given instances, live, in front of their first seat."""
        n, dev = len(index), self.device
        return {
            "index": index.to(torch.int32),
            "transcript": torch.full(
                (n, self.protocol.rounds, self.width), BLANK, dtype=self.token_type, device=dev
            ),
            "coins": self.coins(index, serial),
            "round": torch.zeros(n, dtype=torch.int16, device=dev),
            "live": torch.ones(n, dtype=torch.bool, device=dev),
        }

    def observe(self, game: Mapping[str, Tensor], place: Place) -> dict[str, Tensor]:
        """What the voice at ``place`` may know of the game in front of it."""
        transcript, heard = game["transcript"], self.heard[place]
        if heard is not None:
            transcript = transcript.index_select(-1, heard)
        coins = game["coins"]
        if coins.shape[-1]:
            hidden = self._rounds > game["round"].unsqueeze(-1)
            coins = coins.masked_fill(hidden.unsqueeze(-1), BLANK)
        shown = {"index": game["index"], "transcript": transcript, "coins": coins}
        return shown | {"round": game["round"], "live": game["live"]}

    def act(
        self, game: Mapping[str, Tensor], track: int, seat: int, actions: list[Tensor]
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """The game after the seat's voices have acted.

        Args:
            game: a batch of games ``[n]`` in front of the seat.
            actions: one int64 ``[n, tokens]`` a voice.

        Returns:
            the game, ``over`` bool ``[n]``, and ``decision`` int64 ``[n]`` (continue where nobody decided).
        """
        turn, live = game["round"], game["live"]
        transcript = game["transcript"]
        decision = None
        said = False
        for voice, action in zip(self.protocol.tracks[track][seat], actions, strict=True):
            columns = self.columns[voice.speaks]
            length = columns.stop - columns.start
            if length:
                if not said:
                    transcript, said = transcript.clone(), True
                row = turn.long().view(-1, 1, 1).expand(-1, 1, length)
                words = action[:, :length].to(self.token_type).unsqueeze(1)
                transcript[:, :, columns].scatter_(1, row, words)
            if voice.decides:
                own = action[:, -1]
                decision = own if decision is None else torch.where(decision == CONTINUE, own, decision)
        if decision is None:
            return (
                dict(game, transcript=transcript),
                torch.zeros_like(live),
                torch.full_like(turn, CONTINUE).long(),
            )
        if self.protocol.first_decision:
            decision = decision.masked_fill(~self.open_decisions(turn)[..., ACCEPT], CONTINUE)
        over = decision != CONTINUE
        if seat == self.protocol.limit_seat(track):
            over = over | (turn == self.protocol.rounds - 1)
        over = over & live
        return dict(game, transcript=transcript, live=live & ~over), over, decision

    def payoff(self, track: int, index: Tensor, decision: Tensor) -> Tensor:
        """What the voices of a track get for a decision on each instance, ``[n, voices]``."""
        label = self.instances["label"].index_select(0, index)
        return self._payoff[track].index_select(0, label.long() * 3 + decision)

    def open_decisions(self, turn: Tensor) -> Tensor:
        """Which of reject, accept and continue count in a round: bool ``[..., 3]``."""
        return self._open[turn.long()]
