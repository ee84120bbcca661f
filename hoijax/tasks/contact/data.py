"""Examples of contact for the network: points on human and object, a picture or a CLIP feature, the parts that touch."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import jax
import numpy as np
import trimesh
from jaxtyping import Bool, Float

from hoijax.body.parts import PART_NAMES
from hoijax.data.layout import load_bytes, sample_name
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.tasks.contact.net import ContactInput, ContactNetConfig, groups_of
from hoijax.tasks.contact.parts import sample_gaps

SPLITS = ("train", "validation", "test")
SHARES = (0.7, 0.15, 0.15)
PICTURE = 64  # pixels a side
FEATURE_FILE = "clip.npy"
MIRROR = tuple(
    PART_NAMES.index(name.replace("left", "right") if "left" in name else name.replace("right", "left"))
    for name in PART_NAMES
)


@dataclass(frozen=True)
class ExampleOptions:
    """What an example is made of.

    `object`: "truth", the annotated object (the coarse start where there is none, if only to predict), or "start", the
    coarse start, as a reconstruction gives it. `points`: on each cloud. `feature`: length of the CLIP feature; 0: a
    picture instead.
    """

    object: str = "truth"
    points: int = 512
    feature: int = 0


class Examples(NamedTuple):
    """Everything of n samples, on the host. `labels`: which of `PART_NAMES` touch; `gaps`: how far each part is off the
    object (metres, negative inside), for comparison, and for the networks that look at it."""

    names: tuple[str, ...]
    given: ContactInput
    labels: Bool[np.ndarray, "n 34"]
    gaps: Float[np.ndarray, "n 34"]


def split_of(name: str, by: str = "sample") -> str:
    """The split that a sample belongs to, for good: a hash of its name decides, not which others there are.

    name: its folder, or what a tree calls it. Only category and folder count (`ball/hold_3`), so that a sample is in the
    same split whether the tree above them or the category's folder alone is read. A name without a category's folder
    counts as it is. by: "sample", or "category", where all samples of a category fall into one split and a test is of
    unseen objects.
    """
    folder = Path(os.path.abspath(Path("/", name)))
    called, category, _ = sample_name(folder)
    if category is None or "/" in called:  # no flat `coffee_cup-drinking_98`, which tells its category itself
        called, category = f"{folder.parent.name}/{folder.name}".lstrip("/"), folder.parent.name or folder.name
    key = category if by == "category" else called
    at = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
    return SPLITS[int(np.searchsorted(np.cumsum(SHARES)[:-1], at, side="right"))]


def example(
    sample: Sample, options: ExampleOptions, feature: Path | None = None, labelled: bool = True, seed: int = 0
) -> Examples:
    """One sample as the network takes it, without a leading axis.

    `feature`: the file of its CLIP feature (clip.npy in its folder if None). `labelled`: it must have contact labels; an
    example without them touches nowhere.
    Raises: SampleError without the labels, the annotated object of a labelled one, or the feature that is asked for.
    """
    if labelled and sample.contact_parts is None:
        raise SampleError(sample.folder, "has no contact_label/human_part.json: nothing to learn or to compare with")
    if labelled and sample.truth is None and options.object == "truth":
        raise SampleError(
            sample.folder, "has no annotated object (object_mesh.obj); the object can be the coarse start"
        )
    thing = sample.object if sample.truth is None or options.object == "start" else sample.truth
    middle = (sample.human.verts.min(0) + sample.human.verts.max(0)) / 2
    human, other = (
        (surface_points(mesh, options.points, seed + k) - middle).astype(np.float32)
        for k, mesh in enumerate((sample.human, thing))
    )
    image = (
        clip_feature(feature or sample.folder / FEATURE_FILE, options.feature) if options.feature else picture(sample)
    )
    labels = np.isin(PART_NAMES, sample.contact_parts or ())
    return Examples((sample.name,), ContactInput(human, other, image), labels, sample_gaps(sample, thing))


def surface_points(mesh: ColoredMesh, count: int, seed: int) -> Float[np.ndarray, "n 3"]:
    """Points spread over the surface, by area."""
    shape = trimesh.Trimesh(mesh.verts, mesh.faces, process=False)
    return np.asarray(trimesh.sample.sample_surface(shape, count, seed=seed)[0], np.float64)


def picture(sample: Sample) -> Float[np.ndarray, "64 64 5"]:
    """The square around person and object, with both masks, in [0, 1]; beyond the photograph it is black."""
    rows, columns = np.nonzero(sample.human_mask | sample.object_mask)
    side = 1.1 * max(np.ptp(rows) + 1, np.ptp(columns) + 1)
    corner = np.array([columns.min() + columns.max() + 1, rows.min() + rows.max() + 1]) / 2 - side / 2
    layers = np.dstack([sample.image / 255.0, sample.human_mask, sample.object_mask]).astype(np.float32)
    scale = PICTURE / side
    place = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
    smooth = cv2.GaussianBlur(layers, (0, 0), max(0.01, 0.4 / scale))  # so that fewer pixels show no false patterns
    return cv2.warpAffine(smooth, place, (PICTURE, PICTURE), flags=cv2.INTER_LINEAR)


def clip_feature(path: Path, size: int) -> Float[np.ndarray, " d"]:
    """A feature that the CLIP wrapper left. Raises SampleError for another length, or numbers that are not finite."""
    load_bytes(path)
    try:
        found = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise SampleError(path, f"is no array of numbers ({error})") from error
    if found.shape != (size,) or not np.isfinite(found).all():
        raise SampleError(path, f"holds {found.dtype} of shape {found.shape}, expected {size} finite numbers")
    return (found / max(float(np.linalg.norm(found)), 1e-12) * np.sqrt(size)).astype(np.float32)


def stacked(names: Sequence[str], examples: Sequence[Examples]) -> Examples:
    """Many examples as one, with a leading axis."""
    human, thing, image = (np.stack(values) for values in zip(*(one.given[:3] for one in examples)))
    return Examples(
        tuple(names),
        ContactInput(human, thing, image),
        np.stack([one.labels for one in examples]),
        np.stack([one.gaps for one in examples]),
    )


def subset(examples: Examples, chosen: Sequence[int] | np.ndarray) -> Examples:
    """Some of the examples, by index or by a mask."""
    index = np.asarray(chosen)
    index = np.flatnonzero(index) if index.dtype == bool else index.astype(int)
    given = jax.tree.map(lambda field: field[index], examples.given)
    return Examples(tuple(examples.names[k] for k in index), given, examples.labels[index], examples.gaps[index])


def with_groups(examples: Examples, config: ContactNetConfig, chunk: int = 32) -> Examples:
    """The same with what the network would sample and group at every step, and with the gaps where it looks at them.
    Nothing where it sees no points."""
    if config.inputs == "image":
        return examples
    if config.inputs == "gaps":
        given = examples.given._replace(gaps=examples.gaps.astype(np.float32))
        examples = examples._replace(given=given)
    find = jax.jit(jax.vmap(lambda one: groups_of(config, one)))
    found = []
    for at in range(0, len(examples.names), chunk):
        index = np.minimum(np.arange(at, at + chunk), len(examples.names) - 1)  # one shape: compiles once
        found.append(jax.tree.map(np.asarray, find(subset(examples, index).given._replace(groups=None))))
    joined = jax.tree.map(lambda *parts: np.concatenate(parts)[: len(examples.names)], *found)
    return examples._replace(given=examples.given._replace(groups=joined))


def augmented(examples: Examples, rng: np.random.Generator) -> Examples:
    """Other examples of the same contact: scenes turned about the vertical, half of them mirrored, points moved a little.

    A mirrored scene touches with the other hand. Pictures are mirrored with their scene and never turned; a CLIP feature
    stays what it is, so scenes with one are not mirrored. Points keep their groups, which
    depend on distances alone (a jitter of millimetres is not looked at).
    """
    count = len(examples.names)
    angle, jitter = rng.uniform(-0.35, 0.35, count), 0.003
    pictures = examples.given.image.ndim == 4
    flip = (rng.random(count) < 0.5) & pictures
    c, s, o, i = np.cos(angle), np.sin(angle), np.zeros(count), np.ones(count)
    turn = np.stack([np.stack(row, -1) for row in ((c, o, s), (o, i, o), (-s, o, c))], -2)
    turn[flip, :, 0] *= -1

    def moved(points: Float[np.ndarray, "n p 3"]) -> Float[np.ndarray, "n p 3"]:
        return (np.einsum("nij,npj->npi", turn, points) + rng.normal(0, jitter, points.shape)).astype(np.float32)

    image = np.asarray(examples.given.image)
    if pictures:
        image = np.where(flip[:, None, None, None], image[:, :, ::-1], image)
    labels = np.where(flip[:, None], examples.labels[:, MIRROR], examples.labels)
    human, thing = (moved(np.asarray(cloud)) for cloud in (examples.given.human, examples.given.object))
    gaps = np.where(flip[:, None], examples.gaps[:, MIRROR], examples.gaps)
    seen = None if examples.given.gaps is None else gaps.astype(np.float32)
    return Examples(examples.names, ContactInput(human, thing, image, examples.given.groups, seen), labels, gaps)
