"""How agents are judged: rates, attacks, and the baselines that every table needs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from pvg.agents.agent import Agent, RandomAgent
from pvg.attacks import Attack
from pvg.envs.exchange import ExchangeEnv
from pvg.errors import UserError
from pvg.evaluation import evaluate, false_claims, held_out, play
from pvg.report.console import doing
from pvg.trainers.ppo import PPO


@dataclass
class Judge:
    """How agents are judged on held-out instances.

    Args:
        every: iterations between evaluations while they train; 0 for none.
        quick: held-out instances that those take.
        samples: sample exchanges written at the end.
        baselines: the verifier is trained again without a prover, and with one that babbles, for this share of
            the turns that it has had; 0 for none.
        attacks: against the frozen verifier, by name; null for one that is left out.
        most: false claims to attack.
    """

    every: int = 10
    quick: int = 500
    samples: int = 6
    baselines: float = 1.0
    attacks: Mapping[str, Attack | None] | None = None
    most: int = 1000

    def __post_init__(self):
        for name, least in {"every": 0, "quick": 1, "samples": 0, "baselines": 0, "most": 1}.items():
            if getattr(self, name) < least:
                raise UserError(f"evaluation.{name}={getattr(self, name)}: write {least} or more.")

    def glance(self, env: ExchangeEnv, agents: Mapping[str, Agent]) -> dict[str, float]:
        """Rates on a few held-out instances, as metrics."""
        scores = evaluate(env, agents, held_out(env, self.quick))
        return {f"held_out/{k}": v for k, v in scores.items() if isinstance(v, float)}

    def rates(self, env: ExchangeEnv, agents: Mapping[str, Agent]) -> dict[str, Any]:
        """Rates on all held-out instances; the soundness each attack leaves, and what all provers together leave.

        ``soundness/worst`` counts a false claim as rejected only if the agents' own prover and every attack
        failed on it; all are counted on the same claims.
        """
        with doing("playing held-out games"):
            result = evaluate(env, agents)
        alone = env.protocol.deciders.issuperset(env.protocol.agents)
        attacks = {name: attack for name, attack in (self.attacks or {}).items() if attack is not None}
        if alone or result["soundness"] is None or not attacks:
            return result
        index = false_claims(env, self.most)
        fooled = play(env, agents, index, track=env.protocol.attacked)[0]
        for name, attack in attacks.items():
            try:
                with doing(f"attacking the verifier: {name}"):
                    fell = attack(env, agents, index)
            except UserError as error:
                print(f"attack {name} is left out: {error}", file=sys.stderr)
                continue
            result[f"soundness/{name}"] = _rejected(fell)
            fooled = fooled | fell
        return result | {"soundness/worst": _rejected(fooled), "attacked": len(index)}

    def babbled(
        self, env: ExchangeEnv, agents: Mapping[str, Agent], trainer: Callable[..., PPO], seed: int = 0
    ) -> float | None:
        """Accuracy of a fresh verifier, with all its powers, whose provers say anything at random.

        With an ``env`` that has no provers it is the accuracy of the verifier alone.

        Args:
            trainer: makes the run's trainer for an environment and agents (``learning`` and ``turns`` may be given).
        """
        deciders = env.protocol.deciders
        with torch.random.fork_rng():
            torch.manual_seed(seed + 104729)
            players = {n: a.fresh() if n in deciders else RandomAgent(env, n) for n, a in agents.items()}
            trainer(env=env, agents=players).train()
            return evaluate(env, players)["accuracy"]


def _rejected(fooled: torch.Tensor) -> float:
    return round(1 - float(fooled.double().mean()), 6)
