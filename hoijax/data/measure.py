"""Metrics of a reconstruction against the photograph's masks and, where a sample has one, its annotation."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from hoijax.body.parts import PART_NAMES
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.metrics.co2 import Nearness, co2, contact_scores, in_contact, nearness, part_masks
from hoijax.metrics.image import mask_iou, projected_mask
from hoijax.metrics.labels import label_scores
from hoijax.metrics.pose import object_pose_errors, procrustes_chamfer

TOUCH = 0.02  # metres: a body part with a vertex this near the object's surface is said to touch
PART_PIXELS = 20  # of the photograph: smaller parts have no IoU that means anything
CO2_NAMES = ("co2", "co2_mean", "collision", "contact_sum", "penetration_max_cm", "penetration_mean_cm", "gap_cm")


@dataclass(frozen=True)
class MetricOptions:
    """What the paper leaves open about its metrics. `size`: see `hoijax.metrics.co2.co2`."""

    size: Literal["volume", "hull"] = "volume"
    samples: int = 10_000
    seed: int = 0


DEFAULTS = MetricOptions()


def measure(
    sample: Sample,
    human: ColoredMesh,
    obj: ColoredMesh,
    parts: Int[np.ndarray, " v"],
    options: MetricOptions = DEFAULTS,
    near_truth: Nearness | None = None,
) -> dict[str, float]:
    """All metrics of one state of a scene. Meshes in the frame of the sample's files; `parts` of the human's vertices.

    NaN marks what a sample cannot tell: pose errors without an annotation, contact without annotated parts. An annotated
    part without vertices on this human is left out of Co2; `assemble` notes it. `near_truth`: how near this human is to the
    annotated object, where that is known already.
    """
    if sample.truth is not None and near_truth is None:
        near_truth = nearness(human.verts, sample.truth.verts, sample.truth.faces)
    near = near_truth if obj is sample.truth and near_truth else nearness(human.verts, obj.verts, obj.faces)
    values = image_metrics(sample, human, obj) | human_metrics(sample, human, parts)
    annotated = [name for name in sample.contact_parts or () if (parts == PART_NAMES.index(name)).any()]
    masks = part_masks(parts, annotated, PART_NAMES) if annotated else np.zeros((0, len(parts)), bool)
    hoi = co2(human.verts, human.faces, obj.verts, obj.faces, masks, **asdict(options), near=near)
    values |= {name: float(getattr(hoi, name)) for name in CO2_NAMES}
    if sample.truth is not None and near_truth is not None and sample.truth.verts.shape == obj.verts.shape:
        errors = object_pose_errors(obj.verts, sample.truth.verts, obj.faces, options.samples, options.seed)
        values |= {name: float(value) for name, value in errors._asdict().items()}
        scores = contact_scores(in_contact(near), in_contact(near_truth))
        values |= {f"contact_{name}": value for name, value in scores._asdict().items()}
        values |= aligned_metrics(sample, human, obj)
    return values | label_metrics(sample, touching_of(near, parts))


def human_metrics(sample: Sample, human: ColoredMesh, parts: Int[np.ndarray, " v"]) -> dict[str, float]:
    """Mean distance of vertices to the annotated person's (mm, nothing aligned), and mean IoU of body parts' silhouettes.

    Parts that the annotated person shows less than `PART_PIXELS` of do not count. Nothing without an annotated person.
    """
    if sample.human_truth is None or len(human.verts) != len(sample.human_truth.mesh.verts):
        return {}
    offset, size = np.asarray(sample.pose.translation), sample.human_mask.shape
    both = human.verts + offset, sample.human_truth.mesh.verts + offset
    owner = parts[human.faces[:, 0]]
    ious = []
    for part in np.unique(owner):
        faces = human.faces[owner == part]
        found, true = (projected_mask(verts, faces, sample.camera, size) for verts in both)
        if true.sum() >= PART_PIXELS:
            ious.append(float(mask_iou(found, true)))
    apart = np.linalg.norm(both[0] - both[1], axis=1).mean()
    return {"human_mpvpe_mm": 1000 * float(apart), "iou_parts": float(np.mean(ious)) if ious else np.nan}


def aligned_metrics(sample: Sample, human: ColoredMesh, obj: ColoredMesh) -> dict[str, float]:
    """Chamfer distances after one similarity has brought human and object onto the annotation; the sample needs one."""
    assert sample.truth is not None
    if human.verts.shape != sample.human.verts.shape:
        return {}
    aligned = procrustes_chamfer(
        *(human.verts, sample.human.verts, human.faces), *(obj.verts, sample.truth.verts, obj.faces)
    )
    return {f"aligned_{name}_cm": value for name, value in zip(("scene", "human", "object"), aligned)}


def touching_parts(human: ColoredMesh, obj: ColoredMesh, parts: Int[np.ndarray, " v"]) -> tuple[str, ...]:
    """The body parts that have a vertex within `TOUCH` of the object's surface, or inside of it."""
    return touching_of(nearness(human.verts, obj.verts, obj.faces), parts)


def touching_of(near: Nearness, parts: Int[np.ndarray, " v"]) -> tuple[str, ...]:
    """The same, where it is known how near the human's vertices are."""
    touching = in_contact(near, TOUCH)
    return tuple(name for i, name in enumerate(PART_NAMES) if touching[parts == i].any())


def label_metrics(sample: Sample, touching: tuple[str, ...]) -> dict[str, float]:
    """Touching parts against the annotated ones, of this one image; nothing where the sample has no such labels."""
    if sample.contact_parts is None:
        return {}
    found, true = (np.array([[name in names for name in PART_NAMES]]) for names in (touching, sample.contact_parts))
    return {f"parts_{name}": value for name, value in label_scores(found, true)._asdict().items()}


def image_metrics(sample: Sample, human: ColoredMesh, obj: ColoredMesh) -> dict[str, float]:
    """IoU of the projected meshes with the masks, pixels of the other one's mask left out (both: nothing left out)."""
    size, offset = sample.human_mask.shape, np.asarray(sample.pose.translation)
    of_human = projected_mask(human.verts + offset, human.faces, sample.camera, size)
    of_object = projected_mask(obj.verts + offset, obj.faces, sample.camera, size)
    return {
        "iou_object": float(mask_iou(of_object, sample.object_mask, ignore=sample.human_mask)),
        "iou_human": float(mask_iou(of_human, sample.human_mask, ignore=sample.object_mask)),
        "iou_both": float(mask_iou(of_human | of_object, sample.human_mask | sample.object_mask)),
    }


def compare(
    sample: Sample,
    human: ColoredMesh,
    obj: ColoredMesh,
    parts: Int[np.ndarray, " v"],
    options: MetricOptions = DEFAULTS,
) -> dict[str, dict[str, float]]:
    """Every metric as {name: {"start", "result", and "annotation" where the sample has one}}.

    The annotation is the annotated object with the annotated person, or with the given one where there is no other.
    """
    states: Mapping[str, ColoredMesh | None] = {"start": sample.object, "result": obj, "annotation": sample.truth}
    truth, columns = sample.truth, {}
    known = nearness(sample.human.verts, truth.verts, truth.faces) if truth is not None else None
    people = {"start": sample.human, "result": human, "annotation": sample.human}
    if sample.human_truth is not None:
        people["annotation"] = sample.human_truth.mesh
    for column, mesh in states.items():
        if mesh is not None:
            own = people[column]
            same = np.array_equal(own.verts, sample.human.verts)
            columns[column] = measure(sample, own, mesh, parts, options, known if same else None)
    names = dict.fromkeys(name for values in columns.values() for name in values)
    return {name: {column: values.get(name, np.nan) for column, values in columns.items()} for name in names}


def moved(
    mesh: ColoredMesh,
    scale: float,
    rotation: Float[np.ndarray, "3 3"],
    translation: Float[np.ndarray, "3"],
    pivot: Float[np.ndarray, "3"],
) -> ColoredMesh:
    """The mesh under x' = s R (x - pivot) + pivot + t, in double precision: the similarity that a result states."""
    return mesh._replace(verts=scale * (mesh.verts - pivot) @ rotation.T + pivot + translation)
