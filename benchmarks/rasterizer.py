"""Times of the rasterizer, three renders: python benchmarks/rasterizer.py [--sample=DIR] [--prototype=DIR] [--write]

The sample is a folder in the Open3DHOI layout, drawn at 256 px in two states: `init`, as a fit starts (opacity 0.1), and
`late`, with opacities of 0.5 to 0.99 and Gaussians no longer round. "forward" draws; "forward + backward" is the value
and gradient of an L1 and mask loss with respect to positions, scales, rotations, opacities and colours. Prints medians
in milliseconds, compilation apart in seconds, beside the baseline in baselines/rasterizer.json; --write stores a new one.

With --prototype=DIR (a folder with rasterizer.py: `Cfg`, `render`) the same scene goes through that one too, call by call
in turn, and the median of the ratios of neighbouring calls is printed: on a machine that does other work it is all that
means something.
"""

import argparse
import importlib.util
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

from hoijax.body.smplx import pose_body
from hoijax.config import Capacity, with_options
from hoijax.data.prepare import prepare
from hoijax.data.read import load_sample
from hoijax.data.sample import Sample
from hoijax.geometry import quaternion_matrix
from hoijax.optimize.params import init_params
from hoijax.presets import paper
from hoijax.splats.rasterize import init_capacity, needed, rasterize
from hoijax.types import Assets, Camera, Gaussians

HERE = Path(__file__).resolve().parent
BASELINE = HERE / "baselines" / "rasterizer.json"
SAMPLE = HERE.parent.parent / "shared" / "data" / "basket"
PROTOTYPE = "prototype: "


class Drawing(NamedTuple):
    """What is drawn: the parameters that gradients are taken of, and the rest."""

    parameters: tuple[jax.Array, ...]  # means, scales, quaternions, opacities, colours
    is_object: jax.Array
    camera: Camera
    size: tuple[int, int]
    image: jax.Array
    masks: jax.Array  # joint, human, object

    def gaussians(self, parameters: tuple[jax.Array, ...]) -> Gaussians:
        """Posed Gaussians with covariance R diag(scale)^2 R^T."""
        means, scales, quats, opacity, rgb = parameters
        axes = quaternion_matrix(quats) * scales[:, None]
        return Gaussians(means, axes @ axes.mT, opacity, rgb)


def init_drawing(sample: Sample, late: bool, image_size: int = 256) -> Drawing:
    """The sample as a fit starts, without padding; `late`: as one may look after many steps."""
    config = with_options(paper(), {"image_size": image_size})
    prepared = prepare(sample, config)
    scene, body = prepared.scene, prepared.body
    params = init_params(scene, Assets(body), frozenset(), config, jax.random.key(0))
    verts = jnp.concatenate([pose_body(body, scene.human).verts, scene.object.verts])
    n_human = len(body.template)
    is_object = jnp.arange(len(verts)) >= n_human
    real = np.concatenate([np.ones(n_human, bool), np.asarray(scene.object.valid)])
    splats = jax.tree.map(lambda *x: jnp.concatenate(x)[real], params.human_splats, params.object_splats)
    scales, quats, opacity = jnp.exp(splats.log_scale), splats.quat, jax.nn.sigmoid(splats.logit_opacity)
    if late:
        rng = np.random.default_rng(0)
        opacity = jnp.where(opacity > 1e-3, rng.uniform(0.5, 0.99, opacity.shape).astype(np.float32), opacity)
        scales = scales * np.exp(rng.normal(0, 0.15, scales.shape)).astype(np.float32)
        quats = quats + rng.normal(0, 0.2, quats.shape).astype(np.float32)
    h, w = int(scene.valid.any(1).sum()), int(scene.valid.any(0).sum())
    masks = jnp.stack([jnp.maximum(scene.human_mask, scene.object_mask), scene.human_mask, scene.object_mask])
    parameters = (verts[real], scales, quats, opacity, splats.rgb)
    return Drawing(parameters, is_object[real], scene.camera, (h, w), scene.image[:h, :w], masks[:, :h, :w])


def render_loss(rgb: jax.Array, alpha: jax.Array, image: jax.Array, masks: jax.Array) -> jax.Array:
    """L1 to the masked image and squared mask error: rgb [..., 3], alpha [...] of one render and its mask."""
    return jnp.abs(rgb - image * masks[..., None]).mean() + ((alpha - masks) ** 2).mean()


def our_cases(drawing: Drawing, capacity: Capacity, rasterizer: str = "xla") -> dict[str, Callable[..., Any]]:
    """Functions of the parameters: forward, and forward + backward."""

    def forward(parameters: tuple[jax.Array, ...]) -> Any:
        arguments = drawing.gaussians(parameters), drawing.is_object, drawing.camera, drawing.size
        return rasterize(*arguments, capacity, rasterizer)[:3]

    def loss(parameters: tuple[jax.Array, ...]) -> jax.Array:
        frames = zip(forward(parameters), drawing.masks)
        return sum((render_loss(f.rgb, f.alpha, drawing.image, mask) for f, mask in frames), jnp.zeros(())) / 3

    return {"forward": forward, "forward + backward": jax.value_and_grad(loss)}


def prototype_cases(folder: Path, drawing: Drawing, capacity: Capacity) -> dict[str, Callable[..., Any]]:
    """The same with the prototype's rasterizer, whose frames are stored [render, channel, row, column]."""
    spec = importlib.util.spec_from_file_location("prototype_rasterizer", folder / "rasterizer.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    h, w = drawing.size
    config = module.Cfg(W=w, H=h, cap_isect=capacity.entries, cap_chunk=capacity.items)
    camera = jnp.concatenate(drawing.camera)
    image = drawing.image.transpose(2, 0, 1)

    def forward(parameters: tuple[jax.Array, ...]) -> Any:
        return module.render(*parameters, drawing.is_object, camera, config)[0]

    def loss(parameters: tuple[jax.Array, ...]) -> jax.Array:
        frames, masks = forward(parameters), drawing.masks
        return jnp.abs(frames[:, :3] - image * masks[:, None]).mean() + ((frames[:, 4] - masks) ** 2).mean()

    return {"forward": forward, "forward + backward": jax.value_and_grad(loss)}


def measure(cases: dict[str, Callable[..., Any]], arguments: Any, rounds: int) -> dict[str, dict[str, float]]:
    """Median of calls made in turn, seconds to compile, temporary memory; where there is a prototype, the ratio to it."""
    compiled, rows = {}, {}
    for name in sorted(cases, key=lambda name: name.removeprefix(PROTOTYPE)):
        function = cases[name]
        start = time.perf_counter()
        compiled[name] = jax.jit(function).lower(arguments).compile()
        seconds = time.perf_counter() - start
        temporary = compiled[name].memory_analysis().temp_size_in_bytes / 2**20
        rows[name] = {"compile s": round(seconds, 1), "temporary MiB": round(temporary, 1)}
        jax.block_until_ready(compiled[name](arguments))
    times: dict[str, list[float]] = {name: [] for name in compiled}
    for i in range(rounds):
        for name in list(compiled)[:: 1 if i % 2 else -1]:
            start = time.perf_counter()
            jax.block_until_ready(compiled[name](arguments))
            times[name].append(time.perf_counter() - start)
    for name, row in rows.items():
        row["median ms"] = round(1e3 * statistics.median(times[name]), 1)
        if PROTOTYPE + name in times:
            ratio = statistics.median(a / b for a, b in zip(times[name], times[PROTOTYPE + name]))
            row["ratio to the prototype"] = round(ratio, 2)
    return rows


def report(state: str, rows: dict[str, dict[str, float]], baseline: dict[str, Any]) -> None:
    """One line for each case."""
    for name, row in rows.items():
        kept = baseline.get(state, {}).get(name, {}).get("median ms", float("nan"))
        cells = ", ".join(f"{key} {value}" for key, value in row.items())
        print(f"  {name:30} {cells}   (baseline {kept} ms)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=Path, default=SAMPLE, help="sample folder")
    parser.add_argument("--prototype", type=Path, help="folder of a rasterizer to compare with")
    parser.add_argument("--rounds", type=int, default=40, help="calls of each function")
    parser.add_argument("--write", action="store_true", help="store the result as the new baseline")
    options = parser.parse_args()
    if not options.sample.is_dir():
        parser.exit(message=f"{options.sample}: no such sample folder; nothing measured (see --sample)\n")
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    measured: dict[str, Any] = {}
    for state in ("init", "late"):
        drawing = init_drawing(load_sample(options.sample), late=state == "late")
        fixed = drawing.gaussians(drawing.parameters), drawing.is_object, drawing.camera, drawing.size
        entries, items = map(int, needed(*fixed))
        capacity = init_capacity(entries, items)
        print(f"{state}: {len(drawing.is_object)} Gaussians, {drawing.size} px, {entries} entries, {items} items")
        cases = our_cases(drawing, capacity)
        if options.prototype:
            others = prototype_cases(options.prototype, drawing, capacity)
            cases |= {PROTOTYPE + name: function for name, function in others.items()}
        rows = measure(cases, drawing.parameters, options.rounds)
        report(state, rows, baseline)
        measured[state] = {name: row for name, row in rows.items() if not name.startswith(PROTOTYPE)}
    if options.write:
        BASELINE.parent.mkdir(exist_ok=True)
        BASELINE.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
