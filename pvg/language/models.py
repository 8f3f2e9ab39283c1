"""Language models: loaded from a folder or a hub, or made on the spot, tiny, with a tokenizer of their own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from pvg.errors import UserError, explain

PAD, END = "<pad>", "<end>"


def load(
    folder: str | Path,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
    spread: bool = False,
) -> Any:
    """The causal language model in a folder, or of that name on the hub, in evaluation mode.

    Args:
        spread: put its layers on all GPUs there are (``accelerate``).

    Raises:
        UserError: there is none, its files are no good, or accelerate is missing.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import is_accelerate_available

    if spread and not is_accelerate_available():
        raise UserError("agents.spread=true needs the package accelerate: pip install accelerate.")
    quiet()
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            str(folder), dtype=dtype, device_map="auto" if spread else None
        )
        model = model if spread else model.to(device)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise UserError(
            f"agents.model={folder}: no language model can be loaded from there ({explain(error)}). Name a folder that "
            "transformers has saved, or a model of the hub while online."
        ) from error
    if any(weight.is_meta for weight in model.parameters()):
        raise UserError(
            f"agents.model={folder}: the GPUs can't hold it, and layers that are kept elsewhere can't be trained. Take "
            "more GPUs, agents.dtype=bfloat16 or a smaller model."
        )
    return model.eval()


def load_tokenizer(folder: str | Path) -> Any:
    """The tokenizer that belongs to a model; it has an end token, and a padding token (the end's if none of its own).

    Raises:
        UserError: there is none, or it has no end token.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"agents.model={folder}: there is no tokenizer that can be loaded ({explain(error)}). Save it beside the "
            "model: tokenizer.save_pretrained(FOLDER)."
        ) from error
    if tokenizer.eos_token_id is None:
        raise UserError(
            f"agents.model={folder}: its tokenizer has no end token (eos_token), so no answer would ever end."
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def make_tiny(
    folder: str | Path,
    texts: Iterable[str],
    *,
    width: int = 64,
    layers: int = 2,
    heads: int = 2,
    hidden: int = 192,
    context: int = 128,
    seed: int = 0,
) -> None:
    """Write a small Llama with random weights, and a tokenizer of the words in ``texts``, as transformers saves them.

    Args:
        texts: from which the vocabulary is taken: each word, split at spaces, is a token.
        width, layers, heads, hidden: of the transformer (Touvron et al. 2023).
        context: tokens of prompt and answer together.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    quiet()
    words = sorted({word for text in texts for word in text.split()})
    vocabulary = {word: i for i, word in enumerate([PAD, END, "<unknown>", *words])}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="<unknown>"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, eos_token=END, pad_token=PAD, unk_token="<unknown>", model_max_length=context
    )
    config = LlamaConfig(
        vocab_size=-(-len(vocabulary) // 16) * 16,
        hidden_size=width,
        intermediate_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        initializer_range=0.64 * width**-0.5,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        LlamaForCausalLM(config).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))


def quiet() -> None:
    """Keep transformers from drawing bars of its own into ours."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def number_type(name: str, key: str) -> torch.dtype:
    """The type of a model's numbers.

    Args:
        key: of the config, for the complaint.

    Raises:
        UserError: a name of none.
    """
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if name not in kinds:
        raise UserError(f"{key}={name}: write {', '.join(kinds)}.")
    return kinds[name]


def context_of(config: Any) -> int:
    """How many tokens a model of this config takes, prompt and answer together."""
    return int(getattr(config, "max_position_embeddings", None) or 1 << 30)
