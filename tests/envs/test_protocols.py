"""Protocols as data: what is refused, and that each plays in each scenario."""

import pytest
import torch

from pvg.agents.agent import RandomAgent
from pvg.envs.payoffs import CONTINUE
from pvg.envs.protocols import Protocol, Voice, adp, debate, merlin_arthur, mnip, nip, solo
from pvg.errors import UserError
from pvg.trainers.collect import Rollout
from tests.envs.scenarios import PROTOCOLS, SCENARIOS, build, cast, court, uneven

prover, verifier = Voice("p", "p", ("p",)), Voice("v", "v", ("p",), decides=True)

WRONG = {
    "zero rounds": (lambda: nip(0), "rounds=0"),
    "zero rounds, verifier first": (lambda: nip(0, first="verifier"), "rounds=0"),
    "nobody decides": (lambda: Protocol((((prover,),),), 2), "track 0"),
    "nobody decides in one track": (lambda: Protocol((((prover,), (verifier,)), ((prover,),)), 2), "track 1"),
    "unknown channel": (
        lambda: Protocol((((prover,), (Voice("v", "v", ("p", "ghost"), decides=True),)),), 2),
        "ghost",
    ),
    "too late": (lambda: nip(3, first_decision=3), "first_decision=3"),
    "too early": (lambda: nip(3, first_decision=-4), "first_decision=-4"),
    "who is first": (lambda: nip(3, first="judge"), "first='judge'"),
    "two kinds of one agent": (
        lambda: Protocol((((verifier,), (Voice("v", "p", ("p",)),)),), 1),
        "'v'",
    ),
    "one hears more": (
        lambda: Protocol(
            (((prover,), (verifier,)), ((prover,), (Voice("v", "v", ("p", "v"), decides=True),))), 1
        ),
        "'v'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_protocol_is_refused_in_one_paragraph(name):
    make, names = WRONG[name]
    with pytest.raises(UserError) as error:
        make()
    text = str(error.value)
    assert text.startswith(("protocol", "env.protocol", "rounds", "first_decision"))
    assert names in text and "\n" not in text and len(text) < 300


def test_values_compare_and_hash_by_what_they_say():
    assert nip(1) == adp() and hash(nip(1)) == hash(adp())
    assert nip(2) != nip(2, first="verifier")
    assert nip(3, first_decision=-1) == nip(3, first_decision=2)  # -1 is the last round, with either order
    assert nip(3, first="verifier", first_decision=-1) == nip(3, first="verifier", first_decision=3)
    lists = Protocol([[[prover], [Voice("v", "v", ["p"], decides=True)]]], 2)
    assert lists == Protocol((((prover,), (verifier,)),), 2)


def test_places_follow_tracks_then_seats():
    order = [(p.track, p.seat, p.column) for p in uneven().places("verifier")]
    assert order == [(0, 0, 0), (1, 1, 1), (2, 2, 2)]
    assert uneven().agents == ("verifier", "prover_a", "prover_b")
    assert court().channels == ("p", "s", "c", "judge") and court().deciders == {"clerk", "judge"}
    assert [court().limit_seat(0), nip(first="verifier").limit_seat(0), uneven().limit_seat(2)] == [2, 0, 2]
    assert court().asks("c") and not court().asks("s")


def who_talks_to_whom(protocol):
    return {
        (speaker.agent, hearer.agent)
        for track in protocol.tracks
        for a in track
        for speaker in a
        for b in track
        for hearer in b
        if speaker.speaks in hearer.hears and speaker.agent != hearer.agent
    }


def test_the_field_s_protocols_are_what_their_papers_say():
    both_ways = {("prover", "verifier"), ("verifier", "prover")}
    assert who_talks_to_whom(nip()) == who_talks_to_whom(nip(first="verifier")) == both_ways
    assert [[v.agent for seat in t for v in seat] for t in nip(first="verifier").tracks] == [
        ["verifier", "prover"]
    ]
    assert nip(3, first="verifier").rounds == 4 and solo().rounds == 1 and len(solo().places()) == 1
    pairs = who_talks_to_whom(mnip())
    assert ("prover_a", "prover_b") not in pairs and ("prover_b", "prover_a") not in pairs
    assert {("prover_a", "verifier"), ("prover_b", "verifier"), ("verifier", "prover_a")} <= pairs
    for protocol in (debate(), debate(sequential=True)):
        assert {("prover_a", "prover_b"), ("prover_b", "prover_a")} <= who_talks_to_whom(protocol)
    assert [len(debate().tracks[0]), len(debate(sequential=True).tracks[0])] == [2, 3]
    merlin, morgana = merlin_arthur().tracks
    assert [s[0].agent for s in merlin] == ["merlin", "verifier"] and morgana[0][0].agent == "morgana"
    assert merlin[1] == morgana[1], "the verifier must not be able to tell the tracks apart"


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_plays_in_every_scenario(protocol, scenario):
    torch.manual_seed(0)
    env = build(scenario, protocol, slots=20)
    for agents in (cast(env, scenario), {name: RandomAgent(env, name) for name in env.protocol.agents}):
        batch = Rollout(env, agents, 36).collect()
        for name, agent in agents.items():
            acts, live = batch[name]["action"], batch[name, "observation", "live"]
            assert (acts >= 0).all() and (acts < torch.tensor(agent.tokens)).all()
            assert batch[name, "log_prob"].isfinite().all() and (batch[name, "log_prob"] <= 0).all()
            assert live[max(map(len, env.protocol.tracks)) :].any()
        ends = [batch["next", name, "ended"].sum() for name in env.protocol.agents]
        assert all(count > 0 for count in ends)
    for name in env.protocol.deciders:  # in the last round there is nothing left to go on for
        last = batch[name, "observation", "round"] == env.protocol.rounds - 1
        decisions = batch[name, "action"][..., -1]
        assert (
            last.any() and (decisions[last] != CONTINUE).all() and set(decisions.flatten().tolist()) >= {0, 1}
        )
