"""The exchange against a plain-Python referee, and what it must hide, save and never waste."""

import itertools

import pytest
import torch
from scipy.stats import chisquare
from tensordict import TensorDict
from torchrl.envs.utils import check_env_specs

from pvg.agents.agent import Agent
from pvg.envs.payoffs import CONTINUE, RIGHT, Payoff
from pvg.envs.protocols import Protocol, Voice, nip, solo
from pvg.envs.rules import BLANK, mix
from pvg.errors import UserError
from pvg.trainers.collect import Rollout
from tests.envs.replay import plain_mix, replay
from tests.envs.scenarios import PROTOCOLS, SCENARIOS, build, cast, court, debate, mnip

STEPS = 50
everywhere = pytest.mark.parametrize("protocol", PROTOCOLS)


def stream(env, steps=STEPS, seed=0):
    """Steps with uniformly drawn acts, time first; the acts know nothing of what is allowed when."""
    torch.manual_seed(seed)
    return env.rollout(steps, break_when_any_done=False).transpose(0, 1)


def rows(td):
    return {key: value.tolist() for key, value in td.items()}


@everywhere
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_specs(scenario, protocol):
    check_env_specs(build(scenario, protocol))


@everywhere
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_stream_is_that_of_games_played_one_by_one(scenario, protocol):
    env = build(scenario, protocol, seed=11)
    frames = stream(env)
    games = replay(env, frames)
    expected = {}
    for game in games:
        seats = len(env.protocol.tracks[game.track])
        for turn in game.turns:
            expected[turn.agent, turn.time, game.slot, turn.place] = (turn, turn.time + seats - 1)
    decided = [g.decision for g in games if g.decision is not None]
    assert len(decided) > 20 and {0, 1} <= set(decided)

    paid = {}
    for agent in env.protocol.agents:
        seen = rows(frames[agent, "observation"])
        live = 0
        for time, slot, place in itertools.product(
            range(STEPS), range(env.slots), range(len(env.protocol.places(agent)))
        ):
            if not seen["live"][time][slot][place]:
                assert (agent, time, slot, place) not in expected
                continue
            live += 1
            turn, when = expected[agent, time, slot, place]
            assert {k: v[time][slot][place] for k, v in seen.items()} == turn.observation
            if turn.ended:
                paid[agent, when, slot, place] = turn.reward
        assert live == sum(key[0] == agent for key in expected)
        reward, ended = (frames["next", agent, key].squeeze(-1).tolist() for key in ("reward", "ended"))
        for time, slot, place in itertools.product(
            range(STEPS), range(env.slots), range(len(env.protocol.places(agent)))
        ):
            due = paid.get((agent, time, slot, place))
            assert ended[time][slot][place] == (due is not None), (agent, time, slot, place)
            assert reward[time][slot][place] == (due or 0.0), (agent, time, slot, place)


@everywhere
def test_a_step_depends_on_its_tensordict_alone(protocol):
    env = build("toy", protocol, seed=5)
    td = env.rand_action(env.rollout(7, break_when_any_done=False)[:, -1]["next"].clone())
    before = td.clone()
    first = env.step(td.clone())
    env.rollout(3, break_when_any_done=False)
    for again in (env.step(td.clone()), build("toy", protocol, seed=5).step(td.clone())):
        assert (again == first).all()
    assert (td == before).all(), "a step must leave what it is given as it was"


def useful(frames, env):
    live = [frames[a, "observation", "live"].flatten(1) for a in env.protocol.agents]
    return torch.cat(live, 1).float().mean(1)


@everywhere
def test_the_share_of_useful_passes(protocol):
    env = build("toy", protocol)
    share = useful(stream(env), env)
    seats = [len(track) for track in env.protocol.tracks]
    places = [p for p in env.protocol.places() if p.voice.decides]
    # nothing is lost where only the last seats decide, once games have come around to them
    if all(p.seat == seats[p.track] - 1 for p in places):
        assert (share[max(seats) - 1 :] == 1).all()
    if max(seats) > 1:
        assert share[0] < 1


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_with_the_verifier_first_one_turn_in_2k_plus_2_is_lost(rounds):
    env = build("toy", nip(rounds, first="verifier", first_decision=rounds))
    period = 2 * rounds + 2
    torch.manual_seed(0)
    share = useful(Rollout(env, cast(env), 3 * period).collect(), env)
    for start in range(2, period):
        assert share[start : start + period].mean().item() == pytest.approx(1 - 1 / period, abs=1e-6)


def test_an_early_end_with_the_verifier_first_loses_one_turn_too():
    env = build("toy", nip(3, first="verifier"))
    games = replay(env, stream(env))
    over = [g for g in games if g.decision is not None and g.turns[-1].time < STEPS - 1]
    assert {len(g.turns) for g in over} == {
        1,
        3,
        5,
        7,
    }  # decided before the first answer, ..., after the last
    env_live = useful(stream(env), env)
    lost = sum(g.wasted for g in games) + env.slots  # and the seat that the first step can't use
    assert (1 - env_live).sum().item() * 2 * env.slots == pytest.approx(lost)


# ---------------------------------------------------------------------- secrets
@pytest.mark.parametrize("scenario", ["toy", "graphs", "prime"])
def test_coins_are_hidden_before_their_round(scenario):
    env = build(scenario, "nip")
    frames = stream(env)
    for agent in env.protocol.agents:
        seen = frames[agent, "observation"]
        now = seen["round"].unsqueeze(-1) >= torch.arange(env.protocol.rounds)
        assert (seen["coins"][~now] == BLANK).all() and (seen["coins"][now] != BLANK).all()
        assert now.any() and (~now).any()


def overhears(env, speaker, listener):
    """Whether anything that ``listener`` sees changes when only what ``speaker`` says does."""
    first, other = env.reset(), env.reset()
    torch.manual_seed(0)
    for _ in range(6 * env.protocol.rounds):
        first, other = env.rand_action(first), env.rand_action(other)
        for agent in env.protocol.agents:
            acts = first[agent, "action"].clone()
            if agent in env.protocol.deciders:
                acts[..., -1] = CONTINUE
            first[agent, "action"] = acts.clone()
            if agent == speaker:
                length, vocabulary = env.message(env.protocol.places(agent)[0].voice.speaks)
                acts[..., :length] = (acts[..., :length] + 1) % vocabulary
            other[agent, "action"] = acts
        first, other = env.step(first)["next"], env.step(other)["next"]
        a, b = first[listener, "observation"], other[listener, "observation"]
        if not (a == b).all():
            return True
        if any((env.view(listener, a[:, 0])[k] != v).any() for k, v in env.view(listener, b[:, 0]).items()):
            return True
    return False


@pytest.mark.parametrize(
    "protocol", [court(), mnip(2), debate(2), nip(2)], ids=["court", "mnip", "debate", "nip"]
)
def test_who_does_not_hear_a_channel_never_sees_it(protocol):
    env = build("toy", protocol)
    for speaker, listener in itertools.product(protocol.agents, protocol.agents):
        hears = protocol.places(speaker)[0].voice.speaks in protocol.places(listener)[0].voice.hears
        assert overhears(env, speaker, listener) == hears, (speaker, listener)


@everywhere
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_decider_sees_the_label(scenario, protocol):
    env, other = build(scenario, protocol), build(scenario, protocol)
    other.instances["label"] = ~env.instances["label"]
    frames = stream(env, 8)
    for agent in env.protocol.agents:
        observation = frames[agent, "observation"][:, :, 0].flatten()
        seen, lied = (e.view(agent, observation) for e in (env, other))
        same = all(torch.equal(seen[k], lied[k]) for k in seen)
        assert same == (agent in env.protocol.deciders)
    honest, swapped = env.reset(), other.reset()  # and the labels change nothing before a game is over
    for agent in env.protocol.agents:
        assert (honest[agent] == swapped[agent]).all()


def test_a_prover_that_knows_nothing_sees_what_the_verifier_sees():
    env = build("graphs", "nip", prover_knows="nothing")
    observation = stream(env, 6)["prover", "observation"][:, :, 0].flatten()
    for k, v in env.view("verifier", observation).items():
        assert torch.equal(v, env.view("prover", observation)[k])


# ---------------------------------------------------------------------- memory
@pytest.mark.parametrize("rounds", [1, 3, 8])
@pytest.mark.parametrize("questions", ["drawn", "learned", "none"])
def test_a_frame_of_graph_isomorphism_is_at_most_400_bytes(rounds, questions):
    first = "verifier" if questions == "learned" else "prover"
    env = build("graphs", nip(rounds, first=first), questions=questions, nodes=(8, 9))
    rollout = Rollout(env, cast(env, "graphs"), 8)
    for _ in range(2):
        batch = rollout.collect()
        size = sum(v.numel() * v.element_size() for v in batch.values(True, True))
        stored = sum(v.untyped_storage().nbytes() for v in batch.values(True, True))
        assert size / batch.numel() <= 400 and stored / batch.numel() <= 400
    assert sum(v.is_floating_point() for v in batch.values(True, True)) == 3 * len(env.protocol.agents)


def tensors_in(thing, seen):
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, torch.Tensor):
        yield thing.untyped_storage()
    elif isinstance(thing, TensorDict | dict):
        for value in thing.values():
            yield from tensors_in(value, seen)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from tensors_in(value, seen)


def test_there_is_one_table_of_instances():
    env = build("graphs", "nip", train=600, test=200, slots=2)
    env.rollout(4)  # fills what is cached
    held = {s.data_ptr(): s.nbytes() for s in tensors_in(env.__dict__, set())}
    table = sum(v.untyped_storage().nbytes() for v in env.instances.values())
    assert sum(held.values()) < 1.3 * table
    assert len(env.instances) == 800
    small = build("graphs", "nip", slots=2)
    states = [e.rollout(3).bytes() for e in (env, small)]
    assert states[0] == states[1], "what is stored must not grow with the table"


# ---------------------------------------------------------------------- chance
def test_mix_is_splitmix64():
    x = torch.tensor([0, 1, 2, 12345, 2**40 + 7, 2**62 - 1])
    for seed in (0, 1, 6, 7, 42, 2**31, 2**63 + 11):
        assert mix(x, seed).tolist() == [plain_mix(v, seed) for v in x.tolist()]


def first_rounds(env, steps):
    """Instances and coins of fresh games, in the order in which they began."""
    frames = stream(env, steps)
    seen = frames["prover", "observation"]
    fresh = (seen["round"] == 0) & seen["live"]
    return seen["index"][fresh], seen["coins"][fresh]


def test_instances_and_coins_are_drawn_uniformly():
    env = build("toy", "adp", slots=500, seed=3)
    index, coins = first_rounds(env, 80)
    assert len(index) == 40_000 and index.max() < env.train_size
    for counts in (
        torch.bincount(index, minlength=env.train_size),
        torch.bincount(coins.flatten(1)[:, 0].long(), minlength=10),
        torch.bincount(index[:-1].long() * 40 + index[1:], minlength=1600),  # neighbours
        torch.bincount(index.long() * 10 + coins[:, 0, 1], minlength=400),  # an instance and its coins
    ):
        assert 1e-4 < chisquare(counts).pvalue < 1 - 1e-4


def test_questions_are_drawn_uniformly_and_never_twice():
    env = build("graphs", nip(2), slots=200, seed=4)
    games = env.new_games(env.draw(torch.arange(30_000)), torch.arange(30_000))
    asked, index = games["coins"][..., 0].long(), games["index"].long()
    size = env.instances["size"][index, 0].long()
    assert (asked[:, 0] != asked[:, 1]).all() and (asked < size.unsqueeze(1)).all()
    for n in (7, 8):
        pair = asked[size == n]
        counts = torch.bincount(pair[:, 0] * n + pair[:, 1], minlength=n * n).view(n, n)
        counts = counts[~torch.eye(n, dtype=torch.bool)]
        assert 1e-4 < chisquare(counts).pvalue < 1 - 1e-4


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_seed_decides_everything(scenario):
    one, again, other = (stream(build(scenario, "nip", seed=s, slots=30)) for s in (8, 8, 9))
    assert (one == again).all()
    for key in (("prover", "observation", "index"), ("prover", "observation", "coins")):
        assert one[key].numel() == 0 or (one[key] != other[key]).float().mean() > 0.3


# ---------------------------------------------------------------------- the round limit, payoffs, bad input
def test_who_goes_on_at_the_round_limit_is_undecided():
    env = build("toy", nip(2), payoffs={"default": Payoff(undecided=-7.0)})
    td = env.reset()
    for _ in range(5):
        td = env.rand_action(td)
        td["verifier", "action"][..., -1] = CONTINUE
        td = env.step(td)["next"]
    assert (td["verifier", "reward"] == -7).all() and td["verifier", "ended"].all()


def test_by_default_provers_are_paid_for_acceptance_and_verifiers_for_the_truth():
    env = build("toy", "adp", payoffs=None)
    index = torch.arange(2)  # a true claim and a false one
    accept, reject = env.payoff(0, index, torch.tensor([1, 1])), env.payoff(0, index, torch.tensor([0, 0]))
    assert accept.tolist() == [[1, 1], [1, -1]] and reject.tolist() == [[0, -1], [0, 1]]


@pytest.mark.parametrize(
    "options, named",
    [
        (dict(slots=0), "env.slots=0"),
        (dict(train=0), "no instance"),
        (dict(payoffs={"ghost": Payoff()}), "ghost"),
    ],
)
def test_a_wrong_environment_is_refused_in_one_paragraph(options, named):
    with pytest.raises(UserError, match=named) as error:
        build("toy", "nip", **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_agent_that_hears_different_lengths_in_its_places_is_refused(scenario):
    judge = Voice("judge", "j", ("p", "q"), decides=True)
    other = Voice("judge", "j", ("p", "j"), decides=True)  # j is silent, or shorter than q
    p, q = Voice("p", "p", ("p",)), Voice("q", "q", ("q",))
    with pytest.raises(UserError, match="agent 'judge' hears messages of different") as error:
        build(scenario, Protocol((((p,), (q,), (judge,)), ((p,), (other,))), 2))
    assert "\n" not in str(error.value)
    build(scenario, Protocol((((p,), (q,), (judge,)), ((p,), (judge,))), 2)).rollout(3)
    silent = Voice("p", "j", ("p",))  # on the judge's channel
    with pytest.raises(UserError, match=r"agent 'p' (says messages of different|must hear the channel)"):
        build(scenario, Protocol((((p,), (q,), (judge,)), ((silent,), (judge,))), 2))


def test_one_slot_and_one_instance_are_enough():
    env = build("toy", "court", slots=1, train=1, test=0)
    check_env_specs(env)
    agents = {name: Agent(env, name, SCENARIOS["toy"][1]) for name in env.protocol.agents}
    assert Rollout(env, agents, 12).collect().shape == (12, 1)


def test_solo_has_no_one_else():
    env = build("graphs", solo())
    frames = stream(env, 4)
    assert useful(frames, env).min() == 1 and frames["next", "verifier", "ended"].all()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_variant_is_an_environment_of_its_own_on_the_same_tables(scenario):
    env = build(scenario, "nip")
    before, payoffs, start = str(env.specs), dict(env.payoffs), env.reset()
    other = env.variant(slots=3, seed=env.seed + 1, payoffs={"default": RIGHT})
    check_env_specs(other)
    assert other.reset().shape == (3,) and other.instances is env.instances
    assert str(env.specs) == before and env.payoffs == payoffs and (env.reset() == start).all()
    assert (env.variant().reset() == start).all()
    index = env.reset()["games", "track0_seat0", "index"][:3]
    assert env.variant(slots=3).reset()["games", "track0_seat0", "index"].tolist() == index.tolist()
