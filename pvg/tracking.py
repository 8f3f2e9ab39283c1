"""Where a run's numbers go: always one wide CSV file, and any loggers that the config names beside it."""

import contextlib
import csv
import functools
import html
import io
import logging
import os
import textwrap
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pvg.errors import UserError

log = logging.getLogger(__name__)


class Logger(Protocol):
    """What a logger does beside the CSV file. The tracker opens it once and closes it once."""

    def open(self, folder: Path, config: Mapping[str, Any], resume_step: int | None) -> None:
        """Start to log into `folder`; after a resume, everything beyond `resume_step` will be logged again."""

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Take one step's numbers."""

    def image(self, name: str, path: Path, step: int) -> None:
        """Take a PNG file."""

    def text(self, name: str, text: str, step: int) -> None:
        """Take a text."""

    def close(self) -> None:
        """Send what is left, and end."""


class Tracker:
    """Log a run's metrics, pictures and texts.

    `folder` gets `metrics.csv` (one row a step, one column a metric; empty where a step had no such metric) and
    `texts/NAME-STEP.txt`. With `folder=None` nothing is logged: replicas other than the first are given that.
    `loggers` are those beside the CSV file: a mapping, so that YAML can merge and override them by name (a None is
    passed over), or just a list. One that fails is dropped with a warning, and the run goes on.

    With `resume_step` the rows of later steps are cut; without it, a metrics file in `folder` is replaced.
    """

    def __init__(
        self,
        folder: str | Path | None,
        loggers: Mapping[str, Logger | None] | Iterable[Logger | None] = (),
        *,
        config: Mapping[str, Any] | None = None,
        resume_step: int | None = None,
    ) -> None:
        self.folder = None if folder is None else Path(folder)
        self.loggers: list[Logger] = []
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.metrics = MetricsFile(self.folder / "metrics.csv", resume_step)
        chosen = loggers.values() if isinstance(loggers, Mapping) else loggers
        self.loggers = [logger for logger in chosen if logger is not None]
        self._tell("open", self.folder, config or {}, resume_step)

    def log(self, metrics: Mapping[str, Any], step: int) -> None:
        """Log numbers (or one-element tensors) under their names, such as `verifier/loss`.

        Two calls with the same step share a row. Raises `TypeError` for what is not one number.
        """
        numbers = {name: _number(name, value) for name, value in metrics.items()}
        if self.folder is not None:
            self.metrics.write(numbers, step)
            self._tell("log", numbers, step)

    def image(self, name: str, path: str | Path, step: int) -> None:
        """Hand a PNG file, already written, to the loggers."""
        self._tell("image", name, Path(path), step)

    def text(self, name: str, text: str, step: int) -> None:
        """Write `texts/NAME-STEP.txt` and hand the text to the loggers."""
        if self.folder is not None:
            path = self.folder / "texts" / f"{name}-{step}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            self._tell("text", name, text, step)

    def close(self) -> None:
        """End the loggers; a second call does nothing."""
        self._tell("close")
        self.loggers = []

    def __enter__(self) -> "Tracker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tell(self, method: str, *arguments: Any) -> None:
        for logger in list(self.loggers):
            try:
                getattr(logger, method)(*arguments)
            except Exception as error:  # hours of training must not end for a logger's sake
                self.loggers.remove(logger)
                log.warning(
                    "%s failed (%s: %s) and is dropped; metrics.csv goes on.",
                    type(logger).__name__,
                    type(error).__name__,
                    str(error).split("\n")[0],
                )


class MetricsFile:
    """A wide CSV file that grows by rows and by columns, and is whole after every write.

    TorchRL's CSVLogger is not used: it keeps one file a metric, and doesn't know how to resume.
    """

    def __init__(self, path: Path, resume_step: int | None = None) -> None:
        self.path = path
        rows = [] if resume_step is None else [row for row in _rows(path) if int(row["step"]) <= resume_step]
        self.columns = list(rows[0]) if rows else ["step"]
        self.last_row: dict[str, str] = {}
        self.last_start = 0
        self._rewrite(rows)

    def write(self, metrics: Mapping[str, float], step: int) -> None:
        """Append a row, or add to the last one when it is of the same step."""
        row = {"step": str(step)} | {name: repr(value) for name, value in metrics.items()}
        if len(row) == len(metrics):
            raise ValueError("a metric can't be called step: that is the name of the first column")
        same_step = self.last_row.get("step") == row["step"]
        if same_step:
            row = self.last_row | row
        if new := [name for name in row if name not in self.columns]:
            self.columns += new
            self._rewrite(_rows(self.path))
        with open(self.path, "r+b") as file:
            file.seek(self.last_start if same_step else 0, os.SEEK_SET if same_step else os.SEEK_END)
            self.last_start = file.tell()
            file.write(_line(row.get(name, "") for name in self.columns))
            file.truncate()
        self.last_row = row

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        lines = [_line(self.columns)] + [_line(row.get(name, "") for name in self.columns) for row in rows]
        temporary = self.path.with_suffix(".tmp")
        temporary.write_bytes(b"".join(lines))
        os.replace(temporary, self.path)
        self.last_row = rows[-1] if rows else {}
        self.last_start = sum(map(len, lines[:-1]))


def read_metrics(folder: str | Path) -> dict[str, np.ndarray]:
    """Return the columns of a run's `metrics.csv`, each of shape [rows], NaN where a step had no such metric.

    Raises `UserError` when the folder has none.
    """
    path = Path(folder) / "metrics.csv"
    if not path.is_file():
        raise UserError(f"{folder} holds no metrics.csv. Name the folder of a run.")
    rows = _rows(path)
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in (rows[0] if rows else ())}


class WandB:
    """Weights & Biases, online or offline, without a prompt and without a word on the console.

    `mode` is `online`, `offline` or `off`; the environment's WANDB_MODE comes first. Online needs credentials (see
    `wandb login`; WANDB_API_KEY will do) and a server that answers; else the run is kept offline, said once.
    A resumed run goes on under its old id, kept in `FOLDER/wandb/run-id`. Further arguments, such as `entity`,
    `group` or `tags`, go to `wandb.init`. Raises `UserError` for another mode.
    """

    def __init__(self, project: str = "pvg", mode: str = "offline", **init: Any) -> None:
        mode = "off" if mode is False else mode  # YAML reads a bare `off` as False
        if mode not in ("online", "offline", "off"):
            raise UserError(f"W&B's mode is online, offline or off, not {mode!r}.")
        self.project, self.mode, self.init = project, mode, init
        self.logger: Any = None

    def open(self, folder: Path, config: Mapping[str, Any], resume_step: int | None) -> None:
        mode = os.environ.get("WANDB_MODE", self.mode)
        mode = {"dryrun": "offline", "disabled": "off"}.get(mode, mode)
        if mode == "off":
            return
        if mode == "online" and (obstacle := _obstacle()):
            mode = "offline"
            _say_once(
                f"W&B: {obstacle}, so runs are kept offline; `wandb sync FOLDER/wandb/offline-run-*` sends them."
            )
        id_file = folder / "wandb" / "run-id"
        known = id_file.read_text().strip() if resume_step is not None and id_file.is_file() else None
        # W&B's sweep agent gives an id. uuid4 leaves the seeded generators alone.
        run_id = os.environ.get("WANDB_RUN_ID") or known or uuid.uuid4().hex[:8]
        try:
            self._start(folder, config, run_id, mode)
        except Exception as error:
            if mode == "offline":
                raise
            _say_once(f"W&B can't go online ({str(error).splitlines()[0]}), so runs are kept offline.")
            run_id = uuid.uuid4().hex[:8]  # W&B's service holds on to the failed one
            self._start(folder, config, run_id, "offline")
        id_file.write_text(run_id + "\n")

    def _start(self, folder: Path, config: Mapping[str, Any], run_id: str, mode: str) -> None:
        import wandb
        from torchrl.record.loggers import WandbLogger

        os.environ.setdefault(
            "WANDB_DISABLE_WEAVE", "true"
        )  # it would advertise where vLLM has imported openai
        self.logger = WandbLogger(
            exp_name=folder.resolve().name,
            log_dir=str(folder),
            id=run_id,
            project=self.project,
            mode=mode,  # TorchRL's own `offline=True` sets WANDB_MODE for the whole process and its children
            config=dict(config),
            log_env_packages=False,
            settings=wandb.Settings(
                silent=True, console="off", init_timeout=20, finish_timeout=60, reinit="create_new"
            ),
            **self.init,
        )

    def log(self, metrics: dict[str, float], step: int) -> None:
        if self.logger:
            self.logger.log_metrics(metrics, step=step)

    def image(self, name: str, path: Path, step: int) -> None:
        if self.logger:
            import wandb

            self.logger.log_metrics({name: wandb.Image(str(path))}, step=step)

    def text(self, name: str, text: str, step: int) -> None:
        if self.logger:
            import wandb

            self.logger.log_metrics({name: wandb.Html(f"<pre>{html.escape(text)}</pre>")}, step=step)

    def close(self) -> None:
        if self.logger:
            self.logger.close()
            self.logger = None


class TensorBoard:
    """TensorBoard event files in `FOLDER/tensorboard`.

    TorchRL's TensorboardLogger is not used: it can't purge the steps that a resumed run will log again.
    """

    writer: Any = None

    def open(self, folder: Path, config: Mapping[str, Any], resume_step: int | None) -> None:
        from torch.utils.tensorboard import SummaryWriter

        purge = None if resume_step is None else resume_step + 1
        self.writer = SummaryWriter(str(folder / "tensorboard"), purge_step=purge)

    def log(self, metrics: dict[str, float], step: int) -> None:
        for name, value in metrics.items():
            self.writer.add_scalar(name, value, step)

    def image(self, name: str, path: Path, step: int) -> None:
        from PIL import Image

        with Image.open(path) as picture:
            self.writer.add_image(name, np.asarray(picture.convert("RGB")), step, dataformats="HWC")

    def text(self, name: str, text: str, step: int) -> None:
        self.writer.add_text(name, textwrap.indent(text, "    "), step)  # Markdown's code block

    def close(self) -> None:
        self.writer.close()


@functools.cache  # a sweep in one process asks once
def _obstacle(timeout: float = 3.0) -> str | None:
    """What keeps W&B from going online, None when nothing does."""
    import wandb

    with contextlib.redirect_stderr(io.StringIO()):  # it says where it found a key
        has_key = wandb.login(prompt=False, verify=False)
    if not has_key:
        return "there is no key (WANDB_API_KEY, or `wandb login`)"
    url = os.environ.get("WANDB_BASE_URL") or wandb.Settings().base_url
    answers: list[bool] = []

    def ask() -> None:
        try:
            urllib.request.urlopen(url, timeout=timeout).close()
        except urllib.error.HTTPError:  # it answers, and that is all we ask
            pass
        except (OSError, ValueError):
            return
        answers.append(True)

    # A thread, since looking up a host's name knows no time limit.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    return None if answers else f"{url} does not answer"


@functools.cache
def _say_once(message: str) -> None:
    log.warning(message)


def _number(name: str, value: Any) -> float:
    with contextlib.suppress(RuntimeError, ValueError):  # several elements: refused below
        value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, (int, float)):
        raise TypeError(f"metric {name!r} must be one number, and is {value!r}")
    return value


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file as cells by column; a row that a kill cut short is left out."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    lines = csv.reader(text[: text.rfind("\n") + 1].splitlines())
    header = next(lines, [])
    return [dict(zip(header, cells, strict=True)) for cells in lines if len(cells) == len(header)]
