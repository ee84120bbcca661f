"""A body model fitted to one person's landmarks and mask: start in closed form, then three stages of Adam."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from hoijax.body.smplx import pose_body
from hoijax.geometry import product, rotation_vector
from hoijax.photo.body_energy import (
    TORSO,
    Evidence,
    FitOptions,
    Knowledge,
    State,
    direction_energy,
    landmark_energy,
    marker_points,
    outline_energy,
    posed,
    prior_energy,
)
from hoijax.types import HumanPose


def fit_pose(evidence: Evidence, known: Knowledge, options: FitOptions) -> HumanPose:
    """The pose in the camera's frame. Deterministic; a batch is `jax.vmap` over `evidence`.

    Directions of limbs alone give a first pose, wherever it stands; then the landmarks place and correct it; then the
    mask. Hands, jaw, eyes and expression stay at rest: nothing here sees them.
    """

    def space(state: State) -> Float[Array, ""]:
        points = marker_points(state, known.markers)
        return prior_energy(state, known) + direction_energy(points, evidence, options)

    def image(state: State) -> Float[Array, ""]:
        points = marker_points(state, known.markers)
        both = direction_energy(points, evidence, options) + landmark_energy(points, evidence, options)
        return prior_energy(state, known) + both

    def outline(state: State) -> Float[Array, ""]:
        return image(state) + outline_energy(state, evidence, known, options)

    state = descended(start(evidence, known), space, known, options, 0)
    state = descended(placed(state, evidence, known), image, known, options, 1)
    return posed(descended(state, outline, known, options, 2))


def start(evidence: Evidence, known: Knowledge) -> State:
    """The mean pose, turned so that shoulders and hips lie as the network sees them in space (Kabsch, 1976)."""
    points = known.markers.template[jnp.array(TORSO)]
    goals = evidence.world[jnp.array(TORSO)]
    left, _, right = jnp.linalg.svd(product((goals - goals.mean(0)).T, points - points.mean(0)))
    flip = jnp.array([1.0, 1.0, jnp.sign(jnp.linalg.det(product(left, right)))])
    zero = jnp.zeros(known.markers.shape_dirs.shape[-1])
    root = rotation_vector(product(left * flip, right))
    return State(root, known.prior.mean, zero, jnp.zeros(2), jnp.log(5.0))


def placed(state: State, evidence: Evidence, known: Knowledge) -> State:
    """Moved to where the posed landmarks project best: f (X + t_x) = (u - c) (Z + t_z) is linear in the translation."""
    camera = evidence.camera
    points = marker_points(state, known.markers) - posed(state).translation
    slope = (evidence.pixels - camera.center) / camera.focal
    root_weight = jnp.sqrt(evidence.weight)
    one, none = jnp.ones(len(slope)), jnp.zeros(len(slope))
    rows = jnp.concatenate([jnp.stack([one, none, -slope[:, 0]], 1), jnp.stack([none, one, -slope[:, 1]], 1)])
    right = jnp.concatenate([slope[:, k] * points[:, 2] - points[:, k] for k in range(2)])
    both = jnp.tile(root_weight, 2)
    translation = jnp.linalg.lstsq(rows * both[:, None], right * both)[0]
    depth = jnp.clip(translation[2], 0.3, 1e4)
    return state._replace(ray=translation[:2] / depth, log_depth=jnp.log(depth))


def descended(
    state: State, energy: Callable[[State], Float[Array, ""]], known: Knowledge, options: FitOptions, stage: int
) -> State:
    """The state after the steps of a stage. Joints are put back into their ranges after each step."""
    steps = options.steps[stage]
    rule = optax.adam(optax.cosine_decay_schedule(options.rates[stage], max(steps, 1), 0.05))
    # A step moves each number by about the rate: metres for the place, so that less of the angle the further it stands.
    near = jnp.exp(-state.log_depth)
    share = State(root=jnp.ones(()), body=jnp.ones(()), shape=2 * jnp.ones(()), ray=near, log_depth=near)

    def step(carry: tuple[State, optax.OptState], _: None) -> tuple[tuple[State, optax.OptState], None]:
        now, moments = carry
        change, moments = rule.update(jax.grad(energy)(now), moments)
        now = jax.tree.map(lambda value, by, k: value + k * by, now, change, share)
        return (now._replace(body=jnp.clip(now.body, known.prior.low, known.prior.high)), moments), None

    return jax.lax.scan(step, (state, rule.init(state)), None, steps)[0][0]


def body_points(
    known: Knowledge, pose: HumanPose
) -> tuple[Float[Array, "v 3"], Float[Array, "j 3"], Float[Array, "33 3"]]:
    """Vertices, joints and landmarks of the body in the camera's frame, metres."""
    whole = pose_body(known.body, pose)
    return whole.verts, whole.joints, pose_body(known.markers, pose).verts[:33]
