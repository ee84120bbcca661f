"""BEHAVE (Bhatnagar et al., CVPR 2022): sequences of four Kinects with registered SMPL-H bodies and object templates.

    sequences/Date01_Sub01_backpack_back/info.json                   cat, config and intrinsic (paths from this folder)
        t0005.000/k1.color.jpg  k1.depth.png  k1.person_mask.jpg  k1.obj_rend_mask.jpg
            person/fit02/person_fit.ply  person_fit.pkl              pose 156, betas 10, trans
            backpack/fit01/backpack_fit.ply  backpack_fit.pkl        angle 3, trans 3
    calibs/intrinsics/1/calibration.json                             color: fx fy cx cy opencv [fx fy cx cy k1 ...]
    calibs/Date01/config/1/config.json                               rotation 9, translation 3
    objects/backpack/backpack_f1000.ply

Meshes stand in the frame of Kinect 1's colour camera, OpenCV axes, metres. A config leads from its Kinect's frame to that
one: x_1 = R x_k + t. An object's pose acts on its template with the mean of the vertices at the origin: x_1 = R (v - mean)
+ t. Depth counts millimetres along z, in the pixels of the colour picture.
"""

import re
from pathlib import Path
from typing import NamedTuple

from hoijax.data.importers.compose import Scene, imported_sample, load_pictures
from hoijax.data.importers.lens import Lens, read_lens
from hoijax.data.importers.meshes import first_of, load_scan, needed
from hoijax.data.importers.options import Found, ImportOptions
from hoijax.data.importers.people import load_pickle, record, smplh_pose
from hoijax.data.importers.rigid import Rigid, inverse, moved_by, read_rigid
from hoijax.data.parameters import load_json, numbers
from hoijax.data.sample import ColoredMesh, Sample, SampleError, Warn

PERSON_FIT, OBJECT_FIT = "fit02", "fit01"  # of the published data
KINECTS = range(4)


class Sequence(NamedTuple):
    """What info.json tells, or the folder's name where there is none: kind of object, and where calibrations lie."""

    category: str
    config: Path
    intrinsics: Path


def find_behave(tree: Path, options: ImportOptions) -> list[Found]:
    """Frames of all sequences below `tree` that have a picture of the view.

    Raises SampleError for another view, and for a path without the sequence's name.
    """
    if options.view not in KINECTS:
        raise SampleError(tree, f"has no view {options.view}: BEHAVE's Kinects are 0 to {KINECTS.stop - 1}")
    found = []
    for image in sorted(tree.rglob(f"k{options.view}.color.jpg")):
        frame = image.parent
        if frame.name.startswith("t"):
            if not frame.parent.name:
                raise SampleError(image, "is too short a path, expected <sequence>/<frame>/<picture>")
            name = f"{frame.parent.name}_{frame.name}_k{options.view}"
            found.append(Found(Path(_category(frame.parent)) / name, frame))
    return found


def load_behave(found: Found, options: ImportOptions) -> Sample:
    """One frame as the Kinect `options.view` sees it. Raises SampleError that names the file."""
    frame, k = found.source, options.view
    sequence = read_sequence(frame.parent)
    warnings: list[str] = []

    def warn(path: Path, message: str) -> None:
        warnings.append(f"{path.name}: {message}")

    to_camera = inverse(kinect_pose(sequence.config / str(k) / "config.json"))
    pictures = load_pictures(
        kinect_lens(sequence.intrinsics / str(k) / "calibration.json"),
        needed(frame, f"k{k}.color.jpg"),
        first_of(frame, f"k{k}.person_mask.png", f"k{k}.person_mask.jpg"),
        first_of(frame, *(f"k{k}.{name}.{end}" for name in ("obj_rend_mask", "obj_mask") for end in ("png", "jpg"))),
        first_of(frame, f"k{k}.depth.png"),
        warn,
    )
    fit = registration(frame / "person", PERSON_FIT, warn)
    pose_path = needed(fit, "person_fit.pkl")
    pose = smplh_pose(pose_path, record(pose_path, load_pickle(pose_path)).get("pose"), to_camera)
    human_path = needed(fit, "person_fit.ply")
    thing, object_path = registered_object(frame, sequence, options.objects, warn)
    human = load_scan(human_path)
    scene = Scene(
        human=human._replace(verts=moved_by(to_camera, human.verts)),
        human_path=human_path,
        object=thing._replace(verts=moved_by(to_camera, thing.verts)),
        object_path=object_path,
        pose=pose,
    )
    action = "_".join(frame.parent.name.split("_")[3:]).replace("_", " ") or None
    return imported_sample(
        found.place, frame, pictures, scene, options.masks, warnings, sequence.category.replace("_", " "), action
    )


def read_sequence(folder: Path) -> Sequence:
    """The sequence's object and calibrations; without info.json from names: Date01_Sub01_backpack -> calibs/Date01."""
    path = folder / "info.json"
    if path.is_file():
        info = record(path, load_json(path))
        missing = [key for key in ("cat", "config", "intrinsic") if not isinstance(info.get(key), str)]
        if missing:
            raise SampleError(path, f"has no {', '.join(missing)}, expected text")
        return Sequence(info["cat"], folder / info["config"], folder / info["intrinsic"])
    calibs, date = folder.parent.parent / "calibs", folder.name.split("_")[0]
    return Sequence(_category(folder), calibs / date / "config", calibs / "intrinsics")


def kinect_pose(path: Path) -> Rigid:
    """From this Kinect's frame to that of Kinect 1: a config.json. Raises SampleError."""
    content = record(path, load_json(path))
    return read_rigid(path, content.get("rotation"), content.get("translation"), ("rotation", "translation"))


def kinect_lens(path: Path) -> Lens:
    """The colour camera of a calibration.json. Raises SampleError."""
    color = record(path, record(path, load_json(path)).get("color"))
    values = [color.get(key) for key in ("fx", "fy", "cx", "cy")]
    numbers(path, "color: fx fy cx cy", values, 4)
    model = color.get("opencv", [])
    if not isinstance(model, list):
        raise SampleError(path, f"color: opencv is {model!r}, expected a list [fx, fy, cx, cy, k1, k2, p1, p2, ...]")
    return read_lens(path, values[:2], values[2:], model[4:])


def registration(folder: Path, name: str, warn: Warn) -> Path:
    """The folder of a registration: the published name, else the last that there is, which is said."""
    if (folder / name).is_dir():
        return folder / name
    others = sorted(path for path in folder.glob("fit*") if path.is_dir())
    if not others:
        raise SampleError(folder, f"has no registration {name}")
    warn(others[-1], f"taken as the registration of {folder.name}: there is no {name}")
    return others[-1]


def registered_object(frame: Path, sequence: Sequence, objects: Path | None, warn: Warn) -> tuple[ColoredMesh, Path]:
    """The object in Kinect 1's frame: the registered mesh, or the template in its pose where there is none.

    With `objects` the template of that folder: <objects>/<name>/<name>_f*.ply.
    """
    folder = _object_folder(frame, sequence.category)
    fit = registration(folder, OBJECT_FIT, warn)
    mesh_path = fit / f"{folder.name}_fit.ply"
    if objects is None and mesh_path.is_file():
        return load_scan(mesh_path), mesh_path
    pose_path = needed(fit, f"{folder.name}_fit.pkl")
    pose = record(pose_path, load_pickle(pose_path))
    if pose.get("scale", 1) != 1:
        raise SampleError(pose_path, f"has a scale of {pose['scale']}: it is not known what it acts on; expected none")
    motion = read_rigid(pose_path, pose.get("angle"), pose.get("trans"), ("angle", "trans"))
    shelf = (objects or frame.parent.parent.parent / "objects") / sequence.category
    templates = sorted(shelf.glob(f"{sequence.category}*_f[0-9]*.ply"))
    if not templates:
        raise SampleError(shelf, f"has no template {sequence.category}_f1000.ply or alike, and {fit} no mesh")
    template = load_scan(templates[0])
    return template._replace(verts=moved_by(motion, template.verts - template.verts.mean(0))), templates[0]


def _object_folder(frame: Path, category: str) -> Path:
    """The object's folder in a frame: called as its kind, or by COCO's name for that (chair, sports ball)."""
    if (frame / category).is_dir():
        return frame / category
    others = sorted(path for path in frame.iterdir() if path.is_dir() and path.name != "person")
    if len(others) != 1:
        names = ", ".join(path.name for path in others) or "none"
        raise SampleError(frame, f"has no folder of the object {category} (other folders: {names})")
    return others[0]


def _category(sequence: Path) -> str:
    """The object that a sequence is called by: Date01_Sub01_backpack_back -> backpack."""
    named = re.match(r"Date\d+_Sub\d+_([^_]+)", sequence.name)
    return named[1] if named else "object"
