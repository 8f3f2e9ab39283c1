"""What bounds a shallow verifier of graph isomorphism: ``python -m benchmarks.ceiling``.

A graph network of L layers tells marked graphs apart only if L rounds of colour refinement do (Xu et al.
2019, lemma 2; Morris et al. 2019, theorem 1).  So no verifier of L layers, however wide and however well trained,
rejects a false claim about which each question drawn has an answer such that the marked graphs
have the same colours after L rounds.  The table gives the share of false claims without such answers: the
most that soundness can be against a prover that tries every message.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from pvg.envs.graphs import generate_pairs

Graph = list[list[int]]  # neighbours of each node
GROUNDS = {
    "7–11 nodes": {"nodes": (7, 11), "scores": {1: 0.1, 2: 0.2, 3: 0.7}},
    "12–20 nodes, regular": {"nodes": (12, 20), "scores": {1: 0.0, 2: 0.0, 3: 1.0}, "regular": 1.0},
}


def colours(graph: Graph, marks: list[int], layers: int) -> Counter[int]:
    """The colours of a graph's nodes after some rounds of refinement, and how often each is there."""
    colour: list = marks
    for _ in range(layers):
        colour = [hash((own, tuple(sorted(colour[j] for j in graph[i])))) for i, own in enumerate(colour)]
    return Counter(colour)


def can_pass(a: Graph, b: Graph, questions: list[int], layers: int) -> bool:
    """Whether answers to all the questions (nodes of ``a``) exist that refinement can't tell from true ones."""

    def rest(asked: int, marks_a: list[int], marks_b: list[int]) -> bool:
        # marks only make colours finer: a prefix that is told apart needs no continuation
        if colours(a, marks_a, layers) != colours(b, marks_b, layers):
            return False
        if asked == len(questions):
            return True
        mark = 1 << asked
        marks_a = [m | mark * (i == questions[asked]) for i, m in enumerate(marks_a)]
        return any(
            rest(asked + 1, marks_a, [m | mark * (i == answer) for i, m in enumerate(marks_b)])
            for answer in range(len(b))
        )

    return rest(0, [0] * len(a), [0] * len(b))


def ceiling(pairs: list[tuple[Graph, Graph]], layers: int, questions: int, seed: int = 0) -> float:
    """The share of pairs of different graphs that no answers pass off as the same, one draw of questions each."""
    rng = np.random.default_rng(seed)
    passed = [can_pass(a, b, rng.permutation(len(a))[:questions].tolist(), layers) for a, b in pairs]
    return 1 - sum(passed) / len(passed)


def different(count: int, **wanted) -> list[tuple[Graph, Graph]]:
    """So many pairs of graphs that are not isomorphic."""
    table = generate_pairs(2 * count, seed=1, **wanted)
    table = table[~table["label"]]
    return [
        tuple([np.flatnonzero(row).tolist() for row in graph[:n]] for graph in pair.numpy())
        for pair, n in zip(table["adjacency"], table["size"][:, 0].tolist())
    ]  # type: ignore[misc]


def main() -> None:
    """Print the table, and as the last line the same as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=500, help="false claims looked at")
    parser.add_argument("--questions", type=int, default=8, help="most questions")
    parser.add_argument("--layers", type=int, default=2, help="most layers")
    options = parser.parse_args()
    console, numbers = Console(), range(1, options.questions + 1)
    table = Table(title=f"ceiling of soundness, {options.pairs:,} false claims, by number of questions")
    table.add_column("ground")
    table.add_column("layers", justify="right")
    for n in numbers:
        table.add_column(str(n), justify="right")
    found: dict[str, list[float]] = {}
    jobs = [(g, layers) for g in GROUNDS for layers in range(1, options.layers + 1)]
    for ground, layers in track(jobs, "refining", console=console, transient=True):
        pairs = different(options.pairs, **GROUNDS[ground])
        row = [round(ceiling(pairs, layers, n), 4) for n in numbers]
        found[f"{ground}, {layers}"] = row
        table.add_row(ground, str(layers), *(f"{100 * x:.1f}" for x in row))
    console.print(table)
    print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main()
