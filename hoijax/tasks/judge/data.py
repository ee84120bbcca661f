"""What the judge sees of a sample: what an annotator sees. The photograph with masks and silhouettes, points, numbers."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from scipy.spatial import cKDTree

from hoijax.data.sample import Sample
from hoijax.metrics.image import mask_iou, projected_mask
from hoijax.tasks.contact.data import surface_points
from hoijax.types import Camera

WHO = ("human", "object")
PICTURE = 64  # pixels a side
LONG_SIDE = 256  # pixels: larger photographs are looked at in this size
FARTHEST = 5.0  # metres from the human's middle: points beyond stand there
SCHEMA = 1  # raised when `judge_input` makes something else of the same sample
SCALARS = (
    *("iou human", "iou object"),
    *("human outside masks", "object outside masks"),
    *("human mask uncovered", "object mask uncovered"),
    *("log human mask", "log object mask"),
    *("log human seen", "log object seen"),
    *("human mask at border", "object mask at border"),
    *("log size ratio", "gap", "distance"),
)


class JudgeInput(NamedTuple):
    """One example. `picture`: RGB, the masks of human and object, the silhouettes of their meshes, in [0, 1]. Points in
    metres about the human's middle, camera axes. `scalars`: as named by `SCALARS`."""

    picture: Float[Array | np.ndarray, "*b h w 7"]
    human: Float[Array | np.ndarray, "*b n 3"]
    object: Float[Array | np.ndarray, "*b m 3"]
    scalars: Float[Array | np.ndarray, "*b k"]


class Examples(NamedTuple):
    """n samples, on the host. `labels`: of human and object, 1 good, 0 not, NaN where nobody said. `sources`: names that
    decide the split; copies of one scene share one."""

    names: tuple[str, ...]
    sources: tuple[str, ...]
    given: JudgeInput
    labels: Float[np.ndarray, "n 2"]


class Seen(NamedTuple):
    """A sample in the size at which it is looked at, and the silhouettes of its meshes."""

    sample: Sample
    human: Bool[np.ndarray, "h w"]
    object: Bool[np.ndarray, "h w"]


def judge_input(sample: Sample, points: int = 256, seed: int = 0) -> JudgeInput:
    """A sample as the judge takes it. The object is the coarse one, as the filter shows it."""
    there = seen(sample)
    clouds = [surface_points(mesh, points, seed + k) for k, mesh in enumerate((sample.human, sample.object))]
    middle = np.median(clouds[0], axis=0)
    human, thing = (np.clip(cloud - middle, -FARTHEST, FARTHEST).astype(np.float32) for cloud in clouds)
    return JudgeInput(picture(there), human, thing, scalars(there))


def seen(sample: Sample) -> Seen:
    """The sample at most `LONG_SIDE` pixels long, with silhouettes of meshes that project anywhere."""
    h, w = sample.human_mask.shape
    factor = min(1.0, LONG_SIDE / max(h, w))
    size = max(1, round(w * factor)), max(1, round(h * factor))
    scale = np.array([size[0] / w, size[1] / h])

    def small(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "a b"]:
        return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5

    focal, center = (jnp.asarray(np.asarray(value) * scale, jnp.float32) for value in sample.camera)
    offset = np.asarray(sample.pose.translation, np.float64)
    looked = sample._replace(
        image=cv2.resize(sample.image, size, interpolation=cv2.INTER_AREA),
        human_mask=small(sample.human_mask),
        object_mask=small(sample.object_mask),
        camera=Camera(focal, center),
    )
    silhouettes = (
        projected_mask(mesh.verts.astype(np.float64) + offset, mesh.faces, looked.camera, (size[1], size[0]))
        for mesh in (sample.human, sample.object)
    )
    return Seen(looked, *silhouettes)


def picture(there: Seen) -> Float[np.ndarray, "64 64 7"]:
    """The square around masks and silhouettes; beyond the photograph all channels are 0."""
    sample = there.sample
    masks = (sample.human_mask, sample.object_mask, there.human, there.object)
    some = np.logical_or.reduce(masks)
    if not some.any():  # masks that vanish in the small picture, meshes outside of it: the whole photograph
        some = np.ones_like(some)
    rows, columns = np.nonzero(some)
    side = 1.1 * max(np.ptp(rows) + 1, np.ptp(columns) + 1)
    corner = np.array([columns.min() + columns.max() + 1, rows.min() + rows.max() + 1]) / 2 - side / 2
    layers = np.dstack([sample.image / 255.0, *masks]).astype(np.float32)
    scale = PICTURE / side
    place = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
    smooth = cv2.GaussianBlur(layers, (0, 0), max(0.01, 0.4 / scale))  # so that fewer pixels show no false patterns
    moved = [cv2.warpAffine(part, place, (PICTURE, PICTURE)) for part in (smooth[..., :4], smooth[..., 4:])]
    return np.concatenate(moved, -1).astype(np.float32)


def scalars(there: Seen) -> Float[np.ndarray, " k"]:
    """Plain numbers that say much, in the order of `SCALARS`; all finite.

    "outside masks": share of the silhouette where neither mask is. "mask uncovered": share of the mask where neither
    silhouette is. "seen": area of the mask over that of the silhouette. "border": pixels of the mask at the edge of
    the photograph over the root of its area. "gap": least distance of vertices, metres, at most 1.
    """
    sample = there.sample
    masks, silhouettes = (sample.human_mask, sample.object_mask), (there.human, there.object)
    either, shown = masks[0] | masks[1], silhouettes[0] | silhouettes[1]
    areas = [float(mask.sum()) + 1 for mask in masks]
    edge = np.ones_like(either)
    edge[1:-1, 1:-1] = False
    found = [
        *(np.nan_to_num(mask_iou(silhouettes[k], masks[k], ignore=masks[1 - k])) for k in (0, 1)),
        *(float((s & ~either).sum() / (s.sum() + 1)) for s in silhouettes),
        *(float((m & ~shown).sum() / area) for m, area in zip(masks, areas)),
        *(np.log(area / either.size) for area in areas),
        *(np.log(area / (s.sum() + 1)) for s, area in zip(silhouettes, areas)),
        *(float((m & edge).sum() / np.sqrt(area)) for m, area in zip(masks, areas)),
    ]
    human, thing = sample.human.verts, sample.object.verts
    sizes = [float(np.ptp(verts, axis=0).max()) + 1e-6 for verts in (human, thing)]
    gap = float(cKDTree(thing).query(human[:: max(1, len(human) // 4000)])[0].min())
    apart = float(np.linalg.norm(np.median(human, axis=0) - np.median(thing, axis=0)))
    found += [np.clip(np.log(sizes[1] / sizes[0]), -4, 4), min(gap, 1.0), min(apart / sizes[0], 4.0)]
    return np.array(found, np.float32)


def stacked(given: Sequence[JudgeInput]) -> JudgeInput:
    """One input of many, with a leading axis."""
    return JudgeInput(*(np.stack([np.asarray(field) for field in fields]) for fields in zip(*given)))


def item_labels(labels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
    """Of items: 0 where either is not good, 1 where both are, NaN where that is not known."""
    found = np.where(np.isfinite(labels).all(1), 1.0, np.nan)
    found[(labels == 0).any(1)] = 0.0
    return found


def subset(examples: Examples, chosen: Sequence[int] | np.ndarray) -> Examples:
    """Some of the examples, by index or by a mask."""
    index = np.asarray(chosen)
    index = np.flatnonzero(index) if index.dtype == bool else index.astype(int)
    given = JudgeInput(*(np.asarray(field)[index] for field in examples.given))
    names, sources = (tuple(values[k] for k in index) for values in (examples.names, examples.sources))
    return Examples(names, sources, given, examples.labels[index])


def augmented(given: JudgeInput, rng: np.random.Generator) -> JudgeInput:
    """Other examples that deserve the same judgement: half of them mirrored, clouds turned a little about the vertical,
    light changed a little. The numbers stay what they are."""
    count = len(given.scalars)
    flip = rng.random(count) < 0.5
    c, s = np.cos(angle := rng.uniform(-0.3, 0.3, count)), np.sin(angle)
    o, i = np.zeros(count), np.ones(count)
    turn = np.stack([np.stack(row, -1) for row in ((c, o, s), (o, i, o), (-s, o, c))], -2)
    turn[flip, :, 0] *= -1
    human, thing = (
        (np.einsum("nij,npj->npi", turn, np.asarray(cloud)) + rng.normal(0, 0.003, cloud.shape)).astype(np.float32)
        for cloud in (given.human, given.object)
    )
    image = np.array(given.picture, np.float32)
    image[flip] = image[flip, :, ::-1]
    image[..., :3] *= rng.uniform(0.8, 1.2, (count, 1, 1, 3))
    return JudgeInput(image, human, thing, given.scalars)
