"""A small scene for pictures and pages: an upright ellipsoid for the person, a ball beside it for the object."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from hoijax.data.measure import moved
from hoijax.data.results import Result
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.geometry import rotation_matrix
from hoijax.metrics.image import projected_mask
from hoijax.types import Camera, Gaussians, HumanPose

SIZE = (96, 128)
TRANSLATION = np.array([0.1, -0.05, 4.0])
POSE_SHAPES = {
    **{"root": (3,), "body": (21, 3), "jaw": (3,), "eyes": (2, 3), "left_hand": (15, 3), "right_hand": (15, 3)},
    **{"shape": (10,), "expression": (10,)},
}


def ball(radii: tuple[float, float, float], center: tuple[float, float, float]) -> ColoredMesh:
    """An ellipsoid coloured by direction, metres."""
    sphere = trimesh.creation.icosphere(subdivisions=3)
    unit = np.asarray(sphere.vertices)
    return ColoredMesh(np.float32(unit * radii + center), np.int32(sphere.faces), np.float32((unit + 1) / 2))


@pytest.fixture(scope="session")
def sample() -> Sample:
    """The coarse object stands beside its true place."""
    human, truth = ball((0.25, 0.85, 0.2), (0, 0, 0)), ball((0.22, 0.28, 0.22), (0.45, 0.05, -0.05))
    camera = Camera(jnp.array([150.0, 150.0]), jnp.array([64.0, 48.0]))
    masks = [projected_mask(mesh.verts + TRANSLATION, mesh.faces, camera, SIZE) for mesh in (human, truth)]
    zeros = {name: jnp.zeros(shape) for name, shape in POSE_SHAPES.items()}
    return Sample(
        name="coffee cup/drinking_98",
        folder=Path("nowhere"),
        image=np.random.default_rng(0).integers(60, 120, (*SIZE, 3)).astype(np.uint8),
        human_mask=masks[0] & ~masks[1],
        object_mask=masks[1],
        camera=camera,
        pose=HumanPose(**zeros, translation=jnp.asarray(TRANSLATION, jnp.float32)),
        human=human,
        object=ball((0.18, 0.22, 0.18), (0.6, 0.1, 0.2)),
        truth=truth,
        category="coffee cup",
        action="drinking",
    )


@pytest.fixture(scope="session")
def result(sample: Sample) -> Result:
    """A made-up outcome: the object grown, turned and moved; one term was zero, and something was dropped."""
    rotation = np.asarray(rotation_matrix(jnp.array([0.0, 0.2, 0.0])), np.float64)
    similarity = (1.2, rotation, np.array([-0.15, -0.05, -0.2]), sample.object.verts.mean(0).astype(np.float64))
    scale, rotation, translation, pivot = similarity
    obj = moved(sample.object, *similarity)
    count = len(sample.human.verts)
    near = np.linalg.norm(sample.human.verts[:, None] - obj.verts[None], axis=-1).min(1)
    covs = np.tile(1e-4 * np.eye(3, dtype=np.float32), (count, 1, 1))
    means = np.float32(sample.human.verts + TRANSLATION)
    stage = {"name": "render", "steps": 3, "weights": {"l1_object": 1.0}, "rates": {"object.rotvec": 0.01}}
    return Result(
        name=sample.name,
        config={"preset": "paper", "image_size": 256, "stages": [stage]},
        rotation=rotation,
        translation=translation,
        scale=scale,
        pivot=pivot,
        camera=sample.camera,
        pose=sample.pose,
        human=sample.human,
        object=obj,
        gaussians=Gaussians(means, covs, np.full(count, 0.5, np.float32), sample.human.rgb),
        contact=near / near.max(),
        part_scores={"left palm": 0.125, "head": 0.75},
        contact_parts=("left palm",),
        metrics={
            "iou_object": {"start": 0.44, "result": 0.95, "annotation": 0.64},
            "gap_cm": {"start": 20.0, "result": 0.5, "annotation": 0.0},
            "co2": {"start": np.nan, "result": np.nan, "annotation": np.nan},
        },
        losses={"l1_object": 0.01, "contact": 0.0},
        reasons={"contact": "the contact region is empty"},
        history={"loss": np.float32([3, 2, 1]), "contact": np.float32([np.nan, np.nan, 0])},
        seconds={"compile": 3.5, "fit": 5.25, "total": 10.0},
        dropped=7,
        notes=("human: h_mesh.obj held fixed, 642 vertices", "object: 9000 faces decimated to 8000"),
    )
