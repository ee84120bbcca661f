"""Strokes: which pixels they cover, in the image and beyond it, and what is refused."""

import math
from itertools import pairwise

import numpy as np
import pytest

from hoijax.annotate.filter.masks import MOST_POINTS, Stroke, checked_stroke, corrected, cropped, margin_of


def by_the_rule(h: int, w: int, margin: int, stroke: Stroke) -> np.ndarray:
    """Each pixel asked alone, by the plain distance; for coordinates where no pixel lies on the edge."""
    out = np.zeros((h + 2 * margin, w + 2 * margin), bool)
    points = stroke.points if len(stroke.points) > 1 else stroke.points * 2
    for row, column in np.ndindex(*out.shape):
        p = np.array([column - margin + 0.5, row - margin + 0.5])
        for a, b in pairwise(np.array(points)):
            length = float((b - a) @ (b - a))
            t = min(max(float((p - a) @ (b - a)) / length, 0.0), 1.0) if length else 0.0
            out[row, column] |= math.dist(p, a + t * (b - a)) <= stroke.radius
    return out


@pytest.mark.parametrize("seed", range(4))
def test_a_pixel_belongs_to_the_stroke_that_comes_within_its_radius(seed: int) -> None:
    random = np.random.default_rng(seed)
    points = tuple((float(x), float(y)) for x, y in np.round(random.uniform(-12, 40, (5, 2)) * 8) / 8)
    stroke = Stroke("object", False, float(np.round(random.uniform(0.5, 6) * 8) / 8) + 0.0625, points)
    found = corrected(np.zeros((20, 30), bool), [stroke], 9)
    assert found.any()
    np.testing.assert_array_equal(found, by_the_rule(20, 30, 9, stroke))


def test_a_click_is_a_disc_and_its_edge_belongs_to_it() -> None:
    found = corrected(np.zeros((9, 9), bool), [Stroke("human", False, 2.0, ((4.5, 4.5),))], 0, "human")
    assert found[4].tolist() == [False, False, True, True, True, True, True, False, False]
    assert found.sum() == 13


def test_later_strokes_win_and_go_to_their_own_mask_only() -> None:
    mask = np.zeros((10, 10), bool)
    add, wipe = Stroke("object", False, 3.0, ((5.0, 5.0),)), Stroke("object", True, 1.0, ((5.0, 5.0),))
    both = corrected(mask, [add, wipe], 0)
    assert not both[4:6, 4:6].any()
    assert both[5, 2]
    assert corrected(mask, [wipe, add], 0)[4:6, 4:6].all()
    assert not corrected(mask, [add, wipe], 0, "human").any()


def test_what_is_painted_beyond_the_image_stays_in_the_margin() -> None:
    mask = np.zeros((40, 60), bool)
    margin = margin_of(40, 60)
    assert margin == 15
    wide = corrected(mask, [Stroke("object", False, 4.0, ((-10.0, 20.0), (3.0, 20.0)))], margin)
    assert wide.shape == (70, 90)
    assert wide[margin + 20, margin - 10]
    inside = cropped(wide, margin)
    assert inside.shape == mask.shape
    assert inside[:, :7].any()
    assert not inside[:, 8:].any()
    far = corrected(mask, [Stroke("object", False, 4.0, ((-500.0, 20.0), (-400.0, 20.0)))], margin)
    assert not far.any()


GOOD = {"mask": "object", "erase": False, "radius": 3.5, "points": [[1, 2], [3.25, -4]]}


def test_a_good_stroke_is_read() -> None:
    assert checked_stroke(GOOD) == Stroke("object", False, 3.5, ((1.0, 2.0), (3.25, -4.0)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mask": "../human"}, "expected one of human, object"),
        ({"erase": 1}, "true or false"),
        ({"radius": math.nan}, "radius is nan"),
        ({"radius": 0.0}, "of radius 0 px"),
        ({"radius": 1e4}, "at most 2048"),
        ({"radius": None}, "radius is None"),
        ({"points": []}, "0 points"),
        ({"points": [[0, 0]] * (MOST_POINTS + 1)}, f"1 to {MOST_POINTS}"),
        ({"points": "ab"}, "points"),
        ({"points": [[0, math.inf]]}, "y is inf"),
        ({"points": [[0, 1e9]]}, "y is 1000000000"),
        ({"points": [[0, 1, 2]]}, "expected x, y"),
        ({"points": [[True, 1]]}, "x is True"),
        ({"points": [7]}, "expected x, y"),
    ],
)
def test_what_is_no_stroke_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("[", r"\[")):
        checked_stroke({**GOOD, **change})
    with pytest.raises(ValueError):
        checked_stroke([GOOD])
