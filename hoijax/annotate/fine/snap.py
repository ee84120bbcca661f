"""Snap: optimizer steps on the object's outline from where it stands, in a process that is kept warm."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from nicegui import run

from hoijax.annotate.child import start
from hoijax.annotate.fine.pose import Pose, composed, placed
from hoijax.annotate.fine.state import base_mesh
from hoijax.config import Config, Stage
from hoijax.data.sample import Sample
from hoijax.presets import hoijax

STEPS = 40
PATIENCE = 600.0  # seconds without a word after which a process counts as stuck
TERM = "silhouette_object"

Told = Callable[[str], Any]


class SnapError(RuntimeError):
    """A snap that came to nothing, and why."""


class Asked(NamedTuple):
    """What a snap starts from. `sample` as read; `pose` about the mean of the vertices of the mesh `base`."""

    sample: Sample
    base: str
    pose: Pose


def snap_config() -> Config:
    """The outline term of the default preset alone, on the object's pose alone: it compiles and runs quickest.

    What reads neither renders nor distances keeps colour, depth order and contact for the annotator to judge.
    """
    ours = hoijax()
    first = ours.stages[0]
    rates = {name: rate for name, rate in first.rates.items() if name.startswith("object.")}
    stage = Stage("snap", STEPS, {TERM: first.weights[TERM]}, rates)
    return replace(ours, preset="snap", stages=(stage,), sdf_resolution=8, block_steps=10)


def snapped(asked: Asked, watch: Callable[[int, int], None]) -> Pose:
    """The pose after the optimizer's steps; `watch` is told how many are done, of all.

    Raises NotFiniteError, and ValueError for a mesh that cannot be prepared.
    """
    import jax

    from hoijax.data.assemble import placed as placed_fit
    from hoijax.data.prepare import prepare
    from hoijax.optimize.fit import fit
    from hoijax.types import Assets

    config, mesh = snap_config(), base_mesh(asked.sample, asked.base)
    pivot = mesh.verts.mean(0)
    here = mesh._replace(verts=placed(mesh.verts, asked.pose, pivot))
    sample = asked.sample._replace(object=here)
    prepared = prepare(sample, config)
    given = prepared.scene, Assets(prepared.body, None), config, jax.random.key(config.seed)
    fitted = fit(*given, lambda progress: watch(progress.step, progress.steps))
    found = placed_fit(sample, fitted)
    then = Pose(np.asarray(found.rotation, np.float64), found.translation, float(np.log(found.scale)))
    return composed(asked.pose, pivot, then, found.pivot)


def answer(connection: Connection, cache: str) -> None:
    """The process: poses for what is asked, one after another. Compiled code is kept in the folder `cache`."""
    import jax

    jax.config.update("jax_compilation_cache_dir", cache)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    while True:
        try:
            asked = connection.recv()
        except EOFError:
            return
        try:
            pose = snapped(asked, lambda done, steps: connection.send(("step", (done, steps))))
        except Exception as error:  # whatever a sample does to the optimizer, the next one may be better
            connection.send(("failed", f"{type(error).__name__}: {error}"))
        else:
            connection.send(("pose", pose))


class Snapper:
    """The process of all pages of a server, started when first used; one snap at a time."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._turn = asyncio.Lock()
        self._process: Any = None
        self._pipe: Connection | None = None
        self._warm = False
        self._owed = False  # an answer that nobody waits for any more is still to come

    async def snap(self, asked: Asked, stop: threading.Event, told: Told) -> Pose | None:
        """The pose, or None once `stop` is set. `told` is called with sentences about how it goes, in this loop.

        Raises SnapError.
        """
        if self._turn.locked():
            told("waiting for somebody else's snap")
        async with self._turn:
            if stop.is_set():
                return None
            told("optimizing" if self._warm else "first use: compiling, up to a minute")
            loop = asyncio.get_running_loop()
            return await run.io_bound(self._wait, asked, stop, lambda said: loop.call_soon_threadsafe(told, said))

    def close(self) -> None:
        """Ends the process, with whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process, self._pipe, self._warm, self._owed = None, None, False, False

    def _wait(self, asked: Asked, stop: threading.Event, told: Told) -> Pose | None:
        try:
            return self._talk(asked, stop, told)
        except (OSError, EOFError) as error:
            self.close()
            raise SnapError("the process that optimizes has ended; it is started again with the next snap") from error

    def _talk(self, asked: Asked, stop: threading.Event, told: Told) -> Pose | None:
        if self._process is None or not self._process.is_alive():
            self.close()
            self._process, self._pipe = start(answer, str(self._cache))
        pipe = self._pipe
        assert pipe is not None
        if self._owed and self._answer(pipe, stop, lambda said: told("finishing what was cancelled")) is None:
            return None
        pipe.send(asked)
        self._owed = True
        found = self._answer(pipe, stop, told)
        if isinstance(found, str):
            raise SnapError(found)
        return found

    def _answer(self, pipe: Connection, stop: threading.Event, told: Told) -> Pose | str | None:
        """The pose, or what went wrong; None where the annotator stops waiting: the process goes on to its end, for what
        it compiles is of use to all that follow."""
        silent = 0.0
        while not stop.is_set():
            if not pipe.poll(0.1):
                silent += 0.1
                if silent > PATIENCE:
                    self.close()
                    raise SnapError(f"the process that optimizes said nothing for {PATIENCE:g} s and was ended")
                continue
            silent = 0.0
            kind, value = pipe.recv()
            if kind == "step":
                told(f"step {value[0]} of {value[1]}")
            else:
                self._owed = False
                self._warm = self._warm or kind == "pose"
                return Pose(*value) if kind == "pose" else str(value)
        return None
