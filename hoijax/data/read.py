"""Reading a sample folder, in every variant that the Open3DHOI data set and its copies have."""

import os
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from hoijax.data.images import fitted, load_depth, load_mask, load_photo
from hoijax.data.layout import NAMES, find_samples, required_file, sample_file, sample_name
from hoijax.data.objfile import load_mesh
from hoijax.data.parameters import (
    Labels,
    load_annotations,
    load_boxes,
    load_calibration,
    load_contact_parts,
    load_extrinsic,
    load_parameters,
)
from hoijax.data.sample import ColoredMesh, HumanTruth, Sample, SampleError, Warn
from hoijax.types import Camera, HumanPose

__all__ = ["Sample", "SampleError", "find_samples", "load_sample"]


def load_sample(folder: str | os.PathLike[str]) -> Sample:
    """One sample from its folder (see docs/formats.md). Raises SampleError at the first thing that is unusable."""
    folder = Path(folder)
    if not os.path.isdir(folder):
        raise SampleError(folder, "is not a folder, expected a sample folder")
    warnings: list[str] = []

    def warn(path: Path, message: str) -> None:
        warnings.append(f"{path.name}: {message}")

    human_path, object_path = required_file(folder, "human_mask"), required_file(folder, "object_mask")
    human_mask, object_mask = load_mask(human_path, warn), load_mask(object_path, warn)
    image = load_photo(required_file(folder, "image"), warn, human_mask.shape[::-1])
    size = image.shape[1::-1]
    pose, camera = load_human(folder, warn)
    human, thing = (
        before_camera(path, load_mesh(path), np.asarray(pose.translation))
        for path in (required_file(folder, "human"), required_file(folder, "object"))
    )
    labels = load_labels(folder, warn)
    depth_path = sample_file(folder, "depth")
    parts_path = sample_file(folder, "contact_parts")
    return Sample(
        name=sample_name(folder)[0],
        folder=folder,
        image=image,
        human_mask=filled(human_path, fitted(human_path, human_mask, size, warn)),
        object_mask=filled(object_path, fitted(object_path, object_mask, size, warn)),
        camera=camera,
        pose=pose,
        human=human,
        object=thing,
        truth=load_truth(folder, thing, warn),
        depth=None if depth_path is None else fitted(depth_path, load_depth(depth_path, warn), size, warn),
        human_box=labels.human_box,
        object_box=labels.object_box,
        contact_parts=None if parts_path is None else load_contact_parts(parts_path, warn),
        category=labels.category,
        action=labels.action,
        warnings=tuple(warnings),
        human_truth=load_human_truth(folder, human),
    )


def load_human(folder: Path, warn: Warn) -> tuple[HumanPose, Camera]:
    """Pose and camera: smplx_parameters.json decides, calibration.json fills in for a missing focal length."""
    calibration, extrinsic = sample_file(folder, "calibration"), sample_file(folder, "extrinsic")
    if extrinsic is not None:
        load_extrinsic(extrinsic, warn)
    spare = None if calibration is None else load_calibration(calibration)
    pose, camera = load_parameters(required_file(folder, "parameters"), spare)
    if calibration is not None and spare is not None:
        for message in camera_doubts(spare, camera):
            warn(calibration, message)
    return pose, camera


def camera_doubts(calibration: Camera, camera: Camera) -> list[str]:
    """What is to say about a calibration beside the camera of the parameters: nothing where they agree."""
    apart = max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in zip(calibration, camera))
    return [f"differs by {apart:.1f} px from smplx_parameters.json, which is used"] if apart > 0.5 else []


def load_truth(folder: Path, coarse: ColoredMesh, warn: Warn) -> ColoredMesh | None:
    """The annotated object, renumbered to the coarse one's vertex order; None when the folder has none.

    Where no order can be found it is returned as it is, with a warning. Raises SampleError when it cannot be read.
    """
    path = sample_file(folder, "truth")
    if path is None:
        return None
    truth = load_mesh(path)
    for message in order_doubts(coarse, truth):
        warn(path, message)
    order = vertex_order(coarse, truth)
    return truth if order is None else ColoredMesh(truth.verts[order], coarse.faces, truth.rgb[order])


def load_human_truth(folder: Path, given: ColoredMesh) -> HumanTruth | None:
    """The annotated person; None when the folder has none. Raises SampleError when it is half there or of another mesh."""
    kinds = "true_human", "true_parameters"
    mesh_path, parameters_path = (sample_file(folder, kind) for kind in kinds)
    if mesh_path is None and parameters_path is None:
        return None
    if mesh_path is None or parameters_path is None:
        found = mesh_path or parameters_path
        assert found is not None
        missing = next(NAMES[kind][0] for kind in kinds if sample_file(folder, kind) is None)
        raise SampleError(found, f"stands alone: {missing} is missing, an annotated person needs both")
    mesh = load_mesh(mesh_path)
    if len(mesh.verts) != len(given.verts) or not np.array_equal(mesh.faces, given.faces):
        sizes = f"{len(mesh.verts)} vertices and {len(mesh.faces)} triangles"
        expected = f"those of h_mesh.obj ({len(given.verts)} and {len(given.faces)}) in their order"
        raise SampleError(mesh_path, f"has {sizes}, expected {expected}")
    return HumanTruth(load_parameters(parameters_path)[0], mesh)


def order_doubts(coarse: ColoredMesh, truth: ColoredMesh) -> list[str]:
    """What is to say about the annotated object beside the coarse one: nothing where their vertices correspond."""
    if vertex_order(coarse, truth) is not None:
        return []
    return [
        f"with {len(truth.verts)} vertices and {len(truth.faces)} triangles does not correspond to the coarse object "
        f"({len(coarse.verts)} and {len(coarse.faces)}): metrics that compare vertex by vertex cannot be had"
    ]


def vertex_order(coarse: ColoredMesh, truth: ColoredMesh) -> Int[np.ndarray, " v"] | None:
    """Permutation p such that truth vertex p[i] corresponds to coarse vertex i; None when there is none.

    Files list faces in one order but may number vertices apart (a writer renumbers them as faces first use them), so
    equal corners of equal faces correspond. Vertices of no face keep their sequence.
    """
    count = len(coarse.verts)
    if len(truth.verts) != count or coarse.faces.shape != truth.faces.shape:
        return None
    order = np.full(count, -1)
    order[coarse.faces] = truth.faces
    loose = np.flatnonzero(order < 0)
    others = np.setdiff1d(np.arange(count), truth.faces)
    if len(loose) != len(others):
        return None
    order[loose] = others
    consistent = (order[coarse.faces] == truth.faces).all() and len(np.unique(order)) == count
    return order if consistent else None


def load_labels(folder: Path, warn: Warn) -> Labels:
    """Boxes, category and action from box_annotation.json, annotations.json and the folder's name, in that order."""
    _, category, action = sample_name(folder)
    boxes_path, annotations_path = sample_file(folder, "boxes"), sample_file(folder, "annotations")
    boxes = Labels() if boxes_path is None else load_boxes(boxes_path)
    noted = Labels() if annotations_path is None else load_annotations(annotations_path, warn)
    return Labels(
        human_box=noted.human_box if boxes.human_box is None else boxes.human_box,
        object_box=noted.object_box if boxes.object_box is None else boxes.object_box,
        category=noted.category or category,
        action=noted.action or action,
    )


def before_camera(path: Path, mesh: ColoredMesh, translation: Float[np.ndarray, "3"]) -> ColoredMesh:
    """The mesh itself. Raises SampleError when, moved by cam_trans, any of it lies behind the camera."""
    behind = int((mesh.verts[:, 2] + translation[2] <= 0).sum())
    if behind:
        raise SampleError(
            path,
            f"{behind} of {len(mesh.verts)} vertices lie behind the camera after cam_trans {translation.tolist()}, "
            "expected z forward",
        )
    return mesh


def filled(path: Path, mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The mask itself. Raises SampleError when no pixel is inside."""
    if not mask.any():
        raise SampleError(path, "is empty: no pixel is above 127, expected a white shape on black")
    return mask
