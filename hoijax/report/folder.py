"""The pictures and the page that stand beside a result in its folder."""

import cv2
import numpy as np
from jaxtyping import UInt8

from hoijax.data.results import Result
from hoijax.data.sample import Sample
from hoijax.report.html import report_html
from hoijax.report.overlay import overlay_picture

THUMBNAIL_WIDTH = 400


def result_pages(sample: Sample, result: Result) -> dict[str, bytes]:
    """overlay.png, thumbnail.jpg and report.html by name, as `save_result` takes them."""
    picture = overlay_picture(sample, result)
    h, w = picture.shape[:2]
    small = min(1.0, THUMBNAIL_WIDTH / w)
    size = (max(1, round(w * small)), max(1, round(h * small)))
    thumbnail = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return {
        "overlay.png": _encoded(".png", picture),
        "thumbnail.jpg": _encoded(".jpg", thumbnail, cv2.IMWRITE_JPEG_QUALITY, 88),
        "report.html": report_html(sample, result).encode("utf-8"),
    }


def _encoded(kind: str, picture: UInt8[np.ndarray, "h w 3"], *options: int) -> bytes:
    done, data = cv2.imencode(kind, picture[..., ::-1], list(options))
    if not done:
        raise ValueError(f"a picture of {picture.shape[1]} x {picture.shape[0]} pixels cannot be written as {kind}")
    return data.tobytes()
