"""Draws docs/scenes.jpg: the six built-in scenes, each as photographed and with its coarse start drawn over it.

Run from the repository's root: python docs/scenes.py
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from hoijax.data.sample import Sample
from hoijax.data.synthetic import scene_names, synthetic_sample
from hoijax.metrics.image import projected_mask

WIDTH = 320  # pixels of each picture
LINE = (0, 170, 255)


def with_start(sample: Sample) -> np.ndarray:
    """The photograph with the outline of the coarse object."""
    verts = sample.object.verts + np.asarray(sample.pose.translation)
    mask = projected_mask(verts, sample.object.faces, sample.camera, sample.human_mask.shape)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(sample.image.copy(), outlines, -1, LINE, 2, cv2.LINE_AA)


def main() -> None:
    """Writes the picture beside this file."""
    rows: list[list[np.ndarray]] = [[], []]
    for name in tqdm(scene_names(), unit="scene"):
        sample = synthetic_sample(name)
        for row, image in zip(rows, (sample.image, with_start(sample))):
            row.append(cv2.resize(image, (WIDTH, WIDTH), interpolation=cv2.INTER_AREA))
    sheet = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    Image.fromarray(sheet).save(Path(__file__).with_suffix(".jpg"), quality=85)


if __name__ == "__main__":
    main()
