"""The unit of a depth map from the human."""

import numpy as np
import pytest

from hoijax.coarse.depth_fit import depth_fit, median_line, robust_line


@pytest.fixture
def relief() -> np.ndarray:
    """Depths of a human, metres: 25 m away, 0.6 m of relief."""
    return 25 + 0.3 * np.sin(np.linspace(0, 40, 5000)) * np.linspace(0.5, 1, 5000)


def test_clean_data_give_the_least_squares_line(relief) -> None:
    noisy = 0.4 * relief - 3 + np.random.default_rng(0).normal(0, 0.01, relief.shape)
    slope, offset, weight = robust_line(relief, noisy)
    expected = np.polyfit(relief, noisy, 1)
    assert slope == pytest.approx(expected[0], rel=3e-3)
    assert offset == pytest.approx(expected[1], abs=0.02)
    assert weight.min() > 0.1
    exact = robust_line(relief, 0.4 * relief - 3)
    assert exact[:2] == pytest.approx((0.4, -3), abs=1e-9)


def test_exact_maps_are_inverted_exactly(relief) -> None:
    fit = depth_fit((relief - 24.2) / 7.5, relief)
    assert fit.scale == pytest.approx(7.5, rel=1e-9)
    assert fit.shift == pytest.approx(24.2, abs=1e-8)
    assert fit.correlation == pytest.approx(1)


@pytest.mark.parametrize("share", [0.05, 0.15])
def test_outliers_and_noise_hardly_move_it(relief, share) -> None:
    rng = np.random.default_rng(1)
    z = (relief - 24.2) / 7.5 + rng.normal(0, 0.05 / 7.5, relief.shape)
    bad = rng.random(z.shape) < share
    z[bad] = rng.uniform(0, 3, bad.sum())
    fit = depth_fit(z, relief)
    assert fit.scale == pytest.approx(7.5, rel=0.02)
    assert np.median(fit.scale * z + fit.shift - relief) == pytest.approx(0, abs=0.015)
    plain = np.polyfit(z, relief, 1)[0]
    assert abs(plain - 7.5) > 10 * abs(fit.scale - 7.5)


def test_median_line_stands_a_quarter_of_outliers(relief) -> None:
    z = 2 * relief - 1
    z[::4] = 1000
    slope, _ = median_line(relief, z)
    assert slope == pytest.approx(2, rel=0.1)
    assert median_line(np.ones(9), np.arange(9.0)) == (0.0, 4.0)


def test_an_inverse_depth_is_refused(relief) -> None:
    with pytest.raises(ValueError, match="inverse depth"):
        depth_fit(1 / relief, relief)


def test_a_map_without_relief_takes_the_ratio_of_spreads(relief) -> None:
    z = np.random.default_rng(2).permutation(relief) / 3
    fit = depth_fit(z, relief)
    assert abs(fit.correlation) < 0.2
    assert fit.scale == pytest.approx(3, rel=1e-6)
    assert np.median(fit.scale * z + fit.shift) == pytest.approx(np.median(relief))


def test_a_flat_map_keeps_its_unit(relief) -> None:
    fit = depth_fit(np.full_like(relief, 2.0), relief)
    assert fit.scale == 1.0
    assert fit.shift == pytest.approx(np.median(relief) - 2)
