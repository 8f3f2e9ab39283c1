"""A tiny scenario: does the number have a partner?  Everybody speaks, there are coins, and it fits every protocol.

An instance is a ``number``, a ``lock`` of two digits and a ``label`` that neither tells.  The verifier sees number
and lock, and whether what it hears opens the lock; a prover is told the digits only if the claim is true.
"""

from __future__ import annotations

import torch
from tensordict import TensorDict
from torch import nn
from torch.nn.functional import one_hot

from pvg.envs.exchange import ExchangeEnv
from pvg.envs.rules import BLANK, mix

NUMBERS, DIGITS, QUESTIONS, COINS = 7, 4, 3, 10


def table(count, seed):
    draw = torch.Generator().manual_seed(seed)
    number = torch.randint(NUMBERS, (count,), generator=draw)
    lock = torch.randint(DIGITS, (count, 2), generator=draw)
    return TensorDict({"number": number, "lock": lock, "label": torch.arange(count) % 2 == 0}, [count])


class Toy(ExchangeEnv):
    def __init__(self, protocol, *, train=40, test=20, **options):
        super().__init__(table(train, 1), table(test, 2), protocol=protocol, **options)

    def message(self, channel):
        return (1, QUESTIONS) if self.protocol.asks(channel) else (2, DIGITS)

    def coins(self, index, serial):
        place = torch.arange(2 * self.protocol.rounds)
        coins = mix(serial.unsqueeze(-1) * len(place) + place, self.seed + 1) % COINS
        return coins.to(torch.int16).view(*index.shape, self.protocol.rounds, 2)

    def view(self, agent, observation):
        index, said = observation["index"].long(), observation["transcript"].long()
        lock, number = self.instances["lock"][index], self.instances["number"][index]
        told = self.instances["label"][index].unsqueeze(-1) & (agent not in self.protocol.deciders)
        known = one_hot(lock.masked_fill(~told, DIGITS), DIGITS + 1).flatten(-2)
        opens = [torch.zeros(*index.shape, 1)]  # per round and channel of two digits: do they open the lock?
        offset = 0
        for channel in self.protocol.places(agent)[0].voice.hears:
            length = self.message(channel)[0]
            if length == 2 and agent in self.protocol.deciders:
                opens.append((said[..., offset : offset + 2] == lock.unsqueeze(-2)).all(-1).float())
            offset += length
        words = one_hot(said.flatten(-2) - BLANK, DIGITS + 1).flatten(-2)
        coins = observation["coins"].flatten(-2) / COINS
        turn = one_hot(observation["round"].long(), self.protocol.rounds)
        return {"x": torch.cat([one_hot(number, NUMBERS), known, *opens, words, coins, turn], -1)}

    def teach(self, agent, observation):
        if agent in self.protocol.deciders:
            return super().teach(agent, observation)
        index = observation["index"].long()
        return self.instances["lock"][index].masked_fill(~self.instances["label"][index].unsqueeze(-1), -1)

    def difficulty(self, index):
        return {"small": self.instances["number"][index] < 3, "large": self.instances["number"][index] >= 3}


class ToyNet(nn.Module):
    def __init__(self, env, name, width=32):
        super().__init__()
        place = env.protocol.places(name)[0]
        seen = env.observation_spec[name, "observation"].zero()[:, 0]
        self.shape = env.message(place.voice.speaks)
        self.decides = place.voice.decides
        inputs = env.view(name, seen)["x"].shape[-1]
        self.body = nn.Sequential(nn.Linear(inputs, width), nn.Tanh())
        self.say = nn.Linear(width, self.shape[0] * self.shape[1])
        self.decide, self.value = nn.Linear(width, 3), nn.Linear(width, 1)

    def forward(self, view):
        h = self.body(view["x"])
        out = {"message": self.say(h).view(-1, *self.shape), "value": self.value(h)}
        return out | ({"decision": self.decide(h)} if self.decides else {})
