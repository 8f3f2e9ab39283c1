"""A run, whatever it trains: its folder, progress, checkpoints, resuming, stopping, and the results it ends with."""

from __future__ import annotations

import json
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from pvg import checkpoint as checkpoints
from pvg.errors import UserError
from pvg.report.console import Bar
from pvg.tracking import Tracker
from pvg.trainers import replicas

REPLICA_SEEDS = 1_000_003  # from a seed of one replica to that of the next


class Trainer(Protocol):
    """What a program trains with.

    ``iteration`` of ``iterations`` are done. ``train`` does the others and calls ``report(iteration, metrics)`` after
    each; a report may raise, which ends it. A trainer that has loaded a state goes on to the same numbers. The state
    is one that :func:`pvg.checkpoint.save` takes, and all replicas have the same.
    """

    iteration: int
    iterations: int

    def train(self, report: Callable[[int, dict[str, float]], None] | None = None) -> None: ...
    def state_dict(self) -> dict: ...
    def load_state_dict(self, saved: dict) -> None: ...


class Program(ABC):
    """What every experiment needs around its own training; every public method is a mode (``mode=train``).

    A subclass says what is trained and how it is judged in the methods below that have an underscore, as a TorchRL
    environment does in ``_step``. ``_build``, ``_trainer``, ``_take``, ``_judge`` and ``_show`` must be there;
    the rest have defaults. Further public methods are further modes.

    Args:
        config: as composed from ``configs/run.yaml``, or as saved by an earlier run.

    Attributes:
        keys: the types of the keys, beside those of every run, that the program's configs have at the top.
        rank, world: which replica this is, of how many (``torchrun``); the first writes and judges.
        device: where this replica computes.
        seed_offset: to be added to seeds that replicas must not share.
    """

    keys: Mapping[str, Any] = {}

    def __init__(self, config: DictConfig):
        self.config = config
        self.clock = Clock()
        self.rank, self.world, self.device = replicas.start(config.device)
        self.seed_offset = REPLICA_SEEDS * self.rank

    # ------------------------------------------------------------------ what a subclass says
    @abstractmethod
    def _build(self) -> None:
        """Make what the config names; complain of what is wrong in it, since nothing has been written yet."""

    @abstractmethod
    def _trainer(self) -> Trainer:
        """The trainer of what has been built."""

    @abstractmethod
    def _take(self, state: dict) -> None:
        """Take from a trainer's saved state what is to be judged."""

    @abstractmethod
    def _judge(self) -> dict[str, Any]:
        """What ``mode=evaluate`` prints: names to numbers, or to anything that JSON holds."""

    @abstractmethod
    def _show(self, result: Mapping[str, Any]) -> None:
        """Print results as a table."""

    def _baselines(self, trainer: Trainer) -> dict[str, Any]:
        """What a run's results have beside those of ``_judge``, such as what takes training again."""
        return {}

    def _measure(self, metrics: dict[str, float], iteration: int, last: bool) -> dict[str, float]:
        """An iteration's metrics as they are logged and shown."""
        return metrics

    def _report(self, folder: Path, tracker: Tracker, step: int, result: Mapping[str, Any]) -> None:  # noqa: B027
        """Write what people read, pictures and samples, and hand it to the tracker; ``result`` is what the run has."""

    def _begin(self, trainer: Trainer, folder: Path | None) -> None:  # noqa: B027
        """Training begins now, or goes on; other replicas than the first have no folder."""

    def _own_state(self, trainer: Trainer) -> dict[str, Any]:
        """What this replica must keep beside the trainer's state and its random states."""
        return {}

    def _load_own_state(self, trainer: Trainer, saved: dict[str, Any]) -> None:  # noqa: B027
        """Go on from it."""

    # ------------------------------------------------------------------ modes
    def train(self) -> None:
        """Train, with progress and checkpoints; then judge and report."""
        config, first = self.config, self.rank == 0
        saved = self._saved()
        self._build()
        trainer = self._trainer()
        open_tracker = instantiate(config.tracker)
        if saved:
            trainer.load_state_dict(saved["trainer"])
            own = saved["replicas"][self.rank]
            self._load_own_state(trainer, own)
            checkpoints.set_random_states(own["random"])
            self.clock.add(saved)
        folder = (Path(config.resume) if config.resume else new_folder(config.folder)) if first else None
        if folder and trainer.iteration == trainer.iterations and (folder / "result.json").is_file():
            print(f"This run is finished: all {trainer.iterations} iterations are done. It is in {folder}/")
            self._show(json.loads((folder / "result.json").read_text()))
            return
        flat = OmegaConf.to_container(config, resolve=True)
        if folder and not config.resume:
            (folder / "config.yaml").write_text(OmegaConf.to_yaml(flat))
        self._begin(trainer, folder)
        with open_tracker(folder, config=flat, resume_step=saved["step"] if saved else None) as tracker:
            self._learn(trainer, folder, tracker)
            replicas.stop()  # the first judges alone
            if folder:
                self._finish(trainer, folder, tracker)
                print(f"Everything about this run is in {folder}/")

    def evaluate(self) -> None:
        """Judge a checkpoint; the last line printed is one JSON object."""
        if not self.config.checkpoint:
            raise UserError("mode=evaluate needs checkpoint=runs/DIR (or a checkpoint file in it).")
        replicas.stop()
        if self.rank:
            return
        saved = checkpoints.load(self.config.checkpoint)
        self._build()
        self._take(saved["trainer"])
        result = self._judge()
        self._show(result)
        print(json.dumps(result))

    # ------------------------------------------------------------------ parts
    def _saved(self) -> dict[str, Any] | None:
        """The checkpoint to resume from; a run that was killed before its first starts again."""
        folder = self.config.resume
        if not folder or checkpoints.latest(folder) is None:
            return None
        saved = checkpoints.load(folder)
        if (there := len(saved["replicas"])) != self.world:
            raise UserError(
                f"resume={folder}: the run has {there} replicas and this program {self.world}. Resume it with as "
                f"many: torchrun --nproc-per-node={there} -m pvg.run resume={folder}"
            )
        return saved

    def _learn(self, trainer: Trainer, folder: Path | None, tracker: Tracker) -> None:
        """Train to the end, or until the user stops it; log and save on the way."""
        bar, stop = Bar(trainer.iterations, shown=folder is not None), StopFlag()

        def report(iteration: int, metrics: dict[str, float]) -> None:
            last = iteration == trainer.iterations
            metrics = self._measure(metrics, iteration, last)
            tracker.log(metrics, iteration)
            bar.update(iteration, metrics)
            stopping = replicas.anywhere(stop.asked)
            if last or stopping or iteration % self.config.checkpoint_every == 0:
                self._save(trainer, folder, iteration)
            if stopping and not last:
                raise Stopped

        try:
            with stop:
                trainer.train(report)
        except Stopped:
            bar.close()
            if folder:
                print(
                    f"Stopped after iteration {trainer.iteration}. Go on with:  {self._how_to_resume(folder)}"
                )
            raise SystemExit(130) from None
        finally:
            bar.close()

    def _save(self, trainer: Trainer, folder: Path | None, iteration: int) -> None:
        """Write a checkpoint; all replicas take part, the first writes."""
        own = self._own_state(trainer) | {"random": checkpoints.random_states()}
        state = {"trainer": trainer.state_dict(), "replicas": replicas.gather(own)} | self.clock.read()
        if folder:
            checkpoints.save(folder / "checkpoints", state, iteration)

    def _finish(self, trainer: Trainer, folder: Path, tracker: Tracker) -> None:
        """Judge what has been trained, and write and show what there is to know."""
        try:
            result = self._judge() | self._baselines(trainer)
        except KeyboardInterrupt:
            print(f"Trained, not judged. Go on with:  {self._how_to_resume(folder)}")
            raise
        for name, spent in self.clock.read().items():
            result[name.replace("seconds", "minutes")] = round(spent / 60, 2)
        self._report(folder, tracker, trainer.iteration, result)
        text = json.dumps(result, indent=1) + "\n"
        (folder / "result.json").write_text(text)  # last: it says that all is done
        self._show(result)

    def _how_to_resume(self, folder: Path) -> str:
        many = f"torchrun --nproc-per-node={self.world}"
        return f"{many if self.world > 1 else 'python'} -m pvg.run resume={folder}"


class Clock:
    """What a run has taken since the clock was made, and in the parts before it that ``add`` is told of.

    Wall-clock seconds, and this process's CPU seconds: other replicas and worker processes are not in them.
    """

    def __init__(self):
        self.start = {name: -now for name, now in self._now().items()}

    def add(self, saved: Mapping[str, Any]) -> None:
        """Count what ``read`` gave in an earlier process (a checkpoint's; an old one may lack the CPU's)."""
        for name in self.start:
            self.start[name] += saved.get(name, 0.0)

    def read(self) -> dict[str, float]:
        """``seconds`` and ``cpu_seconds`` up to now."""
        return {name: now + self.start[name] for name, now in self._now().items()}

    def _now(self) -> dict[str, float]:
        return {"seconds": time.monotonic(), "cpu_seconds": time.process_time()}


class Stopped(Exception):
    """The user asked the run to stop; everything is saved."""


class StopFlag:
    """Set by the first Ctrl-C or SIGTERM; the second Ctrl-C interrupts at once."""

    def __init__(self):
        self.asked = False

    def __enter__(self) -> StopFlag:
        self.before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _ask(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("\nStopping after this iteration (again to stop at once) …", file=sys.stderr)


def new_folder(wanted: str | int | None) -> Path:
    """Make a run's folder: the one asked for, or a fresh ``runs/DATE_TIME``.

    Raises:
        UserError: there is a run in it already, or it can't be made.
    """
    if wanted:
        folder = Path(str(wanted))
        if (folder / "config.yaml").exists():
            raise UserError(
                f"folder={folder} holds a run already: go on with resume={folder}, or name another folder."
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"folder={folder}: can't be made ({error.strerror}). Name another.") from None
        return folder
    stem, n = datetime.now().strftime("%Y-%m-%d_%H-%M-%S"), 1
    while True:
        folder = Path("runs") / (stem if n == 1 else f"{stem}_{n}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:  # another run began in the same second
            n += 1
        else:
            return folder
