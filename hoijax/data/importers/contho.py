"""CONTHO's annotations (Nam et al., CVPR 2024) of BEHAVE and InterCap: one file in COCO's form.

    data/base_data/annotations/behave_test.json      images: id, file_name, width, height, cam_param {focal, princpt, R, t}
                                                     annotations: image_id, smpl_param {pose 156, ...}, h3d_keypoints,
                                                                  obj_param {name, pose 3, trans 3}
    data/base_data/object_models/behave/_info.json   {"0": {"path": "data/base_data/object_models/behave/backpack.obj"}}
    data/BEHAVE/sequences/<file_name>                Date01_Sub01_.../t0005.000/k1.color.jpg, masks as in BEHAVE
    data/InterCap/sequences/<file_name>              masks: color -> mask, 00000.jpg -> 00000_human.png, 00000_object.png

Object and body are posed in a frame from which R and t lead to the camera, x_c = R x + t (absent: they are in the camera's
frame already): x = R_o v + t_o with the template as its file holds it. h3d_keypoints are in the camera's frame; the first
is the pelvis. OpenCV axes, metres. The posed person needs SMPL-H, which is not here: the mesh is BEHAVE's own,
person/fit02/person_fit.ply beside the picture, or comes from a folder that the user made, <humans>/<annotation id>.ply
or .obj, in the same frame as the pose. cam_param says nothing about the lens, so pictures are not undistorted.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hoijax.data.importers.compose import Scene, imported_sample, load_pictures
from hoijax.data.importers.lens import read_lens
from hoijax.data.importers.meshes import first_of, load_scan, needed
from hoijax.data.importers.options import Found, ImportOptions
from hoijax.data.importers.people import record, smplh_pose
from hoijax.data.importers.rigid import Rigid, moved_by, read_rigid
from hoijax.data.parameters import load_json
from hoijax.data.sample import ColoredMesh, Sample, SampleError

DATA_SETS = {"behave": "BEHAVE", "intercap": "InterCap"}
ASTRAY = 0.1  # metres that a pelvis may lie outside its mesh's box


def find_contho(tree: Path, options: ImportOptions) -> list[Found]:
    """All annotations of the files behave_*.json and intercap_*.json below `tree`, or of `tree` if it is such a file."""
    files = [tree] if tree.is_file() else sorted(p for name in DATA_SETS for p in tree.rglob(f"{name}_*.json"))
    found = []
    for path in files:
        images, notes = read_annotations(path)
        for row, note in enumerate(notes):
            thing = record(path, note.get("obj_param", {})).get("name", "object")
            picture = str(images.get(_image_id(note), {}).get("file_name", "no picture"))
            name = f"{Path(picture).with_suffix('').as_posix().replace('/', '_')}_a{note.get('id', row)}"
            found.append(Found(Path(str(thing)) / name, path, (row,)))
    return found


def load_contho(found: Found, options: ImportOptions) -> Sample:
    """One annotation. Raises SampleError that names the file."""
    path, (row,) = found.source, found.entry
    images, notes = read_annotations(path)
    note = notes[row]
    image = images.get(_image_id(note))
    if image is None:
        raise SampleError(path, f"annotation {row} names image {note.get('image_id')!r}, which is not in the file")
    warnings: list[str] = []

    def warn(file: Path, message: str) -> None:
        warnings.append(f"{file.name}: {message}")

    camera = record(path, image.get("cam_param"))
    to_camera = Rigid(np.eye(3), np.zeros(3))
    if "R" in camera or "t" in camera:
        to_camera = read_rigid(path, camera.get("R", np.eye(3)), camera.get("t", np.zeros(3)), ("R", "t"))
    picture = _picture_path(path, str(image.get("file_name")))
    human_mask, object_mask, depth = _companions(picture)
    lens = read_lens(path, camera.get("focal"), camera.get("princpt"))
    pictures = load_pictures(lens, picture, human_mask, object_mask, depth, warn)
    thing, object_path = _object(path, record(path, note.get("obj_param")), options.objects)
    human_path = _human_path(path, picture, note.get("id", row), "R" in camera, options.humans)
    human = load_scan(human_path)
    verts = moved_by(to_camera, human.verts)
    _check_pelvis(human_path, verts, note.get("h3d_keypoints"))
    pose = smplh_pose(path, record(path, note.get("smpl_param")).get("pose"), to_camera)
    moved = thing._replace(verts=moved_by(to_camera, thing.verts))
    scene = Scene(human._replace(verts=verts), human_path, moved, object_path, pose)
    return imported_sample(
        found.place, picture.parent, pictures, scene, options.masks, warnings, found.place.parent.name or None
    )


class Annotations(NamedTuple):
    """A file's images by their id, and its annotations."""

    images: Mapping[int, Mapping[str, Any]]
    notes: list[Mapping[str, Any]]


def read_annotations(path: Path) -> Annotations:
    """The content of an annotation file. Raises SampleError for what is not in COCO's form."""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise SampleError(path, f"cannot be read ({error.strerror})") from error


@lru_cache(maxsize=1)  # such a file may be a gigabyte, and every annotation asks for it
def _read(path: Path, _: int) -> Annotations:
    content = record(path, load_json(path))
    for key in ("images", "annotations"):
        values = content.get(key)
        if not isinstance(values, list) or not all(isinstance(value, Mapping) for value in values):
            raise SampleError(path, f"has no list {key}, expected COCO's form: images and annotations")
    for image in content["images"]:
        if not isinstance(image.get("id"), int):
            raise SampleError(path, f"has an image of id {image.get('id')!r}, expected a number")
    return Annotations({image["id"]: image for image in content["images"]}, content["annotations"])


def _image_id(note: Mapping[str, Any]) -> int:
    """The image of an annotation; -1, which none is, for what is no number."""
    value = note.get("image_id")
    return value if isinstance(value, int) else -1


def _picture_path(path: Path, name: str) -> Path:
    """The picture of an annotation: data/<data set>/sequences/<file_name>, seen from the annotation file."""
    data_set = DATA_SETS.get(path.name.split("_")[0], "")
    tried = [folder / place for folder in path.parents for place in (f"{data_set}/sequences", "sequences", ".")]
    for folder in tried:
        if (folder / name).is_file():
            return folder / name
    raise SampleError(path, f"names the picture {name}, which is not in {data_set}/sequences of a folder above it")


def _companions(picture: Path) -> tuple[Path | None, Path | None, Path | None]:
    """Masks of human and object, and the depth map, of a picture in BEHAVE's or InterCap's layout."""
    folder = picture.parent
    if picture.name.endswith(".color.jpg"):
        stem = picture.name.removesuffix(".color.jpg")
        ends = ("jpg", "png")
        human, thing = (
            first_of(folder, *(f"{stem}.{kind}.{end}" for end in ends)) for kind in ("person_mask", "obj_rend_mask")
        )
        return human, thing, first_of(folder, f"{stem}.depth.png")
    masks, stem = folder.parent / "mask", picture.stem
    human, thing = (first_of(masks, f"{stem}_{kind}.png") for kind in ("human", "object"))
    return human, thing, first_of(folder.parent / "depth", f"{stem}.png")


def _object(path: Path, parameters: Mapping[str, Any], objects: Path | None) -> tuple[ColoredMesh, Path]:
    """The object in the frame of its pose."""
    name = parameters.get("name")
    motion = read_rigid(path, parameters.get("pose"), parameters.get("trans"), ("obj_param pose", "obj_param trans"))
    data_set = path.name.split("_")[0]
    folders = [parent / "object_models" / data_set for parent in path.parents] if objects is None else [objects]
    mesh_path = next((found for folder in folders if (found := first_of(folder, f"{name}.obj", f"{name}.ply"))), None)
    if mesh_path is None:
        raise SampleError(path, f"names the object {name!r}: no {name}.obj in {objects or f'object_models/{data_set}'}")
    template = load_scan(mesh_path)
    return template._replace(verts=moved_by(motion, template.verts)), mesh_path


def _human_path(path: Path, picture: Path, number: Any, moved: bool, humans: Path | None) -> Path:
    """The posed person's mesh: the user's, else BEHAVE's own, which stands in Kinect 1's frame."""
    if humans is not None:
        return needed(humans, f"{number}.ply", f"{number}.obj")
    registered = picture.parent / "person" / "fit02" / "person_fit.ply"
    if registered.is_file() and moved:
        return registered
    raise SampleError(
        path,
        f"has no mesh of the person of annotation {number}: pose SMPL-H by smpl_param, save <annotation id>.ply and "
        "name the folder with --humans"
        + ("" if not registered.is_file() else " (cam_param has no R: person_fit.ply is elsewhere)"),
    )


def _check_pelvis(path: Path, verts: np.ndarray, joints: Any) -> None:
    """Raises SampleError for a mesh that the annotated pelvis (camera frame) does not lie in: it is in another frame."""
    if joints is None or np.asarray(joints).size < 3:
        return
    pelvis = np.asarray(joints, np.float64).reshape(-1, 3)[0]
    outside = np.maximum(verts.min(0) - pelvis, pelvis - verts.max(0)).max()
    if outside > ASTRAY:
        raise SampleError(
            path,
            f"is {outside:.2f} m away from the annotated pelvis {pelvis.round(2).tolist()}: it is in another frame",
        )
