"""How far our default leaves the paper's method behind, and what it costs."""

from collections.abc import Iterator

from _base import made

from hoijax.config import Config
from hoijax.presets import PRESETS

TITLE = "Accuracy of the default against the paper"
METRICS = (
    *("scale", "rotation", "rotation_degrees", "chamfer_cm", "co2", "contact_f1", "parts_f1", "iou_object"),
    *("success", "flip", "worse", "fit_seconds"),
)
FULL = "paper with LPIPS and a moving human"
NOTE = f"Without LPIPS and with the human held still, but for the row “{FULL}”."


def grid() -> Iterator[tuple[str, Config]]:
    """The paper's method as it is run on a CPU, whole, and our default."""
    yield "paper", made("paper")
    yield FULL, PRESETS["paper"]()
    yield "hoijax", made("hoijax")
