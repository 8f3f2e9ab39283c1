"""vLLM in this process: paged keys and values, and a batch that requests join and leave at will."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from pvg.checkpoint import random_states, set_random_states
from pvg.language.engine import EngineFailed, Request, Sample
from pvg.language.refusals import CannotStart, check_lengths
from pvg.language.vllm_base import VLLMBase, chosen, failing, prompt_of, saved


class VLLMEngine(VLLMBase):
    """vLLM in this process.  For arguments see :class:`VLLMBase`.

    Torch's distributed groups and the number of threads are of the whole process, so there can be one of these in it,
    and none in a replica that ``torchrun`` has started.
    """

    asynchronous = False

    def _start(self, **arguments: Any) -> None:
        from vllm import EngineArgs, LLMEngine

        if torch.distributed.is_initialized():
            raise CannotStart(
                "vLLM can't start in this process, since another vLLM or torchrun has set up torch's distributed "
                "groups in it. Choose engine=ray, where it has processes of its own."
            )
        self.ready: list[Sample] = []  # finished while texts were scored
        self.scores: dict[str, list[float] | None] = {}
        with _process_kept():
            # one step is done when the next begins, so weights can change between any two
            given = EngineArgs(**arguments, async_scheduling=False)
            self.vllm = LLMEngine.from_engine_args(given, stat_loggers=[self._steps])

    # ------------------------------------------------------------------ Engine
    def submit(self, requests: Iterable[Request]) -> None:
        """See :class:`Engine`."""
        requests = list(requests)
        check_lengths(requests, self.context)
        with failing():
            for name, request in self._named(requests):
                self.vllm.add_request(name, prompt_of(request.prompt), self._sampling(request))

    def poll(self, timeout: float | None = None) -> list[Sample]:
        """See :class:`Engine`."""
        begun = time.monotonic()
        done, self.ready = self.ready, []
        while self.flying and not done:
            done = self._step()
            if timeout is not None and time.monotonic() - begun > timeout:
                break
        self.counts.seconds += time.monotonic() - begun
        return done

    def load_weights(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        """See :class:`Engine`.  Requests in flight compute their keys and values anew."""
        with failing():
            if self.parallel > 1:
                with saved(self._whole(weights)) as file:
                    self.vllm.collective_rpc("load_file", args=(file,))
            else:
                iterator = iter(list(self._whole(weights).items()))
                self.vllm.collective_rpc("reload_weights", kwargs=dict(weights_iterator=iterator))
            # without it prompts that come again meet keys and values of the old weights
            if not self.vllm.reset_prefix_cache(reset_running_requests=True):
                raise EngineFailed("vLLM did not forget the keys and values of the old weights")
        self.version = version
        self.counts.syncs += 1

    def score(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        """See :class:`Engine`."""
        with failing():
            for text in texts:
                self.names += 1
                self.scores[str(self.names)] = None
                self.vllm.add_request(str(self.names), prompt_of(text), self._scoring())
            while None in self.scores.values():
                self.ready += self._step()
        found, self.scores = self.scores, {}
        return [row for row in found.values() if row is not None]

    def close(self) -> None:
        """See :class:`Engine`."""
        if self.vllm is None:
            return
        from vllm.distributed import cleanup_dist_env_and_memory

        self.flying.clear()
        self.vllm.engine_core.shutdown()
        self.vllm = None
        cleanup_dist_env_and_memory()

    def _step(self) -> list[Sample]:
        with failing():
            outputs = self.vllm.step()
        samples = []
        for output in outputs:
            if output.request_id in self.scores:
                self.scores[output.request_id] = chosen(output.prompt_logprobs)
            elif sample := self._take(output):
                samples.append(sample)
        return samples


@contextmanager
def _process_kept() -> Iterator[None]:
    """vLLM seeds the process's random generators, and on CPUs takes away the setting of threads: both are put back."""
    states, set_threads, threads = random_states(), torch.set_num_threads, torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads = set_threads
        torch.set_num_threads(threads)
        set_random_states(states)
