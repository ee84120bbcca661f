"""A small tree in the real layout, of which everything can be counted by hand."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import zero_pose
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.write import save_sample
from hoijax.metrics.image import projected_mask
from hoijax.types import Camera

SIDE = 0.2  # metres: the edge of every box
ODD = 'a <b>"50% & $x_y$"</b>'
TRANSLATION = np.array([0.0, 0.0, 4.0])


def box(x: float, side: float = SIDE) -> ColoredMesh:
    """A cube whose left face stands at x, at the height of the person's middle."""
    mesh = trimesh.creation.box((side, side, side))
    return ColoredMesh(np.asarray(mesh.vertices) + [x + side / 2, 0, 0], np.asarray(mesh.faces), np.full((8, 3), 0.5))


def standing(thing: ColoredMesh, truth: ColoredMesh | None, **entries: object) -> Sample:
    """The built-in body upright, facing a camera four metres away; the masks are what the meshes cover."""
    body = builtin_body()
    verts = np.asarray(body.template, np.float64) * [1, -1, -1]
    human = ColoredMesh(verts - verts.mean(0), np.asarray(body.faces), np.full(verts.shape, 0.5))
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
    near, far = box(1.0), box(1.5)
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
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tree(tmp_path_factory.mktemp("data & more"))
