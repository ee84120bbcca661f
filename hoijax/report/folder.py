"""The pictures and the page that stand beside a result in its folder, and the page that leads to all of them."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from hoijax.data.results import Result, find_results, load_summary
from hoijax.data.sample import Sample
from hoijax.report.html import report_html
from hoijax.report.index import index_html
from hoijax.report.overlay import overlay_picture

THUMBNAIL_WIDTH = 400


def result_pages(sample: Sample, result: Result) -> dict[str, bytes]:
    """overlay.png, thumbnail.jpg and report.html by name, as `save_result` takes them."""
    return {**result_pictures(sample, result), "report.html": report_html(sample, result).encode("utf-8")}


def result_pictures(sample: Sample, result: Result) -> dict[str, bytes]:
    """The same without the page."""
    picture = overlay_picture(sample, result)
    h, w = picture.shape[:2]
    small = min(1.0, THUMBNAIL_WIDTH / w)
    size = (max(1, round(w * small)), max(1, round(h * small)))
    thumbnail = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return {
        "overlay.png": _encoded(".png", picture),
        "thumbnail.jpg": _encoded(".jpg", thumbnail, cv2.IMWRITE_JPEG_QUALITY, 88),
    }


def save_index(out: Path) -> Path:
    """Writes the page that leads to every finished result under `out`, also those of earlier runs.

    A result without a page of its own is shown by its overlay.
    """
    found = find_results(out)
    pages = ["report.html" if (folder / "report.html").is_file() else "overlay.png" for folder in found]
    names = [folder.relative_to(out).as_posix() for folder in found]
    text = index_html(dict(zip(names, map(load_summary, found))), dict(zip(names, pages)))
    (out / "index.html").write_text(text, encoding="utf-8")
    return out / "index.html"


def _encoded(kind: str, picture: UInt8[np.ndarray, "h w 3"], *options: int) -> bytes:
    done, data = cv2.imencode(kind, picture[..., ::-1], list(options))
    if not done:
        raise ValueError(f"a picture of {picture.shape[1]} x {picture.shape[0]} pixels cannot be written as {kind}")
    return data.tobytes()
