"""The ceiling of soundness, against another library's refinement and every sequence of answers."""

import itertools

import networkx as nx
import pytest

from benchmarks.ceiling import can_pass, ceiling, different


def graph_of(neighbours, marked):
    graph = nx.Graph([(i, j) for i, row in enumerate(neighbours) for j in row])
    graph.add_nodes_from(range(len(neighbours)))
    nx.set_node_attributes(
        graph, {i: str([q for q, m in enumerate(marked) if m == i]) for i in graph}, "mark"
    )
    return graph


def looks(neighbours, marked, layers):
    return nx.weisfeiler_lehman_graph_hash(graph_of(neighbours, marked), node_attr="mark", iterations=layers)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("regular", [0.0, 1.0])
def test_answers_pass_where_another_library_sees_no_difference(layers, regular):
    pairs = different(12, nodes=(6, 7), scores={1: 0.0, 2: 0.0, 3: 1.0}, regular=regular, degree=(2, 4))
    outcomes = []
    for a, b in pairs:
        questions = [len(a) - 1, 0]
        wanted = looks(a, questions, layers)
        expected = any(
            looks(b, answers, layers) == wanted for answers in itertools.product(range(len(b)), repeat=2)
        )
        assert can_pass(a, b, questions, layers) == expected
        outcomes.append(expected)
    assert layers == 2 or any(outcomes)


def test_the_truth_always_passes_and_more_layers_or_questions_never_help_a_lie():
    pairs = different(60, nodes=(8, 10), scores={1: 0.0, 2: 0.0, 3: 1.0}, regular=1.0, degree=3)
    for a, _ in pairs[:10]:
        renamed = [sorted((len(a) - 1 - j) for j in a[len(a) - 1 - i]) for i in range(len(a))]
        assert can_pass(a, renamed, [2, 0, 5], 3)
    shares = [[ceiling(pairs, layers, n) for n in (1, 2, 3)] for layers in (1, 2)]
    assert all(x <= y for row in shares for x, y in itertools.pairwise(row))
    assert all(x <= y for x, y in zip(*shares)) and shares[0][0] < shares[1][2]
