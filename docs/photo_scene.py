"""The picture of docs/photo.md's second half: one photograph, a ball for the helmet, and what photo.py makes of them.

    python docs/photo_scene.py [OUT]

Needs scikit-image (extra `test`), which ships the photograph: Eileen Collins, NASA, public domain.
"""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import skimage.data
import trimesh
from PIL import Image

from hoijax.data.read import load_sample
from hoijax.data.results import load_result
from hoijax.report.overlay import painted, view_pictures

ROOT = Path(__file__).resolve().parent.parent
SIDE = 512


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "out" / "photo")
    out.mkdir(parents=True, exist_ok=True)
    photo, ball = out / "astronaut.png", out / "ball.obj"
    Image.fromarray(skimage.data.astronaut()).save(photo)
    trimesh.creation.icosphere(subdivisions=4, radius=0.165).export(ball)
    if not (out / "scene" / "result").exists():
        where = [f"--out={out / 'scene'}", "--category=helmet", "--box=277,343,512,512"]
        program = [sys.executable, "experiments/photo.py", f"--image={photo}", f"--object={ball}", *where]
        subprocess.run(program, cwd=ROOT, check=True)
    sample = load_sample(out / "scene" / "samples" / "helmet" / "astronaut")
    result = load_result(out / "scene" / "result")
    with Image.open(out / "scene" / "result" / "overlay.png") as picture:
        over = np.asarray(picture.convert("RGB").resize((SIDE, SIDE)))
    masks = sample.image.astype(np.float32)
    for mask, rgb in ((sample.human_mask, (107, 158, 230)), (sample.object_mask, (240, 145, 74))):
        masks[mask] = 0.45 * masks[mask] + 0.55 * np.array(rgb, np.float32)
    framed = np.concatenate([result.human.verts, result.object.verts])
    views = view_pictures(painted(result.human, result.object), framed, (SIDE, SIDE), ("side", "top"))
    boxed = cv2.rectangle(sample.image.copy(), (277, 343), (511, 511), (255, 220, 0), 3)
    row = [boxed, masks.astype(np.uint8), over, *(on_white(view) for view in views.values())]
    Image.fromarray(np.concatenate(row, 1)).resize((1680, 336)).save(ROOT / "docs" / "photo_scene.jpg", quality=90)


def on_white(picture: np.ndarray) -> np.ndarray:
    """RGBA over white."""
    alpha = picture[..., 3:] / 255
    return (picture[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


if __name__ == "__main__":
    main()
