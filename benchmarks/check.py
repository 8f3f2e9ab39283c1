"""That the plain loop plays the very games that the exchange plays: same chance, same weights, same stream."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks import settings
from benchmarks.plain_loop import Frames, PlainLoop
from pvg.envs.exchange import ExchangeEnv
from pvg.trainers.collect import Rollout


def differences(env: ExchangeEnv, steps: int = 12, calls: int = 3) -> list[str]:
    """Play both side by side and name every tensor in which they differ (log-probabilities and values by > 1e-5).

    The loop gets its instances and questions from the exchange's own hash, and both sample with the same seed; all
    else is each side's own.
    """

    class Dealt(PlainLoop):
        def new_games(self, lane: int) -> dict[str, Tensor]:
            blank = torch.full((self.slots, self.rounds), -1)
            game = {"index": self.all.clone(), "asked": blank.clone(), "said": blank, "round": self.all * 0}
            game["serial"] = self.all * 2 + lane - 2 * self.slots
            self.deal(game, self.all)
            return game

        def deal(self, game: dict[str, Tensor], rows: Tensor) -> None:
            game["serial"] = game["serial"].index_add(0, rows, torch.full_like(rows, 2 * self.slots))
            serial = game["serial"][rows]
            index = env.draw(serial)
            game["index"][rows], game["asked"][rows] = index, env.coins(index, serial)[..., 0].long()

    agents = settings.default_agents(env)
    plain = settings.plain_loop(env, agents, steps, Dealt)
    rollout = Rollout(env, agents, steps)
    seen: list[list[Frames]] = [[], []]
    for side, play in enumerate((lambda: ours(rollout), plain.collect)):
        torch.manual_seed(3)
        for _ in range(calls):
            seen[side].append(play())
    wrong = []
    for agent in agents:
        # what an act brings is known one step later, in both
        for key in seen[1][0][agent]:
            a, b = (torch.cat([call[agent][key] for call in calls]) for calls in seen)
            if key in ("reward", "ended") and agent == "verifier":
                a, b = a[1:], b[:-1]
            same = torch.equal(a, b) if not a.is_floating_point() else torch.allclose(a, b, rtol=0, atol=1e-5)
            wrong += [] if same and a.shape == b.shape else [f"{agent} {key}"]
    return wrong


def ours(rollout: Rollout) -> Frames:
    """The exchange's new frames under the plain loop's names."""
    batch, out = rollout.collect()[-rollout.steps :], {}
    for agent in rollout.agents:
        own, paid = batch[agent], batch["next", agent]
        seen = own["observation"]
        out[agent] = {
            "index": seen["index"][..., 0],
            "asked": seen["coins"][..., 0, :, 0],
            "said": seen["transcript"][..., 0, :, 0],
            "round": seen["round"][..., 0],
            "action": own["action"][..., 0, 0],
            "log_prob": own["log_prob"][..., 0],
            "value": own["state_value"][..., 0, 0],
            "reward": paid["reward"][..., 0, 0],
            "ended": paid["ended"][..., 0, 0],
        }
    return out


def same_stream(pairs: int, slots: int = 64) -> bool:
    """Whether they play the same."""
    return not differences(settings.environment(slots, pairs=pairs))
