"""What is measured: environments on one table of pairs, default agents, and the settings of the closest peer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from unittest.mock import patch

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from tensordict import TensorDict

from benchmarks.plain_loop import PlainLoop
from pvg.agents.agent import Agent
from pvg.agents.graph import GraphNet
from pvg.envs import graph_isomorphism
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.graph_isomorphism import GraphIsomorphism
from pvg.envs.graphs import generate_split
from pvg.envs.protocols import Protocol, nip
from pvg.exchange_program import build_agents
from pvg.trainers.ppo import PPO, Learning

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


@dataclass(frozen=True)
class Peer:
    """Settings of neural-interactive-proofs (Hammond & Adam-Day 2025) and what it reaches, turns per CPU-second.

    A frame of theirs is one agent's turn in one game, so a batch of ``games`` games of 8 turns is ``8 * games`` of
    our useful turns. Widths are 16, and 64 within the layers; attention has 4 heads.
    """

    games: int
    gin: tuple[int, int]  # layers of the prover and of the verifier
    transformer: int
    shared: bool  # one body for acting and for the value in its own script, or two
    epochs: int
    minibatch: int
    parameters: str  # of theirs, prover and verifier
    collection: float
    training: float


PEER = {
    "small": Peer(32, (1, 1), 1, False, 4, 64, "13-14 k", 3480, 281),
    "ppo": Peer(256, (5, 2), 1, False, 10, 256, "30 k / 18 k", 6380, 143),
    "default": Peer(125, (5, 5), 4, True, 4, 64, "26 k", 2220, 83),
}
PEER_ROUNDS = 8


@cache
def config() -> DictConfig:
    """What ``python -m pvg.run`` would run."""
    with initialize_config_dir(str(CONFIGS), version_base=None):
        return compose("run")


@cache
def table(pairs: int, nodes: tuple[int, int]) -> tuple[TensorDict, TensorDict]:
    """Training and (hardly any) test pairs; made once for all environments."""
    return generate_split(pairs, 20, nodes=nodes)


def environment(
    slots: int,
    *,
    pairs: int,
    kind: type[GraphIsomorphism] = GraphIsomorphism,
    protocol: Protocol | None = None,
) -> GraphIsomorphism:
    """The default game in ``slots`` slots, or the peer's: its protocol on graphs of 11 nodes."""
    nodes = (11, 11) if protocol else tuple(config().env.nodes)
    with patch.object(graph_isomorphism, "generate_split", lambda *_, **__: table(pairs, nodes)):
        return kind(protocol or instantiate(config().env.protocol), slots=slots, seed=1)


def default_agents(env: ExchangeEnv) -> dict[str, Agent]:
    """The agents of configs/agents/graph_isomorphism.yaml."""
    torch.manual_seed(0)
    return build_agents(config(), env)


def peer_environment(peer: Peer, pairs: int) -> GraphIsomorphism:
    """Slots for as many games as the peer has in flight, of 8 rounds; the verifier may decide in any of them."""
    return environment(-(-peer.games // 2), pairs=pairs, protocol=nip(PEER_ROUNDS))


def peer_agents(peer: Peer, env: ExchangeEnv, shared: bool = True) -> dict[str, Agent]:
    """Agents with the peer's layers and widths, and one body (or two, for acting and for the value)."""
    torch.manual_seed(0)
    agents = {}
    for name, layers in zip(("prover", "verifier"), peer.gin, strict=True):
        net = partial(GraphNet, layers=layers, width=16, hidden=64, transformer=peer.transformer, heads=4)
        agents[name] = Agent(env, name, net, shared=shared)
    return agents


def peer_trainer(peer: Peer, env: ExchangeEnv, shared: bool = True) -> PPO:
    """PPO with the peer's batch, epochs and minibatch; nothing stops the epochs early."""
    how = Learning(epochs=peer.epochs, minibatch=peer.minibatch, target_kl=None, decay=0.0)
    return PPO(env, peer_agents(peer, env, shared), learning={"default": how}, steps=8)


def default_trainer(env: ExchangeEnv, steps: int) -> PPO:
    """The default trainer past its warm start; every iteration does all its epochs, so that all cost alike."""
    learning = instantiate(config().trainer.learning, _convert_="object")
    for how in learning.values():
        how.pretrain, how.target_kl, how.decay = 0, None, 0.0
    return PPO(env, default_agents(env), learning=learning, steps=steps)


def iterate(trainer: PPO) -> int:
    """One iteration; returns its useful turns."""
    before, trainer.iterations = trainer.turns_done, trainer.iteration + 1
    trainer.train()
    return trainer.turns_done - before


def parameters(agents: Mapping[str, Agent]) -> dict[str, int]:
    """How many parameters each agent has."""
    return {name: sum(p.numel() for p in agent.parameters()) for name, agent in agents.items()}


def plain_loop(
    env: ExchangeEnv, agents: Mapping[str, Agent], steps: int, kind: type[PlainLoop] = PlainLoop
) -> PlainLoop:
    """The same game with the same networks, written without TorchRL."""
    return kind(
        env.instances[: env.train_size].to_dict(),
        {name: agent.net for name, agent in agents.items()},
        {a: torch.tensor(env._payoff_of(a, a in env.protocol.deciders).table()) for a in agents},
        slots=env.slots,
        steps=steps,
        rounds=env.protocol.rounds,
        first_decision=env.protocol.first_decision,
        chunk=agents["prover"].chunk,
    )
