"""Width-based planning, and policies that learn from their plans, as a program."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra.utils import instantiate

from pvg import checkpoint as checkpoints
from pvg.errors import UserError
from pvg.planning.networks import Policy
from pvg.planning.pictures import Pictures, write_gif
from pvg.planning.planner import Planner
from pvg.planning.play import Play, play_episodes
from pvg.planning.simulator import Guided, Simulator
from pvg.program import Program, new_folder
from pvg.report.console import Bar, doing, table
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
        make = instantiate(self.config.trainer)
        try:
            inspect.signature(make).bind(planner, self.policy, seed=self.config.seed)
        except TypeError as error:
            raise UserError(
                f"trainer: {self.config.trainer._target_} can't learn from plans ({error}). Leave trainer out, or name "
                "one that takes a planner, a policy and a seed, as pvg.trainers.planning.Planning does."
            ) from error
        trainer: Planning = make(planner, self.policy, seed=self.config.seed)
        self.longest = trainer.play.longest
        self.temperature = trainer.rollout_temperature[1]
        return trainer

    def _take(self, state: dict) -> None:
        self._trainer()
        if self.policy is not None:
            self.policy.load_state_dict(state["policy"])

    # ------------------------------------------------------------------ pictures
    def plan(self) -> None:
        """Plan the first decision of a game, and draw the tree; the last line printed is one JSON object."""
        planner, pictures, folder = self._shown()
        planner.begin(planner.simulator.initial(1))
        returns = planner.plan()
        action = planner.choose(returns)
        paths = pictures.write(planner, folder, action=int(action))
        said = {
            "action": planner.simulator.moves[int(action)],
            "return": float(returns.max()),
            "nodes": int(planner.forest.count),
            "interactions": planner.interactions,
        }
        print(*(f"Drawn: {path}" for path in paths), json.dumps(said), sep="\n")

    def play(self) -> None:
        """Play one episode, with a GIF of it; the last line printed is one JSON object."""
        planner, _, folder = self._shown()
        play = Play(planner, self.longest, again=False)
        seen = [self._seen(planner)]
        bar = Bar(self.longest, "playing")
        while play.playing.any():
            play.step()
            seen.append(self._seen(planner))
            bar.update(len(seen) - 1, {})
        bar.close()
        write_gif(seen, folder / "episode.gif")
        done = play.episodes
        said = {"return": done.returns[0], "steps": done.lengths[0], "interactions": planner.interactions}
        print(f"Drawn: {folder / 'episode.gif'}", json.dumps(said), sep="\n")

    def _seen(self, planner: Planner) -> np.ndarray:
        return planner.simulator.draw(planner.forest.root_states())[0].numpy(force=True)

    def _shown(self) -> tuple[Planner, Pictures, Path]:
        """A planner for one game, of a run's checkpoint or as it begins, and where its pictures go."""
        config = self.config
        saved = checkpoints.load(config.checkpoint) if config.checkpoint else None
        self._build()
        pictures = instantiate(config.pictures)
        self._trainer()
        if saved:
            self._take(saved["trainer"])
        planner = self._planner(1, config.seed + 1)
        planner.forest.temperature = self.temperature
        planner.forest.count_visits()
        if not saved:
            return planner, pictures, new_folder(config.folder)
        path = Path(config.checkpoint)
        return planner, pictures, path if path.is_dir() else path.parent.parent

    # ------------------------------------------------------------------ judging
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
