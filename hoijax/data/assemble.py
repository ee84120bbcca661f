"""From a finished fit to a result: back to the frame and resolution of the sample's files."""

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from hoijax.body.parts import PART_NAMES
from hoijax.body.refine import refine
from hoijax.body.smplx import joint_rotvecs, refined_pose
from hoijax.config import Config
from hoijax.data.measure import compare, moved, touching_parts
from hoijax.data.options import plain_options
from hoijax.data.prepare import Prepared
from hoijax.data.results import Result
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.geometry import rotation_matrix
from hoijax.losses.lpips import LpipsWeights
from hoijax.metrics.body import body_errors
from hoijax.metrics.image import object_appearance
from hoijax.optimize.outcome import Fitted
from hoijax.types import Body


def has_joints(body: Body) -> bool:
    """Whether the body can be bent: a mesh held fixed cannot."""
    return body.weights.shape[1] > 1


class Placed(NamedTuple):
    """What a fit moved, in the frame of the sample's files and at the object's full resolution (see `Result`)."""

    scale: float
    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]
    pivot: Float[np.ndarray, "3"]
    human_verts: Float[np.ndarray, "v 3"]
    object: ColoredMesh


def placed(sample: Sample, fitted: Fitted) -> Placed:
    """Where human and object stand at the end of a fit."""
    offset = np.asarray(sample.pose.translation, np.float64)
    pose = fitted.pose
    rotation = np.asarray(rotation_matrix(pose.rotvec), np.float64)
    translation, scale = np.asarray(pose.translation, np.float64), float(jnp.exp(pose.log_scale))
    pivot = np.asarray(fitted.pivot, np.float64) - offset
    obj = moved(sample.object, scale, rotation, translation, pivot)
    return Placed(scale, rotation, translation, pivot, np.asarray(fitted.human.verts, np.float64) - offset, obj)


def missing_parts(sample: Sample, parts: Int[np.ndarray, " v"]) -> tuple[str, ...]:
    """A sentence for annotated parts that the human's mesh does not have, which Co2 therefore leaves out."""
    absent = [name for name in sample.contact_parts or () if not (parts == PART_NAMES.index(name)).any()]
    return (f"annotated contact parts without vertices, left out of Co2: {', '.join(absent)}",) if absent else ()


FIT_METRICS = ("object_ssim", "object_lpips", "mpjpe_mm", "mpvpe_mm")  # files alone cannot tell these again


def fit_metrics(prepared: Prepared, fitted: Fitted, lpips: LpipsWeights | None = None) -> dict[str, float]:
    """What only a fit can tell: likeness of the object's last render and the photograph, and how far the body was moved.

    Nothing of the first without renders, of the second for a human that stood still; LPIPS needs its weights.
    """
    scene, frame = prepared.scene, fitted.object_frame
    values: dict[str, float] = {}
    if frame is not None:
        masks = scene.object_mask > 0.5, scene.human_mask > 0.5
        likeness = object_appearance(frame.rgb, frame.alpha, scene.image, *masks, lpips)
        values |= {f"object_{name}": value for name, value in likeness._asdict().items() if np.isfinite(value)}
    refiners, start = fitted.params.human, fitted.human_start
    moved = refiners.pose or refiners.skinning or not np.array_equal(joint_rotvecs(start), joint_rotvecs(scene.human))
    if moved and has_joints(prepared.body):
        refined = refine(refiners, prepared.body, start)
        errors = body_errors(prepared.body, start, scene.human, refined)
        values |= {name: float(value) for name, value in errors._asdict().items()}
    return values


def assemble(
    sample: Sample,
    prepared: Prepared,
    fitted: Fitted,
    config: Config,
    seconds: Mapping[str, float],
    lpips: LpipsWeights | None = None,
) -> Result:
    """The result of a fit, with its metrics. The full-resolution object moves by the fitted similarity."""
    end = placed(sample, fitted)
    obj = end.object
    human_rgb = np.clip(np.asarray(fitted.params.human_splats.rgb), 0, 1)
    human = ColoredMesh(end.human_verts, np.asarray(prepared.body.faces), human_rgb)
    parts = np.asarray(prepared.scene.human_parts)
    score = np.asarray(fitted.contact.human_score)
    refinement = refine(fitted.params.human, prepared.body, fitted.human_start)
    pose = refined_pose(fitted.human_start, refinement) if has_joints(prepared.body) else sample.pose
    last = {name: values[np.isfinite(values)] for name, values in fitted.history.items()}
    return Result(
        name=sample.name,
        config=plain_options(config),
        rotation=end.rotation,
        translation=end.translation,
        scale=end.scale,
        pivot=end.pivot,
        camera=sample.camera,
        pose=pose._replace(translation=sample.pose.translation),  # it says in which frame the meshes are
        human=human,
        object=obj,
        gaussians=fitted.gaussians,
        contact=score,
        part_scores={name: float(score[parts == i].mean()) for i, name in enumerate(PART_NAMES) if (parts == i).any()},
        contact_parts=touching_parts(human, obj, parts),
        metrics=compare(sample, human, obj, parts)
        | {name: {"result": value} for name, value in fit_metrics(prepared, fitted, lpips).items()},
        losses={name: float(values[-1]) for name, values in last.items() if len(values)},
        reasons=fitted.reasons,
        history=fitted.history,
        seconds=dict(seconds),
        dropped=fitted.dropped,
        notes=prepared.notes + fitted.notes + missing_parts(sample, parts),
        human_moved=np.asarray(fitted.human_start.translation - prepared.scene.human.translation, np.float64),
    )
