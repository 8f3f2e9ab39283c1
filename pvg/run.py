"""The one entry point: ``python -m pvg.run [group=choice ...] [key=value ...]``; ``--help`` tells the rest."""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("RL_LOGGING_LEVEL", "ERROR")  # before anything imports torchrl: it logs at import

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from pvg import schema
from pvg.errors import UserError, explain
from pvg.memory import keep_memory
from pvg.program import Program

CONFIGS = str(Path(__file__).resolve().parents[1] / "configs")
TRACEBACKS = os.environ.get("HYDRA_FULL_ERROR") == "1"  # asked for by the user

KEYS: dict[str, Any] = {  # at the top of every config; a program adds its own
    "program": str,
    "mode": str,
    "seed": int,
    "device": str,
    "threads": int | None,
    "folder": str | int | None,
    "exp_id": str | int | None,
    "resume": str | None,
    "checkpoint": str | None,
    "checkpoint_every": int,
}
AGAIN = ("mode", "device", "threads")  # what may be overridden on a saved run beside the keys of its parts
PLACED = ("exp_id", "folder", "resume", "engine.address")  # where a run lies and is computed, not what it is
JUDGED = "evaluation"  # the group of which a saved run takes another file


def run(config: DictConfig) -> None:
    """Make the program that the config names and do what ``mode`` says.

    Raises:
        UserError: for what the user can mend.
    """
    if config.device == "auto":
        config.device = "cuda" if torch.cuda.is_available() else "cpu"
    plain: Any = OmegaConf.to_container(config, resolve=True)
    program = locate_program(config)
    keys = {**KEYS, **program.keys}
    schema.check_values({k: v for k, v in plain.items() if k in keys}, keys)
    schema.check(plain)
    if config.mode not in (there := modes(program)):
        raise UserError(f"mode={config.mode}: this experiment can {' or '.join(there)}.")
    for key in ("threads", "checkpoint_every"):
        if config[key] is not None and config[key] < 1:
            raise UserError(f"{key}={config[key]}: write 1 or more.")
    if config.threads:
        torch.set_num_threads(config.threads)
    keep_memory()
    _check_device(config.device)
    getattr(program(config), config.mode)()


def locate_program(config: DictConfig) -> type[Program]:
    """The class that the config's ``program`` names.

    Raises:
        UserError: there is none, or it is no program.
    """
    program = schema.locate(str(config.program), "program")
    if not (isinstance(program, type) and issubclass(program, Program)):
        raise UserError(f"program={config.program}: name a class derived from pvg.program.Program.")
    return program


def modes(program: type[Program]) -> list[str]:
    """What a program can do: its public methods, inherited ones first."""
    names = dict.fromkeys(name for base in reversed(program.__mro__) for name in vars(base))
    return [n for n in names if not n.startswith("_") and inspect.isfunction(getattr(program, n))]


def check_pair(env: str, program: str) -> None:
    """See that a program plays an environment.

    Their files tell: the environment that an experiment comes with chooses from some groups (who plays, how to search),
    and whatever else that experiment plays chooses from all of these; of two that choose from the same, the one whose
    own environment chooses more alike.

    Raises:
        UserError: another experiment plays it. Environments and programs of the user's own go with any.
    """
    common, own = _defaults(_read(Path(CONFIGS, "run.yaml"))), {}
    for path in sorted(Path(CONFIGS, "experiment").glob("*.yaml")):
        if "program" in (file := _read(path)):  # others only add to one of these
            own[file["program"]] = path.stem, _choices((common | _defaults(file))["env"])
    if program not in own or not Path(CONFIGS, "env", f"{env}.yaml").is_file():
        return
    there = _choices(env)
    fit = max(
        (one for one in own.values() if one[1].keys() <= there.keys()),
        key=lambda one: (len(one[1]), len(one[1].items() & there.items())),
        default=own[program],
    )
    if fit != own[program]:
        raise UserError(
            f"env={env} is played by experiment={fit[0]}, and this is experiment={own[program][0]}: write "
            f"experiment={fit[0]}, or choose another env."
        )


def _choices(env: str) -> dict[str, str]:
    """What an environment's file, and those that it builds on, choose, by group."""
    file = _read(Path(CONFIGS, "env", f"{env}.yaml"))
    above = [name for name in file.get("defaults", []) if isinstance(name, str) and name != "_self_"]
    return {group: name for one in above for group, name in _choices(one).items()} | _defaults(file)


def _defaults(file: dict[str, Any]) -> dict[str, str]:
    """What a file's defaults choose, by group."""
    chosen = [entry for entry in file.get("defaults", []) if isinstance(entry, dict)]
    return {str(k).removeprefix("override ").lstrip("/"): v for entry in chosen for k, v in entry.items()}


def _read(path: Path) -> dict[str, Any]:
    found: Any = OmegaConf.to_container(OmegaConf.load(path))
    return found


def _check_device(device: str) -> None:
    try:
        kind = torch.device(device)
    except RuntimeError:
        raise UserError(f"device={device}: write cpu, cuda, cuda:1 for the second GPU, or auto.") from None
    here = torch.cuda.device_count()
    if kind.type == "cuda" and (kind.index or 0) >= here:
        raise UserError(
            f"device={device}: torch sees {here or 'no'} GPU here. Set device=cpu, or check the driver."
        )


def go_on(config: DictConfig) -> None:
    """Have a run that ``exp_id`` names go on if it has begun; its folder is ``runs/ID``, or ``folder``.

    Raises:
        UserError: it has begun with other settings, or the name is none for a folder.
    """
    name = str(config.exp_id)
    if not re.fullmatch(r"[\w.=+-]+", name) or set(name) == {"."}:
        raise UserError(f"exp_id={name}: it names a folder, so write letters, digits, '.', '_' and '-' only.")
    config.folder = folder = str(config.folder or Path("runs") / name)
    file = Path(folder) / "config.yaml"
    if not file.is_file():
        return
    there, here = (_flat(OmegaConf.to_container(c, resolve=True)) for c in (OmegaConf.load(file), config))
    for key in sorted({*there, *here} - {*AGAIN, *PLACED}):
        if there.get(key) != here.get(key):
            raise UserError(
                f"exp_id={name} has begun with {key}={there.get(key)}, and now it is {here.get(key)}. Leave {key} as "
                "it was to go on with that run, or choose another exp_id for a new one."
            )
    config.resume = folder


def _flat(node: Any, key: str = "") -> dict[str, Any]:
    """What a config holds, by its keys with dots."""
    if not isinstance(node, dict) or not node:
        return {key: node}
    parts = (_flat(value, f"{key}.{name}".lstrip(".")) for name, value in node.items())
    return {k: v for part in parts for k, v in part.items()}


def saved_config(arguments: list[str]) -> DictConfig | None:
    """The config of a run that the arguments go back to (``resume=`` or ``checkpoint=``), overrides applied.

    Raises:
        UserError: no such run, or overrides that a saved run can't take.
    """
    given = dict(a.split("=", 1) for a in arguments if "=" in a)
    name = "resume" if given.get("resume") else "checkpoint"
    if given.get(name, "") in ("", "null", "None") or {"-h", "--help"} & set(arguments):
        return None
    path = Path(given[name])
    file = (path if path.is_dir() else path.parent.parent) / "config.yaml"
    if not file.is_file():
        raise UserError(
            f"{name}={path}: there is no {file}, so this is no folder of a run. Give one such as runs/DATE."
        )
    try:
        config = OmegaConf.load(file)
    except (OSError, YAMLError) as error:
        raise UserError(f"{file} can't be read ({error}). Put it right or start a new run.") from None
    if not isinstance(config, DictConfig) or "mode" not in config:
        raise UserError(f"{file} is not the config of a run. Give a run's folder, such as runs/DATE.")
    others = [a for a in arguments if not a.startswith((f"{name}=", "experiment="))]
    if name == "resume" and (extra := [a for a in others if not a.startswith("threads=")]):
        raise UserError(f"A resumed run keeps its settings: leave out {' '.join(extra)}, or start a new run.")
    if given.get("mode", "evaluate") == "train":
        raise UserError(
            f"mode=train and checkpoint={path}: to go on with that run write resume={path}; to start a new one "
            f"from an agent's weights write agents.NAME.weights={path}."
        )
    config[name] = str(path)
    config.mode = "train" if name == "resume" else "evaluate"
    for argument in sorted(others, key=lambda a: not a.startswith(f"{JUDGED}=")):  # the file before its keys
        if argument.startswith(f"{JUDGED}=") and JUDGED in config:
            with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
                config[JUDGED] = hydra.compose("run", [argument])[JUDGED]
        else:
            _override(config, argument, str(file))
    return config


def _override(config: DictConfig, argument: str, file: str) -> None:
    """Apply ``key=value`` to a saved config; its references are resolved, so only a part's own keys have effect."""
    key, equals, value = argument.lstrip("+").partition("=")
    *parts, last = key.split(".")
    parent = OmegaConf.select(config, ".".join(parts)) if parts else config
    known = isinstance(parent, DictConfig) and last in set(map(str, parent))
    if not equals or not known or not (parts or key in AGAIN):
        raise UserError(
            f"{argument}: not something to override on a saved run. It takes {', '.join(AGAIN)} and the keys of its "
            f"parts, such as env.slots, as they stand in {file}."
        )
    OmegaConf.update(config, key, OmegaConf.from_dotlist([f"x={value}"]).x)


# --------------------------------------------------------------------- errors
@contextlib.contextmanager
def said_in_words() -> Iterator[None]:
    """Say the user's mistakes in a paragraph on stderr, and leave; HYDRA_FULL_ERROR=1 shows tracebacks instead."""
    try:
        yield
    except (UserError, OmegaConfBaseException, HydraException) as error:
        if TRACEBACKS:
            raise
        if os.environ.get("RANK", "0") == "0":  # replicas all make the same mistake
            print(textwrap.fill(f"pvg: {in_words(error)}", 100, break_on_hyphens=False), file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("\npvg: interrupted", file=sys.stderr)
        raise SystemExit(130) from None


def in_words(error: BaseException) -> str:
    """What was wrong and what to do."""
    inner: BaseException | None = error
    while inner is not None:  # Hydra wraps what a constructor raises: the user's own mistake is inside
        if isinstance(inner, UserError):
            return " ".join(str(inner).split())
        inner = inner.__cause__
    if isinstance(error, MissingConfigException) and error.options:
        group, _, choice = str(error.missing_cfg_file).rpartition("/")
        return f"{group}={choice}: there is no such choice. There are {', '.join(error.options)}."
    if isinstance(error, InstantiationException):
        part = str(error).rpartition("full_key: ")[2]
        return f"{part} can't be built from its settings ({explain(error)}). HYDRA_FULL_ERROR=1 shows more."
    parent = getattr(error.__cause__, "parent_node", None)
    if isinstance(parent, DictConfig) and (found := re.match(r"Could not override '(.*?)'", str(error))):
        return _unknown_key(found[1], parent)
    said = str(error).partition("Config search path")[0].partition("\nSee https")[0]
    return f"{' '.join(said.split())} (python -m pvg.run --help lists choices and keys.)"


def _unknown_key(key: str, parent: DictConfig) -> str:
    *parts, last = key.split(".")
    if last in (
        schema.parameters(schema.locate(parent["_target_"], key)) or () if "_target_" in parent else ()
    ):
        return f"{key}: the config leaves it at its default. To set it write a plus before it: +{key}=VALUE"
    there = [str(name) for name in parent if name not in ("hydra", "_target_")]
    inside = ".".join(parts[: parts.index(parent._key()) + 1]) if parent._key() in parts else ""
    return f"There is no key {key}. {inside or 'pvg'} has {', '.join(there) or 'no keys'}."


# --------------------------------------------------------------------- the command line
@hydra.main(config_path=CONFIGS, config_name="run", version_base="1.3")
def _composed(config: DictConfig) -> None:
    with said_in_words():
        check_pair(str(HydraConfig.get().runtime.choices.get("env")), str(config.program))
        known = {*KEYS, *locate_program(config).keys}
        referred = set(re.findall(r"\$\{(\w+)", OmegaConf.to_yaml(config)))
        for key, value in ((str(k), v) for k, v in config.items()):
            if key not in known and key not in referred and not isinstance(value, DictConfig):
                raise UserError(f"{key}: nothing reads this key. Take it out of the config.")
        job = HydraConfig.get()
        many = job.mode == RunMode.MULTIRUN
        if many and config.exp_id is not None:
            raise UserError(f"exp_id={config.exp_id}: a sweep numbers its runs. Leave exp_id out.")
        if many:
            config.folder = str(Path(str(config.folder or job.sweep.dir)) / str(job.job.num))
            print(f"\nrun {job.job.num}: {' '.join(job.overrides.task)}", file=sys.stderr)
        elif config.exp_id is not None:
            if config.mode != "train":
                there = config.folder or f"runs/{config.exp_id}"
                raise UserError(
                    f"exp_id={config.exp_id} names a run that trains. With mode={config.mode} leave it out, or write "
                    f"checkpoint={there} to take what that run has learned."
                )
            go_on(config)
        run(config)


def _warning(message: Warning | str, category: type[Warning], filename: str, lineno: int, line=None) -> str:
    """A warning as it is printed: our own in words alone."""
    if Path(filename).is_relative_to(Path(__file__).parent):
        return f"pvg: {message}\n"
    return f"{filename}:{lineno}: {category.__name__}: {message}\n"


def main() -> None:
    """Run what the command line asks for."""
    warnings.formatwarning = _warning
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra hands its errors to us, and we say them
    with said_in_words():
        config = saved_config(sys.argv[1:])
        _composed() if config is None else run(config)


if __name__ == "__main__":
    main()
