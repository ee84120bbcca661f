"""Times of gsplat's CUDA kernels on a scene that benchmarks/gpu.py wrote: python gsplat_times.py SCENE.npz OUT.json ROUNDS

Runs in an environment of its own with torch and gsplat; knows nothing of hoijax. Draws the joint, the human and the object
render, takes the same loss and its gradient with respect to positions, quaternions, scales, opacities and colours,
and writes the medians of ROUNDS calls in milliseconds, with the device synchronised around each, and the joint render.
"""

import json
import statistics
import sys
import time

import numpy as np
import torch
from gsplat import rasterization


def load(path):
    """The arrays of the scene as tensors on the GPU."""
    with np.load(path) as file:
        return {name: torch.as_tensor(file[name], device="cuda") for name in file.files}


def renders(scene, parameters):
    """[render, row, column, (red, green, blue, depth, alpha)] of all Gaussians, the human's and the object's."""
    means, scales, quats, opacity, rgb = parameters
    height, width = scene["masks"].shape[1:]
    view = torch.eye(4, device="cuda")[None]
    camera = torch.zeros((1, 3, 3), device="cuda")
    camera[0, 0, 0], camera[0, 1, 1], camera[0, 2, 2] = *scene["focal"], 1
    camera[0, :2, 2] = scene["center"]
    images = []
    for chosen in (slice(None), ~scene["is_object"], scene["is_object"]):
        part = (x[chosen] for x in (means, quats, scales, opacity, rgb))
        color, alpha, _ = rasterization(
            *part, view, camera, width, height, near_plane=0.2, eps2d=0.3, render_mode="RGB+D", packed=False
        )
        images.append(torch.cat([color[0], alpha[0]], -1))
    return torch.stack(images)


def loss(scene, parameters):
    """L1 to the masked image and squared mask error, mean of the three renders."""
    drawn, masks = renders(scene, parameters), scene["masks"]
    return (drawn[..., :3] - scene["image"] * masks[..., None]).abs().mean() + ((drawn[..., 4] - masks) ** 2).mean()


def median_ms(call, rounds):
    """Median of `rounds` calls after three that do not count."""
    times = []
    for _ in range(rounds + 3):
        torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[3:])


def main(scene_path, out_path, rounds):
    scene = load(scene_path)
    parameters = [scene[name].clone().requires_grad_() for name in ("means", "scales", "quats", "opacity", "rgb")]

    def forward():
        with torch.no_grad():
            return renders(scene, parameters)

    measured = {
        "forward": median_ms(forward, rounds),
        "forward + backward": median_ms(lambda: torch.autograd.grad(loss(scene, parameters), parameters), rounds),
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
    }
    np.save(out_path + ".npy", forward()[0].cpu().numpy())
    with open(out_path, "w") as file:
        json.dump(measured, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
