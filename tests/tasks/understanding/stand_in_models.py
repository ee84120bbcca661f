"""Plays the pythons of PointLLM and Qwen2.5: the real job loop, and answers from a look at the cloud or at the text.

The checkpoint's folder tells how it behaves: `crash` holds a part of the cloud's path at which the process dies, `fail` one
at which the job fails, `slow` the seconds that a job takes; to `loads` and `asked` a line is added for each.
"""

import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def load(settings):
    import numpy as np

    folder = settings.checkpoint
    with open(folder / "loads", "a") as file:
        file.write(MAIN.parent.name + "\n")

    def told(name):
        return (folder / name).read_text().strip() if (folder / name).is_file() else None

    def look(job):
        points = np.load(job.inputs["cloud"])
        assert points.shape == (8192, 6)
        coloured = points[points[:, 3:].any(1), :3]
        large = np.ptp(coloured[:, 0]) > 0.5
        object_word, action = ("a bench", "sitting") if large else ("cup, or a mug", "holding it")
        return [f"I see {object_word}.", object_word if "object" in json.loads(turns(job))[1].split()[:4] else action]

    def turns(job):
        return job.inputs["turns"].read_text()

    def pick(job):
        guess = json.loads(turns(job))[0].partition("guess")[2].partition("Which")[0]
        words = json.loads(job.inputs["words"].read_text())
        found = [word for word in words if word.split()[0][:3] in guess]
        return [f"**{found[0]}**" if found else "none of them"]

    def work(job):
        about = str(job.inputs.get("cloud", ""))
        with open(folder / "asked", "a") as file:
            file.write(f"{MAIN.parent.name} {about}\n")
        time.sleep(float(told("slow") or 0))
        if told("crash") and told("crash") in about:
            os.abort()
        if told("fail") and told("fail") in about:
            raise RuntimeError("this cloud confuses me")
        answers = pick(job) if MAIN.parent.name == "qwen" else look(job)
        (job.out / "answers.json").write_text(json.dumps(answers))

    return work


if __name__ == "__main__":
    MAIN = Path(sys.argv.pop(1))
    sys.path[0] = str(ROOT / "third_party_wrappers" / "child")
    from serve import serve

    serve(load)
