"""What annotators exported from Blender, read back and put beside the samples as ground truth."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from hoijax.data.atomic import new_folder
from hoijax.data.layout import NAMES, find_samples, load_bytes, sample_file
from hoijax.data.objfile import load_mesh
from hoijax.data.parameters import load_json, numbers
from hoijax.data.read import load_sample, vertex_order
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.data.write import save_sample

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


class Collected(NamedTuple):
    """What became of a sample: "written", "unchanged", "not exported" or "failed"; why, and how far the object was moved.

    `moved_cm` is between the pivots, `turned` in degrees, `scaled` a factor; None where nothing was exported.
    """

    name: str
    state: str
    why: str = ""
    annotator: str = ""
    moved_cm: float | None = None
    turned: float | None = None
    scaled: float | None = None


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
        annotator=_text(path, "annotator", record.get("annotator")),
        time=_text(path, "time", record.get("time")),
        tool=_text(path, "tool", record.get("tool")),
    )


def moved(verts: Float[np.ndarray, "v 3"], pose: ExportedPose) -> Float[np.ndarray, "v 3"]:
    """Vertices as the annotator left them: x' = s R (x - pivot) + pivot + t, in float64, rounded to float32."""
    at = pose.scale * (verts.astype(np.float64) - pose.pivot) @ pose.rotation.T + pose.pivot + pose.translation
    return at.astype(np.float32)


def annotated(sample: Sample, pose: ExportedPose) -> Sample:
    """The sample with the exported object as `truth`, in the coarse object's vertex order where there is one.

    Raises SampleError where the mesh that the pose moves is not in the sample's folder any more.
    """
    path = sample.folder / pose.source
    found = hashlib.sha256(load_bytes(path)).hexdigest()
    if found != pose.sha256:
        raise SampleError(
            path, f"is another file than the one that was placed (sha256 {found}, expected {pose.sha256})"
        )
    mesh = load_mesh(path)
    truth = mesh._replace(verts=moved(mesh.verts, pose))
    order = vertex_order(sample.object, truth)
    if order is not None:
        truth = ColoredMesh(truth.verts[order], sample.object.faces, truth.rgb[order])
    return sample._replace(truth=truth)


def collect(tree: Path, exported: Path, out: Path) -> Iterator[Collected]:
    """Writes each exported sample of `tree` into `out`, in canonical form, with the exported object as its truth.

    What stands in `out` already is written again only when the export or the sample changed. Yields one outcome for each
    sample of the tree, then a failure for each export that belongs to none. Raises SampleError when `tree` is no folder.
    """
    names = {
        folder.name if folder == tree else folder.relative_to(tree).as_posix(): folder for folder in find_samples(tree)
    }
    for name, folder in names.items():
        if not (exported / name / RECORD).is_file():
            yield Collected(name, "not exported")
            continue
        try:
            yield _collected(name, folder, exported / name, out / name)
        except (SampleError, OSError) as error:
            yield Collected(name, "failed", str(error))
    for path in sorted(exported.rglob(RECORD)):
        name = path.parent.relative_to(exported).as_posix()
        if name not in names:
            yield Collected(name, "failed", f"{path}: was exported from a sample that is not in {tree}")


def _collected(name: str, folder: Path, export: Path, place: Path) -> Collected:
    pose = load_pose(export)
    record: dict[str, Any] = {**load_json(export / RECORD), "inputs": _inputs(folder)}
    text = json.dumps(record, indent=1) + "\n"
    same = (place / RECORD).is_file() and (place / RECORD).read_text(encoding="utf-8") == text
    if not same:
        sample = annotated(load_sample(folder), pose)
        with new_folder(place, overwrite=(place / RECORD).is_file()) as part:  # never over other data
            part.rmdir()  # the writer of samples makes its folder itself
            save_sample(sample, part)
            (part / RECORD).write_text(text, encoding="utf-8")
    cosine = np.clip((np.trace(pose.rotation) - 1) / 2, -1, 1)
    return Collected(
        name,
        "unchanged" if same else "written",
        annotator=pose.annotator,
        moved_cm=float(100 * np.linalg.norm(pose.translation)),
        turned=float(np.degrees(np.arccos(cosine))),
        scaled=pose.scale,
    )


def _inputs(folder: Path) -> dict[str, str]:
    """Hashes of the sample's files, by name: what the collected sample was made of."""
    paths = [path for kind in NAMES if (path := sample_file(folder, kind)) is not None]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(load_bytes(path)).hexdigest() for path in paths}


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
