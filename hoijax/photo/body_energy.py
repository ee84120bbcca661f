"""What a pose of the body costs beside a photograph: terms that are negative logarithms of likelihoods.

So there is little to weigh: the landmarks' distances in the image, the directions of limbs that the network sees in space,
the prior of pose and shape, and the outline (after SMPLify, Bogo et al., 2016).
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from hoijax.body.smplx import pose_body, zero_pose
from hoijax.geometry import project, safe_normalize
from hoijax.mesh.silhouette import soft_silhouette
from hoijax.photo.body_prior import PosePrior, Stature, pose_energy, shape_energy
from hoijax.photo.landmarks import LANDMARKS
from hoijax.types import Body, Camera, HumanPose

TORSO = tuple(LANDMARKS.index(f"{side} {name}") for name in ("shoulder", "hip") for side in ("left", "right"))
# Pairs of landmarks whose direction in space is believed; fingers and eyes are too near each other.
_BONES = (
    ("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "toes"),
    ("ankle", "heel"), ("wrist", "index"), ("wrist", "pinky"),
)  # fmt: skip
BONES = tuple(
    tuple(LANDMARKS.index(f"{side} {name}") for name in pair) for pair in _BONES for side in ("left", "right")
) + tuple(
    (LANDMARKS.index(a), LANDMARKS.index(b))
    for a, b in (
        ("right shoulder", "left shoulder"),
        ("right hip", "left hip"),
        ("right ear", "left ear"),
        ("left ear", "nose"),
        ("right ear", "nose"),
    )
)


@dataclass(frozen=True)
class FitOptions:
    """Sizes of the errors that are expected, and how long each stage takes."""

    pixel_sigma: float = 0.02  # of a landmark in the image, metres at the person's distance
    direction_sigma: float = 0.2  # of a limb in space, radians
    unseen: float = 0.2  # weight that an unseen landmark keeps in directions: a guess is better than none
    outline: float = 30.0  # weight of the mask: energy where nothing overlaps
    outline_side: int = 128
    steps: tuple[int, int, int] = (200, 400, 100)  # directions alone; with the landmarks; with the outline
    rates: tuple[float, float, float] = (0.05, 0.03, 0.01)


class Evidence(NamedTuple):
    """What the photograph says. `weight` in [0, 1] of each landmark; `world` in metres, in the camera's axes.

    `metre_px`: pixels of a metre at the person's distance. The outline: the mask on a square window of its own, and where
    it counts (0 where something hides the body).
    """

    camera: Camera
    pixels: Float[Array, "33 2"]
    weight: Float[Array, "33"]
    world: Float[Array, "33 3"]
    metre_px: Float[Array, ""]
    mask: Float[Array, "n n"]
    mask_counts: Float[Array, "n n"]
    mask_camera: Camera


class Knowledge(NamedTuple):
    """The body, its markers (see `markers.marker_body`), and what is known of bodies: shared by a batch."""

    body: Body
    markers: Body
    prior: PosePrior
    height: Stature


class State(NamedTuple):
    """What is optimised. The body stands at `distance` exp(log_depth) (x, y, 1), x and y `ray`."""

    root: Float[Array, "3"]
    body: Float[Array, "21 3"]
    shape: Float[Array, "10"]
    ray: Float[Array, "2"]
    log_depth: Float[Array, ""]


def marker_points(state: State, markers: Body) -> Float[Array, "33 3"]:
    """The landmarks of the body in the camera's frame, metres."""
    return pose_body(markers, posed(state)).verts[: len(LANDMARKS)]


def posed(state: State) -> HumanPose:
    """The state as a pose: what it does not hold is at rest."""
    translation = jnp.exp(state.log_depth) * jnp.append(state.ray, 1)
    return zero_pose()._replace(root=state.root, body=state.body, shape=state.shape, translation=translation)


def prior_energy(state: State, known: Knowledge) -> Float[Array, ""]:
    """Of pose and shape."""
    return pose_energy(state.body, known.prior) + shape_energy(state.shape, known.height)


def direction_energy(points: Float[Array, "33 3"], evidence: Evidence, options: FitOptions) -> Float[Array, ""]:
    """Sum over bones of w |d - d'|^2 / (2 sigma^2) of unit directions d in space, robust: what is far off counts less."""
    first, second = jnp.array(BONES).T
    own = safe_normalize(points[second] - points[first])
    seen = safe_normalize(evidence.world[second] - evidence.world[first])
    weight = jnp.maximum(jnp.minimum(evidence.weight[first], evidence.weight[second]), options.unseen)
    return (weight * _robust(((own - seen) ** 2).sum(-1) / options.direction_sigma**2)).sum()


def landmark_energy(points: Float[Array, "33 3"], evidence: Evidence, options: FitOptions) -> Float[Array, ""]:
    """The same of the landmarks' distances in the image, in metres at the person's distance."""
    apart = (project(points, evidence.camera) - evidence.pixels) / (evidence.metre_px * options.pixel_sigma)
    return (evidence.weight * _robust((apart**2).sum(-1))).sum()


def outline_energy(state: State, evidence: Evidence, known: Knowledge, options: FitOptions) -> Float[Array, ""]:
    """weight * sum of (silhouette - mask)^2 over the mask's area, where the mask counts."""
    verts = pose_body(known.body, posed(state)).verts
    n = len(evidence.mask)
    drawn = soft_silhouette(verts, known.body.faces, evidence.mask_camera, (n, n), sigma_px=1.5)
    wrong = (evidence.mask_counts * (drawn - evidence.mask) ** 2).sum()
    return options.outline * wrong / jnp.maximum((evidence.mask_counts * evidence.mask).sum(), 1)


def _robust(squared: Float[Array, " n"], turn: float = 9.0) -> Float[Array, " n"]:
    """Half of a squared error in sigmas; from three sigmas on it grows ever slower (Geman and McClure)."""
    return 0.5 * squared / (1 + squared / turn)
