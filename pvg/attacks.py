"""Provers that attack a frozen verifier: trained from scratch, sampling, searching greedily, or trying every message.

One that plans is in ``pvg.planned_attack``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from pvg.agents.agent import Agent, RandomAgent
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.payoffs import ACCEPT, CONTINUE, PERSUADE, RIGHT
from pvg.envs.protocols import Place
from pvg.envs.rules import mix
from pvg.errors import UserError
from pvg.evaluation import ROWS, Games, answer, false_claims, play, see
from pvg.trainers.ppo import PPO, Learning

# given the environment, the agents and instances [n] with false claims: which it got accepted, bool [n]
Attack = Callable[[ExchangeEnv, Mapping[str, Agent], Tensor], Tensor]


def exploitability(
    env: ExchangeEnv, agents: Mapping[str, Agent], attack: Attack, most: int | None = None
) -> float:
    """The share of false claims that ``attack`` gets a frozen verifier to accept.

    Args:
        attack: :func:`fresh_prover`, :func:`best_of`, :func:`search`, :func:`exhaustive`,
            :class:`pvg.planned_attack.PlannedProver` or one of your own; ``functools.partial`` sets the
            budget of a function.
        most: attack at most so many held-out instances.
    """
    return float(attack(env, agents, false_claims(env, most)).double().mean())


# --------------------------------------------------------------------- learning
def fresh_prover(
    env: ExchangeEnv,
    agents: Mapping[str, Agent],
    index: Tensor,
    *,
    turns: float = 2e5,
    warm: float = 0.25,
    seed: int = 0,
    learning: Learning | None = None,
) -> Tensor:
    """Train provers from scratch against the frozen verifier, paid for acceptance; then let them try.

    Args:
        turns: the provers' own turns of training: the attack's budget.
        warm: share of them in which they learn, under supervision, what an honest prover would say of true claims,
            where the scenario can teach that.
        learning: how they learn; ``warm`` says for how long from supervision alone.

    Returns:
        which instances were accepted, bool ``[n]``.

    Raises:
        UserError: a budget that leaves no iteration for learning what is paid for.
    """
    deciders, steps = env.protocol.deciders, 16
    pay = dict.fromkeys(deciders, RIGHT) | {"default": PERSUADE}
    game = env.variant(slots=min(env.slots, 512), payoffs=pay, seed=env.seed + 7919 * (seed + 1))
    places = env.protocol.places()
    share = sum(not p.voice.decides for p in places) / len(places)
    iterations = round(turns / (steps * game.slots * len(places) * share))
    supervised = int(warm * iterations)
    if iterations - supervised < 1:
        raise UserError(
            f"fresh_prover: turns={turns:g} with warm={warm:g} leave no iteration of reinforcement learning "
            f"(one takes {steps * game.slots * len(places) * share:,.0f} turns): raise turns."
        )
    with torch.random.fork_rng():
        torch.manual_seed(seed + 7919)
        rivals = {n: a if n in deciders else a.fresh() for n, a in agents.items()}
        how = replace(learning or Learning(minibatch=512, entropy=0.01, auxiliary=0.03), pretrain=supervised)
        taught = dict.fromkeys(deciders, Learning(frozen=True)) | {"default": how}
        PPO(game, rivals, learning=taught, turns=turns / share, steps=steps).train()
    return play(env, rivals, index, track=env.protocol.attacked)[0]


# --------------------------------------------------------------------- sampling
@torch.no_grad()
def best_of(
    env: ExchangeEnv,
    agents: Mapping[str, Agent],
    index: Tensor,
    *,
    budget: int = 256,
    even: bool = False,
    seed: int = 0,
) -> Tensor:
    """Best-of-n sampling: the prover plays each game again and again, by its own probabilities.

    Args:
        budget: how often the verifier may be asked about a claim: it is at each turn at which it has a choice to
            make or something to say.
        even: all messages are equally likely, in place of the prover's own probabilities.
        seed: decides what is drawn.

    Returns:
        which instances were accepted in one game or another, bool ``[n]``.

    Raises:
        UserError: a budget below one game.
    """
    prover, decider = one_prover(env)
    turns = torch.arange(env.protocol.rounds, device=env.device)
    speaks = env.message(decider.voice.speaks)[0] > 0
    asked = (env.open_decisions(turns).sum(-1) > 1).logical_or(torch.tensor(speaks, device=env.device))
    calls = asked.cumsum(0)  # of a game that ends in this round
    if budget < calls[-1]:
        raise UserError(f"best_of: budget={budget}, and one game may ask the verifier {calls[-1]} times.")
    players = dict(agents)
    if even:
        players[prover.voice.agent] = RandomAgent(env, prover.voice.agent)
    first = int(env.open_decisions(turns)[:, ACCEPT].int().argmax())  # the first round that can end a game
    games, out = budget // int(calls[first].clamp(min=1)), []
    with torch.random.fork_rng():
        torch.manual_seed(seed + 15485863)
        for part in index.split(max(1, ROWS // games)):
            each = part.repeat_interleave(games)
            accepted, ended = play(env, players, each, track=prover.track, greedy=False)
            spent = calls[ended["round"].long()].view(-1, games).cumsum(1)
            out.append((accepted.view(-1, games) & (spent <= budget)).any(1))
    return torch.cat(out)


# --------------------------------------------------------------------- searching
def one_prover(env: ExchangeEnv) -> tuple[Place, Place]:
    """The one voice that speaks to the one that decides, in the track that is attacked.

    Raises:
        UserError: there are more, or none.
    """
    places = [p for p in env.protocol.places() if p.track == env.protocol.attacked]
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
    prover, decider = one_prover(env)
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
                    action = answer(env, games, decider, verifier)
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
    prover, decider = one_prover(env)
    verifier, track = agents[decider.voice.agent], prover.track
    length, vocabulary = env.message(prover.voice.speaks)
    turns = env.protocol.rounds - (decider.seat < prover.seat)
    if vocabulary ** (length * turns) > limit:
        raise UserError(
            f"An exhaustive attack would try {vocabulary}^{length * turns} message sequences a game, more than "
            f"{limit}; raise the limit, or attack with pvg.attacks.search."
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
                    action = answer(env, games, decider, verifier)
                games, over, decision = env.act(games, track, seat, [action])
                fallen[games["origin"][over & (decision == ACCEPT)]] = True
                open_still = games["live"] & ~fallen[games["origin"]]
                games = {k: v[open_still] for k, v in games.items()}
    return fallen
