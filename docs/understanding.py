"""The picture of docs/understanding.md: clouds as the model gets them, from the front and from a side.

python docs/understanding.py TREE docs/understanding.jpg
"""

import sys
from pathlib import Path

import numpy as np

from hoijax.data.read import load_sample
from hoijax.tasks.understanding.clouds import sample_cloud
from hoijax.tasks.understanding.run import labelled_samples

SHOWN = ("bicycle/ride", "tennis racket/swing", "bench/sit_on", "umbrella/hold")


def main(tree: Path, out: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    samples = labelled_samples(tree, print)
    chosen = [next(sample for sample in samples if sample.name.startswith(name)) for name in SHOWN]
    figure, axes = plt.subplots(1, len(chosen), figsize=(12, 4), subplot_kw={"projection": "3d"})
    for axis, sample in zip(axes, chosen):
        cloud = sample_cloud(load_sample(sample.folder)).points
        x, y, z = cloud[:, :3].T
        axis.scatter(x, -z, y, c=cloud[:, 3:], s=1.5, linewidths=0)  # matplotlib's third axis points upwards
        axis.view_init(elev=12, azim=-60)
        axis.set_box_aspect((1, 1, 1), zoom=1.5)
        for limit in (axis.set_xlim, axis.set_ylim, axis.set_zlim):
            limit(-0.95, 0.95)
        axis.set_axis_off()
        axis.set_title(f"{sample.action}, {sample.object}", y=-0.08)
    figure.subplots_adjust(0, 0.08, 1, 1, 0, 0)
    figure.savefig(out, dpi=110, pil_kwargs={"quality": 85})
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB, {len(np.unique([s.name for s in chosen]))} clouds")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
