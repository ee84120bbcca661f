"""The benchmark for GPUs runs where there is none: the same code, tiny, the kernel interpreted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def run(out: Path, *flags: str) -> tuple[subprocess.CompletedProcess, dict]:
    """The program on the CPU, and what it left."""
    command = [sys.executable, "benchmarks/gpu.py", f"--out={out}", *flags]
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    return done, json.loads(out.read_text())["parts"] if out.exists() else {}


def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    done, parts = run(tmp_path / "measured.json")
    assert done.returncode == 2
    assert "no GPU that jax can use" in done.stdout
    assert not parts


@pytest.mark.slow
def test_a_case_that_fails_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    """A Python without gsplat fails its part; the part behind it runs."""
    flags = ("--allow_cpu", "--small", "--batches=2", "--parts=parity,gsplat,rasterizer", "--only=a")
    done, parts = run(tmp_path / "measured.json", *flags, f"--gsplat_python={sys.executable}")
    assert done.returncode == 1, done.stderr
    assert list(parts) == ["parity", "gsplat", "rasterizer"]
    assert len(parts["parity"]) == 5
    assert {row["verdict"] for row in parts["parity"].values()} == {"PASS"}
    assert "gsplat" in parts["gsplat"]["late"]["failed"]
    times = parts["rasterizer"]["late, batch 2, forward + backward"]
    assert times["xla ms"] > 0
    assert times["pallas ms"] > 0
    assert "xla / pallas" in times
    assert "1 cases failed\n  gsplat: late" in done.stdout
    assert "| parity | small scene, device, pallas, against the oracle |" in done.stdout


@pytest.mark.slow
def test_fits_and_precision_run(tmp_path: Path) -> None:
    flags = ("--allow_cpu", "--small", "--batches=2", "--parts=fits,precision", "--only=pallas")
    done, parts = run(tmp_path / "measured.json", *flags)
    assert done.returncode == 0, done.stderr
    (fit,) = parts["fits"].values()
    assert fit["images/s"] > 0
    assert fit["steps"] == 4
    assert {row["verdict"] for row in parts["precision"].values()} == {"allowed"}
    assert len(parts["precision"]) == 3
