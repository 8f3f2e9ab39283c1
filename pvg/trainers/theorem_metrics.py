"""What is known of generator and prover: their theorems and proofs in figures, by source, and the prover judged.

Proofs have three sources: the *database*, the generator (*generated*), and the prover's own attempts (*own*).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from pvg.agents.theorem_players import Prover
from pvg.envs.candidates import Goal, Move
from pvg.envs.derivations import Proof, Rejected, goal_from, statements
from pvg.envs.theory import Theory
from pvg.envs.written import Written
from pvg.formal.errors import MetamathError
from pvg.formal.grammar import Tree
from pvg.trainers.theorem_rewards import Outcomes, depths
from pvg.trainers.theorem_roles import Experience, own_proof

Metrics = dict[str, float]
SAMPLE = 100  # iterations of which the hardest theorem is remembered
SHOWN = 12  # of those in a report
SHAPE = ("size", "depth", "steps")


def measure(experience: Experience, outcomes: Outcomes, distinct: int) -> Metrics:
    """An iteration's theorems and own proofs in figures; ``distinct`` theorems were there so far."""
    theorems, counts = experience.theorems, experience.counts
    proved = len(theorems) + counts["generator/not_written"]
    found = {
        "generator/yield": len(theorems) / experience.games,
        "generator/verified": len(theorems) / proved,
        "generator/size": float(outcomes.size.mean()),
        "generator/depth": float(outcomes.depth.mean()),
        "generator/steps": float(outcomes.steps.mean()),
        "generator/distinct": len({t.key for t in theorems}) / len(theorems),
        "generator/new": float((outcomes.seen == 1).float().mean()),
        "generator/subsumed": sum(t.subsumed for t in theorems) / len(theorems),
        "prover/failed": float(experience.failed.mean()),
        "prover/own_proofs": float(len(experience.found)),
        "distinct_theorems": float(distinct),
    }
    if own := experience.found:
        means = torch.tensor([shape(proof) for proof in own]).mean(0).tolist()
        found |= {f"own/{name}": value for name, value in zip(SHAPE, means)}
        found["own/verified"] = 1 - counts["prover/not_written"] / len(own)
    return found


def shape(proof: Proof) -> tuple[float, float, float]:
    """Symbols of the statement, longest chain of steps, and steps."""
    goal = proof.goal
    assert goal is not None
    given = len(goal.hypotheses)
    deepest = float(depths([move.premises for move in proof.moves], given)[-1])
    return float(symbols(goal.statement)), deepest, float(len(proof.moves))


def symbols(tree: Tree) -> int:
    """Of a tree."""
    return 1 + sum(map(symbols, tree[1:])) if isinstance(tree, tuple) else 1


class Totals(dict[str, float]):
    """Sums over a run of generated and own proofs, by source and figure."""

    def add(self, experience: Experience) -> None:
        """Count an iteration's proofs."""
        theorems, counts = experience.theorems, experience.counts
        self._add("generated", [t.proof for t in theorems])
        self._count("generated/unwritten", counts["generator/not_written"])
        self._count("generated/failed", float(experience.failed.sum()))
        self._count("generated/subsumed", sum(t.subsumed for t in theorems))
        self._add("own", experience.found)
        self._count("own/unwritten", counts["prover/not_written"])

    def _add(self, source: str, proofs: Sequence[Proof]) -> None:
        self._count(f"{source}/proofs", len(proofs))
        for proof in proofs:
            for name, value in zip(SHAPE, shape(proof)):
                self._count(f"{source}/{name}", value)

    def _count(self, key: str, value: float) -> None:
        self[key] = self.get(key, 0) + value

    def means(self, theory: Theory) -> dict[str, dict[str, float]]:
        """By source, the number of ``proofs`` and means over them; of the database, the training theorems'.

        ``verified`` is the share of proofs that can be written and that the verifier accepts: of a generator's games
        that proved something.  One that it refuses ends the run.
        """
        whole = Totals(self)
        whole._add("database", theory.proofs)
        whole["database/unwritten"] = sum(not verifies(theory, proof) for proof in theory.proofs)
        found: dict[str, dict[str, float]] = {}
        for source in ("database", "generated", "own"):
            count, unwritten = whole.get(f"{source}/proofs", 0), whole.get(f"{source}/unwritten", 0)
            if count:
                all_proved = count + (unwritten if source == "generated" else 0)  # which leaves those out
                found[source] = {"proofs": count, "verified": 1 - unwritten / all_proved}
                for name in (*SHAPE, "failed", "subsumed"):
                    if f"{source}/{name}" in whole:
                        found[source][name] = whole[f"{source}/{name}"] / count
        return found


def verifies(theory: Theory, proof: Proof) -> bool:
    """Whether the verifier accepts the proof of a theorem of the database."""
    assert proof.goal is not None
    theorem = theory.database.labels[proof.goal.name]
    try:
        return bool(theory.verifier(theorem))  # type: ignore[arg-type]
    except MetamathError:
        return False


# ------------------------------------------------------------------------ the prover judged
def judge_prover(theory: Theory, prover: Prover, samples: int, seed: int) -> dict[str, Any]:
    """The prover on the held-out theorems; to be measured more often does not change a run's chance.

    Returns:
        ``pass@1`` of what is likeliest, ``pass@k`` and ``sampled pass@1`` of ``samples`` attempts by chance, ``n``,
        ``proved``, the labels of what was proved at the first attempt, ``verified``, the share of those whose proofs
        could be written as Metamath (that the verifier accepts; it raises otherwise), and ``failed on training
        theorems``, the share of attempts by chance, one at each of at most ``n`` evenly spaced, that failed.
    """
    state, budget = torch.get_rng_state(), theory.moves
    torch.manual_seed(seed)
    greedy = prover.prove(theory.held_out, budget, greedy=True)
    many = torch.stack([_solved(prover, theory.held_out, budget) for _ in range(samples)])
    taught = [proof.goal for proof in theory.proofs if proof.goal]
    some = taught[:: max(1, len(taught) // len(theory.held_out))]
    failed = 1 - float(_solved(prover, some, budget).mean()) if some else 0.0
    torch.set_rng_state(state)
    proved = [attempt for attempt in greedy if attempt.solved]
    written = [theory.writer(own_proof(attempt), f"{attempt.goal.name}-again") for attempt in proved]
    return {
        f"pass@{samples}": float(many.any(0).float().mean()),
        "pass@1": len(proved) / len(greedy),
        "sampled pass@1": float(many.mean()),
        "n": len(greedy),
        "proved": [attempt.goal.name for attempt in proved],
        "verified": sum(w is not None for w in written) / len(proved) if proved else 1.0,
        "failed on training theorems": failed,
    }


def _solved(prover: Prover, goals: Sequence[Goal], budget: int) -> torch.Tensor:
    return torch.tensor([float(attempt.solved) for attempt in prover.prove(goals, budget)])


def look(judged: Mapping[str, Any]) -> Metrics:
    """What :func:`judge_prover` says as metrics."""
    found = {f"held_out/{k}": v for k, v in judged.items() if k.startswith(("pass@", "verified"))}
    return found | {"prover/failed_database": judged["failed on training theorems"]}


# ------------------------------------------------------------------------ a sample to read
def hardest(experience: Experience, iteration: int) -> list:
    """An iteration's hardest theorem, the shortest of those, as plain data."""
    theorems, failed = experience.theorems, experience.failed.tolist()
    best = min(range(len(theorems)), key=lambda k: (-failed[k], theorems[k].size))
    return [iteration, failed[best], [(m.label, list(m.premises)) for m in theorems[best].proof.moves]]


def written_sample(theory: Theory, plain: Sequence[Sequence]) -> list[tuple[int, float, Written]]:
    """Some theorems of :func:`hardest`, evenly over the run: iteration, share that failed, and the verified text."""
    library, shown = theory.library, []
    for iteration, share, saved in plain[:: max(1, len(plain) // SHOWN)]:
        moves = tuple(Move(label, tuple(premises)) for label, premises in saved)
        try:
            number = statements(library, None, moves)[-1]
        except Rejected:
            continue
        written = theory.writer(Proof(goal_from(library, number), moves), f"generated-{iteration}")
        if written:
            shown.append((iteration, share, written))
    return shown[:SHOWN]
