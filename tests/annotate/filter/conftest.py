"""A small library of templates."""

from pathlib import Path

import pytest
import trimesh

from hoijax.data.templates import index_library


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ball and two boxes, indexed."""
    folder = tmp_path_factory.mktemp("library")
    shapes = {
        "ball/round.obj": trimesh.creation.icosphere(2, 0.2),
        "box/flat.obj": trimesh.creation.box((1.0, 0.1, 1.0)),
        "box/tall.obj": trimesh.creation.box((0.3, 1.0, 0.3)),
    }
    for name, mesh in shapes.items():
        (folder / name).parent.mkdir(exist_ok=True)
        mesh.export(folder / name)
    index_library(folder)
    return folder
