"""An object's mask from a box drawn around it: GrabCut (Rother et al., 2004), told what the person looks like."""

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.ndimage import gaussian_filter

from hoijax.photo.models import PhotoError

MARGIN = 0.3  # of the surroundings that GrabCut learns from, in sides of the box
ROUNDS = 2  # of GrabCut: more let thin objects melt away
BINS = 16  # of a colour histogram, each way
COVERED = 0.3  # of the box that the person's mask may cover before it is taken to have swallowed the object
ISLAND = 0.05  # smaller pieces, in areas of the largest, are no part of the object
SPARSE = 0.15  # of the box outside of the person: a mask that fills less is taken for a part of the object
NO_CLICK = 255
CLICK = 0.02  # radius of what a click makes sure, in diagonals of the box


def box_mask(
    image: UInt8[np.ndarray, "h w 3"],
    box: Float[np.ndarray, "4"],
    person: Float[np.ndarray, "h w"] | None = None,
    on: Float[np.ndarray, "n 2"] | None = None,
    off: Float[np.ndarray, "m 2"] | None = None,
) -> Bool[np.ndarray, "h w"]:
    """The mask of the object in a box (left, top, right, bottom; pixels of the RGB photograph). Holes stay open.

    `person`: the person's soft mask. Pixels in the box begin as background where their colour is commoner outside
    of it, and as the person's where the mask says so; but where that covers much of the box it has probably swallowed
    what the person holds, and only pixels in the colours of the person outside of the box count as the person's.
    Where hardly anything comes of that (a black object before something black), all of the box but the person begins as
    the object instead.
    `on` and `off` are clicks (x, y) that surely are the object and surely not. Raises PhotoError for a box or click off
    the photograph and where no object comes out.
    """
    inside = _inside(box, image.shape[:2])
    person = np.zeros(image.shape[:2]) if person is None else person
    window = _window(box, image.shape[:2])
    clicked = _clicked(image.shape[:2], box, on, off)
    mask = _mask_from(image, _first_labels(image, inside, person > 0.5, window), clicked, window)
    if mask.sum() < SPARSE * (inside & (person <= 0.5)).sum():
        plain = np.where(person > 0.5, cv2.GC_PR_BGD, cv2.GC_PR_FGD)
        mask = _mask_from(image, np.where(inside, plain, cv2.GC_BGD).astype(np.uint8), clicked, window)
    if not mask.any():
        raise PhotoError(
            f"no object came out of the box {np.round(box).tolist()}: draw it closer, click on the object, or give a mask"
        )
    return mask


def _clicked(
    size: tuple[int, int],
    box: Float[np.ndarray, "4"],
    on: Float[np.ndarray, "n 2"] | None,
    off: Float[np.ndarray, "m 2"] | None,
) -> UInt8[np.ndarray, "h w"]:
    """GrabCut's labels of what is sure by a click; NO_CLICK elsewhere."""
    labels = np.full(size, NO_CLICK, np.uint8)
    radius = max(1, round(CLICK * float(np.hypot(box[2] - box[0], box[3] - box[1]))))
    for points, label in ((off, cv2.GC_BGD), (on, cv2.GC_FGD)):
        for x, y in np.zeros((0, 2)) if points is None else points:
            if not (0 <= x < size[1] and 0 <= y < size[0]):
                raise PhotoError(f"the click ({x:g}, {y:g}) lies off the photograph")
            cv2.circle(labels, (int(x), int(y)), radius, int(label), -1)
    return labels


def _mask_from(
    image: UInt8[np.ndarray, "h w 3"],
    labels: UInt8[np.ndarray, "h w"],
    clicked: UInt8[np.ndarray, "h w"],
    window: tuple[slice, slice],
) -> Bool[np.ndarray, "h w"]:
    """What GrabCut makes of a start and the clicks, without islands; empty where the start has only one side."""
    labels = np.where(clicked == NO_CLICK, labels, clicked)
    cut = _grab_cut(image[window], labels[window])
    mask = np.zeros(labels.shape, bool)
    if cut is not None:
        mask[window] = _without_islands(cut, labels[window] == cv2.GC_FGD)
    return mask


def _inside(box: Float[np.ndarray, "4"], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Pixels of the box."""
    left, top, right, bottom = np.clip(box, 0, np.tile(size[::-1], 2))
    inside = np.zeros(size, bool)
    inside[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] = True
    if min(right - left, bottom - top) < 2:
        raise PhotoError(
            f"the box {np.round(box).tolist()} has no area on a photograph of {size[1]} x {size[0]} pixels, expected "
            "left, top, right, bottom"
        )
    return inside


def _window(box: Float[np.ndarray, "4"], size: tuple[int, int]) -> tuple[slice, slice]:
    """The box and its surroundings."""
    spare = MARGIN * (box[2:] - box[:2]) + 4
    left, top = np.maximum(box[:2] - spare, 0).astype(int)
    right, bottom = np.minimum(np.ceil(box[2:] + spare), size[::-1]).astype(int)
    return slice(top, bottom), slice(left, right)


def _first_labels(
    image: UInt8[np.ndarray, "h w 3"],
    inside: Bool[np.ndarray, "h w"],
    person: Bool[np.ndarray, "h w"],
    window: tuple[slice, slice],
) -> UInt8[np.ndarray, "h w"]:
    """GrabCut's start: outside of the box surely background, inside probably the object or probably not."""
    near = np.zeros_like(inside)
    near[window] = True
    cell = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(int) * BINS // 256
    object_like = _share(cell, inside)
    behind = ~person & (_share(cell, ~person & ~inside & near) > object_like)
    worn = person
    if (person & inside).sum() > COVERED * inside.sum():
        worn = person & (_share(cell, person & ~inside) > object_like)
    labels = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD)
    return np.where(inside & (behind | worn), cv2.GC_PR_BGD, labels).astype(np.uint8)


def _share(cell: np.ndarray, where: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """How common the colour of each pixel is among the pixels `where`; -1 where there are none to compare with."""
    if not where.any():
        return np.full(where.shape, -1.0)
    counts = np.zeros((BINS,) * 3)
    np.add.at(counts, tuple(cell[where].T), 1)
    counts = gaussian_filter(counts, 0.7, mode="constant") / where.sum()
    return counts[tuple(np.moveaxis(cell, -1, 0))]


def _grab_cut(image: UInt8[np.ndarray, "h w 3"], labels: UInt8[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"] | None:
    """The object after a few rounds; None where the start has nothing on one of the two sides."""
    fore = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if not fore.any():
        return None
    if fore.all():
        return fore
    labels = labels.copy()
    cv2.setRNGSeed(0)  # its mixtures begin with random clusters
    bgr = np.ascontiguousarray(image[..., ::-1])
    cv2.grabCut(bgr, labels, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _without_islands(mask: Bool[np.ndarray, "h w"], sure: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The mask without pieces that are small beside the largest, unless a click is on them."""
    count, piece, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = 1 + np.flatnonzero(areas >= ISLAND * areas.max())
    return mask & np.isin(piece, np.append(large, piece[sure]))
