"""Samples of the six built-in scenes: photographed, labelled, and given a coarse start that is off as real ones are."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.body.outfit import Outfit
from hoijax.body.smplx import PARENTS
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.synthetic.compose import DAYLIGHT, Variation, fitting, mask_box, shot
from hoijax.data.synthetic.scenes import DESIGNS, Design

CONTACT = 0.02  # metres: a part with a vertex nearer than this to the object's surface touches it
RAY_SHIFT = (0.15, 0.40)  # metres along the ray by which a coarse object is off, either way
SIDE_SHIFT = 0.04  # metres across it, at most; less for small objects
SCALE = (1.08, 1.30)  # factor by which it is too large or too small
TURN = (8.0, 20.0)  # degrees by which it is turned
LOOSE = np.isin(np.arange(len(PARENTS)), (3, 6, 9, 12, 15, 16, 17, 18, 19))  # joints that other seeds unsettle


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

    def drawn(attempt: int) -> tuple[Variation, np.random.Generator]:
        rng = np.random.default_rng([list(DESIGNS).index(name), seed, attempt])
        return _variation(design, seed, rng), rng

    found = fitting(f"scene {name!r}, seed {seed}", design, body, drawn)
    seen = shot(design, body, found, DAYLIGHT)
    return Sample(
        name=sample_folder(name, seed).as_posix(),
        folder=sample_folder(name, seed),
        image=seen.picture.image,
        human_mask=seen.human_mask,
        object_mask=seen.object_mask,
        camera=seen.camera,
        pose=seen.pose,
        human=seen.human,
        object=_coarse(seen.truth, np.asarray(seen.pose.translation, np.float64), found.rng),
        truth=seen.truth,
        depth=seen.picture.depth,
        human_box=mask_box(seen.human_mask),
        object_box=mask_box(seen.object_mask),
        contact_parts=tuple(part for part in design.contact_parts + design.near_parts if seen.gaps[part] < CONTACT),
        category=design.category,
        action=design.action,
    )


def _variation(design: Design, seed: int, rng: np.random.Generator) -> Variation:
    """Seed 0 keeps the design's own person, clothes and camera."""
    shape = np.zeros(10)
    shape[: len(design.shape)] = design.shape
    tint = np.array(design.tint)
    designed = Variation(
        shape, np.zeros((55, 3)), design.outfit, design.yaw, design.pitch, rng.uniform(24, 30), tint, seed
    )
    if seed == 0:
        return designed
    outfit = drawn_outfit(design.outfit, rng)
    return designed._replace(
        shape=rng.normal(0, 0.6, 10),
        noise=np.radians(rng.normal(0, 2.0, (55, 3))) * LOOSE[:, None],
        outfit=outfit,
        yaw=design.yaw + rng.uniform(-18, 18),
        pitch=design.pitch + rng.uniform(-2, 3),
        distance=rng.uniform(20, 40),
        wall_tint=np.clip(tint * rng.uniform(0.92, 1.08, 3), 0, 1),
    )


def drawn_outfit(designed: Outfit, rng: np.random.Generator) -> Outfit:
    """Clothes of any colour, skin and hair lighter or darker than designed."""
    colors = rng.uniform(0.15, 0.85, (3, 3))
    colors = 0.6 * colors + 0.4 * colors.mean(1, keepdims=True)  # cloth is rarely of pure hue
    return Outfit(
        skin=tuple(np.array(designed.skin) * rng.uniform(0.55, 1.1)),
        hair=tuple(np.array(designed.hair) * rng.uniform(0.4, 1.8)),
        eyes=designed.eyes,
        shirt=tuple(colors[0]),
        trousers=tuple(0.6 * colors[1]),
        shoes=tuple(0.6 * colors[2]),
    )


def _coarse(truth: ColoredMesh, offset: Float[np.ndarray, "3"], rng: np.random.Generator) -> ColoredMesh:
    """The object off by a similarity about its mean: s R (x - m) + m + t, t mostly along the ray."""
    middle = truth.verts.mean(0)
    ray = (middle + offset) / np.linalg.norm(middle + offset)
    across = np.cross(ray, direction(rng))
    sign = rng.choice([-1.0, 1.0], 2)
    size = float(np.linalg.norm(np.ptp(truth.verts, axis=0)))
    side = rng.uniform(0.3, 1) * min(SIDE_SHIFT, 0.1 * size)
    shift = sign[0] * rng.uniform(*RAY_SHIFT) * ray + side * across / np.linalg.norm(across)
    scale = np.exp(sign[1] * rng.uniform(*np.log(SCALE)))
    turn = Rotation.from_rotvec(np.radians(rng.uniform(*TURN)) * direction(rng))
    return truth._replace(verts=scale * turn.apply(truth.verts - middle) + middle + shift)


def direction(rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    """A unit vector, all directions equally likely."""
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)
