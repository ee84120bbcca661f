"""A floor for the table: a cloud is given the words of the labelled cloud that it is most like. No learning, no language.

Four groups of numbers tell a cloud, each invariant to turns about the vertical: the object's shape (D2: the distances of
random pairs of its points, Osada et al., Shape Distributions, TOG 2002), its size beside the person, the person's
layout (heights and distances from the body's axis), and where the object is relative to the person.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from hoijax.tasks.understanding.clouds import Cloud
from hoijax.tasks.understanding.prompts import Question

PAIRS = 4096
BINS = 24
QUANTILES = np.linspace(0.05, 0.95, 10)
# How much each group counts in the distance; all of its numbers together.
WEIGHTS = {"shape": 1.0, "size": 1.0, "pose": 1.0, "place": 1.0}


class Reference(NamedTuple):
    """Labelled clouds: their names, words and numbers, the latter by group."""

    names: tuple[str, ...]
    objects: tuple[str, ...]
    actions: tuple[str, ...]
    features: Mapping[str, Float[np.ndarray, "n d"]]


def features(cloud: Cloud, up: int, seed: int = 0) -> dict[str, Float[np.ndarray, " d"]]:
    """The four groups of numbers of a cloud. `up`: the axis that points upwards, 1 or 2."""
    rng = np.random.default_rng(seed)
    xyz = np.asarray(cloud.points[:, :3], np.float64)
    person, thing = xyz[: cloud.human], xyz[cloud.human :]
    flat = [axis for axis in range(3) if axis != up]
    size = np.linalg.norm(person - person.mean(0), axis=1).mean()  # as long as the person is, whatever their pose
    d2 = np.linalg.norm(thing[rng.integers(0, len(thing), PAIRS)] - thing[rng.integers(0, len(thing), PAIRS)], axis=1)
    histogram = np.histogram(d2 / max(d2.mean(), 1e-9), BINS, (0.0, 3.0))[0] / PAIRS
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov((thing - thing.mean(0)).T)), 1e-12))
    middle = person.mean(0)
    heights, axial = person[:, up] - middle[up], np.linalg.norm((person - middle)[:, flat], axis=1)
    apart = thing - middle
    gap, _ = cKDTree(person).query(thing)
    return {
        "shape": histogram,
        "size": np.log(np.concatenate([spread, [d2.mean()]]) / size),
        "pose": np.concatenate([np.quantile(heights, QUANTILES), np.quantile(axial, QUANTILES)]) / size,
        "place": np.concatenate(
            [
                np.quantile(apart[:, up], QUANTILES[::3]),
                np.quantile(np.linalg.norm(apart[:, flat], axis=1), QUANTILES[::3]),
                np.quantile(gap, QUANTILES[::3]),
            ]
        )
        / size,
    }


def reference(
    names: Sequence[str],
    objects: Sequence[str],
    actions: Sequence[str],
    every: Sequence[Mapping[str, Float[np.ndarray, " d"]]],
) -> Reference:
    """Gathers labelled clouds' numbers."""
    gathered = {group: np.stack([numbers[group] for numbers in every]) for group in WEIGHTS}
    return Reference(tuple(names), tuple(objects), tuple(actions), gathered)


def distances(known: Reference, found: Mapping[str, Float[np.ndarray, " d"]]) -> Float[np.ndarray, " n"]:
    """Of a cloud to each of the reference: groups weigh alike, each number by its spread over the reference."""
    total = np.zeros(len(known.names))
    for group, weight in WEIGHTS.items():
        values = known.features[group]
        scale = np.maximum(values.std(0), 1e-6 + 0.05 * values.std())
        total += weight * (((values - found[group]) / scale) ** 2).mean(1)
    return np.sqrt(total)


def answer(
    known: Reference,
    found: Mapping[str, Float[np.ndarray, " d"]],
    question: Question,
    told: Mapping[str, str],
    without: str | None = None,
) -> tuple[str, str]:
    """A description and an answer, in words as a language model would give them.

    `without` names a sample of the reference that is not looked at (leave one out). Where the object or action is
    told, only samples of that word are looked at, if there are any. Raises ValueError where the reference is empty.
    """
    far = distances(known, found)
    allowed = np.array([name != without for name in known.names])
    if not allowed.any():
        raise ValueError("there is no other labelled cloud to compare with")
    if question.given is not None:
        words = known.objects if question.given == "object" else known.actions
        same = allowed & np.array([word == told[question.given] for word in words])
        allowed = same if same.any() else allowed
    best = int(np.argmin(np.where(allowed, far, np.inf)))
    said = known.objects[best] if question.target == "object" else known.actions[best]
    return f"The nearest labelled cloud is {known.names[best]}, at a distance of {far[best]:.3f}.", said
