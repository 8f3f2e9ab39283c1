"""The main job as a program: train the agents of an exchange, and judge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from pvg.agents.agent import Agent
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.protocols import by_role
from pvg.errors import UserError, explain
from pvg.evaluation import held_out
from pvg.judge import Judge
from pvg.program import Program
from pvg.report.console import doing, table
from pvg.report.curves import draw_curves
from pvg.report.exchanges import sample_exchanges
from pvg.tracking import Tracker
from pvg.trainers import replicas


class ExchangeProgram(Program):
    """Plays an exchange between the agents of a config, trains them by PPO and judges them on held-out instances."""

    keys: Mapping[str, Any] = {
        "rounds": int,
        "first_decision": int,
    }  # protocols that have rounds refer to them

    def _build(self) -> None:
        """Environment, agents and judge; replicas differ in what they play and draw, not in their weights."""
        config = self.config
        torch.manual_seed(config.seed)
        with doing("making the environment", shown=self.rank == 0):
            self.env: ExchangeEnv = instantiate(config.env, device=self.device, _convert_="object")
        if self.rank:
            self.env = self.env.variant(seed=self.env.seed + self.seed_offset)
        self.agents = build_agents(config, self.env)
        self.judge: Judge = instantiate(config.evaluation, _convert_="object")
        replicas.same_weights(list(self.agents.values()))
        torch.manual_seed(config.seed + self.seed_offset)

    def train(self) -> None:
        """Train, with progress and checkpoints; then judge and report."""
        try:
            super().train()
        finally:
            for agent in getattr(self, "agents", {}).values():
                agent.close()

    def _trainer(self) -> Any:
        trainer = instantiate(self.config.trainer, _convert_="object")(env=self.env, agents=self.agents)
        held_out(self.env)  # complain now and not after hours if there is nothing to judge by
        for agent in self.agents.values():
            agent.renew()  # or if an engine can't start
        return trainer

    def _own_state(self, trainer: Any) -> dict[str, Any]:
        return {"rollout": trainer.rollout.state_dict()}

    def _load_own_state(self, trainer: Any, saved: dict[str, Any]) -> None:
        trainer.rollout.load_state_dict(saved["rollout"])

    def _take(self, state: dict) -> None:
        for agent in self.agents.values():
            agent.take(state["agents"])

    def _measure(self, metrics: dict[str, float], iteration: int, last: bool) -> dict[str, float]:
        """With the speed of all replicas, and now and then the rates on held-out instances."""
        metrics["turns_per_s"] = metrics.pop("turns_now") * self.world / metrics["seconds"]
        if self.judge.every and (last or iteration % self.judge.every == 0):
            metrics |= self.judge.glance(self.env, self.agents)
        return metrics

    def _judge(self) -> dict[str, Any]:
        return self.judge.rates(self.env, self.agents)

    def _baselines(self, trainer: Any) -> dict[str, Any]:
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
            ("alone", self._alone(), share * own * trainer.turns),
            ("babbled", (self.env, self.agents), share * trainer.turns),
        ):
            with doing(
                f"training the same verifier {'alone' if name == 'alone' else 'with a babbling prover'}"
            ):
                again = partial(make, learning=learning, turns=budget)
                out[name] = self.judge.babbled(env, agents, again, self.config.seed)
        return out

    def _alone(self) -> tuple[ExchangeEnv, dict[str, Agent]]:
        """The same game without provers."""
        given: Any = OmegaConf.to_container(self.config.env, resolve=True)
        # payoffs may name agents who are not there
        config = {k: v for k, v in given.items() if k not in ("payoffs", "protocol")}
        config["protocol"] = {"_target_": "pvg.envs.protocols.solo"}
        env = instantiate(config, device=self.device, _convert_="object")
        return env, build_agents(self.config, env, speakers=False)

    def _report(self, folder: Path, tracker: Tracker, step: int, result: Mapping[str, Any]) -> None:
        """Sample exchanges and curves."""
        samples = sample_exchanges(self.env, self.agents, self.judge.samples)
        (folder / "exchanges.txt").write_text(samples)
        tracker.image("curves", draw_curves(folder), step)
        tracker.text("exchanges", samples, step)

    def _show(self, result: Mapping[str, Any]) -> None:
        """The held-out results."""
        rates = ("accuracy", "completeness", "soundness")
        rows = [[name, result[name]] for name in rates]
        attacked = {k.partition("/")[2]: v for k, v in result.items() if k.startswith("soundness/")}
        worst = attacked.pop("worst", None)
        rows += [[f"soundness, attack {name}", v] for name, v in attacked.items()]
        rows += [] if worst is None else [["soundness against all of them", worst]]
        names = {"alone": "accuracy of the verifier alone", "babbled": "accuracy with a babbling prover"}
        rows += [[what, result[name]] for name, what in names.items() if name in result]
        for t, track in enumerate(result.get("tracks", [])):
            rows += [[f"{name}, track {t}", track[name]] for name in rates]
        rows += [[f"accuracy, {k} ({v['n']:,})", v["accuracy"]] for k, v in result["by"].items()]
        table(f"held out, {result['n']:,} games", [""], rows)


def build_agents(config: DictConfig, env: ExchangeEnv, speakers: bool = True) -> dict[str, Agent]:
    """One agent a group of the protocol; those the config does not name take after the verifier or the prover.

    Args:
        speakers: with the engines that the config gives them, if any.

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
        begun |= {"engine": None} if not speakers and "engine" in how else {}
        try:
            agents[name] = instantiate(how, **begun)(env, name).to(env.device)
        except UserError as error:
            raise UserError(f"agents.{name}: {error}") from None
        except Exception as error:
            raise UserError(
                f"agents.{name} can't be built for {type(env).__name__} ({explain(error)}). "
                "Choose agents that fit the env, and settings that fit each other."
            ) from error
    return agents
