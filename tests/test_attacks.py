"""Attacks on a frozen verifier, against brute force in plain Python."""

import itertools

import pytest
import torch

from pvg import attacks, evaluation
from pvg.agents.agent import Agent, RandomAgent
from pvg.attacks import exhaustive, exploitability, fresh_prover, search
from pvg.envs.protocols import adp, nip
from pvg.errors import UserError
from pvg.evaluation import held_out
from pvg.trainers.ppo import Learning
from tests.envs.replay import Game, observation, plain_mix, row
from tests.envs.replay import play as play_one
from tests.envs.scenarios import build, cast, merlin_arthur
from tests.envs.toy import DIGITS, Toy, ToyNet

REJECT, ACCEPT, CONTINUE = 0, 1, 2


class Judge(Agent):
    """A verifier by a rule in plain Python: ``rule(env, seen)`` gives the logits of the three decisions."""

    def __init__(self, env, rule):
        super().__init__(env, "verifier", ToyNet)
        self.rule = rule

    def evaluate(self, observation):
        out = torch.full((len(observation), 2, 3), -1e9)
        for i in range(len(observation)):
            seen = {k: v[i].tolist() for k, v in observation.items()}
            number = self.env.instances["number"][seen["index"]].item()
            out[i, 0, (number + seen["round"]) % 3] = 0.0  # what it says
            out[i, 1] = torch.tensor(self.rule(self.env, seen))
        return out, torch.zeros(len(observation), 1)


def lock_of(env, seen):
    return env.instances["lock"][seen["index"]].tolist()


def open_twice(env, seen):
    """Accepts small numbers whose lock is named in the first round and again, backwards, in the last."""
    heard = [words[:2] for words in seen["transcript"]]
    lock, small = lock_of(env, seen), env.instances["number"][seen["index"]] < 3
    first, last = heard[0] == lock, heard[1] == lock[::-1]
    if seen["round"] == 0 or not small:
        return [0.0, 1.0 if first and small else -1.0, 5.0]
    return [0.0, 1.0 if first and last else -1.0, -9.0]


def trap(env, seen):
    """Likes [0, 0] best in the first round, and accepts whoever said [1, 2] then."""
    first = seen["transcript"][0][:2]
    if seen["round"] == 0:
        return [0.0, 3.0 if first == [0, 0] else 2.0, 9.0]
    return [0.0, 1.0 if first == [1, 2] else -1.0, -9.0]


def whim(env, seen):
    """Anything: a hash of all it sees decides; it accepts seldom, and some numbers hardly ever."""
    code = 0
    for word in [seen["index"], seen["round"], *itertools.chain(*seen["transcript"], *seen["coins"])]:
        code = plain_mix(code + word + 1, 5)
    luck = code >> 40  # 23 bits
    if seen["round"] == 0:
        return [luck / 2**23, 0.7 * (luck % 1021) / 1021, 0.9]
    hard = env.instances["number"][seen["index"]] >= 3
    return [0.9995 if hard else 0.95, luck / 2**23, 0.9]


def told(env, judged, index, sequence):
    """What becomes of a game in which the prover says ``sequence``; also the beliefs after each message."""
    game = Game(0, 0, index, index)

    def act(turn, _):
        if turn.agent == "prover":
            number = turn.observation["round"]
            return list(sequence[number]) if number < len(sequence) else [0, 0]
        return judged.act(row(turn.observation), greedy=True)[0][0].tolist()

    play_one(env, game, act)
    return game


def messages():
    return list(itertools.product(range(DIGITS), repeat=2))


def brute_force(env, rule, index, turns=2):
    sequences = list(itertools.product(messages(), repeat=turns))
    judged = Judge(env, rule)
    return [any(told(env, judged, i, s).decision == ACCEPT for s in sequences) for i in index.tolist()]


def greedily(env, rule, index, turns=2):
    """Round by round the message after which the verifier, asked at once, is likeliest to accept."""
    verifier = env.protocol.places("verifier")[0].voice
    judged = Judge(env, rule)
    asks_first = env.protocol.tracks[0][0][0].agent == "verifier"
    out = []
    for i in index.tolist():
        sequence = []
        for number in range(turns):
            beliefs = []
            for message in messages():
                game = told(env, judged, i, [*sequence, message])
                said = {k: v for k, v in game.said.items() if k[0] < number + asks_first or k[1] == "prover"}
                said = {k: v for k, v in said.items() if k[0] <= number}
                coins = env.coins(torch.tensor([i]), torch.tensor([i]))[0].tolist()
                seen = observation(env, verifier, said, coins, number + asks_first, i)
                logits = torch.tensor(rule(env, seen))
                beliefs.append((logits[ACCEPT] - logits[REJECT]).item())
            sequence.append(messages()[beliefs.index(max(beliefs))])
        out.append(told(env, judged, i, sequence).decision == ACCEPT)
    return out


def attacked(rule, protocol, test=20):
    env = Toy(protocol, slots=2, train=4, test=test)
    torch.manual_seed(0)
    return env, {"prover": RandomAgent(env, "prover"), "verifier": Judge(env, rule)}


BOTH = {"prover first": nip(2), "verifier first": nip(2, first="verifier", first_decision=-1)}


@pytest.mark.parametrize(
    "rule, first",
    [
        (open_twice, "prover first"),
        (trap, "prover first"),
        (whim, "prover first"),
        (whim, "verifier first"),
    ],
)
def test_attacks_find_what_brute_force_finds(rule, first):
    env, agents = attacked(rule, BOTH[first], test=14)
    index = held_out(env)
    every, greedy = brute_force(env, rule, index), greedily(env, rule, index)
    assert exhaustive(env, agents, index).tolist() == every
    assert search(env, agents, index).tolist() == greedy
    assert all(e for e, g in zip(every, greedy) if g)
    if rule is open_twice:
        assert every == (env.instances["number"][index] < 3).tolist() and 0 < sum(every) < 14
    elif rule is trap:
        assert all(every) and not any(greedy)
    else:
        assert 0 < sum(greedy) < sum(every) < 14


def test_a_search_token_by_token_climbs_where_it_can():
    """With more messages than may be tried at once: the rule rewards every right digit on its own."""

    def digits(env, seen):
        hits = sum(a == b for a, b in zip(seen["transcript"][0][:2], lock_of(env, seen)))
        return [1.5, float(hits), -9.0]

    env, agents = attacked(digits, adp())
    index = held_out(env)
    assert search(env, agents, index, limit=5).all() and search(env, agents, index, limit=16).all()

    def needle(env, seen):  # one digit alone tells nothing: only luck of the start can help
        return [0.5, float(seen["transcript"][0][:2] == lock_of(env, seen)), -9.0]

    env, agents = attacked(needle, adp(), test=64)
    assert search(env, agents, held_out(env), limit=16).all()
    assert 0 < search(env, agents, held_out(env), limit=5).float().mean() < 0.8


@pytest.mark.parametrize("rule", [open_twice, trap, whim])
def test_the_size_of_a_batch_changes_nothing(rule, monkeypatch):
    env, agents = attacked(rule, BOTH["prover first"])
    index = held_out(env)
    three = (search, exhaustive, lambda *a: search(*a, limit=5))
    whole = [attack(env, agents, index).tolist() for attack in three]
    monkeypatch.setattr(attacks, "ROWS", 40)
    agents["verifier"].chunk = 17
    assert [attack(env, agents, index).tolist() for attack in three] == whole


def test_exploitability_counts_false_claims_only():
    env, agents = attacked(open_twice, BOTH["prover first"], test=40)
    false = [i for i in held_out(env).tolist() if not env.instances["label"][i]]
    fallen = sum(env.instances["number"][i].item() < 3 for i in false)
    assert exploitability(env, agents, exhaustive) == pytest.approx(fallen / len(false))
    seen = []
    assert exploitability(env, agents, lambda _, __, rows: seen.append(rows) or rows < 0, most=3) == 0
    assert len(seen[0]) == 3 and set(seen[0].tolist()) < set(false)


@pytest.mark.parametrize("protocol", ["debate", "mnip", "solo", "court", "jury"])
def test_attacks_need_one_prover_and_one_verifier(protocol):
    env = build("toy", protocol)
    for attack in (search, exhaustive):
        with pytest.raises(UserError, match="one prover and one verifier") as error:
            attack(env, cast(env), held_out(env))
        assert "\n" not in str(error.value)


def test_two_tracks_are_attacked_in_the_adversary_s():
    env = Toy(merlin_arthur(2), slots=2, train=4, test=10)
    judge = Judge(env, open_twice)
    agents = {"merlin": RandomAgent(env, "merlin"), "morgana": RandomAgent(env, "morgana"), "verifier": judge}
    assert (
        exhaustive(env, agents, held_out(env)).tolist()
        == (env.instances["number"][held_out(env)] < 3).tolist()
    )


def test_an_exhaustive_attack_that_is_too_large_says_so():
    env = build("toy", nip(3))
    with pytest.raises(UserError, match="4\\^6"):
        exhaustive(env, cast(env), held_out(env), limit=4095)
    assert len(exhaustive(env, cast(env), held_out(env)[:2], limit=4096)) == 2


# ---------------------------------------------------------------------- attacks and baselines that learn
def test_a_fresh_prover_finds_a_weakness_and_leaves_everything_as_it_was():
    def gullible(env, seen):  # believes whoever says [2, 1], if the number is small
        weak = seen["transcript"][0][:2] == [2, 1] and env.instances["number"][seen["index"]] < 5
        return [0.0, 1.0 if weak else -1.0, -9.0]

    env = Toy(adp(), slots=32, train=200, test=60)
    torch.manual_seed(0)
    agents = {"prover": Agent(env, "prover", ToyNet), "verifier": Judge(env, gullible)}
    index = held_out(env)[~env.instances["label"][held_out(env)]]
    weak = env.instances["number"][index] < 5
    before = [{k: v.clone() for k, v in a.state_dict().items()} for a in agents.values()]
    payoffs, chance = dict(env.payoffs), torch.get_rng_state()
    untrained, _ = evaluation.play(env, agents, index)
    how = Learning(learning_rate=1e-2, minibatch=128, entropy=0.01)
    fooled = fresh_prover(env, agents, index, turns=2e4, learning=how)
    assert untrained.float().mean() < 0.3 and not fooled[~weak].any() and fooled[weak].float().mean() > 0.9
    assert env.payoffs == payoffs and torch.equal(torch.get_rng_state(), chance)
    for agent, state in zip(agents.values(), before):
        assert all(torch.equal(v, state[k]) for k, v in agent.state_dict().items())
