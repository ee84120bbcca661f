"""The staged fit: blocks of steps on the device, and between them the little that needs the host."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hoijax.config import Capacity, Config, Stage, static_options
from hoijax.geometry import similarity
from hoijax.losses.terms import ContactState, Reference, View, contact_state, init_reference
from hoijax.mesh.sdf import init_sdf_grid
from hoijax.optimize.params import init_params, pivot_of
from hoijax.optimize.slide import slide
from hoijax.optimize.step import FitState, Trace, adam, block, moves_human, posed_gaussians, posed_human, view_of
from hoijax.splats.init import concat_gaussians
from hoijax.splats.rasterize import init_capacity, needed
from hoijax.types import Assets, Gaussians, Params, Posed, Scene

SDF_TERMS = {"contact", "collision"}


class Progress(NamedTuple):
    """What the host sees after a block: stage, steps done of all, and the last value of the loss and of each term."""

    stage: str
    step: int
    steps: int
    values: Mapping[str, float]


class Fitted(NamedTuple):
    """A finished fit. `history`: the loss and every term at every step, NaN where a stage did not weigh it."""

    params: Params
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


def start_capacity(state: FitState, scene: Scene, assets: Assets) -> Capacity:
    """Capacity from a count with all visible Gaussians at opacity 0.99 on the start pose (rasterizer: Capacity)."""
    object_verts = similarity(scene.object.verts, state.params.object, pivot_of(scene))
    human = posed_human(state.params, scene, assets)
    both = concat_gaussians(*posed_gaussians(state.params, human, object_verts))
    is_object = jnp.arange(len(both.opacity)) >= len(human.verts)
    opaque = both._replace(opacity=jnp.where(both.opacity > 1 / 255, 0.99, both.opacity))
    entries, items = needed(opaque, is_object, scene.camera, scene.valid.shape)
    return init_capacity(int(entries), int(items))


def traced(values: Mapping[str, float]) -> dict[str, Array]:
    """Weights or rates as arrays, so that a sweep over their values shares compiled code."""
    return {name: jnp.float32(value) for name, value in sorted(values.items())}


def run_stage(
    run: Callable[..., tuple[FitState, Trace]],
    state: FitState,
    scene: Scene,
    assets: Assets,
    reference: Reference,
    stage: Stage,
    config: Config,
    capacity: Capacity,
    watch: Callable[[int, Trace], None],
) -> tuple[FitState, list[Trace], Capacity]:
    """All steps of a stage, in blocks; a block that overflowed is run again from its start with more capacity."""
    traces: list[Trace] = []
    done = 0
    weights, rates = traced(stage.weights), traced(stage.rates)
    while done < stage.steps:
        steps = min(config.block_steps, stage.steps - done)
        new, trace = run(
            state,
            scene,
            assets,
            reference,
            weights,
            rates,
            config=static_options(config),
            capacity=capacity,
            steps=steps,
        )
        if np.asarray(trace.dropped).max() > 0:
            capacity = init_capacity(int(np.max(trace.entries)), int(np.max(trace.items)))
            continue
        if not np.isfinite(trace.loss).all():
            bad = sorted(name for name, value in trace.terms.items() if not np.isfinite(value).all())
            raise NotFiniteError(f"stage {stage.name!r}: the loss is not finite after step {done}; terms: {bad}")
        state, done = new, done + steps
        traces.append(jax.tree.map(np.asarray, trace))
        watch(steps, traces[-1])
    return state, traces, capacity


def fit(
    scene: Scene,
    assets: Assets,
    config: Config,
    key: Array,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> Fitted:
    """Fit one image: Gaussians, human refinement and object pose, through the stages of `config` (paper 3.2-3.3).

    Raises NotFiniteError when the loss leaves the finite numbers. Same inputs and key: same bits on the same machine.
    """
    params = init_params(scene, assets, config, key)
    state = FitState(params, adam().init(params))
    human = posed_human(params, scene, assets)
    points = jnp.concatenate([human.verts, jnp.where(scene.object.valid[:, None], scene.object.verts, pivot_of(scene))])
    reference = init_reference(scene, assets, points, term_names(config))
    capacity = start_capacity(state, scene, assets)
    traces: list[Trace] = []
    notes: list[str] = []
    total = sum(stage.steps for stage in config.stages)
    done = 0
    for index, stage in enumerate(config.stages):
        if stage.slide > 0:
            human = posed_human(state.params, scene, assets)
            state, note = slide(state, human, scene, assets, stage.slide, config)
            notes.append(note)

        def report(steps: int, trace: Trace, stage: Stage = stage) -> None:
            nonlocal done
            done += steps
            last = {name: float(value[-1]) for name, value in trace.terms.items()}
            watch(Progress(stage.name, done, total, {"loss": float(trace.loss[-1]), **last}))

        state, stage_traces, capacity = run_stage(
            block, state, scene, assets, reference, stage, config, capacity, report
        )
        traces += stage_traces
        later = config.stages[index + 1 :]
        if moves_human(stage.rates) and any(SDF_TERMS & set(stage.weights) for stage in later):
            scene = with_human_sdf(state.params, scene, assets, config)
    return finish(state.params, scene, assets, reference, config, capacity, traces, notes)


def with_human_sdf(params: Params, scene: Scene, assets: Assets, config: Config) -> Scene:
    """The scene with the signed distance grid of the human as it stands now."""
    human = posed_human(params, scene, assets)
    grid = init_sdf_grid(np.asarray(human.verts), np.asarray(assets.body.faces), config.sdf_resolution)
    return scene._replace(human_sdf=grid)


def finish(
    params: Params,
    scene: Scene,
    assets: Assets,
    reference: Reference,
    config: Config,
    capacity: Capacity,
    traces: list[Trace],
    notes: list[str],
) -> Fitted:
    """Everything that a result shows, computed once at the end."""
    human = posed_human(params, scene, assets)
    view = view_of(params, human, scene, assets, reference, config, capacity)
    state = contact_state(view)
    gaussians = concat_gaussians(*posed_gaussians(params, human, view.object_verts))
    dropped = max((int(trace.dropped.max()) for trace in traces), default=0)
    return Fitted(
        params,
        human,
        view.object_verts,
        view.pivot,
        gaussians,
        state,
        join_history(traces),
        reasons_for_zero(traces, view, state),
        dropped,
        capacity,
        tuple(notes),
    )


def join_history(traces: list[Trace]) -> dict[str, Float[np.ndarray, " steps"]]:
    """The blocks' values end to end, NaN where a stage did not weigh a term."""
    names = sorted({name for trace in traces for name in trace.terms})
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ["loss", *names]}
    for trace in traces:
        parts["loss"].append(trace.loss)
        for name in names:
            parts[name].append(trace.terms.get(name, np.full(len(trace.loss), np.nan)))
    return {name: np.concatenate(values) if values else np.zeros(0) for name, values in parts.items()}


def reasons_for_zero(traces: list[Trace], view: View, state: ContactState) -> dict[str, str]:
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
            reasons[name] = f"no vertex of one is inside the other (sums under {view.config.collision_gate:g} count as none)"
        else:
            reasons[name] = "the term reached its minimum"
    return reasons
