"""The people in a photograph: box, landmarks in the image and in metres, and mask of each."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from hoijax.photo.detector import Detection, detections, overlaps
from hoijax.photo.landmarks import Landmarks, find_landmarks, on_photo, person_square
from hoijax.photo.models import Models, PhotoError

SMALLEST = 64  # pixels of a photograph's shorter side
PRESENT = 0.5  # presence below is no person
SAME = 0.5  # two people whose boxes share more (intersection over union) are one, found twice
RIM = 0.005  # half-width of the filter that moves the mask's rim to edges of the image, in sides of the square
SMOOTH = 1e-3  # variance of grey values (in [0, 1]) under which it sees no edge


class Person(NamedTuple):
    """One person, in pixels of the photograph (h, w). `box`: left, top, right, bottom of the mask.

    `visibility` in [0, 1]: the network's word that the landmark is in the picture and seen. `world`: metres about the
    middle of the hips, axes as the camera's, scale that of an average person. `soft_mask` in [0, 1], `mask` above half.
    """

    box: Float[np.ndarray, "4"]
    score: float
    landmarks_px: Float[np.ndarray, "33 2"]
    visibility: Float[np.ndarray, "33"]
    world: Float[np.ndarray, "33 3"]
    mask: Bool[np.ndarray, "h w"]
    soft_mask: Float[np.ndarray, "h w"]


def people(image: UInt8[np.ndarray, "h w 3"], models: Models) -> list[Person]:
    """Everybody in the photograph (RGB), best first; nobody: an empty list. Raises PhotoError for a tiny photograph."""
    if min(image.shape[:2]) < SMALLEST:
        h, w = image.shape[:2]
        raise PhotoError(f"the photograph has {w} x {h} pixels, expected {SMALLEST} or more each way")
    found: list[Person] = []
    for candidate in detections(image, models.detector):
        person = _person(image, candidate, models)
        if person is not None and not any(overlaps(person.box, other.box[None])[0] > SAME for other in found):
            found.append(person)
    return found


def the_person(people: list[Person], box: Float[np.ndarray, "4"] | None = None) -> Person:
    """The only person, or the one whose box fits `box` (left, top, right, bottom) best.

    Raises PhotoError when there is nobody, when several are there and no box says which, and when the box is nobody's.
    """
    if not people:
        raise PhotoError("no person was found in the photograph, expected one")
    listed = "; ".join(" ".join(f"{x:.0f}" for x in person.box) for person in people)
    if box is None:
        if len(people) > 1:
            raise PhotoError(f"{len(people)} people were found, expected one; say which by a box, one of: {listed}")
        return people[0]
    fits = [float(overlaps(np.asarray(box, np.float64), person.box[None])[0]) for person in people]
    best = int(np.argmax(fits))
    if fits[best] < 0.1:
        raise PhotoError(f"no person was found in the box {np.round(box).tolist()}; people are at: {listed}")
    return people[best]


def _person(image: UInt8[np.ndarray, "h w 3"], candidate: Detection, models: Models) -> Person | None:
    """The person of a detection; None where the landmark network sees nobody. Landmarks draw the better square."""
    found = find_landmarks(image, person_square(candidate.hips, candidate.top), models.landmarks)
    if found.presence < PRESENT:
        return None
    again = find_landmarks(image, person_square(found.hips, found.top), models.landmarks)
    found = again if again.presence >= PRESENT else found
    soft = person_mask(image, found)
    if not (soft > 0.5).any():
        return None
    rows, columns = (np.flatnonzero((soft > 0.5).any(axis)) for axis in (1, 0))
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)
    h, w = image.shape[:2]
    inside = ((found.pixels >= 0) & (found.pixels <= [w, h])).all(1)
    seen = np.where(inside, found.visibility * found.within, 0.0)
    return Person(box, candidate.score, found.pixels, seen, found.world, soft > 0.5, soft)


def person_mask(image: UInt8[np.ndarray, "h w 3"], found: Landmarks) -> Float[np.ndarray, "h w"]:
    """The network's mask at the photograph's size, its rim moved to edges of the image: a guided filter.

    He, Sun, Tang, Guided Image Filtering, 2013: in each window the mask is the line of the grey values that fits it best.
    """
    raw = np.clip(on_photo(found.soft_mask, found.square, image.shape[:2]), 0, 1)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    side = 2 * max(2, round(RIM * found.square.side)) + 1

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.boxFilter(values, -1, (side, side))

    middle, level = mean(grey), mean(raw)
    slope = (mean(grey * raw) - middle * level) / (mean(grey * grey) - middle**2 + SMOOTH)
    soft = mean(slope) * grey + mean(level - slope * middle)
    return np.clip(soft, 0, 1).astype(np.float64)
