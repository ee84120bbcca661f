"""What each departure of our default from the paper's text does: the default, then without one of them at a time."""

from collections.abc import Iterator

from _base import NOTE as NOTE
from _base import made

from hoijax.config import Config, with_options
from hoijax.presets import HOI_WEIGHTS

TITLE = "Departures of the default"
METRICS = (
    *("scale", "rotation_degrees", "translation_cm", "chamfer_cm", "co2", "contact_f1", "iou_object"),
    *("penetration_max_cm", "success", "fit_seconds"),
)
STAGES = ("render", "hoi")


def grid() -> Iterator[tuple[str, Config]]:
    """The default, and the default with one thing as in `paper`."""
    ours = made("hoijax")
    render = ours.stages[0].name
    splats_mask = {f"{render}.weights.silhouette_object": 0.0, f"{render}.weights.mask_object": 0.1}
    yield "hoijax", ours
    yield "no alignment", with_options(ours, {f"{stage}.align": 0 for stage in STAGES})
    yield "no second alignment", with_options(ours, {"hoi.align": 0})
    yield "no search along the ray", with_options(ours, {f"{stage}.slide": 0.0 for stage in STAGES})
    yield "no Gaussians", with_options(ours, {"render.steps": 0})
    yield "no polish", with_options(ours, {"hoi.steps": 0})
    yield "mask of the splats", with_options(ours, splats_mask)
    yield "large faint splats", with_options(ours, {"object_splat_size": 1.0, "object_opacity": 0.1})
    yield "HOI loss in stage 2", with_options(ours, {f"hoi.weights.{name}": w for name, w in HOI_WEIGHTS.items()})
