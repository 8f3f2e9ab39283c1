"""The words of the field, computed once: accuracy, completeness, soundness, exploitability.

Games are played out one by one on given instances, not interleaved, so that every held-out instance
counts exactly once.  Decisions are taken greedily.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from pvg.agents.agent import Agent, RandomAgent
from pvg.envs.exchange import ExchangeEnv, mix
from pvg.envs.payoffs import ACCEPT, CONTINUE, PERSUADE, RIGHT
from pvg.envs.protocols import Place
from pvg.errors import UserError
from pvg.trainers.ppo import PPO, Learning

Games = dict[str, Tensor]
Attack = Callable[[ExchangeEnv, Mapping[str, Agent], Tensor], Tensor]
ROWS = 1 << 15  # games in flight at once


def held_out(env: ExchangeEnv) -> Tensor:
    """Rows of the instance table that training never draws."""
    if not env.test_size:
        raise UserError("There is nothing to evaluate on: set env.test above 0, or env.pairs to a file.")
    return torch.arange(env.train_size, env.train_size + env.test_size, device=env.device)


def see(env: ExchangeEnv, games: Games, place: Place) -> TensorDict:
    """Observation rows of the voice at ``place``."""
    return TensorDict._new_unsafe(env.observe(games, place), games["round"].shape, device=env.device)


@torch.no_grad()
def play(
    env: ExchangeEnv, agents: Mapping[str, Agent], index: Tensor, *, track: int = 0, greedy: bool = True
) -> tuple[Tensor, Games]:
    """Play one game on each instance to its end.

    Args:
        index: instances ``[n]``.
        track: of the protocol.
        greedy: provers say what is likeliest; else they sample.  Deciders are always greedy.

    Returns:
        ``accepted`` bool ``[n]`` and the games as they ended.
    """
    games = env.new_games(index, index)
    verdict = torch.full_like(index, CONTINUE)
    for turn in range(env.protocol.rounds):
        games["round"] = games["round"].masked_fill(games["live"], turn)
        for seat in range(len(env.protocol.tracks[track])):
            actions, before = [], games
            for place in env.protocol.places():
                if (place.track, place.seat) == (track, seat):
                    agent = agents[place.voice.agent]
                    rows = see(env, games, place).split(agent.chunk)
                    acts = [agent.act(r, greedy or place.voice.decides)[0] for r in rows]
                    actions.append(torch.cat(acts))
            games, over, decision = env.act(games, track, seat, actions)
            said = before["live"].view(-1, 1, 1)  # after a game's end nothing more is said
            games["transcript"] = torch.where(said, games["transcript"], before["transcript"])
            verdict = torch.where(over, decision, verdict)
    return verdict == ACCEPT, games


def rates(env: ExchangeEnv, index: Tensor, accepted: Tensor) -> dict[str, Any]:
    """Accuracy, completeness (true claims accepted), soundness (false claims rejected), ``n``, by difficulty.

    A rate over no instance is None.
    """
    label = env.instances["label"][index]

    def share(hit: Tensor, among: Tensor) -> float | None:
        return round(float(hit[among].double().mean()), 6) if among.any() else None

    every, right = torch.ones_like(label), accepted == label
    out: dict[str, Any] = {
        "accuracy": share(right, every),
        "completeness": share(accepted, label),
        "soundness": share(~accepted, ~label),
        "n": len(index),
    }
    kinds = env.difficulty(index)
    out["by"] = {k: {"accuracy": share(right, m), "n": int(m.sum())} for k, m in kinds.items() if m.any()}
    return out


def evaluate(env: ExchangeEnv, agents: Mapping[str, Agent], index: Tensor | None = None) -> dict[str, Any]:
    """Rates on the held-out instances (or those given); with several tracks over all of them, and each alone."""
    index = held_out(env) if index is None else index
    tracks = range(len(env.protocol.tracks))
    accepted = [play(env, agents, index, track=t)[0] for t in tracks]
    out = rates(env, index.repeat(len(accepted)), torch.cat(accepted))
    if len(accepted) > 1:
        out["tracks"] = [rates(env, index, a) for a in accepted]
    return out


def exploitability(
    env: ExchangeEnv, agents: Mapping[str, Agent], attack: Attack, most: int | None = None
) -> dict[str, float | int]:
    """The soundness that is left when the verifier is frozen and ``attack`` tries to pass off false claims.

    Args:
        attack: given the environment, the agents and instances ``[n]`` with false claims, says which of them
            it got accepted, bool ``[n]``: :func:`search`, :func:`exhaustive`, or ``fresh_prover``.
        most: attack at most so many held-out instances.
    """
    index = held_out(env)
    index = index[~env.instances["label"][index]][:most]
    if not len(index):
        raise UserError(
            "There is no false claim among the held-out instances, so soundness has no meaning here."
        )
    fooled = attack(env, agents, index)
    return {"soundness": round(1 - float(fooled.double().mean()), 6), "n": len(index)}


# --------------------------------------------------------------------- attacks and baselines that learn
def fresh_prover(
    env: ExchangeEnv,
    agents: Mapping[str, Agent],
    index: Tensor,
    *,
    turns: float = 3e5,
    seed: int = 0,
    learning: Learning | None = None,
) -> Tensor:
    """Train provers from scratch against the frozen verifier, paid for acceptance; then let them try.

    Args:
        turns: useful turns of training, the attack's budget.
        learning: how they learn; by default with the supervised help that the scenario gives, at first.

    Returns:
        which instances were accepted, bool ``[n]``.
    """
    deciders, payoffs = env.protocol.deciders, env.payoffs
    with torch.random.fork_rng():
        torch.manual_seed(seed + 7919)
        rivals = {n: a if n in deciders else a.fresh() for n, a in agents.items()}
        how = learning or Learning(minibatch=512, auxiliary=0.03, pretrain=8)
        frozen = dict.fromkeys(deciders, Learning(frozen=True))
        try:
            env.pay(dict.fromkeys(deciders, RIGHT) | {"default": PERSUADE})
            PPO(env, rivals, learning=frozen | {"default": how}, turns=float(turns)).train()
        finally:
            env.pay(payoffs)
    track = len(env.protocol.tracks) - 1
    return play(env, rivals, index, track=track)[0]


def verifier_baseline(
    env: ExchangeEnv, agents: Mapping[str, Agent], *, turns: float, learning: Learning, seed: int = 0
) -> dict:
    """The baseline of every table: a fresh verifier with all its powers, whose provers babble (or that has none).

    Returns:
        the rates of :func:`evaluate`.
    """
    deciders = env.protocol.deciders
    with torch.random.fork_rng():
        torch.manual_seed(seed + 104729)
        players = {n: a.fresh() if n in deciders else RandomAgent(env, n) for n, a in agents.items()}
        PPO(env, players, learning={"default": learning}, turns=turns).train()
        return evaluate(env, players)


# --------------------------------------------------------------------- search over messages
def _prover(env: ExchangeEnv) -> tuple[Place, Place]:
    """The one voice that speaks to the one that decides, in the last track (the adversarial one)."""
    track = len(env.protocol.tracks) - 1
    places = [p for p in env.protocol.places() if p.track == track]
    provers = [p for p in places if not p.voice.decides and env.message(p.voice.speaks)[0]]
    deciders = [p for p in places if p.voice.decides]
    if len(provers) != 1 or len(deciders) != 1:
        raise UserError(
            "A search over messages attacks protocols with one prover and one verifier a track; "
            f"this one has {len(provers)} and {len(deciders)}. Attack it with a fresh prover instead."
        )
    return provers[0], deciders[0]


def _all_messages(env: ExchangeEnv, prover: Place, limit: int) -> Tensor | None:
    """Every message, ``[count, length]``, or None if there are more than ``limit``."""
    length, vocabulary = env.message(prover.voice.speaks)
    if vocabulary**length > limit:
        return None
    grid = [torch.arange(vocabulary, device=env.device)] * length
    return torch.cartesian_prod(*grid).view(-1, length)


def _repeat(games: Games, times: int) -> Games:
    return {k: v.repeat_interleave(times, 0) for k, v in games.items()}


@torch.no_grad()
def _belief(env: ExchangeEnv, games: Games, decider: Place, verifier: Agent, later: bool) -> Tensor:
    """Log-odds of acceptance, should the verifier decide now, ``[n]``."""
    if later:  # the decider sits before the prover: it hears the answer one round on
        games = dict(games, round=(games["round"] + 1).clamp(max=env.protocol.rounds - 1))
    rows = see(env, games, decider).split(verifier.chunk)
    logits = torch.cat([verifier.evaluate(r)[0][:, -1] for r in rows])
    return logits[:, ACCEPT] - logits[:, 1 - ACCEPT]


def _best_message(
    env: ExchangeEnv, games: Games, prover: Place, decider: Place, verifier: Agent, limit: int, sweeps: int
) -> Tensor:
    """For each game the message after which the verifier believes most, ``[n, length]``.

    All messages are tried when there are at most ``limit``; otherwise the message is improved token by
    token from a random one, ``sweeps`` times over.
    """
    later, (length, vocabulary) = decider.seat < prover.seat, env.message(prover.voice.speaks)
    n, every = len(games["round"]), _all_messages(env, prover, limit)

    def believed(candidates: Tensor) -> Tensor:  # [n, c, length] -> [n, c]
        many = _repeat(games, candidates.shape[1])
        said, _, _ = env.act(many, prover.track, prover.seat, [candidates.flatten(0, 1)])
        return _belief(env, said, decider, verifier, later).view(n, -1)

    if every is not None:
        best = believed(every.expand(n, -1, -1)).argmax(1)
        return every[best]
    start = (
        games["index"].long() * env.protocol.rounds + games["round"]
    )  # of the game alone, not of the batch
    message = mix(start.unsqueeze(-1) * length + torch.arange(length, device=env.device), 0) % vocabulary
    for _ in range(sweeps):
        for place in range(length):
            options = message.unsqueeze(1).repeat(1, vocabulary, 1)
            options[:, :, place] = torch.arange(vocabulary, device=env.device)
            message[:, place] = believed(options).argmax(1)
    return message


@torch.no_grad()
def search(
    env: ExchangeEnv, agents: Mapping[str, Agent], index: Tensor, *, limit: int = 1024, sweeps: int = 2
) -> Tensor:
    """Greedy search over replies: every round the message after which the verifier believes most.

    Returns:
        which instances were accepted, bool ``[n]``.
    """
    prover, decider = _prover(env)
    verifier, track = agents[decider.voice.agent], prover.track
    width = min(limit, env.message(prover.voice.speaks)[1] ** env.message(prover.voice.speaks)[0])
    out = []
    for rows in index.split(max(1, ROWS // width)):
        games = env.new_games(rows, rows)
        verdict = torch.full_like(rows, CONTINUE)
        for turn in range(env.protocol.rounds):
            games["round"] = torch.full_like(games["round"], turn)
            for seat in range(len(env.protocol.tracks[track])):
                if seat == prover.seat:
                    action = _best_message(env, games, prover, decider, verifier, limit, sweeps)
                else:
                    action = verifier.act(see(env, games, decider), greedy=True)[0]
                games, over, decision = env.act(games, track, seat, [action])
                verdict = torch.where(over, decision, verdict)
        out.append(verdict == ACCEPT)
    return torch.cat(out)


@torch.no_grad()
def exhaustive(
    env: ExchangeEnv, agents: Mapping[str, Agent], index: Tensor, *, limit: int = 1 << 20
) -> Tensor:
    """The exact attack: an instance falls if any sequence of messages at all gets it accepted.

    Raises:
        UserError: more than ``limit`` sequences a game.
    """
    prover, decider = _prover(env)
    verifier, track = agents[decider.voice.agent], prover.track
    length, vocabulary = env.message(prover.voice.speaks)
    turns = env.protocol.rounds - (decider.seat < prover.seat)
    if vocabulary ** (length * turns) > limit:
        raise UserError(
            f"An exhaustive attack would try {vocabulary}^{length * turns} message sequences a game, more than "
            f"{limit}; raise the limit, or attack with pvg.evaluation.search."
        )
    every = _all_messages(env, prover, limit)
    assert every is not None
    total = len(every) ** turns
    fallen = torch.zeros(len(index), dtype=torch.bool, device=env.device)
    for start in range(0, len(index), max(1, ROWS // total)):
        rows = index[start : start + max(1, ROWS // total)]
        games = env.new_games(rows, rows) | {
            "origin": torch.arange(start, start + len(rows), device=env.device)
        }
        for turn in range(env.protocol.rounds):
            games["round"] = torch.full_like(games["round"], turn)
            for seat in range(len(env.protocol.tracks[track])):
                if not len(games["round"]):
                    break
                if seat == prover.seat:
                    n = len(games["round"])
                    games = _repeat(games, len(every))
                    action = every.repeat(n, 1)
                else:
                    pieces = see(env, games, decider).split(verifier.chunk)
                    action = torch.cat([verifier.act(p, greedy=True)[0] for p in pieces])
                games, over, decision = env.act(games, track, seat, [action])
                fallen[games["origin"][over & (decision == ACCEPT)]] = True
                open_still = games["live"] & ~fallen[games["origin"]]
                games = {k: v[open_still] for k, v in games.items()}
    return fallen
