"""Place the object anew from a depth map: for each sample a new sample folder whose object stands at the coarse start.

    python experiments/coarse.py --data=TREE --out=TREE
    python experiments/coarse.py --sample=DIR --out=TREE --object=mesh.obj --rotation=search

A sample is a folder in the Open3DHOI layout with a depth.npy or depth.png. Its object is taken from --object, or is its own,
whose size and place are then forgotten: centred, longest side 1, orientation kept. The new folders OUT/<category>/<id> are
complete samples: reconstruct.py runs on them. A folder that is there is skipped.

The table shows the fit z' = a z + b of the depth map; the object's longest side; its gap to the human before and after the
slide; IoU with the mask outside of the human's; seconds; and against the annotation, where there is one, the errors of scale
(|s - 1|), rotation and translation, and the chamfer distance.
"""

import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sample_flags
from absl import app, flags
from sample_flags import place_below, sample_folders
from tqdm import tqdm

from hoijax.coarse.place import ROTATIONS, Coarse, CoarseOptions, coarse_placement
from hoijax.data.measure import image_metrics, moved
from hoijax.data.objfile import load_mesh
from hoijax.data.read import load_sample
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.data.write import save_sample
from hoijax.metrics.pose import ObjectPoseErrors, chamfer_cm, object_pose_errors
from hoijax.metrics.surface import surface, surface_samples

_OUT = flags.DEFINE_string("out", None, "Where the new sample folders go: OUT/<category>/<id>.", required=True)
_OBJECT = flags.DEFINE_string(
    "object", None, "Mesh (.obj) to place in every sample, instead of the sample's own object."
)
_ROTATION = flags.DEFINE_enum(
    "rotation", "given", list(ROTATIONS), "given: the mesh's orientation as it comes; search: the one that fits best."
)

SAMPLES = 10_000  # surface points of each mesh for the chamfer distance
HEADS = ("a", "b", "size m", "gap cm", "after", "IoU", "scale", "rot deg", "trans cm", "CD cm", "s")


class Row(NamedTuple):
    """One line of the table."""

    name: str
    coarse: Coarse
    iou: float
    errors: ObjectPoseErrors
    seconds: float


def normalised(mesh: ColoredMesh) -> ColoredMesh:
    """The mesh with its box about the origin and a longest side of 1. Raises ValueError for a mesh without extent."""
    low, high = mesh.verts.min(0).astype(np.float64), mesh.verts.max(0).astype(np.float64)
    if not (high > low).any():
        raise ValueError(f"the object's mesh has no extent: all of its {len(mesh.verts)} vertices are in one place")
    return mesh._replace(verts=(mesh.verts - (low + high) / 2) / (high - low).max())


def placed(sample: Sample, mesh: ColoredMesh, options: CoarseOptions) -> tuple[Sample, Coarse]:
    """The sample with the mesh at its coarse start as the object. `sample.depth` must be there."""
    assert sample.depth is not None
    offset = np.asarray(sample.pose.translation, np.float64)
    human = sample.human.verts.astype(np.float64) + offset
    masks = sample.human_mask, sample.object_mask
    coarse = coarse_placement(
        human, sample.human.faces, mesh.verts, mesh.faces, sample.camera, sample.depth, *masks, options
    )
    start = moved(mesh, coarse.scale, coarse.rotation, coarse.translation - offset, np.zeros(3))
    return sample._replace(object=start), coarse


def errors(sample: Sample) -> ObjectPoseErrors:
    """Of the sample's object against its annotation; of another mesh than the annotated one only the chamfer distance."""
    nothing = ObjectPoseErrors(*[np.nan] * 5)
    if sample.truth is None:
        return nothing
    same = sample.truth.verts.shape == sample.object.verts.shape
    if same and np.array_equal(sample.truth.faces, sample.object.faces):
        return object_pose_errors(sample.object.verts, sample.truth.verts, sample.object.faces, SAMPLES)
    points = [surface_samples(surface(mesh.verts, mesh.faces), SAMPLES) for mesh in (sample.object, sample.truth)]
    return nothing._replace(chamfer_cm=chamfer_cm(*points))


def table(rows: list[Row]) -> str:
    """All samples and, of two or more, their mean where numbers are known."""
    lines: list[tuple[float, ...]] = []
    for row in rows:
        c, e = row.coarse, row.errors
        gaps = 100 * c.gap_before, 100 * c.gap_after
        found = e.scale, e.rotation_degrees, e.translation_cm, e.chamfer_cm
        lines.append((c.depth_scale, c.depth_shift, c.scale, *gaps, row.iou, *found, row.seconds))
    names = [row.name for row in rows]
    if len(rows) > 1:
        columns = np.array(lines).T
        known = [column[np.isfinite(column)] for column in columns]
        lines.append(tuple(column.mean() if len(column) else np.nan for column in known))
        names.append(f"mean of {len(rows)}")
    width = max(map(len, names))
    shown = [["-" if np.isnan(value) else f"{value:.3f}" for value in line] for line in lines]
    head = " ".join(f"{title:>8}" for title in HEADS)
    body = [f"{name:<{width}} " + " ".join(f"{text:>8}" for text in line) for name, line in zip(names, shown)]
    return "\n".join([f"{'sample':<{width}} {head}", *body])


def run(folder: Path, out: Path, mesh: ColoredMesh | None, options: CoarseOptions) -> Row | None:
    """One sample, read, placed, written, measured; None where it has no depth map."""
    sample = load_sample(folder)
    if sample.depth is None:
        return None
    begin = time.perf_counter()
    new, coarse = placed(sample, mesh or normalised(sample.object), options)
    seconds = time.perf_counter() - begin
    row = Row(sample.name, coarse, image_metrics(new, new.human, new.object)["iou_object"], errors(new), seconds)
    save_sample(new, out)
    for note in coarse.notes:
        tqdm.write(f"{sample.name}: {note}")
    return row


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    options = CoarseOptions(rotation=_ROTATION.value)
    try:
        mesh = normalised(load_mesh(Path(_OBJECT.value))) if _OBJECT.value else None
    except (SampleError, ValueError) as error:
        sys.exit(str(error))
    rows: list[Row] = []
    bare, failed, there = [], [], 0
    for folder in tqdm(found := sample_folders(), desc="samples", unit="sample", disable=len(found) == 1):
        out = place_below(_OUT.value, folder)
        if out.exists():
            tqdm.write(f"{out}: is there, skipped")
            there += 1
            continue
        try:
            row = run(folder, out, mesh, options)
        except (SampleError, ValueError, OSError) as error:
            tqdm.write(f"{error}" if isinstance(error, SampleError) else f"{folder}: {error}", file=sys.stderr)
            failed.append(folder)
            continue
        if row is None:
            tqdm.write(f"{folder}: has no depth.npy or depth.png", file=sys.stderr)
            bare.append(folder)
        else:
            rows.append(row)
    if rows:
        print(table(rows))
    print(f"{len(rows)} placed, {there} there before, {len(bare)} without depth, {len(failed)} failed: {_OUT.value}")
    if bare or failed:
        sys.exit(f"{len(bare) + len(failed)} of {len(found)} samples not placed: {', '.join(map(str, bare + failed))}")


if __name__ == "__main__":
    flags.adopt_module_key_flags(sample_flags)  # so that --help shows them
    app.run(main)
