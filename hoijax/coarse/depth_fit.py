"""From the unit of a depth map to metres: z_metric = a z + b, fitted where the human's place is known (method 8.2)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

CAUCHY = 2.385  # residuals of this many standard deviations weigh half (95 % efficiency for normal noise)
MAD = 1.4826  # standard deviation of normal noise over its median absolute deviation
ITERATIONS = 20
INVERTED = -0.5  # correlation under which a depth map is taken to grow towards the camera
FAINT = 0.2  # correlation under which the slope of the line is not believed


class DepthFit(NamedTuple):
    """z_metric = scale * z + shift. `correlation` of map and human over the pixels that the fit believes, -1 to 1."""

    scale: float
    shift: float
    correlation: float


def median_line(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Slope and offset of y = slope x + offset from medians: of y in the lower and the upper third of x (Tukey 1971).

    Breaks down only when a third of the points near one end are outliers. Points with one x only: slope 0.
    """
    low, high = np.quantile(x, (1 / 3, 2 / 3))
    left, right = x <= low, x >= high
    run = np.median(x[right]) - np.median(x[left])
    slope = float((np.median(y[right]) - np.median(y[left])) / run) if run > 0 else 0.0
    return slope, float(np.median(y - slope * x))


def robust_line(
    x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], iterations: int = ITERATIONS
) -> tuple[float, float, Float[np.ndarray, " n"]]:
    """Slope, offset and weights of y = slope x + offset by iteratively reweighted least squares from `median_line`.

    w = 1 / (1 + (r / (c sigma))^2), c = 2.385, sigma = 1.4826 median |r| (Cauchy's estimator, Holland and Welsch 1977).
    """
    slope, offset = median_line(x, y)
    weight = np.ones_like(x)
    for _ in range(iterations):
        residual = y - slope * x - offset
        sigma = MAD * np.median(np.abs(residual))
        weight = 1 / (1 + (residual / (CAUCHY * max(sigma, 1e-9 * np.abs(y).max(), 1e-12))) ** 2)
        mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
        variance = (weight * (x - mean_x) ** 2).sum()
        slope = float((weight * (x - mean_x) * (y - mean_y)).sum() / variance) if variance > 0 else 0.0
        offset = float(mean_y - slope * mean_x)
    return slope, offset, weight


def depth_fit(z: Float[np.ndarray, " n"], metric: Float[np.ndarray, " n"]) -> DepthFit:
    """a, b of metric = a z + b from pixels of the human: depth map `z`, mesh `metric` (metres).

    The noise is in the map, so the residual is taken there: z = (metric - b) / a is fitted by `robust_line` and solved
    for a and b. The fit of metric on z instead would shrink a, by the share of noise in the variance of z.
    Where the map hardly follows the human's relief (correlation under 0.2, so also where a <= 0) a is the ratio of the two
    spreads from the 5 to the 95 % quantile. Raises ValueError when the map clearly falls.
    """
    slope, offset, weight = robust_line(metric, z)
    correlation = weighted_correlation(metric, z, weight)
    if correlation < INVERTED:
        raise ValueError(
            f"the depth map falls where the human's mesh recedes (correlation {correlation:.2f}): is it an inverse depth?"
        )
    if slope > 0 and correlation >= FAINT:
        return DepthFit(1 / slope, -offset / slope, correlation)
    spread, metric_spread = (float(np.subtract(*np.quantile(values, (0.95, 0.05)))) for values in (z, metric))
    scale = metric_spread / spread if spread > 0 and metric_spread > 0 else 1.0
    return DepthFit(scale, float(np.median(metric) - scale * np.median(z)), correlation)


def weighted_correlation(
    x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], weight: Float[np.ndarray, " n"]
) -> float:
    """Pearson's correlation with weights; 0 where one of the two does not vary."""
    dx, dy = (values - np.average(values, weights=weight) for values in (x, y))
    norm = np.sqrt((weight * dx**2).sum() * (weight * dy**2).sum())
    return float((weight * dx * dy).sum() / norm) if norm > 0 else 0.0
