"""Finite differences, and the module that made the golden values of LPIPS."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


@pytest.fixture(scope="session")
def check_gradient() -> Callable[..., None]:
    """check(loss, *args, step, rtol): the gradient in every argument, along random directions, in float64."""

    def check(loss: Callable[..., Any], *args: Any, step: float = 1e-6, rtol: float = 1e-5) -> None:
        flat, unravel = ravel_pytree(args)
        assert flat.dtype == np.float64, "call inside jax.enable_x64(True)"
        value_and_grad = jax.jit(jax.value_and_grad(lambda x: loss(*unravel(x))))
        gradient = value_and_grad(flat)[1]
        slopes, expected = [], []
        for seed in range(4):
            direction = np.random.default_rng(seed).normal(size=flat.shape)
            ahead, behind = (value_and_grad(flat + sign * step * direction)[0] for sign in (1, -1))
            slopes.append(gradient @ direction)
            expected.append((ahead - behind) / (2 * step))
        np.testing.assert_allclose(slopes, expected, rtol=rtol, atol=rtol * np.abs(expected).max())
        assert np.abs(expected).max() > 0

    return check


@pytest.fixture(scope="session")
def make_lpips() -> ModuleType:
    """The module tests/golden/make_lpips.py, for its `image_pair` and sizes."""
    spec = importlib.util.spec_from_file_location("make_lpips", GOLDEN / "make_lpips.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
