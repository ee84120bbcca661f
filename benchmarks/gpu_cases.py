"""What benchmarks/gpu.py measures: parts that yield named cases, each of which runs by itself and may fail by itself."""

import json
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
from rasterizer import Drawing, init_drawing, our_cases

from hoijax.config import Capacity, Config, Stage, with_options
from hoijax.data.prepare import prepare
from hoijax.data.sample import Sample
from hoijax.losses.lpips import load_lpips, lpips
from hoijax.optimize.fit import fit_batch
from hoijax.optimize.outcome import Fitted
from hoijax.presets import paper
from hoijax.splats import composite
from hoijax.splats.dense import rasterize_dense
from hoijax.splats.rasterize import init_capacity, needed, rasterize
from hoijax.types import Assets, Camera, Gaussians

HERE = Path(__file__).resolve().parent
PASSES = ("forward", "forward + backward")
TOLERANCE = 5e-4  # of values (depth by its largest), and of gradients by their norm
FLIPS = 1e-3  # share of pixels that a pair at the threshold of 1/255 may have moved
TARGETS = {"": 15.0, "vgg": 4.0}  # images per second on one H100, by network of LPIPS

Row = dict[str, Any]
Case = tuple[str, Callable[[], Row]]


class Setup(NamedTuple):
    """What the parts share. `results`: the rows measured so far, for comparisons across parts."""

    sample: Sample
    size: int
    steps: int
    rounds: int
    batches: Sequence[int]
    rasterizers: Sequence[str]
    gsplat_python: str
    folder: Path
    results: dict[str, dict[str, Row]]


def parity(setup: Setup) -> Iterator[Case]:
    """(a) Values and gradients against the dense oracle in float64 on a small scene, and against the CPU on the sample."""
    host, device = jax.local_devices(backend="cpu")[0], jax.devices()[0]
    places = [("CPU, xla", host, "xla")] + [(f"device, {name}", device, name) for name in setup.rasterizers]
    for name, place, rasterizer in places:
        yield f"small scene, {name}, against the oracle", partial(small_parity, place, rasterizer)
    for name, place, rasterizer in places[1:]:
        yield f"sample, {name}, against the CPU", partial(sample_parity, setup, place, rasterizer)


def small_parity(place: Any, rasterizer: str) -> Row:
    truth = oracle()
    return verdict(drawn(*small_scene(np.float32), Capacity(32768, 4096), rasterizer, place), truth)


def oracle() -> Any:
    """Values and gradients of the small scene in float64 on the CPU."""
    with jax.enable_x64(True):
        return drawn(*small_scene(np.float64), Capacity(), "dense", jax.local_devices(backend="cpu")[0])


def sample_parity(setup: Setup, place: Any, rasterizer: str) -> Row:
    drawing = init_drawing(setup.sample, True, setup.size)
    fixed = drawing.gaussians(drawing.parameters), drawing.is_object, drawing.camera, drawing.size
    capacity = init_capacity(*map(int, needed(*fixed)))
    truth = drawn(*fixed, capacity, "xla", jax.local_devices(backend="cpu")[0])
    return verdict(drawn(*fixed, capacity, rasterizer, place), truth)


def small_scene(dtype: Any) -> tuple[Gaussians, np.ndarray, Camera, tuple[int, int]]:
    """400 Gaussians of all shapes and opacities over 37 x 50 pixels and a little beyond."""
    rng = np.random.default_rng(0)
    size, focal, center, count = (37, 50), np.array([60.0, 66.0]), np.array([22.0, 20.0]), 400
    depth = rng.uniform(2, 4, (count, 1))
    pixel = rng.uniform(-5, [size[1] + 5, size[0] + 5], (count, 2))
    means = np.concatenate([(pixel - center) / focal * depth, depth], 1)
    axes = np.linalg.qr(rng.normal(size=(count, 3, 3)))[0] * np.exp(rng.uniform(-5, -2, (count, 1, 3)))
    gaussians = Gaussians(
        means, axes @ axes.transpose(0, 2, 1), rng.uniform(0.02, 0.999, count), rng.random((count, 3))
    )
    gaussians, camera = jax.tree.map(lambda x: x.astype(dtype), (gaussians, Camera(focal, center)))
    return gaussians, rng.random(count) < 0.4, camera, size


def drawn(
    gaussians: Gaussians, is_object: Any, camera: Camera, size: Any, capacity: Capacity, rasterizer: str, place: Any
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Red, green, blue, alpha and depth of the renders on device `place`; gradient of their sum with random weights."""
    rng = np.random.default_rng(1)
    dtype = camera.focal.dtype
    draw = rasterize_dense if rasterizer == "dense" else partial(rasterize, rasterizer=rasterizer)
    shapes = [(*size, 3), size, size] * 3
    weights = [rng.normal(size=shape).astype(dtype) for shape in shapes]

    def loss(moving: Any, is_object: Any) -> Any:
        leaves = jax.tree.leaves(draw(moving[0], is_object, moving[1], size, capacity)[:3])
        return sum((a * b).sum() for a, b in zip(leaves, weights, strict=True)), leaves

    arguments = jax.device_put(((gaussians, camera), is_object), place)
    (_, values), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(*arguments)
    return [np.asarray(x) for x in values], [np.asarray(x) for x in jax.tree.leaves(gradient)]


def verdict(ours: Any, truth: Any) -> Row:
    """Errors of values and gradients. PASS: both within TOLERANCE but for isolated pixels at the threshold."""
    errors = [np.abs(a - b) / max(1.0, np.abs(b).max()) for a, b in zip(ours[0], truth[0], strict=True)]
    wrong = max(float((error > TOLERANCE).mean()) for error in errors)
    slopes = [np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-12) for a, b in zip(ours[1], truth[1], strict=True)]
    good = wrong <= FLIPS and max(slopes) <= TOLERANCE
    return {
        "largest error": float(f"{max(error.max() for error in errors):.2g}"),
        "mean error": float(f"{max(error.mean() for error in errors):.2g}"),
        "pixels off": float(f"{wrong:.2g}"),
        "gradient error": float(f"{max(slopes):.2g}"),
        "verdict": "PASS" if good else "FAIL",
    }


def rasterizers(setup: Setup) -> Iterator[Case]:
    """(b) Medians of forward and forward + backward, called in turn: XLA against Pallas, by state and batch."""
    for state in ("init", "late"):
        for batch in setup.batches:
            for name in PASSES:
                yield f"{state}, batch {batch}, {name}", partial(rasterizer_times, setup, state, batch, name)


def rasterizer_times(setup: Setup, state: str, batch: int, name: str) -> Row:
    drawing, capacity = with_capacity(setup, state)
    parameters = jax.tree.map(lambda x: jnp.stack([x] * batch), drawing.parameters)
    cases = {kind: jax.vmap(our_cases(drawing, capacity, kind)[name]) for kind in setup.rasterizers}
    row = in_turn(cases, parameters, setup.rounds, batch)
    if all(f"{kind} ms" in row for kind in ("xla", "pallas")):
        row["xla / pallas"] = round(row["xla ms"] / row["pallas ms"], 2)
    return row


def with_capacity(setup: Setup, state: str) -> tuple[Drawing, Capacity]:
    drawing = init_drawing(setup.sample, state == "late", setup.size)
    fixed = drawing.gaussians(drawing.parameters), drawing.is_object, drawing.camera, drawing.size
    return drawing, init_capacity(*map(int, needed(*fixed)))


def in_turn(cases: dict[str, Callable], arguments: Any, rounds: int, batch: int = 1) -> Row:
    """Compilation in seconds, median in ms of calls in turn, and per image.

    A function that fails leaves its error in the row and the others are measured.
    """
    row: Row = {}
    compiled = {}
    for name, function in cases.items():
        start = time.perf_counter()
        try:
            compiled[name] = jax.jit(function).lower(arguments).compile()
            row[f"{name} compile s"] = round(time.perf_counter() - start, 1)
            jax.block_until_ready(compiled[name](arguments))
        except Exception as error:
            compiled.pop(name, None)
            row[f"{name} failed"] = f"{type(error).__name__}: {str(error)[:200]}"
    times: dict[str, list[float]] = {name: [] for name in compiled}
    for _ in range(rounds):
        for name in compiled:
            start = time.perf_counter()
            jax.block_until_ready(compiled[name](arguments))
            times[name].append(1e3 * (time.perf_counter() - start))
    medians = {name: statistics.median(values) for name, values in times.items()}
    row |= {f"{name} ms": round(value, 3) for name, value in medians.items()}
    row |= {f"{name} ms/image": round(value / batch, 3) for name, value in medians.items() if batch > 1}
    return row


def fits(setup: Setup, net: str = "") -> Iterator[Case]:
    """(c) Images per second of whole fits of the preset `paper`, without LPIPS or with it on `net`; large batches first."""
    for batch in sorted(setup.batches, key=lambda b: (b != 64, -b)):
        for rasterizer in setup.rasterizers:
            name = f"paper, {'no LPIPS' if not net else net + ' LPIPS'}, batch {batch}, {rasterizer}"
            yield name, partial(fit_times, setup, net, batch, rasterizer)


def fit_config(setup: Setup, net: str, rasterizer: str) -> Config:
    """`paper`; with fewer steps where the setup says so."""
    config = with_options(paper(), {"image_size": setup.size, "rasterizer": rasterizer, "lpips_net": net or "alex"})

    def stage(each: Stage) -> Stage:
        weights = {term: w for term, w in each.weights.items() if net or not term.startswith("lpips_")}
        steps = each.steps if setup.steps == 0 else setup.steps
        return Stage(each.name, steps, weights, each.rates)

    return Config(**{**vars(config), "stages": tuple(stage(each) for each in config.stages)})


def fit_times(setup: Setup, net: str, batch: int, rasterizer: str) -> Row:
    config = fit_config(setup, net, rasterizer)
    prepared = prepare(setup.sample, config)
    assets = Assets(prepared.body, load_lpips(net) if net else None)

    def once() -> tuple[float, list]:
        start = time.perf_counter()
        done = fit_batch([prepared.scene] * batch, [assets] * batch, config, jax.random.key(0))
        return time.perf_counter() - start, done

    first, _ = once()
    seconds, done = once()
    good = [one for one in done if isinstance(one, Fitted) and one.dropped == 0]
    row: Row = {
        "seconds": round(seconds, 2),
        "first run s": round(first, 1),
        "images/s": round(batch / seconds, 2),
        "steps": sum(stage.steps for stage in config.stages),
        "pixels": str(prepared.scene.valid.shape),
        "last loss": round(float(done[0].history["loss"][-1]), 6) if good else float("nan"),
        "memory GB": peak_memory(),
    }
    if len(good) < batch:
        row["verdict"] = "FAIL"
        row["why"] = f"{batch - len(good)} of {batch} did not end well"
    elif setup.steps == 0 and batch >= 64:
        row |= {"target": f">= {TARGETS[net]:g} images/s", "verdict": mark(batch / seconds >= TARGETS[net])}
    return row


def peak_memory() -> float:
    """GB that arrays took at most on the first device since the start; NaN where the device does not say."""
    return round((jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", float("nan")) / 1e9, 2)


def mark(reached: bool) -> str:
    return "reached" if reached else "missed"


def against_gsplat(setup: Setup) -> Iterator[Case]:
    """(d) The same three renders of the same scene by gsplat's CUDA kernels, in another Python."""
    for state in ("init", "late"):
        yield state, partial(gsplat_times, setup, state)


def gsplat_times(setup: Setup, state: str) -> Row:
    if not setup.gsplat_python:
        return {"skipped": "no --gsplat_python=PATH of an environment with torch and gsplat"}
    drawing, capacity = with_capacity(setup, state)
    scene, out = setup.folder / f"{state}.npz", setup.folder / f"{state}.json"
    names = ("means", "scales", "quats", "opacity", "rgb")
    arrays = dict(zip(names, drawing.parameters)) | {"focal": drawing.camera.focal, "center": drawing.camera.center}
    arrays |= {"is_object": drawing.is_object, "image": drawing.image, "masks": drawing.masks}
    np.savez(scene, **{name: np.asarray(value) for name, value in arrays.items()})
    command = [setup.gsplat_python, str(HERE / "gsplat_times.py"), str(scene), str(out), str(setup.rounds)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"gsplat's program ended with {done.returncode}: {done.stderr[-600:]}")
    theirs = json.loads(out.read_text())
    joint = our_cases(drawing, capacity)["forward"](drawing.parameters).joint
    row: Row = {"largest difference": round(float(np.abs(np.load(f"{out}.npy")[..., 4] - joint.alpha).max()), 4)}
    for name in PASSES:
        row[f"gsplat {name} ms"] = round(theirs[name], 3)
        for batch, target in ((1, 2.0), (64, 1.0)):
            ours = setup.results.get("rasterizer", {}).get(f"{state}, batch {batch}, {name}", {})
            best = min((ours[key] for kind in setup.rasterizers if (key := f"{kind} ms") in ours), default=None)
            if best is not None:
                ratio = best / (batch * theirs[name])
                row[f"best of ours / gsplat, batch {batch}, {name}"] = f"{ratio:.2f} (target {target:g})"
                if name == PASSES[1]:
                    row["verdict"] = "missed" if ratio > target else row.get("verdict", "reached")
    return row


def precision(setup: Setup) -> Iterator[Case]:
    """(e) Products in less than float32, with their error; and how many warps the kernel wants."""
    for name in ("HIGHEST", "HIGH", "DEFAULT"):
        changed = partial(jnp.matmul, precision=jax.lax.Precision[name])
        swapped = partial(mock.patch.object, composite, "_matmul", changed)
        yield f"products of the xla composite, {name}", partial(changed_times, setup, "xla", swapped)
    for warps in (1, 2, 4):
        constants = {"FORWARD_WARPS": warps, "BACKWARD_WARPS": warps}
        swapped = partial(mock.patch.multiple, "hoijax.splats.pallas_composite", **constants)  # only now imported
        yield f"pallas, {warps} warps", partial(changed_times, setup, "pallas", swapped)
    for name in ("highest", "tensorfloat32", "bfloat16"):
        yield f"VGG LPIPS, {name}", partial(lpips_precision, setup, name)


def changed_times(setup: Setup, rasterizer: str, changed: Callable[[], AbstractContextManager]) -> Row:
    """Error against the oracle, and times on the sample for the largest batch, with something changed meanwhile."""
    drawing, capacity = with_capacity(setup, "late")
    batch = max(b for b in setup.batches if b <= 64)
    parameters = jax.tree.map(lambda x: jnp.stack([x] * batch), drawing.parameters)
    truth = oracle()
    with changed():
        ours = drawn(*small_scene(np.float32), Capacity(32768, 4096), rasterizer, jax.devices()[0])
        cases = {name: jax.vmap(function) for name, function in our_cases(drawing, capacity, rasterizer).items()}
        row = verdict(ours, truth)
        row["verdict"] = "allowed" if row["verdict"] == "PASS" else "too coarse"
        return row | {"batch": batch} | in_turn(cases, parameters, setup.rounds, batch)


def lpips_precision(setup: Setup, name: str) -> Row:
    """Value and gradient of VGG LPIPS of an image to a darker one: relative error to `highest`, and time."""
    drawing = init_drawing(setup.sample, True, setup.size)
    weights = load_lpips("vgg")
    batch = max(b for b in setup.batches if b <= 8)
    images = jnp.stack([drawing.image] * batch)

    def distance(images: jax.Array) -> jax.Array:
        return lpips(weights, 0.7 * images, images).sum()

    def both(precision: str) -> tuple[float, np.ndarray]:
        with jax.default_matmul_precision(precision):
            value, slope = jax.jit(jax.value_and_grad(distance))(images)
        return float(value), np.asarray(slope)

    (value, slope), (true, true_slope) = both(name), both("highest")
    row = {
        "error": float(f"{abs(value - true) / abs(true):.2g}"),
        "gradient error": float(f"{np.linalg.norm(slope - true_slope) / np.linalg.norm(true_slope):.2g}"),
        "batch": batch,
    }
    with jax.default_matmul_precision(name):
        return row | in_turn({"forward + backward": jax.value_and_grad(distance)}, images, setup.rounds, batch)


PARTS: dict[str, Callable[[Setup], Iterator[Case]]] = {
    "parity": parity,
    "rasterizer": rasterizers,
    "gsplat": against_gsplat,
    "fits": fits,
    "fits with VGG": partial(fits, net="vgg"),
    "precision": precision,
}
