"""What a fit costs against batch, image size, Gaussians and devices, and where the time goes:

    python benchmarks/scaling.py [--sample=DIR] [--parts=A,B] [--write]

Every case runs in a process of its own (benchmarks/scaling_cases.py), so that its peak memory is its own. Parts:
`profile` (a step with all terms, and without each), `host` (reading, preparing, measuring, writing; bytes on the disk),
`size` (128 to 512 pixels), `gaussians` (5,000 to 50,000), `batch`, `devices` (one process, the CPU split into as many
devices; or the accelerators that are there), `workers` (experiments/dataset_run.py with 1 and with all, and
experiments/reconstruct.py over the same scenes), `ledger` (20,000 samples without any work). A plot goes
to docs/scale.png with --write.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / "benchmarks" / "baselines" / "scaling.json"
PLOT = ROOT / "docs" / "scale.png"
Row = dict[str, Any]


def case(name: str, options: Row, environment: dict[str, str] | None = None) -> Row:
    """One measurement in a process of its own; where it fails, the last line of what it said."""
    command = [sys.executable, str(ROOT / "benchmarks" / "scaling_cases.py"), name, json.dumps(options)]
    fresh = {"JAX_ENABLE_COMPILATION_CACHE": "false"}  # so that every peak of memory is one with compilation
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **fresh, **(environment or {})})
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:300]}
    return json.loads(done.stdout.splitlines()[-1])


def profile(chosen: argparse.Namespace) -> dict[str, Row]:
    options = {"sample": chosen.sample, "steps": chosen.steps}
    return {preset: case("profile", {**options, "preset": preset}) for preset in ("hoijax",)}


def host(chosen: argparse.Namespace) -> dict[str, Row]:
    return {"hoijax": case("host", {"sample": chosen.sample, "preset": "hoijax", "rounds": 3})}


def size(chosen: argparse.Namespace) -> dict[str, Row]:
    sizes = (128, 256, 512)
    options = {"sample": chosen.sample, "steps": chosen.steps, "preset": "hoijax"}
    return {str(px): case("fit", {**options, "config": {"image_size": px}}) for px in sizes}


def gaussians(chosen: argparse.Namespace) -> dict[str, Row]:
    options = {"sample": chosen.sample, "steps": chosen.steps, "preset": "hoijax"}
    return {str(n): case("gaussians", {**options, "gaussians": n}) for n in (5000, 15000, 50000)}


def batch(chosen: argparse.Namespace) -> dict[str, Row]:
    options = {"sample": chosen.sample, "steps": chosen.steps, "preset": "hoijax"}
    return {str(n): case("fit", {**options, "batch": n}) for n in chosen.batches}


def devices(chosen: argparse.Namespace) -> dict[str, Row]:
    """A batch on one device, and divided among all."""
    count = chosen.devices
    split = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={count}"}
    options = {
        "sample": chosen.sample,
        "steps": chosen.steps,
        "preset": "hoijax",
        "batch": max(chosen.batches[-1], count),
    }
    return {str(n): case("fit", {**options, "devices": n}, split) for n in (1, count)}


SCENES = "gymball_sit,book_read,bench_sit,backpack_wear,cup_drink,suitcase_carry"
BRIEF = ["--config.render.steps=20", "--config.hoi.steps=20"]  # compiles the same blocks as the whole fits


def workers(chosen: argparse.Namespace) -> dict[str, Row]:
    """Seconds of whole programs over the same scenes, start to end, with a compilation cache that is warm.

    What is compiled depends on the threads of a process, so each program warms the cache for itself.
    """
    run = "experiments/dataset_run.py"
    programs = {
        "reconstruct.py, a program for each image": ["experiments/reconstruct.py"],
        "reconstruct.py, one program": ["experiments/reconstruct.py"],
        "dataset_run.py, 1 worker": [run, "--workers=1"],
        f"dataset_run.py, {chosen.devices} workers": [run, f"--workers={chosen.devices}"],
    }
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        make = ["experiments/make_benchmark.py", "--split=test", f"--out={data}", f"--names={SCENES}"]
        subprocess.run([sys.executable, *make], cwd=ROOT, check=True, capture_output=True)
        samples = sorted(path.parent for path in data.glob("*/*/image.jpg"))
        for name, program in programs.items():
            each = [f"--sample={path}" for path in samples] if "each image" in name else [f"--data={data}"]
            common = [*program, f"--compile_cache={folder}/cache"]
            timed([*common, f"--data={data}", f"--out={folder}/{len(rows)}/brief", *BRIEF])
            seconds = sum(timed([*common, one, f"--out={folder}/{len(rows)}/whole"]) for one in each)
            rows[name] = {"images": len(samples), "seconds": seconds, "images_per_minute": 60 * len(samples) / seconds}
    return rows


def timed(program: list[str]) -> float:
    """Seconds that a program takes; ends with what it said where it fails."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *program], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return time.perf_counter() - began


def ledger(chosen: argparse.Namespace) -> dict[str, Row]:
    return {"20000 samples": case("ledger", {"samples": 20_000})}


PARTS = {part.__name__: part for part in (profile, host, size, gaussians, batch, devices, workers, ledger)}


def facts() -> Row:
    """What it runs on."""
    code = "import jax; d = jax.devices()[0]; print(d.platform, d.device_kind, jax.__version__, sep='|')"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    backend, kind, version = found.splitlines()[-1].split("|")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"device": f"{backend}: {kind}, {platform.machine()}", "cores": cores, "jax": version}


def plot(parts: dict[str, dict[str, Row]], path: Path) -> None:
    """Seconds an image and peak memory against size, Gaussians and batch."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    labels = {"size": "long side, px", "gaussians": "Gaussians", "batch": "batch"}
    shown = [(name, label) for name, label in labels.items() if name in parts]
    if not shown:
        return
    figure, axes = plt.subplots(1, len(shown), figsize=(4.2 * len(shown), 3.4), squeeze=False, layout="constrained")
    for axis, (name, label) in zip(axes[0], shown):
        rows = [(float(row.get("gaussians", key)), row) for key, row in parts[name].items() if "failed" not in row]
        x = [value for value, _ in rows]
        axis.plot(x, [row["seconds_per_image"] for _, row in rows], "o-", color="#1f6f8b")
        axis.set_xlabel(label)
        axis.set_ylabel("seconds an image, 160 steps", color="#1f6f8b")
        axis.set_ylim(0, 1.1 * max(row["seconds_per_image"] for _, row in rows))
        axis.set_xlim(0, 1.05 * max(x))
        memory = axis.twinx()
        memory.plot(x, [row["peak_gb"] for _, row in rows], "s--", color="#c1666b")
        memory.set_ylabel("peak memory, GB", color="#c1666b")
        memory.set_ylim(0, 1.1 * max(row["peak_gb"] for _, row in rows))
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", default="", help="sample folder; a built-in scene by default")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--steps", type=int, default=10, help="steps of the blocks that are timed")
    parser.add_argument("--batches", default="1,4", help="batch sizes, with commas")
    parser.add_argument(
        "--devices", type=int, default=facts()["cores"], help="devices, and workers; all cores by default"
    )
    parser.add_argument("--write", action="store_true", help="store the result as the new baseline, and the plot")
    chosen = parser.parse_args()
    chosen.batches = [int(x) for x in chosen.batches.split(",")]
    wanted = chosen.parts.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"--parts: no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    record = {**facts(), "parts": json.loads(BASELINE.read_text())["parts"] if BASELINE.is_file() else {}}
    print(", ".join(f"{key}: {value}" for key, value in record.items() if key != "parts"), flush=True)
    for part in wanted:
        print(f"{part}:", flush=True)
        rows = PARTS[part](chosen)
        record["parts"][part] = rows
        for name, row in rows.items():
            print(f"  {name}: {json.dumps(row)}", flush=True)
        if chosen.write:
            BASELINE.write_text(json.dumps(record, indent=1) + "\n")
    if chosen.write:
        plot(record["parts"], PLOT)


if __name__ == "__main__":
    main()
