"""Stands in for OSX's boxes and patches: the same arguments, results and conventions."""

import numpy as np
from config import cfg
from PIL import Image


def process_bbox(bbox, img_width, img_height):
    """x y w h, cut at the image, brought to the input's aspect ratio and 1.25 times as large; None without area."""
    x, y, width, height = (float(number) for number in bbox)
    x, y, right, low = max(x, 0), max(y, 0), min(x + width, img_width - 1), min(y + height, img_height - 1)
    if right <= x or low <= y:
        return None
    aspect = cfg.input_img_shape[1] / cfg.input_img_shape[0]
    width, height = max(right - x, (low - y) * aspect) * 1.25, max(low - y, (right - x) / aspect) * 1.25
    return np.asarray([(x + right - width) / 2, (y + low - height) / 2, width, height], np.float32)


def generate_patch_image(cvimg, bbox, scale, rot, do_flip, out_shape):
    assert (scale, rot, do_flip) == (1.0, 0.0, False)
    x, y, width, height = bbox.tolist()
    picture = Image.fromarray(cvimg.astype(np.uint8)).crop((round(x), round(y), round(x + width), round(y + height)))
    return np.asarray(picture.resize(out_shape[::-1]), np.float32), None, None
