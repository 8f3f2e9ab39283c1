"""``ExchangeEnv``: interleaved prover-verifier games, the base class of every scenario.

A slot of the batch holds as many games as its protocol has seats.  At each step every seat acts on the
game in front of it; then the games move on by one seat.  A game that ends is replaced when it comes to
the first seat.  Every network so runs on a dense batch at every step, and no code asks whose turn it is::

    step t    seat prover: game A     seat verifier: game B
    step t+1  seat prover: game B'    seat verifier: game A        (B' = B, or B's successor)

All state is in the TensorDict, chance included: which instance a game gets and what its coins show is a
hash of its serial number, so a step from the same TensorDict always has the same result.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor
from torchrl.envs import EnvBase

from pvg.envs.payoffs import Payoff
from pvg.envs.protocols import Protocol
from pvg.envs.rules import BLANK, ExchangeRules, mix
from pvg.envs.specs import make_specs
from pvg.errors import UserError


class ExchangeEnv(ExchangeRules):
    """Prover-verifier games on a table of instances, as a TorchRL environment of ``slots`` slots.

    A scenario is a subclass that builds the two tables and overrides :meth:`message` and :meth:`view`,
    and where it has them :meth:`coins`, :meth:`teach`, :meth:`describe`.

    Groups follow TorchRL's multi-agent convention.  For an agent with ``k`` seats (often 1) and ``b`` slots:

    * ``(agent, "observation")``: ``index`` int32 ``[b, k]`` of the instance (what the agent may know of
      it is up to :meth:`view`), ``transcript`` int16 (int32 for vocabularies above 32,768) ``[b, k, rounds, width]``
      of the channels it hears,
      ``coins`` int16 ``[b, k, rounds, c]`` shown so far, ``round`` int16 ``[b, k]``, ``live`` bool ``[b, k]``
      (False where no game has begun in front of the seat: what is done there counts for nothing);
    * ``(agent, "action")``: int64 ``[b, k, tokens]``, the message and, for agents that decide, at the end
      0 reject, 1 accept or 2 continue;
    * ``("next", agent, "reward")`` float ``[b, k, 1]`` and ``("next", agent, "ended")`` bool ``[b, k, 1]``:
      what the seat's last act *on the games of this lane* has brought since, delivered when the lane comes
      back to the seat, as in PettingZoo's turn-based API (Terry et al. 2021).  In a track of ``m`` seats
      the act of step ``t`` is paid at step ``t + m - 1``; ``pvg.trainers.ppo.own_turns`` puts the two together.

    The environment's own ``done`` stays False: games end and begin inside the slots.

    Args:
        train: instances to draw from, batch ``[n]``, with at least ``label`` bool ``[n]`` (is the claim true?).
        test: held-out instances with the same keys and shapes; both live in one table, ``test`` last.
        protocol: who speaks when.
        payoffs: what each agent is paid, by name; ``verifier`` and ``prover`` stand for those not named that
            do and don't decide, ``default`` for the rest.
            By default whoever decides is paid for being right and the others for acceptance.
        slots: width of the batch.
        seed: decides instances and coins.

    Raises:
        UserError: no slots, an empty table, or tables that do not fit together.
    """

    def __init__(
        self,
        train: TensorDict,
        test: TensorDict,
        *,
        protocol: Protocol,
        payoffs: Mapping[str, Payoff] | None = None,
        slots: int = 256,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ):
        if slots < 1:
            raise UserError(f"env.slots={slots}: at least one slot is needed; 256 to 16384 are sensible.")
        if not len(train):
            raise UserError("env: there is no instance to train on; check the files or sizes under env.")
        super().__init__(device=device, batch_size=[slots])
        self.protocol, self.slots, self.seed = protocol, slots, seed
        self.instances = torch.cat([train, test]).to(device) if len(test) else train.to(device)
        self.train_size, self.test_size = len(train), len(test)
        self.payoffs = dict(payoffs or {})
        self._set_up()

    def variant(
        self,
        *,
        slots: int | None = None,
        payoffs: Mapping[str, Payoff] | None = None,
        seed: int | None = None,
    ) -> ExchangeEnv:
        """The same game on the same tables (not copied) with other slots, pay or chance."""
        slots = self.slots if slots is None else slots
        other = object.__new__(type(self))
        EnvBase.__init__(other, device=self.device, batch_size=[slots])  # specs of its own
        other.__dict__.update(
            {k: v for k, v in self.__dict__.items() if k not in other.__dict__ and k != "_cache"}
        )
        other.slots = slots
        other.seed = self.seed if seed is None else seed
        other.payoffs = dict(self.payoffs if payoffs is None else payoffs)
        other._set_up()
        other._cache = {}
        # TorchRL makes these when they are first asked for
        _ = other.done_spec, other.reward_keys, other.state_spec
        return other

    # ------------------------------------------------------------------ the layout, computed once
    def _set_up(self) -> None:
        """What follows from the scenario, the protocol, the pay and the number of slots."""
        self._set_rules()
        self._lay_out()
        for name, spec in make_specs(self).items():
            setattr(self, name, spec)

    def _lay_out(self) -> None:
        protocol, device = self.protocol, self.device
        self.lanes = sum(len(track) for track in protocol.tracks)
        self._places = protocol.places()
        self.groups = {a: protocol.places(a) for a in protocol.agents}
        # who acts in a seat, as (group, place in the group's seat dimension); whose payment is due there
        self._actors: dict[tuple[int, int], list[tuple[str, int]]] = {}
        self._keep: dict[tuple[int, int], Tensor] = {}
        self._later: dict[tuple[int, int], Tensor | None] = {}  # the voices of later seats, if there are any
        for t, s, _ in self.seats():
            here = [p for p in self._places if (p.track, p.seat) == (t, s)]
            self._actors[t, s] = [(p.voice.agent, self.groups[p.voice.agent].index(p)) for p in here]
            due = {p.column for p in here}
            keep = [c not in due for c in range(sum(map(len, protocol.tracks[t])))]
            self._keep[t, s] = torch.tensor(keep, device=device)
            later = torch.tensor([p.seat > s for p in self._places if p.track == t], device=device)
            self._later[t, s] = later if later.any() else None
        b = self.slots
        self._false = torch.zeros(b, dtype=torch.bool, device=device)
        self._true = ~self._false
        self._done = torch.zeros(b, 1, dtype=torch.bool, device=device)
        self._zero = torch.zeros(b, dtype=torch.int16, device=device)
        self._blank = torch.full(
            (b, protocol.rounds, self.width), BLANK, dtype=self.token_type, device=device
        )

    def seats(self) -> list[tuple[int, int, str]]:
        """Every seat as (track, seat, key of the game in front of it)."""
        return [
            (t, s, f"track{t}_seat{s}")
            for t, track in enumerate(self.protocol.tracks)
            for s in range(len(track))
        ]

    def draw(self, serial: Tensor) -> Tensor:
        """The training instance of the games with these serial numbers, int64 ``[n]``."""
        return mix(serial, self.seed) % self.train_size

    # ------------------------------------------------------------------ TorchRL
    def _reset(self, tensordict: TensorDictBase | None = None, **kwargs) -> TensorDict:
        games = {}
        for lane, (t, s, key) in enumerate(self.seats()):
            serial = torch.arange(self.slots, device=self.device) * self.lanes + lane
            game = self.new_games(self.draw(serial), serial)
            voices = sum(map(len, self.protocol.tracks[t]))
            live = game["live"] if s == 0 else self._false
            owed = torch.zeros(self.slots, voices, device=self.device)
            games[key] = game | {"live": live, "serial": serial, "owed": owed, "ended": owed.bool()}
        return self._emit(games, first=True)

    def _step(self, tensordict: TensorDictBase) -> TensorDict:
        games, stride = {}, self.slots * self.lanes
        for t, track in enumerate(self.protocol.tracks):
            for s, seat in enumerate(track):
                game = dict(tensordict["games", f"track{t}_seat{s}"].items())
                actions = [tensordict[a, "action"][:, k] for a, k in self._actors[t, s]]
                game, over, decision = self.act(game, t, s, actions)
                if any(v.decides for v in seat):
                    owed, due = self.payoff(t, game["index"], decision), over.unsqueeze(-1)
                    later = self._later[t, s]
                    if later is not None:  # who has had no turn in this game still awaits the last one's pay
                        due = due & ((game["round"] > 0).unsqueeze(-1) | ~later)
                    game["owed"] = torch.where(due, owed, game["owed"])
                    game["ended"] = game["ended"] | due
                if s == len(track) - 1:
                    game = self._next_round(game, stride)
                games[f"track{t}_seat{(s + 1) % len(track)}"] = game
        return self._emit(games)

    def _next_round(self, game: dict[str, Tensor], stride: int) -> dict[str, Tensor]:
        """Past the last seat: one round on, or a fresh game where the old one is over."""
        live = game["live"]
        each = live.view(-1, 1, 1)
        serial = torch.where(live, game["serial"], game["serial"] + stride)
        index = torch.where(live, game["index"], self.draw(serial).to(torch.int32))
        fresh = {
            "index": index,
            "transcript": torch.where(each, game["transcript"], self._blank),
            "round": torch.where(live, game["round"] + 1, self._zero),
            "live": self._true,
            "serial": serial,
        }
        if self.coin_count:
            fresh["coins"] = torch.where(each, game["coins"], self.coins(index, serial))
        return game | fresh

    def _emit(self, games: dict[str, dict[str, Tensor]], first: bool = False) -> TensorDict:
        """Observations of all agents, and what is owed to each seat for its last act in the lane before it."""
        b, out = self.batch_size, {}
        rewards = {p: (games[f"track{p.track}_seat{p.seat}"], p.column) for p in self._places}
        for agent, places in self.groups.items():
            views, paid, ended = [], [], []
            for place in places:
                game, column = rewards[place]
                views.append(self.observe(game, place))
                paid.append(game["owed"][:, column])
                ended.append(game["ended"][:, column])
            view = {k: _stack([v[k] for v in views]) for k in views[0]}
            group: dict = {
                "observation": TensorDict._new_unsafe(view, b, device=self.device),
                "ended": _stack(ended).unsqueeze(-1),
            }
            if not first:
                group["reward"] = _stack(paid).unsqueeze(-1)
            out[agent] = TensorDict._new_unsafe(group, b, device=self.device)
        state = {}
        for t, s, key in self.seats():
            keep, game = self._keep[t, s], games[key]
            game = game | {"owed": game["owed"] * keep, "ended": game["ended"] & keep}
            state[key] = TensorDict._new_unsafe(game, b, device=self.device)
        out["games"] = TensorDict._new_unsafe(state, b, device=self.device)
        done = {"done": self._done, "terminated": self._done}
        return TensorDict._new_unsafe(out | done, b, device=self.device)

    def _set_seed(self, seed: int | None) -> None:
        self.seed = int(seed or 0)


def _stack(seats: list[Tensor]) -> Tensor:
    """``[b, k, ...]`` from ``k`` tensors ``[b, ...]``; a view when there is only one."""
    return seats[0].unsqueeze(1) if len(seats) == 1 else torch.stack(seats, 1)
