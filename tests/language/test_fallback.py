"""When an engine fails, the next goes on as if nothing had happened."""

from functools import partial

import pytest

from pvg.errors import UserError
from pvg.language import canary
from pvg.language.engine import EngineFailed
from pvg.language.fallback import Fallback
from pvg.language.refusals import require
from pvg.language.sampler import TorchEngine
from pvg.language.transformers_engine import TransformersEngine
from tests.language import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("tiny"))


class Frail(TorchEngine):
    """Dies after as many polls, or while it does something else."""

    def __init__(self, folder, polls: int = 1000, dies: str = "", slots: int = 4):
        if dies == "start":
            raise EngineFailed("no such GPU")
        super().__init__(folder, slots)
        self.polls, self.dies = polls, dies

    def poll(self, timeout=None):
        self.polls -= 1
        if self.polls < 0:
            raise EngineFailed("lost its mind")
        return super().poll(timeout)

    def load_weights(self, weights, version):
        if self.dies == "load":
            raise EngineFailed("no room")
        super().load_weights(weights, version)

    def submit(self, requests):
        if self.dies == "submit":
            raise EngineFailed("too much")
        super().submit(requests)


class Homeless(TorchEngine):
    """Needs what nobody has."""

    def __init__(self, folder):
        require("package_that_nobody_has", "pip install it")


def tokens(found):
    return {key: sample.tokens for key, sample in found.items()}


@pytest.fixture(scope="module")
def alone(folder):
    """What an engine draws by itself."""
    with TransformersEngine(folder) as engine:
        engine.submit(tiny.requests(20))
        return tokens(tiny.drain(engine, 20))


@pytest.mark.parametrize("first", [partial(Frail, dies="start"), partial(Frail, dies="submit"), Homeless])
def test_what_does_not_start_is_given_up(folder, alone, first, capsys):
    with Fallback(folder, [first, TransformersEngine]) as engine:
        engine.submit(tiny.requests(20))
        assert tokens(tiny.drain(engine, 20)) == alone
        assert len(engine.counts.fallbacks) == 1
        assert "was given up for TransformersEngine" in engine.counts.fallbacks[0]
    assert engine.counts.fallbacks[0] in capsys.readouterr().err


def test_a_failure_in_midst_loses_nothing(folder, alone):
    with Fallback(folder, [partial(Frail, polls=2), TransformersEngine]) as engine:
        engine.submit(tiny.requests(12))
        found = {s.key: s for s in engine.poll()}
        assert found and len(found) < 12
        engine.submit(tiny.requests(8, first=12))
        assert tokens(found | tiny.drain(engine, 20 - len(found))) == alone
        assert engine.counts.tokens >= sum(map(len, alone.values()))
        assert engine.capacity == 64


@pytest.mark.parametrize("dies", ["load", ""])
def test_the_next_engine_has_the_last_weights(folder, dies):
    moved = tiny.other_weights(folder)
    with Fallback(folder, [partial(Frail, polls=0, dies=dies), TransformersEngine]) as engine:
        engine.submit(tiny.requests(3))
        engine.load_weights(iter(tiny.named(moved)), 5)
        found = tiny.drain(engine, 3)
        assert engine.version == 5 and len(engine.counts.fallbacks) == 1
        for request in tiny.requests(3):
            assert found[request.key].version == 5
            assert tiny.apart(moved, request, found[request.key]) < 1e-4


def test_when_all_have_failed_it_says_why(folder):
    with pytest.raises(EngineFailed, match="no such GPU"):
        Fallback(folder, [Homeless, partial(Frail, dies="start")])
    with Fallback(folder, [partial(Frail, polls=0)]) as engine:
        engine.submit(tiny.requests(3))
        with pytest.raises(EngineFailed, match="lost its mind"):
            engine.poll()
        with pytest.raises(EngineFailed):
            engine.poll()


def test_a_users_mistake_is_no_failure(folder):
    with pytest.raises(UserError, match=r"slots=0"):
        Fallback(folder, [partial(Frail, slots=0), TransformersEngine])
    with Fallback(folder, [Frail, TransformersEngine]) as engine:
        with pytest.raises(UserError, match="context"):
            engine.submit(tiny.requests(1, most=100))
        assert not engine.counts.fallbacks


def test_an_engine_that_fails_under_the_canary_is_replaced_and_its_successor_checked(folder):
    class Mute(TorchEngine):
        def score(self, texts):
            raise EngineFailed("not a word")

    moved, said = tiny.other_weights(folder), [[3, 4, 5, 6]]
    with Fallback(folder, [Mute, TransformersEngine]) as engine:
        engine.load_weights(tiny.named(moved), 1)
        assert canary.check(engine, moved, said) < 1e-5
        assert engine.counts.fallbacks == ["Mute was given up for TransformersEngine: not a word"]

    class Stale(TransformersEngine):
        def load_weights(self, weights, version):
            self.version = version

    with Fallback(folder, [Mute, Stale]) as engine, pytest.raises(canary.StaleEngine):
        engine.load_weights(tiny.named(moved), 1)
        canary.check(engine, moved, said)
