"""The rules of an exchange once more, in plain Python: game after game, no tensors, no interleaving.

What a test compares the environment with.  It takes from the environment only what is data: the protocol, the
payoffs, the labels, the length of messages, and the coins of a game by its serial number.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from tensordict import TensorDict

from pvg.envs.payoffs import PERSUADE, RIGHT

BLANK, CONTINUE, WORD = -1, 2, 2**64 - 1


def plain_mix(x, seed):
    """``pvg.envs.rules.mix`` of one integer."""
    x = (x * 0x9E3779B97F4A7C15 + seed * 2862933555777941757 + 3037000493) & WORD
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & WORD
    return (x ^ (x >> 31)) & (WORD >> 1)


@dataclass
class Turn:
    time: int
    agent: str
    place: int  # in the agent's group
    observation: dict
    action: list
    reward: float = 0.0
    ended: bool = False


@dataclass
class Game:
    track: int
    slot: int
    serial: int
    index: int
    turns: list[Turn] = field(default_factory=list)
    said: dict = field(default_factory=dict)  # words by round and channel
    decision: int | None = None  # None: the stream ended first
    wasted: int = 0

    def of(self, agent, place):
        return [t for t in self.turns if (t.agent, t.place) == (agent, place)]


def replay(env, frames):
    """All games of a stream of frames ``[time, slots]``, in the order of lanes."""
    acts = {agent: frames[agent]["action"].tolist() for agent in env.protocol.agents}
    games, lane, stride = [], 0, env.slots * env.lanes

    def act(turn, slot):
        return acts[turn.agent][turn.time][slot][turn.place]

    for track, seats in enumerate(env.protocol.tracks):
        for start in range(len(seats)):
            for slot in range(env.slots):
                serial, time = slot * env.lanes + lane, 0
                if start:  # nothing is in front of the later seats at first
                    serial, time = serial + stride, len(seats) - start
                while time < len(frames):
                    game = Game(track, slot, serial, plain_mix(serial, env.seed) % env.train_size)
                    time = play(env, game, act, time, len(frames))
                    games.append(game)
                    serial += stride
            lane += 1
    return games


def play(env, game, act, time=0, steps=10**9):
    """Play a game that comes to its first seat at ``time``; returns the time at which the next one may begin.

    Args:
        act: called with a :class:`Turn` that lacks its action, and the slot; returns the action.
        steps: when the stream ends, whatever the game has come to.
    """
    protocol, seats = env.protocol, env.protocol.tracks[game.track]
    coins = env.coins(torch.tensor([game.index]), torch.tensor([game.serial]))[0].tolist()
    last_decider = max(s for s, seat in enumerate(seats) if any(v.decides for v in seat))
    for number in range(protocol.rounds):
        for s, seat in enumerate(seats):
            if time == steps:
                break
            if game.decision is not None:
                game.wasted += len(seat)
                time += 1
                continue
            heard, verdicts = dict(game.said), []  # voices of one seat do not hear each other yet
            for v, voice in enumerate(seat):
                seen = observation(env, voice, heard, coins, number, game.index)
                turn = Turn(time, voice.agent, place_of(protocol, game.track, s, v), seen, [])
                turn.action = act(turn, game.slot)
                game.turns.append(turn)
                game.said[number, voice.speaks] = turn.action[: env.message(voice.speaks)[0]]
                if voice.decides:
                    verdicts.append(turn.action[-1])
            if number < protocol.first_decision and number < protocol.rounds - 1:
                verdicts = []
            counted = [d for d in verdicts if d != CONTINUE]
            if counted:
                game.decision = counted[0]
            elif number == protocol.rounds - 1 and s == last_decider:
                game.decision = CONTINUE
            time += 1
        if game.decision is not None:
            settle(env, game)
            break
    return time


def settle(env, game):
    """Pay every voice for the last turn it had."""
    label = bool(env.instances["label"][game.index])
    for agent in env.protocol.agents:
        role, usual = ("verifier", RIGHT) if agent in env.protocol.deciders else ("prover", PERSUADE)
        named = [env.payoffs[name] for name in (agent, role, "default") if name in env.payoffs]
        payoff = named[0] if named else usual
        for place in range(len(env.protocol.places(agent))):
            turns = game.of(agent, place)
            if turns:
                turns[-1].reward, turns[-1].ended = pay(payoff, label, game.decision), True


def pay(payoff, label, decision):
    if decision == CONTINUE:
        return payoff.undecided
    kinds = {(0, 0): "reject_false", (0, 1): "accept_false", (1, 0): "reject_true", (1, 1): "accept_true"}
    return getattr(payoff, kinds[int(label), decision])


def place_of(protocol, track, seat, number):
    """Which of its agent's places a voice has: they count from the first track on, seat by seat."""
    agent = protocol.tracks[track][seat][number].agent
    order = [
        (t, s, v)
        for t, seats in enumerate(protocol.tracks)
        for s, voices in enumerate(seats)
        for v, voice in enumerate(voices)
        if voice.agent == agent
    ]
    return order.index((track, seat, number))


def transcript(env, said, channels):
    """What was said on some channels, a row a round."""
    silence = {c: [BLANK] * env.message(c)[0] for c in channels}
    return [
        [word for c in channels for word in said.get((number, c), silence[c])]
        for number in range(env.protocol.rounds)
    ]


def observation(env, voice, said, coins, number, index):
    """What a voice may know in round ``number``."""
    shown = [c if r <= number else [BLANK] * len(c) for r, c in enumerate(coins)]
    heard = transcript(env, said, voice.hears)
    return {"index": index, "transcript": heard, "coins": shown, "round": number, "live": True}


def row(seen):
    """One observation as an agent takes it."""
    types = {"index": torch.int32, "live": torch.bool}
    return TensorDict({k: torch.tensor([v], dtype=types.get(k, torch.int16)) for k, v in seen.items()}, [1])
