"""Everything about hoijax on an NVIDIA GPU in one run: python benchmarks/gpu.py [--gsplat_python=PATH] [--write]

--parts=A,B chooses of: `parity` (values and gradients of the XLA and the Pallas rasterizer on the GPU against the CPU
and the dense oracle, PASS or FAIL), `rasterizer` (times), `gsplat` (its CUDA kernels on the same scene, in the Python
of --gsplat_python), `fits` and `fits with VGG` (images per second of the whole preset `paper`), `precision` (TF32 and
bfloat16 products with their errors; warps of the kernel).

The scene is --sample=DIR, a folder in the Open3DHOI layout, or a built-in one. Every case runs by itself: one that fails is
reported and the next begins; what is measured so far always stands in --out. Ends with a Markdown table; --write also
stores the baseline baselines/gpu.json. Without a GPU it says so and ends, unless --allow_cpu; --small takes tiny
sizes, so that `--allow_cpu --small` runs the same code anywhere. Ends with 1 where something failed.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "")  # whatever is there, and the CPU for comparison

import jax
from gpu_cases import PARTS, Row, Setup

from hoijax.data.read import load_sample
from hoijax.data.synthetic import synthetic_sample

BASELINE = Path(__file__).resolve().parent / "baselines" / "gpu.json"


def device_facts() -> dict[str, Any]:
    """What it runs on."""
    device = jax.devices()[0]
    facts = {"device": device.device_kind, "platform": device.platform, "devices": len(jax.devices())}
    return facts | {"jax": jax.__version__, "python": platform.python_version(), "cpu cores": os.cpu_count()}


def run_case(name: str, case: Any) -> Row:
    """The row of a case; where it fails the error, and the traceback on the screen."""
    start = time.perf_counter()
    try:
        row = case()
    except Exception as error:
        traceback.print_exc()
        row = {"failed": f"{type(error).__name__}: {str(error)[:400]}"}
    row["total s"] = round(time.perf_counter() - start, 1)
    print(f"  {name}: " + ", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    return row


def save(path: Path, facts: dict[str, Any], results: dict[str, dict[str, Row]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**facts, "parts": results}, indent=1) + "\n")


def table(results: dict[str, dict[str, Row]]) -> str:
    """All rows as Markdown."""
    lines = ["| part | case | measured | verdict |", "|---|---|---|---|"]
    for part, rows in results.items():
        for name, row in rows.items():
            cells = "; ".join(f"{key} {value}" for key, value in row.items() if key != "verdict")
            lines.append(f"| {part} | {name} | {cells} | {row.get('verdict', '')} |".replace("\n", " "))
    return "\n".join(lines)


def has_failed(row: Row) -> bool:
    return row.get("verdict") == "FAIL" or any(key.endswith("failed") for key in row)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=Path, help="sample folder; a built-in scene by default")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--batches", default="", help="batch sizes, with commas; 1,8,64 (rasterizer) and 128 (fits)")
    parser.add_argument("--rasterizers", default="xla,pallas", help="xla, pallas, or both")
    parser.add_argument("--gsplat_python", default="", help="a Python that has torch and gsplat")
    parser.add_argument("--rounds", type=int, default=20, help="calls of each function")
    parser.add_argument("--out", type=Path, default=Path("out/gpu/measured.json"), help="where results go as they come")
    parser.add_argument("--allow_cpu", action="store_true", help="go on without a GPU")
    parser.add_argument("--small", action="store_true", help="tiny sizes: only to see that everything runs")
    parser.add_argument("--write", action="store_true", help="store the result as the new baseline")
    chosen = parser.parse_args()
    chosen.parts = chosen.parts.split(",")
    unknown = set(chosen.parts) - set(PARTS)
    if unknown:
        parser.error(f"--parts: no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if chosen.sample and not chosen.sample.is_dir():
        parser.error(f"--sample: {chosen.sample} is no folder")
    return chosen


def main() -> int:
    chosen = options()
    facts = device_facts()
    print(", ".join(f"{key}: {value}" for key, value in facts.items()), flush=True)
    if facts["platform"] != "gpu" and not chosen.allow_cpu:
        print("no GPU that jax can use; nothing measured (pip install 'hoijax[gpu]', or --allow_cpu)")
        return 2
    sample = load_sample(chosen.sample) if chosen.sample else synthetic_sample("box", 0)
    sizes = (
        {"size": 64, "steps": 2, "rounds": 1} if chosen.small else {"size": 256, "steps": 0, "rounds": chosen.rounds}
    )
    default = [1, 2] if chosen.small else [1, 8, 64, 128]
    batches = [int(x) for x in chosen.batches.split(",")] if chosen.batches else default
    results: dict[str, dict[str, Row]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for part in chosen.parts:
            own = batches if part.startswith("fits") else [b for b in batches if b <= 64]
            setup = Setup(
                sample=sample,
                batches=own,
                rasterizers=chosen.rasterizers.split(","),
                gsplat_python=chosen.gsplat_python,
                folder=Path(folder),
                results=results,
                **sizes,
            )
            print(f"{part}:", flush=True)
            rows = results[part] = {}
            for name, case in PARTS[part](setup):
                if chosen.only in name:
                    rows[name] = run_case(name, case)
                    save(chosen.out, facts, results)
    print("\n" + table(results))
    if chosen.write:
        save(BASELINE, facts, results)
    failed = [f"{part}: {name}" for part, rows in results.items() for name, row in rows.items() if has_failed(row)]
    print(f"\n{len(failed)} cases failed" + "".join(f"\n  {each}" for each in failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
