"""Run by the amodal completion's own python: completes the object that a mask shows the visible part of.

The repository's main.py completes whatever it detects itself. This uses its functions with the user's mask as the
object that is asked for; its own detections are what may stand before it.
"""

import importlib.machinery
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

# Pixels on the longer side of what the repository works on: its canvases are six times as wide and high, 8 bytes a
# value, and its margins are those of pictures of about this size.
SIDE = 1000


def load(settings):
    root = settings.repository.resolve()
    upstream = imported(root)
    sys.argv = ["main.py", "--mc_timestep", "35"]
    flags = upstream.parse_args()
    models = upstream.load_models(
        flags.gdino_config,
        flags.gdino_ckpt,
        flags.instaorder_ckpt,
        flags.lama_config_path,
        flags.lama_ckpt_path,
        flags.mc_timestep,
    )
    classes = upstream.read_txt(flags.classes_txt)

    def work(job):
        import numpy as np
        from serve import photo

        picture, mask = photo(job.inputs["image"]), np.asarray(photo(job.inputs["mask"], "L")) > 127
        if mask.shape != picture.size[::-1]:
            raise ValueError("the mask is {}x{}, the image {}x{}".format(*mask.shape[::-1], *picture.size))
        if not mask.any():
            raise ValueError("the mask is empty")
        small, small_mask = reduced(picture, mask)
        with tempfile.TemporaryDirectory(prefix="amodal-") as scratch:
            query = completed(upstream, flags, models, classes, small, small_mask, job, scratch)
        save(job.out, picture, mask, query, small.size)

    return work


def imported(root):
    """The repository's main.py as a module, with the paths that its main.sh sets."""
    os.chdir(str(root))
    os.environ["TORCH_HOME"] = str(root / "lama")
    sys.path[1:1] = [str(root), str(root / "lama")]
    loader = importlib.machinery.SourceFileLoader("amodal_upstream", str(root / "main.py"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def reduced(picture, mask):
    """The picture and its mask with at most SIDE pixels on the longer side; as they are when that is so already."""
    import numpy as np
    from PIL import Image

    shrink = SIDE / max(picture.size)
    if shrink >= 1:
        return picture, mask
    size = tuple(max(round(length * shrink), 1) for length in picture.size)
    share = Image.fromarray(mask.astype("uint8") * 255).resize(size, Image.BOX)
    return picture.resize(size, Image.LANCZOS), np.asarray(share) > 127


def completed(upstream, flags, models, classes, picture, mask, job, scratch):
    """The repository's object of a query after its iterations; iter_id is 0 when it saw nothing to complete."""
    import numpy as np

    detector, diffusion, order, painter = models
    name = job.options["prompt"]
    known = [name, *(other for other in classes if other != name)]
    tensor = upstream.transform_image(picture)
    pixels, masks, names, scores = upstream.segment(detector, upstream.run_sam, flags.sam_ckpt, picture, tensor, known)
    if masks is None:
        pixels, masks, names, scores = np.asarray(picture), [], [], []
    # what overlaps the mask mostly is the object itself, detected once more
    others = [number for number, other in enumerate(masks) if not _same(mask, np.asarray(other) > 0)]
    masks = np.stack([mask, *(np.asarray(masks[number]) > 0 for number in others)])
    names, scores = [name, *(names[number] for number in others)], [1.0, *(scores[number] for number in others)]
    query = upstream.QueryObject(str(job.inputs["image"]), pixels, picture, 0, masks[0], scratch)
    query.amodal_segmentation = None
    while query.run_iter and query.iter_id <= job.options["iterations"]:
        query = upstream.run_iteration(
            query,
            scratch,
            masks,
            known,
            names,
            scores,
            detector,
            flags.sam_ckpt,
            order,
            diffusion,
            painter,
            job.options["timestep"],
            flags.mc_clean_bkgd_img,
            save_interm=False,
        )
    if query.amodal_segmentation is not None and query.iter_id > 0:
        query.offset = upstream.compute_offset(
            query.query_mask_canvas, query.init_outpaint_mask_canvas, query.amodal_segmentation
        )
    return query


def save(out, picture, mask, query, worked):
    """object.png holds the whole image's frame and the completed part, which may reach beyond it.

    The part is in pixels of a picture of the size `worked`; it is brought to those of the whole one.
    """
    import numpy as np
    from PIL import Image

    width, height = picture.size
    visible = Image.fromarray(np.dstack([np.asarray(picture), mask.astype("uint8") * 255]), "RGBA")
    done = query.amodal_segmentation is not None and query.iter_id > 0
    if done:
        alpha = (np.asarray(query.amodal_segmentation) > 0).astype("uint8") * 255
        part = Image.fromarray(np.dstack([np.asarray(query.amodal_completion.convert("RGB")), alpha]), "RGBA")
        part, column, row = enlarged(part, query.offset[1], query.offset[0], width / worked[0], height / worked[1])
        left, top = max(0, -column), max(0, -row)
        size = left + max(width, column + part.width), top + max(height, row + part.height)
        canvas = Image.new("RGBA", size, (0, 0, 0, 0))
        canvas.alpha_composite(part, (left + column, top + row))
        canvas.alpha_composite(visible, (left, top))
    else:
        canvas, left, top = visible, 0, 0
    canvas.save(out / "object.png")
    record = {"offset": [left, top], "completed": done, "iterations": query.iter_id}
    (out / "amodal.json").write_text(json.dumps(record), encoding="utf-8")


def enlarged(part, column, row, wide, high):
    """A part and its place, `wide` and `high` times as large; it stays opaque or transparent everywhere."""
    from PIL import Image

    left, top = round(column * wide), round(row * high)
    size = round((column + part.width) * wide) - left, round((row + part.height) * high) - top
    if size != part.size:
        part = part.resize(
            size, Image.BILINEAR
        )  # bicubic would overshoot at the edge, where colours are weighed by opacity
        part.putalpha(part.getchannel("A").point(lambda value: 255 * (value > 127)))
    return part, left, top


def _same(one, other):
    union = (one | other).sum()
    return union > 0 and (one & other).sum() / union > 0.5


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)
