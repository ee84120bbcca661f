"""People found in real photographs, and the geometry of the detector and of its squares."""

import cv2
import numpy as np
import pytest

from hoijax.photo.detector import SIDE, anchors, decoded, letterboxed, merged, overlaps
from hoijax.photo.landmarks import LANDMARKS, Square, cropped, from_square, on_photo, person_square, refined
from hoijax.photo.models import Models, PhotoError
from hoijax.photo.people import Person, people, the_person

# Of the woman in the photograph, drawn by hand: without the helmet beside her, the ring of the suit and the gloves are hers.
OUTLINE = [
    *(
        (190, 18),
        (228, 14),
        (268, 25),
        (292, 50),
        (302, 85),
        (294, 115),
        (278, 132),
        (262, 150),
        (262, 163),
        (288, 190),
    ),
    *((304, 225), (306, 238), (338, 268), (355, 300), (360, 350), (335, 365), (305, 385), (285, 420), (280, 470)),
    *((285, 511), (22, 511), (20, 450), (24, 380), (30, 310), (50, 262), (80, 232), (112, 212), (116, 190), (130, 165)),
    *((160, 152), (184, 150), (182, 132), (160, 110), (153, 80), (160, 45)),
]


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_the_astronaut_is_found(collins: Person) -> None:
    by_hand = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(by_hand, [np.array(OUTLINE)], 1)
    assert iou(collins.mask, by_hand > 0) > 0.93
    # Her face, by hand. The square is 1300 px wide for a whole person, of which the network sees 256: mouths are rough.
    face = {
        "nose": (225, 126, 10),
        "left eye": (246, 103, 10),
        "right eye": (203, 101, 10),
        "mouth left": (244, 141, 22),
    }
    for name, (x, y, within) in face.items():
        assert np.linalg.norm(collins.landmarks_px[LANDMARKS.index(name)] - (x, y)) < within, name
    unseen = [LANDMARKS.index(f"{side} {name}") for side in ("left", "right") for name in ("knee", "ankle", "heel")]
    assert (collins.visibility[unseen] == 0).all()  # below the picture's edge
    assert (collins.visibility[:11] > 0.9).all()
    up = collins.world[LANDMARKS.index("nose")] - collins.world[LANDMARKS.index("left hip")]
    assert up[1] < -0.4  # metres; y points down


def test_a_mirrored_photograph_gives_the_mirrored_person(
    astronaut: np.ndarray, collins: Person, models: Models
) -> None:
    (other,) = people(np.ascontiguousarray(astronaut[:, ::-1]), models)
    assert iou(other.mask[:, ::-1], collins.mask) > 0.95
    left, right = LANDMARKS.index("left shoulder"), LANDMARKS.index("right shoulder")
    assert abs(512 - other.landmarks_px[left, 0] - collins.landmarks_px[right, 0]) < 12


@pytest.mark.parametrize("factor", [0.4, 3.0])
def test_the_size_of_the_photograph_does_not_matter(
    astronaut: np.ndarray, collins: Person, models: Models, factor: float
) -> None:
    (other,) = people(cv2.resize(astronaut, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), models)
    seen = collins.visibility > 0.5
    assert np.abs(other.landmarks_px / factor - collins.landmarks_px)[seen].max() < 15


def test_nobody_in_a_picture_of_coffee(models: Models) -> None:
    from skimage import data

    found = people(data.coffee(), models)
    with pytest.raises(PhotoError, match="no person was found"):
        the_person(found)


def test_two_people_are_both_found_and_one_must_be_chosen(astronaut: np.ndarray, models: Models) -> None:
    found = people(np.concatenate([astronaut, astronaut], 1), models)
    assert len(found) == 2
    with pytest.raises(PhotoError, match="2 people were found, expected one; say which by a box"):
        the_person(found)
    right = the_person(found, np.array([530.0, 10.0, 900.0, 512.0]))
    assert right.landmarks_px[0, 0] > 512
    with pytest.raises(PhotoError, match="no person was found in the box"):
        the_person(found, np.array([0.0, 0.0, 20.0, 20.0]))


def test_a_tiny_photograph_is_refused(astronaut: np.ndarray, models: Models) -> None:
    with pytest.raises(PhotoError, match="40 x 40 pixels, expected 64"):
        people(cv2.resize(astronaut, (40, 40)), models)


def test_black_has_nobody(models: Models) -> None:
    assert people(np.zeros((300, 200, 3), np.uint8), models) == []


def test_anchors_fill_three_grids() -> None:
    places = anchors()
    assert len(places) == 2 * 28**2 + 2 * 14**2 + 6 * 7**2
    assert np.allclose(places[0], 0.5 / 28)
    assert np.allclose(places[2], [1.5 / 28, 0.5 / 28])  # x runs first
    assert np.allclose(places[-1], 6.5 / 7)


def test_offsets_are_decoded_in_pixels_from_the_anchor() -> None:
    raw = np.zeros((2254, 12), np.float32)
    raw[7] = [11.2, -22.4, 44.8, 22.4, 0, 112, 0, -112, 0, 0, 0, 0]
    x, y = anchors()[7]
    assert np.allclose(decoded(raw)[7], [x - 0.05, y - 0.15, x + 0.15, y - 0.05, x, y + 0.5, x, y - 0.5], atol=1e-6)


def test_detections_that_overlap_become_their_weighted_mean() -> None:
    box = np.array([0.2, 0.2, 0.4, 0.4, 0.3, 0.6, 0.3, 0.1])
    far = box + 0.5
    found = merged(np.stack([box, box + 0.02, far, box]), np.array([0.9, 0.6, 0.7, 0.4]))
    assert [score for score, _ in found] == [0.9, 0.7]
    assert np.allclose(found[0][1], box + 0.02 * 0.6 / 1.5)  # the last is too weak to count
    assert np.allclose(found[1][1], far)


def test_overlap_is_intersection_over_union() -> None:
    boxes = np.array([[0.0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 6, 6], [1, 1, 1, 1]])
    assert np.allclose(overlaps(boxes[0], boxes), [1, 1 / 7, 0, 0])


def test_a_letterbox_keeps_the_shape() -> None:
    small, scale, offset = letterboxed(np.full((100, 400, 3), 9, np.uint8))
    assert small.shape == (SIDE, SIDE, 3)
    assert (small[84:140] == 9).all()
    assert (small[:84] == 0).all()
    assert np.allclose(np.array([400.0, 100.0]) * scale + offset, [224, 140])


def test_a_square_stands_on_the_hips_and_turns_with_the_body() -> None:
    upright = person_square(np.array([10.0, 20.0]), np.array([10.0, 0.0]))
    assert upright.side == pytest.approx(50)
    assert upright.turn == pytest.approx(0)
    lying = person_square(np.array([10.0, 20.0]), np.array([30.0, 20.0]))  # the head to the right
    assert lying.turn == pytest.approx(np.pi / 2)
    assert np.allclose(from_square(np.array([[0.5, 0.1]]), lying), [[30, 20]])  # above the middle of the square


def test_a_crop_and_its_way_back_are_inverse() -> None:
    y, x = np.mgrid[:200, :300]
    photo = np.stack([x * 0.8, y, 0 * x], -1).astype(np.uint8)
    square = Square(np.array([150.0, 90.0]), 120.0, 0.4)
    window = cropped(photo, square).astype(np.float64)
    rows, columns = np.mgrid[10:246:7, 10:246:7]
    local = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], 1) / 256
    there = from_square(local, square)
    assert np.abs(window[rows.ravel(), columns.ravel(), 1] - (there[:, 1] - 0.5)).max() < 1.5
    assert np.abs(window[rows.ravel(), columns.ravel(), 0] - 0.8 * (there[:, 0] - 0.5)).max() < 1.5
    back = on_photo(window[..., 1], square, (200, 300))
    inner = np.hypot(x - 150, y - 90) < 50
    assert np.abs(back - y)[inner].max() < 1.5
    assert back[0, 0] == 0


def test_a_landmark_moves_to_the_heat_about_it() -> None:
    local, heat = np.full((33, 2), 0.5), np.zeros((64, 64, 33))
    heat[34, 30, 0] = 0.9
    heat[34, 30, 1] = 0.3  # too cool to count
    heat[50, 50, 2] = 0.9  # too far
    moved = refined(local, heat)
    assert np.allclose(moved[0], [30 / 64, 34 / 64])
    assert np.allclose(moved[1:], 0.5)
