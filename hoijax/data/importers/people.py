"""Body parameters of other data sets as a `HumanPose`."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hoijax.body.array_pickle import unpickled
from hoijax.body.smplx import zero_pose
from hoijax.data.importers.rigid import Rigid, turned
from hoijax.data.layout import load_bytes
from hoijax.data.parameters import numbers
from hoijax.data.sample import SampleError
from hoijax.types import HumanPose

SMPL, SMPLH = 72, 156  # numbers of a pose: 24 joints, or 22 and twice 15 of the fingers


def load_pickle(path: Path) -> Any:
    """What a pickle of arrays holds. Raises SampleError, also for one that would run code."""
    try:
        return unpickled(io.BytesIO(load_bytes(path)))
    except ValueError as error:
        if isinstance(error, SampleError):
            raise
        raise SampleError(path, f"is not read: {error}") from error


def record(path: Path, content: Any) -> Mapping[str, Any]:
    """The content as a dictionary. Raises SampleError where it is none."""
    if not isinstance(content, Mapping):
        raise SampleError(path, f"holds a {type(content).__name__}, expected a dictionary")
    return content


def array_of(value: Any) -> np.ndarray:
    """The value as an array; of one None where it is ragged."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.asarray(None)


def smplh_pose(path: Path, pose: Any, to_camera: Rigid) -> HumanPose:
    """An SMPL or SMPL-H pose of 72 or 156 numbers in a frame that `to_camera` leads to the camera.

    Root and the 21 body joints are SMPL-X's own; SMPL-H's fingers are too (SMPL has none: they stay straight). The
    shape stays zero: coefficients of SMPL-H's shape space mean something else in SMPL-X's. Raises SampleError.
    """
    size = SMPL if np.asarray(pose, dtype=object).size == SMPL else SMPLH
    joints = numbers(path, "pose", pose, size).reshape(-1, 3)
    fingers = joints[22:] if size == SMPLH else np.zeros((30, 3))
    return _pose(turned(to_camera, joints[0]), joints[1:22], fingers)


def _pose(
    root: Float[np.ndarray, "3"], body: Float[np.ndarray, "21 3"], fingers: Float[np.ndarray, "30 3"]
) -> HumanPose:
    parts = {"root": root, "body": body, "left_hand": fingers[:15], "right_hand": fingers[15:]}
    return zero_pose()._replace(**{key: jnp.asarray(value, jnp.float32) for key, value in parts.items()})


def smplx_pose(path: Path, values: Mapping[str, Any], to_camera: Rigid) -> tuple[HumanPose, list[str]]:
    """SMPL-X parameters named as in the `smplx` package, and what of them could not be used, a sentence each.

    Hands of 45 numbers are taken as full poses; fewer are coefficients of a space that only the body's file knows, so the
    fingers stay straight. Raises SampleError.
    """
    missing = [key for key in ("global_orient", "body_pose") if key not in values]
    if missing:
        raise SampleError(path, f"has no {', '.join(missing)}; it holds {', '.join(sorted(map(str, values)))}")
    notes = []

    def of(key: str, size: int) -> np.ndarray:
        found = array_of(values.get(key, np.zeros(size)))
        if found.size != size and key.endswith("hand_pose"):
            notes.append(f"{key} has {found.size} numbers, coefficients of a hand space: fingers are left straight")
            return np.zeros(size)
        return numbers(path, key, found.ravel()[:10] if key in ("betas", "expression") else found, size)

    fingers = np.concatenate([of("left_hand_pose", 45), of("right_hand_pose", 45)]).reshape(30, 3)
    root = turned(to_camera, of("global_orient", 3))
    pose = _pose(root, of("body_pose", 63).reshape(21, 3), fingers)
    eyes = np.stack([of("leye_pose", 3), of("reye_pose", 3)])
    rest = {"jaw": of("jaw_pose", 3), "eyes": eyes, "shape": of("betas", 10), "expression": of("expression", 10)}
    return pose._replace(**{key: jnp.asarray(value, jnp.float32) for key, value in rest.items()}), notes
