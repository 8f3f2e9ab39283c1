"""What a run of generator against prover leaves to read: figures, and some theorems with their proofs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pvg.envs.written import Written


def theorems_markdown(result: Mapping[str, Any], sample: Sequence[tuple[int, float, Written]]) -> str:
    """A page.

    Args:
        result: of the run.
        sample: iteration, share of the prover's attempts that failed, and the verified text of a theorem.
    """
    lines = ["# Generator against prover", "", "## Held-out theorems", ""]
    lines += [
        f"- {name}: {100 * value:.1f} %"
        for name, value in result.items()
        if isinstance(value, float) and "pass" in name
    ]
    lines += ["", f"Proved at the first attempt: {', '.join(result.get('proved', [])) or 'none'}.", ""]
    figures = ("proofs", "size", "depth", "steps", "verified", "failed", "subsumed")
    lines += ["## Proofs by source, means over the run", "", f"| source | {' | '.join(figures)} |"]
    lines += ["|---" * (1 + len(figures)) + "|"]
    for source, means in result.get("sources", {}).items():
        cells = [f"{means[name]:,.6g}" if name in means else "" for name in figures]
        lines.append(f"| {source} | {' | '.join(cells)} |")
    lines += ["", "## Rejections", "", "| role and reason | count |", "|---|---|"]
    lines += [f"| {name} | {count:,} |" for name, count in result.get("rejections", {}).items()]
    lines += ["", "## Some of the generator's theorems", ""]
    lines += ["Each is verified; put behind the database, any Metamath verifier accepts it.", ""]
    for iteration, share, written in sample:
        lines += [f"Iteration {iteration}, {100 * share:.0f} % of attempts failed:", ""]
        lines += ["```", written.text.rstrip(), "```", ""]
    return "\n".join(lines)
