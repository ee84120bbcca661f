"""A worker that fits images in batches, while processes of the host read ahead of it and write behind it."""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field
from typing import Any

import jax

from hoijax.config import Capacity
from hoijax.dataset.host import Ready, body_of, finish_task, host_pool, kit_of, read_task
from hoijax.dataset.mappings import forget_programs_when_crowded
from hoijax.dataset.memory import bearable_batch, free_bytes, is_out_of_memory
from hoijax.dataset.reconstruct import Kit
from hoijax.dataset.sample_files import reason
from hoijax.dataset.tasks import Give, Outcome, Settings, Stopped, Take
from hoijax.optimize.fit import NotFiniteError, batch_bytes, fit_batch, largest
from hoijax.optimize.outcome import Fitted
from hoijax.types import Assets

TICK = 0.1  # seconds between two looks for new tasks while the host works


@dataclass
class _Bench:
    """What is in work: being read, ready for the device by shapes, being written. `size`: of a batch, 0: not yet known."""

    pool: Executor
    size: int
    reading: set[Future[Any]] = field(default_factory=set)
    ready: dict[Any, list[Ready]] = field(default_factory=dict)
    writing: set[Future[Any]] = field(default_factory=set)
    capacity: Capacity = field(default_factory=Capacity)

    def idle(self) -> bool:
        return not (self.reading or self.writing or any(self.ready.values()))


def work_in_batches(settings: Settings, take: Take, give: Give) -> None:
    """Does tasks until `take` raises Stopped; what has been fitted by then is still written.

    A host process that dies takes the worker with it (SystemExit): the driver gives its tasks to another.
    """
    kit = kit_of(settings)
    with host_pool(settings) as pool:
        bench = _Bench(pool, settings.batch)
        try:
            while True:
                try:
                    _take_all(bench, settings, take)
                except Stopped:
                    break
                _step(bench, settings, kit, give)
            while bench.writing:
                _collect(bench, give, None)
        except BrokenExecutor as error:
            raise SystemExit(f"a process of the host died ({error})") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _take_all(bench: _Bench, settings: Settings, take: Take) -> None:
    """Has everything read that there is to do; waits for a task only when nothing else is in work."""
    task = take(None if bench.idle() else 0.0)
    while task is not None:
        bench.reading.add(bench.pool.submit(read_task, task, settings))
        task = take(0.0)


def _step(bench: _Bench, settings: Settings, kit: Kit, give: Give) -> None:
    """Collects what the host has done, and fits a batch when there is one: a full one, or the rest when nothing comes."""
    _collect(bench, give, 0.0)
    group = max(bench.ready.values(), key=len, default=[])
    if not group or (bench.reading and len(group) < max(bench.size, 1)):
        _collect(bench, give, TICK)
        return
    if bench.size == 0:
        bench.size = bearable_batch(_bytes_per_image(group[0], kit), [*map(free_bytes, jax.local_devices())])
        return  # one look more at what has been read meanwhile
    batch = group[: bench.size]
    del group[: bench.size]
    _fit(batch, bench, settings, kit, give)


def _collect(bench: _Bench, give: Give, timeout: float | None) -> None:
    """Waits for the first of what the host does, and takes all that is done."""
    if not (bench.reading or bench.writing):
        return
    done, _ = wait(bench.reading | bench.writing, timeout, FIRST_COMPLETED)
    outcomes = []
    for future in done:
        bench.reading.discard(future)
        bench.writing.discard(future)
        found = future.result()
        if isinstance(found, Ready):
            named = isinstance(found.body, str)
            leaves = jax.tree.leaves((found.scene, () if named else found.body))
            shapes = tuple((leaf.shape, str(leaf.dtype)) for leaf in leaves)
            bench.ready.setdefault((shapes, found.body if named else None), []).append(found)
        else:
            outcomes.append(found)
    if outcomes:
        give(outcomes)


def _fit(batch: list[Ready], bench: _Bench, settings: Settings, kit: Kit, give: Give) -> None:
    """Fits a batch and has it written. Out of memory: batches are half as large from now on. Else, each is tried alone."""
    start, compiled = time.perf_counter(), kit.clock.seconds
    found, fault, short = _tried(batch, bench, kit)
    if fault and len(batch) > 1:
        part = 1
        if short:
            part = bench.size = max(1, bench.size // 2)
        for begin in range(0, len(batch), part):
            _fit(batch[begin : begin + part], bench, settings, kit, give)
        return
    if fault:
        give([Outcome(batch[0].task.name, "failed", "fit", fault, batch[0].seconds)])
        return
    share = {"compile": (kit.clock.seconds - compiled) / len(batch)}
    share["fit"] = (time.perf_counter() - start) / len(batch) - share["compile"]
    for ready, fitted in zip(batch, found):
        if isinstance(fitted, NotFiniteError):
            give([Outcome(ready.task.name, "failed", "fit", reason(fitted), {**ready.seconds, **share})])
        else:
            bench.capacity = largest(bench.capacity, fitted.capacity)
            bench.writing.add(bench.pool.submit(finish_task, ready, fitted, share, settings))


def _tried(batch: Sequence[Ready], bench: _Bench, kit: Kit) -> tuple[list[Fitted | NotFiniteError], str, bool]:
    """The fits of a batch, or why there are none, and whether memory was short.

    The error itself ends here: its traceback holds on to the arrays of the batch, and the next try wants their memory.
    """
    try:
        return _fitted(batch, bench, kit), "", False
    except Exception as error:
        return [], reason(error), is_out_of_memory(error)


def _fitted(batch: Sequence[Ready], bench: _Bench, kit: Kit) -> list[Fitted | NotFiniteError]:
    """The fits of a batch. One that is not full repeats its last image, so that all share compiled code."""
    forget_programs_when_crowded()
    full = [batch[min(i, len(batch) - 1)] for i in range(max(bench.size, len(batch)))]
    devices = jax.local_devices()
    assets = [Assets(body_of(ready, kit), kit.lpips) for ready in full]
    key = jax.random.key(kit.config.seed)
    own = devices if 1 < len(devices) <= len(full) else ()
    scenes = [ready.scene for ready in full]
    return fit_batch(scenes, assets, kit.config, key, devices=own, least=bench.capacity)[: len(batch)]


def _bytes_per_image(ready: Ready, kit: Kit) -> int:
    """Bytes of device memory that each image of a batch takes, as the compiler plans it."""
    assets = Assets(body_of(ready, kit), kit.lpips)
    return batch_bytes([ready.scene] * 2, [assets] * 2, kit.config, jax.random.key(kit.config.seed)) // 2
