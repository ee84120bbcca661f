"""How good probabilities are, and how much an order by them saves. Labels are 1 (good) or 0; NaN: unknown, left out."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import rankdata

BINS = 10


class Measures(NamedTuple):
    """Of n judged: accuracy at 0.5, area under the ROC curve (NaN where all are alike), Brier score, expected calibration
    error over `BINS` bins of equal width."""

    n: int
    accuracy: float
    auroc: float
    brier: float
    ece: float


class Bins(NamedTuple):
    """A reliability diagram: of each bin of equal width how many there are, their mean probability, the share of good ones;
    NaN in an empty bin."""

    items: Int[np.ndarray, " b"]
    said: Float[np.ndarray, " b"]
    came: Float[np.ndarray, " b"]


def measures(said: Float[np.ndarray, " n"], labels: Float[np.ndarray, " n"]) -> Measures:
    """Raises ValueError where no label is known."""
    p, y = known(said, labels)
    if not len(y):
        raise ValueError("measures: no label is known")
    found = bins(p, y)
    some = found.items > 0
    ece = float((found.items[some] * np.abs(found.said[some] - found.came[some])).sum() / len(y))
    return Measures(len(y), float(((p > 0.5) == (y > 0.5)).mean()), auroc(p, y), float(((p - y) ** 2).mean()), ece)


def known(
    said: Float[np.ndarray, " n"], labels: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Those whose label is known."""
    there = np.isfinite(labels)
    return np.asarray(said, np.float64)[there], np.asarray(labels, np.float64)[there]


def auroc(said: Float[np.ndarray, " n"], labels: Float[np.ndarray, " n"]) -> float:
    """Probability that a good one is ranked above one that is not, ties half (Mann-Whitney U)."""
    good = labels > 0.5
    n, m = int(good.sum()), int((~good).sum())
    if not n or not m:
        return float("nan")
    return float((rankdata(said)[good].sum() - n * (n + 1) / 2) / (n * m))


def bins(said: Float[np.ndarray, " n"], labels: Float[np.ndarray, " n"], count: int = BINS) -> Bins:
    """The reliability diagram. A probability of 1 is in the last bin."""
    place = np.minimum((said * count).astype(int), count - 1)
    number = np.bincount(place, minlength=count)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, values, count) / number for values in (said, labels)]
    return Bins(number, *means)


def seen_until(order: Int[np.ndarray, " n"], good: Bool[np.ndarray, " n"], share: float = 0.9) -> int:
    """How many items somebody who follows `order` looks at until this share of the good ones has been passed."""
    wanted = int(np.ceil(share * good.sum()))
    return int(np.searchsorted(np.cumsum(good[order]), wanted) + 1) if wanted else 0


def seen_at_random(good: Bool[np.ndarray, " n"], share: float = 0.9) -> float:
    """The same, expected of a random order: the k-th of g good ones among n comes at k (n + 1) / (g + 1)."""
    wanted = int(np.ceil(share * good.sum()))
    return wanted * (len(good) + 1) / (int(good.sum()) + 1)
