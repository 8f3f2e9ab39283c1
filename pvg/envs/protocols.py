"""Protocols are data: who speaks when, who hears it, and who may end the game.

A game runs around a *track* of *seats*.  In a seat one or more *voices* act at the same time on the
game in front of them; then the game moves on to the next seat, and after the last seat to the first,
one *round* later.  A voice writes on one channel and hears some.  A protocol with several tracks plays
them side by side in every slot (the verifier of ``merlin_arthur`` has a seat in each and can't tell
which it is in).  Nothing in the environment knows a protocol by name: a new one is a new value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pvg.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class Voice:
    """One agent's part in a seat.

    Args:
        agent: name of the network that acts (its TensorDict group); several voices may share one.
        speaks: the channel it writes on.
        hears: the channels it hears, in the order in which it sees them.
        decides: whether its decision (reject, accept, continue) may end the game.
    """

    agent: str
    speaks: str
    hears: tuple[str, ...]
    decides: bool = False

    def __post_init__(self):
        object.__setattr__(self, "hears", tuple(self.hears))


@dataclass(frozen=True)
class Place:
    """Where a voice sits: its track, its seat there, and its place among the track's voices."""

    track: int
    seat: int
    column: int
    voice: Voice


@dataclass(frozen=True)
class Protocol:
    """Tracks of seats of voices, and how long a game may last.

    Args:
        tracks: ``tracks[t][s]`` is the tuple of voices that act together in seat ``s`` of track ``t``.
        rounds: how often a game goes around its track; at the last decision of the last round it ends.
        first_decision: the first round (from 0; -1 is the last) in which a decision other than *continue* counts.

    Raises:
        UserError: a track without a deciding voice, fewer than one round, a channel that nobody writes,
            or voices of one agent that differ in what they may do.
    """

    tracks: tuple[tuple[tuple[Voice, ...], ...], ...]
    rounds: int
    first_decision: int = 0

    def __post_init__(self):
        seats = tuple(tuple(tuple(seat) for seat in track) for track in self.tracks)
        object.__setattr__(self, "tracks", seats)
        if self.rounds < 1:
            raise UserError(f"rounds={self.rounds}: a game needs at least one round; set it to 1 or more.")
        if not -self.rounds <= self.first_decision < self.rounds:
            raise UserError(
                f"first_decision={self.first_decision}: the first round that may end a game must lie in "
                f"0..{self.rounds - 1} (or -1 for the last), since the game has {self.rounds} round(s)."
            )
        object.__setattr__(self, "first_decision", self.first_decision % self.rounds)
        for t, track in enumerate(seats):
            if not any(v.decides for seat in track for v in seat):
                raise UserError(f"protocol: nobody in track {t} decides; give one voice `decides: true`.")
        for agent in self.agents:
            kinds = {(len(p.voice.hears), p.voice.decides) for p in self.places(agent)}
            if len(kinds) > 1:
                raise UserError(
                    f"protocol: the voices of {agent!r} hear different numbers of channels, or not all of them "
                    "decide. One agent is one network: give the voices that differ different agents."
                )
        unheard = {c for t in seats for s in t for v in s for c in v.hears} - set(self.channels)
        if unheard:
            raise UserError(
                f"protocol: nobody writes on {sorted(unheard)}; channels are {list(self.channels)}."
            )

    @property
    def agents(self) -> tuple[str, ...]:
        """Agents in order of their first seat."""
        return tuple(dict.fromkeys(v.agent for track in self.tracks for seat in track for v in seat))

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels in order of their first writer."""
        return tuple(dict.fromkeys(v.speaks for track in self.tracks for seat in track for v in seat))

    @property
    def deciders(self) -> frozenset[str]:
        """The agents whose decision ends games."""
        return frozenset(v.agent for track in self.tracks for seat in track for v in seat if v.decides)

    @property
    def attacked(self) -> int:
        """The track in which attacks play the prover: the last, that of the adversary where there are several."""
        return len(self.tracks) - 1

    def places(self, agent: str | None = None) -> tuple[Place, ...]:
        """All places, or those of one agent, in the order of its group's seat dimension."""
        out = []
        for t, track in enumerate(self.tracks):
            column = 0
            for s, seat in enumerate(track):
                for voice in seat:
                    if agent in (None, voice.agent):
                        out.append(Place(t, s, column, voice))
                    column += 1
        return tuple(out)

    def asks(self, channel: str) -> bool:
        """Whether the channel belongs to a voice that decides (a verifier's questions)."""
        return any(v.decides for t in self.tracks for s in t for v in s if v.speaks == channel)

    def limit_seat(self, track: int) -> int:
        """The seat whose decision ends a game of this track at the round limit: the last that decides."""
        return max(s for s, seat in enumerate(self.tracks[track]) if any(v.decides for v in seat))


def by_role(given: Mapping[str, T], agent: str, decides: bool) -> T | None:
    """What is given for an agent: by its name, else for its role (``verifier`` if it decides, or ``prover``), else
    under ``default``."""
    for name in (agent, "verifier" if decides else "prover", "default"):
        if name in given:
            return given[name]
    return None


def check_messages(protocol: Protocol, message: Callable[[str], tuple[int, int]]) -> None:
    """Make sure that one network can play all voices of an agent.

    Args:
        message: length and vocabulary of the messages on a channel.

    Raises:
        UserError: voices of one agent that say or hear messages of different length or vocabulary.
    """

    def kind(channel: str) -> tuple[int, int]:
        length, vocabulary = message(channel)
        return length, vocabulary if length else 1

    for agent in protocol.agents:
        voices = [p.voice for p in protocol.places(agent)]
        says = {kind(v.speaks) for v in voices}
        hears = {tuple(kind(channel) for channel in v.hears) for v in voices}
        for does, kinds in (("says", says), ("hears", hears)):
            if len(kinds) > 1:
                raise UserError(
                    f"protocol: in its places agent {agent!r} {does} messages of different lengths or vocabularies: "
                    f"{sorted(kinds)}. One agent is one network: let its voices use channels of the same kinds "
                    "in the same order, or give them different agents."
                )


def nip(rounds: int = 3, first: str = "prover", first_decision: int = 0) -> Protocol:
    """Neural interactive proof: prover and verifier take turns (Hammond & Adam-Day 2025, sec. 3).

    Args:
        rounds: prover messages a game at most.
        first: ``"prover"`` or ``"verifier"``.  With the verifier first, it asks before every answer and
            decides after the last one, so it gets one turn more; the seat that its last decision leaves
            empty makes one of ``2 * rounds + 2`` turns useless.
        first_decision: the first round in which the verifier may end the game.
    """
    prover = Voice("prover", "prover", ("prover", "verifier"))
    verifier = Voice("verifier", "verifier", ("prover", "verifier"), decides=True)
    if first == "prover":
        return Protocol((((prover,), (verifier,)),), rounds, first_decision)
    if first == "verifier":
        if rounds < 1:
            raise UserError(f"rounds={rounds}: a game needs at least one round; set it to 1 or more.")
        return Protocol((((verifier,), (prover,)),), rounds + 1, first_decision)
    raise UserError(f"env.protocol.first={first!r}: write prover or verifier.")


def adp() -> Protocol:
    """Adversarially robust proof in one message: the prover speaks once, the verifier decides (Anil et al. 2021)."""
    return nip(rounds=1)


def solo() -> Protocol:
    """The verifier alone: what it knows without a prover."""
    return Protocol((((Voice("verifier", "verifier", (), decides=True),),),), 1)


def mnip(rounds: int = 3, first_decision: int = 0) -> Protocol:
    """Two provers who can't hear each other, as in multi-prover proofs (Ben-Or et al. 1988)."""
    seats = (
        (Voice("prover_a", "a", ("a", "verifier")), Voice("prover_b", "b", ("b", "verifier"))),
        (Voice("verifier", "verifier", ("a", "b", "verifier"), decides=True),),
    )
    return Protocol((seats,), rounds, first_decision)


def debate(rounds: int = 3, sequential: bool = False, first_decision: int = 0) -> Protocol:
    """Two provers argue before the verifier (Irving et al. 2018), both in one seat or one after the other."""
    pro = Voice("prover_a", "a", ("a", "b", "verifier"))
    con = Voice("prover_b", "b", ("b", "a", "verifier"))
    verifier = (Voice("verifier", "verifier", ("a", "b", "verifier"), decides=True),)
    seats = ((pro,), (con,), verifier) if sequential else ((pro, con), verifier)
    return Protocol((seats,), rounds, first_decision)


def merlin_arthur(rounds: int = 1, first_decision: int = 0) -> Protocol:
    """One verifier, two tracks: a helpful prover in one, an adversarial one in the other (Wäldchen et al. 2022)."""

    def track(prover: str) -> Sequence[Sequence[Voice]]:
        hears = ("prover", "verifier")
        return (Voice(prover, "prover", hears),), (Voice("verifier", "verifier", hears, decides=True),)

    return Protocol((track("merlin"), track("morgana")), rounds, first_decision)  # type: ignore[arg-type]
