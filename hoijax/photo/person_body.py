"""The body of a person in a photograph, from the host's side: what is known goes in, the posed mesh comes out."""

from typing import NamedTuple

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from hoijax.geometry import project
from hoijax.photo.body_energy import Evidence, FitOptions, Knowledge
from hoijax.photo.body_fit import body_points, fit_pose
from hoijax.photo.body_prior import pose_prior, stature
from hoijax.photo.landmarks import LANDMARKS, MOST_FINER
from hoijax.photo.markers import marker_body
from hoijax.photo.models import PhotoError
from hoijax.photo.people import Person
from hoijax.types import Body, Camera, HumanPose

LENS_MM = 35.0  # of the natural focal length, on film of 36 x 24 mm
FILM_MM = 36.0
SEEN = 0.5  # visibility from which a landmark counts as seen
FEWEST = 6  # landmarks that must be seen
MARGIN = 0.1  # of the mask's window about the person


class PersonBody(NamedTuple):
    """A fitted body. `camera` in pixels of the photograph; vertices and joints in its frame, metres.

    `error_px`: how far each landmark of the body is from the one in the image. `seen`: which of them had a full say;
    the rest of the body follows the network's guess and the prior.
    """

    pose: HumanPose
    camera: Camera
    verts: Float[np.ndarray, "v 3"]
    joints: Float[np.ndarray, "j 3"]
    error_px: Float[np.ndarray, "33"]
    seen: Bool[np.ndarray, "33"]

    def unseen_names(self) -> tuple[str, ...]:
        """Landmarks that the photograph does not show."""
        return tuple(name for name, seen in zip(LANDMARKS, self.seen) if not seen)


def natural_camera(size: tuple[int, int], focal_px: float | None = None) -> Camera:
    """The camera of a photograph of `size` (height, width): the axis through its middle, square pixels.

    Without a focal length: that of a 35 mm lens on film, 54 degrees along the longer side, between a telephone's main
    lens (26 mm) and a portrait's (50 mm). Body estimators write 5000 / 192 x box instead, a lens so long that depth
    hardly shows: give that to compare with them.
    """
    h, w = size
    focal = LENS_MM / FILM_MM * max(h, w) if focal_px is None else focal_px
    if not focal > 0:
        raise PhotoError(f"the focal length is {focal} pixels, expected a positive number")
    return Camera(jnp.full(2, float(focal)), jnp.array([w / 2, h / 2], jnp.float32))


def fit_body(
    body: Body,
    person: Person,
    focal_px: float | None = None,
    hidden: Bool[np.ndarray, "h w"] | None = None,
    options: FitOptions | None = None,
) -> PersonBody:
    """The body fitted to one person. `hidden`: where an object may stand in front, so that the mask has no say there.

    Raises PhotoError when too few landmarks are seen.
    """
    options = options or FitOptions()
    known = knowledge(body)
    size = person.mask.shape
    seen = person.visibility >= SEEN
    if seen.sum() < FEWEST:
        raise PhotoError(f"only {seen.sum()} of 33 landmarks of the person are seen, expected {FEWEST} or more")
    camera = natural_camera(size, focal_px)
    evidence = evidence_of(person, camera, hidden, options)
    pose = _fit_pose(evidence, known, options)
    verts, joints, points = _body_points(known, pose)
    if not (np.isfinite(verts).all() and float(verts[:, 2].min()) > 0):
        raise PhotoError("the body could not be fitted: it would not stand in front of the camera")
    apart = np.linalg.norm(np.asarray(project(points, camera)) - person.landmarks_px, axis=1)
    return PersonBody(pose, camera, np.asarray(verts, np.float64), np.asarray(joints, np.float64), apart, seen)


def knowledge(body: Body) -> Knowledge:
    """What the fits of all people share."""
    return Knowledge(body, marker_body(body), pose_prior(), stature(body))


def evidence_of(
    person: Person, camera: Camera, hidden: Bool[np.ndarray, "h w"] | None, options: FitOptions
) -> Evidence:
    """What a person's landmarks and mask say, on fixed shapes."""
    weight = _weight(person)
    world = person.world @ toward(person, camera).T
    metre = _pixels_per_metre(person.world, person.landmarks_px, weight)
    mask, counts, mask_camera = _window(person, camera, hidden, options.outline_side)
    arrays = (person.landmarks_px, weight, world, np.float32(metre), mask, counts)
    pixels, weight32, world32, metre32, mask32, counts32 = (jnp.asarray(x, jnp.float32) for x in arrays)
    return Evidence(camera, pixels, weight32, world32, metre32, mask32, counts32, mask_camera)


def toward(person: Person, camera: Camera) -> Float[np.ndarray, "3 3"]:
    """The rotation that takes the camera's axis to the ray to the person.

    The network sees a crop, so its axes are those of a camera that looks at the person.
    """
    focal, center = np.asarray(camera.focal, np.float64), np.asarray(camera.center, np.float64)
    middle = np.average(person.landmarks_px, 0, _weight(person))
    ray = np.append((middle - center) / focal, 1)
    return np.asarray(cv2.Rodrigues(_turn_to(ray / np.linalg.norm(ray)))[0])


def _weight(person: Person) -> Float[np.ndarray, "33"]:
    """How much each landmark says: under a visibility of 0.3 it is a guess, from 0.8 on it is seen."""
    return np.clip(2 * person.visibility - 0.6, 0, 1)


def _turn_to(ray: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    """Rotation vector of the shortest turn from the z axis to a unit ray."""
    axis = np.array([-ray[1], ray[0], 0.0])
    sine = np.linalg.norm(axis)
    return axis * (np.arctan2(sine, ray[2]) / sine if sine > 1e-9 else 1.0)


def _pixels_per_metre(world: np.ndarray, pixels: np.ndarray, weight: np.ndarray) -> float:
    """Least squares of pixels = scale * world + shift over the landmarks that are seen."""
    share = weight / max(weight.sum(), 1e-9)
    a, b = world[:, :2] - share @ world[:, :2], pixels - share @ pixels
    scale = (share[:, None] * a * b).sum() / max((share[:, None] * a * a).sum(), 1e-9)
    if not scale > 0:
        raise PhotoError("the person's landmarks in the image and in space contradict each other")
    return float(scale)


def _window(
    person: Person, camera: Camera, hidden: Bool[np.ndarray, "h w"] | None, side: int
) -> tuple[np.ndarray, np.ndarray, Camera]:
    """The mask on a square window about the person, where it counts, and the window's camera.

    Pixels off the photograph do not count, nor those that an object may hide; the mask's own pixels do in any case.
    """
    left, top, right, bottom = person.box
    width = (1 + 2 * MARGIN) * max(right - left, bottom - top)
    corner = np.array([left + right - width, top + bottom - width]) / 2
    scale = side / width
    finer = int(np.clip(np.ceil(1 / scale), 1, MOST_FINER))  # or pixels between samples have no say
    move = finer * np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]])
    move[:, 2] += 0.5 * finer * scale - 0.5  # array indices are pixels less a half
    counts = np.ones(person.mask.shape) if hidden is None else (~hidden | person.mask).astype(np.float64)
    warped = (cv2.warpAffine(values.astype(np.float32), move, (finer * side,) * 2) for values in (person.mask, counts))
    images = [cv2.resize(values, (side, side), interpolation=cv2.INTER_AREA) for values in warped]
    focal, center = np.asarray(camera.focal), np.asarray(camera.center)
    window = Camera(jnp.asarray(focal * scale, jnp.float32), jnp.asarray((center - corner) * scale, jnp.float32))
    return images[0], images[1], window


_fit_pose = jax.jit(fit_pose, static_argnums=2)
_body_points = jax.jit(body_points)
