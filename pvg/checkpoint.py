"""Checkpoints: one file each, written so that a kill at any moment leaves a good one behind.

TorchRL's `Checkpoint` and `CheckpointRotation` are not used: they write a folder of files without fsync or
checksums, don't fall back when the newest is damaged, and take five times as long for a small network.
"""

import logging
import os
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchrl.checkpoint import GlobalRNGState

from pvg.errors import UserError

log = logging.getLogger(__name__)

FORMAT = 1
NAME = re.compile(r"checkpoint-(\d{9,})\.pt")
SCALARS = (type(None), bool, int, float, str, bytes, torch.Size, torch.dtype, torch.device)
UNREADABLE = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    KeyError,
    zipfile.BadZipFile,
    pickle.UnpicklingError,
)


def save(folder: str | Path, state: Mapping[str, Any], step: int, keep: int = 3) -> Path:
    """Write `folder/checkpoint-STEP.pt` in one atomic move, then remove all but the newest `keep`.

    `state` holds dicts, lists and tuples of tensors, numbers, strings and None, and nothing else, so that loading
    needs no code from the file (`torch.load(weights_only=True)`). Checkpoints of later steps are removed too: the
    run that wrote them has been resumed from an earlier one. Under `torchrun` one process calls this.

    Returns the file's path. Raises `TypeError` for a value of another type, naming where it is, and `UserError`
    when the disk won't take the file; the checkpoints before it are then untouched.
    """
    if step < 0 or keep < 1:
        raise ValueError(f"save needs step >= 0 and keep >= 1, got step={step}, keep={keep}")
    _check_plain(state, "state")
    folder = Path(folder)
    path = folder / f"checkpoint-{step:09d}.pt"
    temporary = folder / f".{path.name}.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            torch.save({"pvg_checkpoint": FORMAT, "step": step, "state": dict(state)}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(folder)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise UserError(
            f"The checkpoint {path} could not be written ({error}). Make room or choose another folder; "
            "the checkpoints before it are untouched."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    kept = [other for other in _all(folder) if _step(other) <= step][-keep:]
    for other in _all(folder):
        if other not in kept:
            other.unlink(missing_ok=True)
    for leftover in folder.glob(".checkpoint-*.tmp"):  # of a process that was killed while writing
        leftover.unlink(missing_ok=True)
    return path


def latest(folder: str | Path) -> Path | None:
    """Return the checkpoint of the highest step in `folder` or in `folder/checkpoints`, None when there is none."""
    folder = Path(folder)
    paths = _all(folder) or _all(folder / "checkpoints")
    return paths[-1] if paths else None


def load(path: str | Path, map_location: str | torch.device = "cpu") -> dict[str, Any]:
    """Return the state of a checkpoint file, or of the newest readable one in a run's folder, with its `step`.

    In a folder, a damaged newest checkpoint is passed over with a warning. Raises `UserError` when there is no
    checkpoint, or when no readable one is left.
    """
    path = Path(path)
    if not path.is_dir():
        return _read(path, map_location)
    newest = latest(path)
    if newest is None:
        raise UserError(
            f"{path} holds no checkpoint (checkpoint-*.pt). Name the folder of a run that has saved one."
        )
    first_error = None
    for candidate in reversed(_all(newest.parent)):
        try:
            state = _read(candidate, map_location)
        except UserError as error:
            first_error = first_error or error
            continue
        if first_error is not None:
            log.warning("%s Going on from the one before it, step %d.", first_error, state["step"])
        return state
    assert first_error is not None
    raise first_error


def load_weights(module: nn.Module, state: Mapping[str, Any], what: str) -> None:
    """Copy a state dict into `module`, or change nothing.

    `what` names the module to the user ("the verifier's network"). Raises `UserError` with the first key that is
    missing, left over or of another shape.
    """
    own = module.state_dict()
    problem = None
    for key, value in own.items():
        if key not in state:
            problem = f"it has no {key}"
        elif not isinstance(value, torch.Tensor) or nn.parameter.is_lazy(value):
            continue
        elif (there := _shape(state[key])) != (here := tuple(value.shape)):
            problem = f"its {key} has shape {there}, the configured one {here}"
        if problem:
            break
    else:
        extra = next((key for key in state if key not in own), None)
        problem = extra and f"it has {extra}, which the configured one has not"
    if problem:
        raise UserError(
            f"The checkpoint doesn't fit {what}: {problem}. Give the settings of the run that wrote it (its folder "
            "holds the resolved config), or start without this checkpoint."
        )
    module.load_state_dict(dict(state))


def random_states() -> dict[str, Any]:
    """Return the states of Python's, NumPy's and torch's global generators, CPU and accelerators, for `save`."""
    return GlobalRNGState().state_dict()


def set_random_states(states: Mapping[str, Any]) -> None:
    """Put back what `random_states` returned; accelerators that this machine lacks are passed over with a warning."""
    states = dict(states)
    saved = states.pop("torch_cuda", [])
    here = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if len(saved) > here:
        log.warning(
            "The checkpoint was written with %d GPUs and there are %d here: numbers drawn on a GPU will differ.",
            len(saved),
            here,
        )
    if saved[:here]:
        states["torch_cuda"] = saved[:here]
    GlobalRNGState().load_state_dict(states)


def _read(path: Path, map_location: str | torch.device) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:  # torch.load doesn't compare the checksums
            damaged = archive.testzip()
        if damaged:
            raise zipfile.BadZipFile(f"wrong checksum in {damaged}")
        content = torch.load(path, map_location=map_location, weights_only=True)
    except FileNotFoundError as error:
        raise UserError(
            f"There is no checkpoint {path}. Name a file checkpoint-*.pt or a run's folder."
        ) from error
    except UNREADABLE as error:
        reason = str(error).split("\n")[0].split(". ")[0]
        raise UserError(
            f"The checkpoint {path} can't be read: it is damaged, cut short or no checkpoint at all ({reason}). "
            "Name another one of the same run, or start anew."
        ) from error
    if not isinstance(content, dict) or "pvg_checkpoint" not in content:
        raise UserError(
            f"{path} is not a checkpoint of pvg, though torch can read it. Name a checkpoint-*.pt of a run."
        )
    if content["pvg_checkpoint"] != FORMAT:
        raise UserError(
            f"The checkpoint {path} is of format {content['pvg_checkpoint']}, and this version of pvg reads "
            f"format {FORMAT}. Use the version that wrote it."
        )
    return {**content["state"], "step": content["step"]}


def _check_plain(value: Any, where: str) -> None:
    """Raise now, when saving, what would otherwise make the file unreadable when it is needed."""
    if type(value) in (dict, OrderedDict):
        for key, item in value.items():
            if type(key) not in (str, int):
                raise TypeError(f"a checkpoint's keys are strings or whole numbers: {where} has {key!r}")
            _check_plain(item, f"{where}[{key!r}]")
    elif type(value) in (list, tuple):
        for index, item in enumerate(value):
            _check_plain(item, f"{where}[{index}]")
    elif type(value) not in (*SCALARS, torch.Tensor, nn.Parameter):
        raise TypeError(
            f"{where} is a {type(value).__module__}.{type(value).__qualname__}, and a checkpoint holds tensors, "
            "numbers, strings, dicts, lists and tuples: convert it first (arrays to tensors, TensorDicts by to_dict())"
        )


def _shape(value: Any) -> tuple[int, ...] | str:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__


def _step(path: Path) -> int:
    match = NAME.fullmatch(path.name)
    assert match
    return int(match[1])


def _all(folder: Path) -> list[Path]:
    """The checkpoints right in `folder`, lowest step first."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if NAME.fullmatch(path.name)), key=_step)


def _sync_folder(folder: Path) -> None:
    """Make the move itself survive a power cut (POSIX: a rename is on disk once its folder is)."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
