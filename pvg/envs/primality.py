"""Primality: is this number composite, or is it prime?

Either claim has a proof that is hard to find and easy to check.  *Composite*: a factor.  *Prime*: a chain of
modular powers that ends at -1.  The verifier is too small to compute; the environment computes one thing for
it about each message (its *power*), and the verifier has to learn what the result means.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor

from pvg.envs.exchange import ExchangeEnv
from pvg.envs.modular import chain_link, from_bits, jacobi, mulmod, remainder, to_bits
from pvg.envs.numbers import KINDS, generate_apart, generate_split, read_numbers
from pvg.envs.payoffs import Payoff
from pvg.envs.primes import smallest_factor
from pvg.envs.protocols import Protocol
from pvg.envs.rules import mix
from pvg.errors import UserError

POWERS = {"composite": ("none", "remainder"), "prime": ("none", "product")}


class Primality(ExchangeEnv):
    """The exchange on numbers of 8 to 32 bits; messages are numbers in binary, most significant bit first.

    **Claim composite.**  A message of ``ceil(bits / 2)`` bits names a number m, as the smallest prime factor
    of every composite number can be named; 0 and 1, which could prove nothing, stand for 2 (which divides no
    number of the generated tables either).  So the claim is true if and only if some message leaves no remainder.
    ``verifier_power: remainder``: the verifier sees n mod m.  With more rounds the prover has more chances.

    **Claim prime.**  The environment draws a base g whose Jacobi symbol (g / n) is -1, by coins that all see
    (0, if it happens to share a factor with n; or 1, if n is a square; no proof then exists).
    If n is prime, g to the power (n - 1) / 2 is -1 modulo n (Euler's criterion); if n is composite that
    makes it a strong pseudoprime to base g (Miller 1976, Rabin 1980, condition i = s - 1), Carmichael number or
    not.  The prover proves it with the chain of squarings and multiplications that leads to this power: it is
    cut into ``rounds + 1`` pieces of equal length, and message t says where piece t ends; where the last ends
    is known.  ``verifier_power: product``: the verifier sees in which bits a message, up to now, differs from
    what piece t makes *of the message before*, and, with the last message, -1 from what the last piece
    makes of it.  With ``bits - 3`` rounds a piece is one modular product (two, where the exponent's bit is 1).
    With random messages this says nothing about n, since every power is one of a random number.

    Args:
        protocol, payoffs, slots, seed, device: see :class:`~pvg.envs.exchange.ExchangeEnv`.
        bits: of the numbers, 8 to 32.
        claim: ``"composite"`` or ``"prime"``.
        prover_knows: ``"witness"``: whether the claim is true, and an honest message: for *composite* the
            smallest prime factor, or for primes a number like one; for *prime* where the piece ends, given
            the prover's own message before.  ``"label"``: only whether the claim is true.  ``"nothing"``.
            Provers also see n (and g).
        verifier_sees: ``"nothing"`` but messages and what its power shows, or also ``"n"`` (and g).
        verifier_power: ``"none"``, ``"remainder"`` (claim composite) or ``"product"`` (claim prime).
        kinds: shares of the kinds of composite numbers, see :func:`~pvg.envs.numbers.generate_numbers`.
        train, test: how many numbers; where there are too few, train numbers repeat and tests are fewer.
        numbers: a file of decimal numbers of ``bits`` bits, one a line, to test on instead of generated ones; for the
            claim prime odd ones.  Training does without them, and a warning counts those it would have had.
        data_seed: decides the numbers, so that runs with different seeds see the same data.

    Raises:
        UserError: an unknown claim, power or knowledge, a power that belongs to the other claim, more rounds
            than the chain has links, for the claim prime a prover that doesn't hear itself; and what
            :func:`~pvg.envs.numbers.generate_split` and :func:`~pvg.envs.numbers.read_numbers` raise.
    """

    def __init__(
        self,
        protocol: Protocol,
        *,
        payoffs: Mapping[str, Payoff] | None = None,
        slots: int = 1024,
        seed: int = 0,
        device: str | torch.device = "cpu",
        bits: int = 16,
        claim: str = "composite",
        prover_knows: str = "witness",
        verifier_sees: str = "nothing",
        verifier_power: str = "remainder",
        kinds: Mapping[str, float] | None = None,
        train: int = 40_000,
        test: int = 4_000,
        numbers: str | None = None,
        data_seed: int = 0,
    ):
        if claim not in POWERS:
            raise UserError(f"env.claim={claim!r}: write composite or prime.")
        if prover_knows not in ("witness", "label", "nothing"):
            raise UserError(f"env.prover_knows={prover_knows!r}: write witness, label or nothing.")
        if verifier_sees not in ("n", "nothing"):
            raise UserError(f"env.verifier_sees={verifier_sees!r}: write n or nothing.")
        if verifier_power not in POWERS[claim]:
            raise UserError(
                f"env.verifier_power={verifier_power!r}: for the claim that a number is {claim}, write "
                f"{' or '.join(POWERS[claim])}. (env=primality_prime sets everything for the claim prime.)"
            )
        self.bits, self.claim, self.prover_knows = bits, claim, prover_knows
        self.verifier_sees, self.verifier_power = verifier_sees, verifier_power
        self.length = bits if claim == "prime" else (bits + 1) // 2
        answers = [p for p in protocol.places() if not protocol.asks(p.voice.speaks)]
        if claim == "prime":
            self._check_hearing(protocol)
        # a prover that sits behind the last decision is not heard in the last round
        late = any(p.seat > protocol.limit_seat(p.track) for p in answers)
        self.messages = protocol.rounds - late
        cuts = self._cuts(protocol) if claim == "prime" and answers else None
        made: dict[str, Any] = {"bits": bits, "kinds": kinds, "seed": data_seed}
        if numbers:
            given = read_numbers(numbers, bits=bits, odd=claim == "prime", seed=data_seed)
            tables = _apart(train, given, numbers, made), given
        else:
            drawn, held_out = generate_split(train, max(test, 2), **made)
            tables = drawn, held_out[:test]
        drawn, held_out = (self._instances(table, data_seed) for table in tables)
        super().__init__(
            drawn, held_out, protocol=protocol, payoffs=payoffs, slots=slots, seed=seed, device=device
        )
        if cuts:
            self.longest = max(b - a for a, b in pairwise(cuts))
            self._starts, self._ends = torch.tensor([cuts[:-1], cuts[1:]], device=self.device)

    def _instances(self, table: TensorDict, data_seed: int) -> TensorDict:
        number, composite = table["number"], table["composite"]
        rows = {"number": number, "kind": table["kind"]}
        if self.claim == "composite":
            rows |= {"label": composite, "witness": torch.where(composite, table["factor"], table["decoy"])}
        else:
            rows |= {"label": ~composite, "nonresidue": _nonresidues(number, data_seed)}
        return TensorDict(rows, table.batch_size)

    def _check_hearing(self, protocol: Protocol) -> None:
        """Provers find their own last message, from which an honest one goes on, at one place for all voices."""
        for agent in protocol.agents:
            voices = [p.voice for p in protocol.places(agent) if not p.voice.decides]
            own = {v.hears.index(v.speaks) if v.speaks in v.hears else None for v in voices}
            if None in own or len(own) > 1:
                raise UserError(
                    f"protocol: agent {agent!r} must hear the channel on which it speaks (each of its voices, as the "
                    "same of the channels heard): for env.claim=prime each message goes on from the one before."
                )

    def _cuts(self, protocol: Protocol) -> list[int]:
        """The links at which the pieces of the chain begin, and the end of the last."""
        links, pieces = self.bits - 2, self.messages + 1
        if pieces > links:
            raise UserError(
                f"protocol.rounds={protocol.rounds}: the chain of a {self.bits}-bit number has {links} links, so "
                f"it can be told in at most {links - 1} messages; set fewer rounds or more bits."
            )
        return [round(i * links / pieces) for i in range(pieces + 1)]

    # ------------------------------------------------------------------ messages and chance
    def message(self, channel: str) -> tuple[int, int]:
        """Provers say a number in binary, deciders nothing."""
        return (0, 1) if self.protocol.asks(channel) else (self.length, 2)

    def coins(self, index: Tensor, serial: Tensor) -> Tensor:
        """For the claim prime, what the base is made from: 1 to 32767 in every round, int16 ``[n, rounds, 1]``."""
        if self.claim == "composite":
            return super().coins(index, serial)
        coin = mix(serial, self.seed + 1) % 32767 + 1
        return coin.to(torch.int16).view(-1, 1, 1).repeat(1, self.protocol.rounds, 1)

    def base(self, observation: TensorDictBase) -> Tensor:
        """The base g of each game: a fixed number with (g / n) = -1, times the square of the coin."""
        index = observation["index"].long()
        n = self.instances["number"][index]
        coin = (observation["coins"][..., 0, 0] % n).clamp(min=1)  # below 16 bits it may be a multiple of n
        return mulmod(self.instances["nonresidue"][index], mulmod(coin, coin, n), n)

    def said(self, agent: str, observation: TensorDictBase) -> dict[str, tuple[Tensor, Tensor]]:
        """By prover channel the agent hears: the numbers said, int64 ``[..., rounds]``, and which were, bool."""
        out, offset = {}, 0
        for channel in self.protocol.places(agent)[0].voice.hears:
            length, _ = self.message(channel)
            if length:
                words = observation["transcript"][..., offset : offset + length]
                out[channel] = from_bits(words.clamp(min=0)), words[..., 0] >= 0
            offset += length
        return out

    # ------------------------------------------------------------------ arithmetic
    def evidence(self, observation: TensorDictBase, numbers: Tensor, said: Tensor) -> Tensor:
        """What the power shows of each message, int64 ``[..., rounds]``: 0 for a proof that holds so far."""
        n = self.instances["number"][observation["index"].long()].unsqueeze(-1)
        if self.claim == "composite":
            return remainder(n, numbers.clamp(min=2))
        base, last = self.base(observation).unsqueeze(-1), self.messages - 1
        numbers, said = numbers[..., : last + 1], said[..., : last + 1]
        right = self._advance(torch.cat([base, numbers], -1), n, base)
        wrong = torch.cat([numbers, n - 1], -1) ^ right
        wrong = wrong.masked_fill(~torch.cat([said, said[..., last:]], -1), 0)
        wrong[..., last] |= wrong[..., last + 1]
        for t in range(1, last + 1):
            wrong[..., t] |= wrong[..., t - 1]
        return wrong[..., : self.protocol.rounds]

    def _advance(self, x: Tensor, n: Tensor, base: Tensor, piece: Tensor | None = None) -> Tensor:
        """What each piece of the chain makes of ``x``; pieces lie along the last axis, or ``piece`` names one."""
        starts, ends = self._starts, self._ends
        if piece is not None:
            starts, ends = starts[piece], ends[piece]
        for i in range(self.longest):
            link = chain_link(x, starts + i, n, base, self.bits - 1)
            x = torch.where(starts + i < ends, link, x)
        return x

    def honest(self, agent: str, observation: TensorDictBase) -> Tensor:
        """The number that an honest prover says now, int64 ``[...]``; of no use where the claim is false."""
        index = observation["index"].long()
        if self.claim == "composite":
            return self.instances["witness"][index]
        own, _ = self.said(agent, observation)[self.protocol.places(agent)[0].voice.speaks]
        base, turn = self.base(observation), observation["round"].long()
        before = own.gather(-1, (turn - 1).clamp(min=0).unsqueeze(-1)).squeeze(-1)
        before = torch.where(turn == 0, base, before)
        piece = turn.clamp(max=self.messages - 1)
        return self._advance(before, self.instances["number"][index], base, piece)

    # ------------------------------------------------------------------ what networks see
    def view(self, agent: str, observation: TensorDictBase) -> dict[str, Tensor]:
        """``tokens [..., length, f]``, features of each place of a binary number, and ``flat [..., f]`` of the rest.

        Tokens: for each prover heard and each round the bit said, and for deciders the bit of what their power
        shows; for provers that know it the bit of the witness.  Flat: the truth of the claim, the round,
        n and g, as far as the agent knows them.  Bits are -1 and 1, and 0 is what is not known yet.
        """
        index, turn = observation["index"].long(), observation["round"].long()
        decides = agent in self.protocol.deciders
        tokens, flat = [], []
        for numbers, said in self.said(agent, observation).values():
            shown = [numbers]
            if decides and self.verifier_power != "none":
                shown.append(self.evidence(observation, numbers, said))
            tokens += [self._signs(x, self.length) * said.unsqueeze(-1) for x in shown]
        if not decides and self.prover_knows == "witness":
            tokens.append(self._signs(self.honest(agent, observation), self.length).unsqueeze(-2))
        if not decides and self.prover_knows != "nothing":
            flat.append(self.instances["label"][index].float().unsqueeze(-1) * 2 - 1)
        if self.protocol.rounds > 1:
            flat.append(torch.nn.functional.one_hot(turn, self.protocol.rounds).float())
        if not decides or self.verifier_sees == "n":
            flat.append(self._signs(self.instances["number"][index], self.bits))
            if self.claim == "prime":
                flat.append(self._signs(self.base(observation), self.bits))
        lead = turn.shape
        return {
            "flat": torch.cat([torch.empty(*lead, 0, device=self.device), *flat], -1),
            "tokens": torch.cat([torch.empty(*lead, 0, self.length, device=self.device), *tokens], -2).mT,
        }

    def _signs(self, x: Tensor, width: int) -> Tensor:
        """Bits as -1 and 1, ``[..., width]``."""
        return to_bits(x, width).float() * 2 - 1

    def teach(self, agent: str, observation: TensorDictBase) -> Tensor | None:
        """For provers of true claims the honest message; for deciders the label."""
        if agent in self.protocol.deciders:
            return super().teach(agent, observation)
        right = to_bits(self.honest(agent, observation), self.length).long()
        label = self.instances["label"][observation["index"].long()]
        return right.masked_fill(~label.unsqueeze(-1), -1)

    # ------------------------------------------------------------------ for people
    def difficulty(self, index: Tensor) -> dict[str, Tensor]:
        """By kind of number."""
        kind = self.instances["kind"][index]
        return {name.replace("_", " "): kind == code for code, name in enumerate((*KINDS, "other"))}

    def describe(self, index: int) -> str:
        """The number and what it is."""
        n, kind = (int(self.instances[key][index]) for key in ("number", "kind"))
        claim = f"the claim is that it is {self.claim}"
        if not kind:
            return f"{n} is prime; {claim}"
        factor, what = int(smallest_factor(np.array([n]))[0]), (*KINDS, "of no special kind")[kind]
        return f"{n} = {factor} * {n // factor} is composite ({what.replace('_', ' ')}); {claim}"

    def say(self, channel: str, message: list[int], index: int) -> str:
        """A message as a decimal number, and what it leaves."""
        if not message:
            return ""
        value = int("".join(map(str, message)), 2)
        if self.claim == "prime":
            return str(value)
        m = max(value, 2)
        return f"{m} leaves {int(self.instances['number'][index]) % m}"


def _apart(train: int, given: TensorDict, path: str, made: dict[str, Any]) -> TensorDict:
    """Generated training numbers without those of a file."""
    drawn, shared = generate_apart(train, given["number"], **made)
    if shared:
        warnings.warn(
            f"{shared:,} of the training numbers are in {path}: they are left out, and others take their place. "
            "Agents trained without this file may have seen them.",
            stacklevel=1,  # the frames above are TorchRL's
        )
    return drawn


def _nonresidues(number: Tensor, seed: int) -> Tensor:
    """For each odd number a random one whose Jacobi symbol is -1; 2 where there is none (for squares)."""
    draw = torch.Generator().manual_seed(seed)
    out = torch.full_like(number, 2)
    left = torch.arange(len(number))
    for _ in range(64):
        base = 2 + (torch.rand(len(left), generator=draw, dtype=torch.float64) * (number[left] - 3)).long()
        hit = jacobi(base, number[left]) == -1
        out[left[hit]] = base[hit]
        left = left[~hit]
    return out
