"""The search along the viewing ray: one photograph leaves the object's depth open, contact and depth order close it.

Scaling the object about the camera, x' = k x, changes nothing in the image, so silhouette and colour cannot tell k. The
search scores a row of k by depth order, collision and contact, and moves the object to the best.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hoijax.config import Config
from hoijax.geometry import inverse_similarity, scaled_about_camera, similarity
from hoijax.mesh.sdf import signed_distance
from hoijax.mesh.zbuffer import depth_buffer
from hoijax.optimize.params import effective_pose, pivot_of, stored_pose
from hoijax.optimize.step import FitState, Job, posed_human
from hoijax.types import Assets, ObjectPose, Posed, Scene


class SlideScores(NamedTuple):
    """Energies of each candidate, lowest best, and the parts it is made of."""

    offset: Float[Array, " c"]
    energy: Float[Array, " c"]
    order: Float[Array, " c"]
    collision: Float[Array, " c"]
    contact: Float[Array, " c"]


def slide_scores(
    pose: ObjectPose,
    human: Posed,
    scene: Scene,
    assets: Assets,
    offsets: Float[Array, " c"],
    config: Config,
) -> SlideScores:
    """Energy of the object moved by each offset (metres, along the ray through its centre, away from the camera).

    E = w_o mean clip(violation, 0, c) + w_p (mean depth of human vertices in the object + of object vertices in the human)
    - w_c mean exp(-(d / r)^2), d: signed distance of the human's vertices to the object. Violation: how far the one that
    the masks show in front is behind, over the pixels where both meshes are drawn. Weights, c and r: `slide_*` of Config.
    """
    pivot = pivot_of(scene)
    h, w = scene.valid.shape
    verts = similarity(scene.object.verts, pose, pivot)
    centre_depth = (pivot + pose.translation)[2]
    human_buffer = depth_buffer(human.verts, assets.body.faces, scene.camera, (h, w))
    object_buffer = depth_buffer(verts, scene.object.faces, scene.camera, (h, w))
    both = human_buffer.covered & object_buffer.covered
    human_front = both & (scene.human_mask > 0.5) & (scene.object_mask < 0.5)
    object_front = both & (scene.object_mask > 0.5) & (scene.human_mask < 0.5)
    valid = scene.object.valid

    def one(offset: Array) -> tuple[Array, Array, Array]:
        k = 1 + offset / centre_depth
        behind = k * object_buffer.depth - human_buffer.depth
        wrong = jnp.where(human_front, -behind, 0) + jnp.where(object_front, behind, 0)
        order = jnp.clip(wrong, 0, config.slide_order_clip).sum() / jnp.maximum((human_front | object_front).sum(), 1)
        moved = scaled_about_camera(pose, pivot, k)
        start = inverse_similarity(human.verts, moved, pivot)
        to_object = jnp.exp(moved.log_scale) * signed_distance(scene.object_sdf, start)
        to_human = jnp.where(valid, signed_distance(scene.human_sdf, k * verts), jnp.inf)
        collision = jnp.maximum(-to_object, 0).mean() + jnp.maximum(-to_human, 0).sum() / valid.sum()
        contact = jnp.exp(-((to_object / config.slide_contact_distance) ** 2)).mean()
        return order, collision, contact

    order, collision, contact = jax.lax.map(one, offsets)
    energy = config.slide_order * order + config.slide_collision * collision - config.slide_contact * contact
    return SlideScores(offsets, energy, order, collision, contact)


CANDIDATES = 81  # offsets tried: 1.5 cm apart for a half range of 60 cm


@partial(jax.jit, static_argnames=("config",))
def best_offset(
    pose: ObjectPose,
    human: Posed,
    scene: Scene,
    assets: Assets,
    half_range: Float[Array, ""],
    *,
    config: Config,
) -> tuple[ObjectPose, SlideScores, Array]:
    """The pose at the offset of lowest energy within +-half_range metres, all scores, and that offset's index."""
    pivot = pivot_of(scene)
    depth = (pivot + pose.translation)[2]
    offsets = jnp.maximum(half_range * jnp.linspace(-1, 1, CANDIDATES), -0.9 * depth)  # never behind the camera
    scores = slide_scores(pose, human, scene, assets, offsets, config)
    best = jnp.argmin(scores.energy)
    k = 1 + offsets[best] / depth
    return scaled_about_camera(pose, pivot, k), scores, best


@partial(jax.jit, static_argnames="config")
def slide(job: Job, half_range: Float[Array, ""], *, config: Config) -> tuple[FitState, Float[Array, ""]]:
    """Move the object along the ray to where contact, collision and depth order agree best; by how many metres.

    Adam's moments go on.
    """
    scene, params = job.scene, job.state.params
    human, pivot = posed_human(params, scene, job.assets), pivot_of(scene)
    before = effective_pose(params.object, pivot, config)
    pose, scores, best = best_offset(before, human, scene, job.assets, half_range, config=config)
    moved = params._replace(object=stored_pose(pose, pivot, config))
    return job.state._replace(params=moved), scores.offset[best]


def slide_note(offset: float) -> str:
    """The sentence for a result; `offset` in metres."""
    return f"search along the ray: moved by {100 * offset:.1f} cm"
