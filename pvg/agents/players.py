"""Language models that play an exchange: they read the text in front of them and say their message token by token."""

from __future__ import annotations

import math
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor, nn
from torch.nn.functional import pad, rms_norm

from pvg.agents.agent import NEVER, Agent, Tokens, flatten, greedily, pieces
from pvg.agents.language import log_probs_of, reading
from pvg.agents.speaker import Speaker
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.word_problems import vocabulary
from pvg.errors import UserError
from pvg.language.decoder import ARCHITECTURES, Decoder
from pvg.language.engine import Engine
from pvg.language.models import context_of, load, load_tokenizer, make_tiny

SURE = 8.0  # log-odds that one nat a token is worth where the scale is 1
View = dict[str, Tensor]


def tokenizer(model: str | None = None) -> Any:
    """The tokenizer of a model; with None that of the words of synthetic problems.

    Args:
        model: a folder as transformers saves it, or a name on the hub.

    Raises:
        UserError: there is none.
    """
    if model:
        return load_tokenizer(model)
    with TemporaryDirectory() as folder:
        make_tiny(folder, vocabulary(), width=8, layers=1, heads=1, hidden=8)  # the model is not used
        return load_tokenizer(folder)


class LanguageNet(nn.Module):
    """A causal language model with a value, and for deciders a decision, beside its words.

    A decider's belief is a learned multiple of the mean, over the tokens whose truth is in question, of what each adds
    and of its log-probability given all before it.  A model that can follow a solution expects its next step: where one
    that reads its last hidden state alone would learn its examples by heart, this one learns sums.

    Args:
        env: a scenario whose view is a text: ``tokens [n, t]``, ``length [n]``, for deciders ``judged [n, t]``.
        name: the agent's group.
        model: a folder as transformers saves it, or a name on the hub; None for a tiny Llama with random weights.
        width, layers, heads, hidden: of the tiny one.

    Raises:
        UserError: no such model, one with too small a vocabulary, or texts longer than its context.
    """

    def __init__(
        self,
        env: Any,
        name: str,
        model: str | None = None,
        width: int = 64,
        layers: int = 2,
        heads: int = 2,
        hidden: int = 192,
    ):
        super().__init__()
        reach = env.reach(name)
        if model:
            self.model = load(model)
        else:
            with TemporaryDirectory() as folder:
                special = set(env.tokenizer.all_special_tokens)
                words = [word for word in env.tokenizer.get_vocab() if word not in special]
                seed = int(torch.randint(1 << 31, ()))
                size = {"width": width, "layers": layers, "heads": heads, "hidden": hidden}
                make_tiny(folder, words, context=reach, seed=seed, **size)
                self.model = load(folder)
        config = self.model.config.get_text_config()
        if config.vocab_size < env.words:
            raise UserError(
                f"model={model}: it knows {config.vocab_size:,} tokens, and its tokenizer has {env.words:,}. Save the "
                "two that belong together in one folder."
            )
        if context_of(config) < reach:
            raise UserError(
                f"with the longest problem the text may come to {reach} tokens, and the model's context is "
                f"{context_of(config)}. Lower env.most or rounds, take shorter problems, or name another model."
            )
        self.vocabulary, width = env.words, config.hidden_size
        self.decides = name in env.protocol.deciders
        self.value = _zero(nn.Linear(width, 1))
        if self.decides:
            self.adds, self.go_on = _zero(nn.Linear(width, 1)), _zero(nn.Linear(width, 1))
            # one that can't speak yet expects every word alike, and believes as much as not
            scale = 1.0 if model else 0.2
            self.scale = nn.Parameter(torch.tensor(scale))
            self.bias = nn.Parameter(torch.tensor(scale * (0.1 if model else math.log(self.vocabulary))))

    def hidden(self, tokens: Tensor) -> Tensor:
        """Last hidden states ``[n, t, width]`` of texts padded at the right, which no word before sees."""
        return self.model.get_decoder()(input_ids=tokens, use_cache=False).last_hidden_state

    def words(self, hidden: Tensor) -> Tensor:
        """Logits ``[..., vocabulary]`` of the next token; rows that the tokenizer has no token for are left out."""
        return self.model.get_output_embeddings()(hidden)[..., : self.vocabulary].float()

    def heads(self, hidden: Tensor, view: View) -> dict[str, Tensor]:
        """``value [n, 1]``, and for deciders ``decision [n, 3]``, at the end of each text, and ``expected [n]``, the
        log-probability of the tokens whose truth is in question."""
        last = hidden[torch.arange(len(hidden), device=hidden.device), view["length"] - 1].float()
        out = {"value": self.value(last)}
        if self.decides:
            belief, out["expected"] = self._read(hidden, view)
            half = belief.unsqueeze(-1) / 2
            out["decision"] = torch.cat([-half, half, self.go_on(last)], -1)
        return out

    def _read(self, hidden: Tensor, view: View) -> tuple[Tensor, Tensor]:
        """The belief ``[n]``, and the log-probability ``[n]`` of all tokens whose truth is in question."""
        judged, width = view["judged"], view["tokens"].shape[1]
        first = int(judged.any(0).int().argmax())  # before that no column is judged
        said, tokens = judged[:, first:], view["tokens"][:, first:]
        expected = log_probs_of(self.words(hidden[:, first - 1 : width - 1]), tokens)
        added = self.adds(hidden[:, first:width].float()).squeeze(-1)
        belief = reading(added, expected, said, self.scale, self.bias)
        return SURE * belief, (expected * said).sum(-1)

    def forward(self, view: View) -> dict[str, Tensor]:
        """What :meth:`heads` gives, of a text alone."""
        view = trim(view)
        return self.heads(self.hidden(view["tokens"])[:, : view["tokens"].shape[1]], view)


class LanguagePlayer(Agent):
    """An agent whose network is a :class:`LanguageNet`: each word depends on those before it.

    Acting, it says one token after the other, with the keys and values of what it has read kept; learning, the whole
    message is read at once.  What follows a message's end, and what a decider would say when its decision ends the
    game, is padding of probability 1.

    Args:
        env, name, net, shared, weights, chunk: as for :class:`~pvg.agents.agent.Agent`.
        engine: what makes an engine of a folder, to say the messages of a rollout; None for the own loop.  Engines that
            have processes of their own (Ray's) are then busy for all agents at once.
    """

    net: LanguageNet
    env: Any  # a scenario of texts

    def __init__(
        self,
        env: ExchangeEnv,
        name: str,
        net: Callable[[ExchangeEnv, str], nn.Module] = LanguageNet,
        shared: bool = True,
        weights: str | None = None,
        chunk: int = 512,
        engine: Callable[[str], Engine] | None = None,
    ):
        super().__init__(env, name, net, shared, weights, chunk)
        self.engine = engine
        self.speaker: Speaker | None = None

    def bind(self, env: ExchangeEnv) -> LanguagePlayer:
        """Play another environment of the same scenario."""
        super().bind(env)
        self.said = len(self.tokens) - self.decides
        places, protocol = env.protocol.places(self.name), env.protocol
        # a decision in the last round ends the game, so that nobody would hear what is said with it
        self.mute = self.decides and all(p.seat == protocol.limit_seat(p.track) for p in places)
        return self

    def evaluate(self, observation: TensorDictBase) -> tuple[Tensor, Tensor]:
        """Logits ``[n, tokens, vocabulary]`` and value ``[n, 1]``.

        Each word's logits are given the words before it in ``action``; without one there is nothing to go by, and
        they are 0.  For :meth:`supervise` a decider's ``expected`` is left in the observation while it learns.
        """
        view = trim(self.env.view(self.name, observation))
        text, action = view["tokens"], observation.get("action", None)
        message = action[:, : self.said] if action is not None and self.said else None
        if message is not None:
            place = view["length"].unsqueeze(-1) + torch.arange(self.said, device=text.device)
            text = pad(text, (0, self.said), value=self.env.pad).scatter(1, place, message)
            text = text[:, : int((view["length"] + self._heard(message, observation).sum(-1)).max())]
        hidden = self.net.hidden(text)
        out = self.net.heads(hidden, view)
        if self.decides and torch.is_grad_enabled():
            observation.set("expected", out["expected"])
        if self.critic is not None:
            out["value"] = self.critic(view)["value"]
        if message is not None:
            before = (place - 1).clamp(max=hidden.shape[1] - 1)
            logits = self.net.words(hidden.gather(1, before.unsqueeze(-1).expand(-1, -1, hidden.shape[-1])))
            out["message"] = self._hush(logits, ~self._heard(message, observation))
        elif self.said:
            out["message"] = hidden.new_zeros(len(text), self.said, self.env.words)
        return self._join(out), out["value"]

    def supervise(self, observation: TensorDictBase, logits: Tensor) -> Tensor:
        """As in :class:`~pvg.agents.agent.Agent`: each word given the taught ones before it, and whoever decides learns
        to expect what was said for right claims."""
        target = self.env.teach(self.name, observation)
        if target is not None and bool((target[:, : self.said] >= 0).any()):
            words = target[:, : self.said]
            given = observation.copy().set("action", torch.where(words < 0, self.env.end, words))
            logits = self.evaluate(given)[0]
        loss = super().supervise(observation, logits)
        if self.decides:
            right = target[:, -1] == 1
            loss = loss - (observation["expected"] * right).sum() / right.sum().clamp(min=1)
        return loss

    def _heard(self, message: Tensor, observation: TensorDictBase) -> Tensor:
        """Which tokens ``[n, said]`` of a message count."""
        heard = self.env.heard_of(message)
        return heard & ~self._silent(observation).unsqueeze(-1) if self.mute else heard

    def _silent(self, observation: TensorDictBase) -> Tensor:
        return (observation["round"] == self.env.protocol.rounds - 1) & self.mute

    def _hush(self, logits: Tensor, over: Tensor) -> Tensor:
        """Padding alone where a message is over."""
        only = torch.full_like(logits[:1, :1], NEVER)
        only[..., self.env.pad] = 0
        return torch.where(over.unsqueeze(-1), only, logits)

    def renew(self) -> None:
        """Give the engine the weights; the first time, start it."""
        if self.engine is None or not self.said:
            return
        if self.speaker is None:
            index = torch.arange(2, device=self.env.device)
            games, place = self.env.new_games(index, index), self.env.protocol.places(self.name)[0]
            view = self.env.view(self.name, TensorDict(self.env.observe(games, place), [2]))
            texts = [t[:n].tolist() for t, n in zip(view["tokens"], view["length"].tolist(), strict=True)]
            self.speaker = Speaker(self.net, self.env.tokenizer, self.engine, texts)
        self.speaker.renew()

    def close(self) -> None:
        """End the engine."""
        if self.speaker is not None:
            self.speaker.close()
            self.speaker = None

    def ask(self, group: TensorDictBase) -> None:
        """Have the engine begin the messages, if there is one."""
        if self.speaker is not None:
            observation = flatten(group["observation"], group["observation", "round"].ndim)
            view, silent = self.env.view(self.name, observation), self._silent(observation)
            self.speaker.ask(view["tokens"], view["length"], self.said, ~silent, greedily())

    @torch.no_grad()
    def play(self, group: TensorDictBase) -> None:
        """As in :class:`~pvg.agents.agent.Agent`; the engine's messages, where there is one."""
        if self.speaker is None:
            super().play(group)
            return
        if self.speaker.asked is None:
            self.ask(group)
        rows, greedy = flatten(group["observation"], group["observation", "round"].ndim), greedily()
        own = self.decides or self.critic is None
        views = [self.env.view(self.name, piece) for piece in pieces(rows, self.chunk)]
        outs = [
            self.net(view) if own else {} for view in views
        ]  # while engines with processes of their own draw
        words, log_prob = (x.to(rows.device) for x in self.speaker.said(len(rows), self.said, self.env.pad))
        parts = zip(
            pieces(rows, self.chunk), words.split(self.chunk), log_prob.split(self.chunk), outs, strict=True
        )
        self._write(group, [self._decide(*part, greedy) for part in parts])

    def _decide(
        self, observation: TensorDictBase, action: Tensor, log_prob: Tensor, out: View, greedy: bool
    ) -> tuple[Tensor, ...]:
        """What :attr:`writes` names, once the message has been said."""
        if self.decides:
            dist = self.dist(out["decision"].unsqueeze(-2), observation)
            decision = dist.mode if greedy else dist.sample()
            action, log_prob = torch.cat([action, decision], 1), log_prob + dist.log_prob(decision)
        return (action, log_prob, out["value"]) if self.critic is None else (action, log_prob)

    @torch.no_grad()
    def act(self, observation: TensorDictBase, greedy: bool = False) -> tuple[Tensor, ...]:
        """As in :class:`~pvg.agents.agent.Agent`; words are drawn one by one."""
        view = trim(self.env.view(self.name, observation))
        reader = read(self.net, view, self.said)
        out = self.net.heads(reader.hidden, view) if self.decides or self.critic is None else {}
        over, silent = self._silent(observation), bool(self._silent(observation).all())
        words: list[Tensor] = []
        log_prob = torch.zeros(len(over), device=over.device)
        for k in range(0 if silent else self.said):
            if bool(over.all()):
                break
            logits = reader.go_on(words[-1].squeeze(1)) if k else reader.first()
            dist = Tokens(self._hush(logits.unsqueeze(1), over.unsqueeze(1)))
            word = dist.mode if greedy else dist.sample()
            log_prob = log_prob + dist.log_prob(word)
            words.append(word)
            over = over | (word.squeeze(1) == self.env.end)
        rest = over.new_full((len(over), self.said - len(words)), self.env.pad, dtype=torch.long)
        return self._decide(observation, torch.cat([*words, rest], 1), log_prob, out, greedy)


# ---------------------------------------------------------------------- reading on, token by token
def trim(view: View) -> View:
    """A view without the columns that are padding in all rows."""
    width = int(view["length"].max())
    return {k: x if k == "length" else x[:, :width] for k, x in view.items()}


def read(net: LanguageNet, view: View, more: int) -> Reader:
    """Read texts, ready to go on by ``more`` tokens."""
    config = net.model.config
    fits = type(net.model).__name__ in ARCHITECTURES and not getattr(config, "sliding_window", None)
    return (Reader if fits else AnyReader)(net, view["tokens"], view["length"], more)


class Reader:
    """Reads texts, and then on, a token at a time, by our own decoder.

    It takes the model's weights when it is made, so that what has just learned does not speak with its old ones.

    Attributes:
        hidden: last hidden states ``[n, t, width]`` of the texts.
    """

    hidden: Tensor

    def __init__(self, net: LanguageNet, tokens: Tensor, length: Tensor, more: int):
        self.net, self.at = net, length
        self._begin(tokens, more)

    def first(self) -> Tensor:
        """Logits ``[n, vocabulary]`` of the token after each text."""
        return self.net.words(self.hidden[torch.arange(len(self.at), device=self.at.device), self.at - 1])

    def go_on(self, word: Tensor) -> Tensor:
        """Logits ``[n, vocabulary]`` after one more token in each text."""
        logits = self._next(word)
        self.at = self.at + 1
        return logits

    def _begin(self, tokens: Tensor, more: int) -> None:
        self.decoder = decoder = Decoder(self.net.model, device=tokens.device)
        self.cache = decoder.cache(len(tokens), tokens.shape[1] + more)
        hidden = decoder.prefill(tokens, self.cache, torch.arange(len(tokens), device=tokens.device))
        self.hidden = rms_norm(hidden, decoder.norm.shape, decoder.norm, decoder.eps)

    def _next(self, word: Tensor) -> Tensor:
        return self.decoder.step(word, self.at, self.cache)[:, : self.net.vocabulary]


class AnyReader(Reader):
    """The same for any architecture, by transformers."""

    def _begin(self, tokens: Tensor, more: int) -> None:
        self.body = self.net.model.get_decoder()
        self.there = torch.arange(tokens.shape[1], device=tokens.device) < self.at.unsqueeze(-1)
        out = self.body(input_ids=tokens, attention_mask=self.there.long(), use_cache=True)
        self.hidden, self.past = out.last_hidden_state, out.past_key_values

    def _next(self, word: Tensor) -> Tensor:
        self.there = pad(self.there, (0, 1), value=True)
        out = self.body(
            input_ids=word.unsqueeze(1),
            attention_mask=self.there.long(),
            position_ids=self.at.unsqueeze(1),
            past_key_values=self.past,
            use_cache=True,
        )
        return self.net.words(out.last_hidden_state.squeeze(1))


def _zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
