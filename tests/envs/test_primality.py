"""Primality: what is shown, taught and true, against Python's integers, sympy and brute force."""

from functools import partial

import pytest
import torch
from sympy import isprime, jacobi_symbol
from sympy.ntheory.primetest import mr
from tensordict import TensorDict

from pvg.agents.agent import Agent
from pvg.agents.tokens import TokenNet
from pvg.attacks import exhaustive, exploitability
from pvg.envs.payoffs import Payoff
from pvg.envs.primality import Primality
from pvg.envs.protocols import Protocol, Voice, adp, nip, solo
from pvg.envs.rules import BLANK
from pvg.errors import UserError
from pvg.evaluation import evaluate
from pvg.trainers.ppo import PPO, Learning

SMALL = dict(slots=4, train=200, test=60)


def composite(protocol=None, **options):
    return Primality(protocol or adp(), **SMALL | options)


def prime(protocol=None, **options):
    power = dict(claim="prime", verifier_power="product")
    return Primality(protocol or adp(), **SMALL | power | options)


def rows(env, index, messages, turn=None, coin=None):
    """Observations of games in which ``messages[i]`` (numbers, in order) were said, in front of ``turn``."""
    blank = [BLANK] * env.length
    said = [[*map(int, f"{m:0{env.length}b}")] for m in messages]
    transcript = torch.tensor(said + [blank] * (env.protocol.rounds - len(said)), dtype=torch.int16)
    index = torch.as_tensor(index)
    coins = env.coins(index, index if coin is None else coin)
    turn = len(messages) - 1 if turn is None else turn
    many = {"index": index.int(), "coins": coins, "transcript": transcript.expand(len(index), -1, -1)}
    return TensorDict(many | {"round": torch.full_like(index, turn).short()}, [len(index)])


def number(bits):
    return int("".join("1" if b > 0 else "0" for b in bits), 2)


def shown(env, index, messages):
    """What the verifier's power shows of the last message, read off its view as a number."""
    tokens = env.view("verifier", rows(env, [index], messages))["tokens"][0]
    return number(tokens[:, env.protocol.rounds + len(messages) - 1].tolist())


def chain(n, g, ends):
    """The honest messages in Python's integers."""
    return [pow(g, (n - 1) >> (n.bit_length() - 1 - end), n) for end in ends]


# ---------------------------------------------------------------------- composite
@pytest.mark.parametrize("bits", [8, 9, 16, 32])
def test_the_remainder_is_pythons_and_the_witness_divides(bits):
    env = composite(nip(2), bits=bits)
    numbers, draw = env.instances["number"].tolist(), torch.Generator().manual_seed(bits)
    top = 2**env.length
    for index in range(0, len(numbers), 9):
        n, factor = numbers[index], int(env.instances["witness"][index])
        said = [int(torch.randint(top, (), generator=draw)), factor]
        assert shown(env, index, said[:1]) == n % max(said[0], 2)
        assert shown(env, index, said) == n % factor
        assert (n % factor == 0) == bool(env.instances["label"][index]) == (not isprime(n))
    assert shown(env, 0, [0]) == shown(env, 0, [1]) == 1  # stand for 2, and every number is odd


@pytest.mark.parametrize("bits", [8, 11, 16])
def test_a_claim_is_true_if_and_only_if_some_message_leaves_nothing(bits):
    env = composite(bits=bits)
    numbers, labels = env.instances["number"], env.instances["label"]
    messages = torch.arange(2**env.length).expand(len(numbers), -1)
    index = torch.arange(len(numbers))
    left = env.evidence(
        TensorDict({"index": index}, [len(index)]), messages, torch.ones_like(messages).bool()
    )
    assert torch.equal((left == 0).any(1), labels)
    assert labels.tolist() == [not isprime(n) for n in numbers.tolist()]


# ---------------------------------------------------------------------- prime
def ends(env):
    links, pieces = env.bits - 2, env.messages + 1
    return [round(i * links / pieces) for i in range(1, pieces + 1)]


@pytest.mark.parametrize(
    ("bits", "protocol"),
    [(bits, p) for bits in (8, 12, 16, 24) for p in (adp(), nip(3), nip(3, first="verifier"))]
    + [(32, nip(2))],
)
def test_an_honest_chain_holds_to_the_end_for_primes_and_base_liars_only(bits, protocol):
    env = prime(protocol, bits=bits)
    for index in range(len(env.instances)):
        n = int(env.instances["number"][index])
        g = int(env.base(rows(env, [index], [])))
        told = chain(n, g, ends(env)[:-1])
        for turn in range(env.messages):
            # the verifier may sit before the prover: it then hears the answer a round later
            taught = env.honest("prover", rows(env, [index], told[:turn], turn=turn))
            assert int(taught) == told[turn]
            if turn < env.messages - 1:
                assert shown(env, index, told[: turn + 1]) == 0
        wrong = shown(env, index, told)
        assert wrong == pow(g, (n - 1) // 2, n) ^ (n - 1)
        assert jacobi_symbol(g, n) in ((-1,) if isprime(n) else (-1, 0)) or round(n**0.5) ** 2 == n
        assert wrong == 0 if isprime(n) else wrong > 0 or mr(n, [g])


def test_as_many_rounds_as_there_are_links_check_one_product_each():
    env = prime(nip(13), bits=16)
    assert env.longest == 1
    n, g = int(env.instances["number"][0]), int(env.base(rows(env, [0], [])))
    told, x = [], g
    for bit in f"{(n - 1) // 2:b}"[1:]:
        x = x * x * (g if bit == "1" else 1) % n
        told.append(x)
    assert [shown(env, 0, told[: t + 1]) for t in range(12)] == [0] * 12
    assert shown(env, 0, told[:13]) == told[13] ^ (n - 1)


def test_a_forged_link_shows_in_every_bit_and_is_never_forgotten():
    env = prime(nip(3), bits=16)
    step, n = ends(env), int(env.instances["number"][5])
    g = int(env.base(rows(env, [5], [])))
    told = chain(n, g, step[:-1])
    forged = [told[0], told[1] ^ 0b1010_0000_0000_0001, 77]
    assert shown(env, 5, forged[:1]) == 0
    assert shown(env, 5, forged[:2]) == 0b1010_0000_0000_0001

    def follow(x, i):
        for bit in f"{(n - 1) // 2:b}"[1:][step[i - 1] : step[i]]:
            x = x * x * (g if bit == "1" else 1) % n
        return x

    right, last = follow(forged[1], 2), follow(77, 3)
    assert shown(env, 5, forged) == 0b1010_0000_0000_0001 | (77 ^ right) | (last ^ (n - 1))


def test_no_message_at_all_proves_a_composite_number_prime():
    env = prime(bits=9, train=20)
    every = torch.arange(512).unsqueeze(-1)
    for index in range(len(env.instances)):
        n = int(env.instances["number"][index])
        for serial in range(5):
            one = rows(env, [index], [0], coin=torch.tensor([serial])).expand(512)
            proofs = int((env.evidence(one, every, torch.ones_like(every).bool()) == 0).sum())
            g = int(env.base(one[:1]))
            assert proofs == (pow(g, (n - 1) // 2, n) == n - 1)
            assert proofs == 1 if isprime(n) else proofs == 0 or mr(n, [g])


def test_bases_differ_from_game_to_game_and_no_composite_number_passes_for_many():
    env = prime(bits=16, train=3000)
    index = torch.arange(len(env.instances)).repeat_interleave(40)
    games = rows(env, index, [], coin=torch.arange(len(index)))
    bases = env.base(games)
    assert len(set(bases[:40].tolist())) > 35
    n = env.instances["number"][index]
    ends_well = torch.tensor(
        [pow(g, (m - 1) // 2, m) == m - 1 for g, m in zip(bases.tolist(), n.tolist(), strict=True)]
    )
    label = env.instances["label"][index]
    assert ends_well[label].all()
    assert ends_well[~label].double().mean() < 0.01


# ---------------------------------------------------------------------- who sees and who is taught what
@pytest.mark.parametrize("make", [composite, prime])
def test_a_view_holds_what_its_agent_may_know(make):
    def views(**options):
        env = make(bits=12, **options)
        return {
            a: env.view(a, rows(env, torch.arange(50), [21])) for a in ("prover", "verifier")
        }, env.instances

    for knows, leaks in (("nothing", ()), ("label", ("label",)), ("witness", ("label", "witness"))):
        for sees in ("nothing", "n"):
            both, table = views(prover_knows=knows, verifier_sees=sees)
            bits = 12 if sees == "n" else 0
            assert both["verifier"]["flat"].shape[-1] == bits * (1 if make is composite else 2)
            truth = table["label"][:50].float() * 2 - 1
            told = [bool((x == truth).all()) for x in both["prover"]["flat"].unbind(-1)]
            assert any(told) == ("label" in leaks)
            assert both["prover"]["tokens"].shape[-1] == 1 + ("witness" in leaks)
            assert both["verifier"]["tokens"].shape[-1] == 2
    blind = make(bits=12, verifier_power="none")
    assert blind.view("verifier", rows(blind, [0], [3]))["tokens"].shape[-1] == 1


def test_true_claims_are_taught_and_others_are_not():
    env = composite()
    index = torch.arange(len(env.instances))
    taught = env.teach("prover", rows(env, index, [], turn=0))
    for n, label, bits in zip(
        env.instances["number"].tolist(), env.instances["label"], taught.tolist(), strict=True
    ):
        assert n % number(bits) == 0 if label else set(bits) == {-1}
    env = prime()
    taught = env.teach("prover", rows(env, index, [], turn=0))
    assert torch.equal(taught[:, 0] >= 0, env.instances["label"])


def test_numbers_are_described_in_decimal():
    env = composite()
    index = int(env.instances["label"].nonzero()[0])
    n, factor = int(env.instances["number"][index]), int(env.instances["witness"][index])
    assert f"{n} = {factor} * {n // factor}" in env.describe(index)
    assert env.say("prover", [*map(int, f"{factor:08b}")], index) == f"{factor} leaves 0"
    assert env.say("prover", [0] * 8, index) == "2 leaves 1"
    assert prime().say("prover", [0] * 13 + [1, 0, 1], 0) == "5"
    masks = env.difficulty(torch.arange(len(env.instances)))
    assert torch.stack(list(masks.values())).sum(0).eq(1).all()
    assert torch.equal(masks["prime"], ~env.instances["label"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(bits=64), "bits=64"),
        (dict(claim="odd"), "env.claim='odd'"),
        (dict(prover_knows="all"), "env.prover_knows='all'"),
        (dict(verifier_sees="all"), "env.verifier_sees='all'"),
        (dict(verifier_power="product"), "env.verifier_power='product'"),
        (dict(claim="prime"), "env=primality_prime"),
        (dict(claim="prime", verifier_power="product", protocol=nip(14)), "at most 13 messages"),
        (dict(kinds={"odd": 1}), "odd"),
    ],
)
def test_bad_settings_are_named(options, words):
    with pytest.raises(UserError) as error:
        Primality(**dict(protocol=adp()) | options)
    assert words in str(error.value) and "\n" not in str(error.value)


# ---------------------------------------------------------------------- who hears itself
def deaf(rounds, *others):
    """A prover that hears only what its further voices say, and a verifier that hears all."""
    voices = (Voice("prover", "prover", ("verifier",)), *others)
    verifier = Voice("verifier", "verifier", tuple(v.speaks for v in voices), decides=True)
    return Protocol(((voices, (verifier,)),), rounds)


@pytest.mark.parametrize("knows", ["witness", "label"])
def test_a_prover_of_a_chain_must_hear_itself(knows):
    with pytest.raises(UserError, match="'prover' must hear the channel on which it speaks") as error:
        prime(deaf(2), prover_knows=knows)
    assert "\n" not in str(error.value)
    a, b = Voice("prover", "a", ("a", "b")), Voice("prover", "b", ("a", "b"))
    judge = Voice("verifier", "v", ("a", "b"), decides=True)
    with pytest.raises(UserError, match="'prover' must hear"):  # its voices are at different places
        prime(Protocol((((a, b), (judge,)),), 2))
    b = Voice("prover", "b", ("b", "a"))
    prime(Protocol((((a, b), (judge,)),), 2)).rollout(4)
    env = composite(deaf(2), prover_knows=knows)
    index = torch.arange(4)
    seen = rows(env, index, [], turn=0)
    assert env.view("prover", seen)["tokens"].shape[-1] == (knows == "witness")
    assert env.teach("prover", seen) is not None


# ---------------------------------------------------------------------- numbers of a file
@pytest.mark.parametrize("make", [composite, prime])
def test_numbers_of_a_file_are_tested_on_and_not_trained_on(make, tmp_path):
    trained = make(train=1000).instances["number"][:1000].unique()
    given = [*trained[:50].tolist(), 3 * 12289, 191 * 191, 65521, *[50001] * 2]
    (tmp_path / "numbers.txt").write_text("\n".join(map(str, given)) + "\n")
    shared = len(set(given) & set(trained.tolist()))
    with pytest.warns(UserWarning, match=rf"^{shared} of the training numbers are in .*: they are left out"):
        env = make(nip(2), train=1000, numbers=str(tmp_path / "numbers.txt"))
    assert env.test_size == len(given) and env.train_size == 1000
    numbers = env.instances["number"]
    assert numbers[1000:].tolist() == given and not set(numbers[:1000].tolist()) & set(given)
    label = env.instances["label"]
    assert label.tolist() == [isprime(n) == (env.claim == "prime") for n in numbers.tolist()]
    env.rollout(5)
    index = torch.arange(1000, len(label))
    taught = env.teach("prover", rows(env, index, [], turn=0))
    assert torch.equal(taught[:, 0] >= 0, label[1000:])
    masks = env.difficulty(index)
    assert torch.stack(list(masks.values())).sum(0).eq(1).all()
    agents = {name: Agent(env, name, partial(TokenNet, width=8)) for name in env.protocol.agents}
    found = evaluate(env, agents)
    assert found["n"] == len(given) and found["by"]["prime"]["n"] == sum(map(isprime, given))
    assert all(str(n) in env.describe(1000 + i) for i, n in enumerate(given))


def test_numbers_of_a_file_that_nobody_can_play_are_named(tmp_path):
    (tmp_path / "even.txt").write_text("50001\n50000\n")
    with pytest.raises(UserError, match=r"even.txt, line 2: 50000 is even"):
        prime(numbers=str(tmp_path / "even.txt"))
    env = composite(numbers=str(tmp_path / "even.txt"))
    assert env.instances["witness"][-1] == 2 and env.instances["label"][-1]
    assert env.describe(len(env.instances) - 1).startswith("50000 = 2 * 25000 is composite")
    with pytest.raises(UserError, match=r"even.txt, line 1: 50001 is not a number of 12 bits"):
        composite(bits=12, numbers=str(tmp_path / "even.txt"))


# ---------------------------------------------------------------------- learning
STRICT = {"verifier": Payoff(accept_false=-1.5)}


def trained(env, turns, **learning):
    torch.manual_seed(0)
    net = partial(TokenNet, layers=0)
    agents = {name: Agent(env, name, net) for name in env.protocol.agents}
    before = evaluate(env, agents)["accuracy"]
    PPO(env, agents, learning={k: Learning(**v) for k, v in learning.items()}, turns=turns, steps=8).train()
    return agents, before


@pytest.mark.slow
def test_a_prover_learns_to_prove_from_reward_alone():
    env = Primality(adp(), bits=12, slots=1024, payoffs=STRICT)
    how = dict(entropy=0.1, fade=True)
    agents, before = trained(env, 7e5, prover=how, verifier=how | dict(learning_rate=3e-3))
    after = evaluate(env, agents)
    assert before < 0.6 and after["accuracy"] > 0.95
    assert exploitability(env, agents, exhaustive) < 0.02


@pytest.mark.slow
def test_a_chain_is_learned_after_a_warm_start():
    env = prime(nip(4, first_decision=3), bits=12, slots=512, train=4000, test=1000)
    prover = dict(learning_rate=3e-3, auxiliary=0.03, pretrain=10)
    agents, before = trained(env, 4e5, prover=prover, verifier=dict(learning_rate=3e-3, auxiliary=1.0))
    assert before < 0.6 and evaluate(env, agents)["accuracy"] > 0.95


def test_alone_there_is_nothing_to_learn_from():
    env = Primality(solo(), slots=16, train=100, test=100)
    view = env.view("verifier", rows(env, torch.arange(10), [], turn=0).exclude("transcript"))
    assert view["flat"].shape == (10, 0) and view["tokens"].shape == (10, 8, 0)
