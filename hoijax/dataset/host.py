"""The host's part of a run in batches: reading and writing samples, in processes beside the one that has the device."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import Any, Literal, NamedTuple

import jax
import numpy as np

from hoijax.body.builtin import builtin_body
from hoijax.data.prepare import Prepared
from hoijax.data.sample import Sample
from hoijax.dataset.parent import end_with_parent
from hoijax.dataset.reconstruct import Kit, StageError, load_kit, prepared_scene, result_of, staged, with_seconds
from hoijax.dataset.sample_files import read, undone, write
from hoijax.dataset.tasks import Outcome, Settings, Task
from hoijax.optimize.outcome import Fitted
from hoijax.types import Body, Scene


class Ready(NamedTuple):
    """A sample ready for the device, all of it numpy. `body`: the one of the body file, the built-in one, or its own."""

    task: Task
    sample: Sample
    scene: Scene
    body: Body | Literal["given", "builtin"]
    notes: tuple[str, ...]
    seconds: Mapping[str, float]


@cache
def kit_of(settings: Settings) -> Kit:
    """What all samples share, loaded once in each process."""
    return load_kit(settings.config, settings.body)


def read_task(task: Task, settings: Settings) -> Ready | Outcome:
    """The sample of a task, prepared; or what is wrong with it."""
    seconds: dict[str, float] = {}
    kit = kit_of(settings)
    try:
        sample = read(task, settings, seconds)
        with staged("prepare", seconds):
            prepared = prepared_scene(sample, kit)
    except StageError as error:
        return undone(task, error, seconds)
    scene = jax.tree.map(np.asarray, prepared.scene)
    return Ready(task, sample, scene, _named(prepared.body, kit), prepared.notes, seconds)


def finish_task(ready: Ready, fitted: Fitted, seconds: Mapping[str, float], settings: Settings) -> Outcome:
    """Measures and writes a finished fit; `seconds`: what the device spent on it."""
    spent, kit = {**ready.seconds, **seconds}, kit_of(settings)
    prepared = Prepared(jax.tree.map(jax.numpy.asarray, ready.scene), body_of(ready, kit), ready.notes)
    try:
        with staged("measure", spent):
            ours = jax.tree.map(_array, fitted)._replace(history=fitted.history)
            result = result_of(ready.sample, prepared, ours, kit)
        write(ready.task, ready.sample, with_seconds(result, spent), settings, spent)
    except StageError as error:
        return undone(ready.task, error, spent)
    return Outcome(ready.task.name, "done", seconds=spent)


def body_of(ready: Ready, kit: Kit) -> Body:
    """The body of a sample; those of equal name are one object, so that a batch does not copy it."""
    if isinstance(ready.body, Body):
        return ready.body
    if ready.body == "builtin":
        return builtin_body()
    assert kit.body is not None
    return kit.body[0]


def host_pool(settings: Settings) -> Executor:
    """Processes that read and write, none of which touches the device; without any, this process does it when asked."""
    if settings.host_workers == 0:
        return _Here()
    return ProcessPoolExecutor(settings.host_workers, get_context("spawn"), _begin)


class _Here(Executor):
    """Does at once, in this thread, what it is given."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


def _begin() -> None:
    """The first thing in a host process."""
    jax.config.update("jax_platforms", "cpu")
    threading.Thread(target=end_with_parent, daemon=True).start()


def _named(body: Body, kit: Kit) -> Body | Literal["given", "builtin"]:
    if kit.body is not None and body is kit.body[0]:
        return "given"
    return "builtin" if body is builtin_body() else jax.tree.map(np.asarray, body)


def _array(leaf: Any) -> Any:
    """Arrays of the host as those of jax; strings and numbers as they are."""
    return jax.numpy.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf
