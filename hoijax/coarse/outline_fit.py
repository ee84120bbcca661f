"""Size and place in the image from the mask (ours): beside a long lens the mask knows them better than the cloud does."""

import cv2
import numpy as np
from jaxtyping import Bool, Float

from hoijax.coarse.view import Box

SIDE = 96  # pixels of the picture in which candidates are compared
AROUND = 0.6  # the picture reaches this share of the mask's diagonal beyond the mask's box
LEVELS = 6  # grids, each half as wide as the one before
STEPS = np.linspace(-1, 1, 5)
WIDEST = (np.log(1.5), 0.25)  # of the first grid: in log size, and in place as a share of the mask's diagonal
RELUCTANCE = 0.1  # IoU that a change of size by a factor e costs: decides where the human hides what could tell


def picture(image: Bool[np.ndarray, "h w"], corner: Float[np.ndarray, "2"], step: float) -> Float[np.ndarray, "n n"]:
    """A square of SIDE pixels, each `step` wide, with its upper left corner at `corner` pixels (x, y); bilinear."""
    shift = corner + 0.5 * step - 0.5
    matrix = np.array([[step, 0, shift[0]], [0, step, shift[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    blurred = cv2.blur(image.astype(np.float32), (2 * int(step // 2) + 1,) * 2)
    return cv2.warpAffine(blurred, matrix, (SIDE, SIDE), flags=flags)


def soft_iou(a: Float[np.ndarray, "n n"], b: Float[np.ndarray, "n n"], weight: Float[np.ndarray, "n n"]) -> float:
    """sum w min(a, b) / sum w max(a, b); 0 where both are empty."""
    union = float((weight * np.maximum(a, b)).sum())
    return float((weight * np.minimum(a, b)).sum()) / union if union > 0 else 0.0


def best_outline(
    silhouette: Bool[np.ndarray, "h w"], mask: Bool[np.ndarray, "h w"], hidden: Bool[np.ndarray, "h w"], box: Box
) -> tuple[float, Float[np.ndarray, "2"], float]:
    """Factor and shift (pixels) of a silhouette about its centroid that fit the mask best, and the IoU there.

    max over f, d of IoU(f (S - c) + c + d, M) outside of `hidden` - 0.1 (log f)^2, on grids that halve around the best.
    """
    diagonal = np.hypot(box.right - box.left, box.bottom - box.top)
    middle = np.array([box.left + box.right, box.top + box.bottom]) / 2
    step = diagonal * (1 + 2 * AROUND) / SIDE
    corner = middle - SIDE * step / 2
    shape, goal, blind = (picture(image, corner, step) for image in (silhouette, mask, hidden))
    weight = 1 - blind
    i, j = np.nonzero(silhouette)
    center = (np.array([j.mean() + 0.5, i.mean() + 0.5]) - corner) / step - 0.5

    def score(log_factor: float, shift: Float[np.ndarray, "2"]) -> float:
        factor = np.exp(log_factor)
        place = center + shift / step - factor * center
        moved = cv2.warpAffine(shape, np.array([[factor, 0, place[0]], [0, factor, place[1]]]), (SIDE, SIDE))
        return soft_iou(moved, goal, weight) - RELUCTANCE * log_factor**2

    best = (score(0.0, np.zeros(2)), 0.0, np.zeros(2))
    for level in range(LEVELS):
        _, log_factor, shift = best
        size, place = WIDEST[0] / 2**level, WIDEST[1] * diagonal / 2**level
        for a in STEPS:
            for b in STEPS:
                for c in STEPS:
                    candidate = log_factor + size * a, shift + place * np.array([b, c])
                    value = score(*candidate)
                    if value > best[0]:
                        best = (value, *candidate)
    return float(np.exp(best[1])), best[2], best[0] + RELUCTANCE * best[1] ** 2
