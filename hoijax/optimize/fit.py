"""The staged fit: blocks of steps on the device, and between them the little that needs the host."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from hoijax.config import PARAMETERS, Capacity, Config, Stage, static_options
from hoijax.geometry import similarity
from hoijax.losses.terms import ContactState, Reference, check_terms, contact_state, init_reference, reads_renders
from hoijax.mesh.sdf import init_sdf_grid
from hoijax.optimize.params import effective_pose, init_params, pivot_of
from hoijax.optimize.pose_search import search
from hoijax.optimize.slide import slide
from hoijax.optimize.step import (
    FitState,
    Trace,
    adam,
    block,
    moves_human,
    needs_of,
    posed_gaussians,
    posed_human,
    view_of,
)
from hoijax.splats.init import concat_gaussians
from hoijax.splats.rasterize import init_capacity, needed
from hoijax.types import Assets, Gaussians, ObjectPose, Params, Posed, Scene

SDF_TERMS = {"contact", "collision"}


class Progress(NamedTuple):
    """What the host sees after a block: stage, steps done of all, and the last value of the loss and of each term."""

    stage: str
    step: int
    steps: int
    values: Mapping[str, float]


class Fitted(NamedTuple):
    """A finished fit. `history`: the loss and every term at every step, NaN where a stage did not weigh it.

    `pose` is the object's similarity about `pivot`; `params.object` means the same (see `effective_pose`).
    """

    params: Params
    pose: ObjectPose
    human: Posed
    object_verts: Float[Array, "o 3"]
    pivot: Float[Array, "3"]
    gaussians: Gaussians
    contact: ContactState
    history: dict[str, Float[np.ndarray, " steps"]]
    reasons: dict[str, str]
    dropped: int
    capacity: Capacity
    notes: tuple[str, ...]


class NotFiniteError(ArithmeticError):
    """The loss became NaN or infinite."""


def term_names(config: Config) -> set[str]:
    """Every term that some stage weighs."""
    return {name for stage in config.stages for name in stage.weights}


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


class Job(NamedTuple):
    """One image on its way through a fit."""

    scene: Scene
    assets: Assets
    reference: Reference
    state: FitState
    key: Array
    traces: list[Trace]
    notes: list[str]


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


class Last(NamedTuple):
    """What the final pose shows. `needs`: entries, items and dropped of its renders."""

    pose: ObjectPose
    object_verts: Float[Array, "o 3"]
    pivot: Float[Array, "3"]
    contact: ContactState
    gaussians: Gaussians
    needs: tuple[Int[Array, ""], ...]


@partial(jax.jit, static_argnames=("config", "capacity"))
def last_of(
    params: Params,
    human: Posed,
    scene: Scene,
    assets: Assets,
    reference: Reference,
    config: Config,
    capacity: Capacity | None,
) -> Last:
    """Pose and render once more, at the end. `capacity` None: render nothing."""
    view = view_of(params, human, scene, assets, reference, config, capacity)
    gaussians = concat_gaussians(*posed_gaussians(params, human, view.object_verts))
    return Last(view.pose, view.object_verts, view.pivot, contact_state(view), gaussians, needs_of(view.renders))


def finish(job: Job, config: Config, capacity: Capacity) -> Fitted:
    """Everything that a result shows, computed once at the end."""
    params, scene, assets = job.state.params, job.scene, job.assets
    human = posed_human(params, scene, assets)
    room = capacity if reads_renders(term_names(config)) else None
    last = last_of(params, human, scene, assets, job.reference, static_options(config), room)
    if int(last.needs[2]):
        capacity = init_capacity(int(last.needs[0]), int(last.needs[1]))
        last = last_of(params, human, scene, assets, job.reference, static_options(config), capacity)
    return Fitted(
        params=params,
        pose=last.pose,
        human=human,
        object_verts=last.object_verts,
        pivot=last.pivot,
        gaussians=last.gaussians,
        contact=last.contact,
        history=join_history(job.traces),
        reasons=reasons_for_zero(job.traces, last.contact, config),
        dropped=int(last.needs[2]),
        capacity=capacity,
        notes=(*job.notes, *left_out(job.traces, last.contact, config)),
    )


def left_out(traces: list[Trace], state: ContactState, config: Config) -> list[str]:
    """A sentence where the contact term could not hold the whole of a region."""
    sizes = {"human": int(state.human_region.sum()), "object": int(state.object_region.sum())}
    if not any("contact" in trace.terms for trace in traces):
        return []
    most = config.contact_verts
    return [
        f"contact: only the {most} lowest scores of {size} {name} vertices in the region count"
        for name, size in sizes.items()
        if size > most
    ]


def join_history(traces: list[Trace]) -> dict[str, Float[np.ndarray, " steps"]]:
    """The blocks' values end to end, NaN where a stage did not weigh a term."""
    names = sorted({name for trace in traces for name in trace.terms})
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ["loss", *names]}
    for trace in traces:
        parts["loss"].append(np.asarray(trace.loss))
        for name in names:
            parts[name].append(np.asarray(trace.terms.get(name, np.full(len(trace.loss), np.nan))))
    return {name: np.concatenate(values) if values else np.zeros(0) for name, values in parts.items()}


def reasons_for_zero(traces: list[Trace], state: ContactState, config: Config) -> dict[str, str]:
    """Why a weighed term ended at exactly zero."""
    last = {name: float(value[-1]) for trace in traces for name, value in trace.terms.items()}
    reasons = {}
    for name, value in last.items():
        if value != 0:
            continue
        if name == "contact":
            sizes = int(state.human_region.sum()), int(state.object_region.sum())
            reasons[name] = f"the contact region is empty: {sizes[0]} human and {sizes[1]} object vertices"
        elif name == "ordinal":
            reasons[name] = "no pixel shows both in the wrong depth order"
        elif name == "collision":
            reasons[name] = f"no vertex of one is inside the other (sums under {config.collision_gate:g} count as none)"
        elif name == "interaction":
            reasons[name] = "human and object do not overlap in the image, or are too far apart in depth"
        elif name == "part_interaction":
            reasons[name] = "no body part is known to touch the object, or none is near it in image and depth"
        else:
            reasons[name] = "the term reached its minimum"
    return reasons
