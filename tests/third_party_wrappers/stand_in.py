"""Plays a model: a real main.py under the real job loop, which does well or ill as a job's option `act` says."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def load(settings):
    import numpy as np
    from serve import photo

    print("loading", settings.checkpoint, settings.device)
    assert "PYTHONPATH" not in os.environ
    assert os.environ["HF_HUB_OFFLINE"] == os.environ["TRANSFORMERS_OFFLINE"] == "1"
    if settings.device == "broken":
        raise ImportError("No module named 'wonderful'")
    if settings.device == "asleep":
        time.sleep(600)

    def work(job):
        act = job.options["act"]
        print(f"job {job.inputs['image'].name}: {act}")
        print('{"state": "done", "log": 0}')  # a model may print anything
        size = photo(job.inputs["image"]).size[::-1]
        depth = np.full(size, 2.0, np.float32)
        if act == "crash":
            os.abort()
        if act == "exit":
            os._exit(0)
        if act == "memory":
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")
        if act == "poison":
            raise RuntimeError("CUDA error: device-side assert triggered")
        if act == "hang":
            (job.out / "depth.npy").write_bytes(b"half")
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            Path(job.options["note"]).write_text(f"{os.getpid()} {child.pid}")
            time.sleep(600)
        if act == "nothing":
            return
        if act == "half":
            np.save(job.out / "depth.npy", depth)
            whole = (job.out / "depth.npy").read_bytes()
            (job.out / "depth.npy").write_bytes(whole[: len(whole) // 2])
            return
        if act == "small":
            depth = depth[1:]
        if act == "double":
            depth = depth.astype(np.float64)
        if act == "nan":
            depth[0, 0] = np.nan
        if act == "slow":
            time.sleep(0.3)
        np.save(job.out / "depth.npy", depth * job.options["scale"])

    return work


if __name__ == "__main__":
    sys.path[0] = str(ROOT / "third_party_wrappers" / "child")
    from serve import serve

    serve(load)
