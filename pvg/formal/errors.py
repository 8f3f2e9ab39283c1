"""What is wrong with a Metamath database or proof, and where."""

from __future__ import annotations


class MetamathError(ValueError):
    """A database, proof or statement that breaks a rule of Metamath, shown as ``file:line: label: message``.

    Attributes:
        file: path of the file, or "" for what comes from no file.
        line: counted from 1, or 0.
        label: of the statement, or "".
        message: what was found.
        expected: what should have stood there, or "".
    """

    def __init__(self, message: str, *, file: str = "", line: int = 0, label: str = "", expected: str = ""):
        self.file, self.line, self.label = file, line, label
        self.message, self.expected = message, expected
        where = f"{file}:{line}" if file and line else file or (f"line {line}" if line else "")
        said = f"{message}; expected {expected}" if expected else message
        super().__init__(": ".join(filter(None, [where, label, said])))

    def __reduce__(self):
        place = {"file": self.file, "line": self.line, "label": self.label, "expected": self.expected}
        return _rebuild, (self.message, place)


def _rebuild(message: str, place: dict) -> MetamathError:
    return MetamathError(message, **place)
