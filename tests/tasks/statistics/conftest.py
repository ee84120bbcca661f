"""A small tree in the real layout, of which everything can be counted by hand."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import zero_pose
from hoijax.data.layout import find_samples
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.write import save_sample
from hoijax.metrics.image import projected_mask
from hoijax.tasks.statistics.collect import Collected, collect
from hoijax.tasks.statistics.row import Row
from hoijax.types import Camera

SIDE = 0.2  # metres: the edge of every box
ODD = 'a <b>"50% & $x_y$"</b>'
TRANSLATION = np.array([0.0, 0.0, 4.0])


def person() -> ColoredMesh:
    """The built-in body upright, facing the camera, about its middle."""
    body = builtin_body()
    verts = np.asarray(body.template, np.float64) * [1, -1, -1]
    return ColoredMesh(verts - verts.mean(0), np.asarray(body.faces), np.full(verts.shape, 0.5))


def box_center(gap: float) -> np.ndarray:
    """Where a cube of edge `SIDE` stands that is so far beyond the person's outermost left fingertip."""
    verts = person().verts
    return verts[verts[:, 0].argmax()] + [gap + SIDE / 2, 0, 0]


def box(gap: float) -> ColoredMesh:
    """That cube."""
    mesh = trimesh.creation.box((SIDE, SIDE, SIDE))
    return ColoredMesh(np.asarray(mesh.vertices) + box_center(gap), np.asarray(mesh.faces), np.full((8, 3), 0.5))


def standing(thing: ColoredMesh, truth: ColoredMesh | None, **entries: object) -> Sample:
    """The built-in body upright, facing a camera four metres away; the masks are what the meshes cover."""
    human = person()
    camera = Camera(jnp.full(2, 110.0), jnp.array([40.0, 32.0]))
    human_mask = projected_mask(human.verts + TRANSLATION, human.faces, camera, (64, 80))
    shown = thing if truth is None else truth
    object_mask = projected_mask(shown.verts + TRANSLATION, shown.faces, camera, (64, 80))
    image = np.full((64, 80, 3), 90, np.uint8)
    pose = zero_pose()._replace(translation=jnp.asarray(TRANSLATION, jnp.float32))
    sample = Sample("", Path(), image, human_mask, object_mask, camera, pose, human, thing, truth)
    return sample._replace(**entries)


def annotate(folder: Path, actions: list[str], things: list[dict[str, object]]) -> None:
    """annotations.json with these actions, all on the entry 1 of these things."""
    pairs = [{"subject_id": 0, "object_id": 1, "action": action} for action in actions]
    content = {"hoi_annotation": pairs, "annotations": things}
    (folder / "annotations.json").write_text(json.dumps(content))


def make_tree(tree: Path) -> Path:
    """Four samples that can be measured, and one whose human's mesh is cut off."""
    near, far = box(0.02), box(0.5)
    save_sample(standing(far, near, category="cup", action="hold", contact_parts=("left palm",)), tree / "cup/hold_0")
    annotate(
        tree / "cup/hold_0",
        ["hold", "drink_with", "hold"],
        [{"bbox": [[1, 1, 5, 5]], "category": "person"}, {"bbox": [[2, 2, 5, 5]], "category_id": "Coffee_Cup"}],
    )
    save_sample(standing(near, None, category="cup", action="hold"), tree / "cup/hold_1")
    odd = tree / "odd" / "sit_on_2"
    save_sample(standing(near, near, category=ODD, action="sit on", contact_parts=("left palm", "nose")), odd)
    annotate(
        odd,
        ["sit on"],
        [
            {"category": "person", "bbox": [[1, 1, 5, 5]]},
            {"category": ODD, "bbox": [[1, 1, 5, 5]]},
            {"category": "person"},
        ],
    )
    opened = near._replace(faces=near.faces[:-1])
    save_sample(standing(opened, opened, category="wrench", action=None), tree / "wrench" / "wrench")
    save_sample(standing(near, near, category="cup", action="hold"), tree / "cup/hold_9")
    mesh = tree / "cup/hold_9/h_mesh.obj"
    mesh.write_bytes(mesh.read_bytes()[:40])
    return tree


@pytest.fixture(scope="session")
def middle() -> np.ndarray:
    """The centre of the box in every sample."""
    return box_center(0.02)


@pytest.fixture(scope="session")
def body_verts() -> np.ndarray:
    return person().verts


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tree(tmp_path_factory.mktemp("data & more"))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rows")


@pytest.fixture(scope="session")
def found(tree: Path, store: Path) -> Collected:
    return collect({folder.relative_to(tree).as_posix(): folder for folder in find_samples(tree)}, store)


@pytest.fixture(scope="session")
def rows(found: Collected) -> dict[str, Row]:
    return {row.name: row for row in found.rows}
