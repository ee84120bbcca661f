"""What a model answered: its words as they came, and the rotations of the 21 body joints where it gave a pose."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hoijax.data.atomic import save_bytes
from hoijax.data.parameters import load_json
from hoijax.data.sample import SampleError
from hoijax.geometry import rotation_matrix

ANSWER_FILE = "answer.json"
JOINTS = 21  # SMPL's body joints without its two hands; SMPL-X's are the same in the same order
OFF = 0.05  # how far R^T R may be off the identity: bfloat16 is off by less, angles or a transposed layout by more

# How many numbers a pose may be: whether a root comes first, and how many numbers a joint has. SMPL has 23 joints below
# the root, the last two of which are the hands that SMPL-X has fingers for.
FORMS = {joints * size: (joints in (22, 24), size) for joints in (21, 22, 23, 24) for size in (3, 9)}


class Answer(NamedTuple):
    """One answer. `body`: rotation of each body joint relative to its parent; None for an answer in words only."""

    text: str
    body: Float[np.ndarray, "21 3 3"] | None


def nearest_rotations(matrices: Float[np.ndarray, "*n 3 3"]) -> Float[np.ndarray, "*n 3 3"]:
    """The rotation nearest to each matrix, U diag(1, 1, det(U V^T)) V^T of its singular vectors (Kabsch, 1976)."""
    left, _, right = np.linalg.svd(matrices)
    sign = np.ones(matrices.shape[:-1])
    sign[..., 2] = np.linalg.det(left @ right)
    return np.asarray(left * sign[..., None, :] @ right)


def load_answer(path: Path) -> Answer:
    """An answer from JSON: `text`, and `body_pose` as rotation matrices or axis-angle vectors, in any nesting.

    21 joints (SMPL-X) or 23 (SMPL), with or without the root before them; null or no `body_pose`: words only. Raises
    SampleError, also for a file that has vertices and no pose.
    """
    record = load_json(path)
    if not isinstance(record, dict):
        raise SampleError(path, 'expected {"text": ..., "body_pose": ...}')
    text = record.get("text", "")
    if not isinstance(text, str):
        raise SampleError(path, f"text is {type(text).__name__}, expected words")
    pose = record.get("body_pose")
    if pose is None:
        if record.get("vertices") is not None:
            raise SampleError(
                path,
                "holds vertices and no body_pose: SMPL's vertices cannot be compared with those of another body, "
                "expected the rotations",
            )
        if "text" not in record:
            raise SampleError(path, f"has the keys {', '.join(record) or 'none'}, expected text and body_pose")
        return Answer(text, None)
    return Answer(text, body_rotations(path, pose))


def body_rotations(path: Path, pose: Any) -> Float[np.ndarray, "21 3 3"]:
    """The 21 body rotations from what a file holds as a pose. Raises SampleError that names the file."""
    try:
        numbers = np.asarray(pose, np.float64).ravel()
    except (TypeError, ValueError, OverflowError):
        numbers = np.full(1, np.nan)
    if numbers.size not in FORMS or not np.isfinite(numbers).all():
        raise SampleError(
            path,
            f"body_pose is {numbers.size} numbers, not all finite or not so many as a pose has; expected 21 or 23 joints, "
            "and the root or not, of 3 (axis-angle) or 9 (matrix)",
        )
    rooted, size = FORMS[numbers.size]
    joints = numbers.reshape(-1, size)[int(rooted) :][:JOINTS]
    if size == 3:
        return np.asarray(rotation_matrix(jnp.asarray(joints, jnp.float32)), np.float64)
    matrices = joints.reshape(-1, 3, 3)
    off = np.abs(matrices.swapaxes(1, 2) @ matrices - np.eye(3)).max()
    if off > OFF or (np.linalg.det(matrices) <= 0).any():
        raise SampleError(path, f"body_pose holds matrices that are no rotations (R^T R is off by {off:.2g})")
    return nearest_rotations(matrices)


def save_answer(path: Path, answer: Answer) -> None:
    """Writes the answer whole or not at all, for `load_answer`."""
    body = None if answer.body is None else answer.body.tolist()
    save_bytes(path, (json.dumps({"text": answer.text, "body_pose": body}) + "\n").encode())
