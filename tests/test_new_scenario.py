"""docs/new-scenario.md has a scenario in full: this plays it from outside the package, as the page says."""

import re
import subprocess
import sys

import pytest
import torch
from tensordict import TensorDict
from torchrl.envs.utils import check_env_specs

from pvg.attacks import exhaustive, search
from pvg.envs.protocols import nip
from pvg.evaluation import held_out
from tests.cli import ROOT
from tests.envs.scenarios import PROTOCOLS

PAGE = (ROOT / "docs" / "new-scenario.md").read_text()
(CODE,), (CONFIG,) = (re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.M | re.S) for kind in ("python", "yaml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What a reader of the page has: the two files, in a folder of their own."""
    folder = tmp_path_factory.mktemp("scenario")
    (folder / "env").mkdir()
    (folder / "channel.py").write_text(CODE)
    (folder / "env" / "channel.yaml").write_text(CONFIG)
    return folder


@pytest.fixture
def channel(folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder))
    from channel import Channel

    yield Channel
    del sys.modules["channel"]


def test_it_is_one_short_file():
    assert "`channel.py`" in PAGE and "`env/channel.yaml`" in PAGE
    assert CODE.count("\n") < 100
    for command in (["format", "--check"], ["check"]):
        words = [sys.executable, "-m", "ruff", *command, "--stdin-filename=channel.py", "-"]
        done = subprocess.run(words, input=CODE, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_it_learns_and_resumes_and_is_evaluated(pvg, folder):
    """As the page runs it, with short attacks; every expected rate is out of an untrained verifier's reach."""
    short = "evaluation.attacks.fresh.turns=2e4", "tracker=csv"
    command = "--config-dir", ".", "env=channel", *short
    done = pvg(*command, "folder=runs/a", folder=folder).ok()
    result = pvg("mode=evaluate", "checkpoint=runs/a", folder=folder).ok().json
    assert result["n"] == 500 and set(result["by"]) == {"no burst", "one burst", "more"}
    assert min(result["accuracy"], result["soundness"], result["soundness/search"]) > 0.95
    found = re.search(r"accuracy of the verifier alone +(\S+) %", done.out)
    assert 50 <= float(found[1]) < 75
    assert re.search(
        r"sent [01]{12}, arrived [01.]{12}\n +round 1 +prover: from place \d: 111", open_text(folder)
    )
    untrained = pvg(*command, "trainer.turns=1", "folder=runs/b", folder=folder).ok()
    assert float(re.search(r"^accuracy +(\S+) %", untrained.out, re.M)[1]) < 75
    again = pvg("resume=runs/a", folder=folder).ok()
    assert "This run is finished" in again.out


def open_text(folder):
    return (folder / "runs" / "a" / "exchanges.txt").read_text()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["+env.lenght=3"], "env.lenght: channel.Channel takes no 'lenght'; it takes length, burst, erased"),
        (["env.slots=many"], "env.slots=many: channel.Channel takes a whole number there."),
        (["env.erased=much"], "env.erased=much: channel.Channel takes a number there."),
        (["env.burst=20"], "1 <= burst <= length <= 20 must hold"),
        (["env.train=4000"], "there are 3410 words"),
    ],
)
def test_its_constructor_is_the_schema(pvg, folder, arguments, words):
    pvg.refuses(words, "--config-dir", ".", "env=channel", *arguments, folder=folder)


def test_without_its_folder_it_is_not_found(pvg, folder, tmp_path):
    words = "a module of your own must lie in the folder you start from"
    pvg.refuses(words, f"--config-dir={folder}", "env=channel", folder=tmp_path)


# --- the scenario itself, against strings ---


def words_of(env):
    return ["".join("1" if bit > 0 else "0" for bit in row) for row in env.instances["word"].tolist()]


def test_labels_are_bursts_and_no_word_is_in_both_tables(channel):
    env = channel(protocol=nip(2), length=9, burst=4, train=100, test=60, slots=4)
    words = words_of(env)
    assert env.instances["label"].tolist() == ["1111" in word for word in words]
    assert len(set(words)) == 160 and env.instances["label"].sum() == 80
    kinds = env.difficulty(torch.arange(160))
    count = lambda word: sum(word.startswith("1111", i) for i in range(9))  # noqa: E731
    assert kinds["one burst"].tolist() == [count(word) == 1 for word in words]


def test_an_agent_sees_what_it_may_and_the_windows_resent(channel):
    env = channel(protocol=nip(2), train=50, test=10, slots=4)
    words, arrived = words_of(env), env.instances["arrived"]
    rows = torch.arange(50)
    said = torch.stack([torch.tensor([[3], [-1]])] * 50)
    observation = TensorDict({"index": rows, "transcript": said, "round": torch.ones(50)}, [50])
    bits = lambda text: [1.0 if bit == "1" else -1.0 for bit in text]  # noqa: E731
    for agent in ("prover", "verifier"):
        view = env.view(agent, observation)
        assert view["tokens"].tolist() == [[bits(word[3:6]), [0, 0, 0]] for word in words[:50]]
        for i, word in enumerate(words[:50]):
            known = [agent == "prover" or bool(a) for a in arrived[i]]
            assert view["flat"][i].tolist() == [b if k else 0 for b, k in zip(bits(word), known, strict=True)]
    taught = env.teach("prover", observation).squeeze(-1).tolist()
    assert taught == [word.find("111") for word in words[:50]]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_plays_under_every_protocol(channel, protocol):
    env = channel(protocol=PROTOCOLS[protocol], train=30, test=10, slots=3)
    check_env_specs(env)


def test_no_message_proves_a_false_claim(channel):
    """A verifier that accepts if and only if it is shown a burst can't be fooled, and always can be convinced."""
    env = channel(protocol=nip(2), train=50, test=40, slots=4)

    class Looks:
        chunk = 100

        def evaluate(self, observation):
            shown = (env.view("verifier", observation)["tokens"] > 0).all(-1).any(-1)
            logits = torch.stack([~shown, shown, shown & False], -1).float().unsqueeze(1)
            return 9 * logits, logits[:, 0, :1]

        def act(self, observation, greedy):
            return self.evaluate(observation)[0].argmax(-1), None, None

    agents = {"verifier": Looks()}
    label = env.instances["label"][held_out(env)]
    assert exhaustive(env, agents, held_out(env)).tolist() == label.tolist()
    assert search(env, agents, held_out(env)).tolist() == label.tolist()
