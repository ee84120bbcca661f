"""Open3DHOI Table 3: what each part of the method does to Co2."""

from collections.abc import Iterator
from dataclasses import replace

from _base import NOTE as NOTE
from _base import made, without

from hoijax.config import Config

TITLE = "Collision and contact, part by part (Table 3)"
METRICS = ("co2", "co2_mean", "collision", "contact_f1", "penetration_mean_cm", "chamfer_cm", "iou_object")
PUBLISHED = {
    "PHOSA": {"co2": 0.431},
    "coarse": {"co2": 0.248},
    "gaussians only": {"co2": 0.287},
    "+ depth": {"co2": 0.216},
    "+ collision": {"co2": 0.189},
    "+ depth + collision": {"co2": 0.188},
    "+ depth + collision + contact": {"co2": 0.181},
}


def grid() -> Iterator[tuple[str, Config]]:
    """PHOSA, the coarse start, then `paper` with its HOI terms switched on one after the other."""
    paper = made("paper")
    yield "PHOSA", made("phosa")
    yield "coarse", replace(paper, stages=())
    yield "gaussians only", without(paper, "contact", "ordinal", "collision")
    yield "+ depth", without(paper, "contact", "collision")
    yield "+ collision", without(paper, "contact", "ordinal")
    yield "+ depth + collision", without(paper, "contact")
    yield "+ depth + collision + contact", paper
