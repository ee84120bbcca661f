"""Statistics against their definitions, written out."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import rankdata

from hoijax.report.statistics import estimate, paired_p

NAN = math.nan


def exact_p(differences: list[float]) -> float:
    """Wilcoxon's two-sided p by trying every choice of signs."""
    ranks = rankdata(np.abs(differences))
    seen = ranks[np.array(differences) > 0].sum()
    sums = [np.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=len(ranks))]
    centre = ranks.sum() / 2
    return float(np.mean(np.abs(np.array(sums) - centre) >= abs(seen - centre) - 1e-9))


def test_mean_and_standard_error_are_over_what_is_known() -> None:
    found = estimate([1.0, NAN, 4.0, 7.0, math.inf])
    assert found.mean == 4.0
    assert found.error == pytest.approx(math.sqrt(9.0) / math.sqrt(3))  # s² = (9 + 0 + 9) / 2
    assert found.scenes == 3


def test_one_value_has_no_error_and_none_no_mean() -> None:
    assert estimate([2.5])[0] == 2.5
    assert math.isnan(estimate([2.5]).error)
    assert math.isnan(estimate([NAN]).mean)
    assert estimate([]).scenes == 0


@pytest.mark.parametrize("seed", range(5))
def test_p_is_that_of_all_sign_choices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=9), rng.normal(loc=0.5, size=9)
    assert paired_p(list(a), list(b)) == pytest.approx(exact_p(list(a - b)), abs=1e-12)


def test_only_pairs_count_that_both_can_tell() -> None:
    a, b = [1.0, 2.5, NAN, 4.0, 5.5, 9.0], [0.0, 2.0, 3.0, NAN, 2.0, 1.0]
    assert paired_p(a, b) == pytest.approx(exact_p([1.0, 0.5, 3.5, 8.0]))


def test_equal_rows_do_not_differ_and_nothing_is_not_known() -> None:
    assert paired_p([1.0, 2.0], [1.0, 2.0]) == 1.0
    assert math.isnan(paired_p([NAN, 1.0], [1.0, NAN]))
    assert math.isnan(paired_p([], []))
