"""A user's own files in place of a step: read, checked against the photograph, written in the canonical form."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from hoijax.data.images import fitted, load_depth, load_mask, load_photo
from hoijax.data.meshfile import load_any_mesh
from hoijax.data.objfile import load_mesh, save_mesh
from hoijax.data.parameters import load_parameters
from hoijax.data.read import before_camera, filled
from hoijax.data.sample import SampleError
from hoijax.pipeline.engine import Engine, engine
from hoijax.pipeline.item import Item

OWN = "own files"


def own_engine(step: str, files: Mapping[str, Path]) -> Engine:
    """The engine that takes these files ({name: file}, see `own_files`) for the step. Another content is another option."""
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for name, path in files.items()}
    needs = ("image",) if step in IMAGES else ()
    return engine(OWN, step, needs, {"files": hashes}, lambda item, folder: take(step, files, item, folder))


IMAGES = ("person_mask", "object_mask", "depth")


def take(step: str, files: Mapping[str, Path], item: Item, folder: Path) -> tuple[str, ...]:
    """Reads the files and writes them into the folder of the step. Raises SampleError for what cannot be used."""
    warnings: list[str] = []

    def warn(path: Path, message: str) -> None:
        warnings.append(f"{path.name}: {message}")

    if step in IMAGES:
        (path,) = files.values()
        size = photograph(item).shape[1::-1]
        if step == "depth":
            np.save(folder / "depth.npy", fitted(path, load_depth(path, warn), size, warn).astype(np.float32))
        else:
            save_mask(folder / f"{step}.png", filled(path, fitted(path, load_mask(path, warn), size, warn)))
    elif step == "human":
        pose, _ = load_parameters(files["smplx_parameters.json"])
        before_camera(files["h_mesh.obj"], load_mesh(files["h_mesh.obj"]), np.asarray(pose.translation))
        for name, path in files.items():
            (folder / name).write_bytes(path.read_bytes())
    elif step == "complete":
        (path,) = files.values()
        picture = cv2.imread(os.fspath(path), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.ndim != 3 or picture.shape[2] != 4 or not picture[..., 3].any():
            raise SampleError(
                path, "is no RGBA image with an object in it, expected the object on a transparent ground"
            )
        (folder / "object.png").write_bytes(path.read_bytes())
    elif step == "mesh":
        (path,) = files.values()
        save_mesh(folder / "mesh.obj", load_any_mesh(path))
    return tuple(warnings)


def photograph(item: Item) -> UInt8[np.ndarray, "h w 3"]:
    """The upright photograph that the first step left."""
    return load_photo(item.file("image"), lambda *_: None)


def saved_mask(item: Item, step: str) -> Bool[np.ndarray, "h w"]:
    """The mask that a step left. Raises SampleError where an edit emptied it or changed its size."""
    path = item.file(step)
    size = photograph(item).shape[1::-1]
    mask = load_mask(path, lambda *_: None)
    if mask.shape[::-1] != size:
        raise SampleError(path, f"is {mask.shape[1]} x {mask.shape[0]} pixels, expected {size[0]} x {size[1]}")
    return filled(path, mask)


def save_mask(path: Path, mask: Bool[np.ndarray, "h w"]) -> None:
    """White on black, 8 bits."""
    if not cv2.imwrite(os.fspath(path), mask.astype(np.uint8) * 255):
        raise OSError(f"{path}: cannot be written")
