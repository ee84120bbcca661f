"""The tables of docs/templates.md: how often the right template is nearest on a tree of scenes, and how far it is turned.

    python docs/templates.py --library=DIR --data=TREE
    python docs/templates.py --library=DIR --data=TREE --only=turns     # in its category: from the truth and its mirror twin

The scenes' objects are those of the built-in library, some in the size of their person, a backpack's straps as worn.
"""

import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from hoijax.data.layout import find_samples
from hoijax.data.meshfile import load_any_mesh
from hoijax.data.read import load_sample
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.template_search import Match, nearest_templates
from hoijax.data.templates import Library, load_library, surface_points
from hoijax.metrics.pose import rotation_degrees, umeyama

HEAD = (
    "| scene | visible px | among all: place | IoU | first | rotation | shape | in category: IoU | rotation | shape |"
)


class Row(NamedTuple):
    """One scene. `place`: of its category among all, from 1. `rotation` in degrees, NaN where vertices do not tell.

    `shape`: chamfer distance of the turned template from the truth, both with boxes of diagonal 1, in per cent.
    """

    name: str
    seen: int
    place: int
    score: float
    first: str
    rotation: float
    shape: float
    own_score: float
    own_rotation: float
    own_shape: float


def errors(library: Library, match: Match, truth: ColoredMesh) -> tuple[float, float]:
    """Degrees from the true rotation, and the chamfer distance in per cent of the box's diagonal."""
    mesh = load_any_mesh(library.folder / match.template.file)
    degrees = float("nan")
    if len(mesh.verts) == len(truth.verts):
        degrees = rotation_degrees(match.rotation @ umeyama(mesh.verts, truth.verts).rotation.T)
    first = _normal(np.asarray(surface_points(mesh), np.float64) @ match.rotation.T)
    second = _normal(np.asarray(surface_points(truth), np.float64))
    gaps = cKDTree(first).query(second)[0].mean() + cKDTree(second).query(first)[0].mean()
    return degrees, 100 * float(gaps) / 2


def _normal(points: Float[np.ndarray, "p 3"]) -> Float[np.ndarray, "p 3"]:
    """About the middle of their box, whose diagonal is made 1."""
    low, high = points.min(0), points.max(0)
    return (points - (low + high) / 2) / np.linalg.norm(high - low)


def measured(library: Library, sample: Sample) -> Row:
    """One scene, among all templates and in its category."""
    assert sample.truth is not None
    truth = sample.truth
    count = len(library.templates)
    everything = nearest_templates(library, None, sample.object_mask, count, sample.human_mask).matches
    own = nearest_templates(library, sample.category, sample.object_mask, 1, sample.human_mask).matches[0]
    categories = [match.template.category for match in everything]
    place = categories.index(str(sample.category)) + 1 if sample.category in categories else 0
    best = everything[0]
    seen = int(sample.object_mask.sum())
    return Row(
        *(sample.name, seen, place, best.score, best.template.name),
        *errors(library, best, truth),
        own.score,
        *errors(library, own, truth),
    )


def turns(library: Library, tree: str) -> None:
    """Degrees from the true rotation R and from its twin diag(1, 1, -1) R diag(-1, 1, 1).

    From afar the twin shows the same outline if the object's left and right are alike in its own frame.
    """
    found = []
    for folder in find_samples(tree):
        sample = load_sample(folder)
        assert sample.truth is not None
        best = nearest_templates(library, sample.category, sample.object_mask, 1, sample.human_mask).matches[0]
        mesh = load_any_mesh(library.folder / best.template.file)
        if len(mesh.verts) == len(sample.truth.verts):
            true = umeyama(mesh.verts, sample.truth.verts).rotation
            twin = np.diag([1.0, 1, -1]) @ true @ np.diag([-1.0, 1, 1])
            found.append([rotation_degrees(best.rotation @ turn.T) for turn in (true, twin)])
            print(
                f"{sample.name}: {found[-1][0]:.0f} degrees from the truth, {found[-1][1]:.0f} from its twin",
                flush=True,
            )
    own, either = np.array(found)[:, 0], np.array(found).min(1)
    print(f"{len(own)} scenes; within 30 degrees {(own < 30).sum()}, of it or its twin {(either < 30).sum()}; ", end="")
    print(f"medians {np.median(own):.0f} and {np.median(either):.0f}")


def main(argv: list[str]) -> None:
    given = dict(argument.removeprefix("--").split("=", 1) for argument in argv[1:])
    library = load_library(Path(given["library"]))
    if given.get("only") == "turns":
        turns(library, given["data"])
        return
    rows = []
    start = time.perf_counter()
    print(HEAD)
    print("|---" * HEAD.count(" | ") + "|---|")
    for folder in find_samples(given["data"]):
        rows.append(measured(library, load_sample(folder)))
        row = rows[-1]
        print(
            f"| {row.name} | {row.seen} | {row.place} | {row.score:.2f} | {row.first} | {row.rotation:.0f} "
            f"| {row.shape:.1f} | {row.own_score:.2f} | {row.own_rotation:.0f} | {row.own_shape:.1f} |",
            flush=True,
        )
    places = np.array([row.place for row in rows])
    turned = np.array([row.own_rotation for row in rows])
    shapes = np.array([row.own_shape for row in rows])
    known = turned[np.isfinite(turned)]
    print(
        f"\nright category first {(places == 1).sum()}, in the first three {((places > 0) & (places <= 3)).sum()}, ",
        end="",
    )
    print(f"in the first five {((places > 0) & (places <= 5)).sum()} of {len(rows)}; ", end="")
    print(
        f"in its category: within 20 degrees {(known < 20).sum()}, 45 degrees {(known < 45).sum()} of {len(known)}, ",
        end="",
    )
    print(
        f"median {np.median(known):.0f}; shape under 2 % {(shapes < 2).sum()}, median {np.median(shapes):.1f} %; ",
        end="",
    )
    print(f"{(time.perf_counter() - start) / len(rows):.1f} s a scene")


if __name__ == "__main__":
    main(sys.argv)
