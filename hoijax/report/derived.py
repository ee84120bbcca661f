"""Columns that follow from what a run holds: rates, which are 0 or 1 for one scene, and seconds."""

import math
from collections.abc import Callable, Mapping

from hoijax.data.runs import Run

SUCCESS_CM = 5.0  # Chamfer distance
FLIP_DEGREES = 90.0
WORSE_CM = 1.0  # of Chamfer distance more than the start has
SECONDS = {"fit_seconds": "fit", "compile_seconds": "compile"}


def measured(run: Run, name: str, state: str = "result") -> float:
    """A metric that the run holds; NaN where it cannot tell."""
    return run.metrics.get(name, {}).get(state, math.nan)


def success(run: Run, state: str) -> float:
    """1 where the Chamfer distance is under 5 cm, else 0."""
    return _share(measured(run, "chamfer_cm", state), lambda distance: distance < SUCCESS_CM)


def flip(run: Run, state: str) -> float:
    """1 where the rotation error is over 90 degrees, else 0."""
    return _share(measured(run, "rotation_degrees", state), lambda angle: angle > FLIP_DEGREES)


def worse(run: Run, state: str) -> float:
    """1 where the Chamfer distance is more than 1 cm above the start's, else 0."""
    grown = measured(run, "chamfer_cm", state) - measured(run, "chamfer_cm", "start")
    return _share(grown, lambda more: more > WORSE_CM)


RATES: Mapping[str, Callable[[Run, str], float]] = {"success": success, "flip": flip, "worse": worse}


def value(run: Run, name: str, state: str = "result") -> float:
    """A metric or a derived column of a run; NaN where it cannot tell, as of a scene without annotation.

    The seconds are those of the result: a start has none.
    """
    if name in RATES:
        return RATES[name](run, state)
    if name in SECONDS:
        return run.seconds.get(SECONDS[name], math.nan) if state == "result" else math.nan
    return measured(run, name, state)


def is_derived(name: str) -> bool:
    """Whether `value` works the column out, where others are in the run."""
    return name in RATES or name in SECONDS


def _share(number: float, condition: Callable[[float], bool]) -> float:
    return float(condition(number)) if math.isfinite(number) else math.nan
