"""A generator of theorems against a prover, as a program."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from pvg import checkpoint as checkpoints
from pvg import schema
from pvg.envs.theory import Theory
from pvg.errors import UserError
from pvg.program import Program
from pvg.report.console import doing, table
from pvg.report.theorems import theorems_markdown
from pvg.tracking import Tracker
from pvg.trainers.adversarial import Adversarial
from pvg.trainers.theorem_roles import Recipe
from pvg.trainers.theorem_sequential import Sequential

SEQUENTIAL = "pvg.trainers.theorem_sequential.Sequential"
REWARDS = "Rewards of theorems are reward=novel, failed, frontier, conditional and size_by_depth."
RAY = "pvg.language.choices.ray_vllm"  # its file says where Ray is, and much about language models
OWN_KEYS = ("address", "most_restarts")  # of that file


class AdversarialProgram(Program):
    """Trains a generator against a prover on a Metamath database, and judges the prover on held-out theorems."""

    keys: Mapping[str, Any] = {}

    def _build(self) -> None:
        """The theory and the networks."""
        config = self.config
        if self.world > 1:
            raise UserError("experiment=adversarial is one process here: leave torchrun out.")
        if torch.device(config.device).type != "cpu":
            raise UserError("experiment=adversarial computes on the CPU: leave device out.")
        env, agents = config.get("env") or {}, config.get("agents") or {}
        theories = get_object(env["_target_"]) if "_target_" in env else None
        own = all(agents.get(name) is not None for name in ("generator", "prover", "player"))
        if not own or theories is None or (isinstance(theories, type) and not issubclass(theories, Theory)):
            raise UserError(
                "experiment=adversarial plays env=theorems, with agents of its own: leave env and agents out."
            )
        _check_engine(config)
        schema.check_call(instantiate(config.trainer.reward), ("theorems",), "trainer.reward", REWARDS)
        torch.manual_seed(config.seed)
        plain: Any = OmegaConf.to_container(config, resolve=True)
        self.recipe = Recipe(plain["env"], plain["agents"], config.seed)
        with doing("reading the database"):
            theory = self.recipe.theory()
            if not isinstance(theory, Theory):
                raise UserError("experiment=adversarial plays env=theorems: leave env out.")
            self.theory = theory
            theory.proofs  # noqa: B018  replays them, and says now what is wrong
        self.trainer: Adversarial = instantiate(config.trainer)(self.recipe, theory)
        if not all(hasattr(self.trainer.prover, method) for method in ("prove", "examples")):
            raise UserError(
                f"agents.player._target_={agents['player']['_target_']} is no prover: choose "
                "pvg.agents.theorem_players.ForwardProver or BackwardProver, or write one with prove and examples."
            )

    def train(self) -> None:
        """See :class:`Program`; what the engine started ends with it."""
        try:
            super().train()
        finally:
            trainer = getattr(self, "trainer", None)
            if trainer is not None and trainer.engine is not None:
                trainer.engine.close()

    def _trainer(self) -> Adversarial:
        engine = self.config.engine
        with doing("starting the roles"):
            if engine._target_ == SEQUENTIAL:
                self.trainer.engine = Sequential(self.trainer)
            else:
                from pvg.trainers.theorem_ray import RayRoles

                self.trainer.engine = RayRoles(self.trainer, engine.address, engine.most_restarts)
        return self.trainer

    def _take(self, state: dict) -> None:
        for name, scorer in self.trainer.scorers.items():
            saved = [s["scorer"] for role, s in state["trainers"].items() if role.startswith(f"{name}_")]
            if saved:  # several trainers agree on the mean
                mean = {key: torch.stack([s[key] for s in saved]).mean(0) for key in saved[0]}
                checkpoints.load_weights(scorer, mean, f"the {name}'s network")

    def _judge(self) -> dict[str, Any]:
        with doing("proving held-out theorems"):
            return self.trainer.judge()

    def _baselines(self, trainer: Any) -> dict[str, Any]:
        return {
            "distinct_theorems": len(trainer.seen),
            "unifications": trainer.calls,
            "rejections": trainer.rejections(),
            "sources": trainer.sources(),
        }

    def _report(self, folder: Path, tracker: Tracker, step: int, result: Mapping[str, Any]) -> None:
        text = theorems_markdown(result, self.trainer.sample())
        (folder / "report.md").write_text(text)
        tracker.text("report", text, step)

    def _show(self, result: Mapping[str, Any]) -> None:
        shown = {k: v for k, v in result.items() if k.startswith(("pass@", "sampled", "failed")) or k == "n"}
        table("held-out theorems", [""], [[name, value] for name, value in shown.items()])


def _check_engine(config: DictConfig) -> None:
    """Complain of an engine that is for language models, and of their keys in the one that is for both."""
    engine = config.get("engine") or {}
    if engine.get("_target_") not in (SEQUENTIAL, RAY):
        raise UserError(
            "experiment=adversarial has engine=sequential, ray and debug_local; the others sample from language models."
        )
    if engine["_target_"] == RAY:  # one file for both: what is not of Ray itself must be as it came
        taken = inspect.signature(get_object(RAY)).parameters
        for key in (str(key) for key in engine if key not in (*schema.HYDRA, *OWN_KEYS, "fallback")):
            if engine[key] != taken[key].default:
                raise UserError(
                    f"engine.{key}={engine[key]} is for language models: here engine=ray has {' and '.join(OWN_KEYS)}, "
                    "and trainer.num_prover_actors and the like say how many workers there are."
                )
    if engine["_target_"] == SEQUENTIAL:
        for key in ("generator_actors", "generator_trainers", "prover_actors", "prover_trainers"):
            count = config.trainer.get(f"num_{key}", 1)
            if count > 1:
                raise UserError(
                    f"trainer.num_{key}={count}, but with engine=sequential one process plays all roles: add "
                    "engine=ray."
                )
