"""No graph of a file is in both halves of an environment; and a file must have the nodes that rounds take."""

import time
import warnings

import numpy as np
import pytest
import torch
from networkx.generators.atlas import graph_atlas_g

from pvg.envs.graph_invariants import canonical_keys
from pvg.envs.graph_isomorphism import GraphIsomorphism
from pvg.envs.graphs import generate_pairs, generate_split, write_pairs
from pvg.envs.protocols import adp, nip
from pvg.errors import UserError
from tests.envs.pairs import isomorphic, keys_of, padded

KIND = dict(nodes=(7, 8), scores={1: 0.5, 2: 0.5})


def halves(env):
    return env.instances[: env.train_size], env.instances[env.train_size :]


@pytest.fixture
def file(tmp_path):
    """Writes a table to a file, by name."""

    def write(name, table):
        write_pairs(tmp_path / name, table)
        return str(tmp_path / name)

    return write


def test_a_file_of_training_pairs_is_held_out_of_the_training_pairs(file):
    drawn = generate_split(300, 0, **KIND)[0]
    with pytest.warns(UserWarning, match="of 300 training pairs .* others take their place") as said:
        env = GraphIsomorphism(nip(2), train=300, pairs=file("seen.tsv", drawn[:40]), **KIND)
    train, test = halves(env)
    assert len(train) == 300 and len(test) == 40
    assert keys_of(test) == keys_of(drawn[:40]) and not keys_of(train) & keys_of(test)
    shared = np.isin(canonical_keys(drawn["adjacency"], drawn["size"]), list(keys_of(test))).any(1).sum()
    assert str(said[0].message).startswith(f"{shared} of 300") and shared >= 40
    assert [isomorphic(row) for row in train[-60:]] == train["label"][-60:].tolist()
    assert abs(train["label"].sum() - 150) < 30


def test_a_file_that_shares_no_graph_changes_nothing(file):
    drawn, other = generate_split(200, 50, **KIND)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = GraphIsomorphism(nip(2), train=200, pairs=file("new.tsv", other), **KIND)
        alone = GraphIsomorphism(nip(2), train=1, train_pairs=file("train.tsv", drawn))
    alike = generate_split(200, 0, **KIND)[0]
    assert torch.equal(halves(env)[0]["adjacency"], alike["adjacency"]) and env.test_size == 50
    assert alone.train_size == 200 and alone.test_size == 0


def test_pairs_of_a_training_file_are_left_out_and_counted(file):
    drawn = generate_pairs(60, **KIND)
    moved = drawn[
        :10
    ].clone()  # the two graphs change places, and the first seven nodes (padding is last) theirs
    order = torch.tensor([4, 2, 6, 0, 1, 5, 3, 7])
    moved["adjacency"] = moved["adjacency"].flip(1)[..., order, :][..., order]
    paths = dict(train_pairs=file("train.tsv", drawn), pairs=file("test.tsv", moved))
    with pytest.warns(
        UserWarning, match=r"of 60 training pairs .*: they are left out, and (\d+) pairs are left"
    ):
        train, test = halves(GraphIsomorphism(adp(), **paths))
    assert 0 < len(train) <= 50 and len(test) == 10 and not keys_of(train) & keys_of(test)
    rest = [k for k, row in enumerate(drawn) if not keys_of(row[None]) & keys_of(test)]
    assert keys_of(train) == keys_of(drawn[rest]) and len(rest) == len(train)


def test_a_file_that_leaves_nothing_to_train_on_is_an_error(file):
    path = file("all.tsv", generate_pairs(20, **KIND))
    with pytest.raises(UserError, match=r"nothing is left to train on.*env\.train_pairs") as error:
        GraphIsomorphism(adp(), train_pairs=path, pairs=path)
    assert "\n" not in str(error.value) and path in str(error.value)
    regular = dict(nodes=(8, 8), scores={3: 1}, regular=1, degree=3)
    every = generate_pairs(300, **regular)
    assert len(keys_of(every)) == 6, "all there are"
    with pytest.raises(UserError, match="nothing is left to train on"):
        GraphIsomorphism(adp(), train=20, pairs=file("six.tsv", every), **regular)


def test_some_kinds_may_run_out(file):
    atlas = [g for g in graph_atlas_g() if len(g) == 5]
    adjacency, size = padded(atlas, 5)
    pair = {"adjacency": torch.from_numpy(adjacency[:, None].repeat(2, 1)), "size": torch.from_numpy(size)}
    table = generate_pairs(len(atlas), nodes=8, scores={1: 1}).select("label")
    table["label"], table["adjacency"] = torch.ones(len(atlas), dtype=torch.bool), pair["adjacency"]
    table["size"] = pair["size"][:, None].repeat(1, 2)
    with pytest.warns(UserWarning, match=r"([\d,]+) of 100 .*, and \d+ pairs are left") as said:
        env = GraphIsomorphism(
            adp(), train=100, pairs=file("five.tsv", table), nodes=(5, 6), density=(0.3, 0.7), scores={1: 1}
        )
    train, _ = halves(env)
    assert (train["size"] == 6).all() and f"{len(train)} pairs are left" in str(said[0].message)


def test_a_file_of_thousands_costs_little(file):
    table = generate_pairs(3000, seed=1)
    path = file("many.tsv", table)
    start = time.process_time()
    drawn = generate_split(4000, 0)[0]
    alone = time.process_time() - start
    with pytest.warns(UserWarning):
        GraphIsomorphism(adp(), train=4000, pairs=path)
    assert len(drawn) == 4000 and time.process_time() - start < 4 * alone + 2


@pytest.mark.parametrize("key", ["pairs", "train_pairs"])
def test_more_rounds_than_nodes_of_a_file_is_an_error_that_names_the_line(tmp_path, key):
    path = tmp_path / "small.tsv"
    path.write_text("1\tC~\tC~\n\n0\tC~\tA_\n1\tA_\tA_\n")
    options = {"train": 20, **KIND, key: str(path)}
    with pytest.raises(UserError, match=rf"rounds=3: .*{path}, line 3 has a graph of 2 nodes") as error:
        GraphIsomorphism(nip(3), **options)
    assert "\n" not in str(error.value) and "at most 2 rounds" in str(error.value)
    for protocol, asked in ((nip(2), {}), (nip(3), {"questions": "none"})):
        env = GraphIsomorphism(protocol, **options, **asked)
        assert env.instances["size"].min() == 2


def test_more_rounds_than_nodes_of_generated_graphs_is_an_error():
    with pytest.raises(UserError, match=r"rounds=9: .* the smallest graph has 7 nodes"):
        GraphIsomorphism(nip(9), train=20, test=10, **KIND)
