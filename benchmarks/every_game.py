"""The usual multi-agent layout, to compare with: one game a slot, every agent runs on every game at every step."""

from __future__ import annotations

import torch
from tensordict import TensorDict, TensorDictBase

from pvg.envs.graph_isomorphism import GraphIsomorphism


class EveryGame(GraphIsomorphism):
    """Graph isomorphism without interleaving: at each step one agent's act counts and the others' are thrown away.

    Games, observations and payoffs are the parent's; only who has a game in front of it differs.  All slots
    start together and so it is everywhere the same agent's turn: the layout's best case, as no mask is needed.
    """

    turn = 0

    def _reset(self, tensordict: TensorDictBase | None = None, **kwargs) -> TensorDict:
        serial = torch.arange(self.slots, device=self.device)
        owed = torch.zeros(self.slots, len(self.protocol.places()), device=self.device)
        game = self.new_games(self.draw(serial), serial)
        self.turn = 0
        return self._emit(
            self._before(game | {"serial": serial, "owed": owed, "ended": owed.bool()}), first=True
        )

    def _step(self, tensordict: TensorDictBase) -> TensorDict:
        (track,), s = self.protocol.tracks, self.turn
        game = dict(tensordict["games", f"track0_seat{s}"].items())
        game["owed"], game["ended"] = torch.zeros_like(game["owed"]), torch.zeros_like(game["ended"])
        actions = [tensordict[agent, "action"][:, k] for agent, k in self._actors[0, s]]
        game, over, decision = self.act(game, 0, s, actions)
        if any(voice.decides for voice in track[s]):
            owed = self.payoff(0, game["index"], decision)
            game["owed"] = torch.where(over.unsqueeze(-1), owed, game["owed"])
            game["ended"] = game["ended"] | over.unsqueeze(-1)
        if s == len(track) - 1:
            game = self._next_round(game, self.slots)
        self.turn = (s + 1) % len(track)
        return self._emit(self._before(game))

    def _before(self, game: dict) -> dict[str, dict]:
        """The one game of each slot, in front of every seat; live where it is the seat's turn."""
        waits = game | {"live": self._false}
        return {key: game if s == self.turn else waits for _, s, key in self.seats()}
