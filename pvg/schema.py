"""Constructor signatures are the schema: a config is checked against them before anything is built."""

from __future__ import annotations

import inspect
import pkgutil
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pvg.errors import UserError

HYDRA = {"_target_", "_partial_", "_convert_", "_recursive_"}
WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}
UNIONS = (Union, types.UnionType)
LISTS, MAPPINGS = (list, tuple, Sequence, Iterable), (dict, Mapping)
Hints = Mapping[str, Any]


def locate(name: str, key: str) -> Any:
    """The class or function that a ``_target_`` names.

    Raises:
        UserError: there is none; ``key`` is where the config names it.
    """
    try:
        return pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"{key}={name}: can't be found ({error}). Write module.Class; a module of your own must lie in the "
            "folder you start from, or in one that PYTHONPATH names."
        ) from error


def check(config: Any, key: str = "") -> None:
    """See that whatever has a ``_target_`` in a (resolved, plain) config can be called with what stands beside it.

    Raises:
        UserError: the first key that the target does not take, or whose value is of another type.
    """
    if isinstance(config, Mapping):
        if "_target_" in config:
            target = config["_target_"]
            hints = parameters(locate(target, f"{key}._target_".lstrip(".")))
            check_values({k: v for k, v in config.items() if k not in HYDRA}, hints, key, str(target))
        for name, value in config.items():
            check(value, f"{key}.{name}".lstrip("."))
    elif isinstance(config, list):
        for i, value in enumerate(config):
            check(value, f"{key}[{i}]")


def check_values(values: Mapping[str, Any], hints: Hints | None, key: str = "", what: str = "pvg") -> None:
    """See that every value has a hint and is as it says; with no hints anything goes."""
    if hints is None:
        return
    for name, value in values.items():
        full = f"{key}.{name}".lstrip(".")
        if name not in hints:
            raise UserError(f"{full}: {what} takes no {name!r}; it takes {', '.join(hints) or 'nothing'}.")
        if not fits(value, hints[name]):
            shown = "null" if value is None else value
            raise UserError(f"{full}={shown}: {what} takes {describe(hints[name])} there.")


def check_call(function: Callable, names: Sequence[str], key: str, advice: str) -> None:
    """See that a function can be called with what these names stand for, in this order.

    Raises:
        UserError: it takes something else; ``key`` is where the config names it, ``advice`` what to write there.
    """
    signature = inspect.signature(function)
    try:
        signature.bind(*names)
    except TypeError:
        target = getattr(function, "func", function)
        needed = [p.name for p in signature.parameters.values() if p.default is p.empty]
        raise UserError(
            f"{key}={target.__module__}.{target.__qualname__} wants {', '.join(needed)}, and this experiment has "
            f"{', '.join(names)} for it. {advice}"
        ) from None


def parameters(target: Callable) -> Hints | None:
    """Arguments and their types, those of base classes too where ``**kwargs`` hands them on; None if any goes."""
    found: dict[str, Any] = {}
    calls: Sequence[Any] = [target]
    if isinstance(target, type):
        calls = [vars(c)["__init__"] for c in target.__mro__ if "__init__" in vars(c)]
    for call in calls:
        if call is object.__init__:  # takes what others hand on only if there are no others
            return None if len(calls) > 1 else found
        hints, own = get_type_hints(call), inspect.signature(call).parameters.values()
        named = [
            p.name for p in own if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != "self"
        ]
        found |= {name: hints.get(name, Any) for name in named if name not in found}
        if not any(p.kind is p.VAR_KEYWORD for p in own):
            return found
    return None


def fits(value: Any, hint: Any) -> bool:
    """Whether a plain value can stand for an argument of this type."""
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind is Any:
        return True
    if kind in UNIONS:
        return any(fits(value, one) for one in inner)
    if isinstance(value, Mapping) and "_target_" in value:
        return hint not in WORDS  # what it makes is the constructor's to judge
    if kind is Literal:
        return value in inner
    if isinstance(value, bool):
        return kind is bool
    if kind in WORDS:
        return isinstance(value, (int, float) if kind is float else kind)
    if kind in LISTS:
        return isinstance(value, list) and all(fits(x, inner[0]) for x in value if inner)
    if kind in MAPPINGS:
        return isinstance(value, Mapping) and all(fits(x, inner[1]) for x in value.values() if inner)
    return not isinstance(kind, type) or (kind is Path and isinstance(value, str))


def describe(hint: Any) -> str:
    """A type in words."""
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind in UNIONS:
        return " or ".join(dict.fromkeys(map(describe, inner)))
    if kind is Literal:
        return " or ".join(map(str, inner))
    if kind in WORDS:
        return WORDS[kind]
    if kind in LISTS:
        return "a list" + (f" (each {describe(inner[0])})" if inner else "")
    if kind in MAPPINGS:
        return "a mapping" + (f" (each {describe(inner[1])})" if inner else "")
    return f"a {getattr(kind, '__name__', kind)}"
