"""Errors that are the user's to mend."""

import traceback


class UserError(ValueError):
    """A mistake in what was asked: shown as one paragraph that says what to do, without a traceback."""


def explain(error: BaseException) -> str:
    """What went wrong at the bottom of a chain of errors, and where: the last line of somebody's own code."""
    while error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "site-packages" not in f.filename and not f.filename.startswith("<")]
    where = f", {own[-1].filename}, line {own[-1].lineno}" if own else ""
    return f"{type(error).__name__}: {error}{where}"
