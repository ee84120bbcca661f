"""A built-in scene as a photograph with a user's own files for every step that a model would do."""

from pathlib import Path

import numpy as np
import pytest

from hoijax.data.sample import Sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample
from hoijax.pipeline.item import Item

OWN = {
    "person_mask.png": "person_mask.png",
    "object_mask.png": "object_mask.png",
    "smplx_parameters.json": "smplx_parameters.json",
    "h_mesh.obj": "h_mesh.obj",
    "object_mesh.obj": "mesh.obj",
    "depth.npy": "depth.npy",
}


@pytest.fixture(scope="session")
def scene() -> Sample:
    return synthetic_sample("box")


@pytest.fixture(scope="session")
def scene_folder(scene: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scene") / "box" / "carry_0"
    save_sample(scene, folder)
    return folder


@pytest.fixture
def given(scene_folder: Path, tmp_path: Path) -> Path:
    """GIVEN with one item's own files, all copied: a test may change them."""
    folder = tmp_path / "given" / "first_0"
    folder.mkdir(parents=True)
    for name, own in OWN.items():
        (folder / own).write_bytes((scene_folder / name).read_bytes())
    return folder.parent


@pytest.fixture
def item(scene: Sample, scene_folder: Path, tmp_path: Path) -> Item:
    """The pair, before any step."""
    boxes = (np.asarray(box, np.float64) for box in (scene.human_box, scene.object_box))
    return Item("first_0", scene_folder / "image.jpg", "box", ("carry",), *boxes, tmp_path / "out")
