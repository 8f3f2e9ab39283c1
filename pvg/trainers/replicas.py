"""Data parallelism: replicas of one program under ``torchrun`` that average their gradients.

Everything here does nothing in a single process.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn

from pvg.errors import UserError


def start(device: str) -> tuple[int, int, str]:
    """Join the other replicas if ``torchrun`` started us.

    Each replica gets a GPU of its own, whichever ``device`` names: the one of its rank within its machine. It is made
    the current one, since NCCL and ``gather_object`` send from that
    (https://docs.pytorch.org/docs/stable/distributed.html).

    Returns:
        rank, world size, and the device of this replica (``device`` itself in a single process).

    Raises:
        UserError: there are more replicas on this machine than GPUs.
    """
    world, cuda = int(os.environ.get("WORLD_SIZE", "1")), torch.device(device).type == "cuda"
    if world > 1 and cuda:
        local, here = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= here:
            raise UserError(
                f"device={device}: torch sees {here} GPU here and each replica needs one. Start as many replicas: "
                f"torchrun --nproc-per-node={here}, or set device=cpu."
            )
        device = f"cuda:{local}"
        torch.cuda.set_device(local)
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo")
    return int(os.environ.get("RANK", "0")), world, device


def stop() -> None:
    """Leave the group."""
    if dist.is_initialized():
        dist.destroy_process_group()


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the replicas, in one message (and in place: others may view it)."""
    if not dist.is_initialized():
        return
    grads = []
    for p in parameters:
        p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        grads.append(p.grad)
    flat = torch.cat([g.reshape(-1) for g in grads])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for g, mean in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
        g.copy_(mean.view_as(g))


def mean(x: Tensor) -> Tensor:
    """Mean of a tensor over the replicas."""
    if dist.is_initialized():
        x = x.clone()
        dist.all_reduce(x)
        x /= dist.get_world_size()
    return x


def smallest(n: int) -> int:
    """The least of a number over the replicas, so that all take equally many gradient steps."""
    if not dist.is_initialized():
        return n
    least = torch.tensor(n)
    if dist.get_backend() == "nccl":
        least = least.cuda()
    dist.all_reduce(least, dist.ReduceOp.MIN)
    return int(least)


def anywhere(flag: bool) -> bool:
    """Whether it holds in any replica."""
    return smallest(int(not flag)) == 0


def gather(item: object) -> list:
    """What each replica has, in the order of their ranks, on the first; an empty list on the others."""
    if not dist.is_initialized():
        return [item]
    items: list = [None] * dist.get_world_size() if dist.get_rank() == 0 else []
    dist.gather_object(item, items or None)
    return items


def normalise(x: Tensor) -> Tensor:
    """Zero mean and unit variance over the batches of all replicas."""
    count, first, second = mean(torch.stack([x.new_tensor(len(x)), x.sum(), x.square().sum()])).unbind()
    average = first / count.clamp(min=1e-6)
    return (x - average) / (second / count.clamp(min=1e-6) - average**2).clamp(min=0).sqrt().add(1e-6)


def same_weights(modules: Sequence[nn.Module]) -> None:
    """Start all replicas from the weights of the first."""
    if dist.is_initialized():
        for module in modules:
            for p in module.state_dict().values():
                dist.broadcast(p, 0)
