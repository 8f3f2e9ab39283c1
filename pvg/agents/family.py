"""Which language models play: loaded, or made on the spot; with adapters where they are too large to train whole."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from pvg.agents.language import Prover, Verifier
from pvg.envs.problems import Problem
from pvg.envs.prompts import PLAIN
from pvg.errors import UserError
from pvg.language import models
from pvg.language.book import Book


@dataclass
class Tiny:
    """Sizes of a model that is made on the spot: a Llama (Touvron et al. 2023)."""

    width: int = 64
    layers: int = 2
    heads: int = 2
    hidden: int = 192


@dataclass
class Lora:
    """Adapters of low rank (Hu et al. 2021), by ``peft``: only they and the agents' heads learn."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0


@dataclass
class Family:
    """The models of a game's agents, which share one vocabulary.

    Args:
        model: of the provers, a folder that transformers has saved or a name on the hub; None makes a tiny one.
        verifier: of the verifier; None for the provers' model, or a tiny one of its own.
        tiny, tiny_verifier: sizes of what is made.
        most: new tokens that an answer may take; None for as many as the longest worked solution takes.
        context: tokens that a model made on the spot takes, prompt and answer together.
        lora: adapters; None to train all weights.
        spread: put the layers of a loaded model on all GPUs there are (by ``accelerate``), where one can't hold it.
        checkpointing: keep no activations for the backward pass but compute them again: slower, in less memory.
        dtype: of the weights: float32, bfloat16 or float16.
        templates: prompts in place of ours, by role (helpful, sneaky, translator, verifier).
    """

    model: str | None = None
    verifier: str | None = None
    tiny: Tiny = field(default_factory=Tiny)
    tiny_verifier: Tiny = field(default_factory=lambda: Tiny(width=20, layers=1, heads=1, hidden=60))
    most: int | None = 18
    context: int = 128
    lora: Lora | None = None
    spread: bool = False
    checkpointing: bool = False
    dtype: str = "float32"
    templates: Mapping[str, str] | None = None

    def make(
        self, problems: Sequence[Problem], seed: int, device: str | torch.device, limit: int | None = None
    ) -> Cast:
        """Load or make the models, and put the problems before them.

        Args:
            limit: tokens that the engine takes, prompt and answer together; None for what the models take.

        Raises:
            UserError: a model can't be had, vocabularies differ, or problems don't fit.
        """
        kind = models.number_type(self.dtype, "agents.dtype")
        home = None
        if self.model is None:
            home = tempfile.TemporaryDirectory(prefix="pvg-")
        folder = self._folder(self.model, self.tiny, home, "prover", problems, seed)
        judge = self._folder(
            self.verifier or self.model, self.tiny_verifier, home, "verifier", problems, seed + 1
        )
        tokenizer = models.load_tokenizer(folder)
        if self.verifier and models.load_tokenizer(judge).get_vocab() != tokenizer.get_vocab():
            raise UserError(
                f"agents.verifier={self.verifier}: its vocabulary is not that of agents.model={self.model}. The "
                "verifier reads the provers' tokens as they are, so take two models of one family."
            )
        torch.manual_seed(seed)
        speaks, reads = (models.load(f, kind, device, self.spread) for f in (folder, judge))
        book = Book(
            problems,
            tokenizer,
            most=self.most,
            context=min(limit or 1 << 30, *(models.context_of(m.config) for m in (speaks, reads))),
            templates=self.templates,
        )
        if self.checkpointing:
            for model in (speaks, reads):
                model.gradient_checkpointing_enable({"use_reentrant": False})
        if self.lora:
            speaks, reads = (adapt(m, self.lora) for m in (speaks, reads))
        return Cast(book, Prover(speaks), Verifier(reads), folder, home)

    def _folder(
        self, name: str | None, size: Tiny, home: Any, part: str, problems: Sequence[Problem], seed: int
    ) -> str:
        if name is not None:
            return name
        folder = Path(home.name) / part
        words = [
            *{**PLAIN, **(self.templates or {})}.values(),
            *(f"{p.question} {p.solution}" for p in problems),
        ]
        models.make_tiny(folder, words, context=self.context, seed=seed, **vars(size))
        return str(folder)


@dataclass
class Cast:
    """Who plays: the problems as they meet them, the agents, and the folder from which engines load the provers' model.

    ``home`` is a temporary folder that goes when nothing refers to it any more, or None.
    """

    book: Book
    prover: Prover
    verifier: Verifier
    folder: str
    home: Any = None


def adapt(model: Any, how: Lora) -> Any:
    """The model with fresh adapters on all its linear layers.

    Raises:
        UserError: peft is missing.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise UserError(
            "agents.lora needs the package peft: pip install peft, or leave agents.lora at null."
        ) from None
    config = LoraConfig(
        r=how.rank, lora_alpha=how.alpha, lora_dropout=how.dropout, target_modules="all-linear"
    )
    return get_peft_model(model, config)
