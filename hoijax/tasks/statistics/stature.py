"""How tall a person would stand, from a mesh in any pose."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from hoijax.body.builtin import builtin_body
from hoijax.body.parts import PART_NAMES, body_parts

# The chain from the head to the feet: the distance of each pair's centres changes little with the pose.
CHAIN = (
    (("head",), ("neck",)),
    (("neck",), ("torso", "back")),
    (("torso", "back"), ("bottom", "left hip", "right hip")),
)
LEG = ("hip", "knee", "foot")


class Stature(NamedTuple):
    """Height of a standing body over the length of its chain of part centres, learned from one body."""

    factor: float

    def height(
        self, verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], parts: Int[np.ndarray, " v"]
    ) -> float:
        """Metres; NaN for a mesh that lacks a part of the chain."""
        return self.factor * chain_length(verts, faces, parts)


def init_stature() -> Stature:
    """Learned from the built-in body, at rest and of mean shape."""
    body = builtin_body()
    verts = np.asarray(body.template, np.float64)
    length = chain_length(verts, np.asarray(body.faces), body_parts(body))
    return Stature(float(np.ptp(verts[:, 1])) / length)


def chain_length(verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], parts: Int[np.ndarray, " v"]) -> float:
    """Sum of the distances along the trunk, and the mean of both legs. NaN where a part has no area."""
    corners = verts[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=-1)
    weight = np.bincount(faces.ravel(), np.repeat(area, 3), minlength=len(verts))

    def center(names: tuple[str, ...]) -> Float[np.ndarray, "3"]:
        own = np.isin(parts, [PART_NAMES.index(name) for name in names])
        total = weight[own].sum()
        return (weight[own] @ verts[own]) / total if total > 0 else np.full(3, np.nan)

    def length(upper: tuple[str, ...], lower: tuple[str, ...]) -> float:
        return float(np.linalg.norm(center(upper) - center(lower)))

    legs = [length((f"{side} {a}",), (f"{side} {b}",)) for side in ("left", "right") for a, b in pairwise(LEG)]
    return sum(length(*pair) for pair in CHAIN) + sum(legs) / 2
