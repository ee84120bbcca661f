"""Open3DHOI Table 2: pose of the object against its annotation."""

from collections.abc import Iterator

from _base import NOTE as NOTE
from _base import made, without

from hoijax.config import Config, with_options

TITLE = "Pose of the object (Table 2)"
METRICS = ("scale", "translation_cm", "rotation", "rotation_degrees", "chamfer_cm", "co2", "iou_object")
PUBLISHED = {
    "PHOSA": {"scale": 0.39, "translation_cm": 77.79, "rotation": 0.95, "chamfer_cm": 49.1},
    "paper without HOI loss": {"scale": 0.25, "translation_cm": 38.66, "rotation": 0.45, "chamfer_cm": 16.9},
    "paper": {"scale": 0.16, "translation_cm": 38.44, "rotation": 0.41, "chamfer_cm": 19.3},
}


def grid() -> Iterator[tuple[str, Config]]:
    """PHOSA, the paper's method without and with its HOI loss, then our default without and with its own."""
    paper = made("paper")
    yield "PHOSA", made("phosa")
    yield "paper without HOI loss", without(paper, "contact", "ordinal", "collision")
    yield "paper", paper
    yield "hoijax without search along the ray", with_options(made("hoijax"), {"render.slide": 0.0, "hoi.slide": 0.0})
    yield "hoijax", made("hoijax")
