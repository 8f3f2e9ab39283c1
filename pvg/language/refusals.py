"""What every engine refuses, in the same words: a package that is not there, a request that is too long."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from types import ModuleType

from pvg.errors import UserError
from pvg.language.engine import EngineFailed, Request


class CannotStart(UserError, EngineFailed):
    """An engine can't start here: the user's to mend, or to be gone round with another engine."""


def require(package: str, command: str) -> ModuleType:
    """Import a package that not everybody has.

    Raises:
        CannotStart: it is not installed, or its import fails; ``command`` installs it.
    """
    try:
        return importlib.import_module(package)
    except (ImportError, OSError, RuntimeError) as error:
        raise CannotStart(
            f"This engine needs the package {package}, which can't be imported ({error}). Install it with: {command}"
        ) from error


def check_lengths(requests: Iterable[Request], context: int) -> None:
    """See that prompts and answers fit the model.

    Raises:
        UserError: the first that doesn't.
    """
    for request in requests:
        if not request.prompt or request.most < 1:
            raise UserError(
                f"A request of {len(request.prompt)} tokens for {request.most} new ones: it needs one of each at least."
            )
        if len(request.prompt) + request.most > context:
            raise UserError(
                f"A prompt of {len(request.prompt)} tokens and {request.most} new ones don't fit the model's "
                f"context of {context}. Shorten the problems, lower the new tokens, or choose another model."
            )
