"""From a design and a drawn person to a picture with exact truth: what all built-in scenes are made by."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial.transform import Rotation

from hoijax.body.outfit import Outfit, outfit_rgb
from hoijax.body.parts import PART_NAMES
from hoijax.body.smplx import pose_body, with_joint_rotvecs, zero_pose
from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic.draw import Picture, View, picture
from hoijax.data.synthetic.figure import Figure, Placed, Stance, init_figure
from hoijax.data.synthetic.reach import signed_distance
from hoijax.data.synthetic.scenes import Design, solved
from hoijax.data.synthetic.surroundings import Surroundings
from hoijax.types import Body, Camera, HumanPose

SIZE = 512  # pixels
WIDEST = 0.009  # metres: how far off a part that touches the object may be
ATTEMPTS = 8  # people drawn for a seed until one fits


class Variation(NamedTuple):
    """What a seed decides: the person's shape and clothes, how the joints are unsettled, the camera, the wall."""

    shape: Float[np.ndarray, "10"]
    noise: Float[np.ndarray, "55 3"]
    outfit: Outfit
    yaw: float
    pitch: float
    distance: float
    wall_tint: Float[np.ndarray, "3"]
    texture_seed: int


class Light(NamedTuple):
    """The sun's direction along the camera's right, up, and towards the camera; colours of sun and sky."""

    across: float
    up: float
    front: float
    sun_rgb: tuple[float, float, float]
    sky_rgb: tuple[float, float, float]


class Found(NamedTuple):
    """A person in touch with an object, in the world frame; `rng` goes on with what is still to be drawn."""

    varied: Variation
    figure: Figure
    stance: Stance
    placed: Placed
    thing: ColoredMesh
    rng: np.random.Generator


class Shot(NamedTuple):
    """The scene as a camera sees it. Meshes in the camera frame without `pose.translation`; masks of what is visible."""

    picture: Picture
    camera: Camera
    pose: HumanPose
    human: ColoredMesh
    truth: ColoredMesh
    human_mask: Bool[np.ndarray, "h w"]
    object_mask: Bool[np.ndarray, "h w"]
    gaps: dict[str, float]


DAYLIGHT = Light(-0.5, 0.8, 0.6, (1.0, 0.96, 0.88), (0.92, 0.96, 1.04))


def fitting(
    title: str, design: Design, body: Body, drawn: Callable[[int], tuple[Variation, np.random.Generator]]
) -> Found:
    """The first person drawn who touches the object as meant. Raises RuntimeError, by `title`, when there is none."""
    faults: list[str] = []
    for attempt in range(ATTEMPTS):
        varied, rng = drawn(attempt)
        figure = init_figure(body, varied.shape)
        placed, stance, thing = solved(design, figure, varied.noise)
        faults = contact_faults(design, placed.verts, figure.parts, thing)
        if not faults:
            return Found(varied, figure, stance, placed, thing, rng)
    raise RuntimeError(f"{title}: {ATTEMPTS} people tried, the last with {'; '.join(faults)}")


def shot(design: Design, body: Body, found: Found, light: Light) -> Shot:
    """The picture of a person and an object, and where both are before its camera."""
    view, around = _camera(design, found.varied, np.concatenate([found.placed.verts, found.thing.verts]), light)
    pose = _pose(found, view)
    posed = np.asarray(pose_body(body, pose._replace(translation=jnp.zeros(3))).verts, np.float64)
    human = ColoredMesh(posed, found.figure.faces, outfit_rgb(body, found.figure.parts, found.varied.outfit))
    offset = np.asarray(pose.translation, np.float64)
    truth = found.thing._replace(verts=found.thing.verts @ view.rotation.T + view.translation - offset)
    seen_human = human._replace(verts=(posed + offset - view.translation) @ view.rotation)
    taken = picture([seen_human, found.thing], view, around, SIZE)
    human_mask, object_mask = (taken.visible == k for k in range(2))
    gaps = part_gaps(posed, found.figure.parts, truth)
    return Shot(taken, view.camera, pose, human, truth, human_mask, object_mask, gaps)


def _camera(
    design: Design, varied: Variation, verts: Float[np.ndarray, "n 3"], light: Light
) -> tuple[View, Surroundings]:
    """A long lens at `distance` aimed at the scene, and the floor, wall and sun that go with it."""
    yaw, pitch = np.radians([varied.yaw, varied.pitch])
    back = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    right = np.array([np.cos(yaw), 0, -np.sin(yaw)])
    down = np.cross(-back, right)
    rotation = np.stack([right, down, -back])
    local = verts @ rotation.T
    low, high = local.min(0), local.max(0)
    middle, extent = (low + high) / 2, np.max((high - low)[:2])
    middle[:2] += np.array(design.aim) * (high - low)[:2] / 2
    focal = design.extent * SIZE * varied.distance / extent
    view = View(Camera(jnp.full(2, focal), jnp.full(2, SIZE / 2)), rotation, np.array([0, 0, varied.distance]) - middle)
    level = back * [1, 0, 1] / np.linalg.norm(back[[0, 2]])
    behind = -(verts @ level).min() + 1.1
    sun = light.across * right + [0, light.up, 0] + light.front * level
    around = Surroundings(
        floor=design.floor,
        wall=design.wall,
        wall_normal=level,
        wall_distance=float(behind),
        sun=sun / np.linalg.norm(sun),
        sun_rgb=np.array(light.sun_rgb),
        sky_rgb=np.array(light.sky_rgb),
        tint=varied.wall_tint,
        seed=varied.texture_seed,
    )
    return view, around


def _pose(found: Found, view: View) -> HumanPose:
    """The stance as SMPL-X parameters in the camera frame; the model turns about the root joint of the rest pose."""
    local = found.stance.local.copy()
    local[0] = view.rotation @ local[0]
    rotvecs = jnp.asarray(Rotation.from_matrix(local).as_rotvec(), jnp.float32)
    shift = view.rotation @ found.stance.root + view.translation - found.figure.joints[0]
    shape, translation = (jnp.asarray(x, jnp.float32) for x in (found.varied.shape, shift))
    return with_joint_rotvecs(zero_pose(), rotvecs)._replace(shape=shape, translation=translation)


def mask_box(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "4"]:
    """x0 y0 x1 y1 around a mask, pixels."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def contact_faults(
    design: Design, verts: Float[np.ndarray, "v 3"], parts: Int[np.ndarray, " v"], thing: ColoredMesh
) -> list[str]:
    """What is not physical about a person and an object: vertices deep inside, or a part that should touch apart."""
    gaps = part_gaps(verts, parts, thing)
    deepest = min(gaps.values())
    inside = [f"a vertex {-100 * deepest:.1f} cm inside the object"] if deepest < -design.soft else []
    apart = [part for part in design.contact_parts if gaps[part] > WIDEST]
    return inside + [f"{part} {100 * gaps[part]:.1f} cm off the object" for part in apart]


def part_gaps(verts: Float[np.ndarray, "v 3"], parts: Int[np.ndarray, " v"], thing: ColoredMesh) -> dict[str, float]:
    """Least signed distance of each part's vertices to the object's surface, metres, negative inside."""
    distance, _ = signed_distance(verts, thing)
    least = np.full(len(PART_NAMES), np.inf)
    np.minimum.at(least, parts, distance)
    return dict(zip(PART_NAMES, least.tolist()))
