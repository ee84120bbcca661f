"""Times of the mesh functions on a real sample at 256 px: python benchmarks/mesh.py --sample=DIR [--write]

The sample is a folder in the Open3DHOI layout; its object is decimated to 8,000 faces. Prints the median of each, in
milliseconds, beside its baseline in baselines/mesh.json; --write stores a new baseline.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import fast_simplification
import jax
import jax.numpy as jnp
import numpy as np
import trimesh
from PIL import Image

from hoijax.mesh.nearest import chamfer, nearest
from hoijax.mesh.normals import vertex_normals
from hoijax.mesh.sdf import init_sdf_grid, signed_distance
from hoijax.mesh.silhouette import soft_silhouette
from hoijax.mesh.zbuffer import depth_buffer
from hoijax.types import Camera

BASELINE = Path(__file__).parent / "baselines" / "mesh.json"
SIZE = (256, 256)


def load_scene(sample: Path) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], Camera]:
    """Human and object (vertices in the camera frame, faces) and the camera of the image at 256 px."""
    parameters = json.loads((sample / "smplx_parameters.json").read_text())
    human = trimesh.load(sample / "h_mesh.obj", process=False)
    coarse = trimesh.load(sample / "obj_pcd_h_align.obj", process=False)
    item = fast_simplification.simplify(
        np.asarray(coarse.vertices, np.float32), np.asarray(coarse.faces, np.int32), target_count=8000
    )
    shift = np.array(parameters["cam_trans"])
    with Image.open(sample / "image.jpg") as image:
        scale = 256 / max(image.size)
    camera = Camera(*(jnp.asarray(np.array(parameters[key]) * scale, jnp.float32) for key in ("focal", "princpt")))
    return {"human": (human.vertices + shift, np.asarray(human.faces)), "object": (item[0] + shift, item[1])}, camera


def cases(
    meshes: dict[str, tuple[np.ndarray, np.ndarray]], camera: Camera
) -> dict[str, tuple[Callable[..., jax.Array], tuple[Any, ...]]]:
    """Name -> a function of arrays that returns an array, and its arguments."""
    found: dict[str, tuple[Callable[..., jax.Array], tuple[Any, ...]]] = {}
    cast = {name: (jnp.asarray(v, jnp.float32), jnp.asarray(f, jnp.int32)) for name, (v, f) in meshes.items()}
    for name, (verts, faces) in cast.items():
        found[f"normals, {name}"] = (vertex_normals, (verts, faces))
        found[f"depth buffer, {name}"] = (lambda v, f: depth_buffer(v, f, camera, SIZE).depth, (verts, faces))
        found[f"silhouette, {name}"] = (lambda v, f: soft_silhouette(v, f, camera, SIZE), (verts, faces))
    queries, points = cast["human"][0], jnp.resize(cast["object"][0], (4096, 3))
    found["nearest, human to 4,096"] = (lambda q, p: nearest(q, p).squared, (queries, points))
    found["chamfer, human and 4,096"] = (lambda q, p: jnp.stack(chamfer(q, p)[:2]), (queries, points))
    grid = init_sdf_grid(*meshes["object"])
    found["signed distance, human in object"] = (lambda p, g: signed_distance(g, p), (queries, grid))
    return found


def median_ms(function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float = 2.0) -> float:
    """Median over as many calls as fit into some seconds (five at least), the first one apart."""
    jax.block_until_ready(function(*arguments))
    times: list[float] = []
    while sum(times) < seconds or len(times) < 5:
        start = time.perf_counter()
        jax.block_until_ready(function(*arguments))
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=Path, required=True, help="a sample folder in the Open3DHOI layout")
    parser.add_argument("--write", action="store_true", help="store the medians as the new baseline")
    options = parser.parse_args()
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    meshes, camera = load_scene(options.sample)
    runs: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {}
    for name, (function, arguments) in cases(meshes, camera).items():
        runs[f"{name}: forward"] = (jax.jit(function), arguments)
        slope = jax.value_and_grad(lambda x, *rest, f=function: (f(x, *rest) ** 2).sum())
        runs[f"{name}: forward + backward"] = (jax.jit(slope), arguments)
    for name, mesh in meshes.items():
        runs[f"distance grid, {name}"] = (init_sdf_grid, mesh)
    measured = {}
    for name, (function, arguments) in runs.items():
        measured[name] = round(median_ms(function, arguments), 2)
        print(f"{name:52} {measured[name]:9.2f} ms   baseline {baseline.get(name, float('nan')):9.2f} ms", flush=True)
    if options.write:
        BASELINE.parent.mkdir(exist_ok=True)
        BASELINE.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
