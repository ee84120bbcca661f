"""What a fit leaves: the last pose, its renders, the history of every term, and sentences about what was special."""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from hoijax.config import Capacity, Config, static_options
from hoijax.losses.terms import ContactState, contact_state, reads_renders
from hoijax.optimize.spread import Spread, image_of, run
from hoijax.optimize.step import Job, Trace, needs_of, posed_gaussians, posed_human, view_of
from hoijax.splats.init import concat_gaussians
from hoijax.splats.rasterize import init_capacity
from hoijax.types import Frame, Gaussians, HumanPose, ObjectPose, Params, Posed


class Fitted(NamedTuple):
    """A finished fit. `history`: the loss and every term at every step, NaN where a stage did not weigh it.

    `pose` is the object's similarity about `pivot`; `params.object` means the same (see `effective_pose`).
    `human_start`: the parameters on which `params.human` acts, the scene's or what refining them by the outline gave.
    `object_frame`: the object alone, drawn once more at the end; None where no term reads renders.
    """

    params: Params
    pose: ObjectPose
    human: Posed
    human_start: HumanPose
    object_verts: Float[Array, "o 3"]
    pivot: Float[Array, "3"]
    gaussians: Gaussians
    object_frame: Frame | None
    contact: ContactState
    history: dict[str, Float[np.ndarray, " steps"]]
    reasons: dict[str, str]
    dropped: int
    capacity: Capacity
    notes: tuple[str, ...]


def term_names(config: Config) -> set[str]:
    """Every term that some stage weighs."""
    return {name for stage in config.stages for name in stage.weights}


class NotFiniteError(ArithmeticError):
    """The loss became NaN or infinite."""


class Log(NamedTuple):
    """What the host keeps of a fit, to be added to: traces of the blocks, arrays with the images as leading axis; notes of
    each image; and for an image that had to be given up its error.
    """

    traces: list[Trace]
    notes: list[list[str]]
    errors: dict[int, NotFiniteError]


class Last(NamedTuple):
    """What the final pose shows. `needs`: entries, items and dropped of its renders."""

    pose: ObjectPose
    human: Posed
    human_start: HumanPose
    object_verts: Float[Array, "o 3"]
    pivot: Float[Array, "3"]
    contact: ContactState
    gaussians: Gaussians
    object_frame: Frame | None
    needs: tuple[Int[Array, ""], ...]


@partial(jax.jit, static_argnames=("config", "capacity"))
def last_of(job: Job, *, config: Config, capacity: Capacity | None) -> Last:
    """Pose and render once more, at the end. `capacity` None: render nothing."""
    scene, assets, reference, (params, _) = job
    human = posed_human(params, scene, assets)
    view = view_of(params, human, scene, assets, reference, config, capacity)
    gaussians = concat_gaussians(*posed_gaussians(params, human, view.object_verts))
    frame = view.renders.object if view.renders else None
    shown = view.pose, human, scene.human, view.object_verts, view.pivot, contact_state(view)
    return Last(*shown, gaussians, frame, needs_of(view.renders))


def finish(job: Job, spread: Spread, config: Config, capacity: Capacity, log: Log) -> list[Fitted | NotFiniteError]:
    """For each image all that a result shows, computed once at the end, or its error."""
    room = capacity if reads_renders(term_names(config)) else None
    last = run(last_of, spread, job, config=static_options(config), capacity=room)
    if room and int(last.needs[2].max()):
        capacity = init_capacity(int(last.needs[0].max()), int(last.needs[1].max()))
        last = run(last_of, spread, job, config=static_options(config), capacity=capacity)
    params = job.state.params
    if spread.batch:
        params, last = jax.device_get((params, last))
    results: list[Fitted | NotFiniteError] = []
    for i, notes in enumerate(log.notes):
        traces = [image_of(trace, i) for trace in log.traces]
        own, end = image_of((params, last), i) if spread.batch else (params, last)
        results.append(log.errors.get(i) or fitted_of(own, end, traces, notes, config, capacity))
    return results


def fitted_of(
    params: Params, last: Last, traces: list[Trace], notes: list[str], config: Config, capacity: Capacity
) -> Fitted:
    """The finished fit of one image."""
    return Fitted(
        params=params,
        pose=last.pose,
        human=last.human,
        human_start=last.human_start,
        object_verts=last.object_verts,
        pivot=last.pivot,
        gaussians=last.gaussians,
        object_frame=last.object_frame,
        contact=last.contact,
        history=join_history(traces),
        reasons=reasons_for_zero(traces, last.contact, config),
        dropped=int(last.needs[2]),
        capacity=capacity,
        notes=(*notes, *left_out(traces, last.contact, config)),
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
