"""The main job as a program: train the agents of an exchange, judge them, leave a folder that tells all."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from pvg import checkpoint as checkpoints
from pvg.agents.agent import Agent
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.protocols import by_role
from pvg.errors import UserError, explain
from pvg.evaluation import held_out
from pvg.judge import Judge
from pvg.report.console import Bar, doing, table
from pvg.report.curves import draw_curves
from pvg.report.exchanges import sample_exchanges
from pvg.trainers import replicas


class Stopped(Exception):
    """The user asked the run to stop; everything is saved."""


class ExchangeProgram:
    """Builds environment, agents and trainer from a config, and runs them; every public method is a mode.

    Args:
        config: as composed from ``configs/run.yaml``, or as saved by an earlier run.
    """

    def __init__(self, config: DictConfig):
        self.config = config
        self.rank, self.world = replicas.start(config.device)
        self.device = config.device
        if self.world > 1 and self.device.startswith("cuda"):
            self.device = f"cuda:{self.rank}"

    def train(self) -> None:
        """Train, with progress and checkpoints; then evaluate and report."""
        config, first = self.config, self.rank == 0
        saved = self._saved()
        self._build()
        trainer = instantiate(config.trainer, _convert_="object")(env=self.env, agents=self.agents)
        open_tracker = instantiate(config.tracker)
        held_out(self.env)  # complain now and not after hours if there is nothing to judge by
        if saved:
            trainer.load_state_dict(saved["trainer"])
            trainer.rollout.load_state_dict(saved["replicas"][self.rank]["rollout"])
            checkpoints.set_random_states(saved["replicas"][self.rank]["random"])
        done = trainer.iteration == trainer.iterations
        folder = (Path(config.resume) if config.resume else new_folder(config)) if first else None
        if done and folder and (folder / "result.json").is_file():
            print(f"This run is finished: all {trainer.iterations} iterations are done. It is in {folder}/")
            show(json.loads((folder / "result.json").read_text()))
            return
        flat = OmegaConf.to_container(config, resolve=True)
        if folder and not config.resume:
            (folder / "config.yaml").write_text(OmegaConf.to_yaml(flat))
        step, self.start = (
            saved["step"] if saved else None,
            time.monotonic() - (saved["seconds"] if saved else 0),
        )
        with open_tracker(folder, config=flat, resume_step=step) as tracker:
            self._learn(trainer, folder, tracker)
            replicas.stop()  # the first judges alone
            if folder:
                self._leave(folder, trainer.turns)
                tracker.image("curves", folder / "curves.png", trainer.iteration)
                tracker.text("exchanges", (folder / "exchanges.txt").read_text(), trainer.iteration)
                print(f"Everything about this run is in {folder}/")

    def evaluate(self) -> None:
        """Judge a checkpoint on held-out instances; the last line printed is one JSON object."""
        if not self.config.checkpoint:
            raise UserError("mode=evaluate needs checkpoint=runs/DIR (or a checkpoint file in it).")
        replicas.stop()
        if self.rank:
            return
        saved = checkpoints.load(self.config.checkpoint)
        self._build()
        for agent in self.agents.values():
            agent.take(saved["trainer"]["agents"])
        result = self.judge.rates(self.env, self.agents)
        show(result)
        print(json.dumps(result))

    # ------------------------------------------------------------------ parts
    def _build(self) -> None:
        """Environment, agents and judge; replicas differ in what they play and draw, not in their weights."""
        config = self.config
        torch.manual_seed(config.seed)
        with doing("making the environment", shown=self.rank == 0):
            self.env: ExchangeEnv = instantiate(config.env, device=self.device, _convert_="object")
        self.agents = build_agents(config, self.env)
        self.judge: Judge = instantiate(config.evaluation, _convert_="object")
        replicas.same_weights(list(self.agents.values()))
        self.env.seed += 1_000_003 * self.rank
        torch.manual_seed(config.seed + 1_000_003 * self.rank)

    def _alone(self) -> tuple[ExchangeEnv, dict[str, Agent]]:
        """The same game without provers."""
        given: Any = OmegaConf.to_container(self.config.env, resolve=True)
        # payoffs may name agents who are not there
        config = {k: v for k, v in given.items() if k not in ("payoffs", "protocol")}
        config["protocol"] = {"_target_": "pvg.envs.protocols.solo"}
        env = instantiate(config, device=self.device, _convert_="object")
        return env, build_agents(self.config, env)

    def _baselines(self, turns: float) -> dict[str, float | None]:
        """Accuracy of the same verifier trained without a prover, and with one that babbles; if it has company."""
        protocol, share = self.env.protocol, self.judge.baselines
        if not share or protocol.deciders.issuperset(protocol.agents):
            return {}
        make = instantiate(self.config.trainer, _convert_="object")
        given = instantiate(self.config.trainer.get("learning") or {}, _convert_="object")
        learning = {name: replace(how, frozen=False, stop=None, pretrain=0) for name, how in given.items()}
        own = sum(p.voice.decides for p in protocol.places()) / len(protocol.places())
        out = {}
        for name, (env, agents), budget in (
            ("alone", self._alone(), share * own * turns),
            ("babbled", (self.env, self.agents), share * turns),
        ):
            with doing(
                f"training the same verifier {'alone' if name == 'alone' else 'with a babbling prover'}"
            ):
                trainer = partial(make, learning=learning, turns=budget)
                out[name] = self.judge.babbled(env, agents, trainer, self.config.seed)
        return out

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

    def _learn(self, trainer: Any, folder: Path | None, tracker: Any) -> None:
        """Train to the end, or until the user stops it; log and save on the way."""
        bar, stop = Bar(trainer.iterations, shown=folder is not None), StopFlag()

        def report(iteration: int, metrics: dict[str, float]) -> None:
            last, every = iteration == trainer.iterations, self.judge.every
            metrics["turns_per_s"] = metrics.pop("turns_now") * self.world / metrics["seconds"]
            if every and (last or iteration % every == 0):
                metrics |= self.judge.glance(self.env, self.agents)
            tracker.log(metrics, iteration)
            bar.update(iteration, metrics)
            stopping = replicas.anywhere(stop.asked)
            if last or stopping or iteration % self.config.checkpoint_every == 0:
                own = {"rollout": trainer.rollout.state_dict(), "random": checkpoints.random_states()}
                state = {"trainer": trainer.state_dict(), "replicas": replicas.gather(own)}
                state["seconds"] = time.monotonic() - self.start
                if folder:
                    checkpoints.save(folder / "checkpoints", state, iteration)
            if stopping and not last:
                raise Stopped

        try:
            with stop:
                trainer.train(report)
        except Stopped:
            bar.close()
            if folder:
                print(
                    f"Stopped after iteration {trainer.iteration}. Go on with:  {how_to_resume(folder, self.world)}"
                )
            raise SystemExit(130) from None
        finally:
            bar.close()

    def _leave(self, folder: Path, turns: float) -> None:
        """Judge the agents, and write and show what there is to know."""
        try:
            result = self.judge.rates(self.env, self.agents) | self._baselines(turns)
        except KeyboardInterrupt:
            print(f"Trained, not judged. Go on with:  {how_to_resume(folder, self.world)}")
            raise
        result["minutes"] = round((time.monotonic() - self.start) / 60, 2)
        result["cpu_minutes"] = round(time.process_time() / 60, 2)
        (folder / "exchanges.txt").write_text(sample_exchanges(self.env, self.agents, self.judge.samples))
        draw_curves(folder)
        (folder / "result.json").write_text(
            json.dumps(result, indent=1) + "\n"
        )  # last: it says that all is done
        show(result)


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


def new_folder(config: DictConfig) -> Path:
    """Make the run's folder: the one asked for, or a fresh ``runs/DATE_TIME``.

    Raises:
        UserError: there is a run in it already.
    """
    if config.folder:
        folder = Path(str(config.folder))
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


def how_to_resume(folder: Path, world: int) -> str:
    """The command that goes on with a run."""
    return f"{f'torchrun --nproc-per-node={world}' if world > 1 else 'python'} -m pvg.run resume={folder}"


def build_agents(config: DictConfig, env: ExchangeEnv) -> dict[str, Agent]:
    """One agent a group of the protocol; those the config does not name take after the verifier or the prover.

    Raises:
        UserError: the config has no such agent, or its network does not fit the game.
    """
    agents = {}
    for name in env.protocol.agents:
        how = by_role(config.agents, name, name in env.protocol.deciders)
        if how is None:
            raise UserError(f"The protocol has an agent {name!r}, but agents has neither it nor its role.")
        # what a saved run holds replaces the weights that it once began from
        begun = {"weights": None} if (config.resume or config.checkpoint) and "weights" in how else {}
        try:
            agents[name] = instantiate(how, **begun)(env, name).to(env.device)
        except UserError as error:
            raise UserError(f"agents: {name}: {error}") from None
        except Exception as error:
            raise UserError(
                f"agents: {name} can't be built for {type(env).__name__} ({explain(error)}). "
                "Choose agents that fit the env, and settings that fit each other."
            ) from error
    return agents


def show(result: Mapping[str, Any]) -> None:
    """The held-out results as a table."""
    rates = ("accuracy", "completeness", "soundness")
    rows = [[name, result[name]] for name in rates]
    rows += [
        [f"soundness, attack {k.partition('/')[2]}", v]
        for k, v in result.items()
        if k.startswith("soundness/")
    ]
    names = {"alone": "accuracy of the verifier alone", "babbled": "accuracy with a babbling prover"}
    rows += [[what, result[name]] for name, what in names.items() if name in result]
    for t, track in enumerate(result.get("tracks", [])):
        rows += [[f"{name}, track {t}", track[name]] for name in rates]
    rows += [[f"accuracy, {k} ({v['n']:,})", v["accuracy"]] for k, v in result["by"].items()]
    table(f"held out, {result['n']:,} games", [""], rows)
