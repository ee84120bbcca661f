"""Objects cut out of a box, on pictures whose masks are known."""

import cv2
import numpy as np
import pytest

from hoijax.data.synthetic import synthetic_sample
from hoijax.photo.box_mask import box_mask
from hoijax.photo.models import Models, PhotoError
from hoijax.photo.people import people

BOX = np.array([55.0, 35.0, 145.0, 125.0])


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def ring(arm: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photograph of a blue ring on grey, its mask, and a person's mask: a green figure that reaches into the box."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:160, :200]
    distance = np.hypot(x - 99.5, y - 79.5)
    mask, person = (distance < 40) & (distance > 18), np.zeros((160, 200), bool)
    photo = rng.normal(120, 6, (160, 200, 3))
    photo[mask] = rng.normal((40, 60, 190), 6, (int(mask.sum()), 3))
    if arm:
        person[60:70, :90] = True
        person[20:150, :30] = True
        mask = mask & ~person
        photo[person] = rng.normal((40, 160, 60), 6, (int(person.sum()), 3))
    return photo.clip(0, 255).astype(np.uint8), mask, person


def test_a_ring_keeps_its_hole() -> None:
    photo, mask, _ = ring()
    found = box_mask(photo, BOX)
    assert iou(found, mask) > 0.97
    assert not found[80, 100]


def test_the_arm_in_front_is_not_the_object() -> None:
    photo, mask, person = ring(arm=True)
    found = box_mask(photo, BOX, person.astype(np.float64))
    assert iou(found, mask) > 0.95
    assert not (found & person).any()


def test_a_person_mask_that_swallowed_the_object_does_not_hide_it() -> None:
    photo, mask, person = ring(arm=True)
    found = box_mask(photo, BOX, (person | cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) > 0).astype(np.float64))
    assert iou(found, mask) > 0.95


def test_clicks_decide() -> None:
    photo, mask, _ = ring()
    photo[110:122, 60:72] = (40, 60, 190)  # an island in the box, in the object's colour
    assert not box_mask(photo, BOX)[115, 65] or iou(box_mask(photo, BOX), mask) < 0.99
    found = box_mask(photo, BOX, on=np.array([[100.0, 80.0]]), off=np.array([[66.0, 116.0]]))
    assert found[80, 100]
    assert not found[116, 66]
    with pytest.raises(PhotoError, match="lies off the photograph"):
        box_mask(photo, BOX, on=np.array([[300.0, 80.0]]))


def test_small_islands_are_removed() -> None:
    photo, _, _ = ring()
    photo[112:116, 60:64] = (40, 60, 190)
    assert not box_mask(photo, BOX)[110:118, 58:66].any()


def test_the_same_twice() -> None:
    photo, _, _ = ring()
    assert (box_mask(photo, BOX) == box_mask(photo, BOX)).all()


@pytest.mark.parametrize("box", [(50.0, 50.0, 50.0, 90.0), (300.0, 20.0, 400.0, 90.0), (90.0, 90.0, 50.0, 50.0)])
def test_a_box_without_area(box: tuple[float, ...]) -> None:
    with pytest.raises(PhotoError, match="has no area on a photograph of 200 x 160 pixels"):
        box_mask(ring()[0], np.array(box))


def test_nothing_in_the_box() -> None:
    photo, _, _ = ring()
    off = np.stack(np.meshgrid(np.arange(56, 145), np.arange(36, 125)), -1).reshape(-1, 2).astype(np.float64)
    with pytest.raises(PhotoError, match="no object came out of the box"):
        box_mask(photo, BOX, off=off)


@pytest.mark.slow
def test_a_built_in_scene_end_to_end(models: Models) -> None:
    sample = synthetic_sample("ball", 0)
    (person,) = people(sample.image, models)
    assert iou(person.mask, sample.human_mask) > 0.85
    rows, columns = np.nonzero(sample.object_mask)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float64)
    assert iou(box_mask(sample.image, box, person.soft_mask), sample.object_mask) > 0.8
