"""Where a person stands in a picture, in a few words, as somebody would say it who points one out among others."""

import numpy as np
from jaxtyping import Float

THIRDS = ("on the left", "in the middle", "on the right")
NEARER = 1.3  # how much taller a box must be than another one for its person to stand clearly nearer
COUNTED = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def location(box: Float[np.ndarray, "4"], others: Float[np.ndarray, "n 4"], size: tuple[int, int]) -> str:
    """The third of the picture that the box's centre lies in; where others are there too, what tells them apart.

    Those in one third are told apart by height, in the foreground or in the background, where the person's box is
    clearly the tallest or the shortest of them (by `NEARER`); else everybody is counted from the left.
    Boxes are x0 y0 x1 y1 in pixels, `size` is width and height.
    """
    third = _third(box, size)
    rivals = np.asarray([other for other in others if _third(other, size) == third]).reshape(-1, 4)
    heights = rivals[:, 3] - rivals[:, 1]
    height = box[3] - box[1]
    if not len(rivals):
        return THIRDS[third]
    if (height >= NEARER * heights).all():
        return f"{THIRDS[third]}, in the foreground"
    if (NEARER * height <= heights).all():
        return f"{THIRDS[third]}, in the background"
    rank = int((_middle(others) < _middle(box[None])[0]).sum())
    number = COUNTED[rank] if rank < len(COUNTED) else f"number {rank + 1}"
    return f"{THIRDS[third]}, {number} from the left"


def _third(box: Float[np.ndarray, "4"], size: tuple[int, int]) -> int:
    return int(np.clip(3 * (box[0] + box[2]) / 2 // size[0], 0, 2))


def _middle(boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, " n"]:
    return np.asarray((boxes[:, 0] + boxes[:, 2]) / 2)
