"""The side of a Ray worker: one role of the game between generator and prover, and how weights come and go."""

from __future__ import annotations

import time

import torch
from tensordict import TensorDictBase
from torchrl.weight_update.weight_sync_schemes import WeightStrategy

from pvg.agents.theorems import Scorer
from pvg.trainers.theorem_roles import Experience, GeneratorBatch, ProverBatch, RoleFactory, TrainerRole


class Remote:
    """A worker's side: one role."""

    def __init__(self, factory: RoleFactory, role: str, seed: int):
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        theory = factory.recipe.theory()
        self.scorer: Scorer | None = None

        def scorer(name: str) -> Scorer:
            self.scorer = factory.recipe.scorer(name, theory)
            return self.scorer

        self.theory, self.role = theory, factory.make(role, theory, scorer)

    def ready(self) -> bool:
        """Called first."""
        return True

    def act(self, experience: Experience, weights: TensorDictBase | None, version: int) -> Experience:
        """An actor's work, with new weights if there are any."""
        assert not isinstance(self.role, TrainerRole)
        if weights is not None:
            put_weights(self.scorer, weights)
        self.role.version = version
        self.theory.library.forget()
        return self.role.work(experience)

    def train(
        self, batch: GeneratorBatch | ProverBatch, weights: TensorDictBase | None
    ) -> tuple[dict[str, float], TensorDictBase, dict]:
        """A trainer's work: metrics, weights, and the state from which another can go on.

        Args:
            batch: what to learn from.
            weights: to begin with, where several trainers have agreed on some.
        """
        assert isinstance(self.role, TrainerRole)
        start = time.perf_counter()
        if weights is not None:
            put_weights(self.scorer, weights)
        metrics = self.role.work(batch)
        metrics["seconds"] = time.perf_counter() - start
        return metrics, get_weights(self.scorer), self.role.trainer.state_dict()

    def load(self, state: dict) -> None:
        """Go on from a trainer's state."""
        assert isinstance(self.role, TrainerRole)
        self.role.trainer.load_state_dict(state)

    def state(self) -> dict:
        """A trainer's state."""
        assert isinstance(self.role, TrainerRole)
        return self.role.trainer.state_dict()


def get_weights(scorer: Scorer | None) -> TensorDictBase:
    """A network's weights, by TorchRL."""
    return WeightStrategy().extract_weights(scorer).data.clone()  # type: ignore[union-attr]


def put_weights(scorer: Scorer | None, weights: TensorDictBase) -> None:
    """The other way round."""
    WeightStrategy().apply_weights(scorer, weights)
