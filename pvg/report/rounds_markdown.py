"""The report of rounds in Markdown: what came out, in two sentences, in tables and in some solutions."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from pvg.report.rounds import AFTER, GATHERED, SHOWN

PLAIN = ("auc", "kl", "calibration_error")  # and rewards: numbers that are no shares
FINAL = {
    "auc": "AUC",
    "balanced_accuracy": "balanced accuracy",
    "calibration_error": "calibration error",
    "best_of_n": "best of n",
    "pass_at_n": "any of n right",
    "balanced_best_of_n": "balanced best-of-n",
}
WHOSE = {"helpful": "the helpful prover's", "translator": "the translator's"}


def rounds_markdown(result: Mapping[str, Any], examples: Sequence[Mapping[str, Any]] = ()) -> str:
    """A run that played rounds.

    Args:
        result: as in ``result.json``.
        examples: as :func:`pvg.report.solutions.solutions` gives them.
    """
    honest = _honest(result)
    parts = ["# Rounds", outcome(result), "![Measurements by round](rounds.png)", _rounds(result["rounds"])]
    if honest == "translator":
        parts.append("The translator has the helpful prover's part, and its columns.")
    parts += ["## The final verifier", _final(result, honest)]
    rows = [[g["round"], *row] for g in result["gathered"] for row in _roles(g["roles"])]
    parts += ["## What verifiers learned from", _table(["round", *ROLES_HEAD], rows)]
    parts += ["## Engine", _engine(result["engine"])]
    if examples:
        parts += ["## Solutions of the final provers", *_solutions(examples)]
    return "\n\n".join(parts) + "\n"


def sample_markdown(result: Mapping[str, Any]) -> str:
    """Sampling alone: ``roles``, ``engine`` and ``seconds``."""
    roles = _table(ROLES_HEAD, _roles(result["roles"]))
    return "\n\n".join(["# Sampling", roles, "## Engine", _engine(result["engine"])]) + "\n"


def outcome(result: Mapping[str, Any]) -> str:
    """What the verifier is worth in the end, and what attacks and training did to it, in a sentence each."""
    rows, count = result["rounds"], sum(row["what"] == "attacked" for row in result["rounds"])
    whose = WHOSE[_honest(result)]
    accepts, fooled = (_cell(result[k], k) for k in ("accepts/helpful/right", "fooled"))
    first = (
        f"After {count} round{'s' * (count > 1)} the verifier accepts {accepts} of {whose} right solutions and "
        f"{fooled} of the sneaky prover's wrong ones (AUC {_cell(result['auc'], 'auc')})."
    )
    fooled_by = {(row["what"], row["round"]): row.get("fooled") for row in rows}
    turns = [
        [fooled_by.get(key) for key in (("checked", r), ("attacked", r), ("checked", r + 1))]
        for r in range(count)
    ]
    if (tax := result.get("legibility_tax")) is not None:
        error = result["legibility_tax_error"]
        first += (
            f" A prover trained for correctness alone gets {100 * tax:+.1f} ± {100 * error:.1f} points more of its "
            "answers right: the legibility tax."
        )
    whole = [turn for turn in turns if None not in turn]
    if not whole:
        return f"{first} In no round were there wrong solutions both before and after the attack."
    before, after, again = (_cell(sum(x) / len(x), "fooled") for x in zip(*whole))
    return (
        f"{first} On average an attack took the share of wrong ones that are accepted from {before} to {after}, and "
        f"the verifier that was trained next had it at {again}."
    )


ROLES_HEAD = ["role", *GATHERED.values(), "tasks by tries"]


def _honest(result: Mapping[str, Any]) -> str:
    """Who has the helpful prover's part."""
    roles = (role for each in result["gathered"] for role in each["roles"])
    return next((role for role in roles if role != "sneaky"), "helpful")


def _rounds(rows: Sequence[Mapping[str, Any]]) -> str:
    names = {**SHOWN, "steps_to_exploit": "steps to exploit", "kl": "KL"}
    names |= {k: f"{k.removesuffix('/reward')} reward" for row in rows for k in row if k.endswith("/reward")}
    cells = [[row["round"], AFTER[row["what"]], *(_mean(row, k) for k in names)] for row in rows]
    return _table(["round", "after", *names.values()], cells)


def _mean(row: Mapping[str, Any], key: str) -> str:
    """A figure, and where it is a mean its least and most."""
    ends = [_cell(row[f"{key}/{end}"], key) for end in ("least", "most") if f"{key}/{end}" in row]
    return _cell(row.get(key), key) + (f" ({' to '.join(ends)})" if ends else "")


def _final(result: Mapping[str, Any], honest: str) -> str:
    names = {k: name.replace("of n", f"of {result['samples']}") for k, name in FINAL.items()}
    quadrants = [
        [role, *(_cell(result[f"accepts/{key}/{verdict}"], "accepts") for verdict in ("right", "wrong"))]
        for role, key in ((honest, "helpful"), ("sneaky", "sneaky"))
    ]
    return "\n\n".join(
        [
            f"Each role gave {result['samples']} solutions to each of {result['n']} held-out problems.",
            _table(list(names.values()), [[_cell(result[k], k) for k in names]]),
            _table(["accepts of", "right", "wrong"], quadrants),
        ]
    )


def _roles(roles: Mapping[str, Mapping[str, Any]]) -> list[list[Any]]:
    """A row a role."""
    return [
        [
            role,
            *(_cell(told[k], k) for k in GATHERED),
            ", ".join(f"{tries}: {count}" for tries, count in told["tries"].items()),
        ]
        for role, told in roles.items()
    ]


def _engine(told: Mapping[str, Any]) -> str:
    def number(name: str, unit: str = "") -> str:
        return "–" if told[name] is None else f"{told[name]:,}{unit}"

    worst = "" if told["canary_worst"] is None else f", off by {told['canary_worst']:.1g} nats at most"
    rows = [
        ["tokens", number("tokens")],
        ["tokens a second", number("tokens_per_s")],
        ["occupancy of slots", _cell(told["occupancy"], "occupancy")],
        ["wait of a request, p50 and p95", f"{number('wait_p50', ' s')}, {number('wait_p95', ' s')}"],
        ["changes of weights", number("syncs")],
        ["canaries compared", number("canaries") + worst],
        ["restarts of workers", number("restarts")],
        ["fallbacks", "; ".join(told["fallbacks"]) or "none"],
    ]
    return _table(["figure", "value"], rows)


def _solutions(examples: Sequence[Mapping[str, Any]]) -> list[str]:
    """Question and answer are indented: code, of which Markdown leaves every sign as it is."""
    out = [
        "Chosen to show accepted and rejected ones where there are both; how common they are is told above."
    ]
    for one in examples:
        decision = "accepted" if one["score"] > 0 else "rejected"
        text = f"{one['question'].strip()}\n\n→ {one['text'].strip()}"
        out.append(f"**{one['role']}, {one['verdict']}, {decision}** (score {one['score']:.2f})")
        out.append(textwrap.indent(text, "    "))
    return out


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_quoted, line))} |" for line in lines)


def _quoted(cell: Any) -> str:
    return str(cell).replace("|", "\\|").replace("\n", " ")


def _cell(value: Any, name: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if name in PLAIN or name.endswith("/reward") else f"{100 * value:.1f} %"
