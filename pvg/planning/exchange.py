"""An exchange as a game that the prover plays alone: what the frozen verifier does is part of what follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from tensordict import TensorDict
from torch import Tensor

from pvg.envs.exchange import ExchangeEnv
from pvg.envs.payoffs import ACCEPT, CONTINUE, REJECT
from pvg.envs.protocols import Place
from pvg.envs.rules import BLANK
from pvg.errors import UserError
from pvg.planning.simulator import POLICY, State, Step, rows

HIDDEN = (
    "hidden"  # where a state holds which units of the verifier's hidden layer are active, bool [n, units]
)
GAME = ("index", "transcript", "coins", "round", "live")


class Answer(NamedTuple):
    """What a verifier makes of ``n`` observations."""

    act: Tensor  # int64 [n, tokens]: its message if it speaks, and its decision
    odds: Tensor  # float [n]: log-odds of acceptance against rejection, should it decide now
    hidden: Tensor | None  # bool [n, units]: which units of a hidden layer are active, if that is asked for


class ExchangeSimulator:
    """The prover's part in games on given instances: an action says a token, and what the verifier does then follows.

    When a message is complete the verifier answers, without chance, and the prover is to speak again or the game is
    over.  The last step is paid 1 if the verifier accepts and all else 0.  Coins are part of the state, so that
    whoever plans knows all questions in advance.  Besides the game's own keys a state has ``said`` int64
    ``[n, length]`` (the tokens of the message begun, -1 for those to come), ``accepted`` bool ``[n]``, and ``asked``
    int64 ``[n]``: how many answers of the verifier the step to this state has taken.

    Args:
        env: the exchange.
        index: instances ``[m]`` that the games are about.
        prover, decider: who speaks and who decides in the track that is played.
        verifier: from observations of the decider to its answers.
        looks: the active units of its hidden layer are features too; it is then asked after every message, also
            where it has no choice.
        temperature: states hold a policy that leads the search: a softmax over this temperature of the verifier's
            log-odds, should it decide after each of the prover's next tokens.  What it would reject is not said.
            Looking ahead takes an answer a token.  None: nothing leads.
        draft: from observations of the prover to whole messages ``[n, length]``; looking ahead, they stand for the
            tokens that are still to come in messages of more than one.

    Raises:
        UserError: prover and verifier do not speak in turns.
    """

    def __init__(
        self,
        env: ExchangeEnv,
        index: Tensor,
        prover: Place,
        decider: Place,
        verifier: Callable[[TensorDict], Answer],
        *,
        looks: bool = False,
        temperature: float | None = None,
        draft: Callable[[TensorDict], Tensor] | None = None,
    ):
        track = env.protocol.tracks[prover.track]
        if prover.seat == decider.seat or len(track[prover.seat]) + len(track[decider.seat]) > 2:
            raise UserError(
                "Planning against a verifier needs a protocol in which prover and verifier speak in turns, each in a "
                "seat of its own, as in nip. Attack this one with a fresh prover instead."
            )
        self.env, self.index, self.device = env, index, env.device
        self.prover, self.decider, self.verifier = prover, decider, verifier
        self.looks, self.temperature, self.draft = looks, temperature, draft
        self.length, self.actions = env.message(prover.voice.speaks)
        self.moves: Sequence[str] = [str(token) for token in range(self.actions)]
        self.silent = env.message(decider.voice.speaks)[0] == 0
        self.tokens = len(env.vocabularies[decider.voice.agent])
        top = max(env.message(channel)[1] for channel in env.protocol.channels)
        self.units = self._units() if looks else 0
        self.atoms_shape = (env.protocol.rounds * env.width + self.units, top + 1)

    @property
    def price(self) -> int:
        """Most answers of the verifier that one step takes."""
        return 1 + (0 if self.temperature is None else self.actions)

    def initial(self, count: int) -> State:
        """Games on the first ``count`` instances; after the last comes the first again."""
        index = self.index[torch.arange(count, device=self.device) % len(self.index)]
        state = self.env.new_games(index, index)
        state["said"] = torch.full((count, self.length), BLANK, device=self.device)
        state["asked"], state["accepted"] = torch.zeros_like(index), torch.zeros_like(state["live"])
        if self.looks:
            state[HIDDEN] = torch.zeros(count, self.units, dtype=torch.bool, device=self.device)
        if self.decider.seat < self.prover.seat:
            state = self._decide(state)
        return self._lead(state)

    def step(self, state: State, action: Tensor) -> Step:
        """What follows when the prover says one more token, int64 ``[n]``."""
        after = {k: v for k, v in state.items() if k != POLICY}
        place = (after["said"] != BLANK).sum(1)
        after["said"] = after["said"].scatter(1, place.unsqueeze(1), action.unsqueeze(1))
        after["asked"] = torch.zeros_like(after["asked"])
        whole = (place == self.length - 1).nonzero().squeeze(1)
        if len(whole) == len(action):
            after = self._hand_over(after)
        elif len(whole):
            handed = self._hand_over(rows(after, whole))
            after = {k: v.index_copy(0, whole, handed[k]) for k, v in after.items()}
        done, accepted = ~after["live"], after["accepted"]
        return Step(self._lead(after), (done & accepted).float(), done, done & ~accepted)

    def atoms(self, state: State) -> Tensor:
        """Every token said so far, in its place, and the verifier's hidden units if they are known."""
        words = state["transcript"]
        if self.length > 1:  # the message begun stands where it will stand when it is complete
            here = state["round"].long().view(-1, 1, 1).expand(-1, 1, self.length)
            columns = self.env.columns[self.prover.voice.speaks]
            words = words.clone()
            begun, said = words[:, :, columns], state["said"].unsqueeze(1).to(words.dtype)
            begun.scatter_(1, here, torch.where(said == BLANK, begun.gather(1, here), said))
        atoms = words.flatten(1).int() + 1
        return torch.cat([atoms, state[HIDDEN].int()], 1) if self.looks else atoms

    def legal(self, state: State) -> None:
        """Any token may be said."""

    def draw(self, state: State) -> Tensor:
        """Messages have no picture."""
        raise UserError("What is said in an exchange has no picture: set pictures.thumbnails=none.")

    def _units(self) -> int:
        """How many units the verifier shows."""
        hidden = self.verifier(
            self._seen(self.env.new_games(self.index[:1], self.index[:1]), self.decider)
        ).hidden
        return 0 if hidden is None else hidden.shape[1]

    # ------------------------------------------------------------------ what follows
    def _hand_over(self, state: State) -> State:
        """Say the whole message; the state when the prover is to speak again."""
        state, _, _ = self.env.act(state, self.prover.track, self.prover.seat, [state["said"]])
        state["said"] = torch.full_like(state["said"], BLANK)
        if self.decider.seat > self.prover.seat:
            state = self._decide(state)
        state["round"] = torch.where(state["live"], state["round"] + 1, state["round"])
        return self._decide(state) if self.decider.seat < self.prover.seat else state

    def _decide(self, state: State) -> State:
        """The verifier's turn; it is not asked where it has no choice and nothing to say, unless that is to be seen."""
        choice = self.env.open_decisions(state["round"]).sum(1) > 1
        asked = state["live"] if self.looks or not self.silent else state["live"] & choice
        act = asked.new_full((len(asked), self.tokens), CONTINUE, dtype=torch.long)
        which = asked.nonzero().squeeze(1)
        hidden = None
        if len(which):
            answer = self.verifier(self._seen(rows({k: state[k] for k in GAME}, which), self.decider))
            act, hidden = act.index_copy(0, which, answer.act), answer.hidden
        state, over, decision = self.env.act(state, self.decider.track, self.decider.seat, [act])
        state["asked"] = state["asked"] + asked
        state["accepted"] = state["accepted"] | (over & (decision == ACCEPT))
        if hidden is not None:
            state[HIDDEN] = state[HIDDEN].index_copy(0, which, hidden)
        return state

    # ------------------------------------------------------------------ what leads
    def _lead(self, state: State) -> State:
        """With the policy by which the verifier's own belief leads the search."""
        if self.temperature is None:
            return state
        which = state["live"].nonzero().squeeze(1)
        logits = torch.zeros(len(state["live"]), self.actions, device=self.device)
        if len(which):
            logits = logits.index_copy(0, which, self._look_ahead(rows(state, which)) / self.temperature)
            state = state | {
                "asked": state["asked"].index_add(0, which, torch.full_like(which, self.actions))
            }
        return state | {POLICY: logits}

    def _look_ahead(self, state: State) -> Tensor:
        """Log-odds of acceptance after each next token, ``[n, actions]``; -inf where the verifier would reject."""
        message, n = state["said"], len(state["said"])
        place = (message != BLANK).sum(1).repeat_interleave(self.actions).unsqueeze(1)
        if self.draft is not None and self.length > 1:
            message = torch.where(message == BLANK, self.draft(self._seen(state, self.prover)), message)
        games = {k: state[k].repeat_interleave(self.actions, 0) for k in GAME}
        tokens = torch.arange(self.actions, device=self.device).repeat(n).unsqueeze(1)
        message = message.repeat_interleave(self.actions, 0).scatter(1, place, tokens)
        games, _, _ = self.env.act(games, self.prover.track, self.prover.seat, [message])
        if self.decider.seat < self.prover.seat:
            games["round"] = games["round"] + 1
        answer = self.verifier(self._seen(games, self.decider))
        last = (place.squeeze(1) == self.length - 1) & (answer.act[:, -1] == REJECT)
        return answer.odds.masked_fill(last, -torch.inf).view(n, self.actions)

    def _seen(self, state: State, place: Place) -> TensorDict:
        return TensorDict._new_unsafe(
            self.env.observe(state, place), state["round"].shape, device=self.device
        )
