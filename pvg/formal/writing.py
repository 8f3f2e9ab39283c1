"""Theorems and databases as text that any Metamath verifier reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill

from pvg.formal.database import Assertion, Database, Hypothesis

_WIDTH = 79  # the Metamath databases' own


def show_statement(database: Database, statement: Hypothesis | Assertion, proof: str | None = None) -> str:
    """One labelled statement, a theorem with its proof or the one that is given, in lines of 79."""
    head = f"{statement.label} ${statement.kind} {database.show(statement.statement)}"
    if statement.kind != "p":
        return _lines(f"{head} $.")
    assert isinstance(statement, Assertion)
    return f"{_lines(f'{head} $=')}\n{_lines(_breakable(proof or statement.proof) + ' $.', '    ')}"


def show_theorem(database: Database, theorem: Assertion, proof: str | None = None) -> str:
    """A theorem with its ``$d``, its ``$e`` and its proof as a block to be put behind the database.

    The ``$f`` statements of its variables are the database's.  ``$d`` that only dummy variables need are there too.
    """
    lines = [f"$d {database.show(group)} $." for group in theorem.apart]
    lines += [show_statement(database, hypothesis) for hypothesis in theorem.essential]
    lines.append(show_statement(database, theorem, proof))
    inside = "\n".join(lines)
    if len(lines) == 1:
        return inside + "\n"
    return "${\n" + "".join(f"  {line}\n" for line in inside.splitlines()) + "$}\n"


def show_database(database: Database, proofs: Mapping[str, str] = {}) -> str:
    """A whole database in one text, without comments; ``proofs`` by label take the place of its own."""
    lines, depth = [], 0
    for kind, what in database.outline:
        depth -= kind == "}"
        if kind == "s":
            text = show_statement(database, database.labels[what], proofs.get(what))
        else:
            text = f"${kind}" if kind in "{}" else _lines(f"${kind} {database.show(what)} $.")
        lines += ["  " * depth + line for line in text.splitlines()]
        depth += kind == "{"
    return "\n".join(lines) + "\n"


def write_database(database: Database, path: str | Path, proofs: Mapping[str, str] = {}) -> None:
    """Write ``show_database`` to a file."""
    Path(path).write_text(show_database(database, proofs), "ascii")


def _breakable(proof: str) -> str:
    """A compressed proof with spaces in its letters, so that lines can break there."""
    head, closed, letters = proof.rpartition(")")
    letters = "".join(letters.split()) if closed else letters
    step = _WIDTH - 10
    return (
        " ".join([head + closed, *(letters[k : k + step] for k in range(0, len(letters), step))])
        if closed
        else proof
    )


def _lines(text: str, indent: str = "") -> str:
    return fill(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent or "    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
