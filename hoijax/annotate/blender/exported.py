"""What an export leaves: object_pose.json and the object's mesh as placed, in OUT/<sample>/."""

import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from .files import SampleError, read_record, save_files
from .objfile import Mesh, mesh_text
from .pose import Pose, moved

SCHEMA = 1
RECORD, MESH = "object_pose.json", "object_mesh.obj"


def is_exported(folder: Path) -> bool:
    """Whether an export stands in the folder: the record is written last."""
    return (folder / RECORD).is_file()


def fingerprint(folder: Path) -> str:
    """Hash of the record that stands in the folder, empty where there is none: tells whether somebody exported since."""
    try:
        return hashlib.sha256((folder / RECORD).read_bytes()).hexdigest() if is_exported(folder) else ""
    except OSError as error:
        raise SampleError(folder / RECORD, f"cannot be read ({error.strerror or error})") from error


def save_export(folder: Path, pose: Pose, mesh: Mesh, source: str, digest: str, annotator: str) -> None:
    """Writes the mesh of the sample's file `source` (hash `digest`) as placed, then the record of its pose."""
    placed = mesh_text(mesh._replace(verts=moved(mesh.verts, pose)))
    record = {
        "schema": SCHEMA,
        "rotation": pose.rotation.tolist(),
        "translation": pose.translation.tolist(),
        "scale": pose.scale,
        "pivot": pose.pivot.tolist(),
        "source": {"file": source, "sha256": digest},
        "mesh_sha256": hashlib.sha256(placed.encode()).hexdigest(),
        "annotator": annotator,
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "tool": "blender",
    }
    try:
        save_files(folder, {MESH: placed, RECORD: json.dumps(record, indent=1, allow_nan=False) + "\n"})
    except OSError as error:
        raise SampleError(folder, f"cannot be written ({error.strerror or error})") from error


def load_export(folder: Path) -> tuple[Pose, dict[str, Any]]:
    """The pose that stands in the folder, and its whole record. Raises SampleError."""
    path = folder / RECORD
    record = read_record(path)
    try:
        pose = Pose(
            np.array(record["rotation"], np.float64).reshape(3, 3),
            np.array(record["translation"], np.float64).reshape(3),
            float(record["scale"]),
            np.array(record["pivot"], np.float64).reshape(3),
        )
        known = record["schema"] == SCHEMA and {"file", "sha256"} <= set(record["source"])
    except (KeyError, TypeError, ValueError) as error:
        raise SampleError(path, f"is no export of this add-on ({error!r})") from error
    numbers = np.concatenate([np.ravel(part) for part in pose])
    if not (known and np.isfinite(numbers).all() and pose.scale > 0):
        raise SampleError(path, f"is no export of this add-on, expected schema {SCHEMA} and finite numbers")
    return pose, record
