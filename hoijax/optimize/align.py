"""The alignment: which rotation, size and place in the image give the mesh the outline that the photograph shows?

Many rotations about the start are scored by hard silhouettes, the best are refined by Gauss-Newton on six degrees of
freedom, coarse to fine, and where several outlines fit, depth order, collision and contact choose (see `slide`). Depth is
held: with a long lens the outline hardly knows it.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jaxlie
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from hoijax.config import Config
from hoijax.geometry import product, project, rotation_matrix, similarity
from hoijax.mesh.silhouette import hard_silhouette
from hoijax.optimize.params import effective_pose, pivot_of, stored_pose
from hoijax.optimize.pose_search import outermost
from hoijax.optimize.slide import best_offset
from hoijax.optimize.step import FitState, Job, posed_human
from hoijax.types import Camera, Crop, Mesh, ObjectPose

SIDE = 64  # pixels of the crop in which candidates are compared and first refined
FARTHEST = 1.2  # radians from the start to the farthest candidate
POINTS, BOX_STEPS = 256, 6  # outermost vertices that stand for the mesh, updates of a candidate's box
SCORE_SIGMA = 2.0  # pixels of blur in which candidates are compared
Plan = tuple[tuple[float, float], ...]  # for each Gauss-Newton step: blur in pixels, size of the differences
COARSE: Plan = ((3.0, 0.05),) * 4 + ((1.5, 0.05),) * 4  # at SIDE
FINE: Plan = ((3.0, 0.02),) * 3 + ((1.0, 0.01),) * 3  # at the crop's own resolution
DAMPING = (0.01, 0.3, 3.0)  # tried at each step; shares of the normal matrix's diagonal
LONGEST = 0.35  # a step's largest entry: radians, object sizes, log scale


class Sight(NamedTuple):
    """The crop at one resolution: share of each pixel that is the object's, share that is known to be or not to be."""

    target: Float[Array, "n n"]
    known: Float[Array, "n n"]
    camera: Camera


class Aligned(NamedTuple):
    """The pose found, its outline error and that of the start, and how far it is turned from the start (radians)."""

    pose: ObjectPose
    error: Float[Array, ""]
    start_error: Float[Array, ""]
    angle: Float[Array, ""]


def init_sight(crop: Crop, side: int) -> Sight:
    """The crop as a picture of side x side pixels."""
    of_object, unknown = (
        jnp.clip(jax.image.resize((crop.target == value).astype(jnp.float32), (side, side), "linear"), 0, 1)
        for value in (1.0, -1.0)
    )
    factor = side / crop.target.shape[0]
    return Sight(of_object, 1 - unknown, Camera(crop.camera.focal * factor, crop.camera.center * factor))


def blur_matrix(side: int, sigma: Float[ArrayLike, ""]) -> Float[Array, "n n"]:
    """B such that B x B^T blurs a picture of side x side by a Gaussian of `sigma` pixels; rows add up to 1."""
    i = jnp.arange(side, dtype=jnp.float32)
    weight = jnp.exp(-0.5 * ((i[:, None] - i) / sigma) ** 2)
    return weight / weight.sum(1, keepdims=True)


def outline_residual(
    pose: ObjectPose, mesh: Mesh, pivot: Float[Array, "3"], sight: Sight, sigma: Float[ArrayLike, ""]
) -> Float[Array, " p"]:
    """Blurred silhouette less blurred mask at every pixel, both without what is unknown."""
    side = sight.target.shape[0]
    shape = hard_silhouette(similarity(mesh.verts, pose, pivot), mesh.faces, sight.camera, side)
    blur = blur_matrix(side, sigma)
    gap = product(product(blur, (shape - sight.target) * sight.known), blur.T)
    return (jnp.sqrt(sight.known) * gap).reshape(-1)


def outline_error(
    pose: ObjectPose, mesh: Mesh, pivot: Float[Array, "3"], sight: Sight, sigma: Float[ArrayLike, ""]
) -> Float[Array, ""]:
    """Squared residual as a share of the blurred mask's square: 0 where the outline fits, about 1 where nothing does."""
    blur = blur_matrix(sight.target.shape[0], sigma)
    mask = product(product(blur, sight.target * sight.known), blur.T)
    whole = (sight.known * mask**2).sum()
    return (outline_residual(pose, mesh, pivot, sight, sigma) ** 2).sum() / jnp.maximum(whole, 1e-6)


def stepped(pose: ObjectPose, step: Float[Array, "6"], size: Float[Array, ""]) -> ObjectPose:
    """The pose after a step: rotation vector, move across the view in object sizes, log scale; its depth stays."""
    rotation = jaxlie.SO3.exp(step[:3]) @ jaxlie.SO3.exp(pose.rotvec)
    translation = pose.translation + size * jnp.append(step[3:5], 0)
    return ObjectPose(rotation.log(), translation, pose.log_scale + step[5])


def rms_size(mesh: Mesh, pivot: Float[Array, "3"]) -> Float[Array, ""]:
    """Root mean square distance of the vertices to the pivot, metres."""
    squared = ((mesh.verts - pivot) ** 2).sum(1)
    return jnp.sqrt((squared * mesh.valid).sum() / jnp.maximum(mesh.valid.sum(), 1))


def gauss_newton(pose: ObjectPose, mesh: Mesh, pivot: Float[Array, "3"], sight: Sight, plan: Plan) -> ObjectPose:
    """Levenberg-Marquardt on the outline's residual, one step for each entry of the plan.

    The derivatives are central differences of blurred hard silhouettes: a silhouette takes half a millisecond, and the
    blur makes it smooth. Of the dampings tried the best is taken, and none that makes it worse.
    """

    def step(pose: ObjectPose, how: tuple[Array, Array]) -> tuple[ObjectPose, None]:
        sigma, width = how
        size = rms_size(mesh, pivot) * jnp.exp(pose.log_scale)

        def residual(move: Array) -> Array:
            return outline_residual(stepped(pose, move, size), mesh, pivot, sight, sigma)

        now = residual(jnp.zeros(6))
        slopes = jax.lax.map(lambda d: (residual(d) - residual(-d)) / (2 * width), width * jnp.eye(6))
        normal, pull = product(slopes, slopes.T), product(slopes, now)
        floor = (1e-3 * jnp.trace(normal) / 6 + 1e-6) * jnp.eye(6)

        def trial(damping: Array) -> tuple[Array, Array]:
            move = -jnp.linalg.solve(normal + damping * jnp.diag(jnp.diag(normal)) + floor, pull)
            move = jnp.clip(move, -LONGEST, LONGEST)
            return move, (residual(move) ** 2).sum()

        moves, losses = jax.lax.map(trial, jnp.array(DAMPING))
        best = jnp.argmin(losses)
        move = jnp.where(losses[best] < (now**2).sum(), moves[best], 0)
        return stepped(pose, move, size), None

    sigmas, widths = jnp.array(plan).T
    return jax.lax.scan(step, pose, (sigmas, widths))[0]


def near_rotations(key: Array, count: int) -> Float[Array, "count 3"]:
    """Rotation vectors about random axes, by angles up to FARTHEST, denser near 0; the first is none."""
    of_axis, of_angle = jax.random.split(key)
    axis = jax.random.normal(of_axis, (count, 3))
    angle = FARTHEST * jnp.sqrt(jax.random.uniform(of_angle, (count, 1)))
    turns = angle * axis / jnp.linalg.norm(axis, axis=1, keepdims=True)
    return turns.at[0].set(0)


def boxed(pose: ObjectPose, points: Float[Array, "n 3"], pivot: Float[Array, "3"], sight: Sight) -> ObjectPose:
    """The pose scaled and moved across the view until the box of its points has the middle and diagonal of the mask's."""
    seen = sight.target > 0.5
    side = len(seen)
    ends = [(axis.argmax(), side - axis[::-1].argmax()) for axis in (seen.any(0), seen.any(1))]
    low, high = jnp.stack([end[0] for end in ends]), jnp.stack([end[1] for end in ends])
    offsets = product(points - pivot, rotation_matrix(pose.rotvec).T)
    place = pivot + pose.translation

    def update(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        across, log_scale = state
        px = project(jnp.exp(log_scale) * offsets + jnp.append(across, place[2]), sight.camera)
        now_low, now_high = px.min(0), px.max(0)
        ratio = jnp.linalg.norm(high - low) / jnp.maximum(jnp.linalg.norm(now_high - now_low), 1e-3)
        shift = 0.5 * (low + high - now_low - now_high) * place[2] / sight.camera.focal
        return (across + shift, log_scale + jnp.log(ratio)), None

    (across, log_scale), _ = jax.lax.scan(update, (place[:2], pose.log_scale), None, length=BOX_STEPS)
    return ObjectPose(pose.rotvec, jnp.append(across, place[2]) - pivot, log_scale)


def angle_between(first: ObjectPose, second: ObjectPose) -> Float[Array, ""]:
    """Radians."""
    return jnp.linalg.norm((jaxlie.SO3.exp(first.rotvec) @ jaxlie.SO3.exp(second.rotvec).inverse()).log())


def fitting_outlines(
    key: Array, mesh: Mesh, pivot: Float[Array, "3"], before: ObjectPose, crop: Crop, *, count: int, config: Config
) -> tuple[ObjectPose, Float[Array, " k"]]:
    """The `align_best` poses whose outline fits best, refined, and their outline errors, best first.

    `count` rotations near `before`, each as it stands and boxed; the best `align_keep` and the start itself are refined.
    With a `count` of 1 the start alone is refined, in full at once: to polish.
    """
    lanes = 1 if jax.default_backend() == "cpu" else 32
    small, full = init_sight(crop, SIDE), init_sight(crop, crop.target.shape[0])
    points = mesh.verts[outermost(mesh, POINTS)]
    turns = near_rotations(key, count)
    rotvecs = (jaxlie.SO3.exp(turns) @ jaxlie.SO3.exp(before.rotvec)).log()
    standing = jax.vmap(lambda rotvec: before._replace(rotvec=rotvec))(rotvecs)
    moved = jax.vmap(lambda pose: boxed(pose, points, pivot, small))(standing)
    poses = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), standing, moved)

    def scored(pose: ObjectPose, sight: Sight, sigma: float) -> Array:
        return outline_error(pose, mesh, pivot, sight, sigma) + config.align_turn * angle_between(pose, before) ** 2

    def refined(poses: ObjectPose, chosen: Array, sight: Sight, plan: Plan) -> tuple[ObjectPose, Array]:
        def one(pose: ObjectPose) -> tuple[ObjectPose, Array]:
            pose = gauss_newton(pose, mesh, pivot, sight, plan)
            return pose, scored(pose, sight, 1.0)

        return jax.lax.map(one, jax.tree.map(lambda leaf: leaf[chosen], poses), batch_size=lanes)

    if count == 1:
        return refined(standing, jnp.array([0]), full, FINE)
    scores = jax.lax.map(lambda pose: scored(pose, small, SCORE_SIGMA), poses, batch_size=lanes)
    _, chosen = jax.lax.top_k(-scores, min(config.align_keep, 2 * count))
    poses, scores = refined(poses, jnp.append(chosen, jnp.array([0, count])), small, COARSE)
    _, chosen = jax.lax.top_k(-scores, min(config.align_best, len(scores)))
    poses, scores = refined(poses, chosen, full, FINE)
    order = jnp.argsort(scores)
    return jax.tree.map(lambda leaf: leaf[order], poses), scores[order]


@partial(jax.jit, static_argnames=("count", "config"))
def align(
    job: Job, half_range: Float[Array, ""], key: Array, *, count: int, config: Config
) -> tuple[FitState, Aligned]:
    """Turn, scale and move the object to where its outline fits and, among those, where it meets the person best.

    Of the poses that fit, each is slid along the ray within `half_range` metres; least `align_outline` * (outline error +
    `align_turn` * angle^2) + energy of `slide_scores` wins. Adam's moments go on.
    """
    scene, params = job.scene, job.state.params
    mesh, pivot, crop = scene.object, pivot_of(scene), scene.object_crop
    human = posed_human(params, scene, job.assets)
    before = effective_pose(params.object, pivot, config)
    poses, errors = fitting_outlines(key, mesh, pivot, before, crop, count=count, config=config)

    def energy(pose: ObjectPose) -> tuple[ObjectPose, Array]:
        slid, scores, best = best_offset(pose, human, scene, job.assets, half_range, config=config)
        return slid, scores.energy[best]

    slid, energies = jax.lax.map(energy, poses)
    winner = jnp.argmin(config.align_outline * errors + energies)
    pose = jax.tree.map(lambda leaf: leaf[winner], slid)
    full = init_sight(crop, crop.target.shape[0])
    error, start_error = (outline_error(each, mesh, pivot, full, 1.0) for each in (pose, before))
    found = Aligned(pose, error, start_error, angle_between(pose, before))
    moved = params._replace(object=stored_pose(pose, pivot, config))
    return job.state._replace(params=moved), found


def align_notes(found: Aligned) -> list[str]:
    """The sentences for the results, one for each image."""
    rows = zip(*(np.atleast_1d(np.asarray(value)) for value in (found.start_error, found.error, found.angle)))
    return [
        f"alignment: outline error {before:.3f} -> {after:.3f}, turned by {np.degrees(angle):.0f} degrees"
        for before, after, angle in rows
    ]
