"""Writing a sample folder in the one canonical form."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image

from hoijax.data.atomic import new_folder
from hoijax.data.images import load_photo
from hoijax.data.layout import sample_file
from hoijax.data.objfile import save_mesh
from hoijax.data.sample import Sample, SampleError
from hoijax.types import Camera, HumanPose

JPEG_QUALITY = 98  # without chroma subsampling: at most a few levels of 255 from the pixels


def save_sample(
    sample: Sample, folder: str | os.PathLike[str], arrays: Mapping[str, Float[np.ndarray, "..."]] | None = None
) -> None:
    """Writes the sample in canonical form, whole or not at all; `load_sample` gives it back.

    `arrays` lie beside it as <name>.npy, for whoever knows of them: the reader passes them over.

    The photograph is a JPEG: the file it came from where that still shows the same pixels, else a new one at quality
    98; all else is exact in float32. Raises FileExistsError when the folder exists.
    """
    with new_folder(folder) as part:
        write_sample(sample, part)
        for name, array in (arrays or {}).items():
            np.save(part / f"{name}.npy", array)


def write_sample(sample: Sample, part: Path) -> None:
    """The files of `save_sample` in a folder that the caller has made and will put in its place."""
    _save_image(part / "image.jpg", sample)
    _save_mask(part / "person_mask.png", sample.human_mask)
    _save_mask(part / "object_mask.png", sample.object_mask)
    _save_json(part / "smplx_parameters.json", parameters(sample.pose, sample.camera))
    _save_json(part / "calibration.json", {"K": intrinsic(sample.camera)})
    _save_json(part / "extrinsic.json", {"rotation": np.eye(3).tolist(), "translation": [0.0, 0.0, 0.0]})
    save_mesh(part / "h_mesh.obj", sample.human)
    save_mesh(part / "obj_pcd_h_align.obj", sample.object)
    if sample.truth is not None:
        save_mesh(part / "object_mesh.obj", sample.truth)
    if sample.human_truth is not None:
        save_mesh(part / "h_mesh_true.obj", sample.human_truth.mesh)
        _save_json(part / "smplx_parameters_true.json", parameters(sample.human_truth.pose, sample.camera))
    if sample.depth is not None:
        np.save(part / "depth.npy", sample.depth.astype(np.float32))
    _save_labels(part, sample)


def parameters(pose: HumanPose, camera: Camera) -> dict[str, Any]:
    """The content of smplx_parameters.json: 1xN rows, camera vectors flat. Eyes only where they turn."""
    rows = {
        "root_pose": pose.root,
        "body_pose": pose.body,
        "jaw_pose": pose.jaw,
        "lhand_pose": pose.left_hand,
        "rhand_pose": pose.right_hand,
        "shape": pose.shape,
        "expr": pose.expression,
    }
    if np.any(pose.eyes):
        rows |= {"leye_pose": pose.eyes[0], "reye_pose": pose.eyes[1]}
    flat = {"cam_trans": pose.translation, "focal": camera.focal, "princpt": camera.center}
    return {key: [np.ravel(value).tolist()] for key, value in rows.items()} | {
        key: np.ravel(value).tolist() for key, value in flat.items()
    }


def intrinsic(camera: Camera) -> list[list[float]]:
    """The matrix K = [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] as nested lists."""
    (fx, fy), (cx, cy) = np.asarray(camera.focal).tolist(), np.asarray(camera.center).tolist()
    return [[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]]


def _save_image(path: Path, sample: Sample) -> None:
    source = sample_file(sample.folder, "image")
    if source is not None and source.suffix in (".jpg", ".jpeg"):
        size = sample.image.shape[1::-1]
        try:
            same = np.array_equal(load_photo(source, lambda *_: None, size), sample.image)
        except SampleError:
            same = False
        if same:
            shutil.copyfile(source, path)
            return
    Image.fromarray(sample.image).save(path, quality=JPEG_QUALITY, subsampling=0)


def _save_mask(path: Path, mask: Bool[np.ndarray, "h w"]) -> None:
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)


def _save_labels(folder: Path, sample: Sample) -> None:
    boxes = {"obj": sample.object_box, "human": sample.human_box}
    known = {key: box.tolist() for key, box in boxes.items() if box is not None}
    if known:
        _save_json(folder / "box_annotation.json", known)
    if sample.contact_parts is not None:
        (folder / "contact_label").mkdir()
        _save_json(folder / "contact_label" / "human_part.json", list(sample.contact_parts))
    if sample.category is not None or sample.action is not None:
        things = [
            {"bbox": _size_boxes(sample.human_box), "category": "person"},
            {"bbox": _size_boxes(sample.object_box), "category": sample.category},
        ]
        pair = {"subject_id": 0, "object_id": 1, "action": sample.action}
        _save_json(folder / "annotations.json", {"hoi_annotation": [pair], "annotations": things})


def _size_boxes(box: Float[np.ndarray, "4"] | None) -> list[list[float]]:
    """annotations.json gives boxes as x, y, width, height, in a list."""
    if box is None:
        return []
    x0, y0, x1, y1 = box.tolist()
    return [[x0, y0, x1 - x0, y1 - y0]]


def _save_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
