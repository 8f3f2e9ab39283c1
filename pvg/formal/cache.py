"""The parsed form of large databases, kept in the user's cache folder under the hash of what was read.

Only plain data is kept (JSON), under a name that is the hash of the main file and of this format's version.  A kept
form is taken only if it is undamaged by its own hash and every included file still has the content it had; in any other
case the files are read again.  What is in the folder is as trustworthy as the account: :mod:`pvg.formal.verify` doesn't
use it.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from pvg.formal.database import Assertion, Database, Hypothesis
from pvg.formal.reader import Reader

_VERSION = 1  # of the form below, and of what the reader checks: a new one wherever either changes


def load(path: str | Path, folder: str | Path | None = None) -> Database:
    """Read a database, from its kept parsed form if there is one, and keep the form.

    Args:
        path: of the ``.mm`` file.
        folder: where parsed forms are; ``pvg/metamath`` in the user's cache folder if None.  One that can't be
            written to is no error.

    Raises:
        MetamathError, OSError: as :func:`pvg.formal.reader.read`.
    """
    path = Path(path)
    kept = (cache_folder() if folder is None else Path(folder)) / f"{_key(path)}.json"
    database = _kept(kept, path)
    if database is None:
        reader = Reader()
        reader.file(path)
        database = reader.finish()
        with suppress(OSError):
            _keep(kept, _packed(database, path, reader.digests))
    return database


def cache_folder() -> Path:
    """Where parsed forms are: below ``$XDG_CACHE_HOME``, or ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # the XDG specification has relative paths ignored
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "pvg" / "metamath"


def _key(path: Path) -> str:
    return hashlib.sha256(b"%d\n" % _VERSION + path.read_bytes()).hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _keep(kept: Path, form: list) -> None:
    """Write a form so that others see all of it or nothing."""
    content = json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode()
    kept.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=kept.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_digest(content).encode() + b"\n" + content)
        os.replace(name, kept)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _kept(kept: Path, path: Path) -> Database | None:
    """The database of a kept form, or None if there is none that is good."""
    collecting = gc.isenabled()
    gc.disable()  # hundreds of thousands of objects and no cycles: half of the time would go into looking for some
    try:
        digest, _, content = kept.read_bytes().partition(b"\n")
        if _digest(content).encode() != digest:
            return None
        form = json.loads(content)
        if any(_digest((path.parent / name).read_bytes()) != known for name, known in form[0][1:]):
            return None
        return _unpacked(form, path)
    except (OSError, ValueError):
        return None
    finally:
        if collecting:
            gc.enable()


def _packed(database: Database, path: Path, digests: list[str]) -> list:
    """Plain data: files, symbols, variables, outline, then a row a hypothesis and a row an assertion."""
    folder = path.parent
    files = [(os.path.relpath(file, folder), digest) for file, digest in zip(database.files, digests)]
    apart: dict[tuple[str, ...], int] = {}
    rows: list[tuple] = []
    for s in database.labels.values():
        if isinstance(s, Hypothesis):
            rows.append((s.label, s.kind, s.statement, s.line, s.source, s.end))
        else:
            group = apart.setdefault(s.apart, len(apart))
            frame = [h.order for h in s.hypotheses]
            rows.append((s.label, s.kind, s.statement, s.line, s.source, frame, group, s.proof))
    # labels stand in the rows already
    outline = [kind if kind in "s{}" else kind + what for kind, what in database.outline]
    return [files, database.symbols, "".join(sorted(database.variables)), outline, list(apart), rows]


def _unpacked(form: list, path: Path) -> Database:
    files, symbols, variables, outline, groups, rows = form
    database = Database([str(path), *(str(path.parent / name) for name, _ in files[1:])])
    for symbol in symbols:
        database.declare(symbol)
    database.variables = set(variables)
    apart = [tuple(group) for group in groups]
    made: list = []
    for order, (label, kind, statement, line, source, *rest) in enumerate(rows):
        if len(rest) == 1:
            made.append(Hypothesis(label, kind, statement[0], statement[1:], order, rest[0], line, source))
            continue
        frame, group, proof = rest
        hypotheses = tuple([made[place] for place in frame])
        made.append(
            Assertion(
                label, kind, statement[0], statement[1:], hypotheses, apart[group], proof, order, line, source
            )
        )
    database.labels = {statement.label: statement for statement in made}
    database.floating = [statement for statement in made if statement.kind == "f"]
    labels = iter(database.labels)
    database.outline = [(kind[0], next(labels) if kind == "s" else kind[1:]) for kind in outline]
    return database
