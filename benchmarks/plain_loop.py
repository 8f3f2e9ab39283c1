"""The graph-isomorphism exchange as a plain torch loop, without TorchRL, TensorDict or any of pvg's environment.

``nip`` with the prover first and the environment's questions drawn.  The loop is what somebody would write who
has only this one game to play, and it does all that learning needs: two games a slot so that both
networks always have work, tables gathered by index, frames stored in tensors laid out beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

Frames = dict[str, dict[str, Tensor]]

REJECT, ACCEPT, CONTINUE = 0, 1, 2
NEVER = -1e9


class PlainLoop:
    """Collects frames ``[steps, slots, ...]`` of the prover's and the verifier's turns.

    Args:
        table: ``adjacency [m, 2, n, n]``, ``size [m, 2]`` and ``label [m]`` of the instances.
        nets: the two networks, from a view to logits and a value.
        payoffs: for each agent what a decision brings, ``[label, decision]``.
        slots, steps: width of the batch, and steps a call.
        rounds, first_decision: of the protocol.
        chunk: how many rows a network sees at once.
    """

    def __init__(
        self,
        table: Mapping[str, Tensor],
        nets: Mapping[str, Callable[[dict[str, Tensor]], dict[str, Tensor]] | nn.Module],
        payoffs: Mapping[str, Tensor],
        *,
        slots: int,
        steps: int,
        rounds: int,
        first_decision: int = 0,
        chunk: int = 2048,
    ):
        self.nets, self.slots, self.steps, self.rounds, self.chunk = nets, slots, steps, rounds, chunk
        self.adjacency, self.label = table["adjacency"].float(), table["label"]
        self.n = self.adjacency.shape[-1]
        self.node = torch.arange(self.n)
        self.exists = self.node < table["size"].long().unsqueeze(-1)
        self.turn = torch.arange(rounds)
        self.payoff = torch.stack([payoffs["prover"], payoffs["verifier"]], -1).flatten(
            0, 1
        )  # [label * 3 + decision, 2]
        last = self.turn == rounds - 1
        early = (self.turn < first_decision) & ~last
        self.shut = torch.stack([early, early, last], -1)
        self.known = {"prover": self.label.float().unsqueeze(-1), "verifier": torch.empty(len(self.label), 0)}
        self.all = torch.arange(slots)
        # in front of the prover, in front of the verifier
        self.games = [self.new_games(lane) for lane in range(2)]
        self.begun = False

    # ------------------------------------------------------------------ chance
    def new_games(self, lane: int) -> dict[str, Tensor]:
        """A lane of fresh games: instance, questions ``[b, rounds]``, answers so far (-1: none), round."""
        blank = torch.full((self.slots, self.rounds), -1)
        game = {
            "index": self.all.clone(),
            "asked": blank.clone(),
            "said": blank,
            "round": torch.zeros_like(self.all),
        }
        self.deal(game, self.all)
        return game

    def deal(self, game: dict[str, Tensor], rows: Tensor) -> None:
        """Give these rows of a lane an instance and the nodes of graph A that will be asked about, all different."""
        index = torch.randint(len(self.label), rows.shape)
        keys = torch.rand(len(rows), self.n).masked_fill_(~self.exists[index, 0], -1)
        game["index"][rows], game["asked"][rows] = index, keys.topk(self.rounds, -1).indices

    # ------------------------------------------------------------------ one turn
    def act(self, agent: str, seen: dict[str, Tensor]) -> dict[str, Tensor]:
        """Action, its log-probability and the value, for observations ``[b, ...]``."""
        if len(seen["index"]) > self.chunk:
            pieces = zip(*(x.split(self.chunk) for x in seen.values()), strict=True)
            parts = [self.act(agent, dict(zip(seen, piece, strict=True))) for piece in pieces]
            return {k: torch.cat([p[k] for p in parts]) for k in parts[0]}
        index = seen["index"]
        marks = (
            torch.stack([seen["asked"].masked_fill(seen["said"] < 0, -1), seen["said"]], 1).unsqueeze(-1)
            == self.node
        )
        view = {
            "adjacency": self.adjacency.index_select(0, index),
            "marks": torch.cat([self.exists.index_select(0, index).unsqueeze(2), marks], 2).float(),
            "known": self.known[agent].index_select(0, index),
            "question": seen["asked"].gather(1, seen["round"].unsqueeze(1)).squeeze(1),
        }
        out = self.nets[agent](view)
        if agent == "verifier":
            logits = out["decision"].masked_fill(self.shut[seen["round"]], NEVER)
        else:
            logits = out["message"].squeeze(1)
        logits = logits.log_softmax(-1)
        action = (logits - torch.empty_like(logits).exponential_().log_()).argmax(-1)
        log_prob = logits.gather(-1, action.unsqueeze(-1)).squeeze(-1)
        return {"action": action, "log_prob": log_prob, "value": out["value"].squeeze(-1)}

    def see(self, game: dict[str, Tensor]) -> dict[str, Tensor]:
        """The game with only those questions that have been asked."""
        return game | {"asked": game["asked"].masked_fill(self.turn > game["round"].unsqueeze(1), -1)}

    # ------------------------------------------------------------------ collecting
    @torch.no_grad()
    def collect(self) -> Frames:
        """What both agents saw and did at each step, and what its end brought to a game's last turns.

        ``reward`` and ``ended`` are those of the decision taken at that step, so the prover's belong to its act of
        the step before.
        """
        stored: Frames = {"prover": {}, "verifier": {}}
        for t in range(self.steps):
            front, back = self.games
            seen = self.see(front), self.see(back)
            acts = self.act("prover", seen[0]), self.act("verifier", seen[1])
            # the prover's answer; in place, as nothing else holds this tensor
            front["said"] = front["said"].scatter(
                1, front["round"].unsqueeze(1), acts[0]["action"].unsqueeze(1)
            )
            decision = acts[1]["action"]
            over = (decision != CONTINUE) | (back["round"] == self.rounds - 1)
            paid = self.payoff[self.label[back["index"]].long() * 3 + decision] * over.unsqueeze(1)
            if not self.begun:  # nothing is in front of the verifier at the very first step
                self.begun, over, paid, ended = (
                    True,
                    torch.ones_like(over),
                    torch.zeros_like(paid),
                    torch.zeros_like(over),
                )
            else:
                ended = over
            for k, agent in enumerate(stored):
                frame = (
                    {k: v for k, v in seen[k].items() if k in KEPT}
                    | acts[k]
                    | {"reward": paid[:, k], "ended": ended}
                )
                self.store(stored[agent], t, frame)
            back["round"] = (back["round"] + 1).masked_fill_(over, 0)
            rows = over.nonzero().squeeze(1)
            if len(rows):
                back["said"] = back["said"].masked_fill(over.unsqueeze(1), -1)
                back |= {k: back[k].clone() for k in ("index", "asked")}
                self.deal(back, rows)
            self.games = [back, front]
        return stored

    def store(self, frames: dict[str, Tensor], t: int, frame: dict[str, Tensor]) -> None:
        """Write a step's tensors into those of the whole call, small types where they do."""
        for key, x in frame.items():
            if key not in frames:
                frames[key] = torch.empty(self.steps, *x.shape, dtype=KEPT.get(key, x.dtype))
            frames[key][t] = x


KEPT = {"index": torch.int32, "asked": torch.int16, "said": torch.int16, "round": torch.int16}
