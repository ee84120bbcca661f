"""How well an object fits while somebody moves it: the metrics of the package, soon enough to be live."""

from typing import NamedTuple

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from hoijax.body.parts import PART_NAMES
from hoijax.data.prepare import choose_body, human_parts
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.metrics.co2 import co2, part_masks
from hoijax.metrics.image import mask_iou, projected_mask
from hoijax.types import Camera

LONG_SIDE = 512  # pixels: larger photographs are looked at in this size


class Sight(NamedTuple):
    """What the IoU needs of a sample, at most `LONG_SIDE` pixels long. `offset`: from the files' frame to the camera's."""

    human_mask: Bool[np.ndarray, "h w"]
    object_mask: Bool[np.ndarray, "h w"]
    camera: Camera
    offset: Float[np.ndarray, "3"]


class Touch(NamedTuple):
    """Contact and collision; `co2` is NaN where the sample has no annotated contact parts."""

    co2: float
    gap_cm: float
    penetration_cm: float


def sight(sample: Sample, long_side: int = LONG_SIDE) -> Sight:
    """The sample's masks and camera, made smaller where they are large."""
    h, w = sample.object_mask.shape
    factor = min(1.0, long_side / max(h, w))
    size = max(1, round(w * factor)), max(1, round(h * factor))
    scale = np.array([size[0] / w, size[1] / h])

    def small(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "a b"]:
        return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5

    focal, center = (jnp.asarray(np.asarray(value) * scale) for value in sample.camera)
    offset = np.asarray(sample.pose.translation, np.float64)
    return Sight(small(sample.human_mask), small(sample.object_mask), Camera(focal, center), offset)


def iou(seen: Sight, verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> float:
    """IoU of the object's silhouette with its mask, the human mask's pixels left out, as `data.measure` has it."""
    silhouette = projected_mask(verts + seen.offset, faces, seen.camera, seen.object_mask.shape)
    return float(mask_iou(silhouette, seen.object_mask, ignore=seen.human_mask))


def contact_masks(sample: Sample) -> Bool[np.ndarray, "p v"]:
    """The human's vertices of each annotated contact part that this human has."""
    if not sample.contact_parts:
        return np.zeros((0, len(sample.human.verts)), bool)
    parts = human_parts(sample, choose_body(sample, None, None)[0])
    there = [name for name in sample.contact_parts if (parts == PART_NAMES.index(name)).any()]
    return part_masks(parts, there, PART_NAMES) if there else np.zeros((0, len(parts)), bool)


def touch(human: ColoredMesh, obj: ColoredMesh, masks: Bool[np.ndarray, "p v"]) -> Touch:
    """Co2, gap and deepest penetration, as `data.measure` has them."""
    found = co2(human.verts, human.faces, obj.verts, obj.faces, masks)
    return Touch(found.co2, found.gap_cm, found.penetration_max_cm)
