"""experiments/dataset_run.py itself on a cluster, with work that takes a moment: a result that is copied, not computed.

    python tests/dataset/light_cluster_run.py PATTERN SECONDS --data=... --out=... --engine=ray

Everything else is real: nodes, actors, ledger, and folders that appear whole.
"""

import os
import shutil
import sys
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "experiments")]

import dataset_run
from absl import app

from hoijax.data.atomic import new_folder
from hoijax.dataset.cluster import RayCrew
from hoijax.dataset.tasks import Give, Outcome, Settings, Stopped, Take, Task


def light_work(settings: Settings, take: Take, give: Give, pattern: Path, seconds: float) -> None:
    try:
        while True:
            if task := take(None):
                give([copied(task, settings, pattern, seconds)])
    except Stopped:
        return


def copied(task: Task, settings: Settings, pattern: Path, seconds: float) -> Outcome:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if cores != 1:
        raise RuntimeError(f"a worker has {cores} cores")
    if not settings.overwrite and (task.out / "result.json").is_file():
        return Outcome(task.name, "done")
    with new_folder(task.out, settings.overwrite) as part:
        for file in sorted(pattern.iterdir()):
            shutil.copyfile(file, part / file.name)
            time.sleep(seconds / len(list(pattern.iterdir())))
    return Outcome(task.name, "done", seconds={"write": seconds})


if __name__ == "__main__":
    pattern, seconds = Path(sys.argv.pop(1)), float(sys.argv.pop(1))
    dataset_run.RayCrew = partial(RayCrew, work=partial(light_work, pattern=pattern, seconds=seconds))
    dataset_run.config_flags.define()
    app.run(dataset_run.main)
