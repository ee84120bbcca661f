"""The JSON files of a sample: SMPL-X parameters and camera, boxes, contact parts, labels."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hoijax.body.parts import read_part_name
from hoijax.data.layout import load_bytes
from hoijax.data.sample import SampleError, Warn
from hoijax.types import Camera, HumanPose

# Keys of smplx_parameters.json: how many numbers each holds, in any nesting.
SIZES = {
    "root_pose": 3,
    "body_pose": 63,
    "jaw_pose": 3,
    "lhand_pose": 45,
    "rhand_pose": 45,
    "shape": 10,
    "expr": 10,
    "cam_trans": 3,
    "focal": 2,
    "princpt": 2,
}
OPTIONAL_SIZES = {"leye_pose": 3, "reye_pose": 3}  # the data set has none; zero without them


class Labels(NamedTuple):
    """What annotations.json tells: boxes as x0 y0 x1 y1 in pixels, the object's category, the person's action."""

    human_box: Float[np.ndarray, "4"] | None = None
    object_box: Float[np.ndarray, "4"] | None = None
    category: str | None = None
    action: str | None = None


def load_json(path: Path) -> Any:
    """Content of a JSON file. Raises SampleError when it is none."""
    try:
        return json.loads(load_bytes(path).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SampleError(path, f"is not valid JSON ({error})") from error


def load_parameters(path: Path, camera: Camera | None = None) -> tuple[HumanPose, Camera]:
    """SMPL-X pose and camera from smplx_parameters.json; `camera` stands in where it has no focal and princpt.

    Numbers may be nested (1x63 or 63); `expr` may be called `exp`; the whole may be wrapped in a list of one. Raises
    SampleError.
    """
    record = _record(path)
    if "expr" not in record and "exp" in record:
        record = {**record, "expr": record["exp"]}
    if camera is not None and "focal" not in record and "princpt" not in record:
        record = {**record, "focal": np.asarray(camera.focal), "princpt": np.asarray(camera.center)}
    missing = [key for key in SIZES if key not in record]
    if missing:
        raise SampleError(path, f"has no {', '.join(missing)}; expected the keys {', '.join(SIZES)}")
    values, faults = {}, []
    for key, size in (SIZES | OPTIONAL_SIZES).items():
        try:
            values[key] = jnp.asarray(numbers(path, key, record.get(key, [0.0] * size), size), jnp.float32)
        except SampleError as error:
            faults.append(error.message)
    if "focal" in values and not (values["focal"] > 0).all():
        faults.append(f"focal is {values['focal'].tolist()}, expected positive pixels")
    if faults:
        raise SampleError(path, "; ".join(faults))
    return _pose(values), Camera(values["focal"], values["princpt"])


def load_moved(path: Path) -> Float[np.ndarray, "3"]:
    """`transl` of a result's smplx_parameters.json (metres): what moved the person off cam_trans. Raises SampleError."""
    return numbers(path, "transl", _record(path).get("transl", [0.0, 0.0, 0.0]), 3)


def load_calibration(path: Path) -> Camera:
    """The camera of calibration.json: {"K": [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]}. Raises SampleError."""
    matrix = numbers(path, "K", _record(path).get("K"), 9).reshape(3, 3)
    if not (matrix[0, 0] > 0 and matrix[1, 1] > 0):
        raise SampleError(path, f"K has focal lengths {matrix[0, 0]} and {matrix[1, 1]}, expected positive pixels")
    return Camera(jnp.asarray(matrix[[0, 1], [0, 1]], jnp.float32), jnp.asarray(matrix[:2, 2], jnp.float32))


def load_extrinsic(path: Path, warn: Warn) -> None:
    """Looks whether extrinsic.json is the identity, which is all that a sample's meshes allow. Raises SampleError."""
    record = _record(path)
    rotation = numbers(path, "rotation", record.get("rotation"), 9).reshape(3, 3)
    translation = numbers(path, "translation", record.get("translation"), 3)
    if np.abs(rotation - np.eye(3)).max() > 1e-4 or np.abs(translation).max() > 1e-4:
        warn(path, "is not the identity and is ignored: meshes are read in the camera's frame, moved by cam_trans")


def load_boxes(path: Path) -> Labels:
    """Boxes of box_annotation.json: {"obj": [x0, y0, x1, y1], "human": ...}, pixels. Raises SampleError."""
    record = _record(path)
    human = next((_box(path, key, record[key]) for key in ("human", "person") if key in record), None)
    thing = next((_box(path, key, record[key]) for key in ("obj", "object") if key in record), None)
    if human is None and thing is None:
        raise SampleError(path, f"has the keys {sorted(record)}, expected obj and human")
    return Labels(human, thing)


def load_contact_parts(path: Path, warn: Warn) -> tuple[str, ...]:
    """The touching body parts, as `hoijax.body.parts` names them; any other name is left out, with a warning.

    Raises SampleError when the file is no list of names.
    """
    names = load_json(path)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SampleError(path, f"holds {_kind(names)}, expected a list of body-part names")
    known = []
    for name in names:
        try:
            known.append(read_part_name(name))
        except ValueError as error:
            warn(path, f"{error}; left out")
    return tuple(dict.fromkeys(known))


def load_annotations(path: Path, warn: Warn) -> Labels:
    """Labels of annotations.json: the first interaction; its boxes are x, y, width, height. Raises SampleError."""
    record = _record(path)
    pairs, things = record.get("hoi_annotation", []), record.get("annotations", [])
    if not isinstance(pairs, list) or not isinstance(things, list):
        raise SampleError(path, "hoi_annotation and annotations must be lists")
    if not pairs:
        return Labels()
    pair = pairs[0]
    if not isinstance(pair, dict):
        raise SampleError(path, f"hoi_annotation holds {_kind(pair)}, expected objects with subject_id and object_id")
    if len(pairs) > 1:
        warn(path, f"lists {len(pairs)} interactions, only the first is used")
    subject, thing = (_entry(path, things, pair.get(key), key, warn) for key in ("subject_id", "object_id"))
    category, action = thing.get("category"), pair.get("action")
    return Labels(
        _corner_box(path, subject.get("bbox")),
        _corner_box(path, thing.get("bbox")),
        category if isinstance(category, str) else None,
        action if isinstance(action, str) else None,
    )


def numbers(path: Path, key: str, value: Any, size: int) -> Float[np.ndarray, " n"]:
    """`size` finite numbers from JSON in any nesting, flat. Raises SampleError that names the key."""
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        raise SampleError(path, f"{key} is {_kind(value)}, expected {size} numbers")
    if array.size != size:
        raise SampleError(path, f"{key} has shape {array.shape}, expected {size} numbers")
    if not np.isfinite(array).all() or np.abs(array).max() > np.finfo(np.float32).max:
        raise SampleError(path, f"{key} holds numbers that are not finite")
    return array.astype(np.float64).ravel()


def _pose(values: Mapping[str, Any]) -> HumanPose:
    return HumanPose(
        root=values["root_pose"],
        body=values["body_pose"].reshape(21, 3),
        jaw=values["jaw_pose"],
        eyes=jnp.stack([values["leye_pose"], values["reye_pose"]]),
        left_hand=values["lhand_pose"].reshape(15, 3),
        right_hand=values["rhand_pose"].reshape(15, 3),
        shape=values["shape"],
        expression=values["expr"],
        translation=values["cam_trans"],
    )


def _record(path: Path) -> dict[str, Any]:
    content = load_json(path)
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if not isinstance(content, dict):
        raise SampleError(path, f"holds {_kind(content)}, expected one JSON object")
    return content


def _box(path: Path, key: str, value: Any) -> Float[np.ndarray, "4"]:
    box = numbers(path, key, value, 4)
    if not (box[2] > box[0] and box[3] > box[1]):
        raise SampleError(path, f"{key} is {box.tolist()}, expected x0 y0 x1 y1 with x1 > x0 and y1 > y0")
    return box


def _corner_box(path: Path, value: Any) -> Float[np.ndarray, "4"] | None:
    if value is None or value == []:
        return None
    x, y, width, height = numbers(path, "bbox", value, 4)
    return _box(path, "bbox (x y width height)", [x, y, x + width, y + height])


def _entry(path: Path, things: list[Any], index: Any, key: str, warn: Warn) -> dict[str, Any]:
    if isinstance(index, int) and 0 <= index < len(things) and isinstance(things[index], dict):
        return things[index]
    warn(path, f"{key} is {index!r}, expected the number of an entry of annotations (0 to {len(things) - 1})")
    return {}


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return names.get(type(value), "a number")
