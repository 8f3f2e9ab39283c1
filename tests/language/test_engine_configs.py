"""configs/engine: every key is one that its engine takes, a wrong one is refused, and they work."""

import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

from pvg import schema
from pvg.errors import UserError
from pvg.language import canary
from pvg.language.models import load
from pvg.language.ray_engine import RayEngine
from pvg.language.sampler import TorchEngine
from pvg.language.transformers_engine import TransformersEngine
from pvg.language.vllm_async import AsyncVLLMEngine
from tests.language import tiny

CONFIGS = Path(__file__).parents[2] / "configs"
ENGINES = sorted(path.stem for path in (CONFIGS / "engine").glob("*.yaml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("tiny"))


def composed(name, *overrides):
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose(overrides=[f"+engine={name}", "+device=cpu", *overrides])
    return OmegaConf.to_container(config, resolve=True)["engine"]


@pytest.mark.parametrize("name", ENGINES)
def test_every_key_is_one_that_the_engine_takes(name):
    config = composed(name)
    schema.check(config, "engine")
    assert schema.parameters(schema.locate(config["_target_"], ""))
    with pytest.raises(UserError, match=r"engine.replicsa: .* takes no 'replicsa'"):
        schema.check(config | {"replicsa": 2}, "engine")


def test_the_knobs_that_users_know_are_there():
    knobs = {"gpu_memory_utilization", "tensor_parallel_size", "max_model_len"}
    assert knobs <= set(composed("single_gpu"))
    assert knobs | {"replicas", "gpu_ids"} <= set(composed("multi_gpu"))
    with pytest.raises(UserError, match=r"engine.replicas=many: .* takes a whole number or null"):
        schema.check(composed("multi_gpu", "engine.replicas=many"), "engine")


@pytest.mark.parametrize("name, kind", [("torch", TorchEngine), ("transformers", TransformersEngine)])
def test_engines_of_this_process_are_made(folder, name, kind):
    with instantiate(composed(name))(folder) as engine:
        assert type(engine) is kind
        assert canary.check(engine, load(folder), [[3, 4, 5]]) < 1e-4


@pytest.mark.parametrize("name", ["vllm", "single_gpu"])
def test_without_vllm_transformers_takes_over(folder, name, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with instantiate(composed(name))(folder) as engine:
        assert type(engine.engine) is TransformersEngine
        assert "tools/vllm_cpu.py" in engine.counts.fallbacks[0]


@pytest.mark.parametrize("name", ["ray", "multi_gpu", "ray_torch"])
def test_knobs_come_to_the_workers(folder, name, monkeypatch):
    """What the config says of each is what the engine and its workers are made with."""
    made = {}

    def init(self, folder, **knobs):
        made.update(knobs)
        raise RuntimeError

    monkeypatch.setattr(RayEngine, "__init__", init)
    config = composed(name, "engine.replicas=3")
    with pytest.raises(RuntimeError):
        instantiate(config)(folder)
    worker = made.pop("worker")
    assert worker.func is (TorchEngine if name == "ray_torch" else AsyncVLLMEngine)
    asked = {k: v for k, v in config.items() if not k.startswith("_") and k != "fallback"}
    assert made | worker.keywords == asked and made["replicas"] == 3
    assert not set(made) & set(worker.keywords)
