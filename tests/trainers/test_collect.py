"""Collecting, against TorchRL's own collector, and own turns, against games replayed in plain Python."""

import pytest
import torch
from tensordict.nn import TensorDictSequential
from torchrl.collectors import Collector

from pvg.trainers.collect import Rollout, own_turns
from tests.envs.replay import replay
from tests.envs.scenarios import PROTOCOLS, build, cast

everywhere = pytest.mark.parametrize("protocol", PROTOCOLS)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    "scenario, protocol",
    [("toy", "nip"), ("toy", "merlin_arthur"), ("toy", "court"), ("graphs", "nip"), ("graphs", "debate")],
)
def test_frames_are_those_of_torchrl_s_collector(scenario, protocol, shared):
    env = build(scenario, protocol, slots=6)
    torch.manual_seed(0)
    agents = cast(env, scenario, shared=shared)
    steps = Rollout(env, agents, 12).steps
    policy = TensorDictSequential(*agents.values())
    theirs = Collector(
        env,
        policy,
        frames_per_batch=steps * env.slots,
        total_frames=2 * steps * env.slots,
        auto_register_policy_transforms=False,
    )
    torch.manual_seed(1)
    theirs = torch.cat(list(theirs), 1).transpose(0, 1)
    torch.manual_seed(1)
    rollout = Rollout(env, agents, 12)
    first, second = rollout.collect(), rollout.collect()
    ours = torch.cat([first, second[rollout.tail :]])
    assert ours.shape == theirs.shape
    kept = list(ours.keys(True, True))
    for key in kept:  # a critic of its own values many states at once, and so may round in another way
        same = torch.allclose if key[-1] == "state_value" and not shared else torch.equal
        assert same(ours[key], theirs[key])
    # nothing that a learner could want is left out
    unkept = {key[-1] for key in theirs.keys(True, True) if key[0] in agents and key not in set(kept)}
    assert unkept <= {"ended"}


@everywhere
def test_own_turns_are_those_of_games_played_one_by_one(protocol):
    """Over three collects: every act but those of the first frame, once, with what its own game brought."""
    torch.manual_seed(0)
    env = build("toy", protocol, seed=2)
    agents = cast(env)
    rollout = Rollout(env, agents, 12)
    batches = []
    for _ in range(3):
        with torch.no_grad():
            for agent in agents.values():  # as if it had learnt: values of one state must come from one time
                agent.net.value.bias += 1
        batches.append((rollout.collect(), rollout.last_values()))
    frames = torch.cat([batch[rollout.tail if i else 0 :] for i, (batch, _) in enumerate(batches)])
    steps = len(frames)
    assert steps == 3 * rollout.steps
    games = replay(env, frames)

    for agent in env.protocol.agents:
        turns = {
            (turn.time, game.slot, turn.place): (turn, game)
            for game in games
            for turn in game.turns
            if turn.agent == agent
        }
        seats = [len(env.protocol.tracks[place.track]) for place in env.protocol.places(agent)]
        stamp = torch.arange(steps * env.slots * len(seats)).view(steps, env.slots, -1).float()
        counted = {}
        for i, (batch, ends_at) in enumerate(batches):
            last = ends_at[agent]
            when = slice(max(0, i * rollout.steps - rollout.tail), (i + 1) * rollout.steps)
            marked = batch.clone()
            marked[agent, "log_prob"] = stamp[when]  # says which act a row is
            got = own_turns(marked, last, env, agent, rollout.steps)
            order = got["log_prob"].long()
            for t in range(len(order)):
                for lane in range(order.shape[1]):
                    if not got["live"][t, lane]:
                        continue
                    number = int(order[t, lane])
                    key = (
                        number // len(seats) // env.slots,
                        number // len(seats) % env.slots,
                        number % len(seats),
                    )
                    assert key not in counted, "an act counts twice"
                    row = {name: x[t, lane].tolist() for name, x in got.items()}
                    counted[key] = row
                    turn, game = turns[key]
                    assert row["action"] == turn.action
                    assert {name: row[name] for name in turn.observation} == turn.observation
                    assert row["reward"] == [turn.reward] and row["ended"] == [turn.ended]
                    after = turn.time + seats[turn.place]
                    values, at = (batch[agent, "state_value"], after - when.start)
                    value = values[at] if at < len(values) else last
                    assert row["next_value"] == value[game.slot, turn.place].tolist()
        ends = {m: steps - (m - 1) for m in set(seats)}
        wanted = {key for key in turns if key[0] < ends[seats[key[2]]] and (key[0] > 0 or seats[key[2]] == 1)}
        assert set(counted) == wanted, "an act is lost"
        # and a game's return is its pay, once
        for game in games:
            for place in range(len(seats)):
                own = [(t.time, game.slot, place) for t in game.of(agent, place)]
                if own and game.decision is not None and set(own) <= wanted:
                    total = sum(counted[key]["reward"][0] for key in own)
                    assert total == game.of(agent, place)[-1].reward
                    assert sum(counted[key]["ended"][0] for key in own) == 1


def test_steps_are_rounded_up_to_whole_rounds():
    env = build("toy", "uneven")
    assert Rollout(env, cast(env), 7).steps == 12  # tracks of one, two and three seats
    assert Rollout(env, cast(env), 1).steps == 6
    env = build("toy", "court")
    assert Rollout(env, cast(env), 1).steps == 6  # an act is paid when its game comes back


@everywhere
def test_a_saved_rollout_goes_on_to_the_same_frames(protocol):
    torch.manual_seed(0)
    env = build("toy", protocol)
    agents = cast(env)
    rollout = Rollout(env, agents, 6)
    rollout.collect()
    saved = rollout.state_dict()
    other = Rollout(build("toy", protocol), agents, 6)
    other.load_state_dict(saved)
    for _ in range(2):
        torch.manual_seed(3)
        one = rollout.collect()
        torch.manual_seed(3)
        assert (one == other.collect()).all()
