"""The whole program on real and built-in samples: compile and run apart, start with and without a warm cache, memory.

    python benchmarks/fit.py --sample=DIR [--data=TREE] [--write]

Each row runs experiments/reconstruct.py as a user would, in a process of its own, first with an empty compilation cache and
then again with what that left. Seconds are what the program itself reports; memory is the process's peak.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import app, flags

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / "benchmarks" / "baselines" / "fit.json"
_SAMPLE = flags.DEFINE_string("sample", None, "A sample folder.", required=True)
_RUNS = flags.DEFINE_integer("runs", 3, "Warm runs; the median is reported.")
_WRITE = flags.DEFINE_boolean("write", False, "Store the numbers as the baseline.")

NO_LPIPS = [
    f"--config.{stage}.weights.lpips_{render}=0"
    for stage in ("render", "hoi")
    for render in ("joint", "human", "object")
]
ROWS = {
    "paper, no LPIPS": ["--preset=paper", *NO_LPIPS],
    "paper, AlexNet LPIPS": ["--preset=paper"],
    "hoijax": ["--preset=hoijax"],
    "phosa": ["--preset=phosa"],
}


def one_run(options: list[str], cache: str) -> dict[str, float]:
    """Seconds (compile, fit, total, until the first step) and peak memory in GB of one process."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "experiments/reconstruct.py", f"--sample={_SAMPLE.value}", f"--out={out}"]
        began = time.perf_counter()
        with tempfile.TemporaryFile() as log:
            command += [f"--compile_cache={cache}", *options]
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=log)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall = time.perf_counter() - began
            if process.returncode:
                log.seek(0)
                sys.exit(log.read().decode()[-2000:])
        record = json.loads(next(Path(out).rglob("result.json")).read_text())
    memory = usage.ru_maxrss / 2**20
    seconds = record["seconds"]
    iou = record["metrics"]["iou_object"]["result"]
    return {"compile": seconds["compile"], "fit": seconds["fit"], "wall": wall, "memory_gb": memory, "iou_object": iou}


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def main(_: list[str]) -> None:
    measured = {}
    print(
        f"{'':22s}{'compile cold':>14s}{'compile warm':>14s}{'all steps':>11s}{'wall warm':>11s}{'peak GB':>9s}{'IoU':>7s}"
    )
    for name, options in ROWS.items():
        with tempfile.TemporaryDirectory() as cache:
            cold = one_run(options, cache)
            warm = [one_run(options, cache) for _ in range(_RUNS.value)]
        row = {key: median([run[key] for run in warm]) for key in warm[0]} | {"compile_cold": cold["compile"]}
        measured[name] = row
        print(
            f"{name:22s}{row['compile_cold']:13.1f}s{row['compile']:13.1f}s{row['fit']:10.1f}s{row['wall']:10.1f}s"
            f"{row['memory_gb']:9.2f}{row['iou_object']:7.3f}",
            flush=True,
        )
    if _WRITE.value:
        BASELINE.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    app.run(main)
