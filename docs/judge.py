"""Draws docs/judge_flaws.jpg: a built-in scene and the flaws that can be put into it.

Run from the repository's root: python docs/judge.py
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from hoijax.data.sample import Sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.synthetic.flaws import flaws, with_flaw
from hoijax.metrics.image import projected_mask

SIDE, COLUMNS = 196, 7  # pixels of a tile; tiles in a row
HUMAN, OBJECT = (255, 170, 40), (40, 150, 255)


def tile(sample: Sample, title: str) -> np.ndarray:
    """The photograph with masks as tints and the outlines of both meshes."""
    image = sample.image.copy()
    for mask, color in ((sample.human_mask, HUMAN), (sample.object_mask, OBJECT)):
        image[mask] = (0.6 * image[mask] + 0.4 * np.array(color)).astype(np.uint8)
    offset = np.asarray(sample.pose.translation, np.float64)
    for mesh, color in ((sample.human, HUMAN), (sample.object, OBJECT)):
        shape = projected_mask(mesh.verts + offset, mesh.faces, sample.camera, sample.human_mask.shape)
        outlines, _ = cv2.findContours(shape.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(image, outlines, -1, color, 2, cv2.LINE_AA)
    h, w = image.shape[:2]
    size = max(1, w * SIDE // max(h, w)), max(1, h * SIDE // max(h, w))
    found = np.full((SIDE + 22, SIDE, 3), 255, np.uint8)
    found[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return cv2.putText(found, title, (3, SIDE + 15), cv2.FONT_HERSHEY_SIMPLEX, 0.33, (30, 30, 30), 1, cv2.LINE_AA)


def main() -> None:
    """Writes the picture beside this file."""
    good = synthetic_sample("box", 0)
    tiles = [tile(good, "good")]
    for flaw in flaws():
        try:
            tiles.append(tile(with_flaw(good, flaw, np.random.default_rng(1)), " / ".join(flaw)))
        except ValueError as error:
            print(error)
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[k : k + COLUMNS], 1) for k in range(0, len(tiles), COLUMNS)]
    Image.fromarray(np.concatenate(rows)).save(Path(__file__).with_name("judge_flaws.jpg"), quality=62)


if __name__ == "__main__":
    main()
