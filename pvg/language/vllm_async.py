"""vLLM in a process of its own, which draws while this one does something else; what Ray's workers hold."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from torch import Tensor

from pvg.language.engine import EngineFailed, Request, Sample
from pvg.language.refusals import check_lengths
from pvg.language.vllm_base import VLLMBase, chosen, failing, prompt_of, saved

STOP = 10.0  # seconds for vLLM's process to end by itself


class AsyncVLLMEngine(VLLMBase):
    """vLLM's ``AsyncLLM``.  For arguments see :class:`VLLMBase`.

    Its process is started anew, so a script that makes one needs the guard ``if __name__ == "__main__"``.
    """

    asynchronous = True

    def _start(self, **arguments: Any) -> None:
        from vllm import AsyncEngineArgs
        from vllm.v1.engine.async_llm import AsyncLLM

        os.environ.setdefault("VLLM_WORKER_MULTIPROCESSING_METHOD", "spawn")  # this process has threads
        self.done: queue.SimpleQueue[Sample | BaseException] = queue.SimpleQueue()
        self.owed = 0  # samples that were not handed out yet
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

        async def make() -> Any:
            return AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments), stat_loggers=[self._steps])

        try:
            self.vllm = self._do(make())
            self._do(self.vllm.collective_rpc("end_with", args=(os.getpid(),)))
        except BaseException:
            self.close()
            raise

    # ------------------------------------------------------------------ Engine
    def submit(self, requests: Iterable[Request]) -> None:
        """See :class:`Engine`."""
        requests = list(requests)
        check_lengths(requests, self.context)
        self.owed += len(requests)
        for name, request in self._named(requests):
            asyncio.run_coroutine_threadsafe(self._draw(name, request), self.loop)

    def poll(self, timeout: float | None = None) -> list[Sample]:
        """See :class:`Engine`."""
        begun = time.monotonic()
        found: list[Sample | BaseException] = []
        try:
            while len(found) < self.owed:
                # one is waited for; others that are there come with it
                found.append(self.done.get(block=not found, timeout=None if found else timeout))
        except queue.Empty:
            pass
        self.counts.seconds += time.monotonic() - begun
        self.owed -= len(found)
        samples = []
        for one in found:
            if isinstance(one, BaseException):
                raise EngineFailed(f"vLLM failed ({type(one).__name__}: {one})") from one
            samples.append(one)
        return samples

    def load_weights(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        """See :class:`Engine`.  Requests in flight compute their keys and values anew."""
        with failing(), saved(self._whole(weights)) as file:
            self._do(self._load(file, version))
        self.counts.syncs += 1

    def score(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        """See :class:`Engine`."""

        async def all_of_them() -> list[list[float]]:
            return await asyncio.gather(*map(self._score, texts))

        with failing():
            return self._do(all_of_them())

    def close(self) -> None:
        """See :class:`Engine`."""
        if not self.thread.is_alive():
            return

        async def end() -> None:
            if self.vllm is not None:
                self.vllm.shutdown(timeout=STOP)  # in this thread, where its own task can't see it half done
                self.vllm = None
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        self._do(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(STOP)

    # ------------------------------------------------------------------ in the loop's thread
    def _do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result()

    async def _draw(self, name: str, request: Request) -> None:
        try:
            async for output in self.vllm.generate(prompt_of(request.prompt), self._sampling(request), name):
                if sample := self._take(output):
                    self.done.put(sample)
        except Exception as error:  # of every kind
            self.done.put(error)

    async def _score(self, text: Sequence[int]) -> list[float]:
        self.names += 1
        name = f"score {self.names}"
        async for output in self.vllm.generate(prompt_of(text), self._scoring(), name):
            if output.finished:
                return chosen(output.prompt_logprobs)
        raise EngineFailed("vLLM did not score a text")

    async def _load(self, file: str, version: int) -> None:
        # without the pause a step would go on meanwhile, and its keys and values would be kept
        await self.vllm.pause_generation(mode="keep")
        try:
            await self.vllm.collective_rpc("load_file", args=(file,))
            if not await self.vllm.reset_prefix_cache(reset_running_requests=True):
                raise EngineFailed("vLLM did not forget the keys and values of the old weights")
            self.version = version
        finally:
            await self.vllm.resume_generation()
