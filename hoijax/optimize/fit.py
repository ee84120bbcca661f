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
from hoijax.losses.terms import check_terms, init_reference, reads_renders
from hoijax.mesh.sdf import init_sdf_grid
from hoijax.optimize.outcome import Fitted, finish, term_names
from hoijax.optimize.params import effective_pose, init_params, pivot_of
from hoijax.optimize.pose_search import search
from hoijax.optimize.slide import slide
from hoijax.optimize.step import (
    FitState,
    Job,
    Trace,
    adam,
    block,
    moves_human,
    posed_gaussians,
    posed_human,
)
from hoijax.splats.init import concat_gaussians
from hoijax.splats.rasterize import init_capacity, needed
from hoijax.types import Assets, Params, Scene

SDF_TERMS = {"contact", "collision"}


class Progress(NamedTuple):
    """What the host sees after a block: stage, steps done of all, and the last value of the loss and of each term."""

    stage: str
    step: int
    steps: int
    values: Mapping[str, float]


class NotFiniteError(ArithmeticError):
    """The loss became NaN or infinite."""


def start_capacity(state: FitState, scene: Scene, assets: Assets, config: Config) -> Capacity:
    """Capacity from a count with all visible Gaussians at opacity 0.99 on the start pose."""
    entries, items = opaque_count(state.params, scene, assets, static_options(config))
    return init_capacity(int(entries), int(items))


@partial(jax.jit, static_argnames="config")
def opaque_count(params: Params, scene: Scene, assets: Assets, config: Config) -> tuple[Array, Array]:
    """Entries and items that the scene would need if every Gaussian that can be seen were opaque."""
    pivot = pivot_of(scene)
    object_verts = similarity(scene.object.verts, effective_pose(params.object, pivot, config), pivot)
    human = posed_human(params, scene, assets)
    both = concat_gaussians(*posed_gaussians(params, human, object_verts))
    is_object = jnp.arange(len(both.opacity)) >= len(human.verts)
    opaque = both._replace(opacity=jnp.where(both.opacity > 1 / 255, 0.99, both.opacity))
    h, w = scene.valid.shape
    return needed(opaque, is_object, scene.camera, (h, w))


def traced(values: Mapping[str, float]) -> dict[str, Array]:
    """Weights or rates as arrays, so that a sweep over their values shares compiled code."""
    return {name: jnp.float32(value) for name, value in sorted(values.items())}


def all_rates(stage: Stage) -> dict[str, float]:
    """The rate of every parameter, 0 where the stage names none."""
    return {name: stage.rates.get(name, 0.0) for name in PARAMETERS}


Runner = Callable[..., tuple[list[FitState], list[Trace]]]


def run_single(jobs: list[Job], **options: Any) -> tuple[list[FitState], list[Trace]]:
    """`block` on each image by itself."""
    done = [block(job.state, job.scene, job.assets, job.reference, **options) for job in jobs]
    return [state for state, _ in done], [trace for _, trace in done]


def run_batch(jobs: list[Job], **options: Any) -> tuple[list[FitState], list[Trace]]:
    """`vmap(block)` on images of equal shapes; assets that all share are not copied."""
    shared = all(job.assets is jobs[0].assets for job in jobs)
    assets = jobs[0].assets if shared else stacked([job.assets for job in jobs])
    parts = (stacked([getattr(job, name) for job in jobs]) for name in ("state", "scene", "reference"))
    state, scene, reference = parts
    axes = (0, 0, None if shared else 0, 0)
    state, trace = jax.vmap(partial(block, **options), axes)(state, scene, assets, reference)
    return unstacked(state, len(jobs)), unstacked(trace, len(jobs))


def has_refiners(job: Job) -> bool:
    """Whether the human has anything to train: a body with joints, and a stage that moves them."""
    return bool(job.state.params.human.pose or job.state.params.human.skinning)


def stacked(trees: list[Any]) -> Any:
    """One tree whose leaves have the images as a leading axis."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def unstacked(tree: Any, count: int) -> list[Any]:
    """The reverse of `stacked`."""
    return [jax.tree.map(lambda leaf: leaf[i], tree) for i in range(count)]  # noqa: B023


def block_steps(stage: Stage, config: Config) -> int:
    """Steps of one block: `config.block_steps`, but 1 for LPIPS on a CPU.

    Inside of a loop XLA:CPU is much slower at the same convolutions (jax 0.10), by far more than a call costs.
    """
    convolves = any(name.startswith("lpips_") for name in stage.weights)
    return 1 if convolves and jax.default_backend() == "cpu" else config.block_steps


def run_stage(
    run: Runner, jobs: list[Job], stage: Stage, config: Config, capacity: Capacity, watch: Callable[[int, Trace], None]
) -> tuple[list[Job], Capacity]:
    """All steps of a stage, in blocks; a block that overflowed is run again from its start with more capacity."""
    done = 0
    while done < stage.steps:
        steps = min(block_steps(stage, config), stage.steps - done)
        states, traces = run(
            jobs,
            weights=traced(stage.weights),
            rates=traced(all_rates(stage)),
            trains_human=moves_human(stage.rates) and any(has_refiners(job) for job in jobs),
            config=static_options(config),
            capacity=capacity,
            steps=steps,
        )
        traces = jax.tree.map(np.asarray, traces)
        if max(trace.dropped.max() for trace in traces) > 0:
            most = (max(getattr(trace, name).max() for trace in traces) for name in ("entries", "items"))
            capacity = init_capacity(*map(int, most))
            continue
        for trace in traces:
            check_finite(trace, stage, done)
        jobs = [
            job._replace(state=state, traces=[*job.traces, trace]) for job, state, trace in zip(jobs, states, traces)
        ]
        done += steps
        watch(steps, traces[0])
    return jobs, capacity


def check_finite(trace: Trace, stage: Stage, done: int) -> None:
    """Raises NotFiniteError, naming stage, step and terms, when a loss is NaN or infinite."""
    if not np.isfinite(trace.loss).all():
        bad = sorted(name for name, value in trace.terms.items() if not np.isfinite(value).all())
        step = done + int(np.argmin(np.isfinite(trace.loss)))
        raise NotFiniteError(f"stage {stage.name!r}, step {step}: the loss is not finite; terms that are not: {bad}")


def start_job(scene: Scene, assets: Assets, config: Config, key: Array) -> Job:
    """An image with its start values and its targets."""
    check_terms(term_names(config))
    params = init_params(scene, assets, config, key)
    human = posed_human(params, scene, assets)
    points = jnp.concatenate([human.verts, scene.object.verts])
    reference = init_reference(scene, assets, points, frozenset(term_names(config)))
    return Job(scene, assets, reference, FitState(params, adam().init(params)), key, [], [])


def before_stage(job: Job, stage: Stage, config: Config, human_moved: bool) -> Job:
    """What the host does between stages: the human's distance grid where it moved, and the searches."""
    needs_grid = stage.slide > 0 or SDF_TERMS & set(stage.weights)
    if human_moved and needs_grid:
        job = job._replace(scene=with_human_sdf(job.state.params, job.scene, job.assets, config))
    if stage.search > 0:
        key = jax.random.fold_in(job.key, len(job.traces))
        state, note = search(job.state, job.scene, stage.search, config, key)
        job = job._replace(state=state, notes=[*job.notes, note])
    if stage.slide > 0:
        human = posed_human(job.state.params, job.scene, job.assets)
        state, note = slide(job.state, human, job.scene, job.assets, stage.slide, config)
        job = job._replace(state=state, notes=[*job.notes, note])
    return job


def run_stages(run: Runner, jobs: list[Job], config: Config, watch: Callable[[Progress], None]) -> list[Fitted]:
    """All stages of all images, in step."""
    renders = reads_renders(term_names(config))
    starts = [start_capacity(job.state, job.scene, job.assets, config) for job in jobs] if renders else [Capacity()]
    capacity = largest(starts)
    total = sum(stage.steps for stage in config.stages)
    done, human_moved = 0, False
    for stage in config.stages:
        jobs = [before_stage(job, stage, config, human_moved) for job in jobs]

        def report(steps: int, trace: Trace, name: str = stage.name) -> None:
            nonlocal done
            done += steps
            last = {name: float(value[-1]) for name, value in trace.terms.items()}
            watch(Progress(name, done, total, {"loss": float(trace.loss[-1]), **last}))

        jobs, capacity = run_stage(run, jobs, stage, config, capacity, report)
        human_moved |= moves_human(stage.rates) and any(has_refiners(job) for job in jobs)
    return [finish(job, config, capacity) for job in jobs]


def largest(capacities: list[Capacity]) -> Capacity:
    """A capacity that holds each of them."""
    return Capacity(max(c.entries for c in capacities), max(c.items for c in capacities))


def silent(progress: Progress) -> None:
    """A watcher that shows nothing."""


def fit(scene: Scene, assets: Assets, config: Config, key: Array, watch: Callable[[Progress], None] = silent) -> Fitted:
    """Fit one image: Gaussians, human refinement and object pose, through the stages of `config` (Open3DHOI 3.2-3.3).

    Raises NotFiniteError when the loss leaves the finite numbers. Same inputs and key: same bits on the same machine.
    """
    return run_stages(run_single, [start_job(scene, assets, config, key)], config, watch)[0]


def fit_batch(
    scenes: Sequence[Scene],
    assets: Sequence[Assets],
    config: Config,
    key: Array,
    watch: Callable[[Progress], None] = silent,
) -> list[Fitted]:
    """`fit` of several images of equal shapes in one compiled program; each starts from the same key, as if alone."""
    jobs = [start_job(scene, own, config, key) for scene, own in zip(scenes, assets, strict=True)]
    return run_stages(run_batch, jobs, config, watch)


def with_human_sdf(params: Params, scene: Scene, assets: Assets, config: Config) -> Scene:
    """The scene with the signed distance grid of the human as it stands now."""
    human = posed_human(params, scene, assets)
    grid = init_sdf_grid(np.asarray(human.verts), np.asarray(assets.body.faces), config.sdf_resolution)
    return scene._replace(human_sdf=grid)
