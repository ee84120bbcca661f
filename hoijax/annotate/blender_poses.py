"""What annotators exported from Blender, read back as decisions of the fine tool."""

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from hoijax.annotate.fine.pose import Pose, PoseError, checked, composed, identity, plain
from hoijax.annotate.fine.state import ANNOTATED, COARSE
from hoijax.annotate.items import Items, fingerprint, item_folder
from hoijax.annotate.readers import FINE
from hoijax.annotate.store import Event
from hoijax.data.layout import load_bytes, sample_file
from hoijax.data.objfile import load_mesh
from hoijax.data.parameters import load_json, numbers
from hoijax.data.sample import SampleError

RECORD = "object_pose.json"
SCHEMA = 1  # version of the record; the reader refuses any other
EVEN = 1e-5  # how far R Rᵀ may be from the identity


class ExportedPose(NamedTuple):
    """Where an annotator left an object: x' = scale rotation (x - pivot) + pivot + translation (metres, frame of the files).

    It moves the mesh in the file `source` of the sample's folder, whose hash was `sha256`. `time` is ISO 8601 in UTC.
    """

    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]
    scale: float
    pivot: Float[np.ndarray, "3"]
    source: str
    sha256: str
    annotator: str
    time: str
    tool: str


def load_pose(folder: str | os.PathLike[str]) -> ExportedPose:
    """The pose in an export's folder, float64. Raises SampleError for a record that is none, or no similarity."""
    path = Path(folder) / RECORD
    record = load_json(path)
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        found = record.get("schema") if isinstance(record, dict) else type(record).__name__
        raise SampleError(path, f"has schema {found}, this version of hoijax reads schema {SCHEMA}")
    rotation = numbers(path, "rotation", record.get("rotation"), 9).reshape(3, 3)
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > EVEN or np.linalg.det(rotation) < 0:
        raise SampleError(path, f"rotation is {rotation.tolist()}, expected a proper rotation")
    scale = float(numbers(path, "scale", record.get("scale"), 1)[0])
    if scale <= 0:
        raise SampleError(path, f"scale is {scale}, expected a positive factor")
    source = record.get("source")
    source = source if isinstance(source, dict) else {}
    return ExportedPose(
        rotation=rotation,
        translation=numbers(path, "translation", record.get("translation"), 3),
        scale=scale,
        pivot=numbers(path, "pivot", record.get("pivot"), 3),
        source=_file_name(path, source.get("file")),
        sha256=_text(path, "source/sha256", source.get("sha256")),
        annotator=_name(path, record.get("annotator")),
        time=_time(path, record.get("time")),
        tool=_text(path, "tool", record.get("tool")),
    )


def blender_events(items: Items, exported: Path, sees: tuple[str, ...]) -> tuple[list[Event], list[str]]:
    """The poses in `exported` as confirmations of the fine tool, and a sentence about each record that cannot be one.

    `sees`: the kinds of files that the fine tool shows. An event's id is negative, so it is none of a store, and another
    one when the record changes. Raises SampleError when `exported` is no folder.
    """
    if not exported.is_dir():
        raise SampleError(exported, "is not a folder, expected what Blender exported")
    found: list[Event] = []
    unused: list[str] = []
    known = {}
    for item, folder in sorted(items.folders.items()):
        known[exported / (folder.name if folder == items.tree else folder.relative_to(items.tree)) / RECORD] = item
    for path, item in known.items():
        if not os.path.lexists(path):
            continue
        try:
            found.append(_event(items, item, path, sees))
        except (SampleError, OSError) as error:
            unused.append(str(error))
    for path in sorted(exported.rglob(RECORD)):
        if path not in known:
            unused.append(f"{path}: was exported from a sample that is not in {items.tree}")
    return found, unused


def _event(items: Items, item: str, path: Path, sees: tuple[str, ...]) -> Event:
    digest = hashlib.sha256(load_bytes(path)).digest()
    pose, folder = load_pose(path.parent), item_folder(items, item)
    base, source = _base(path, pose, folder)
    pivot = load_mesh(source).verts.astype(np.float64).mean(0)
    similarity = Pose(pose.rotation, pose.translation, float(np.log(pose.scale)))
    try:
        # The fine tool moves a mesh about the mean of its vertices, Blender about that mean in float32.
        about_pivot = checked(composed(identity(), pivot, similarity, pose.pivot))
    except PoseError as error:
        raise SampleError(path, f"holds no pose that the fine tool takes: {error}") from error
    value = {"base": base, **plain(about_pivot), "by": pose.tool, "quality": ""}
    number = -1 - int.from_bytes(digest[:6])
    return Event(number, pose.time, pose.annotator, item, FINE, "done", value, fingerprint(folder, sees))


def _base(path: Path, pose: ExportedPose, folder: Path) -> tuple[str, Path]:
    """Which mesh of the sample was placed, and its file. Raises SampleError where it is not that file any more."""
    files = {COARSE: sample_file(folder, "object"), ANNOTATED: sample_file(folder, "truth")}
    for base, file in files.items():
        if file is not None and file.name == pose.source:
            found = hashlib.sha256(load_bytes(file)).hexdigest()
            if found != pose.sha256:
                message = f"is another file than the one that was placed (sha256 {found}, expected {pose.sha256})"
                raise SampleError(file, message)
            return base, file
    names = " or ".join(file.name for file in files.values() if file is not None)
    raise SampleError(path, f"moves {pose.source}, expected a mesh of the sample {folder} ({names})")


def _file_name(path: Path, name: Any) -> str:
    """A plain file name: a record never leads out of its sample's folder."""
    name = _text(path, "source/file", name)
    if Path(name).name != name or name in ("", ".", "..") or "\\" in name:
        raise SampleError(path, f"source/file is {name!r}, expected the name of a file in the sample's folder")
    return name


def _text(path: Path, key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SampleError(path, f"{key} is {value!r}, expected text")
    return value


def _name(path: Path, name: Any) -> str:
    """An annotator's name: an empty one would be nobody's decision."""
    if not _text(path, "annotator", name).strip():
        raise SampleError(path, f"annotator is {name!r}, expected a name")
    return str(name)


def _time(path: Path, time: Any) -> str:
    """A moment that compares with those of a store."""
    try:
        moment = datetime.fromisoformat(_text(path, "time", time))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SampleError(path, f"time is {time!r}, expected a moment in ISO 8601 with its offset from UTC")
    return str(time)
