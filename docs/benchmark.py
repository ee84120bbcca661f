"""Draws docs/benchmark.jpg: one scene of each design, as photographed, the outline of its coarse start drawn over it.

Run from the repository's root: python docs/benchmark.py. With a tree that experiments/make_benchmark.py wrote as its
argument, the pictures are taken from there.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from hoijax.data.read import load_sample
from hoijax.data.sample import Sample
from hoijax.data.synthetic.benchmark import benchmark_folder, benchmark_names, benchmark_scene, benchmark_seeds
from hoijax.metrics.image import projected_mask

WIDTH, COLUMNS = 256, 6  # pixels of each picture; pictures in a row
LINE = (0, 170, 255)


def with_start(sample: Sample) -> np.ndarray:
    """The photograph with the outline of the coarse object."""
    verts = sample.object.verts + np.asarray(sample.pose.translation)
    mask = projected_mask(verts, sample.object.faces, sample.camera, sample.human_mask.shape)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(sample.image.copy(), outlines, -1, LINE, 2, cv2.LINE_AA)


def main() -> None:
    """Writes the picture beside this file."""
    (seed,) = benchmark_seeds("dev")
    tree = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    pictures = []
    for name in tqdm(benchmark_names(), unit="scene"):
        folder = None if tree is None else tree / benchmark_folder(name, seed)
        sample = benchmark_scene(name, seed).sample if folder is None else load_sample(folder)
        pictures.append(cv2.resize(with_start(sample), (WIDTH, WIDTH), interpolation=cv2.INTER_AREA))
    while len(pictures) % COLUMNS:
        pictures.append(np.full_like(pictures[0], 255))
    rows = [np.concatenate(pictures[k : k + COLUMNS], axis=1) for k in range(0, len(pictures), COLUMNS)]
    Image.fromarray(np.concatenate(rows)).save(Path(__file__).with_suffix(".jpg"), quality=82)


if __name__ == "__main__":
    main()
