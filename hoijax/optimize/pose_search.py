"""The search over rotations: where does the mesh have to stand for its silhouette to be the object's mask?

PHOSA's first step (Zhang et al., ECCV 2020). Random rotations each get the translation that fits the mask's box; they are
scored by silhouette, the best are refined by gradient, and the best pose ever seen is kept.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jaxlie
import numpy as np
import optax
from jaxtyping import Array, Float, Int
from scipy.ndimage import distance_transform_edt

from hoijax.config import Config, static_options
from hoijax.geometry import product, project, rotation_matrix, scaled_about_camera, similarity
from hoijax.losses.interaction import object_size, prior_scale
from hoijax.losses.silhouette import edge, edge_error, offscreen, silhouette_error
from hoijax.mesh.silhouette import hard_silhouette, soft_silhouette
from hoijax.optimize.params import effective_pose, pivot_of, stored_pose
from hoijax.optimize.step import FitState
from hoijax.types import Camera, Crop, Mesh, ObjectPose, Scene

EDGE_WEIGHT, OFFSCREEN_WEIGHT = 0.5, 1000.0  # PHOSA's, for sums over the pixels of a crop of 256
EDGE_RADIUS = 3 / 256  # of the edge's window, in sides of the crop
SIGMA, LEAST_SIGMA_PX = 1 / 256, 0.5  # blur of the silhouette: in sides of the crop, but not below this many pixels
FAR = 40.0  # times the start's depth: PHOSA starts at 2.5 and ends the world at 100
PLACE_STEPS = 50  # fixed-point updates of a candidate's translation
OUTERMOST = 512  # vertices that stand for the mesh while a translation is sought


class Goal(NamedTuple):
    """The crop at one resolution: target, camera, square root of the distance (pixels) to the edge of the object."""

    target: Float[Array, "n n"]
    root_distance: Float[Array, "n n"]
    camera: Camera


class Found(NamedTuple):
    """Outcome of a search: the best pose, its loss and the loss of the pose before it, at the crop's full resolution."""

    pose: ObjectPose
    loss: Float[Array, ""]
    start_loss: Float[Array, ""]


def init_goal(crop: Crop, side: int) -> Goal:
    """The crop as a picture of side x side pixels."""
    full = crop.target.shape[0]
    shares = [jax.image.resize((crop.target == value).astype(float), (side, side), "linear") for value in (1.0, -1.0)]
    target = jnp.where(shares[0] > 0.5, 1.0, jnp.where(shares[1] > 0.5, -1.0, 0.0))
    border = edge((target > 0).astype(float), edge_radius(side)) > 0
    distance = distance_transform_edt(~np.asarray(border)) if border.any() else np.zeros((side, side))
    scale = side / full
    camera = Camera(crop.camera.focal * scale, crop.camera.center * scale)
    return Goal(target, jnp.sqrt(jnp.asarray(distance, jnp.float32)), camera)


def edge_radius(side: int) -> int:
    """Radius of the edge's window in a crop of `side` pixels: 3 at 256."""
    return max(1, round(EDGE_RADIUS * side))


def random_rotations(key: Array, count: int) -> Float[Array, "count 3"]:
    """Rotation vectors of uniformly distributed rotations."""
    return jaxlie.SO3.sample_uniform(key, batch_axes=(count,)).log()


def outermost(mesh: Mesh, count: int) -> Int[Array, " count"]:
    """Indices of the vertices that lie furthest out along `count` directions, which are spread over the sphere."""
    k = jnp.arange(count) + 0.5
    z, turn = 1 - 2 * k / count, jnp.pi * (1 + 5**0.5) * k
    flat = jnp.sqrt(1 - z**2)
    along = jnp.stack([flat * jnp.cos(turn), flat * jnp.sin(turn), z]) / jnp.ones(count)
    return jnp.where(mesh.valid[:, None], mesh.verts @ along, -jnp.inf).argmax(0)


def fitted_translation(
    rotvec: Float[Array, "3"], points: Float[Array, "n 3"], pivot: Float[Array, "3"], goal: Goal
) -> Float[Array, "3"]:
    """The translation at which the projected points have the mask's box: its centre and the length of its diagonal.

    PHOSA's fixed point from the start's depth: z <- z diagonal / mask diagonal, (x, y) += (mask centre - centre) z / focal.
    The points stay in front of the camera.
    """
    low, high = mask_box(goal.target)
    camera = goal.camera
    offsets = product(points - pivot, rotation_matrix(rotvec).T)
    nearest = 0.1 * pivot[2] - offsets[:, 2].min()

    def update(place: Array, _: None) -> tuple[Array, None]:
        px = project(offsets + place, camera)
        now_low, now_high = px.min(0), px.max(0)
        ratio = jnp.linalg.norm(now_high - now_low) / jnp.linalg.norm(high - low)
        z = jnp.maximum(place[2] * ratio, nearest)
        xy = place[:2] + 0.5 * (low + high - now_low - now_high) * z / camera.focal
        return jnp.append(xy, z), None

    ray = (0.5 * (low + high) - camera.center) / camera.focal
    start = pivot[2] * jnp.append(ray, 1)
    return jax.lax.scan(update, start, None, length=PLACE_STEPS)[0] - pivot


def mask_box(target: Float[Array, "n n"]) -> tuple[Float[Array, "2"], Float[Array, "2"]]:
    """Corners (x, y) of the box of the object's pixels; the whole crop where there are none."""
    side = target.shape[0]
    seen = target > 0
    rows, columns = seen.any(1), seen.any(0)
    low = jnp.stack([columns.argmax(), rows.argmax()])
    high = side - jnp.stack([columns[::-1].argmax(), rows[::-1].argmax()])
    return low.astype(target.dtype), high.astype(target.dtype)


def pose_loss(pose: ObjectPose, mesh: Mesh, pivot: Float[Array, "3"], goal: Goal, soft: bool) -> Float[Array, ""]:
    """PHOSA's loss of a pose: silhouette + 0.5 edge + 1000 offscreen, in units of a crop of 256 pixels a side.

    `soft` False draws the hard silhouette: faster, without a gradient.
    """
    side = goal.target.shape[0]
    scale = 256 / side
    verts = similarity(mesh.verts, pose, pivot)
    if soft:
        sigma_px = max(SIGMA * side, LEAST_SIGMA_PX)
        shape = soft_silhouette(verts, mesh.faces, goal.camera, (side, side), sigma_px)
    else:
        shape = hard_silhouette(verts, mesh.faces, goal.camera, side).astype(verts.dtype)
    of_edge = edge_error(shape, goal.target, goal.root_distance, edge_radius(side)) * scale**0.5
    pixels = silhouette_error(shape, goal.target) + EDGE_WEIGHT * of_edge
    px = project(verts, goal.camera)
    beyond = offscreen(px, verts[:, 2], mesh.valid, side, FAR * pivot[2])
    return scale**2 * pixels + OFFSCREEN_WEIGHT * beyond


def refined(
    start: ObjectPose, mesh: Mesh, pivot: Float[Array, "3"], goal: Goal, steps: int, rate: float
) -> tuple[ObjectPose, Float[Array, ""]]:
    """Adam on rotation and translation, scale held; the best pose on the way and its loss."""
    adam = optax.adam(rate)

    def loss(free: tuple[Array, Array]) -> Array:
        return pose_loss(ObjectPose(*free, start.log_scale), mesh, pivot, goal, soft=True)

    def step(carry: tuple, _: None) -> tuple[tuple, None]:
        free, moments, best, least = carry
        value, gradient = jax.value_and_grad(loss)(free)
        best = jax.tree.map(lambda new, old: jnp.where(value < least, new, old), free, best)
        change, moments = adam.update(gradient, moments)
        return (optax.apply_updates(free, change), moments, best, jnp.minimum(value, least)), None

    free = (start.rotvec, start.translation)
    carry = (free, adam.init(free), free, jnp.asarray(jnp.inf, start.rotvec.dtype))
    (_, _, best, least), _ = jax.lax.scan(step, carry, None, length=steps)
    return ObjectPose(*best, start.log_scale), least


@partial(jax.jit, static_argnames=("count", "config", "lanes"))
def best_pose(
    key: Array,
    mesh: Mesh,
    pivot: Float[Array, "3"],
    before: ObjectPose,
    goal: Goal,
    full: Goal,
    *,
    count: int,
    config: Config,
    lanes: int,
) -> Found:
    """The best of `count` random rotations. `goal`: the crop for the search, `full`: the one that decides at the end.

    All are scored once by hard silhouette; `config.search_keep` of them are refined; their ends are compared in `full`.
    The pose returned has scale 1. `lanes`: how many poses are drawn at once.
    """
    points = mesh.verts[outermost(mesh, OUTERMOST)]
    rotvecs = random_rotations(key, count)

    def candidate(rotvec: Array) -> ObjectPose:
        return ObjectPose(rotvec, fitted_translation(rotvec, points, pivot, full), jnp.zeros(()))

    poses = jax.vmap(candidate)(rotvecs)
    scores = jax.lax.map(lambda pose: pose_loss(pose, mesh, pivot, goal, soft=False), poses, batch_size=lanes)
    _, best = jax.lax.top_k(-scores, min(config.search_keep, count))
    kept = jax.tree.map(lambda leaf: leaf[best], poses)

    def end(pose: ObjectPose) -> tuple[ObjectPose, Array]:
        pose = refined(pose, mesh, pivot, goal, config.search_steps, config.search_rate)[0]
        return pose, pose_loss(pose, mesh, pivot, full, soft=True)

    ends, losses = jax.lax.map(end, kept, batch_size=lanes)
    winner = jnp.argmin(losses)
    start_loss = pose_loss(before, mesh, pivot, full, soft=True)
    return Found(jax.tree.map(lambda leaf: leaf[winner], ends), losses[winner], start_loss)


def search(state: FitState, scene: Scene, count: int, config: Config, key: Array) -> tuple[FitState, str]:
    """Turn and place the object by its silhouette, at the scale prior's mean. Adam's moments go on."""
    pivot, crop = pivot_of(scene), scene.object_crop
    found = best_pose(
        key,
        scene.object,
        pivot,
        effective_pose(state.params.object, pivot, config),
        init_goal(crop, config.search_size),
        init_goal(crop, crop.target.shape[0]),
        count=count,
        config=static_options(config),
        lanes=1 if jax.default_backend() == "cpu" else 32,
    )
    scale = prior_scale(object_size(scene.object, pivot), config.object_length)
    pose = stored_pose(scaled_about_camera(found.pose, pivot, scale), pivot, config)
    kept = min(config.search_keep, count)
    note = (
        f"pose search: {count} rotations, {kept} refined, silhouette loss {float(found.start_loss):.0f} at the start -> "
        f"{float(found.loss):.0f}"
    )
    return state._replace(params=state.params._replace(object=pose)), note
