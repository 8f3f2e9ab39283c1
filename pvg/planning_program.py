"""Width-based planning, and policies that learn from their plans, as a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from hydra.utils import instantiate

from pvg.errors import UserError
from pvg.planning.networks import Policy
from pvg.planning.planner import Planner
from pvg.planning.play import play_episodes
from pvg.planning.simulator import Guided, Simulator
from pvg.program import Program
from pvg.report.console import doing, table
from pvg.trainers.planning import Planning

SHOWN = {"success": "success", "return": "return", "length": "steps"}


class PlanningProgram(Program):
    """Plans in an environment, and trains the policy that leads the search, if the planner has one."""

    keys: Mapping[str, Any] = {"episodes": int}

    def _build(self) -> None:
        """The simulator, and the policy if the planner is one that learns."""
        config = self.config
        if self.world > 1:
            raise UserError("experiment=planning is one process: leave torchrun out.")
        if "planner" not in config:
            raise UserError("experiment=planning needs an environment to plan in, such as env=gridworld.")
        if config.episodes < 1:
            raise UserError(f"episodes={config.episodes}: at least one is needed to judge by.")
        self.env = instantiate(config.env)
        self.simulator: Simulator = instantiate(config.simulator)(self.env)
        self.make = instantiate(config.planner)
        self.policy = None
        if self.make.func.learns:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(config.seed)
                self.policy = self._policy().to(self.device)
            active = self.policy.active if self.policy.dynamic else None
            self.simulator = Guided(self.simulator, self.policy.tell, active)

    def _policy(self) -> Policy:
        """The network, for the observation that it looks at."""
        spec, key = self.env.observation_spec, self.config.network.observation
        seen = [name for name in spec.keys() if hasattr(spec[name].space, "high")]  # noqa: SIM118
        if key not in seen:
            raise UserError(
                f"network.observation={key}: there is no such observation. There are {', '.join(seen)}."
            )
        shape, values = tuple(spec[key].shape[1:]), int(spec[key].space.high.max()) + 1
        return instantiate(self.config.network)(shape, values, self.simulator.actions)

    def _planner(self, trees: int, seed: int) -> Planner:
        return self.make(self.simulator, trees=trees, seed=seed)

    def _trainer(self) -> Planning:
        planner = self._planner(self.env.batch_size.numel(), self.config.seed)
        trainer: Planning = instantiate(self.config.trainer)(planner, self.policy, seed=self.config.seed)
        self.longest = trainer.play.longest
        self.temperature = trainer.rollout_temperature[1]
        return trainer

    def _take(self, state: dict) -> None:
        self._trainer()
        if self.policy is not None:
            self.policy.load_state_dict(state["policy"])

    def _judge(self) -> dict[str, Any]:
        """Fresh episodes, all side by side."""
        episodes = self.config.episodes
        planner = self._planner(episodes, self.config.seed + 1)
        planner.forest.temperature = self.temperature
        with doing("playing fresh episodes"):
            found = play_episodes(planner, self.longest)
        return {
            "success": found.success(),
            "return": sum(found.returns) / episodes,
            "length": sum(found.lengths) / episodes,
            "interactions_per_step": planner.interactions / sum(found.lengths),
        }

    def _baselines(self, trainer: Any) -> dict[str, Any]:
        lately = {f"training/{name}": value for name, value in trainer.recent().items()}
        return {"interactions": trainer.planner.interactions, **lately}

    def _show(self, result: Mapping[str, Any]) -> None:
        def cell(name: str) -> Any:
            value = result.get(name)
            return value if value is None or name.endswith("success") else f"{value:.2f}"

        rows = [[shown, cell(name), cell(f"training/{name}")] for name, shown in SHOWN.items()]
        table("episodes", ["fresh", "last in training"], rows)
