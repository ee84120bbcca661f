"""The made-up SMPL-X model of tests/golden, and the built-in body."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from hoijax.body.builtin import builtin_body
from hoijax.types import Body

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


@pytest.fixture(scope="session")
def make_smplx() -> ModuleType:
    """The module tests/golden/make_smplx.py, for its `synthetic_model` and `random_poses`."""
    spec = importlib.util.spec_from_file_location("make_smplx", GOLDEN / "make_smplx.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def body() -> Body:
    """The body that ships with the package."""
    return builtin_body()
