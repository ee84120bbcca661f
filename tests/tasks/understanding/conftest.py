"""Small labelled samples, made here: a stretched ball for the person, a box for the object."""

from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.write import save_sample
from hoijax.types import Camera, HumanPose

SHAPES = {
    "root": (3,),
    "body": (21, 3),
    "jaw": (3,),
    "eyes": (2, 3),
    "left_hand": (15, 3),
    "right_hand": (15, 3),
    "shape": (10,),
    "expression": (10,),
}


def made(size: tuple[float, float, float], place: tuple[float, float, float], name: str = "cup/hold_1") -> Sample:
    """A person of 1.7 m, and a red and green box of this size in metres."""
    ball = trimesh.creation.icosphere(subdivisions=2)
    box = trimesh.creation.box(size)
    human = ColoredMesh(
        (ball.vertices * (0.25, 0.85, 0.2)).astype(np.float32),
        np.asarray(ball.faces, np.int32),
        np.full((len(ball.vertices), 3), 0.8, np.float32),
    )
    rgb = np.zeros((len(box.vertices), 3), np.float32)
    rgb[:, 0], rgb[:, 1] = 1.0, box.vertices[:, 1] > 0
    thing = ColoredMesh((box.vertices + np.array(place)).astype(np.float32), np.asarray(box.faces, np.int32), rgb)
    mask = np.zeros((24, 32), bool)
    mask[4:20, 8:20] = True
    pose = HumanPose(
        **{field: jnp.zeros(shape) for field, shape in SHAPES.items()}, translation=jnp.asarray([0.0, 0.0, 4.0])
    )
    return Sample(
        name=name,
        folder=Path("nowhere"),
        image=np.full((24, 32, 3), 90, np.uint8),
        human_mask=mask,
        object_mask=mask[:, ::-1],
        camera=Camera(jnp.asarray([40.0, 40.0]), jnp.asarray([16.0, 12.0])),
        pose=pose,
        human=human,
        object=thing,
    )


@pytest.fixture(scope="session")
def make() -> Callable[..., Sample]:
    return made


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Four samples of two objects and two actions."""
    for name, size, place in (
        ("cup/hold_1", (0.1, 0.1, 0.1), (0.3, 0.0, 0.0)),
        ("cup/hold_2", (0.11, 0.1, 0.1), (0.31, 0.0, 0.0)),
        ("bench/sit_on_3", (1.5, 0.4, 0.5), (0.0, 0.5, 0.3)),
        ("bench/sit_on_4", (1.6, 0.4, 0.5), (0.0, 0.52, 0.3)),
    ):
        save_sample(made(size, place, name), tmp_path / "tree" / name)
    return tmp_path / "tree"
