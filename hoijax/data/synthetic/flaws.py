"""Known flaws, put into a good sample: the reasons for which a person or an object is thrown out (Open3DHOI, A.1).

Each flaw makes of a sample another one that reads like any: a body in a wrong pose, a mask of something else, a broken
mesh, a photograph in which too little is to be seen. They are drawn strong enough that somebody who looks would refuse
the sample. What was known of the scene beyond the photograph (the annotated object, depth, boxes) is left out.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import pose_body
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.synthetic.library import builtin_templates

HUMAN, OBJECT = "human", "object"
LIMBS = (0, 1, 3, 4, 15, 16, 17, 18)  # rows of HumanPose.body: hips, knees, shoulders, elbows
TURN = (50.0, 110.0)  # degrees by which each of some limbs is off
AWAY = (0.18, 0.4)  # of the person's height, by which a person stands elsewhere
LEFT = (0.1, 0.25)  # share of a mask that is still to be seen of what is too occluded
OTHER_KEEPS = 0.6  # of the other mask, where the frame is moved to cut one
SMALLEST = 64  # pixels a side of what is left of a photograph

Change = Callable[[Sample, str, np.random.Generator], Sample | None]


class Flaw(NamedTuple):
    """What is wrong: with whom (HUMAN or OBJECT), the reason an annotator gives for it, and how it was brought about."""

    who: str
    reason: str
    way: str


def flaws() -> tuple[Flaw, ...]:
    """All that can be made."""
    return tuple(_changes())


def with_flaw(sample: Sample, flaw: Flaw, rng: np.random.Generator) -> Sample:
    """The sample with this flaw. One that this sample cannot have, such as an object cut off by the frame where nothing of
    the person would stay, raises ValueError; so does one that is none of `flaws()`."""
    change = _changes().get(flaw)
    if change is None:
        raise ValueError(f"with_flaw: {flaw}, expected one of {', '.join(map(str, flaws()))}")
    found = change(bare(sample), flaw.who, rng)
    if found is None or not _readable(found):
        raise ValueError(f"{sample.name} cannot have the flaw {flaw.who}, {flaw.reason} ({flaw.way})")
    return found


def bare(sample: Sample) -> Sample:
    """The sample without what a flaw would contradict."""
    return sample._replace(truth=None, depth=None, human_box=None, object_box=None, contact_parts=None)


def _readable(sample: Sample) -> bool:
    """Whether the reader takes it: something in both masks, nothing behind the camera."""
    depth = float(sample.pose.translation[2])
    before = all((mesh.verts[:, 2] + depth > 0).all() for mesh in (sample.human, sample.object))
    return bool(sample.human_mask.any() and sample.object_mask.any() and before)


def _changes() -> dict[Flaw, Change]:
    found: dict[Flaw, Change] = {
        Flaw(HUMAN, "bad human", "posed"): _posed,
        Flaw(HUMAN, "bad human", "moved"): _moved,
        Flaw(OBJECT, "bad mesh", "another"): _another,
    }
    for who in (HUMAN, OBJECT):
        found |= {
            Flaw(who, "bad mask", "eroded"): _eroded,
            Flaw(who, "bad mask", "half"): _half,
            Flaw(who, "bad mask", "elsewhere"): _elsewhere,
            Flaw(who, "bad mesh", "holes"): _holes,
            Flaw(who, "bad mesh", "spikes"): _spikes,
            Flaw(who, "bad mesh", "flattened"): _flattened,
            Flaw(who, "too occluded", "covered"): _covered,
            Flaw(who, "too occluded", "cut"): _cut,
        }
    return found


# Bad human


def _posed(sample: Sample, who: str, rng: np.random.Generator) -> Sample | None:
    """Some limbs turned far. Only for a person who is the built-in body, as others cannot be skinned here."""
    body = builtin_body()
    if len(sample.human.verts) != len(body.template):
        return None
    turns = np.array(sample.pose.body, np.float64)
    for limb in rng.choice(LIMBS, size=int(rng.integers(2, 5)), replace=False):
        axis = rng.normal(size=3)
        turn = Rotation.from_rotvec(np.radians(rng.uniform(*TURN)) * axis / np.linalg.norm(axis))
        turns[limb] = (turn * Rotation.from_rotvec(turns[limb])).as_rotvec()
    pose = sample.pose._replace(body=jnp.asarray(turns, jnp.float32))
    verts = np.asarray(pose_body(body, pose._replace(translation=jnp.zeros(3))).verts, np.float32)
    return sample._replace(pose=pose, human=sample.human._replace(verts=verts))


def _moved(sample: Sample, who: str, rng: np.random.Generator) -> Sample:
    """The person stands elsewhere in the picture, the object where it was: files hold it without `cam_trans`."""
    height = np.ptp(sample.human.verts[:, :2], axis=0).max()
    angle = rng.uniform(0, 2 * np.pi)
    shift = rng.uniform(*AWAY) * height * np.array([np.cos(angle), np.sin(angle), 0.0])
    pose = sample.pose._replace(translation=sample.pose.translation + jnp.asarray(shift, jnp.float32))
    return sample._replace(pose=pose, object=_at(sample.object, sample.object.verts - shift))


# Bad mask


def _eroded(sample: Sample, who: str, rng: np.random.Generator) -> Sample:
    """Only what lies deepest inside of the mask."""
    mask = mask_of(sample, who)
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return _masked(sample, who, depth > np.quantile(depth[mask], rng.uniform(0.55, 0.75)))


def _half(sample: Sample, who: str, rng: np.random.Generator) -> Sample:
    """What lies on one side of a line."""
    mask = mask_of(sample, who)
    return _masked(sample, who, mask & _side(mask, rng.uniform(0.45, 0.65), rng))


def _elsewhere(sample: Sample, who: str, rng: np.random.Generator) -> Sample | None:
    """The mask shifted by its own size; at least half of it stays in the picture."""
    mask = mask_of(sample, who)
    rows, columns = np.nonzero(mask)
    size = np.array([np.ptp(rows) + 1, np.ptp(columns) + 1])
    for _ in range(20):
        angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.0)
        dy, dx = np.round(far * size * [np.sin(angle), np.cos(angle)]).astype(int)
        moved = cv2.warpAffine(mask.astype(np.uint8), np.array([[1.0, 0, dx], [0, 1.0, dy]]), mask.shape[::-1]) > 0
        if moved.sum() > 0.5 * mask.sum() and (moved & mask).sum() < 0.5 * mask.sum():
            return _masked(sample, who, moved)
    return None


# Bad mesh


def _holes(sample: Sample, who: str, rng: np.random.Generator) -> Sample:
    """A third to a half of the triangles are missing, in some places."""
    mesh = mesh_of(sample, who)
    middles = mesh.verts[mesh.faces].mean(1)
    centers = middles[rng.choice(len(middles), size=int(rng.integers(3, 7)))]
    near = np.linalg.norm(middles[:, None] - centers, axis=-1).min(1)
    kept = near >= np.quantile(near, rng.uniform(0.35, 0.5))
    return _meshed(sample, who, mesh._replace(faces=mesh.faces[kept]))


def _spikes(sample: Sample, who: str, rng: np.random.Generator) -> Sample:
    """Cones that stick out of the surface."""
    mesh = mesh_of(sample, who)
    verts = mesh.verts.astype(np.float64)
    middle, size = verts.mean(0), np.ptp(verts, axis=0).max()
    for tip in verts[rng.choice(len(verts), size=int(rng.integers(8, 16)))].copy():
        away = tip - middle
        away = away / max(float(np.linalg.norm(away)), 1e-9) + rng.normal(0, 0.4, 3)
        near = np.exp(-((np.linalg.norm(mesh.verts - tip, axis=1) / (0.03 * size)) ** 2))
        verts += near[:, None] * away * size * rng.uniform(0.25, 0.5)
    return _meshed(sample, who, _at(mesh, verts))


def _flattened(sample: Sample, who: str, rng: np.random.Generator) -> Sample:
    """Squeezed along one of its two longest directions."""
    mesh = mesh_of(sample, who)
    verts = mesh.verts.astype(np.float64)
    middle = verts.mean(0)
    axis = np.linalg.svd(verts - middle, full_matrices=False)[2][int(rng.integers(2))]
    along = (verts - middle) @ axis
    return _meshed(sample, who, _at(mesh, verts - rng.uniform(0.8, 0.92) * along[:, None] * axis))


def _another(sample: Sample, who: str, rng: np.random.Generator) -> Sample:
    """The object of another category, as large and in the same place."""
    library = {category: makers for category, makers in builtin_templates().items() if category != sample.category}
    makers = library[list(library)[int(rng.integers(len(library)))]]
    other = makers[int(rng.integers(len(makers)))]()
    verts = other.verts @ Rotation.from_euler("yx", [rng.uniform(0, 360), 180], degrees=True).as_matrix().T
    low, high = verts.min(0), verts.max(0)
    start = sample.object.verts
    scale = np.ptp(start, axis=0).max() / (high - low).max()
    verts = (verts - (low + high) / 2) * scale + (start.min(0) + start.max(0)) / 2
    return sample._replace(object=_at(other, verts))


# Too occluded


def _covered(sample: Sample, who: str, rng: np.random.Generator) -> Sample:
    """Something straight and of one colour stands before most of it; behind the other, where it would hide that too."""
    mask, other = mask_of(sample, who), mask_of(sample, _other(who))
    rows, columns = np.nonzero(mask)
    region = np.zeros_like(mask)
    margin = round(0.03 * max(mask.shape))
    top, left = max(0, rows.min() - margin), max(0, columns.min() - margin)
    region[top : rows.max() + 1 + margin, left : columns.max() + 1 + margin] = True
    region &= _side(mask, 1 - rng.uniform(*LEFT), rng)
    if (other & ~region).sum() < OTHER_KEEPS * other.sum():
        region &= ~other
    image = sample.image.copy()
    colors = rng.integers(30, 225, 3) + rng.normal(0, 6, (int(region.sum()), 3))
    image[region] = np.clip(colors, 0, 255).astype(np.uint8)
    shown = _masked(sample._replace(image=image), who, mask & ~region)
    return _masked(shown, _other(who), other & ~region)


def _cut(sample: Sample, who: str, rng: np.random.Generator) -> Sample | None:
    """The frame cuts most of it, at the side where most of the other stays. None where too little would."""
    mask, other, left = mask_of(sample, who), mask_of(sample, _other(who)), rng.uniform(*LEFT)
    h, w = mask.shape
    best: tuple[float, tuple[int, int, int, int]] | None = None
    for axis in (0, 1):
        share = np.cumsum(mask.sum(1 - axis)) / mask.sum()
        low, high = int(np.searchsorted(share, left)) + 1, int(np.searchsorted(share, 1 - left)) + 1
        for begin, end in ((0, low), (high, mask.shape[axis])):
            box = (begin, 0, end, w) if axis == 0 else (0, begin, h, end)
            inside = np.s_[box[0] : box[2], box[1] : box[3]]
            keeps = float(other[inside].sum() / other.sum())
            if end - begin >= SMALLEST and mask[inside].any() and (best is None or keeps > best[0]):
                best = keeps, box
    return None if best is None or best[0] < OTHER_KEEPS else cropped(sample, best[1])


def cropped(sample: Sample, box: tuple[int, int, int, int]) -> Sample:
    """The rows and columns (top, left, bottom, right) of the photograph, its masks and camera with it."""
    top, left, bottom, right = box
    inside = np.s_[top:bottom, left:right]
    camera = sample.camera._replace(center=sample.camera.center - jnp.asarray([left, top], jnp.float32))
    return sample._replace(
        image=sample.image[inside].copy(),
        human_mask=sample.human_mask[inside].copy(),
        object_mask=sample.object_mask[inside].copy(),
        camera=camera,
    )


def mask_of(sample: Sample, who: str) -> Bool[np.ndarray, "h w"]:
    """The mask of HUMAN or OBJECT."""
    return sample.human_mask if who == HUMAN else sample.object_mask


def mesh_of(sample: Sample, who: str) -> ColoredMesh:
    """The mesh of HUMAN or OBJECT."""
    return sample.human if who == HUMAN else sample.object


def _other(who: str) -> str:
    return OBJECT if who == HUMAN else HUMAN


def _masked(sample: Sample, who: str, mask: Bool[np.ndarray, "h w"]) -> Sample:
    return sample._replace(human_mask=mask) if who == HUMAN else sample._replace(object_mask=mask)


def _meshed(sample: Sample, who: str, mesh: ColoredMesh) -> Sample:
    return sample._replace(human=mesh) if who == HUMAN else sample._replace(object=mesh)


def _at(mesh: ColoredMesh, verts: Float[np.ndarray, "v 3"]) -> ColoredMesh:
    return mesh._replace(verts=verts.astype(np.float32))


def _side(mask: Bool[np.ndarray, "h w"], share: float, rng: np.random.Generator) -> Bool[np.ndarray, "h w"]:
    """The pixels of the image on one side of a line of random direction, where this share of the mask lies."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.indices(mask.shape)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    return along <= np.quantile(along[mask], share)
