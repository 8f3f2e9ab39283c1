"""Language models that play: what they say and believe, against transformers on one text at a time."""

import copy
from functools import partial

import pytest
import torch
from tensordict import TensorDict
from transformers import GPT2Config, GPT2LMHeadModel

from pvg.agents import players
from pvg.agents.players import AnyReader, LanguageNet, LanguagePlayer, Reader, read, tokenizer, trim
from pvg.envs.protocols import adp, merlin_arthur, nip, solo
from pvg.errors import UserError
from pvg.evaluation import see
from pvg.language.models import make_tiny
from pvg.language.sampler import TorchEngine
from pvg.trainers.collect import Rollout, own_turns
from pvg.trainers.ppo import PPO, Learner, Learning
from tests.envs.scenarios import build, cast, word_problems


@pytest.fixture
def game():
    """An exchange of two rounds, players with something to say, and turns of both."""
    torch.manual_seed(0)
    env = word_problems(nip(2), slots=40, most=6, ask=3)
    agents = cast(env, "words")
    for agent in agents.values():
        awake(agent)
    batch = Rollout(env, agents, 24).collect()
    return env, agents, batch


def awake(agent):
    """Sure of something, and heads that say something from the start; the end is likely enough to come."""
    with torch.no_grad():
        for head in (agent.net.value, *([agent.net.adds, agent.net.go_on] if agent.decides else [])):
            torch.nn.init.normal_(head.weight, std=0.5)
        embedding = agent.net.model.get_input_embeddings().weight
        embedding *= 6
        embedding[agent.env.end] = 0.95 * embedding[agent.env._ids(":")[0]]


def turns_of(env, agents, batch, name):
    """Live turns as rows."""
    last = {n: torch.zeros(env.slots, 1, 1) for n in agents}
    turns = own_turns(batch, last[name], env, name, 24)
    live = turns["live"]
    return TensorDict({k: v[live] for k, v in turns.items()}, [int(live.sum())])


@torch.no_grad()
def by_transformers(env, agent, row):
    """Log-probability of what was said, its entropy, the belief and the value: one text, word by word."""
    view = env.view(agent.name, row[None])
    context = view["tokens"][0, : view["length"][0]].tolist()
    mute = agent.decides and int(row["round"]) == env.protocol.rounds - 1
    message = [] if mute else row["action"][: agent.said].tolist()
    if env.end in message:
        message = message[: message.index(env.end) + 1]
    model = agent.net.model
    total = bits = 0.0
    for k, word in enumerate(message):
        logits = model(torch.tensor([context + message[:k]])).logits[0, -1, : env.words].log_softmax(-1)
        total += logits[word].item()
        bits -= (logits.exp() * logits).sum().item()
    out = model(torch.tensor([context]), output_hidden_states=True)
    hidden = out.hidden_states[-1][0]
    value = agent.net.value(hidden[-1]).item()
    if not agent.decides:
        return total, bits, value, None
    logits = out.logits[0, :, : env.words].log_softmax(-1)
    seen = [
        max(logits[j - 1, context[j]].item(), -8.0) + agent.net.adds(hidden[j]).item()
        for j in range(len(context))
        if view["judged"][0, j]
    ]
    belief = 8 * (agent.net.bias.item() + agent.net.scale.item() * sum(seen) / len(seen))
    return total, bits, value, (-belief / 2, belief / 2, agent.net.go_on(hidden[-1]).item())


@pytest.mark.parametrize("name", ["prover", "verifier"])
def test_all_numbers_are_those_of_transformers(game, name):
    env, agents, _ = game
    agent, rows = agents[name], turns_of(*game, name)
    rows = rows[torch.randperm(len(rows))[:60]]
    logits, value = agent.evaluate(rows)
    dist = agent.dist(logits, rows)
    log_prob, entropy = dist.log_prob(rows["action"]), dist.entropy()
    ended = (rows["action"][:, : agent.said] == env.end).any(-1)
    assert 0.1 < ended.float().mean() < 0.95
    for i in range(len(rows)):
        words, bits, worth, decision = by_transformers(env, agent, rows[i])
        if decision is not None:
            torch.testing.assert_close(logits[i, -1, :3].tolist(), list(decision), atol=2e-4, rtol=1e-4)
            final = int(rows["round"][i]) == env.protocol.rounds - 1
            p = torch.tensor(decision[: 2 if final else 3]).log_softmax(-1)
            words += p[int(rows["action"][i, -1])].item()
            bits -= (p.exp() * p).sum().item()
        assert log_prob[i].item() == pytest.approx(words, abs=1e-3)
        assert entropy[i].item() == pytest.approx(bits, abs=1e-3)
        assert value[i].item() == pytest.approx(worth, abs=1e-4)


@pytest.mark.parametrize("name", ["prover", "verifier"])
def test_the_first_step_s_ratio_is_one(game, name):
    """What was noted while acting (token by token) is what learning computes (all at once)."""
    agents = game[1]
    rows = turns_of(*game, name)
    logits, value = agents[name].evaluate(rows)
    log_prob = agents[name].dist(logits, rows).log_prob(rows["action"])
    torch.testing.assert_close(log_prob, rows["log_prob"], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(value, rows["state_value"], atol=1e-4, rtol=1e-4)
    assert rows["log_prob"].std() > 0.5


def test_what_follows_the_end_counts_for_nothing(game):
    env, agents, _ = game
    rows = turns_of(*game, "prover")
    said = rows["action"]
    over = ~env.heard_of(said)
    assert over.any() and (said[over] == env.pad).all()
    other = rows.clone()
    with torch.no_grad():
        one = agents["prover"].evaluate(rows)[0]
        other["action"] = torch.where(over, torch.randint_like(said, env.words), said)
        two = agents["prover"].evaluate(other)[0]
    torch.testing.assert_close(one, two)


def test_who_ends_the_game_by_deciding_says_nothing(game):
    env = game[0]
    rows = turns_of(*game, "verifier")
    final = rows["round"] == 1
    assert (rows["action"][final, :-1] == env.pad).all() and (rows["action"][~final, :-1] != env.pad).any()


def test_both_models_speak_at_every_step():
    torch.manual_seed(0)
    env = word_problems(nip(3), slots=30)
    agents = cast(env, "words")
    batch = Rollout(env, agents, 12).collect()
    for name in agents:
        rounds = batch[name, "observation", "round"].squeeze(-1)
        words = (batch[name]["action"].squeeze(2)[..., : agents[name].said] != env.pad).any(-1)
        speaks = words | (rounds == 2) if name == "verifier" else words
        assert batch[name]["action"].shape[:2] == rounds.shape and speaks.float().mean() > 0.9


def test_any_architecture_reads_as_its_transformers_model_does(game):
    env, agents, _ = game
    net = copy.deepcopy(agents["prover"].net)
    rows = turns_of(*game, "prover")[:20]
    view = trim(env.view("prover", rows))
    assert type(read(net, view, 3)) is Reader
    words = torch.randint(3, env.words, (3, 20))
    with torch.no_grad():
        for made in (Reader, AnyReader):
            found = _through(made, net, view, words)
            for i in range(20):
                text = view["tokens"][i, : view["length"][i]].tolist()
                for k in range(4):
                    right = net.model(torch.tensor([text + words[:k, i].tolist()])).logits[0, -1, : env.words]
                    torch.testing.assert_close(found[k][i], right, atol=1e-4, rtol=1e-4)
        net.model = GPT2LMHeadModel(
            GPT2Config(vocab_size=64, n_embd=16, n_layer=1, n_head=2, n_positions=80)
        ).eval()
        assert type(read(net, view, 3)) is AnyReader
        found = _through(AnyReader, net, view, words)
        text = view["tokens"][7, : view["length"][7]].tolist() + words[:2, 7].tolist()
        right = net.model(torch.tensor([text])).logits[0, -1, : env.words]
        torch.testing.assert_close(found[2][7], right, atol=1e-4, rtol=1e-4)


def _through(made, net, view, words):
    reader = made(net, view["tokens"], view["length"], len(words))
    return [reader.first(), *(reader.go_on(word) for word in words)]


def test_what_is_taught_is_given_what_was_taught_before_it():
    torch.manual_seed(0)
    env = word_problems(adp(), most=12)
    agent = cast(env, "words")["prover"]
    index = torch.arange(8)
    rows = see(env, env.new_games(index, index), env.protocol.places("prover")[0])
    target = env.teach("prover", rows)
    rows["action"] = torch.randint(3, env.words, target.shape)  # what was said is beside the point
    loss = agent.supervise(rows, agent.evaluate(rows)[0])
    total, count = 0.0, int((target >= 0).sum())
    for i in range(8):
        view = env.view("prover", rows[i : i + 1])
        lesson = target[i][target[i] >= 0].tolist()
        text = view["tokens"][0, : view["length"][0]].tolist()
        logits = agent.net.model(torch.tensor([text + lesson])).logits[0, :, : env.words].log_softmax(-1)
        total -= sum(logits[len(text) + k - 1, word].item() for k, word in enumerate(lesson))
    assert loss.item() == pytest.approx(total / count * 12, rel=1e-4)


def test_an_untrained_verifier_decides_either_way():
    torch.manual_seed(0)
    for protocol in (solo(), nip(2)):
        env = word_problems(protocol)
        agent, index = cast(env, "words")["verifier"], torch.arange(40)
        logits = agent.evaluate(see(env, env.new_games(index, index), env.protocol.places("verifier")[0]))[0]
        assert logits[:, -1, :3].abs().max() < 1.5


def test_verifiers_learn_to_expect_right_solutions_and_those_alone(game):
    env, agents, _ = game
    rows, agent = turns_of(*game, "verifier")[:40], agents["verifier"]
    label = env.instances["label"][rows["index"].long()]
    with torch.enable_grad():
        logits, _ = agent.evaluate(rows)
    loss = agent.supervise(rows, logits)
    decided = torch.nn.functional.cross_entropy(logits[:, -1, :2], label.long())
    expected = 0.0
    for row in rows[label]:
        view = env.view("verifier", row[None])
        text = view["tokens"][0, : view["length"][0]]
        log_probs = agent.net.model(text[None]).logits[0, :, : env.words].log_softmax(-1)
        at = view["judged"][0].nonzero().flatten()
        expected += log_probs[at - 1, text[at]].sum().item()
    assert loss.item() == pytest.approx(decided.item() - expected / int(label.sum()), rel=1e-4)


@pytest.mark.parametrize("protocol", ["nip", "merlin_arthur", "debate", "solo"])
@pytest.mark.parametrize("shared", [True, False])
def test_ppo_trains_them_under_any_protocol(protocol, shared):
    torch.manual_seed(0)
    env = build("words", protocol, slots=6)
    agents = cast(env, "words", shared=shared)
    before = {n: copy.deepcopy(a.state_dict()) for n, a in agents.items()}
    how = Learning(minibatch=16, epochs=1, auxiliary=0.1, pretrain=1)
    PPO(env, agents, learning={"default": how}, turns=2 * 8 * 6 * len(env.protocol.places()), steps=8).train()
    for name, agent in agents.items():
        after = agent.state_dict()
        assert all(x.isfinite().all() for x in after.values())
        moved = [k for k in after if not torch.equal(after[k], before[name][k])]
        assert any(k.startswith("net.model") for k in moved)


def test_a_verifier_learns_to_check_a_solution():
    """Against taught provers, from labels: one step's sums, which it has met under other names, in under a minute."""
    torch.manual_seed(0)
    env = word_problems(adp(), train=1800, test=60, most=9)
    agent = LanguagePlayer(env, "verifier", partial(LanguageNet, width=32, layers=1, hidden=96))
    learner = Learner(agent, Learning(learning_rate=3e-3))

    def told(index):
        games = env.new_games(index, index)
        target = env.teach("prover", see(env, games, env.protocol.places("prover")[0]))
        games, _, _ = env.act(games, 0, 0, [target.clamp(min=env.pad)])
        return see(env, games, env.protocol.places("verifier")[0])

    def accuracy():
        test = torch.arange(1500, 1800)
        return (agent.act(told(test), greedy=True)[0][:, -1] == env.instances["label"][test]).float().mean()

    assert accuracy() < 0.6
    for _ in range(300):
        rows = told(torch.randint(1500, (64,)))
        loss = agent.supervise(rows, agent.evaluate(rows)[0])
        learner.whole.grad.zero_()
        loss.backward()
        learner.optimiser.step()
    assert accuracy() > 0.9


# ---------------------------------------------------------------------- models of one's own, and what is wrong
@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    make_tiny(path, players.vocabulary(), width=16, layers=1, hidden=16, context=60, seed=5)
    return path


def test_a_model_in_a_folder_plays(folder):
    env = word_problems(adp(), tokenizer=tokenizer(str(folder)))
    nets = [LanguagePlayer(env, "prover", partial(LanguageNet, model=str(folder))) for _ in range(2)]
    weights = [
        torch.cat([p.flatten() for p in agent.net.model.parameters()]) for agent in (*nets, nets[0].fresh())
    ]
    assert torch.equal(weights[0], weights[1]) and torch.equal(weights[0], weights[2])
    tiny = LanguagePlayer(env, "prover", partial(LanguageNet, width=16))
    assert (
        not torch.equal(tiny.net.value.weight.new_tensor(1), weights[0][0])
        and tiny.fresh().net is not tiny.net
    )


def test_what_is_wrong_with_a_model_is_said_in_one_paragraph(folder, tmp_path):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "config.json").write_text((folder / "config.json").read_text())
    env = word_problems(adp(), most=200)
    small = tmp_path / "small"
    make_tiny(small, ["one"], width=16, layers=1, hidden=16, context=60)
    for make, words in (
        (lambda: tokenizer(str(tmp_path / "bare")), "no tokenizer"),
        (lambda: LanguageNet(env, "prover", str(tmp_path / "bare")), "no language model"),
        (lambda: LanguageNet(env, "prover", str(folder)), "the model's context is 60"),
        (lambda: LanguageNet(word_problems(merlin_arthur(1)), "verifier", str(small)), "it knows 16 tokens"),
        (lambda: LanguageNet(word_problems(solo()), "verifier", str(tmp_path / "none")), "no language model"),
    ):
        with pytest.raises(UserError, match=words) as error:
            make()
        assert "\n\n" not in str(error.value)


# ---------------------------------------------------------------------- engines that say the messages
class Watched(TorchEngine):
    """Notes what is asked of which engine, in order."""

    log: list = []

    def submit(self, requests):
        self.log.append(("submit", id(self)))
        super().submit(requests)

    def poll(self, timeout=None):
        self.log.append(("poll", id(self)))
        return super().poll(timeout)


def spoken(seed, engine):
    """Frames of an exchange in which engines say the messages; the models' own tables are larger than the words."""
    torch.manual_seed(seed)
    env = word_problems(nip(2), slots=24, most=6, ask=3)
    net = partial(LanguageNet, width=16, layers=1, hidden=16)
    agents = {name: LanguagePlayer(env, name, net, engine=engine) for name in ("prover", "verifier")}
    for agent in agents.values():
        assert agent.net.model.config.vocab_size > env.words
        awake(agent)
    batch = Rollout(env, agents, 12).collect()
    return env, agents, batch


def test_engines_say_what_the_policy_would_and_both_are_asked_before_either_is_waited_for():
    Watched.log.clear()
    env, agents, batch = spoken(3, partial(Watched, slots=24))
    for name, agent in agents.items():
        rows = turns_of(env, agents, batch, name)
        logits, value = agent.evaluate(rows)
        own = agent.dist(logits, rows).log_prob(rows["action"])
        torch.testing.assert_close(own, rows["log_prob"], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(value, rows["state_value"], atol=1e-4, rtol=1e-4)
        message = rows["action"][:, : agent.said]
        over = ~env.heard_of(message)
        assert over.any() and (message[over] == env.pad).all() and rows["log_prob"].std() > 0.5
        if agent.decides:  # a decision that ends the game is all there is
            final = rows["round"] == 1
            assert (message[final] == env.pad).all() and (message[~final, 0] != env.pad).all()
        agent.close()
    begun = [i for i, (what, _) in enumerate(Watched.log) if what == "submit"]
    pairs = [Watched.log[i : i + 2] for i in begun[::2]]
    assert pairs and all(
        [w for w, _ in pair] == ["submit"] * 2 and pair[0][1] != pair[1][1] for pair in pairs
    )


def test_what_engines_say_is_decided_by_the_seed_and_follows_the_weights():
    one, two, other = (spoken(seed, partial(TorchEngine, slots=8)) for seed in (3, 3, 4))
    said = [batch["prover", "action"] for _, _, batch in (one, two, other)]
    assert torch.equal(said[0], said[1]) and not torch.equal(said[0], said[2])
    env, agents, _ = one
    with torch.no_grad():
        for weight in agents["prover"].net.parameters():
            weight += 0.05 * torch.randn_like(weight)
    batch = Rollout(env, agents, 8).collect()
    rows = turns_of(env, agents, batch, "prover")
    logits, _ = agents["prover"].evaluate(rows)
    own = agents["prover"].dist(logits, rows).log_prob(rows["action"])
    torch.testing.assert_close(own, rows["log_prob"], atol=1e-4, rtol=1e-4)
    for _, each, _ in (one, two, other):
        for agent in each.values():
            agent.close()
