"""One block of Adam steps under one loss: a scan on the device, pure, for one image."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from hoijax.body.refine import refine
from hoijax.body.smplx import pose_body
from hoijax.config import Capacity, Config
from hoijax.geometry import rotation_matrix, similarity
from hoijax.losses.terms import Reference, View, reads_renders, term_values
from hoijax.optimize.params import effective_pose, pivot_of, rate_tree
from hoijax.splats.init import concat_gaussians, pose_splats
from hoijax.splats.rasterize import rasterize
from hoijax.types import Assets, Gaussians, Params, Posed, Renders, Scene


class FitState(NamedTuple):
    """What a fit carries from step to step."""

    params: Params
    adam: optax.ScaleByAdamState


class Trace(NamedTuple):
    """What a block leaves per step: the total loss, each unweighted term, and what the rasterizer needed."""

    loss: Float[Array, " steps"]
    terms: dict[str, Float[Array, " steps"]]
    entries: Int[Array, " steps"]
    items: Int[Array, " steps"]
    dropped: Int[Array, " steps"]


class Given(NamedTuple):
    """What a fit is given of an image. In a batch every leaf has the images as leading axis."""

    scene: Scene
    assets: Assets


class Job(NamedTuple):
    """The arrays of one image on its way through a fit. In a batch every leaf has the images as leading axis."""

    scene: Scene
    assets: Assets
    reference: Reference
    state: FitState


def adam() -> optax.GradientTransformation:
    """The direction of Adam (eps 1e-15); rates are applied per parameter in `block`."""
    return optax.scale_by_adam(eps=1e-15)


def moves_human(rates: Mapping[str, object]) -> bool:
    """Whether a stage trains the human's pose or skinning."""
    return any(name.startswith("human.") for name in rates)


@jax.jit
def posed_human(params: Params, scene: Scene, assets: Assets) -> Posed:
    """The human with its refinement, in the camera frame."""
    return pose_body(assets.body, scene.human, refine(params.human, assets.body, scene.human))


def posed_gaussians(params: Params, human: Posed, object_verts: Float[Array, "o 3"]) -> tuple[Gaussians, Gaussians]:
    """Gaussians of human and object, carried by the skinning frames and by the object's similarity (Eq. 3)."""
    count = len(object_verts)
    frames = jnp.broadcast_to(rotation_matrix(params.object.rotvec), (count, 3, 3))
    of_human = pose_splats(params.human_splats, human.verts, human.frames, jnp.ones(()))
    of_object = pose_splats(params.object_splats, object_verts, frames, jnp.exp(params.object.log_scale))
    return of_human, of_object


def render(of_human: Gaussians, of_object: Gaussians, scene: Scene, capacity: Capacity, rasterizer: str) -> Renders:
    """Joint, human-only and object-only renders of the scene in one pass."""
    h, w = scene.valid.shape
    is_object = jnp.arange(len(of_human.opacity) + len(of_object.opacity)) >= len(of_human.opacity)
    both = concat_gaussians(of_human, of_object)
    return rasterize(both, is_object, scene.camera, (h, w), capacity, rasterizer)


def view_of(
    params: Params,
    human: Posed,
    scene: Scene,
    assets: Assets,
    reference: Reference,
    config: Config,
    capacity: Capacity | None,
) -> View:
    """Pose and render: all that the terms read. `capacity` None: nothing is rendered."""
    pivot = pivot_of(scene)
    pose = effective_pose(params.object, pivot, config)
    object_verts = similarity(scene.object.verts, pose, pivot)
    of_human, of_object = posed_gaussians(params, human, object_verts)
    renders = render(of_human, of_object, scene, capacity, config.rasterizer) if capacity else None
    opacity = of_human.opacity, of_object.opacity
    return View(scene, assets, reference, config, human, object_verts, pose, pivot, *opacity, renders)


def needs_of(renders: Renders | None) -> tuple[Int[Array, ""], ...]:
    """Entries, items and dropped of the renders, zeros where nothing was rendered."""
    if renders is None:
        return (jnp.int32(0),) * 3
    return renders.entries, renders.items, renders.dropped


@partial(jax.jit, static_argnames=("trains_human", "config", "capacity", "steps"))
def block(
    job: Job,
    weights: dict[str, Float[Array, ""]],
    rates: dict[str, Float[Array, ""]],
    *,
    trains_human: bool,
    config: Config,
    capacity: Capacity,
    steps: int,
) -> tuple[FitState, Trace]:
    """`steps` Adam steps on sum_k weights[k] term_k. What the block does not train is computed outside the scan.

    A parameter of rate 0 keeps its Adam momentum but does not move. Weights and rates are traced: sweeping their values
    recompiles nothing; the names of the weighed terms are static. `trains_human` False: the human stands still. Where no
    weighed term reads the renders nothing is rendered, and the trace says that the rasterizer needed nothing.
    """
    scene, assets, reference, state = job
    room = capacity if reads_renders(weights) else None
    still = posed_human(state.params, scene, assets)
    optimizer, rate = adam(), rate_tree(state.params, rates)

    def loss(params: Params) -> tuple[Array, tuple[dict[str, Array], tuple[Array, ...]]]:
        human = posed_human(params, scene, assets) if trains_human else still
        view = view_of(params, human, scene, assets, reference, config, room)
        values = term_values(view, weights)
        total = jnp.sum(jnp.stack([weights[name] * value for name, value in values.items()]))
        return total, (values, needs_of(view.renders))

    def step(state: FitState, _: None) -> tuple[FitState, Trace]:
        (total, (values, needs)), gradient = jax.value_and_grad(loss, has_aux=True)(state.params)
        direction, moments = optimizer.update(gradient, state.adam)
        params = jax.tree.map(lambda x, d, lr: x - lr * d, state.params, direction, rate)
        return FitState(params, moments), Trace(total, values, *needs)

    if steps == 1:  # without a loop, see `block_steps` in hoijax.optimize.fit
        state, trace = step(state, None)
        return state, jax.tree.map(lambda x: x[None], trace)
    return jax.lax.scan(step, state, None, length=steps)
