"""Checking a sample folder or a tree of them: every problem at once, where the reader stops at the first."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Bool

from hoijax.data.check_mesh import human_doubts, mesh_doubts, object_doubts
from hoijax.data.check_view import View, box_doubts, projection_doubts, small_view
from hoijax.data.images import fitted, load_depth, load_mask, load_photo
from hoijax.data.layout import NAMES, REQUIRED, find_samples, sample_file
from hoijax.data.objfile import mesh_faults, parse_mesh
from hoijax.data.parameters import (
    load_annotations,
    load_boxes,
    load_calibration,
    load_contact_parts,
    load_extrinsic,
    load_parameters,
)
from hoijax.data.read import before_camera, camera_doubts, filled, load_human_truth, order_doubts
from hoijax.data.sample import ColoredMesh, SampleError

FEW_PIXELS = 100  # a mask with fewer gives nothing to fit to
FULL = 0.95  # a mask that covers more of the image is taken for an inverted or missing one
SHARED = 0.3  # masks that share more of the smaller one are doubted
UNKNOWN_DEPTH = 0.5

T = TypeVar("T")


class Problem(NamedTuple):
    """One thing wrong with a sample; `file` is relative to its folder.

    `error`: the reader refuses the sample. `warning`: it is read, but somebody should look.
    """

    severity: Literal["error", "warning"]
    file: str
    message: str


class Findings:
    """Collects the problems of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []

    def error(self, path: Path, message: str) -> None:
        self._add("error", path, message)

    def warn(self, path: Path, message: str) -> None:
        self._add("warning", path, message)

    def attempt(self, load: Callable[..., T], *arguments: Any) -> T | None:
        """What `load` returns; None, and an error noted, when it raises SampleError."""
        try:
            return load(*arguments)
        except SampleError as error:
            self.error(error.file, error.message)
            return None

    def _add(self, severity: Literal["error", "warning"], path: Path, message: str) -> None:
        problem = Problem(severity, os.path.relpath(path, self.folder), message)
        if problem not in self.problems:
            self.problems.append(problem)


def check_sample(folder: str | os.PathLike[str]) -> list[Problem]:
    """All problems of a sample folder, errors first. Never raises: what cannot be checked is itself a problem."""
    folder = Path(folder)
    findings = Findings(folder)
    if not os.path.isdir(folder):
        return [Problem("error", ".", "is not a folder, expected a sample folder")]
    try:
        _check_files(folder, findings)
    except Exception as error:  # a tree of thousands must not end at one sample that nobody foresaw
        findings.error(folder, f"could not be checked to the end ({type(error).__name__}: {error})")
    return sorted(findings.problems, key=lambda problem: problem.severity != "error")


def check_tree(tree: str | os.PathLike[str]) -> Iterator[tuple[Path, list[Problem]]]:
    """Each sample of a tree with its problems, in order. Raises SampleError when `tree` is no folder."""
    for folder in find_samples(tree):
        yield folder, check_sample(folder)


def _check_files(folder: Path, findings: Findings) -> None:
    for kind in REQUIRED:
        if sample_file(folder, kind) is None:
            findings.error(folder, f"has no {' or '.join(NAMES[kind])}")
    masks = _check_images(folder, findings)
    view = _check_camera(folder, masks, findings)
    meshes = {kind: _check_mesh(folder, kind, findings) for kind in ("human", "object", "truth")}
    coarse, truth, truth_path = meshes["object"], meshes["truth"], sample_file(folder, "truth")
    if coarse is not None and truth is not None and truth_path is not None:
        for message in order_doubts(coarse, truth):
            findings.warn(truth_path, message)
    if meshes["human"] is not None:
        findings.attempt(load_human_truth, folder, meshes["human"])
    if view is not None:
        for kind in ("human", "object"):
            _check_projection(folder, kind, meshes[kind], view, findings)
    _check_labels(folder, masks, findings)


def _check_images(folder: Path, findings: Findings) -> dict[str, Bool[np.ndarray, "h w"]]:
    """Photograph, masks and depth; returns the masks that are sound, at the photograph's size."""
    paths = {kind: sample_file(folder, f"{kind}_mask") for kind in ("human", "object")}
    masks = {kind: findings.attempt(load_mask, path, findings.warn) for kind, path in paths.items() if path}
    sizes = [mask.shape[::-1] for mask in masks.values() if mask is not None]
    path = sample_file(folder, "image")
    image = findings.attempt(load_photo, path, findings.warn, *sizes[:1]) if path else None
    size = sizes[0] if image is None and sizes else None if image is None else image.shape[1::-1]
    sound = {}
    for kind, mask in masks.items():
        if mask is None:
            continue
        mask = findings.attempt(fitted, paths[kind], mask, size, findings.warn)
        mask = None if mask is None else findings.attempt(filled, paths[kind], mask)
        if mask is not None:
            sound[kind] = mask
            for message in _mask_doubts(mask):
                findings.warn(paths[kind] or folder, message)
    if len(sound) == 2:
        shared = (sound["human"] & sound["object"]).sum() / min(mask.sum() for mask in sound.values())
        if shared > SHARED:
            findings.warn(paths["object"] or folder, f"shares {shared:.0%} of the smaller mask with the other one")
    _check_depth(folder, size, findings)
    return sound


def _check_depth(folder: Path, size: tuple[int, int] | None, findings: Findings) -> None:
    path = sample_file(folder, "depth")
    depth = findings.attempt(load_depth, path, findings.warn) if path else None
    if path is None or depth is None:
        return
    if size is not None:
        findings.attempt(fitted, path, depth, size, findings.warn)
    unknown = (depth == 0).mean()
    if unknown > UNKNOWN_DEPTH:
        findings.warn(path, f"is unknown at {unknown:.0%} of the pixels")


def _mask_doubts(mask: Bool[np.ndarray, "h w"]) -> list[str]:
    if mask.sum() < FEW_PIXELS:
        return [f"has only {mask.sum()} pixels inside"]
    if mask.mean() > FULL:
        return [f"covers {mask.mean():.0%} of the image: is it inverted?"]
    return []


def _check_camera(folder: Path, masks: dict[str, Bool[np.ndarray, "h w"]], findings: Findings) -> View | None:
    """Parameters, calibration, extrinsic; returns the view in which meshes can be compared with the masks."""
    extrinsic, calibration = sample_file(folder, "extrinsic"), sample_file(folder, "calibration")
    path = sample_file(folder, "parameters")
    if extrinsic is not None:
        findings.attempt(load_extrinsic, extrinsic, findings.warn)
    spare = findings.attempt(load_calibration, calibration) if calibration else None
    found = findings.attempt(load_parameters, path, spare) if path else None
    if found is None or path is None:
        return None
    pose, camera = found
    if calibration is not None and spare is not None:
        for message in camera_doubts(spare, camera):
            findings.warn(calibration, message)
    if len(masks) < 2:
        return None
    height, width = masks["human"].shape
    x, y = np.asarray(camera.center).tolist()
    if not (0 <= x <= width and 0 <= y <= height):
        findings.warn(path, f"princpt ({x:.1f}, {y:.1f}) lies outside the {width} x {height} image")
    return small_view(camera, np.asarray(pose.translation), masks["human"], masks["object"])


def _check_mesh(folder: Path, kind: str, findings: Findings) -> ColoredMesh | None:
    """The mesh when it is usable; all its faults and doubts noted."""
    path = sample_file(folder, kind)
    mesh = findings.attempt(parse_mesh, path) if path else None
    if path is None or mesh is None:
        return None
    faults = mesh_faults(mesh)
    for message in faults:
        findings.error(path, message)
    if faults:
        return None
    for message in mesh_doubts(mesh) + (human_doubts if kind == "human" else object_doubts)(mesh):
        findings.warn(path, message)
    return mesh


def _check_projection(folder: Path, kind: str, mesh: ColoredMesh | None, view: View, findings: Findings) -> None:
    path = sample_file(folder, kind)
    if mesh is None or path is None:
        return
    findings.attempt(before_camera, path, mesh, view.offset)
    for message in projection_doubts(mesh, view, kind):
        findings.warn(path, message)


def _check_labels(folder: Path, masks: dict[str, Bool[np.ndarray, "h w"]], findings: Findings) -> None:
    """Boxes, annotations and contact parts."""
    parts, boxes, notes = (sample_file(folder, kind) for kind in ("contact_parts", "boxes", "annotations"))
    if parts is not None:
        findings.attempt(load_contact_parts, parts, findings.warn)
    found = [
        (boxes, findings.attempt(load_boxes, boxes) if boxes else None),
        (notes, findings.attempt(load_annotations, notes, findings.warn) if notes else None),
    ]
    for path, labels in found:
        if path is None or labels is None:
            continue
        for kind, box in (("human", labels.human_box), ("object", labels.object_box)):
            if box is not None and kind in masks:
                for message in box_doubts(box, masks[kind], kind):
                    findings.warn(path, message)
