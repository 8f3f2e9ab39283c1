"""The one entry point: ``python -m pvg.run [group=choice ...] [key=value ...]``; ``--help`` tells the rest."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path

os.environ.setdefault("TORCHRL_LOGGING", "ERROR")  # before anything imports torchrl: it logs at import

import hydra
import torch
from hydra.errors import HydraException
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pvg.errors import UserError

CONFIGS = str(Path(__file__).resolve().parents[1] / "configs")


def run(config: DictConfig) -> None:
    """Make the program that the config names and do what ``mode`` says.

    Raises:
        UserError: for what the user can mend.
    """
    program = get_class(config.program)
    modes = [name for name, value in vars(program).items() if callable(value) and not name.startswith("_")]
    if config.mode not in modes:
        raise UserError(f"mode={config.mode}: this experiment can {' or '.join(modes)}.")
    if config.threads:
        torch.set_num_threads(config.threads)
    if str(config.device).startswith("cuda") and not torch.cuda.is_available():
        raise UserError(
            f"device={config.device}: torch sees no GPU here. Leave device at cpu, or check the driver."
        )
    getattr(program(config), config.mode)()


def saved_config(arguments: list[str]) -> DictConfig | None:
    """The config of a run that the arguments go back to (``resume=`` or ``checkpoint=``), overrides applied.

    Raises:
        UserError: no such run, or overrides that a saved run can't take.
    """
    given = dict(a.split("=", 1) for a in arguments if "=" in a)
    name = "resume" if given.get("resume") else "checkpoint"
    if not given.get(name) or given[name] in ("null", "None"):
        return None
    path = Path(given[name])
    file = (path if path.is_dir() else path.parent.parent) / "config.yaml"
    if not file.is_file():
        raise UserError(
            f"{name}={path}: there is no {file}, so this is no folder of a run. Give one such as runs/DATE."
        )
    config = OmegaConf.load(file)
    assert isinstance(config, DictConfig)
    OmegaConf.set_struct(config, True)
    if name == "resume":
        extra = [a for a in arguments if not a.startswith(("resume=", "experiment=", "threads="))]
        if extra:
            raise UserError(
                f"A resumed run keeps its settings: leave out {' '.join(extra)}, or start a new run."
            )
    groups = {p.name for p in Path(CONFIGS).iterdir() if p.is_dir()}
    names = _keys(config)
    for argument in arguments:
        key, equals, value = argument.lstrip("+").partition("=")
        if key == "experiment":
            continue
        if not equals or key in groups or key not in names:
            hint = "groups are fixed by the run" if key in groups else "see its config.yaml for the keys"
            raise UserError(f"{argument}: not something to override on a saved run ({hint}: {file}).")
        OmegaConf.update(config, key, OmegaConf.from_dotlist([f"x={value}"]).x)
    if name == "checkpoint" and "mode" not in given:
        config.mode = "evaluate"
    return config


def _keys(config: DictConfig, prefix: str = "") -> set[str]:
    names = set()
    for key in map(str, config):
        names.add(f"{prefix}{key}")
        if isinstance(value := OmegaConf.select(config, key), DictConfig):
            names |= _keys(value, f"{prefix}{key}.")
    return names


def say_error(error: BaseException) -> None:
    """One paragraph on stderr: what was wrong and what to do."""
    text = " ".join(str(error).split())
    print("\n" + textwrap.fill(f"pvg: {text}", 100), file=sys.stderr)


def _guarded(config: DictConfig) -> None:
    try:
        run(config)
    except (UserError, OmegaConfBaseException, HydraException) as error:
        say_error(_root(error))
        raise SystemExit(2) from None


def _root(error: BaseException) -> BaseException:
    """Hydra wraps what a constructor raises: the user's own mistake is inside."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, UserError):
            return inner
        inner = inner.__cause__
    return error


@hydra.main(config_path=CONFIGS, config_name="run", version_base="1.3")
def _composed(config: DictConfig) -> None:
    _guarded(config)


def main() -> None:
    """Run what the command line asks for."""
    arguments = sys.argv[1:]
    try:
        config = saved_config(arguments)
    except UserError as error:
        say_error(error)
        raise SystemExit(2) from None
    _composed() if config is None else _guarded(config)


if __name__ == "__main__":
    main()
