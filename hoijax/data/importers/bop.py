"""BOP data sets (Hodan et al.): objects in photographs, each with its pose. People are not in them.

    test/000001/rgb/000004.png (or gray/)  depth/000004.png  mask_visib/000004_000000.png
        scene_camera.json    {"4": {"cam_K": 9 numbers, "depth_scale": mm per unit}}
        scene_gt.json        {"4": [{"obj_id": 5, "cam_R_m2c": 9, "cam_t_m2c": 3 (mm)}, ...]}
    models/obj_000005.ply    mm

x_c = R x + t leads from the model's frame to the camera's, OpenCV axes; here in metres. A sample needs a person, which the
user brings: <humans>/<scene>/<image>/ (000001/000004) with person_mask.png, smplx_parameters.json and h_mesh.obj as a
sample has them (docs/formats.md). The camera is BOP's; that of smplx_parameters.json is not looked at.
"""

from pathlib import Path
from typing import Any

import numpy as np

from hoijax.data.importers.compose import Scene, imported_sample, load_pictures
from hoijax.data.importers.lens import read_lens
from hoijax.data.importers.meshes import first_of, load_scan, needed
from hoijax.data.importers.options import Found, ImportOptions
from hoijax.data.importers.people import record
from hoijax.data.importers.rigid import moved_by, read_rigid
from hoijax.data.parameters import load_json, load_parameters, numbers
from hoijax.data.sample import Sample, SampleError

MILLIMETRE = 1e-3
ENDS = ("png", "jpg", "tif")
MODELS = ("models", "models_cad", "models_eval")


def find_bop(tree: Path, options: ImportOptions) -> list[Found]:
    """All annotated objects of all pictures below `tree`.

    Raises SampleError for a scene_gt.json that is none, and for a path without the names of split and scene.
    """
    found = []
    for path in sorted(tree.rglob("scene_gt.json")):
        if not path.parent.parent.name:
            raise SampleError(path, "is too short a path, expected <split>/<scene>/scene_gt.json")
        for image, notes in record(path, load_json(path)).items():
            if not image.isdigit() or not isinstance(notes, list):
                raise SampleError(
                    path, f"has an entry {image!r}, expected numbers of pictures with a list of objects each"
                )
            for row, note in enumerate(notes):
                name = f"{path.parent.parent.name}_{path.parent.name}_{int(image):06d}_g{row}"
                found.append(Found(Path(_category(path, note)) / name, path, (int(image), row)))
    return found


def load_bop(found: Found, options: ImportOptions) -> Sample:
    """One object of one picture, with the user's person. Raises SampleError that names the file."""
    path, (number, row) = found.source, found.entry
    scene, name = path.parent, f"{number:06d}"
    warnings: list[str] = []

    def warn(file: Path, message: str) -> None:
        warnings.append(f"{file.name}: {message}")

    person = _person_folder(path, options.humans, name)
    note = record(path, record(path, load_json(path))[str(number)][row])
    camera_path = needed(scene, "scene_camera.json")
    camera = record(camera_path, record(camera_path, load_json(camera_path)).get(str(number)))
    k = numbers(camera_path, "cam_K", camera.get("cam_K"), 9)
    unit = float(numbers(camera_path, "depth_scale", camera.get("depth_scale", 1.0), 1)[0]) * MILLIMETRE
    pictures = load_pictures(
        read_lens(camera_path, k[[0, 4]], k[[2, 5]]),
        needed(scene, *(f"{kind}/{name}.{end}" for kind in ("rgb", "gray") for end in ENDS)),
        needed(person, "person_mask.png"),
        first_of(scene / "mask_visib", f"{name}_{row:06d}.png"),
        first_of(scene / "depth", f"{name}.png"),
        warn,
        unit,
    )
    to_camera = read_rigid(path, note.get("cam_R_m2c"), note.get("cam_t_m2c"), ("cam_R_m2c", "cam_t_m2c"), MILLIMETRE)
    model_path = _model_path(path, note.get("obj_id"), options.objects)
    model = load_scan(model_path, MILLIMETRE)
    pose, _ = load_parameters(needed(person, "smplx_parameters.json"))
    human_path = needed(person, "h_mesh.obj")
    human = load_scan(human_path)
    placed = Scene(
        human=human._replace(verts=human.verts + np.asarray(pose.translation, np.float64)),
        human_path=human_path,
        object=model._replace(verts=moved_by(to_camera, model.verts)),
        object_path=model_path,
        pose=pose,
    )
    return imported_sample(found.place, scene, pictures, placed, options.masks, warnings, found.place.parent.name)


def _category(path: Path, note: Any) -> str:
    number = record(path, note).get("obj_id")
    if not isinstance(number, int):
        raise SampleError(path, f"has an obj_id {number!r}, expected a number")
    return f"obj_{number:06d}"


def _person_folder(path: Path, humans: Path | None, name: str) -> Path:
    files = "person_mask.png, smplx_parameters.json and h_mesh.obj"
    if humans is None:
        raise SampleError(
            path, f"BOP has no people: name a folder of yours with --humans, <scene>/{name}/ with {files}"
        )
    folder = humans / path.parent.name / name
    if not folder.is_dir():
        raise SampleError(folder, f"is not there: expected the picture's person, {files}")
    return folder


def _model_path(path: Path, number: Any, objects: Path | None) -> Path:
    name = f"obj_{number:06d}.ply"
    folders = [parent / models for parent in path.parents for models in MODELS] if objects is None else [objects]
    found = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if found is None:
        raise SampleError(path, f"names the object {number}: no {name} in {objects or 'a folder models above it'}")
    return found
