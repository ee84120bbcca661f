"""Start values of everything that is trained, and the learning rate of each leaf."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from hoijax.body.refine import init_refiners
from hoijax.body.smplx import pose_body
from hoijax.config import Config
from hoijax.geometry import masked_mean, project, scaled_about_camera
from hoijax.mesh.normals import vertex_normals
from hoijax.mesh.zbuffer import depth_buffer
from hoijax.splats.init import init_splats
from hoijax.types import Assets, Camera, ObjectPose, Params, Refiners, Scene, Splats

GREY = 0.5


def pivot_of(scene: Scene) -> Float[Array, "3"]:
    """m of Eq. 3: the mean of the object's initial vertices, padding excluded."""
    return masked_mean(scene.object.verts, scene.object.valid)


def effective_pose(stored: ObjectPose, pivot: Float[Array, "3"], config: Config) -> ObjectPose:
    """The similarity about the pivot that the trained numbers mean, x' = s R (x - m) + m + t with `config.scale_about`.

    "object": they are it. "camera": x' = s (R (x - m) + m + t), PHOSA's, in which s leaves the image as it is.
    """
    if config.scale_about == "object":
        return stored
    return scaled_about_camera(stored._replace(log_scale=jnp.zeros(())), pivot, jnp.exp(stored.log_scale))


def stored_pose(pose: ObjectPose, pivot: Float[Array, "3"], config: Config) -> ObjectPose:
    """The numbers to train that mean this similarity: the inverse of `effective_pose`."""
    if config.scale_about == "object":
        return pose
    return scaled_about_camera(pose, pivot, jnp.exp(-pose.log_scale))._replace(log_scale=pose.log_scale)


def init_object_pose() -> ObjectPose:
    """The identity."""
    return ObjectPose(jnp.zeros(3), jnp.zeros(3), jnp.zeros(()))


def faces_away(verts: Float[Array, "v 3"], faces: Array) -> Bool[Array, " v"]:
    """True where the vertex normal points away from the camera."""
    return (vertex_normals(verts, faces) * verts).sum(-1) > 0


def vertex_colors(
    verts: Float[Array, "v 3"], faces: Array, camera: Camera, image: Float[Array, "h w 3"], mask: Float[Array, "h w"]
) -> Float[Array, "v 3"]:
    """The image at the projected vertex where it is visible and inside its mask, mid-grey elsewhere."""
    h, w, _ = image.shape
    px = project(verts, camera)
    column, row = jnp.floor(px[:, 0]).astype(int), jnp.floor(px[:, 1]).astype(int)
    inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
    column, row = jnp.clip(column, 0, w - 1), jnp.clip(row, 0, h - 1)
    buffer = depth_buffer(verts, faces, camera, (h, w))
    tolerance = 0.02  # metres behind the drawn surface: a pixel spans that much of a slanted one
    visible = inside & buffer.covered[row, column] & (verts[:, 2] < buffer.depth[row, column] + tolerance)
    seen = visible & (mask[row, column] > 0.5)
    return jnp.where(seen[:, None], image[row, column], GREY)


def init_params(scene: Scene, assets: Assets, trained: frozenset[str], config: Config, key: Array) -> Params:
    """Gaussians at the vertices of human and object, refiners at "no change", the object where it stands (method 4).

    `trained`: the parameters that some stage gives a rate; refiners that none trains are left out.
    """
    refiners = init_refiners(key, assets.body)
    refiners = Refiners(
        refiners.pose if "human.pose" in trained else {}, refiners.skinning if "human.skinning" in trained else {}
    )
    human = pose_body(assets.body, scene.human).verts
    return Params(refiners, init_object_pose(), *start_splats(human, assets.body.faces, scene, config))


def start_splats(
    human: Float[Array, "v 3"], human_faces: Int[Array, "f 3"], scene: Scene, config: Config
) -> tuple[Splats, Splats]:
    """Gaussians of human and object at their vertices (method 4)."""
    obj = scene.object
    rgb = vertex_colors(human, human_faces, scene.camera, scene.image, scene.human_mask)
    hidden = faces_away(human, human_faces) & config.hide_back_human
    hidden_object = (faces_away(obj.verts, obj.faces) & config.hide_back_object) | ~obj.valid
    size, opacity = config.object_splat_size, config.object_opacity
    of_human = init_splats(human, rgb, config.human_splat_size, config.human_opacity, hidden, scene.human_d2)
    of_object = init_splats(obj.verts, scene.object_rgb, size, opacity, hidden_object, scene.object_d2)
    return of_human, of_object


def rate_tree(params: Params, rates: Mapping[str, Array | float]) -> Params:
    """A learning rate for every leaf of `params`, 0 for parameters that `rates` does not name."""

    def fill(name: str, tree: Any) -> Any:
        return jax.tree.map(lambda _: jnp.asarray(rates.get(name, 0.0)), tree)

    def splat_rates(splats: Splats) -> Splats:
        return Splats(*(fill(f"splats.{name}", leaf) for name, leaf in splats._asdict().items()))

    human = Refiners(fill("human.pose", params.human.pose), fill("human.skinning", params.human.skinning))
    pose = ObjectPose(*(fill(f"object.{name}", leaf) for name, leaf in params.object._asdict().items()))
    return Params(human, pose, splat_rates(params.human_splats), splat_rates(params.object_splats))
