"""The rules of an exchange once more, in plain Python: game after game, no tensors, no interleaving.

What a test compares the environment with.  It takes from the environment only what is data: the protocol, the
payoffs, the labels, the length of messages, and (unless told otherwise) the coins of a game by its serial number.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

BLANK, CONTINUE, WORD = -1, 2, 2**64 - 1


def plain_mix(x, seed):
    """``pvg.envs.exchange.mix`` of one integer."""
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
    decision: int | None = None  # None: the stream ended first
    wasted: int = 0

    def of(self, agent, place):
        return [t for t in self.turns if (t.agent, t.place) == (agent, place)]


def pay(payoff, label, decision):
    if decision == CONTINUE:
        return payoff.undecided
    kinds = {(0, 0): "reject_false", (0, 1): "accept_false", (1, 0): "reject_true", (1, 1): "accept_true"}
    return getattr(payoff, kinds[int(label), decision])


def replay(env, acts, steps):
    """All games of a stream, in the order of lanes.

    Args:
        acts: ``acts[agent][time][slot][place]`` is an action, a list of integers.
        steps: how long the stream is.
    """
    games, lane = [], 0
    for track, seats in enumerate(env.protocol.tracks):
        for start in range(len(seats)):
            for slot in range(env.slots):
                serial, time = slot * env.lanes + lane, 0
                if start:  # nothing is in front of the later seats at first
                    serial, time = serial + env.slots * env.lanes, len(seats) - start
                while time < steps:
                    game, time = play(env, acts, steps, track, slot, serial, time)
                    games.append(game)
                    serial += env.slots * env.lanes
            lane += 1
    return games


def play(env, acts, steps, track, slot, serial, time):
    """One game that comes to its first seat at ``time``; returns it and the time at which the next may begin."""
    protocol, seats = env.protocol, env.protocol.tracks[track]
    index = plain_mix(serial, env.seed) % env.train_size
    coins = env.coins(torch.tensor([index]), torch.tensor([serial]))[0].tolist()
    game, said = Game(track, slot, serial, index), {c: [] for c in protocol.channels}
    last_decider = max(s for s, seat in enumerate(seats) if any(v.decides for v in seat))
    for turn in range(protocol.rounds):
        heard_before = {}
        for s, seat in enumerate(seats):
            if time == steps:
                return (game if game.decision is None else settle(env, game)), time
            if game.decision is not None:
                game.wasted += len(seat)
                time += 1
                continue
            heard_before = {c: list(m) for c, m in said.items()}
            verdicts = []
            for v, voice in enumerate(seat):
                place = place_of(protocol, track, s, v)
                action = acts[voice.agent][time][slot][place]
                seen = observation(env, voice, heard_before, coins, turn, index)
                game.turns.append(Turn(time, voice.agent, place, seen, action))
                length = env.message(voice.speaks)[0]
                said[voice.speaks].append((turn, action[:length]))
                if voice.decides:
                    verdicts.append(action[-1])
            if turn < protocol.first_decision and turn < protocol.rounds - 1:
                verdicts = []
            counted = [d for d in verdicts if d != CONTINUE]
            if counted:
                game.decision = counted[0]
            elif turn == protocol.rounds - 1 and s == last_decider:
                game.decision = CONTINUE
            time += 1
        if game.decision is not None:
            return settle(env, game), time
    raise AssertionError("a game went on past the round limit")


def settle(env, game):
    """Pay every voice for the last turn it had."""
    label = bool(env.instances["label"][game.index])
    for agent in env.protocol.agents:
        role = "verifier" if env.protocol.places(agent)[0].voice.decides else "prover"
        payoff = next(env.payoffs[name] for name in (agent, role, "default") if name in env.payoffs)
        for place in range(len(env.protocol.places(agent))):
            turns = game.of(agent, place)
            if turns:
                turns[-1].reward, turns[-1].ended = pay(payoff, label, game.decision), True
    return game


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


def observation(env, voice, said, coins, turn, index):
    rows = []
    for r in range(env.protocol.rounds):
        row = []
        for channel in voice.hears:
            words = [m for when, m in said[channel] if when == r]
            row += words[-1] if words else [BLANK] * env.message(channel)[0]
        rows.append(row)
    shown = [c if r <= turn else [BLANK] * len(c) for r, c in enumerate(coins)]
    return {"index": index, "transcript": rows, "coins": shown, "round": turn, "live": True}


def acts_of(env, frames):
    """What ``replay`` reads, from frames ``[time, slots]``."""
    return {a: frames[a]["action"].tolist() for a in env.protocol.agents}
