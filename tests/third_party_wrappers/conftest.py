"""Photographs and a wrapper around the stand-in model."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from third_party_wrappers import checks
from third_party_wrappers.contract import Wrapper

HERE = Path(__file__).resolve().parent


@pytest.fixture
def photograph(tmp_path: Path):
    """A function that writes a coloured picture of the size given and returns its path."""

    def write(name: str = "photo.jpg", size: tuple[int, int] = (48, 32), seed: int = 0) -> Path:
        rng = np.random.default_rng(seed)
        coarse = Image.fromarray(rng.integers(0, 256, (4, 6, 3), np.uint8))
        path = tmp_path / name
        coarse.resize(size, Image.Resampling.BICUBIC).save(path)
        return path

    return write


@pytest.fixture
def stand_in() -> Wrapper:
    """The contract's own wrapper, around a model that fails on demand."""
    return Wrapper(
        name="standin",
        role="plays a model",
        main=HERE / "stand_in.py",
        inputs=("image",),
        outputs=lambda job: {"depth.npy": checks.depth_npy},
        options={"act": "well", "scale": 1.0, "note": ""},
        modules=lambda tool: ("numpy", "PIL"),
        without="nothing",
        needs_checkpoint=False,
    )


@pytest.fixture(scope="session")
def models_python() -> str:
    """The python with torch, transformers and diffusers; tests that need it are skipped, visibly, without it."""
    python = HERE.parents[1] / ".venv-models" / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"no {python.parents[1].name}: `make venv-models` makes it")
    return str(python)
