"""The staged fit: blocks of steps on the device, and between them the little that needs the host."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from hoijax.config import PARAMETERS, Capacity, Config, Stage, static_options
from hoijax.geometry import similarity
from hoijax.losses.terms import Reference, check_terms, init_reference, reads_renders
from hoijax.optimize.between import before_stage, trains_human, with_refined_human
from hoijax.optimize.outcome import Fitted, Log, NotFiniteError, finish, term_names
from hoijax.optimize.params import effective_pose, init_params, pivot_of
from hoijax.optimize.spread import Spread, gathered, planned_bytes, run
from hoijax.optimize.step import FitState, Given, Job, Trace, adam, block, posed_gaussians, posed_human
from hoijax.splats.init import concat_gaussians
from hoijax.splats.rasterize import init_capacity, needed
from hoijax.types import Assets, Scene, SdfGrid


class Progress(NamedTuple):
    """What the host sees after a block: stage, steps done of all, and the last value of the loss and of each term."""

    stage: str
    step: int
    steps: int
    values: Mapping[str, float]


class Saved(NamedTuple):
    """A fit of one image between two blocks: all that it takes to go on as if it had never stopped.

    `stage`: number of the stage, of which `done` steps are done. `traces` and `notes` are those of `Log`.
    """

    stage: int
    done: int
    state: FitState
    human_sdf: SdfGrid
    capacity: Capacity
    traces: tuple[Trace, ...]
    notes: tuple[str, ...]


def silent(progress: Progress) -> None:
    """A watcher that shows nothing."""


def keep_nothing(saved: Saved) -> None:
    """A keeper that keeps nothing."""


def fit(
    scene: Scene,
    assets: Assets,
    config: Config,
    key: Array,
    watch: Callable[[Progress], None] = silent,
    keep: Callable[[Saved], None] = keep_nothing,
    resume: Saved | None = None,
) -> Fitted:
    """Fit one image: Gaussians, human refinement and object pose, through the stages of `config` (Open3DHOI 3.2-3.3).

    Raises NotFiniteError when the loss leaves the finite numbers. Same inputs and key: same bits on the same machine.
    `keep` is shown the fit after every block; given one of these as `resume`, a fit with the same other arguments goes on
    from there, to the same bits. The human's refinement is not kept: it is computed again, to the same bits too.
    """
    fitted = run_stages(Given(scene, assets), Spread(), 1, config, key, watch, keep=keep, resume=resume)[0]
    if isinstance(fitted, NotFiniteError):
        raise fitted
    return fitted


def fit_batch(
    scenes: Sequence[Scene],
    assets: Sequence[Assets],
    config: Config,
    key: Array,
    watch: Callable[[Progress], None] = silent,
    *,
    devices: Sequence[jax.Device] = (),
    least: Capacity | None = None,
) -> list[Fitted | NotFiniteError]:
    """`fit` of several images of equal shapes in one compiled program; each starts from the same key, as if alone.

    An image whose loss leaves the finite numbers has its error in the place of its result; the others go on. Arrays of the
    results are on the host. `devices`: divide the images among them. `least`: capacity of the rasterizer to begin with,
    the largest of earlier batches, say, so that a data set shares its compiled code.
    """
    count = len(scenes)
    whole = -(-count // max(len(devices), 1)) * max(len(devices), 1)
    filled = [min(i, count - 1) for i in range(whole)]  # so that every device has as many: the last image again
    given, spread = gathered([scenes[i] for i in filled], [assets[i] for i in filled], devices)
    return run_stages(given, spread, whole, config, key, watch, least=least)[:count]


def batch_bytes(scenes: Sequence[Scene], assets: Sequence[Assets], config: Config, key: Array) -> int:
    """Device memory (bytes) that the steps of such a batch take at most, as the compiler plans it."""
    given, spread = gathered(scenes, assets)
    state, reference = run(start, spread, given, key, **start_options(config))
    job = Job(*given, reference, state)
    room = start_capacity(job, spread, config) if reads_renders(term_names(config)) else Capacity()
    return max(
        planned_bytes(
            block,
            spread,
            job,
            *(traced(stage.weights), traced(all_rates(stage))),
            trains_human=trains_human(job, stage),
            config=static_options(config),
            capacity=room,
            steps=block_steps(stage, config),
        )
        for stage in config.stages
    )


def run_stages(
    given: Given,
    spread: Spread,
    count: int,
    config: Config,
    key: Array,
    watch: Callable[[Progress], None],
    *,
    keep: Callable[[Saved], None] = keep_nothing,
    resume: Saved | None = None,
    least: Capacity | None = None,
) -> list[Fitted | NotFiniteError]:
    """All stages of all `count` images, in step."""
    check_terms(names := term_names(config))
    notes: list[list[str]] = [[] for _ in range(count)]
    if config.pose_steps > 0:
        given, found = with_refined_human(given, spread, config)
        notes = [[note] for note in found]
    state, reference = run(start, spread, given, key, **start_options(config))
    job = Job(*given, reference, state)
    log, first, capacity = Log([], notes, {}), 0, Capacity()
    if resume is not None:
        scene = job.scene._replace(human_sdf=resume.human_sdf)
        job = job._replace(state=resume.state, scene=scene)
        log, first, capacity = Log([*resume.traces], [[*resume.notes]], {}), resume.stage, resume.capacity
    elif reads_renders(names):
        capacity = largest(start_capacity(job, spread, config), least or Capacity())

    for index in range(first, len(config.stages)):
        done = resume.done if resume is not None and index == first else 0
        if done == 0:
            job = before_stage(job, spread, config, index, log, key)
        job, capacity = run_stage(job, spread, config, index, done, capacity, log, watch, keep)
        if len(log.errors) == count:
            break
    return finish(job, spread, config, capacity, log)


def start_state(scene: Scene, assets: Assets, config: Config, key: Array) -> FitState:
    """Shapes and types of what a fit of this image carries: its `Saved.state` is such a tree. Computes nothing."""
    return jax.eval_shape(partial(start, **start_options(config)), Given(scene, assets), key)[0]


def start_options(config: Config) -> dict[str, Any]:
    """What `start` is compiled for."""
    trained = frozenset(name for stage in config.stages for name in stage.rates)
    return {"names": frozenset(term_names(config)), "trained": trained, "config": static_options(config)}


@partial(jax.jit, static_argnames=("names", "trained", "config"))
def start(
    given: Given, key: Array, *, names: frozenset[str], trained: frozenset[str], config: Config
) -> tuple[FitState, Reference]:
    """Start values of an image, and its targets."""
    scene, assets = given
    params = init_params(scene, assets, trained, config, key)
    points = jnp.concatenate([posed_human(params, scene, assets).verts, scene.object.verts])
    return FitState(params, adam().init(params)), init_reference(scene, assets, points, names)


def start_capacity(job: Job, spread: Spread, config: Config) -> Capacity:
    """Capacity from a count with all visible Gaussians at opacity 0.99 on the start pose; the largest of a batch."""
    entries, items = run(opaque_count, spread, job, config=static_options(config))
    return init_capacity(int(entries.max()), int(items.max()))


@partial(jax.jit, static_argnames="config")
def opaque_count(job: Job, *, config: Config) -> tuple[Array, Array]:
    """Entries and items that the scene would need if every Gaussian that can be seen were opaque."""
    scene, params = job.scene, job.state.params
    pivot = pivot_of(scene)
    object_verts = similarity(scene.object.verts, effective_pose(params.object, pivot, config), pivot)
    human = posed_human(params, scene, job.assets)
    both = concat_gaussians(*posed_gaussians(params, human, object_verts))
    is_object = jnp.arange(len(both.opacity)) >= len(human.verts)
    opaque = both._replace(opacity=jnp.where(both.opacity > 1 / 255, 0.99, both.opacity))
    h, w = scene.valid.shape
    return needed(opaque, is_object, scene.camera, (h, w))


def largest(*capacities: Capacity) -> Capacity:
    """A capacity that holds each of them."""
    return Capacity(max(c.entries for c in capacities), max(c.items for c in capacities))


def traced(values: Mapping[str, float]) -> dict[str, Array]:
    """Weights or rates as arrays, so that a sweep over their values shares compiled code."""
    return {name: jnp.float32(value) for name, value in sorted(values.items())}


def all_rates(stage: Stage) -> dict[str, float]:
    """The rate of every parameter, 0 where the stage names none."""
    return {name: stage.rates.get(name, 0.0) for name in PARAMETERS}


def block_steps(stage: Stage, config: Config) -> int:
    """Steps of one block: `config.block_steps`, but 1 for LPIPS on a CPU.

    Inside of a loop XLA:CPU is much slower at the same convolutions (jax 0.10), by far more than a call costs.
    """
    convolves = any(name.startswith("lpips_") for name in stage.weights)
    return 1 if convolves and jax.default_backend() == "cpu" else config.block_steps


def run_stage(
    job: Job,
    spread: Spread,
    config: Config,
    index: int,
    done: int,
    capacity: Capacity,
    log: Log,
    watch: Callable[[Progress], None],
    keep: Callable[[Saved], None],
) -> tuple[Job, Capacity]:
    """The steps of a stage after the first `done`, in blocks; one that overflowed is run again with more capacity."""
    stage, total = config.stages[index], sum(stage.steps for stage in config.stages)
    before = sum(stage.steps for stage in config.stages[:index])
    values = traced(stage.weights), traced(all_rates(stage))
    while done < stage.steps and len(log.errors) < len(log.notes):
        state, trace = run(
            block,
            spread,
            job,
            *values,
            trains_human=trains_human(job, stage),
            config=static_options(config),
            capacity=capacity,
            steps=min(block_steps(stage, config), stage.steps - done),
        )
        trace = jax.tree.map(lambda x: np.asarray(x) if spread.batch else np.asarray(x)[None], trace)
        going = [i for i in range(len(log.notes)) if i not in log.errors]
        if trace.dropped[going].max() > 0:
            capacity = init_capacity(int(trace.entries[going].max()), int(trace.items[going].max()))
            continue
        log.errors.update(errors_of(trace, going, stage, done))
        log.traces.append(trace)
        job, done = job._replace(state=state), done + trace.loss.shape[1]
        watch(Progress(stage.name, before + done, total, last_values(trace, going[0])))
        if not log.errors:
            saved = tuple(log.traces), tuple(log.notes[0])
            keep(Saved(index, done, state, job.scene.human_sdf, capacity, *saved))
    return job, capacity


def last_values(trace: Trace, image: int) -> dict[str, float]:
    """The loss and each term of an image at the end of a block."""
    terms = {name: float(value[image, -1]) for name, value in trace.terms.items()}
    return {"loss": float(trace.loss[image, -1]), **terms}


def errors_of(trace: Trace, images: Sequence[int], stage: Stage, done: int) -> dict[int, NotFiniteError]:
    """For images whose loss is NaN or infinite an error that names stage, step and terms."""
    errors = {}
    for i in images:
        finite = np.isfinite(trace.loss[i])
        if not finite.all():
            bad = sorted(name for name, value in trace.terms.items() if not np.isfinite(value[i]).all())
            step = done + int(np.argmin(finite))
            text = f"stage {stage.name!r}, step {step}: the loss is not finite; terms that are not: {bad}"
            errors[i] = NotFiniteError(text)
    return errors
