"""The network for messages that are strings."""

from functools import partial

import pytest
import torch

from pvg.agents.agent import Agent, flatten
from pvg.agents.tokens import TokenNet
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.primality import Primality
from pvg.envs.protocols import adp, nip


def game(**options):
    return Primality(nip(2), **dict(slots=8, train=50, test=10, bits=12) | options)


def views(env, name):
    """A view, and the same game seen with the places of all numbers in another order."""
    observation = flatten(env.rand_step(env.reset())["next", name, "observation"], 2)
    view = env.view(name, observation)
    order = torch.randperm(view["tokens"].shape[-2])
    return view, view | {"tokens": view["tokens"][:, order]}, order


def awake(net):
    """Heads that say something from the start."""
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return net


@pytest.mark.parametrize("attention", [0, 1])
def test_weights_are_shared_over_the_places(attention):
    env = game()
    prover = awake(TokenNet(env, "prover", attention=attention, places=False))
    view, moved, order = views(env, "prover")
    one, other = prover(view), prover(moved)
    torch.testing.assert_close(one["message"][:, order], other["message"])
    torch.testing.assert_close(one["value"], other["value"])
    verifier = awake(TokenNet(env, "verifier", attention=attention, places=False))
    view, moved, _ = views(env, "verifier")
    torch.testing.assert_close(verifier(view)["decision"], verifier(moved)["decision"])
    placed = awake(TokenNet(env, "verifier", attention=attention))
    assert not torch.allclose(placed(view)["decision"], placed(moved)["decision"])


def test_an_untrained_net_says_and_decides_anything_with_equal_probability():
    env = game()
    for name in ("prover", "verifier"):
        out = TokenNet(env, name)(views(env, name)[0])
        assert all(bool((x == 0).all()) for x in out.values())
        assert ("decision" in out) == (name == "verifier") and ("message" in out) == (name == "prover")


class Chatty(ExchangeEnv):
    """A view without tokens, and messages of three words out of five."""

    def message(self, channel):
        return (0, 1) if self.protocol.asks(channel) else (3, 5)

    def view(self, agent, observation):
        return {"flat": torch.ones(*observation["round"].shape, 2)}


def test_messages_that_are_no_bits_are_read_off_the_whole():
    table = game().instances
    env = Chatty(table, table, protocol=adp(), slots=4)
    agents = {name: Agent(env, name, partial(TokenNet, width=8)) for name in env.protocol.agents}
    td = env.reset()
    for agent in agents.values():
        agent(td)
    assert td["prover", "action"].shape == (4, 1, 3) and td["verifier", "action"].shape == (4, 1, 1)
    assert awake(agents["prover"].net)({"flat": torch.randn(4, 2)})["message"].shape == (4, 3, 5)
