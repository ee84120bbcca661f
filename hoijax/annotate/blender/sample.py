"""Sample folders of a tree, and what the add-on needs of one: photograph, two meshes, camera. See docs/formats.md."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .files import SampleError, read_bytes, read_record, sha256
from .objfile import Mesh, load_mesh

IMAGES = ("image.jpg", "image.jpeg", "image.png")
MASKS = ("person_mask.png", "object_mask.png", "obj_mask.png")
PARAMETERS, HUMAN, COARSE, ANNOTATED = "smplx_parameters.json", "h_mesh.obj", "obj_pcd_h_align.obj", "object_mesh.obj"
RESULT = "result.json"  # a folder that holds it is a result, not a sample


class Sample(NamedTuple):
    """One sample: meshes as stored (metres, OpenCV axes, without cam_trans), camera in pixels of the photograph.

    `name` is the folder below the tree; `source` the file of the object's mesh, `sha256` its hash; `mask` a mask's file
    or None. focal, center (2,); translation (3,), to be added to the meshes before the camera.
    """

    name: str
    folder: Path
    image: Path
    mask: Path | None
    human: Mesh
    object: Mesh
    source: str
    sha256: str
    focal: np.ndarray
    center: np.ndarray
    translation: np.ndarray


def find_samples(tree: Path) -> dict[str, Path]:
    """Sample folders in a tree of any depth, by name, sorted; a tree that is itself a sample has that one.

    Hidden folders and results are passed over. Raises SampleError when there is none.
    """
    if not tree.is_dir():
        raise SampleError(tree, "is not a folder, expected a sample or a tree of samples")
    known = {*IMAGES, *MASKS, PARAMETERS, HUMAN, COARSE}
    found: list[Path] = []
    seen = set()
    for parent, children, files in os.walk(tree, followlinks=True):
        real = os.path.realpath(parent)
        names = {*files, *children}
        if real in seen or RESULT in names:
            children.clear()
        elif known & names:
            found.append(Path(parent))
            children.clear()
        else:
            children[:] = [child for child in children if not child.startswith(".")]
        seen.add(real)
    if not found:
        raise SampleError(
            tree, f"holds no sample, expected folders with {PARAMETERS}, {HUMAN}, {COARSE} and a photograph"
        )
    return {name_of(tree, folder): folder for folder in sorted(found)}


def name_of(tree: Path, folder: Path) -> str:
    """The sample's name: its path below the tree, with slashes."""
    return folder.name if folder == tree else folder.relative_to(tree).as_posix()


def load_sample(name: str, folder: Path, coarse: bool = False) -> Sample:
    """The sample in the folder, with the annotated object unless there is none or the coarse one is wanted.

    Raises SampleError at the first thing that is unusable.
    """
    image = _first(folder, IMAGES)
    if image is None:
        raise SampleError(folder, f"has no {' or '.join(IMAGES)}")
    source = _object_file(folder, coarse)
    focal, center, translation = load_camera(folder)
    human, thing = load_mesh(folder / HUMAN), load_mesh(folder / source)
    for file, mesh in ((HUMAN, human), (source, thing)):
        behind = int((mesh.verts[:, 2] + translation[2] <= 0).sum())
        if behind:
            raise SampleError(
                folder / file,
                f"{behind} of {len(mesh.verts)} vertices lie behind the camera after cam_trans {translation.tolist()}, "
                "expected z forward",
            )
    mask = _first(folder, MASKS)
    digest = sha256(folder / source)
    return Sample(name, folder, image, mask, human, thing, source, digest, focal, center, translation)


def load_camera(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """focal (2,), princpt (2,) and cam_trans (3,) of smplx_parameters.json; calibration.json for a missing camera."""
    path = folder / PARAMETERS
    record = read_record(path)
    translation = _numbers(path, "cam_trans", record.get("cam_trans"), 3)
    if "focal" in record or "princpt" in record:
        focal, center = (_numbers(path, key, record.get(key), 2) for key in ("focal", "princpt"))
    elif (folder / "calibration.json").exists():
        path = folder / "calibration.json"
        matrix = _numbers(path, "K", read_record(path).get("K"), 9).reshape(3, 3)
        focal, center = matrix[[0, 1], [0, 1]], matrix[:2, 2]
    else:
        raise SampleError(path, "has no focal and princpt, and there is no calibration.json; expected pixels")
    if not (focal > 0).all():
        raise SampleError(path, f"focal is {focal.tolist()}, expected positive pixels")
    return focal, center, translation


def _object_file(folder: Path, coarse: bool) -> str:
    """The annotated object's file under its names, else the coarse one's."""
    if not coarse:
        numbered = sorted((path.name for path in folder.glob("obj_annot*.obj")), key=lambda name: (len(name), name))
        for name in (ANNOTATED, *numbered):
            if (folder / name).exists():
                return name
    return COARSE


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    path = next((folder / name for name in names if os.path.lexists(folder / name)), None)
    if path is not None:
        read_bytes(path)
    return path


def _numbers(path: Path, key: str, value: Any, size: int) -> np.ndarray:
    """`size` finite numbers from JSON in any nesting, flat."""
    try:
        array = np.asarray(value, np.float64).ravel()
    except (TypeError, ValueError):
        array = np.zeros(0)
    if array.size != size or not np.isfinite(array).all():
        found = "missing" if value is None else repr(value)[:60]
        raise SampleError(path, f"{key} is {found}, expected {size} finite numbers")
    return array
