"""Samples as far as pose chat reads them, written by hand in the data set's layout."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hoijax.body.smplx import zero_pose
from hoijax.data.write import parameters
from hoijax.types import Camera

SIZE = (120, 80)  # width and height


@pytest.fixture
def write_sample_folder(tmp_path: Path):
    """A function that writes one: box of the annotated person, boxes of all people seen, body rotations."""

    def write(
        name: str,
        box: tuple[float, ...] | list[float] = (10.0, 5.0, 30.0, 75.0),
        people: list[list[float]] | None = None,
        body: np.ndarray | None = None,
        verts: int = 5,
        rgb: tuple[int, int, int] = (120, 120, 120),
    ) -> Path:
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        Image.new("RGB", SIZE, rgb).save(folder / "image.jpg")
        mask = np.zeros(SIZE[::-1], np.uint8)
        mask[10:70, 12:28] = 255
        Image.fromarray(mask).save(folder / "person_mask.png")
        pose = zero_pose()._replace(translation=np.array([0.0, 0.0, 3.0]))
        pose = pose if body is None else pose._replace(body=body)
        camera = Camera(np.full(2, 100.0), np.array([60.0, 40.0]))
        (folder / "smplx_parameters.json").write_text(json.dumps(parameters(pose, camera)))
        (folder / "h_mesh.obj").write_text("v 0 0 0\n" * verts + "vn 0 0 1\nf 1 2 3\n")
        (folder / "box_annotation.json").write_text(json.dumps({"human": list(box)}))
        if people is not None:
            (folder / "people.json").write_text(json.dumps({"boxes": people, "scores": [0.9] * len(people)}))
        return folder

    return write
