"""Reading ``.mm`` files, with every check that the Metamath specification asks of a database before its proofs.

The rules are those of the Metamath book (Megill & Wheeler 2019, section 4.1).  One regular expression takes a whole
statement, so that the work per symbol is done in C; where it doesn't fit, :meth:`Reader._explain` looks for the reason.
"""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from pvg.formal.database import Assertion, Database, Hypothesis, frame
from pvg.formal.errors import MetamathError

_STATEMENT = re.compile(
    r"\s*(?:([^\s$]+)\s+)?\$"
    r"(?:([{}])"
    r"|([cvdfea])(\s[^$]*)(?<=\s)\$\."
    r"|(p)(\s[^$]*)(?<=\s)\$=(\s[^$]*)(?<=\s)\$\."
    r"|(\[)(\s[^$]*)(?<=\s)\$\])(?!\S)"
)
_LABEL = re.compile(r"[A-Za-z0-9._-]+")
_COMMENT = re.compile(r"\$\((.*?)\$\)", re.S)
_STRANGE = re.compile(r"[^\t\n\f\r -~]")
_LABELLED = frozenset("fea")
_OPEN = sys.maxsize  # the end of what no block closes


@dataclass(slots=True)
class _Block:
    """An open block: its line, what was active at its begin, and what it declared."""

    line: int
    essential: int
    apart: tuple[str, ...]
    variables: list[str] = field(default_factory=list)  # symbols
    floating: list[Hypothesis] = field(default_factory=list)


def read(path: str | Path) -> Database:
    """Read a database and all it includes.  Proofs are taken as they are: see :mod:`pvg.formal.proofs`.

    Raises:
        MetamathError: at the first statement that breaks the specification.
        OSError: if the file can't be read.
    """
    reader = Reader()
    reader.file(Path(path))
    return reader.finish()


def read_text(text: str, name: str = "") -> Database:
    """Read a database from a string; ``name`` stands for the file in errors."""
    reader = Reader()
    reader.text(text, name, Path())
    return reader.finish()


class Reader:
    """The state of reading: what is active where."""

    def __init__(self) -> None:
        self.database = Database()
        self.active: dict[str, str] = {}  # codes of the active symbols
        self.floating: dict[str, Hypothesis] = {}  # active, by the code of the variable
        self.essential: list[Hypothesis] = []  # active
        self.apart: tuple[str, ...] = ()  # active
        self.blocks: list[_Block] = []
        self.seen: set[Path] = set()
        self.digests: list[str] = []  # SHA-256 of each file
        self.source, self.line, self.label = 0, 0, ""

    # --- files ---

    def file(self, path: Path) -> None:
        """Read a file, the first time it is asked for."""
        place = path.resolve()
        if place not in self.seen:
            self.seen.add(place)
            content = path.read_bytes()
            self.digests.append(hashlib.sha256(content).hexdigest())
            self.text(content.decode("latin-1"), str(path), path.parent)

    def text(self, text: str, name: str, folder: Path) -> None:
        """Read a file's content; ``folder`` is where its includes are."""
        above = self.source, self.line
        self.source, self.line, self.label = len(self.database.files), 1, ""
        self.database.files.append(name)
        strange = _STRANGE.search(text)
        if strange:
            self.line += text.count("\n", 0, strange.start())
            self.fail(f"the character {strange[0]!r}", "printable ASCII")
        self._statements(self._without_comments(text), folder)
        self.source, self.line = above

    def finish(self) -> Database:
        """The database, once all is read."""
        if self.blocks:
            self.line, self.label = self.blocks[-1].line, ""
            self.fail("a block that is never closed", "$}")
        return self.database

    def fail(self, message: str, expected: str = "") -> NoReturn:
        """Raise what is wrong with the statement in hand."""
        file = self.database.files[self.source]
        raise MetamathError(message, file=file, line=self.line, label=self.label, expected=expected)

    def _without_comments(self, text: str) -> str:
        """The text with blanks instead of comments; lines stay where they are."""
        pieces, last = [], 0
        for comment in _COMMENT.finditer(text):
            start, end = comment.span()
            inside = comment[1]
            if (
                (start and not text[start - 1].isspace())
                or not inside[:1].isspace()
                or not inside[-1:].isspace()
                or not (text[end : end + 1].isspace() or end == len(text))
            ):
                self.line += text.count("\n", 0, start)
                self.fail("a comment that touches its neighbour", "white space around $( and $)")
            if "$(" in inside:
                self.line += text.count("\n", 0, start)
                self.fail("a comment with $( inside", "$)")
            pieces += [text[last:start], " ", "\n" * inside.count("\n")]
            last = end
        return "".join([*pieces, text[last:]]) if pieces else text

    # --- statements ---

    def _statements(self, text: str, folder: Path) -> None:
        place, match = 0, _STATEMENT.match
        end = len(text.rstrip())
        while place < end:
            found = match(text, place)
            if found is None:
                self._explain(text, place)
            label, brace, kind, body, theorem, claim, proof, include, name = found.groups()
            begin = found.start(1) if label else found.end() - len(found[0].lstrip())
            self.line += text.count("\n", place, begin)
            self.label = label or ""
            if kind in _LABELLED or theorem:
                if not label:
                    self.fail("a statement without a label", f"a label before ${kind or theorem}")
                if theorem:
                    self._assertion(label, "p", claim.split(), " ".join(proof.split()))
                elif kind == "a":
                    self._assertion(label, "a", body.split(), "")
                elif kind == "e":
                    self._essential(label, body.split())
                else:
                    self._floating(label, body.split())
            elif label:
                self.label = ""
                self.fail(f"'{label}' before ${brace or kind or include}", "no label there")
            elif brace == "{":
                self.blocks.append(_Block(self.line, len(self.essential), self.apart))
                self.database.outline.append(("{", ""))
            elif brace:
                self._close()
            elif kind == "d":
                self._disjoint(body.split())
            elif kind:
                self._declare(kind, body.split())
            else:
                self._include(name.split(), folder)
            self.line += text.count("\n", begin, found.end())
            place = found.end()
        self.label = ""

    def _declare(self, kind: str, symbols: list[str]) -> None:
        database, word = self.database, "constant" if kind == "c" else "variable"
        if not symbols:
            self.fail(f"${kind} without a symbol", "at least one")
        if kind == "c" and self.blocks:
            self.fail("$c inside a block", "constants declared in the outermost scope")
        for symbol in symbols:
            if symbol in self.active:
                self.fail(f"the {word} '{symbol}' is already active", "a new symbol")
            if symbol in database.labels:
                self.fail(f"the {word} '{symbol}' is also a label", "a new symbol")
            if symbol in database.codes and (kind == "c" or database.codes[symbol] not in database.variables):
                self.fail(
                    f"'{symbol}' was declared as a {'variable' if kind == 'c' else 'constant'}",
                    "a new symbol",
                )
            code = self.active[symbol] = database.declare(symbol)
            if kind == "v":
                database.variables.add(code)
                if self.blocks:
                    self.blocks[-1].variables.append(symbol)
        database.outline.append((kind, "".join([self.active[symbol] for symbol in symbols])))

    def _disjoint(self, symbols: list[str]) -> None:
        coded = self._coded(symbols)
        for symbol, code in zip(symbols, coded):
            if code not in self.database.variables:
                self.fail(f"'{symbol}' in $d", "an active variable")
        if len(symbols) < 2 or len(set(symbols)) < len(symbols):
            self.fail(f"'$d {' '.join(symbols)} $.'", "two or more variables that differ")
        self.apart += (coded,)
        self.database.outline.append(("d", coded))

    def _floating(self, label: str, symbols: list[str]) -> None:
        coded, database = self._coded(symbols), self.database
        if len(coded) != 2 or coded[0] in database.variables or coded[1] not in database.variables:
            self.fail(f"'{' '.join(symbols)}' in $f", "a constant and a variable")
        if coded[1] in self.floating:
            self.fail(
                f"'{symbols[1]}' already has the type of '{self.floating[coded[1]].label}'",
                "one active $f a variable",
            )
        self.floating[coded[1]] = hypothesis = self._hypothesis(label, "f", coded)
        database.floating.append(hypothesis)
        if self.blocks:
            self.blocks[-1].floating.append(hypothesis)

    def _essential(self, label: str, symbols: list[str]) -> None:
        coded = self._statement(symbols, "$e")
        for code in self.database.variables.intersection(coded):
            if code not in self.floating:
                self.fail(f"the variable '{self.database.symbol(code)}' has no type", "an active $f for it")
        self.essential.append(self._hypothesis(label, "e", coded))

    def _hypothesis(self, label: str, kind: str, coded: str) -> Hypothesis:
        order = len(self.database.labels)
        made = Hypothesis(label, kind, coded[0], coded[1:], order, _OPEN, self.line, self.source)
        self._label(label, made)
        return made

    def _assertion(self, label: str, kind: str, symbols: list[str], proof: str) -> None:
        coded, database = self._statement(symbols, f"${kind}"), self.database
        if kind == "p" and not proof:
            self.fail("an empty proof", "steps, or ? for a proof to come")
        try:
            hypotheses = frame(coded, self.essential, self.floating, database.variables)
        except KeyError as error:
            self.fail(f"the variable '{database.symbol(error.args[0])}' has no type", "an active $f for it")
        made = Assertion(
            label,
            kind,
            coded[0],
            coded[1:],
            hypotheses,
            self.apart,
            proof,
            len(database.labels),
            self.line,
            self.source,
        )
        self._label(label, made)

    def _label(self, label: str, statement: Hypothesis | Assertion) -> None:
        database = self.database
        if not _LABEL.fullmatch(label):
            self.fail("a label with strange characters", "letters, digits, '.', '-' and '_'")
        if label in database.labels:
            self.fail(f"the label is that of line {database.labels[label].line} too", "a new label")
        if label in database.codes:
            self.fail("the label is also a math symbol", "a new label")
        database.labels[label] = statement
        database.outline.append(("s", label))

    def _statement(self, symbols: list[str], word: str) -> str:
        if not symbols:
            self.fail(f"an empty {word} statement", "a constant first")
        coded = self._coded(symbols)
        if coded[0] in self.database.variables:
            self.fail(f"the variable '{symbols[0]}' begins a {word} statement", "a constant first")
        return coded

    def _coded(self, symbols: list[str]) -> str:
        active = self.active
        try:
            return "".join([active[symbol] for symbol in symbols])
        except KeyError as error:
            self.fail(f"the symbol '{error.args[0]}' is not active", "a declared symbol")

    def _close(self) -> None:
        if not self.blocks:
            self.fail("$} without ${", "an open block")
        block, here = self.blocks.pop(), len(self.database.labels)
        for hypothesis in self.essential[block.essential :]:
            hypothesis.end = here
        del self.essential[block.essential :]
        self.apart = block.apart
        for hypothesis in block.floating:
            hypothesis.end = here
            del self.floating[hypothesis.body]
        for symbol in block.variables:
            del self.active[symbol]
        self.database.outline.append(("}", ""))

    def _include(self, names: list[str], folder: Path) -> None:
        if len(names) != 1:
            self.fail(f"'$[ {' '.join(names)} $]'", "one file name without spaces")
        if self.blocks:
            self.fail("$[ inside a block", "files included in the outermost scope")
        path = folder / names[0]
        if not path.is_file():
            self.fail(f"there is no file '{path}'", "a file to include")
        self.file(path)
        self.label = ""

    # --- what is wrong ---

    def _explain(self, text: str, place: int) -> NoReturn:
        """Why no statement begins here."""
        begin = place + len(text[place:]) - len(text[place:].lstrip())
        self.line += text.count("\n", place, begin)
        tokens = text[begin:].split(None, 2)
        self.label = ""
        first = tokens[0]
        if not first.startswith("$"):
            self.label, first = (first, tokens[1]) if len(tokens) > 1 and "$" not in first else ("", first)
        if first == "$(":
            self.fail("a comment that is never closed", "$)")
        if first == "$)":
            self.fail("$) without $(", "an open comment")
        if first in ("$c", "$v", "$d", "$f", "$e", "$a", "$p", "$["):
            rest = text[text.index(first, begin) + 2 :]
            end = "$]" if first == "$[" else "$=" if first == "$p" else "$."
            found = re.search(r"\S*\$\S*", rest)
            said = "the end of the file" if found is None else f"'{found[0]}'"
            if first == "$p" and found is not None and found[0] == "$=":
                found, end = re.search(r"\S*\$\S*", rest[found.end() :]), "$."
                said = "the end of the file" if found is None else f"'{found[0]}'"
            self.fail(f"{first} runs into {said}", end)
        self.fail(f"'{first}'", "a statement: $c, $v, $d, ${, $}, $[ or a label with $f, $e, $a, $p")
