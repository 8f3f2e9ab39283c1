"""The main job as a program: train the agents of an exchange, judge them, leave a folder that tells all."""

from __future__ import annotations

import json
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from pvg import checkpoint as checkpoints
from pvg.agents.agent import Agent
from pvg.envs.exchange import ExchangeEnv
from pvg.errors import UserError
from pvg.evaluation import alone, evaluate, exploitability, held_out
from pvg.report.console import Bar, table
from pvg.report.curves import draw_curves
from pvg.report.exchanges import sample_exchanges
from pvg.trainers import replicas


class Stopped(Exception):
    """The user asked the run to stop; everything is saved."""


class ExchangeProgram:
    """Builds environment, agents and trainer from a config, and runs them.

    Args:
        config: as composed from ``configs/run.yaml``, or as saved by an earlier run.
    """

    def __init__(self, config: DictConfig):
        self.config = config
        self.rank, self.world = replicas.start(str(config.device))
        device = str(config.device)
        if self.world > 1 and device == "cuda":
            device = config.device = f"cuda:{self.rank}"
        torch.manual_seed(config.seed)
        self.env: ExchangeEnv = instantiate(config.env, _convert_="object")
        self.agents = build_agents(config, self.env)
        replicas.same_weights(list(self.agents.values()))
        self.env.seed += 1_000_003 * self.rank
        torch.manual_seed(config.seed + 1_000_003 * self.rank)

    # ------------------------------------------------------------------ modes
    def train(self) -> None:
        """Train, with progress and checkpoints; then evaluate and report."""
        config, first = self.config, self.rank == 0
        trainer = instantiate(config.trainer, _convert_="object")(env=self.env, agents=self.agents)
        folder, step = Path(config.resume or new_folder(config)), None
        if config.resume:
            saved = checkpoints.load(folder)
            step = saved["step"]
            if len(saved["replicas"]) != self.world:
                there = len(saved["replicas"])
                raise UserError(
                    f"The run has {there} replicas, this program {self.world}: resume it with as many."
                )
            trainer.load_state_dict(saved["trainer"])
            trainer.rollout.load_state_dict(saved["replicas"][self.rank]["rollout"])
            checkpoints.set_random_states(saved["replicas"][self.rank]["random"])
        elif first:
            folder.mkdir(parents=True, exist_ok=True)
            plain = OmegaConf.to_container(config, resolve=True)
            (folder / "config.yaml").write_text(OmegaConf.to_yaml(plain))
        flat = OmegaConf.to_container(config, resolve=True)
        with instantiate(config.tracker)(folder if first else None, config=flat, resume_step=step) as tracker:
            bar = Bar(trainer.iterations, shown=first)
            stop = _stop_flag()
            quick = held_out(self.env)[: config.evaluation.quick] if self.env.test_size else None

            def report(iteration: int, metrics: dict[str, float]) -> None:
                metrics["turns_per_s"] = metrics.pop("turns_now") * self.world / metrics["seconds"]
                every = config.evaluation.every
                if (
                    quick is not None
                    and every
                    and (iteration % every == 0 or iteration == trainer.iterations)
                ):
                    scores = evaluate(self.env, self.agents, quick)
                    metrics |= {f"held_out/{k}": v for k, v in scores.items() if isinstance(v, float)}
                tracker.log(metrics, iteration)
                bar.update(iteration, metrics)
                last, stopping = iteration == trainer.iterations, replicas.anywhere(bool(stop))
                if last or stopping or iteration % config.checkpoint_every == 0:
                    own = {"rollout": trainer.rollout.state_dict(), "random": checkpoints.random_states()}
                    all_own = replicas.gather(own)
                    if first:
                        state = {"trainer": trainer.state_dict(), "replicas": all_own}
                        checkpoints.save(folder / "checkpoints", state, iteration)
                if stopping and not last:
                    raise Stopped

            start = time.monotonic()
            try:
                trainer.train(report)
            except Stopped:
                bar.close()
                if first:
                    print(
                        f"\nStopped after iteration {trainer.iteration}. Go on with:  python -m pvg.run resume={folder}"
                    )
                raise SystemExit(130) from None
            finally:
                bar.close()
            replicas.stop()  # the first judges alone
            if first:
                result = self._judge(full=True) | {"minutes": round((time.monotonic() - start) / 60, 2)}
                self._leave(folder, result)
                tracker.image("curves", folder / "curves.png", trainer.iteration)
                tracker.text("exchanges", (folder / "exchanges.txt").read_text(), trainer.iteration)
                print(f"\nEverything about this run is in {folder}/")

    def evaluate(self) -> None:
        """Judge a checkpoint on held-out instances; the last line printed is one JSON object."""
        if not self.config.checkpoint:
            raise UserError("mode=evaluate needs checkpoint=runs/DIR (or a checkpoint file in it).")
        saved = checkpoints.load(self.config.checkpoint)
        for agent in self.agents.values():
            agent.take(saved["trainer"]["agents"])
        result = self._judge(full=False)
        show(result)
        print(json.dumps(result))

    # ------------------------------------------------------------------ judging
    def _judge(self, full: bool) -> dict[str, Any]:
        """Rates, attacks and (after training) the same verifier alone."""
        how = self.config.evaluation
        result = evaluate(self.env, self.agents)
        false = (~self.env.instances["label"][held_out(self.env)]).any()
        provers = set(self.env.protocol.agents) - self.env.protocol.deciders
        if provers and false:
            for name, attack in instantiate(how.attacks or {}, _convert_="object").items():
                try:
                    result[f"soundness/{name}"] = exploitability(self.env, self.agents, attack, how.most)[
                        "soundness"
                    ]
                except UserError as error:
                    print(f"attack {name} left out: {error}", file=sys.stderr)
        if full and provers and how.alone:
            learning = self.config.trainer.learning
            chosen = instantiate(learning.get("verifier", learning.default), _convert_="object")
            result["alone"] = alone(self.env, self.agents, turns=float(how.alone), learning=chosen)[
                "accuracy"
            ]
        return result

    def _leave(self, folder: Path, result: dict[str, Any]) -> None:
        (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
        (folder / "exchanges.txt").write_text(
            sample_exchanges(self.env, self.agents, self.config.evaluation.samples)
        )
        draw_curves(folder)
        show(result)


def new_folder(config: DictConfig) -> Path:
    """The run's folder: the one asked for, or a fresh ``runs/DATE_TIME``."""
    if config.folder:
        folder = Path(config.folder)
        if (folder / "config.yaml").exists():
            raise UserError(
                f"folder={folder} holds a run already: go on with resume={folder}, or name another folder."
            )
        return folder
    stem = Path("runs") / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    folder, n = stem, 1
    while folder.exists():
        n += 1
        folder = stem.with_name(f"{stem.name}_{n}")
    return folder


def build_agents(config: DictConfig, env: ExchangeEnv) -> dict[str, Agent]:
    """One agent a group of the protocol; those the config does not name take after the verifier or the prover."""
    agents = {}
    for name in env.protocol.agents:
        role = name if name in config.agents else "verifier" if name in env.protocol.deciders else "prover"
        if role not in config.agents:
            raise UserError(
                f"The protocol has an agent {name!r}, but agents has neither {name!r} nor {role!r}."
            )
        agents[name] = instantiate(config.agents[role])(env, name).to(env.device)
    return agents


def show(result: dict[str, Any]) -> None:
    """The held-out results as a table."""
    rows = [["accuracy", result["accuracy"]], ["completeness", result["completeness"]]]
    rows += [["soundness", result["soundness"]]]
    rows += [
        [f"soundness, {k.partition('/')[2]} attack", v]
        for k, v in result.items()
        if k.startswith("soundness/")
    ]
    if "alone" in result:
        rows.append(["accuracy of the verifier alone", result["alone"]])
    rows += [[f"accuracy, {k} ({v['n']})", v["accuracy"]] for k, v in result["by"].items()]
    table(f"held out, {result['n']} games", ["", ""], rows)


def _stop_flag() -> list[bool]:
    """A list that fills at the first Ctrl-C or SIGTERM; the second Ctrl-C interrupts at once."""
    flag: list[bool] = []

    def stop(number, frame):
        if flag:
            raise KeyboardInterrupt
        flag.append(True)
        print("\nStopping after this iteration (again to stop at once) …", file=sys.stderr)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return flag
