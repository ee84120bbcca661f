"""What benchmarks/scaling.py measures, each in a process of its own: python benchmarks/scaling_cases.py CASE JSON."""

import dataclasses
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import trimesh

from hoijax.config import Config, Stage, static_options
from hoijax.data.assemble import assemble
from hoijax.data.prepare import Prepared, decimated, prepare
from hoijax.data.read import find_samples, load_sample
from hoijax.data.results import save_result
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.dataset.ledger import open_ledger, record, sole_driver
from hoijax.dataset.reconcile import reconcile, sample_names
from hoijax.dataset.tasks import Outcome
from hoijax.losses.lpips import load_lpips
from hoijax.losses.terms import RENDERS
from hoijax.optimize.between import trains_human as moves
from hoijax.optimize.fit import all_rates, fit, start, start_capacity, start_options, traced
from hoijax.optimize.spread import gathered, run
from hoijax.optimize.step import Job, block
from hoijax.presets import PRESETS
from hoijax.report.folder import result_pages, result_pictures
from hoijax.types import Assets

Row = dict[str, Any]


def sample_of(path: str) -> Sample:
    """The sample, or a built-in one."""
    return load_sample(Path(path)) if path else synthetic_sample("box", 0)


def median_seconds(call: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median of `rounds` calls, and the first one, which compiles."""
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - began)
    return float(np.median(times[1:])), times[0]


def peak_gb() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def job_of(prepared: Prepared, config: Config, batch: int, devices: int) -> tuple[Job, Any, Any]:
    """A batch of the same image, ready for its first step; how it lies, and what the rasterizer needs."""
    wants_lpips = any(name.startswith("lpips") for stage in config.stages for name in stage.weights)
    assets = Assets(prepared.body, load_lpips(config.lpips_net) if wants_lpips else None)
    places = jax.devices()[:devices] if devices > 1 else ()
    given, spread = gathered([prepared.scene] * batch, [assets] * batch, places)
    state, reference = run(start, spread, given, jax.random.key(0), **start_options(config))
    job = Job(*given, reference, state)
    return job, spread, start_capacity(job, spread, config)


def seconds_per_step(prepared: Prepared, config: Config, stage: Stage, batch: int, devices: int, steps: int) -> Row:
    """One step of a stage for the whole batch, from blocks of `steps`, compilation apart."""
    job, spread, capacity = job_of(prepared, dataclasses.replace(config, stages=(stage,)), batch, devices)
    values = traced(stage.weights), traced(all_rates(stage))
    static = {"trains_human": moves(job, stage), "config": static_options(config), "capacity": capacity}
    seconds, first = median_seconds(lambda: run(block, spread, job, *values, **static, steps=steps), 3)
    return {"step_ms": 1e3 * seconds / steps, "compile_s": first - seconds, "capacity": capacity.entries}


def fit_case(options: Row) -> Row:
    """Milliseconds a step and an image of both stages, and peak memory, for a batch, an image size, a preset."""
    config = dataclasses.replace(PRESETS[options["preset"]](), **options.get("config", {}))
    prepared = prepare(sample_of(options["sample"]), config)
    batch, devices = options.get("batch", 1), options.get("devices", 1)
    rows = [seconds_per_step(prepared, config, stage, batch, devices, options["steps"]) for stage in config.stages]
    times = [row["step_ms"] / batch for row in rows]
    total = sum(ms * stage.steps for ms, stage in zip(times, config.stages)) / 1e3
    compiled = sum(row["compile_s"] for row in rows)
    return {"ms_per_step_and_image": times, "seconds_per_image": total, "compile_s": compiled, "peak_gb": peak_gb()}


def gaussians_case(options: Row) -> Row:
    """As `fit_case`, for a person and an object of half as many vertices each."""
    count = options["gaussians"] // 2
    sample = sample_of(options["sample"])
    people = resized(sample.human, count)
    sample = sample._replace(human=people, object=resized(sample.object, count))
    limits = {"object_verts": len(sample.object.verts), "object_faces": len(sample.object.faces)}
    config = dataclasses.replace(PRESETS[options["preset"]](), **limits)
    prepared = prepare(sample, config)
    found = len(prepared.body.template) + int(np.asarray(prepared.scene.object.valid).sum())
    rows = [seconds_per_step(prepared, config, stage, 1, 1, options["steps"]) for stage in config.stages]
    total = sum(row["step_ms"] * stage.steps for row, stage in zip(rows, config.stages)) / 1e3
    times = [row["step_ms"] for row in rows]
    return {"gaussians": found, "ms_per_step_and_image": times, "seconds_per_image": total, "peak_gb": peak_gb()}


def resized(mesh: ColoredMesh, count: int) -> ColoredMesh:
    """The mesh with about `count` vertices: subdivided until it has more, then decimated."""
    shape = trimesh.Trimesh(mesh.verts, mesh.faces, vertex_colors=(255 * mesh.rgb).astype(np.uint8), process=False)
    while len(shape.vertices) < count:
        shape = shape.subdivide()
    rgb = np.asarray(shape.visual.vertex_colors)[:, :3] / 255
    large = ColoredMesh(np.asarray(shape.vertices), np.asarray(shape.faces, np.int32), rgb)
    return decimated(large, 2 * count, 10 * count)[0]


def group_of(term: str) -> str:
    """The term without the render that it is of: l1_joint is of the group l1."""
    name, _, render = term.rpartition("_")
    return name if render in RENDERS else term


def profile_case(options: Row) -> Row:
    """Milliseconds of a step with all terms of each stage, without each group of them, and with almost nothing."""
    config = dataclasses.replace(PRESETS[options["preset"]](), **options.get("config", {}))
    prepared = prepare(sample_of(options["sample"]), config)
    row: Row = {}
    for stage in config.stages:
        parts = {"all": stage, "only l1_joint": dataclasses.replace(stage, weights={"l1_joint": 1.0})}
        for group in sorted({group_of(name) for name in stage.weights}):
            rest = {name: weight for name, weight in stage.weights.items() if group_of(name) != group}
            parts[f"without {group}"] = dataclasses.replace(stage, weights=rest)
        if any(name.startswith("human.") for name in stage.rates):
            still = {name: rate for name, rate in stage.rates.items() if not name.startswith("human.")}
            parts["without a moving human"] = dataclasses.replace(stage, rates=still)
        steps = options["steps"]
        row[stage.name] = {
            name: seconds_per_step(prepared, config, part, 1, 1, steps)["step_ms"] for name, part in parts.items()
        }
    return row


def host_case(options: Row) -> Row:
    """Seconds of each phase of one image that the host does, and bytes on the disk."""
    config = PRESETS[options["preset"]]()
    config = dataclasses.replace(config, stages=tuple(dataclasses.replace(stage, steps=2) for stage in config.stages))
    rounds: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as out:
        for i in range(options["rounds"] + 1):
            rounds.append(host_round(options["sample"], config, Path(out) / str(i)))
        sizes = {
            folder.name: sum(file.stat().st_size for file in folder.iterdir()) for folder in (Path(out) / "0").iterdir()
        }
    return {
        "seconds": {name: float(np.median([each[name] for each in rounds[1:]])) for name in rounds[0]},
        "bytes": sizes,
    }


def host_round(path: str, config: Config, out: Path) -> dict[str, float]:
    """One image from its folder to its result, in each kind of result folder."""
    times = [time.perf_counter()]

    def lap() -> float:
        times.append(time.perf_counter())
        return times[-1] - times[-2]

    seconds = {}
    sample = sample_of(path)
    seconds["read"] = lap()
    prepared = prepare(sample, config)
    seconds["prepare"] = lap()
    fitted = fit(prepared.scene, Assets(prepared.body), config, jax.random.key(0))
    lap()
    result = assemble(sample, prepared, fitted, config, {"total": 0.0})
    seconds["measure"] = lap()
    pictures = result_pictures(sample, result)
    seconds["pictures"] = lap()
    pages = result_pages(sample, result)
    seconds["page"] = lap() - seconds["pictures"]
    save_result(result, out / "full", pages)
    seconds["write full"] = lap()
    save_result(result, out / "result", pictures)
    seconds["write result"] = lap()
    save_result(result, out / "small", pictures, small=True)
    seconds["write small"] = lap()
    return seconds


def ledger_case(options: Row) -> Row:
    """Seconds that a run of so many samples takes without any work: finding them, the ledger, the next start."""
    count, config = options["samples"], PRESETS["hoijax"]()
    row: Row = {"samples": count}
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "data", Path(folder) / "out"
        for i in range(count):
            sample = data / f"cup{i % 100:02d}" / str(i)
            sample.mkdir(parents=True)
            (sample / "image.jpg").touch()
            (sample / "smplx_parameters.json").touch()
        times = [time.perf_counter()]
        samples = sample_names(data, find_samples(data))
        times.append(time.perf_counter())
        with sole_driver(out):
            ledger = open_ledger(out, config, data)
            reconcile(ledger, samples, data, out)
            times.append(time.perf_counter())
            for name in list(samples)[:500]:
                record(ledger, [Outcome(name, "done")])
            times.append(time.perf_counter())
            record(ledger, [Outcome(name, "done") for name in samples])
            for name in samples:
                (out / name).mkdir(parents=True)
                (out / name / "result.json").touch()
            times.append(time.perf_counter())
            reconcile(ledger, samples, data, out)
            times.append(time.perf_counter())
        row["ledger_mb"] = (out / "ledger.sqlite").stat().st_size / 2**20
    row["find_s"], row["enter_s"], first, _, row["next_start_s"] = np.diff(times).tolist()
    return row | {"outcomes_per_second": 500 / first}


CASES = {
    "fit": fit_case,
    "gaussians": gaussians_case,
    "profile": profile_case,
    "host": host_case,
    "ledger": ledger_case,
}


def main() -> None:
    print(json.dumps(CASES[sys.argv[1]](json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()
