"""Samples of the built-in scenes: solved, photographed, labelled, and given a coarse start that is off as real ones are."""

from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.body.outfit import Outfit, outfit_rgb
from hoijax.body.parts import PART_NAMES
from hoijax.body.smplx import PARENTS, pose_body, with_joint_rotvecs, zero_pose
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.synthetic.draw import View, picture
from hoijax.data.synthetic.figure import Figure, Placed, Stance, init_figure
from hoijax.data.synthetic.reach import signed_distance
from hoijax.data.synthetic.scenes import DESIGNS, Design, solved
from hoijax.data.synthetic.surroundings import Surroundings
from hoijax.types import Body, Camera, HumanPose

SIZE = 512  # pixels
CONTACT = 0.02  # metres: a part with a vertex nearer than this to the object's surface touches it
DEEPEST, WIDEST = 0.008, 0.009  # metres: how deep a vertex may be inside the object, how far off a part that touches it
ATTEMPTS = 8  # people drawn for a seed until one fits
RAY_SHIFT = (0.15, 0.40)  # metres along the ray by which a coarse object is off, either way
SIDE_SHIFT = 0.04  # metres across it, at most; less for small objects
SCALE = (1.08, 1.30)  # factor by which it is too large or too small
TURN = (8.0, 20.0)  # degrees by which it is turned
LOOSE = np.isin(np.arange(len(PARENTS)), (3, 6, 9, 12, 15, 16, 17, 18, 19))  # joints that other seeds unsettle


class Variation(NamedTuple):
    """What a seed decides. Seed 0 keeps the design's own person, clothes and camera."""

    shape: Float[np.ndarray, "10"]
    noise: Float[np.ndarray, "55 3"]
    outfit: Outfit
    yaw: float
    pitch: float
    distance: float
    wall_tint: Float[np.ndarray, "3"]
    texture_seed: int


class _Found(NamedTuple):
    """A person in touch with an object, in the world frame; `rng` goes on with what is still to be drawn."""

    varied: Variation
    figure: Figure
    stance: Stance
    placed: Placed
    thing: ColoredMesh
    rng: np.random.Generator


def scene_names() -> tuple[str, ...]:
    """Names of the built-in scenes."""
    return tuple(DESIGNS)


def sample_folder(name: str, seed: int = 0) -> Path:
    """Where a scene belongs in a tree of samples: <category>/<action>_<seed>."""
    design = DESIGNS[name]
    return Path(design.category) / f"{design.action.replace(' ', '_')}_{seed}"


def synthetic_sample(name: str, seed: int = 0) -> Sample:
    """One built-in scene as a sample of 512 x 512 pixels; equal arguments give equal bytes.

    Seed 0 is the scene as designed. Other seeds vary the person's shape and clothes, the pose a little, the camera and
    the error of the coarse object. `truth` holds the object as it is; `contact_parts` are those of the parts that the
    scene is about which come within 2 cm of it. No vertex lies deeper than 8 mm in the object, and every part that holds
    or carries it is within 9 mm of it; people for whom that fails are drawn again.

    Raises: ValueError for an unknown name; RuntimeError where nobody fits.
    """
    if name not in DESIGNS:
        raise ValueError(f"scene {name!r}: expected one of {', '.join(DESIGNS)}")
    design, body = DESIGNS[name], builtin_body()
    found = _fitting(name, seed, body)
    view, around = _camera(design, found.varied, np.concatenate([found.placed.verts, found.thing.verts]))
    pose = _pose(found, view)
    posed = np.asarray(pose_body(body, pose._replace(translation=jnp.zeros(3))).verts, np.float64)
    human = ColoredMesh(posed, found.figure.faces, outfit_rgb(body, found.figure.parts, found.varied.outfit))
    offset = np.asarray(pose.translation, np.float64)
    truth = found.thing._replace(verts=found.thing.verts @ view.rotation.T + view.translation - offset)
    seen_human = human._replace(verts=(posed + offset - view.translation) @ view.rotation)
    shot = picture([seen_human, found.thing], view, around, SIZE)
    masks = [shot.visible == k for k in range(2)]
    gaps = part_gaps(posed, found.figure.parts, truth)
    return Sample(
        name=sample_folder(name, seed).as_posix(),
        folder=sample_folder(name, seed),
        image=shot.image,
        human_mask=masks[0],
        object_mask=masks[1],
        camera=view.camera,
        pose=pose,
        human=human,
        object=_coarse(truth, offset, found.rng),
        truth=truth,
        depth=shot.depth,
        human_box=_box(masks[0]),
        object_box=_box(masks[1]),
        contact_parts=tuple(part for part in design.contact_parts + design.near_parts if gaps[part] < CONTACT),
        category=design.category,
        action=design.action,
    )


def _fitting(name: str, seed: int, body: Body) -> _Found:
    """The first person drawn for a seed who touches the object as meant. Raises RuntimeError when there is none."""
    design = DESIGNS[name]
    faults: list[str] = []
    for attempt in range(ATTEMPTS):
        rng = np.random.default_rng([list(DESIGNS).index(name), seed, attempt])
        varied = _variation(design, seed, rng)
        figure = init_figure(body, varied.shape)
        placed, stance, thing = solved(design, figure, varied.noise)
        faults = contact_faults(design, placed.verts, figure.parts, thing)
        if not faults:
            return _Found(varied, figure, stance, placed, thing, rng)
    raise RuntimeError(f"scene {name!r}, seed {seed}: {ATTEMPTS} people tried, the last with {'; '.join(faults)}")


def _variation(design: Design, seed: int, rng: np.random.Generator) -> Variation:
    shape = np.zeros(10)
    shape[: len(design.shape)] = design.shape
    tint = np.array(design.tint)
    designed = Variation(
        shape, np.zeros((55, 3)), design.outfit, design.yaw, design.pitch, rng.uniform(24, 30), tint, seed
    )
    if seed == 0:
        return designed
    colors = rng.uniform(0.15, 0.85, (3, 3))
    colors = 0.6 * colors + 0.4 * colors.mean(1, keepdims=True)  # cloth is rarely of pure hue
    outfit = Outfit(
        skin=tuple(np.array(design.outfit.skin) * rng.uniform(0.55, 1.1)),
        hair=tuple(np.array(design.outfit.hair) * rng.uniform(0.4, 1.8)),
        eyes=design.outfit.eyes,
        shirt=tuple(colors[0]),
        trousers=tuple(0.6 * colors[1]),
        shoes=tuple(0.6 * colors[2]),
    )
    return designed._replace(
        shape=rng.normal(0, 0.6, 10),
        noise=np.radians(rng.normal(0, 2.0, (55, 3))) * LOOSE[:, None],
        outfit=outfit,
        yaw=design.yaw + rng.uniform(-18, 18),
        pitch=design.pitch + rng.uniform(-2, 3),
        distance=rng.uniform(20, 40),
        wall_tint=np.clip(tint * rng.uniform(0.92, 1.08, 3), 0, 1),
    )


def _camera(design: Design, varied: Variation, verts: Float[np.ndarray, "n 3"]) -> tuple[View, Surroundings]:
    """A long lens at `distance` that sees everything, and the floor, wall and sun that go with it."""
    yaw, pitch = np.radians([varied.yaw, varied.pitch])
    back = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    right = np.array([np.cos(yaw), 0, -np.sin(yaw)])
    down = np.cross(-back, right)
    rotation = np.stack([right, down, -back])
    local = verts @ rotation.T
    low, high = local.min(0), local.max(0)
    middle, extent = (low + high) / 2, np.max((high - low)[:2])
    focal = design.extent * SIZE * varied.distance / extent
    view = View(Camera(jnp.full(2, focal), jnp.full(2, SIZE / 2)), rotation, np.array([0, 0, varied.distance]) - middle)
    level = back * [1, 0, 1] / np.linalg.norm(back[[0, 2]])
    behind = -(verts @ level).min() + 1.1
    sun = -0.5 * right + [0, 0.8, 0] + 0.6 * level
    around = Surroundings(
        floor=design.floor,
        wall=design.wall,
        wall_normal=level,
        wall_distance=float(behind),
        sun=sun / np.linalg.norm(sun),
        sun_rgb=np.array([1.0, 0.96, 0.88]),
        sky_rgb=np.array([0.92, 0.96, 1.04]),
        tint=varied.wall_tint,
        seed=varied.texture_seed,
    )
    return view, around


def _pose(found: _Found, view: View) -> HumanPose:
    """The stance as SMPL-X parameters in the camera frame; the model turns about the root joint of the rest pose."""
    local = found.stance.local.copy()
    local[0] = view.rotation @ local[0]
    rotvecs = jnp.asarray(Rotation.from_matrix(local).as_rotvec(), jnp.float32)
    shift = view.rotation @ found.stance.root + view.translation - found.figure.joints[0]
    shape, translation = (jnp.asarray(x, jnp.float32) for x in (found.varied.shape, shift))
    return with_joint_rotvecs(zero_pose(), rotvecs)._replace(shape=shape, translation=translation)


def _coarse(truth: ColoredMesh, offset: Float[np.ndarray, "3"], rng: np.random.Generator) -> ColoredMesh:
    """The object off by a similarity about its mean: s R (x - m) + m + t, t mostly along the ray."""
    middle = truth.verts.mean(0)
    ray = (middle + offset) / np.linalg.norm(middle + offset)
    across = np.cross(ray, _direction(rng))
    sign = rng.choice([-1.0, 1.0], 2)
    size = float(np.linalg.norm(np.ptp(truth.verts, axis=0)))
    side = rng.uniform(0.3, 1) * min(SIDE_SHIFT, 0.1 * size)
    shift = sign[0] * rng.uniform(*RAY_SHIFT) * ray + side * across / np.linalg.norm(across)
    scale = np.exp(sign[1] * rng.uniform(*np.log(SCALE)))
    turn = Rotation.from_rotvec(np.radians(rng.uniform(*TURN)) * _direction(rng))
    return truth._replace(verts=scale * turn.apply(truth.verts - middle) + middle + shift)


def _direction(rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)


def _box(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "4"]:
    """x0 y0 x1 y1 around a mask, pixels."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def contact_faults(
    design: Design, verts: Float[np.ndarray, "v 3"], parts: Int[np.ndarray, " v"], thing: ColoredMesh
) -> list[str]:
    """What is not physical about a person and an object: vertices deep inside, or a part that should touch apart."""
    gaps = part_gaps(verts, parts, thing)
    deepest = min(gaps.values())
    inside = [f"a vertex {-100 * deepest:.1f} cm inside the object"] if deepest < -DEEPEST else []
    apart = [part for part in design.contact_parts if gaps[part] > WIDEST]
    return inside + [f"{part} {100 * gaps[part]:.1f} cm off the object" for part in apart]


def part_gaps(verts: Float[np.ndarray, "v 3"], parts: Int[np.ndarray, " v"], thing: ColoredMesh) -> dict[str, float]:
    """Least signed distance of each part's vertices to the object's surface, metres, negative inside."""
    distance, _ = signed_distance(verts, thing)
    least = np.full(len(PART_NAMES), np.inf)
    np.minimum.at(least, parts, distance)
    return dict(zip(PART_NAMES, least.tolist()))
