"""Errors that are the user's to mend."""


class UserError(ValueError):
    """A mistake in what was asked: shown as one paragraph that says what to do, without a traceback."""
