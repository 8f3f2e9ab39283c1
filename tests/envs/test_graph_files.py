"""graph6 against networkx, and files of pairs: what is read is what was written, and errors name the line."""

import networkx as nx
import numpy as np
import pytest
import torch

from pvg.envs import graph6
from pvg.envs.graph_invariants import relabel
from pvg.envs.graphs import generate_pairs, read_pairs, write_pairs
from pvg.errors import UserError
from tests.envs.pairs import to_networkx


@pytest.mark.parametrize("n", [1, 2, 3, 7, 11, 20, 62, 63, 100, 255])
def test_graph6_is_networkx_graph6(n):
    rng = np.random.default_rng(n)
    graphs = np.triu(rng.random((12, n, n)) < rng.random((12, 1, 1)), 1)
    graphs |= graphs.transpose(0, 2, 1)
    codes = graph6.encode(np.pad(graphs, ((0, 0), (0, 3), (0, 3))), np.full(12, n))
    assert codes == [nx.to_graph6_bytes(to_networkx(g, n), header=False).strip() for g in graphs]
    read, size = graph6.decode(codes)
    assert (read == graphs).all() and (size == n).all()


def test_graph6_of_many_sizes():
    table = generate_pairs(200, seed=0)
    graphs, size = table["adjacency"].flatten(0, 1).numpy(), table["size"].flatten().numpy()
    read, sizes = graph6.decode(graph6.encode(graphs, size))
    assert (read == graphs).all() and (sizes == size).all()
    long = (
        b"~??D" + graph6.encode(graphs[:1, :5, :5], np.array([5]))[0][1:]
    )  # a small size, written the long way
    read, sizes = graph6.decode([long, b"@", b"C~"])
    assert (
        sizes.tolist() == [5, 1, 4] and (read[0] == graphs[0, :5, :5]).all() and read[2, :4, :4].sum() == 12
    )
    assert graph6.decode([])[0].shape[0] == 0


def test_pairs_survive_a_file(tmp_path):
    table = generate_pairs(2000, seed=3)
    write_pairs(tmp_path / "pairs.tsv", table)
    read = read_pairs(tmp_path / "pairs.tsv")
    for column in ("adjacency", "size", "label", "wl"):
        assert torch.equal(read[column], table[column]) and read[column].dtype == table[column].dtype
    label, witness = table["label"].numpy(), read["witness"].numpy().astype(int)
    assert read["witness"].dtype == torch.uint8
    mapped = relabel(table["adjacency"][:, 1].numpy(), witness)
    assert (mapped[label] == table["adjacency"][:, 0].numpy()[label]).all()
    assert (witness[~label] == np.arange(11)).all()
    assert [p.name for p in tmp_path.iterdir()] == ["pairs.tsv"]
    first = (tmp_path / "pairs.tsv").read_text().splitlines()[0].split("\t")
    assert first[0] == str(int(label[0])) and nx.from_graph6_bytes(first[1].encode()).number_of_edges() > 0


def test_pairs_of_a_file_may_differ_in_size(tmp_path):
    path = tmp_path / "pairs.tsv"
    c6, triangles, c5 = (
        nx.to_graph6_bytes(g, header=False).decode().strip()
        for g in (
            nx.cycle_graph(6),
            nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3)),
            nx.cycle_graph(5),
        )
    )
    path.write_bytes(f"0\t{c6}\t{triangles}\r\n\r\n0\t{c6}\t{c5}\r\n1\t{c5}\t{c5}".encode())
    table = read_pairs(path)
    assert table["size"].tolist() == [[6, 6], [6, 5], [5, 5]] and table["wl"].tolist() == [0, 1, 0]
    assert table["adjacency"].shape == (3, 2, 6, 6) and table["witness"][2, 5] == 5
    # five nodes and a sixth without edges are not the same graph
    lone = (
        nx.to_graph6_bytes(nx.disjoint_union(nx.cycle_graph(5), nx.empty_graph(1)), header=False)
        .decode()
        .strip()
    )
    path.write_text(f"0\t{lone}\t{c5}\n")
    assert read_pairs(path)["wl"].tolist() == [1]


GOOD = "1\tC~\tC~\n"


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "no pairs"),
        ("\n \n", "no pairs"),
        (GOOD + "2\tC~\tC~\n", "line 2: '2\tC~\tC~' is not"),
        (GOOD + "\n" + GOOD + "1 C~ C~\n", "line 4"),
        (GOOD + "1\tC~\n", "line 2"),
        (GOOD + "1\tC~\tC~\tC~\n", "line 2"),
        (GOOD + "1\tC~\t\n", "line 2"),
        (GOOD + "1\tC~\tC~~\n", "line 2: the graph 'C~~' is 3 long, where 4 nodes take 2"),
        (GOOD + "1\tJ?\tC~\n", "line 2: the graph 'J?' is 2 long, where 11 nodes take 11"),
        (GOOD + "1\t~\tC~\n", "line 2"),
        (GOOD + "1\t~?\tC~\n", "line 2"),
        (GOOD + "1\tC~\t:Cdv\n", "line 2: the graph ':Cdv' has a character"),
        (GOOD + "1\tC~\tC\x80\n", "line 2"),
        (GOOD + "1\tB~\tBw\n", "line 2: the graph 'B~' has bits set behind"),
        (GOOD + "1\t?\t?\n", "line 2: the graph '?' has 0 nodes"),
        (GOOD + "1\t~?C?" + "?" * 5440 + "\tC~\n", "line 2: the graph '~?C?"),
        (GOOD + "1\t~~????C?\tC~\n", "line 2"),
        (GOOD + "0\tC~\tC~\n", "line 2: the two graphs are isomorphic"),
        (GOOD + "1\tC~\tC}\n", "line 2: the two graphs are not isomorphic"),
        (GOOD + "1\tC~\tB?\n", "line 2: the two graphs are not isomorphic"),
    ],
)
def test_a_corrupt_file_is_an_error_that_names_the_line(tmp_path, text, says):
    path = tmp_path / "pairs.tsv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError) as error:
        read_pairs(path)
    assert says in str(error.value) and str(path) in str(error.value) and len(str(error.value)) < 400


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read_pairs(tmp_path / "none.tsv")
    with pytest.raises(UserError, match="directory"):
        read_pairs(tmp_path)
