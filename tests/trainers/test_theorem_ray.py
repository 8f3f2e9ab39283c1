"""Roles as Ray actors: any of them may die, weights arrive, what waits too long is dropped and said."""

import time
from collections import Counter, deque
from functools import partial
from types import SimpleNamespace

import pytest
import ray
import torch

from pvg.agents.theorem_players import ForwardProver
from pvg.agents.theorems import Scorer
from pvg.errors import UserError
from pvg.formal.prop import PATH
from pvg.trainers import theorem_rewards
from pvg.trainers.adversarial import Adversarial
from pvg.trainers.theorem_learning import Imitation
from pvg.trainers.theorem_pool import Worker, WorkerPool
from pvg.trainers.theorem_ray import RayRoles, split
from pvg.trainers.theorem_roles import Experience, GeneratorBatch, ProverBatch, Recipe
from pvg.trainers.theorem_sequential import Sequential
from pvg.trainers.theorem_setups import SETUPS

ENV = {"_target_": "pvg.envs.theory.Theory", "until": "prefix-r", "longest": 16, "moves": 4}
SCORER = {"_target_": "pvg.agents.theorems.Scorer", "_partial_": True, "width": 16, "hidden": 16}
PLAYER = {"_target_": "pvg.agents.theorem_players.ForwardProver", "_partial_": True, "slots": 16}
UPDATES = 2


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    file = tmp_path_factory.mktemp("recipe") / "small.mm"
    file.write_text(PATH.read_text())
    env = ENV | {"database": str(file), "test": 3}
    return Recipe(env, {"generator": SCORER, "prover": SCORER, "player": PLAYER}, seed=0)


@pytest.fixture(scope="module")
def theory(recipe):
    return recipe.theory()


def new_game(recipe, theory, **changes):
    given = {"iterations": 9, "warm": 2, "games": 6, "attempts": 2, "every": 0} | changes
    imitation = Imitation(updates=UPDATES, batch=16)
    return Adversarial(recipe, theory, reward=theorem_rewards.novel, imitation=imitation, **given)


def weights(scorer):
    return torch.cat([p.detach().flatten() for p in scorer.parameters()])


DOOMED = {3: "generator_actor", 4: "prover_actor", 5: "prover_trainer", 6: "generator_trainer"}


@pytest.fixture(scope="module")
def played(recipe, theory):
    """A game on Ray that has been played to its end, while a worker of each role was killed; to start takes long."""
    game = new_game(recipe, theory, num_prover_trainers=2, world_size=5, deadline=600.0)
    game.engine = RayRoles(game, most_restarts=4)
    rows, begun = [], {name: weights(scorer).clone() for name, scorer in game.scorers.items()}

    def report(iteration, metrics):
        rows.append(metrics)
        if iteration in DOOMED:
            worker = next(w for w in game.engine.workers if w.role == DOOMED[iteration])
            ray.kill(worker.actor)

    game.train(report)
    yield game, rows, begun
    game.engine.close()


def test_a_worker_of_each_role_dies_and_nothing_learned_is_lost(played):
    game, rows, begun = played
    assert game.iteration == 9 and len(rows) == 9
    assert {role: game.counts[f"restarts/{role}"] for role in DOOMED.values()} == dict.fromkeys(
        DOOMED.values(), 1
    )
    assert rows[-1]["restarts"] == 4
    for name, state in game.engine.state_dict().items():
        if name.startswith("prover"):  # each iteration was learned from, once
            assert int(state["optimiser"]["state"][0]["step"]) == 9 * UPDATES
    game.engine.weights()
    assert not any(torch.equal(weights(scorer), begun[name]) for name, scorer in game.scorers.items())
    assert all(row["staleness/generator"] <= game.staleness for row in rows[2:])
    assert any(row["staleness/prover"] > 0 or row["staleness/generator"] > 0 for row in rows[2:])


def test_several_trainers_agree_on_the_mean_also_when_a_run_goes_on(played):
    game, _, _ = played
    state = game.engine.state_dict()
    one, other = (state[f"prover_trainer/{k}"]["scorer"] for k in (0, 1))
    for _ in range(2):
        game.engine.weights()
        shown = game.scorers["prover"].state_dict()
        assert all(torch.allclose((one[k] + other[k]) / 2, v, atol=1e-6) for k, v in shown.items())
        game.engine.load_state_dict(state)
    assert any(not torch.equal(one[k], other[k]) for k in one)
    with pytest.raises(UserError, match="with the engine and the numbers of trainers"):
        game.engine.load_state_dict({"prover_trainer/0": {}})


def test_who_is_waited_for_is_said_and_too_many_deaths_end_a_run(played):
    game, _, _ = played
    game.iterations += 5
    game.engine.generated.clear()
    game.engine.attempted.clear()
    game.deadline = 0.001
    with pytest.raises(UserError, match=r"No experience has come.*generator actor 0.*prover actor 0"):
        game.train()
    game.deadline = 600.0
    ray.kill(next(w for w in game.engine.workers if w.role == "prover_trainer").actor)
    with pytest.raises(UserError, match="5 workers have died"):
        game.train()


def test_a_full_queue_drops_the_oldest_and_what_is_stale_is_dropped(recipe, theory):
    game = new_game(recipe, theory, queue=2, staleness=3, warm=0)
    engine = RayRoles.__new__(RayRoles)  # without workers
    engine.game, engine.workers, engine.counts = game, [], Counter()
    engine.generated, engine.attempted, engine.latest = deque(), deque(), {"generator": (None, 9)}
    experiences = [Experience(1, theorems=[None], versions={"generator": k}) for k in range(3)]
    for experience in experiences:
        engine._receive("generator_actor", experience)
    assert list(engine.generated) == experiences[1:] and engine.counts["dropped/generator_actor"] == 1
    engine.attempted.extend(Experience(1, versions={"generator": k}) for k in (4, 5, 6))
    assert engine._next_experience().versions == {"generator": 6} and engine.counts["dropped/stale"] == 2


def without_workers(game):
    engine = RayRoles.__new__(RayRoles)
    worker = Worker("prover_trainer", 0)
    engine.game, engine.workers, engine.trainers, engine.counts = game, [worker], [worker], Counter()
    engine.generated, engine.attempted, engine.latest = deque(), deque(), {}
    return engine, worker


def test_a_trainer_that_never_ends_a_batch_ends_the_run(recipe, theory):
    engine, _ = without_workers(new_game(recipe, theory, deadline=0.05))
    engine._train = lambda worker: setattr(worker, "call", "under way")
    engine._wait = lambda timeout: time.sleep(timeout)
    with pytest.raises(UserError, match=r"at a batch for .*deadline=0.05.*prover trainer 0"):
        engine.iterate(engine.game)


def test_deaths_are_counted_in_this_process_alone():
    pool = WorkerPool.__new__(WorkerPool)
    pool.most_restarts, pool.deaths, pool.ray = 1, 0, SimpleNamespace(kill=lambda actor: None)
    started, loaded, worker = [], [], Worker("prover_trainer", 0)
    pool._start = started.append
    worker.actor = SimpleNamespace(load=SimpleNamespace(remote=loaded.append))
    worker.state = "behind the last call"
    pool.restart(worker, RuntimeError("gone"))
    assert started == [worker] and loaded == ["behind the last call"]
    with pytest.raises(UserError, match="2 workers have died"):
        pool.restart(worker, RuntimeError("gone"))


def test_batches_are_dealt_out_without_loss():
    whole = GeneratorBatch(plays=[("a",), ("b",), ("c",)], rewards=torch.arange(3.0))
    shares = split(whole, 2)
    assert sorted(p for share in shares for p in share.plays) == list(whole.plays)
    assert sorted(torch.cat([share.rewards for share in shares]).tolist()) == [0.0, 1.0, 2.0]
    alone = split(whole._replace(plays=whole.plays[:1], rewards=whole.rewards[:1]), 2)
    assert [len(share.plays) for share in alone] == [1, 0] and not any(share.database for share in alone)
    assert all(share.database for share in split(GeneratorBatch(database=True), 2))
    proofs = split(ProverBatch(theorems=[1, 2, 3], found=[4, 5]), 2)
    assert sorted(t for share in proofs for t in share.theorems) == [1, 2, 3]
    assert sorted(t for share in proofs for t in share.found) == [4, 5]


@pytest.mark.parametrize("wrong", [{"world_size": 5}, {"num_prover_actors": 0}, {"deadline": 0.0}])
def test_numbers_that_make_no_sense(recipe, theory, wrong):
    with pytest.raises(UserError, match=f"trainer.{next(iter(wrong))}"):
        Adversarial(recipe, theory, reward=theorem_rewards.novel, **wrong)


def test_roles_of_a_setup():
    def roles(setup, warm=0):
        game = Adversarial.__new__(Adversarial)
        game.routes, game.warm, game.warm_generator = SETUPS[setup], warm, 0
        game.workers = dict.fromkeys(
            ("generator_actor", "generator_trainer", "prover_actor", "prover_trainer"), 1
        )
        return game.roles()

    assert roles("prover_only") == ["prover_trainer"] and roles("none") == []
    assert roles("generator_only") == ["generator_actor", "generator_trainer"]
    assert roles("fixed_generator") == ["generator_actor", "prover_actor", "prover_trainer"]
    assert roles("adversarial") == ["generator_actor", "generator_trainer", "prover_actor", "prover_trainer"]


def test_an_actor_s_experience_depends_on_its_seed_alone(recipe, theory):
    """It means the same to trainers whose theory was made anew, as a worker's is."""
    game = Adversarial(recipe, theory, reward=partial(theorem_rewards.novel), games=4, warm=0, attempts=1)
    game.engine = Sequential(game)
    torch.manual_seed(3)
    experience = game.engine.roles["generator_actor"].work(game.request(0))
    other = recipe.theory()
    scorers = {name: recipe.scorer(name, other) for name in ("generator", "prover")}
    assert isinstance(scorers["prover"], Scorer)
    actor = game.factory.make("generator_actor", other, scorers.__getitem__)
    torch.manual_seed(3)
    again = actor.work(game.request(0))
    assert [t.key for t in again.theorems] == [t.key for t in experience.theorems] and experience.theorems
    assert isinstance(recipe.prover(other, scorers["prover"]), ForwardProver)
