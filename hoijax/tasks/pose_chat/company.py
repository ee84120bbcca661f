"""Pictures with two people, for a demonstration: the photographs of two samples side by side, in one picture.

The built-in scenes show one person each. The seam stays visible; which person is meant, and where, is exact.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hoijax.data.atomic import new_folder
from hoijax.data.read import load_labels
from hoijax.data.sample import Sample, SampleError
from hoijax.data.write import write_sample
from hoijax.tasks.pose_chat.select import PEOPLE_FILE

MARGIN = 0.08  # of the other picture's width, kept around its person and object


def with_company(sample: Sample, other: Sample, left: bool) -> tuple[Sample, Float[np.ndarray, "2 4"]]:
    """The sample with the other one's person beside its picture, and both people's boxes, its own first.

    The other photograph is brought to the same height and cut around its person and object; masks, depth (0: unknown),
    camera and boxes follow. The sample's person and object stay the ones that are annotated.
    """
    height = sample.image.shape[0]
    scale = height / other.image.shape[0]
    image = cv2.resize(other.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:height]
    columns = np.flatnonzero((other.human_mask | other.object_mask).any(0)) * scale
    space = MARGIN * image.shape[1]
    low, high = int(max(0, columns[0] - space)), int(min(image.shape[1], columns[-1] + 1 + space))
    patch = image[:, low:high]
    width = patch.shape[1]
    shift = width if left else 0
    other_shift = 0 if left else sample.image.shape[1]
    pad = ((0, 0), (width, 0) if left else (0, width))
    own = _moved(_box(sample), 1.0, shift)
    joined = sample._replace(
        image=np.concatenate([patch, sample.image] if left else [sample.image, patch], axis=1),
        human_mask=np.pad(sample.human_mask, pad),
        object_mask=np.pad(sample.object_mask, pad),
        depth=None if sample.depth is None else np.pad(sample.depth, pad),
        camera=sample.camera._replace(center=sample.camera.center + jnp.array([shift, 0.0])),
        human_box=own,
        object_box=None if sample.object_box is None else _moved(sample.object_box, 1.0, shift),
    )
    return joined, np.stack([own, _moved(_box(other), scale, other_shift - low)])


def words_of(folder: Path) -> tuple[str, str]:
    """A sample's action and object for `company_of`, empty where there is none or its annotation cannot be read."""
    try:
        labels = load_labels(folder, lambda path, message: None)
    except SampleError:
        return "", ""
    return labels.action or "", labels.category or ""


def company_of(words: Sequence[tuple[str, str]], index: int) -> int:
    """The next sample whose action and object (`words`) are others, so that they tell the two apart; else the next one.

    Raises ValueError where there is one sample only.
    """
    if len(words) < 2:
        raise ValueError("company_of: one sample alone has no company")
    ranked = [(index + step) % len(words) for step in range(1, len(words))]
    return next((k for k in ranked if not set(words[k]) & set(words[index])), ranked[0])


def save_with_company(sample: Sample, boxes: Float[np.ndarray, "n 4"], folder: Path) -> None:
    """Writes the sample with its people.json, whole or not at all. Raises FileExistsError when the folder exists."""
    with new_folder(folder) as part:
        write_sample(sample, part)
        record = {"boxes": boxes.tolist(), "scores": [1.0] * len(boxes)}
        (part / PEOPLE_FILE).write_text(json.dumps(record) + "\n", encoding="utf-8")


def _box(sample: Sample) -> Float[np.ndarray, "4"]:
    if sample.human_box is not None:
        return sample.human_box
    rows, columns = np.flatnonzero(sample.human_mask.any(1)), np.flatnonzero(sample.human_mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def _moved(box: Float[np.ndarray, "4"], scale: float, shift: float) -> Float[np.ndarray, "4"]:
    return np.asarray(scale * box + np.array([shift, 0.0, shift, 0.0]), np.float64)
