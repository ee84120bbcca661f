"""What a fit leaves: the last pose, its renders, the history of every term, and sentences about what was special."""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from hoijax.config import Capacity, Config, static_options
from hoijax.losses.terms import ContactState, Reference, contact_state, reads_renders
from hoijax.optimize.step import Job, Trace, needs_of, posed_gaussians, posed_human, view_of
from hoijax.splats.init import concat_gaussians
from hoijax.splats.rasterize import init_capacity
from hoijax.types import Assets, Frame, Gaussians, ObjectPose, Params, Posed, Scene


class Fitted(NamedTuple):
    """A finished fit. `history`: the loss and every term at every step, NaN where a stage did not weigh it.

    `pose` is the object's similarity about `pivot`; `params.object` means the same (see `effective_pose`).
    `object_frame`: the object alone, drawn once more at the end; None where no term reads renders.
    """

    params: Params
    pose: ObjectPose
    human: Posed
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


class Last(NamedTuple):
    """What the final pose shows. `needs`: entries, items and dropped of its renders."""

    pose: ObjectPose
    object_verts: Float[Array, "o 3"]
    pivot: Float[Array, "3"]
    contact: ContactState
    gaussians: Gaussians
    object_frame: Frame | None
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
    frame = view.renders.object if view.renders else None
    return Last(view.pose, view.object_verts, view.pivot, contact_state(view), gaussians, frame, needs_of(view.renders))


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
        object_frame=last.object_frame,
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
