"""What the grids share: the paper's method as it is run on a CPU."""

from hoijax.config import Config, with_options
from hoijax.losses.terms import RENDERS
from hoijax.presets import PRESETS

# True: the rows made from `paper` and `release` go without LPIPS and hold the human's refiners still. On a CPU the two
# cost five times as much as everything else.
FAST = True
NOTE = "FAST: without LPIPS, and with the human held still, in every row." if FAST else ""


def made(preset: str) -> Config:
    """The preset, made lighter where FAST says so."""
    config = PRESETS[preset]()
    if not FAST:
        return config
    lighter = [
        *(f"{stage.name}.weights.lpips_{render}" for stage in config.stages for render in RENDERS),
        *(f"{stage.name}.rates.{name}" for stage in config.stages for name in ("human.pose", "human.skinning")),
    ]
    return with_options(config, dict.fromkeys(lighter, 0.0))


def without(config: Config, *terms: str) -> Config:
    """The config with these terms left out of every stage."""
    return with_options(config, {f"{stage.name}.weights.{term}": 0.0 for stage in config.stages for term in terms})
