"""An engine that says a player's messages in place of the player's own loop; several can be at work at once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from pvg.errors import UserError
from pvg.language.canary import StaleEngine, check
from pvg.language.engine import Engine, EngineFailed, Request, Sample


class Speaker:
    """Draws messages from a :class:`pvg.agents.players.LanguageNet` by an engine.

    The engine has the model without the rows that its tokenizer has no token for, so that what it draws from is the
    player's own distribution.

    Args:
        net: whose words are said.
        tokenizer: its.
        make: makes the engine of a folder.
        watched: texts by which the engine is compared with the net whenever its weights change.

    Raises:
        UserError: the engine can't start.
    """

    def __init__(self, net: Any, tokenizer: Any, make: Callable[[str], Engine], watched: list[list[int]]):
        self.net, self.watched, self.version, self.keys = net, watched, 0, 0
        self.asked: list[int] | None = (
            None  # the row of each request in flight, by its place from the first key
        )
        self.home = TemporaryDirectory(prefix="pvg-")
        self._save(tokenizer)
        try:
            self.engine = make(self.home.name)
        except EngineFailed as error:
            raise UserError(f"The engine can't start: {error}") from error

    def renew(self) -> None:
        """Give the engine the net's weights, and see that it has them.

        Raises:
            StaleEngine: it has not.
        """
        self.version += 1
        with torch.inference_mode(False), torch.no_grad():
            self.engine.load_weights(self._weights(), self.version)
            check(self.engine, _Known(self.net), self.watched)

    def ask(self, tokens: Tensor, length: Tensor, most: int, rows: Tensor, greedy: bool) -> None:
        """Begin messages; their draws are decided by torch's random state.

        Args:
            tokens, length: texts ``[n, t]`` that they follow, padded at the right.
            most: tokens of a message.
            rows: bool ``[n]``, who says something.
        """
        wanted, seeds = rows.nonzero().flatten().tolist(), torch.randint(1 << 62, (len(rows),)).tolist()
        texts, ends = tokens.tolist(), length.tolist()
        self.asked, first, self.keys = wanted, self.keys, self.keys + len(wanted)
        self.engine.submit(
            Request(first + i, tuple(texts[row][: ends[row]]), most, seeds[row], 0.0 if greedy else 1.0)
            for i, row in enumerate(wanted)
        )

    def said(self, count: int, most: int, pad: int) -> tuple[Tensor, Tensor]:
        """The messages begun: tokens ``[count, most]``, padded, and log-probabilities ``[count]``; of silent rows 0.

        Raises:
            StaleEngine: one was drawn by other weights than the last.
        """
        wanted, first = self.asked or [], self.keys - len(self.asked or [])
        found: dict[int, Sample] = {}
        while len(found) < len(wanted):
            samples = self.engine.poll()
            if not samples:
                raise EngineFailed(
                    "the engine says that nothing is in flight, and there are messages to come"
                )
            found |= {s.key - first: s for s in samples if s.key >= first}
        self.asked = None
        words, log_prob = torch.full((count, most), pad), torch.zeros(count)
        for i, sample in found.items():
            if not sample.version == sample.last_version == self.version:
                raise StaleEngine(
                    f"The engine drew a message with weights {sample.version} where the agent has {self.version}."
                )
            words[wanted[i], : len(sample.tokens)] = torch.tensor(sample.tokens)
            log_prob[wanted[i]] = sum(sample.log_probs)
        return words, log_prob

    def close(self) -> None:
        """End the engine."""
        self.engine.close()
        self.home.cleanup()

    def _weights(self) -> Iterable[tuple[str, Tensor]]:
        model, words = self.net.model, self.net.vocabulary
        tables = {
            x.data_ptr() for x in (model.get_input_embeddings().weight, model.get_output_embeddings().weight)
        }
        return [(n, x[:words] if x.data_ptr() in tables else x) for n, x in model.state_dict().items()]

    def _save(self, tokenizer: Any) -> None:
        config = copy.deepcopy(self.net.model.config)
        config.get_text_config().vocab_size = self.net.vocabulary
        with torch.random.fork_rng():
            small = type(self.net.model)(config)
        small.load_state_dict(dict(self._weights()))
        small.save_pretrained(self.home.name)
        tokenizer.save_pretrained(self.home.name)


class _Known:
    """A net as the canary looks at models."""

    def __init__(self, net: Any):
        self.net, self.dtype, self.device = net, net.model.dtype, net.model.device

    def __call__(self, input_ids: Tensor, use_cache: bool) -> SimpleNamespace:
        return SimpleNamespace(logits=self.net.words(self.net.hidden(input_ids)))
