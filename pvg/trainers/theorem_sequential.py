"""All roles of generator against prover in one process."""

from __future__ import annotations

import time
from typing import Any

from pvg.trainers.adversarial import Adversarial
from pvg.trainers.theorem_metrics import Metrics


class Sequential:
    """All roles in this process, one after the other; a seed decides everything."""

    def __init__(self, game: Adversarial):
        self.game = game
        self.roles: dict[str, Any] = {
            role: game.factory.make(role, game.theory, game.scorers.__getitem__) for role in game.workers
        }

    def iterate(self, game: Adversarial) -> Metrics:
        """See :class:`pvg.trainers.adversarial.Engine`."""
        game.theory.library.forget()
        experience = game.request(game.iteration)
        if experience:
            self.roles["generator_actor"].work(experience)
            if experience.theorems and game.attempted():
                self.roles["prover_actor"].work(experience)
        batches, metrics = game.batches(experience, game.iteration)
        for role, batch in batches.items():
            start = time.perf_counter()
            metrics |= self.roles[role].work(batch)
            metrics[f"seconds/{role}"] = time.perf_counter() - start
        return metrics

    def weights(self) -> None:
        """See :class:`pvg.trainers.adversarial.Engine`: there is but one network of each."""

    def state_dict(self) -> dict:
        """See :class:`pvg.trainers.adversarial.Engine`."""
        trainers = [role for role in self.roles if role.endswith("trainer")]
        return {f"{role}/0": self.roles[role].trainer.state_dict() for role in trainers}

    def load_state_dict(self, saved: dict) -> None:
        """See :class:`pvg.trainers.adversarial.Engine`."""
        for name, state in saved.items():
            self.roles[name.removesuffix("/0")].trainer.load_state_dict(state)

    def close(self) -> None:
        """See :class:`pvg.trainers.adversarial.Engine`."""
