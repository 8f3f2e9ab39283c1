"""Random models of every architecture that the own sampler is written for, with nothing left at zero or one."""

import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

SIZES = dict(
    vocab_size=48,
    hidden_size=32,
    intermediate_size=56,
    num_hidden_layers=2,
    num_attention_heads=4,
    max_position_embeddings=64,
    attn_implementation="eager",  # transformers' plainest way
)
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
KINDS = {
    "llama": (LlamaForCausalLM, LlamaConfig, dict(num_key_value_heads=4, tie_word_embeddings=True)),
    "llama, untied, grouped": (LlamaForCausalLM, LlamaConfig, dict(num_key_value_heads=2)),
    "llama, scaled rotary": (
        LlamaForCausalLM,
        LlamaConfig,
        dict(num_key_value_heads=1, rope_parameters=LLAMA3),
    ),
    "mistral": (MistralForCausalLM, MistralConfig, dict(num_key_value_heads=2, sliding_window=None)),
    "qwen2, biases": (
        Qwen2ForCausalLM,
        Qwen2Config,
        dict(num_key_value_heads=2, tie_word_embeddings=True),
    ),
    "qwen3, norms, wide heads": (
        Qwen3ForCausalLM,
        Qwen3Config,
        dict(num_key_value_heads=2, head_dim=12, tie_word_embeddings=True),
    ),
}


def make(kind, seed=0, **more):
    """A model in evaluation mode."""
    model_class, config_class, how = KINDS[kind]
    torch.manual_seed(seed)
    model = model_class(config_class(**{**SIZES, **how, **more})).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(0.3 * torch.randn_like(weight) + ("norm" in name))  # biases and norms too
    return model
