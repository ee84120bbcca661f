"""Times of the way from a bare photograph to a start: python benchmarks/photo.py [--write]

The astronaut of scikit-image (extra `test`), 512 px, with a ball for her helmet. Prints, in seconds, how long it takes to
load the networks and fit the first body, compilation included (no cache is used), then the median of three calls of each
part beside its baseline in baselines/photo.json; --write stores a new one.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np
import skimage.data
import trimesh

from hoijax.body.builtin import builtin_body
from hoijax.coarse.place import CoarseOptions
from hoijax.coarse.without_depth import placement_without_depth
from hoijax.photo.box_mask import box_mask
from hoijax.photo.models import load_models
from hoijax.photo.people import people
from hoijax.photo.person_body import fit_body

BASELINE = Path(__file__).parent / "baselines" / "photo.json"
HELMET = np.array([277.0, 343.0, 512.0, 512.0])  # left, top, right, bottom


def cases() -> dict[str, Callable[[], Any]]:
    """Name -> what to time; each is given what the ones before it find."""
    image, models, body = skimage.data.astronaut(), load_models(), builtin_body()
    person = people(image, models)[0]
    helmet = box_mask(image, HELMET, person.soft_mask)
    fitted = fit_body(body, person, hidden=helmet)
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.165)
    meshes = fitted.verts, np.asarray(body.faces), np.asarray(ball.vertices), np.asarray(ball.faces), fitted.camera

    def start(rotation: str) -> Any:
        options = CoarseOptions(rotation=rotation)
        return placement_without_depth(*meshes, person.mask & ~helmet, helmet, None, options)

    return {
        "people": lambda: people(image, models),
        "box mask": lambda: box_mask(image, HELMET, person.soft_mask),
        "body": lambda: fit_body(body, person, hidden=helmet),
        "start, rotation given": lambda: start("given"),
        "start, rotation searched": lambda: start("search"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="store these times as the baseline")
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    write, times = parser.parse_args().write, {}
    began = time.perf_counter()
    found = cases()
    print(f"{'networks, first body':26} {time.perf_counter() - began:8.3f} s, compilation in it", flush=True)
    for name, case in found.items():
        case()
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            case()
            seconds.append(time.perf_counter() - start)
        times[name] = round(statistics.median(seconds), 3)
        print(f"{name:26} {times[name]:8.3f} s   baseline {baseline.get(name, float('nan')):8.3f} s", flush=True)
    if write:
        BASELINE.write_text(json.dumps(times, indent=2) + "\n")


if __name__ == "__main__":
    main()
