"""Run by test_spread.py with a CPU that is split into four devices: fits of three images, divided and on one."""

import importlib.util
import sys
from pathlib import Path

import jax
import numpy as np


def load(path: Path) -> object:
    """A test module by its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    here = Path(__file__).parent
    scenes, tests = load(here / "conftest.py"), load(here / "test_fit.py")
    known = scenes.make_known(scenes.ObjectPose(*(jax.numpy.zeros(shape) for shape in ((3,), (3,), ()))))
    images = [known.scene._replace(image=level * known.scene.image) for level in (1.0, 0.8, 0.6)]
    key, assets = jax.random.key(0), [known.assets] * 3
    one = tests.fitting.fit_batch(images, assets, tests.QUICK, key)
    four = tests.fitting.fit_batch(images, assets, tests.QUICK, key, devices=jax.devices())
    assert len(one) == len(four) == 3
    for left, right in zip(one, four):
        np.testing.assert_allclose(left.history["loss"], right.history["loss"], rtol=1e-5)
        np.testing.assert_allclose(left.object_verts, right.object_verts, atol=1e-6)
    assert abs(four[0].history["loss"][0] - four[2].history["loss"][0]) > 1e-4
    print(f"{len(jax.devices())} devices")


if __name__ == "__main__":
    main()
