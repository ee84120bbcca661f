"""Examples of contact for the network: points on human and object, a picture or a CLIP feature, the parts that touch."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import trimesh
from jaxtyping import Bool, Float

from hoijax.body.parts import PART_NAMES
from hoijax.data.layout import load_bytes
from hoijax.data.read import load_sample
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.tasks.contact.net import ContactInput

SPLITS = ("train", "validation", "test")
SHARES = (0.7, 0.15, 0.15)
PICTURE = 64  # pixels a side
FEATURE_FILE = "clip.npy"
MIRROR = tuple(
    PART_NAMES.index(name.replace("left", "right") if "left" in name else name.replace("right", "left"))
    for name in PART_NAMES
)


class Examples(NamedTuple):
    """Everything of n samples, on the host. `labels`: which of `PART_NAMES` touch."""

    names: tuple[str, ...]
    given: ContactInput
    labels: Bool[np.ndarray, "n 34"]


def split_of(name: str, by: str = "sample") -> str:
    """The split that a sample belongs to, for good: a hash of its name decides, not which others there are.

    `by`: "sample", or "category", where all samples of a category fall into one split and a test is of unseen objects.
    """
    key = name.split("/")[0] if by == "category" else name
    at = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
    return SPLITS[int(np.searchsorted(np.cumsum(SHARES)[:-1], at, side="right"))]


def example(sample: Sample, points: int, feature: int, seed: int = 0) -> tuple[ContactInput, Bool[np.ndarray, "34"]]:
    """One sample as the network takes it. The object is the annotated one where there is one, else the coarse start.

    `feature`: length of the CLIP feature beside the sample (clip.npy); 0: a picture instead.
    Raises: SampleError without contact labels, or without the feature that is asked for.
    """
    if sample.contact_parts is None:
        raise SampleError(sample.folder, "has no contact_label/human_part.json: nothing to learn or to compare with")
    thing = sample.object if sample.truth is None else sample.truth
    middle = (sample.human.verts.min(0) + sample.human.verts.max(0)) / 2
    clouds = [surface_points(mesh, points, seed + k) - middle for k, mesh in enumerate((sample.human, thing))]
    image = clip_feature(sample.folder / FEATURE_FILE, feature) if feature else picture(sample)
    labels = np.isin(PART_NAMES, sample.contact_parts)
    return ContactInput(clouds[0].astype(np.float32), clouds[1].astype(np.float32), image), labels


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


def load_examples(
    folders: Sequence[Path],
    names: Sequence[str],
    points: int,
    feature: int,
    tell: Callable[[str, str], None],
    progress: Callable[[Sequence[Path]], Iterator[Path]] = iter,
) -> Examples:
    """All examples that can be read; `tell(name, why)` hears of the others. Raises ValueError where none is left."""
    given, labels, kept = [], [], []
    for folder, name in zip(progress(folders), names):
        try:
            one, touching = example(load_sample(folder), points, feature)
        except SampleError as error:
            tell(name, str(error))
            continue
        given.append(one)
        labels.append(touching)
        kept.append(name)
    if not kept:
        raise ValueError("none of the samples can be used")
    stacked = ContactInput(*(np.stack(values) for values in zip(*given)))
    return Examples(tuple(kept), stacked, np.stack(labels))


def subset(examples: Examples, chosen: Sequence[int] | Bool[np.ndarray, " n"]) -> Examples:
    """Some of the examples."""
    index = np.asarray(chosen)
    index = np.flatnonzero(index) if index.dtype == bool else index.astype(int)
    given = ContactInput(*(field[index] for field in examples.given))
    return Examples(tuple(examples.names[k] for k in index), given, examples.labels[index])


def augmented(examples: Examples, rng: np.random.Generator) -> Examples:
    """Other examples of the same contact: scenes turned about the vertical, half of them mirrored, points moved a little.

    A mirrored scene touches with the other hand. Pictures are mirrored with their scene and never turned; a CLIP feature
    stays what it is, so scenes with one are not mirrored.
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
    return Examples(examples.names, ContactInput(human, thing, image), labels)
