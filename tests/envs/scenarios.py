"""The protocols and the scenarios of the tests: every protocol must play in every scenario."""

from functools import cache, partial

from pvg.agents.agent import Agent
from pvg.agents.graph import GraphNet
from pvg.agents.players import LanguageNet, LanguagePlayer, tokenizer
from pvg.agents.tokens import TokenNet
from pvg.envs.graph_isomorphism import GraphIsomorphism
from pvg.envs.payoffs import RIGHT, Payoff
from pvg.envs.primality import Primality
from pvg.envs.protocols import Protocol, Voice, adp, debate, merlin_arthur, mnip, nip, solo
from pvg.envs.word_problems import WordProblems
from tests.envs.toy import Toy, ToyNet


def court(rounds=3, first_decision=1):
    """Three seats, two deciders, and a channel that only the first of them hears."""
    prover, spy = Voice("prover", "p", ("p", "judge")), Voice("spy", "s", ("s", "p"))
    clerk = Voice("clerk", "c", ("s",), decides=True)
    judge = Voice("judge", "judge", ("c", "p"), decides=True)
    return Protocol((((prover, spy), (clerk,), (judge,)),), rounds, first_decision)


def jury(rounds=2):
    """Two deciders and a prover in one seat, and a chorus: two voices of one agent in another."""
    ones, others = Voice("chorus", "left", ("left", "v")), Voice("chorus", "right", ("right", "v"))
    v = Voice("verifier", "v", ("left", "right"), decides=True)
    w = Voice("watcher", "w", ("right", "left", "w"), decides=True)
    lone = Voice("lone", "l", ("l", "v"))
    return Protocol((((ones, others), (w, lone, v)),), rounds)


def uneven(rounds=2):
    """Tracks of one, two and three seats with one verifier, which can't tell in which it is."""
    hears = ("a", "b")
    verifier = (Voice("verifier", "v", hears, decides=True),)
    a, b = Voice("prover_a", "a", ("a", "v")), Voice("prover_b", "b", ("b", "v"))
    return Protocol(((verifier,), ((a,), verifier), ((a,), (b,), verifier)), rounds)


PROTOCOLS = {
    "nip": nip(3),
    "nip, late": nip(3, first_decision=2),
    "nip, verifier first": nip(3, first="verifier"),
    "nip, verifier first, late": nip(2, first="verifier", first_decision=2),
    "adp": adp(),
    "solo": solo(),
    "mnip": mnip(2),
    "debate": debate(3),
    "debate in sequence": debate(2, sequential=True),
    "merlin_arthur": merlin_arthur(2),
    "court": court(),
    "jury": jury(),
    "uneven": uneven(),
}

words = cache(tokenizer)  # of the synthetic problems


def word_problems(protocol, **options):
    made = {"tokenizer": words(), "train": 40, "test": 20, "steps": 1, "most": 4, "ask": 2}
    return WordProblems(protocol, **made | options)


# Each scenario: how to build it, and the network that plays it.  A new one is one line here.
SCENARIOS = {
    "toy": (Toy, ToyNet),
    "graphs": (
        partial(GraphIsomorphism, train=40, test=20, nodes=(7, 8), scores={1: 0.5, 2: 0.5}),
        partial(GraphNet, layers=1, width=8, hidden=8),
    ),
    "composite": (partial(Primality, train=40, test=20, bits=12), partial(TokenNet, width=8)),
    "prime": (
        partial(Primality, train=40, test=20, bits=12, claim="prime", verifier_power="product"),
        partial(TokenNet, width=8),
    ),
    "words": (word_problems, partial(LanguageNet, width=16, layers=1, hidden=16)),
}
PLAYERS = {"words": LanguagePlayer}  # where the network wants an agent of its own

# payoffs that are all different, so that no two can be mistaken for each other
ODD = {
    "default": Payoff(1.5, -2.25, -0.75, 3.0, -0.375),
    "verifier": RIGHT,
    "judge": Payoff(5.0, 6.0, 7.0, 8.0, 9.0),
}


def build(scenario="toy", protocol="nip", **options):
    """A scenario with a protocol, by their names here (or the protocol itself)."""
    protocol = PROTOCOLS[protocol] if isinstance(protocol, str) else protocol
    payoffs = {k: v for k, v in ODD.items() if k == "default" or k in protocol.agents}
    return SCENARIOS[scenario][0](protocol, **{"slots": 5, "payoffs": payoffs} | options)


def cast(env, scenario="toy", **options):
    """An agent for every part."""
    kind = PLAYERS.get(scenario, Agent)
    return {name: kind(env, name, SCENARIOS[scenario][1], **options) for name in env.protocol.agents}
