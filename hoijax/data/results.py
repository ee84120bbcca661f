"""A result: what one reconstruction leaves behind, and the folder that holds it."""

import io
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from hoijax.data.atomic import new_folder
from hoijax.data.gaussian_ply import load_gaussians, save_gaussians
from hoijax.data.layout import load_bytes
from hoijax.data.objfile import load_mesh, save_mesh
from hoijax.data.parameters import load_json, load_moved, load_parameters, numbers
from hoijax.data.sample import ColoredMesh, SampleError
from hoijax.data.scene_glb import scene_glb
from hoijax.data.strict_json import from_strict, save_json
from hoijax.data.write import parameters
from hoijax.types import Camera, Gaussians, HumanPose

SCHEMA = 1  # version of result.json; a reader refuses any other
WHY_NULL = {
    "metrics": "the sample cannot tell (no annotation, or no annotated contact parts)",
    "losses": "the term was not finite",
    "contact_parts": "the part has no vertex with a score",
    "vertex_scores": "no score was computed",
    "part_scores": "no score was computed",
}


class Result(NamedTuple):
    """One reconstruction on the host (numpy). Meshes are in the frame of the sample's files: without cam_trans.

    The object moved by x' = scale * rotation (x - pivot) + pivot + translation (metres, frame of the files). `camera` is
    that of the full-size photograph. `pose` with `human_moved` (metres) for its translation, which is cam_trans, gives
    `human`, unless that is a mesh held fixed or has skinning of its own. `contact` is Eq. 4's score per human vertex (low:
    contact); `part_scores` its mean per body part; `contact_parts` the parts judged to touch. `metrics` are
    {name: {"start": x, "result": y}}, plus
    "annotation" where the sample has one. `losses` are the last values of each term, `reasons` why a term was zero.
    `history` holds every term at every step (NaN where a stage did not weigh it). `seconds`: compile, run, total.
    """

    name: str
    config: Mapping[str, Any]
    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]
    scale: float
    pivot: Float[np.ndarray, "3"]
    camera: Camera
    pose: HumanPose
    human: ColoredMesh
    object: ColoredMesh
    gaussians: Gaussians
    contact: Float[np.ndarray, " v"]
    part_scores: Mapping[str, float]
    contact_parts: tuple[str, ...]
    metrics: Mapping[str, Mapping[str, float]]
    losses: Mapping[str, float]
    reasons: Mapping[str, str]
    history: Mapping[str, Float[np.ndarray, " steps"]]
    seconds: Mapping[str, float]
    dropped: int
    notes: tuple[str, ...] = ()
    human_moved: Float[np.ndarray, "3"] = np.zeros(3)


class Summary(NamedTuple):
    """What tables and overviews need of a result: small, where thousands of results with their meshes are not."""

    name: str
    metrics: Mapping[str, Mapping[str, float]]
    seconds: Mapping[str, float]
    dropped: int
    notes: tuple[str, ...] = ()


def is_finished(folder: str | os.PathLike[str]) -> bool:
    """Whether a result stands in the folder. It is complete then: folders appear whole or not at all."""
    return (Path(folder) / "result.json").is_file()


def find_results(tree: str | os.PathLike[str]) -> list[Path]:
    """Result folders anywhere under a tree, sorted. Hidden ones are left out: a killed writer may leave such a one."""
    found = sorted(path.parent for path in Path(tree).rglob("result.json"))
    return [folder for folder in found if not any(part.startswith(".") for part in folder.relative_to(tree).parts)]


def save_result(
    result: Result,
    folder: str | os.PathLike[str],
    extra_files: Mapping[str, bytes] | None = None,
    overwrite: bool = False,
    small: bool = False,
) -> None:
    """Writes the result folder, whole or not at all, and beside the result the extra files (pictures, a page) by name.

    `small`: of the result only result.json and smplx_parameters.json, which `load_summary` reads and `load_result` not.

    Meshes and gaussians.ply are in the frame of the sample's files, without cam_trans; scene.glb has y up instead (see
    `scene_glb`). Raises FileExistsError when the folder exists and `overwrite` is not set.
    """
    record = result_record(result) | ({"small": True} if small else {})
    with new_folder(folder, overwrite) as part:
        if not small:
            _save_geometry(result, part)
        save_json(part / "smplx_parameters.json", pose_record(result))
        save_json(part / "result.json", record, WHY_NULL)
        for name, data in (extra_files or {}).items():
            if Path(name).name != name or (part / name).exists():
                raise ValueError(f"extra file {name!r}: expected a plain file name that the result itself does not use")
            (part / name).write_bytes(data)


def load_result(folder: str | os.PathLike[str]) -> Result:
    """The result that `save_result` wrote, meshes and Gaussians in float32. Raises SampleError, naming the file."""
    folder = Path(folder)
    path, record = _load_record(folder)
    if record.get("small"):
        raise SampleError(folder, "is a small result: it was written without meshes, Gaussians and contact")
    pose, camera = load_parameters(folder / "smplx_parameters.json")
    human, scores = load_mesh(folder / "human_mesh.obj"), _load_contact(folder / "contact.json")
    if len(scores["vertex_scores"]) != len(human.verts):
        count = len(scores["vertex_scores"])
        raise SampleError(folder / "contact.json", f"has {count} vertex scores for {len(human.verts)} vertices")
    with _naming(path):
        moved = record["object"]
        return Result(
            name=record["name"],
            config=record["options"],
            rotation=numbers(path, "rotation", moved["rotation"], 9).reshape(3, 3),
            translation=numbers(path, "translation", moved["translation"], 3),
            scale=float(numbers(path, "scale", moved["scale"], 1)[0]),
            pivot=numbers(path, "pivot", moved["pivot"], 3),
            camera=camera,
            pose=pose,
            human=human,
            object=load_mesh(folder / "object_mesh.obj"),
            gaussians=_shifted(load_gaussians(folder / "gaussians.ply"), np.asarray(pose.translation)),
            contact=np.array(scores["vertex_scores"], np.float64),
            part_scores=scores["part_scores"],
            contact_parts=tuple(scores["parts"]),
            metrics=record["metrics"],
            losses=record["losses"],
            reasons=record["reasons"],
            history=_load_history(folder / "history.npz"),
            seconds=record["seconds"],
            dropped=int(record["dropped"]),
            notes=tuple(record["notes"]),
            human_moved=load_moved(folder / "smplx_parameters.json"),
        )


def summary(result: Result) -> Summary:
    """The summary of a result."""
    return Summary(*(getattr(result, field) for field in Summary._fields))


def load_summary(folder: str | os.PathLike[str]) -> Summary:
    """The summary of the result in the folder, from result.json alone. Raises SampleError, naming the file."""
    path, record = _load_record(Path(folder))
    with _naming(path):
        values = {field: record[field] for field in Summary._fields}
        return Summary(**values)._replace(dropped=int(record["dropped"]), notes=tuple(record["notes"]))


def result_record(result: Result) -> dict[str, Any]:
    """The content of result.json. x' = scale rotation (x - pivot) + pivot + translation moves the coarse object."""
    return {
        "schema": SCHEMA,
        "name": result.name,
        "preset": result.config.get("preset"),
        "options": result.config,
        "object": {
            "rotation": result.rotation,
            "translation": result.translation,
            "scale": result.scale,
            "pivot": result.pivot,
        },
        "camera": {"focal": result.camera.focal, "center": result.camera.center},
        "contact_parts": {name: result.part_scores.get(name) for name in result.contact_parts},
        "metrics": result.metrics,
        "losses": result.losses,
        "reasons": result.reasons,
        "dropped": result.dropped,
        "notes": result.notes,
        "seconds": result.seconds,
        "software": {name: version(name) for name in ("hoijax", "jax", "jaxlib", "numpy")}
        | {"python": platform.python_version()},
        "device": f"{jax.devices()[0].platform}: {jax.devices()[0].device_kind}",
    }


def pose_record(result: Result) -> dict[str, Any]:
    """The content of smplx_parameters.json: a sample's, and `transl`, what moved the person off its cam_trans."""
    moved = {"transl": np.asarray(result.human_moved).tolist()} if np.any(result.human_moved) else {}
    return parameters(result.pose, result.camera) | moved


def contact_record(result: Result) -> dict[str, Any]:
    """The content of contact.json. A score is Eq. 4's: in [0, 1], low where human and object touch."""
    return {
        "parts": result.contact_parts,
        "part_scores": result.part_scores,
        "vertex_scores": result.contact,
    }


def _save_geometry(result: Result, folder: Path) -> None:
    """What makes a result large: meshes, Gaussians, the score of every vertex, the losses of every step."""
    save_mesh(folder / "object_mesh.obj", result.object)
    save_mesh(folder / "human_mesh.obj", result.human)
    (folder / "scene.glb").write_bytes(scene_glb(result.human, result.object))
    save_gaussians(folder / "gaussians.ply", _shifted(result.gaussians, -np.asarray(result.pose.translation)))
    _save_history(folder / "history.npz", result.history)
    save_json(folder / "contact.json", contact_record(result), WHY_NULL)


def _load_record(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Path and content of result.json, of a schema that this version reads."""
    path = folder / "result.json"
    if not path.is_file():
        raise SampleError(folder, "holds no result.json, so it is no result folder")
    record = load_json(path)
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        found = record.get("schema") if isinstance(record, dict) else type(record).__name__
        raise SampleError(path, f"has schema {found}, this version of hoijax reads schema {SCHEMA}")
    with _naming(path):
        record = from_strict(record)
    return path, record


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors of an edited file become a SampleError that names it."""
    try:
        yield
    except SampleError:
        raise
    except KeyError as error:
        raise SampleError(path, f"has no {error.args[0]!r}; was it edited?") from error
    except (TypeError, AttributeError, IndexError, ValueError) as error:
        raise SampleError(path, f"holds an entry of another kind than expected ({error})") from error


def _shifted(gaussians: Gaussians, offset: Float[np.ndarray, "3"]) -> Gaussians:
    """Between the camera frame and that of the sample's files, which lacks cam_trans."""
    return gaussians._replace(means=gaussians.means + offset)


def _load_contact(path: Path) -> dict[str, Any]:
    record = load_json(path)
    kinds = {"parts": list, "part_scores": dict, "vertex_scores": list}
    if not isinstance(record, dict) or not all(isinstance(record.get(key), kind) for key, kind in kinds.items()):
        raise SampleError(path, f"is incomplete, expected the keys {', '.join(kinds)}")
    with _naming(path):
        return from_strict(record)


def _save_history(path: Path, history: Mapping[str, Float[np.ndarray, " steps"]]) -> None:
    arrays: dict[str, Any] = {name: np.asarray(values) for name, values in history.items()}
    np.savez_compressed(path, **arrays)


def _load_history(path: Path) -> dict[str, Float[np.ndarray, " steps"]]:
    try:
        with np.load(io.BytesIO(load_bytes(path)), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except SampleError:
        raise
    except Exception as error:  # a damaged archive raises anything from EOFError to SyntaxError
        raise SampleError(path, f"cannot be read as a history of the losses ({error})") from error
