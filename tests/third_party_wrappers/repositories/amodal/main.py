"""Stands in for the amodal completion's main.py: the functions and attributes that a driver of it uses.

Its diffusion makes an object twice as wide, to the left; more than the picture has, if need be.
"""

import argparse
import os
import sys

import numpy as np
from PIL import Image

assert os.path.isdir("InstaOrder"), "is run from its own folder, as its paths start there"
assert os.environ["TORCH_HOME"].endswith("lama")
assert any(path.endswith("lama") for path in sys.path)


class QueryObject:
    def __init__(self, img_path, img, img_pil, mask_id, query_mask, output_img_dir):
        self.img, self.mask_id, self.query_mask = img, mask_id, query_mask
        self.run_iter, self.iter_id = True, 0


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--classes_txt", default="./classes.txt")
    for name in ("gdino_config", "gdino_ckpt", "sam_ckpt", "instaorder_ckpt", "lama_config_path", "lama_ckpt_path"):
        parser.add_argument(f"--{name}", default=name)
    parser.add_argument("--mc_timestep", type=int)
    parser.add_argument("--mc_clean_bkgd_img", default="images/gray_wallpaper.jpeg")
    return parser.parse_args()


def read_txt(file_path):
    with open(file_path) as file:
        return file.read().splitlines()


def load_models(gdino_config, gdino_ckpt, instaorder_ckpt, lama_config_path, lama_ckpt_path, mc_timestep):
    assert mc_timestep == 35
    return ["detector", "diffusion", "order", "painter"]


def transform_image(img_pil):
    return img_pil


def run_sam():
    raise AssertionError("only handed on")


def segment(gdino_model, run_sam, sam_ckpt, img_pil, img_tensor, classes):
    """Finds the red part, which is the object itself, and the blue one, which stands before it."""
    img = np.asarray(img_pil)
    print(f"works on {img_pil.width}x{img_pil.height}")
    masks = np.stack([img[..., 0] > 200, img[..., 2] > 200])
    return img, masks, [classes[0], "person"], [0.9, 0.8]


def run_iteration(
    query_obj, output_dir, masks, classes, class_names, pred_scores, gdino_model, sam_ckpt, instaorder_model,
    sd_inpaint_model, lama_model, mc_timestep, mc_clean_bkgd_img, sd_target_size=512, save_interm=True,
):  # fmt: skip
    assert classes == ["box", "person", "chair"]
    assert class_names == ["box", "person"], "the mask that was given, and what stands before it"
    assert (gdino_model, sd_inpaint_model, instaorder_model, lama_model) == (
        "detector",
        "diffusion",
        "order",
        "painter",
    )
    query = query_obj.query_mask.astype(np.uint8)
    if query.sum() < 0.02 * query.size:
        query_obj.run_iter, query_obj.amodal_segmentation = False, None
        return query_obj
    rows, columns = np.nonzero(query)
    top, low, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    width = right - left
    height, wide = query.shape
    canvas = np.zeros((6 * height, 6 * wide), np.uint8)
    outside = np.ones_like(canvas)
    first = 3 * height - height // 2, 3 * wide - wide // 2  # where the picture lies on the canvas
    outside[first[0] : first[0] + height, first[1] : first[1] + wide] = 0
    crop = np.zeros((low - top + 4, 2 * width + 4), np.uint8)
    crop[2:-2, 2:-2] = 1
    canvas[first[0] + top : first[0] + low, first[1] + left - width : first[1] + right] = 1
    query_obj.query_mask_canvas, query_obj.init_outpaint_mask_canvas = canvas, outside
    query_obj.amodal_segmentation = crop
    query_obj.amodal_completion = Image.new("RGB", crop.shape[::-1], (0, 200, 0))
    query_obj.iter_id += 1
    query_obj.run_iter = query_obj.iter_id < 2
    return query_obj


def compute_offset(expanded_query_mask, init_outpainting_mask, amodal_segmentation):
    """Row and column of the crop's corner in the picture."""
    first = [[index.min() for index in np.nonzero(array)] for array in (expanded_query_mask, amodal_segmentation)]
    picture = [index.min() for index in np.nonzero(init_outpainting_mask == 0)]
    return tuple(int(first[0][axis] - first[1][axis] - picture[axis]) for axis in range(2))
