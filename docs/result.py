"""Draws docs/result.png: photograph, reconstruction over it, side and top view, for built-in scenes.

Run from the repository's root, after `make demo`: python docs/result.py
"""

from pathlib import Path

import cv2
import numpy as np

from hoijax.data.read import load_sample
from hoijax.data.results import find_results, load_result
from hoijax.report.overlay import framing, on_white, overlay_picture, painted, view_pictures

SCENES, RESULTS = Path("out/scenes"), Path("out/demo")
SIZE = 300  # pixels of each picture


def row(folder: Path) -> np.ndarray:
    """The four pictures of one result."""
    result, sample = load_result(folder), load_sample(SCENES / folder.relative_to(RESULTS))
    views = view_pictures(painted(result.human, result.object), framing(sample, result), (SIZE, SIZE))
    pictures = [sample.image, overlay_picture(sample, result, SIZE), on_white(views["side"]), on_white(views["top"])]
    return np.concatenate([cv2.resize(p, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for p in pictures], 1)


def main() -> None:
    picture = np.concatenate([row(folder) for folder in find_results(RESULTS)])
    cv2.imwrite("docs/result.png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
