"""Strokes of brush and eraser on masks, and the masks that come of them; the same pixels as brush.js paints.

The rule: a pixel belongs to a stroke when its centre lies within `radius` of the stroke's polyline. Comparisons are made
without a division, so that Python and JavaScript, which round alike, agree on every pixel.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool

MASKS = ("human", "object")
MOST_POINTS = 2000
LARGEST_RADIUS = 2048.0  # pixels
FARTHEST = 65536.0  # pixels from the image's corner: farther, a point comes of no mouse
GRID = 8  # points and radii are multiples of 1 / GRID pixels: short in the store, exact in both languages


class Stroke(NamedTuple):
    """One movement of the mouse. `points`: x, y in the image's pixels (the corner of the first is 0, 0); they may lie
    outside of the image. `mask` is one of MASKS."""

    mask: str
    erase: bool
    radius: float
    points: tuple[tuple[float, float], ...]


def checked_stroke(value: Any) -> Stroke:
    """A stroke from what a browser or a store says. Raises ValueError that says what is wrong with it."""
    if not isinstance(value, Mapping):
        raise ValueError(f"a stroke is {type(value).__name__}, expected mask, erase, radius and points")
    mask, erase, points = value.get("mask"), value.get("erase"), value.get("points")
    if mask not in MASKS or not isinstance(erase, bool):
        raise ValueError(
            f"a stroke on {mask!r} (erase {erase!r}), expected one of {', '.join(MASKS)} and true or false"
        )
    radius = _number(value.get("radius"), "radius")
    if not 0 < radius <= LARGEST_RADIUS:
        raise ValueError(f"a stroke of radius {radius:g} px, expected more than 0 and at most {LARGEST_RADIUS:g}")
    if not isinstance(points, Sequence) or isinstance(points, str) or not 1 <= len(points) <= MOST_POINTS:
        count = len(points) if isinstance(points, Sequence) else "no"
        raise ValueError(f"a stroke of {count} points, expected a list of 1 to {MOST_POINTS}")
    return Stroke(str(mask), erase, radius, tuple(_point(point) for point in points))


def margin_of(h: int, w: int) -> int:
    """Pixels of canvas beyond each edge of an image: a quarter of its longer side."""
    return math.ceil(max(h, w) / 4)


def corrected(
    mask: Bool[np.ndarray, "h w"], strokes: Sequence[Stroke], margin: int, name: str = "object"
) -> Bool[np.ndarray, "a b"]:
    """The mask after the strokes that go to the mask of this name, with `margin` pixels more at each edge."""
    wide = np.pad(mask, margin)
    for stroke in strokes:
        if stroke.mask == name:
            _paint(wide, stroke, margin)
    return wide


def cropped(wide: Bool[np.ndarray, "a b"], margin: int) -> Bool[np.ndarray, "h w"]:
    """What of a wide mask lies in the image."""
    return wide[margin : wide.shape[0] - margin, margin : wide.shape[1] - margin]


def _paint(wide: Bool[np.ndarray, "a b"], stroke: Stroke, margin: int) -> None:
    """Paints in place, a segment after the other; of one point, a disc."""
    points = stroke.points if len(stroke.points) > 1 else stroke.points * 2
    for (ax, ay), (bx, by) in pairwise(points):
        reach = stroke.radius + 1
        left, right = _span(min(ax, bx) - reach, max(ax, bx) + reach, margin, wide.shape[1])
        top, bottom = _span(min(ay, by) - reach, max(ay, by) + reach, margin, wide.shape[0])
        if left < right and top < bottom:
            x = np.arange(left, right) - margin + 0.5
            y = (np.arange(top, bottom) - margin + 0.5)[:, None]
            wide[top:bottom, left:right][_near(x, y, (ax, ay), (bx, by), stroke.radius)] = not stroke.erase


def _near(
    x: np.ndarray, y: np.ndarray, a: tuple[float, float], b: tuple[float, float], radius: float
) -> Bool[np.ndarray, "p q"]:
    """|p - s| <= radius, s the point of the segment a b nearest to p: its ends where p lies before a or beyond b, else
    the foot of the perpendicular, whose length is |d x (p - a)| / |d|."""
    (ax, ay), (bx, by) = a, b
    dx, dy = bx - ax, by - ay
    px, py = x - ax, y - ay
    along, length = px * dx + py * dy, dx * dx + dy * dy
    cross = px * dy - py * dx
    square = radius * radius
    from_a, from_b = px * px + py * py, (x - bx) * (x - bx) + (y - by) * (y - by)
    beside = (along > 0) & (along < length) & (cross * cross <= square * length)
    return beside | ((along <= 0) & (from_a <= square)) | ((along >= length) & (from_b <= square))


def _span(low: float, high: float, margin: int, size: int) -> tuple[int, int]:
    """Rows or columns of the wide mask that may lie between two coordinates of the image."""
    return max(0, math.floor(low) + margin), min(size, math.ceil(high) + margin)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= FARTHEST:
        raise ValueError(f"a stroke's {name} is {str(value)[:40]}, expected a number of at most {FARTHEST:g}")
    return round(float(value) * GRID) / GRID


def _point(value: Any) -> tuple[float, float]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise ValueError(f"a stroke's point is {str(value)[:40]!r}, expected x, y")
    return _number(value[0], "x"), _number(value[1], "y")
