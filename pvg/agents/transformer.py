"""A transformer layer, as the networks of several scenarios use it."""

from __future__ import annotations

from torch import Tensor, nn

from pvg.errors import UserError


class TransformerLayer(nn.Module):
    """A pre-norm transformer layer: every token attends to every token."""

    def __init__(self, width: int, heads: int, hidden: int):
        super().__init__()
        if width % heads:
            raise UserError(f"width={width} must be a multiple of heads={heads}.")
        self.heads = heads
        self.norm, self.qkv, self.out = (
            nn.LayerNorm(width),
            nn.Linear(width, 3 * width),
            nn.Linear(width, width),
        )
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, width)
        )

    def forward(self, h: Tensor, first: int | None = None) -> Tensor:
        """``h [b, t, width]`` -> the same, or only its first few tokens (in a last layer the rest is never read)."""
        b, t, w = h.shape
        q, k, v = self.qkv(self.norm(h)).view(b, t, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(q[:, :, :first], k, v)
        h = h[:, :first] + self.out(seen.transpose(1, 2).flatten(2))
        return h + self.mlp(h)
