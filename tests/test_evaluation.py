"""Evaluation, against games played one by one in plain Python."""

import pytest
import torch

from pvg import evaluation
from pvg.agents.agent import Agent
from pvg.envs.rules import BLANK
from pvg.errors import UserError
from pvg.evaluation import evaluate, held_out, rates
from tests.envs.replay import Game, plain_mix, row, transcript
from tests.envs.replay import play as play_one
from tests.envs.scenarios import PROTOCOLS, SCENARIOS, build, cast

REJECT, ACCEPT, CONTINUE = 0, 1, 2


class Fickle(Agent):
    """Wants anything whatever, but always the same of the same observation: a hash of it decides."""

    def evaluate(self, observation):
        shape, out = (len(self.tokens), max(self.tokens, default=1)), []
        for i in range(len(observation)):
            code = 0
            for key in sorted(observation.keys()):
                for word in observation[key][i].flatten().tolist():
                    code = plain_mix(code + int(word) + 1, 3)
            out.append(torch.rand(shape, generator=torch.Generator().manual_seed(code)))
        logits = torch.stack(out)
        for t, count in enumerate(self.tokens):
            logits[:, t, count:] = -1e9
        return logits, torch.zeros(len(logits), 1)


def one_by_one(env, agents, index, track):
    games = []
    for i in index.tolist():
        game = Game(track, 0, i, i)
        play_one(
            env,
            game,
            lambda turn, _: agents[turn.agent].act(row(turn.observation), greedy=True)[0][0].tolist(),
        )
        games.append(game)
    return games


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_games_are_played_to_their_end_and_counted(protocol, scenario):
    env = build(scenario, protocol)
    agents = {n: Fickle(env, n, SCENARIOS[scenario][1], chunk=7) for n in env.protocol.agents}
    index = held_out(env)
    assert index.tolist() == list(range(40, 60))
    accepted, ended = [], []
    for track in range(len(env.protocol.tracks)):
        games = one_by_one(env, agents, index, track)
        theirs, left = evaluation.play(env, agents, index, track=track)
        assert theirs.tolist() == [g.decision == ACCEPT for g in games]
        assert left["transcript"].tolist() == [transcript(env, g.said, env.protocol.channels) for g in games]
        assert left["round"].tolist() == [g.turns[-1].observation["round"] for g in games]
        assert not left["live"].any()
        accepted += [g.decision == ACCEPT for g in games]
        ended += [len(g.turns) for g in games]
    labels = env.instances["label"][index].tolist() * len(env.protocol.tracks)
    scores = evaluate(env, agents)
    assert scores["n"] == len(labels)
    assert scores["accuracy"] == round(sum(a == y for a, y in zip(accepted, labels)) / len(labels), 6)
    assert scores["completeness"] == round(sum(a for a, y in zip(accepted, labels) if y) / sum(labels), 6)
    assert scores["soundness"] == round(
        sum(not a for a, y in zip(accepted, labels) if not y) / (len(labels) - sum(labels)), 6
    )
    if len(env.protocol.tracks) > 1:
        assert [t["n"] for t in scores["tracks"]] == [20] * len(env.protocol.tracks)


def test_rates_by_difficulty_and_of_nothing():
    env = build("toy", "adp")
    index = torch.arange(40)
    accepted = torch.rand(40, generator=torch.Generator().manual_seed(0)) < 0.5
    small = [i for i in range(40) if env.instances["number"][i] < 3]
    right = sum(bool(accepted[i]) == bool(env.instances["label"][i]) for i in small)
    out = rates(env, index, accepted)
    assert out["by"]["small"] == {"accuracy": round(right / len(small), 6), "n": len(small)}
    assert out["by"]["small"]["n"] + out["by"]["large"]["n"] == out["n"] == 40
    true = index[env.instances["label"][index]]
    assert rates(env, true, accepted[true])["soundness"] is None


def test_provers_may_sample_but_deciders_never_do():
    env = build("toy", "adp", test=400)
    torch.manual_seed(0)
    agents = cast(env)
    plain, sampled = (
        evaluation.play(env, agents, held_out(env), greedy=g)[1]["transcript"] for g in (True, False)
    )
    assert (plain != sampled).any()
    for seed in range(2):
        torch.manual_seed(seed)
        verdict, games = evaluation.play(env, agents, held_out(env), greedy=False)
        place = env.protocol.places("verifier")[0]
        # what the verifier saw is what it heard of: its own word is no part of it
        games["transcript"][:, :, env.columns["verifier"]] = BLANK
        seen = evaluation.see(env, games, place)
        assert torch.equal(agents["verifier"].act(seen, greedy=True)[0][:, -1] == ACCEPT, verdict)


def test_there_must_be_something_to_judge():
    env = build("toy", "nip", test=0)
    with pytest.raises(UserError, match=r"env\.test"):
        evaluate(env, cast(env))


def test_a_choice_of_the_held_out_is_the_same_every_time_and_not_the_first():
    env = build("toy", "nip", test=200)
    whole, some = held_out(env).tolist(), held_out(env, 50).tolist()
    assert held_out(env, 50).tolist() == some and len(set(some)) == 50 and set(some) < set(whole)
    assert some != whole[:50] and held_out(env, 1000).tolist() == whole
