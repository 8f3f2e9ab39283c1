"""A generator of theorems against a prover, as a program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from pvg.envs.theory import Theory
from pvg.errors import UserError
from pvg.program import Program
from pvg.report.console import doing, table
from pvg.report.theorems import theorems_markdown
from pvg.tracking import Tracker
from pvg.trainers.adversarial import Adversarial, Sequential
from pvg.trainers.theorem_roles import Ground


class AdversarialProgram(Program):
    """Trains a generator against a prover on a Metamath database, and judges the prover on held-out theorems."""

    keys: Mapping[str, Any] = {}

    def _build(self) -> None:
        """The theory and the networks."""
        config = self.config
        if self.world > 1:
            raise UserError("experiment=adversarial is one process here: leave torchrun out.")
        if "generator" not in config.agents or config.agents.get("prover") is None:
            raise UserError(
                "experiment=adversarial plays env=theorems, with agents of its own: leave env and agents out."
            )
        torch.manual_seed(config.seed)
        plain: Any = OmegaConf.to_container(config, resolve=True)
        self.ground = Ground(plain["env"], plain["agents"], config.seed)
        with doing("reading the database"):
            theory = self.ground.theory()
            if not isinstance(theory, Theory):
                raise UserError("experiment=adversarial plays env=theorems: leave env out.")
            self.theory = theory
            theory.proofs  # noqa: B018  replays them, and says now what is wrong
        self.trainer: Adversarial = instantiate(config.trainer)(self.ground, theory)
        self.trainer.engine = Sequential(self.trainer)

    def _trainer(self) -> Adversarial:
        return self.trainer

    def _take(self, state: dict) -> None:
        self.trainer.load_state_dict(state)

    def _judge(self) -> dict[str, Any]:
        with doing("proving held-out theorems"):
            return self.trainer.judge()

    def _baselines(self, trainer: Any) -> dict[str, Any]:
        return {
            "distinct_theorems": len(trainer.seen),
            "unifications": trainer.calls,
            "rejections": trainer.rejections(),
        }

    def _report(self, folder: Path, tracker: Tracker, step: int, result: Mapping[str, Any]) -> None:
        text = theorems_markdown(result, self.trainer.sample())
        (folder / "report.md").write_text(text)
        tracker.text("report", text, step)

    def _show(self, result: Mapping[str, Any]) -> None:
        shown = {k: v for k, v in result.items() if k.startswith(("pass@", "sampled")) or k == "n"}
        table("held-out theorems", [""], [[name, value] for name, value in shown.items()])
