"""Stands in for InstantMesh's run.py: its command line and its files. It ends at the first image it cannot do."""

import argparse
import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("config")
parser.add_argument("input_path")
parser.add_argument("--output_path", default="outputs/")
parser.add_argument("--diffusion_steps", type=int, default=75)
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--no_rembg", action="store_true")
flags = parser.parse_args()

assert Path("run.py").is_file(), "is run from its own folder, as it reads files there"
lines = Path(flags.config).read_text().splitlines()
weights = next(line.partition(": ")[2] for line in lines if "model_path" in line)
weights = json.loads(weights) if weights.startswith('"') else weights
print("loading", Path(weights).read_text(), "on the GPU", os.environ.get("CUDA_VISIBLE_DEVICES", "0"))

meshes = Path(flags.output_path, Path(flags.config).stem, "meshes")
meshes.mkdir(parents=True)
for path in sorted(Path(flags.input_path).glob("*.png")):
    with Image.open(path) as picture:
        pixels = np.asarray(picture)
    assert picture.size[0] == picture.size[1], "an object is expected in the middle of a square"
    assert pixels.shape[2] == 4
    rgb = pixels[pixels[..., 3] > 127][:, :3].mean(axis=0)
    if rgb[0] > 250:
        raise RuntimeError("CUDA out of memory")
    corners = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, flags.diffusion_steps)]
    lines = [f"v {x} {y} {z} {rgb[0] / 255:.4f} {rgb[1] / 255:.4f} {rgb[2] / 255:.4f}" for x, y, z in corners]
    lines += ["f 1 3 2", "f 1 2 4", "f 2 3 4", "f 1 4 3"]
    (meshes / f"{path.name.split('.')[0]}.obj").write_text("\n".join(lines))
