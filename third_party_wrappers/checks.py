"""What each kind of output must be; every check raises OutputError with what was found and what was expected."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from third_party_wrappers.declare import Check, Job, OutputError, Tool

# Keys of smplx_parameters.json in the Open3DHOI layout: the shape of each.
SMPLX_SHAPES = {
    "root_pose": (1, 3),
    "body_pose": (1, 63),
    "jaw_pose": (1, 3),
    "lhand_pose": (1, 45),
    "rhand_pose": (1, 45),
    "shape": (1, 10),
    "expr": (1, 10),
    "cam_trans": (3,),
    "focal": (2,),
    "princpt": (2,),
}


def pixels(path: Path, mode: str | None = None) -> np.ndarray:
    """A picture's pixels, upright as its EXIF orientation says; in the mode given, else in its own."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture)
            return np.asarray(upright if mode is None else upright.convert(mode))
    except (OSError, ValueError, SyntaxError) as error:
        raise OutputError(path, f"is not a readable picture ({error})") from error


def size_of(path: Path) -> tuple[int, int]:
    """Height and width of a picture in pixels, upright."""
    height, width = pixels(path).shape[:2]
    return height, width


def read_json(path: Path) -> Any:
    """Content of a JSON file; NaN and Infinity are refused."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no number")

    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except (OSError, ValueError, RecursionError) as error:
        raise OutputError(path, f"is not valid JSON ({error})") from error


def numbers(path: Path, name: str, value: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Finite numbers from JSON, in float64 and of the shape given (-1: any length)."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise OutputError(path, f"{name} is no array of numbers, expected the shape {shape}") from None
    if array.size == 0 and -1 in shape:
        return array.reshape([max(length, 0) for length in shape])
    if array.ndim != len(shape) or any(want not in (-1, got) for want, got in zip(shape, array.shape)):
        raise OutputError(path, f"{name} has the shape {array.shape}, expected {shape}")
    if not np.isfinite(array).all():
        raise OutputError(path, f"{name} has {int((~np.isfinite(array)).sum())} numbers that are not finite")
    return array


def boxes_of(job: Job, name: str = "boxes") -> dict[str, np.ndarray]:
    """The boxes of a job's input {name: [x0, y0, x1, y1]} in pixels. Raises OutputError."""
    path = Path(job.inputs[name])
    record = read_json(path)
    if not isinstance(record, dict) or not record:
        raise OutputError(path, 'holds no boxes, expected {"name": [x0, y0, x1, y1]} in pixels')
    boxes = {}
    for key, value in record.items():
        if not key.replace("_", "").replace("-", "").isalnum():
            raise OutputError(path, f"the name {key!r} cannot be part of a file's name; use letters, digits, _ and -")
        boxes[key] = box = numbers(path, key, value, (4,))
        if not (box[2] > box[0] and box[3] > box[1]):
            raise OutputError(path, f"{key} is {box.tolist()}, expected x0 < x1 and y0 < y1")
    return boxes


def mask_png(path: Path, job: Job, tool: Tool) -> None:
    """8-bit grey, only 0 and 255, some of both allowed but not all 0, as large as the input image."""
    mask = pixels(path)
    if mask.ndim != 2 or mask.dtype != np.uint8:
        raise OutputError(path, f"has the shape {mask.shape} and type {mask.dtype}, expected one 8-bit channel")
    _same_size(path, mask, job)
    odd = sorted(set(np.unique(mask).tolist()) - {0, 255})
    if odd:
        raise OutputError(path, f"has the values {odd[:5]}, expected only 0 and 255")
    if not mask.any():
        raise OutputError(path, "is empty: the model found no pixel inside")


def depth_npy(path: Path, job: Job, tool: Tool) -> None:
    """float32 metres (h, w) at the input image's size, finite and above 0."""
    depth = array_of(path)
    if depth.dtype != np.float32 or depth.ndim != 2:
        raise OutputError(path, f"has the shape {depth.shape} and type {depth.dtype}, expected (h, w) float32")
    _same_size(path, depth, job)
    bad = int((~np.isfinite(depth)).sum()) + int((depth <= 0).sum())
    if bad:
        raise OutputError(path, f"{bad} of {depth.size} pixels are not finite or not above 0, expected metres")


def vector_npy(size: int, key: str) -> Check:
    """A float32 vector; as long as the checkpoint's config.json says under `key`, or of the size given without one."""

    def check(path: Path, job: Job, tool: Tool) -> None:
        config = None if tool.checkpoint is None else Path(tool.checkpoint) / "config.json"
        length = read_json(config).get(key, size) if config is not None and config.is_file() else size
        vector = array_of(path)
        if vector.dtype != np.float32 or vector.shape != (length,):
            raise OutputError(
                path, f"has the shape {vector.shape} and type {vector.dtype}, expected ({length},) float32"
            )
        if not np.isfinite(vector).all() or not vector.any():
            raise OutputError(path, "has numbers that are not finite, or only zeros")

    return check


def array_of(path: Path) -> np.ndarray:
    """The array of a .npy file."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise OutputError(path, f"is not a readable .npy file ({error})") from error
    if not isinstance(array, np.ndarray):
        raise OutputError(path, "holds several arrays, expected one")
    return array


def filled_png(path: Path, job: Job, tool: Tool) -> None:
    """8-bit RGB at the input image's size, the same as it wherever the mask is not above 127."""
    picture, given = pixels(path), pixels(Path(job.inputs["image"]), "RGB")
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise OutputError(path, f"has the shape {picture.shape} and type {picture.dtype}, expected 8-bit RGB")
    _same_size(path, picture, job)
    known = pixels(Path(job.inputs["mask"]), "L") <= 127
    changed = int((picture != given).any(axis=2)[known].sum())
    if changed:
        raise OutputError(path, f"{changed} pixels outside of the mask differ from the image, expected none")


def cutout_png(path: Path, job: Job, tool: Tool) -> None:
    """8-bit RGBA with some opaque pixels."""
    picture = pixels(path)
    if picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != np.uint8:
        raise OutputError(path, f"has the shape {picture.shape} and type {picture.dtype}, expected 8-bit RGBA")
    if not (picture[..., 3] > 127).any():
        raise OutputError(path, "is transparent everywhere, expected an object")


def offset_json(path: Path, job: Job, tool: Tool) -> None:
    """{"offset": [x, y]}: where the input image's upper left corner lies in object.png, which holds all of it."""
    record = read_json(path)
    offset = numbers(path, "offset", record.get("offset") if isinstance(record, dict) else None, (2,))
    height, width = size_of(Path(job.inputs["image"]))
    rows, columns = size_of(path.with_name("object.png"))
    x, y = offset
    if x < 0 or y < 0 or x + width > columns or y + height > rows or (offset % 1).any():
        raise OutputError(
            path,
            f"offset {offset.tolist()} does not place the {width}x{height} image inside of {columns}x{rows} pixels",
        )


def mesh_obj(colours: bool = False) -> Check:
    """A Wavefront mesh: finite vertices, faces that name them; with `colours`, six numbers to a vertex."""

    def check(path: Path, job: Job, tool: Tool) -> None:
        verts, faces = _obj(path)
        if not verts or not faces:
            raise OutputError(path, f"has {len(verts)} vertices and {len(faces)} faces, expected a mesh")
        lengths = {len(vert) for vert in verts}
        if len(lengths) != 1 or not lengths <= {3, 4, 6, 7}:
            raise OutputError(path, f"has vertices of {sorted(lengths)} numbers, expected x y z or x y z r g b")
        if colours and not lengths <= {6, 7}:
            raise OutputError(path, "has no vertex colours, expected lines v x y z r g b")
        if not np.isfinite(np.asarray(verts)).all():
            raise OutputError(path, "has coordinates or colours that are not finite")
        corners = np.concatenate([np.asarray(face) for face in faces])
        corners = np.where(corners < 0, corners + len(verts) + 1, corners)
        if min(len(face) for face in faces) < 3 or corners.min() < 1 or corners.max() > len(verts):
            raise OutputError(path, f"has faces that name vertices beyond its {len(verts)}, or fewer than three")

    return check


def smplx_json(path: Path, job: Job, tool: Tool) -> None:
    """smplx_parameters.json as Open3DHOI has it: every key, its shape, finite; focal lengths above 0."""
    record = read_json(path)
    if not isinstance(record, dict) or set(SMPLX_SHAPES) - set(record):
        missing = sorted(set(SMPLX_SHAPES) - set(record if isinstance(record, dict) else ()))
        raise OutputError(path, f"has no {', '.join(missing)}")
    values = {key: numbers(path, key, record[key], shape) for key, shape in SMPLX_SHAPES.items()}
    if not (values["focal"] > 0).all():
        raise OutputError(path, f"focal is {values['focal'].tolist()}, expected positive pixels")
    if not values["cam_trans"][2] > 0:
        raise OutputError(path, f"cam_trans is {values['cam_trans'].tolist()}, expected the person before the camera")


def people_json(path: Path, job: Job, tool: Tool) -> None:
    """{"boxes": [[x0, y0, x1, y1]...] in pixels, "scores": [...] in [0, 1]}, as many of each."""
    record = read_json(path)
    if not isinstance(record, dict) or not {"boxes", "scores"} <= set(record):
        raise OutputError(path, "has no boxes and scores")
    boxes, scores = numbers(path, "boxes", record["boxes"], (-1, 4)), numbers(path, "scores", record["scores"], (-1,))
    if len(boxes) != len(scores):
        raise OutputError(path, f"has {len(boxes)} boxes and {len(scores)} scores, expected as many of each")
    if not (boxes[:, 2:] > boxes[:, :2]).all() or (scores < 0).any() or (scores > 1).any():
        raise OutputError(path, "has boxes without area, or scores beyond 0 and 1")


def answers_json(path: Path, job: Job, tool: Tool) -> None:
    """A list of texts, one for each of the job's turns; a text may be empty, as a model may say nothing."""
    turns, answers = read_json(Path(job.inputs["turns"])), read_json(path)
    if not isinstance(answers, list) or not all(isinstance(text, str) for text in answers):
        raise OutputError(path, "is no list of texts")
    if len(answers) != len(turns):
        raise OutputError(path, f"has {len(answers)} answers to {len(turns)} turns")


def posed_answer_json(path: Path, job: Job, tool: Tool) -> None:
    """{"text": words, "global_orient", "body_pose": rotation matrices (3, 3) and (23, 3, 3), both null without a pose}."""
    record = read_json(path)
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise OutputError(path, "has no text")
    if "body_pose" not in record or (record["body_pose"] is None) != (record.get("global_orient") is None):
        raise OutputError(path, "has one of body_pose and global_orient, expected both, or null for both")
    if record["body_pose"] is None:
        return
    for name, shape in (("global_orient", (3, 3)), ("body_pose", (23, 3, 3))):
        matrices = numbers(path, name, record[name], shape)
        off = np.abs(np.swapaxes(matrices, -1, -2) @ matrices - np.eye(3)).max()
        if off > 1e-4 or (np.linalg.det(matrices) <= 0).any():
            raise OutputError(path, f"{name} holds matrices that are no rotations (R^T R is off by {off:.2g})")


def _same_size(path: Path, array: np.ndarray, job: Job) -> None:
    height, width = size_of(Path(job.inputs["image"]))
    if array.shape[:2] != (height, width):
        raise OutputError(path, f"is {array.shape[1]}x{array.shape[0]}, expected the image's {width}x{height}")


def _obj(path: Path) -> tuple[list[list[float]], list[list[int]]]:
    """Vertices (all their numbers) and faces (vertex indices as the file counts them) of an OBJ file."""
    verts: list[list[float]] = []
    faces: list[list[int]] = []
    try:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            word, *rest = line.split("#")[0].split() or [""]
            if word == "v":
                verts.append([float(number) for number in rest])
            elif word == "f":
                faces.append([int(corner.split("/")[0]) for corner in rest])
    except (OSError, ValueError) as error:
        raise OutputError(path, f"is not a readable OBJ mesh ({error})") from error
    return verts, faces
