"""Rounds of language-model provers against a language-model verifier, as a program."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import OmegaConf

from pvg import schema
from pvg.errors import UserError
from pvg.language.attempts import WANTED, summary
from pvg.language.engine import Engine, EngineFailed
from pvg.language.grader import Grader
from pvg.language.histories import read_attempts
from pvg.program import Program, new_folder
from pvg.report.console import Bar, doing, table
from pvg.report.rounds import GATHERED, SHOWN, engine_report, gatherings, rounds_table
from pvg.report.rounds_markdown import rounds_markdown, sample_markdown
from pvg.report.rounds_plot import draw_rounds
from pvg.report.solutions import solutions
from pvg.tracking import Tracker
from pvg.trainers.rounds import Rounds

REWARDS = "Rewards of answers are reward=cgc, src, goodhart and correctness."


class RoundsProgram(Program):
    """Trains helpful and sneaky provers against a verifier, in rounds, on word problems."""

    keys: Mapping[str, Any] = {}

    def _build(self) -> None:
        """Problems, agents and the engine."""
        config = self.config
        if self.world > 1:
            raise UserError(
                "experiment=rounds is one process; to use several GPUs choose engine=multi_gpu, which starts a worker "
                "on each, and leave torchrun out."
            )
        if "_target_" not in config.agents or "engine" not in config:
            raise UserError(
                "experiment=rounds plays env=problems, with agents and an engine of its own: leave env out."
            )
        make = instantiate(config.engine)
        if isinstance(make.func, type) and not issubclass(make.func, Engine):
            raise UserError(
                "experiment=rounds samples from language models; this engine is of another experiment. Leave engine "
                "out, or choose engine=vllm, ray or transformers."
            )
        reward = instantiate(config.trainer.reward)
        schema.check_call(reward, ("score", "right", "helpful", "parsed"), "trainer.reward", REWARDS)
        self.problems = instantiate(config.env)
        with doing("making the agents"):
            family, limit = instantiate(config.agents), config.engine.get("max_model_len")
            self.cast = family.make(self.problems, config.seed, self.device, limit)
        self.grader: Grader = instantiate(config.grader)
        with doing("starting the engine"):
            try:
                self.engine: Engine = make(self.cast.folder)
            except EngineFailed as error:
                raise UserError(f"The engine can't start: {error}") from error

    def _trainer(self) -> Rounds:
        cast = self.cast
        make = instantiate(self.config.trainer)
        self.trainer: Rounds = make(
            book=cast.book,
            prover=cast.prover,
            verifier=cast.verifier,
            engine=self.engine,
            grader=self.grader,
            seed=self.config.seed,
        )
        return self.trainer

    def train(self) -> None:
        """Play all rounds, with progress and checkpoints; then judge and report."""
        try:
            super().train()
        finally:
            self._close()

    def evaluate(self) -> None:
        """Judge a checkpoint's agents on held-out problems; the last line printed is one JSON object."""
        try:
            super().evaluate()
        finally:
            self._close()

    def sample(self) -> None:
        """Sampling alone, with the models as they are: to try an engine out; the last line is one JSON object."""
        try:
            self._build()
            trainer = self._trainer()
            folder = new_folder(self.config.folder)
            (folder / "config.yaml").write_text(OmegaConf.to_yaml(self.config, resolve=True))
            self._begin(trainer, folder)
            how, part = trainer.reader.how, trainer.book.parts["verifier"]
            tasks = trainer.book.tasks(part[: how.problems], tuple(WANTED), how.k_per_role)
            bar, begun = Bar(len(tasks), "tasks"), time.monotonic()
            try:
                attempts = trainer.sample(
                    tasks, how.max_tries_per_task, "sample", lambda n, _: bar.update(n, {})
                )
            finally:
                bar.close()
            result: dict[str, Any] = {"roles": summary(attempts), "engine": engine_report(self.engine.counts)}
            result["seconds"] = round(time.monotonic() - begun, 3)
            (folder / "report.json").write_text(json.dumps(result, indent=1) + "\n")
            (folder / "report.md").write_text(sample_markdown(result))
            rows = [[role, *(told[k] for k in GATHERED)] for role, told in result["roles"].items()]
            table("sampled", list(GATHERED.values()), rows)
            print(f"Everything about this run is in {folder}/")
            print(json.dumps(result))
        finally:
            self._close()

    def _close(self) -> None:
        for name in ("engine", "grader"):
            if hasattr(self, name):
                getattr(self, name).close()

    # ------------------------------------------------------------------ Program
    def _begin(self, trainer: Any, folder: Path | None) -> None:
        trainer.asking.folder = folder and folder / "attempts"

    def _take(self, state: dict) -> None:
        self._trainer().load_state_dict(state)

    def _judge(self) -> dict[str, Any]:
        with doing("asking about held-out problems"):
            return self.trainer.judge()

    def _baselines(self, trainer: Any) -> dict[str, Any]:
        return {
            "rounds": rounds_table(trainer.records),
            "gathered": gatherings(trainer.records),
            "engine": engine_report(self.engine.counts, trainer.canaries),
        }

    def _report(self, folder: Path, tracker: Tracker, step: int, result: Mapping[str, Any]) -> None:
        final = read_attempts(folder / "attempts" / "final.jsonl")
        text = rounds_markdown(result, solutions(final, self.trainer.book))
        (folder / "report.md").write_text(text)
        tracker.text("report", text, step)
        tracker.image("rounds", draw_rounds(folder, self.trainer.records), step)

    def _show(self, result: Mapping[str, Any]) -> None:
        rows = [
            [f"{row['what']}, round {row['round']}", *(row.get(k) for k in SHOWN)]
            for row in result.get("rounds", [])
        ]
        if rows:
            table("rounds", list(SHOWN.values()), rows)
        names = [k for k, v in result.items() if isinstance(v, float) and k in SHOWN]
        table("held out, final agents", [""], [[SHOWN[k], result[k]] for k in names])
