"""Statistics of a metric over scenes, and the paired test between two rows of a table."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import wilcoxon

LEVEL = 0.05  # a difference with a smaller p is marked


class Estimate(NamedTuple):
    """Mean (or median) and its standard error over the `scenes` values that are known; NaN for what they cannot tell."""

    mean: float
    error: float
    scenes: int


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and standard error s / sqrt(n), s with n - 1, of the finite values."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    count = len(known)
    mean = float(known.mean()) if count else np.nan
    error = float(known.std(ddof=1) / np.sqrt(count)) if count > 1 else np.nan
    return Estimate(mean, error, count)


def median_estimate(values: Sequence[float]) -> Estimate:
    """The median of the finite values in the place of their mean; no error is told."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    return Estimate(float(np.median(known)) if len(known) else np.nan, np.nan, len(known))


def paired_p(ours: Sequence[float], reference: Sequence[float]) -> float:
    """p of the two-sided Wilcoxon signed-rank test over the scenes that both can tell.

    NaN without such a scene, 1 where all pairs are equal. Pairs without a difference are left out, as Wilcoxon did.
    """
    a, b = np.asarray(ours, np.float64), np.asarray(reference, np.float64)
    both = np.isfinite(a) & np.isfinite(b)
    if not both.any():
        return float(np.nan)
    difference = (a - b)[both]
    if not difference.any():
        return 1.0
    return float(wilcoxon(difference).pvalue)
