"""A batch divided among devices gives what one device gives."""

import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.optimize.spread import Spread, gathered, image_of, run, stacked
from hoijax.optimize.step import Given
from hoijax.types import Assets

FOUR_DEVICES = Path(__file__).with_name("four_devices.py")


def brightness(given: Given, factor: jnp.ndarray, *, power: int) -> jnp.ndarray:
    return factor * given.scene.image.sum() ** power + given.assets.body.template.sum()


def test_run_is_the_function_of_each_image(known) -> None:
    dimmer = known.scene._replace(image=0.5 * known.scene.image)
    alone = [
        run(brightness, Spread(), Given(scene, known.assets), jnp.float32(3), power=2)
        for scene in (known.scene, dimmer)
    ]
    given, spread = gathered([known.scene, dimmer], [known.assets] * 2)
    assert spread == Spread(batch=True)
    np.testing.assert_allclose(run(brightness, spread, given, jnp.float32(3), power=2), alone, rtol=1e-5)
    np.testing.assert_array_equal(image_of(given.scene, 1).image, dimmer.image)


def test_bodies_are_copied_only_where_they_differ(known) -> None:
    taller = known.assets._replace(body=known.assets.body._replace(template=2 * known.assets.body.template))
    given, spread = gathered([known.scene] * 2, [known.assets, taller])
    assert spread.own_body
    assert given.assets.body.template.shape == (2, *known.assets.body.template.shape)
    sums = run(brightness, spread, given, jnp.float32(0), power=1)
    np.testing.assert_allclose(sums[1], 2 * sums[0], rtol=1e-5)


def test_stacked_and_its_reverse() -> None:
    trees = [Assets(np.full(3, float(i)), None) for i in range(4)]
    assert all((image_of(stacked(trees), i).body == trees[i].body).all() for i in range(4))


@pytest.mark.slow
def test_four_devices_give_what_one_gives() -> None:
    """In a process of its own, with the CPU split into four devices; three images, so that one device has a stand-in."""
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    root = FOUR_DEVICES.parents[2]
    result = subprocess.run(
        [sys.executable, FOUR_DEVICES],
        env={**os.environ, **flags, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert "4 devices" in result.stdout
