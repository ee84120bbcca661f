"""Scores of probabilities against values found by hand, calibration against a known distortion."""

import numpy as np
import pytest
from scipy.special import expit

from hoijax.tasks.judge.calibration import both, fit_calibration, probabilities
from hoijax.tasks.judge.data import item_labels
from hoijax.tasks.judge.logistic import fit_logistic, logistic_probabilities
from hoijax.tasks.judge.measures import auroc, bins, measures, seen_at_random, seen_until

NAN = float("nan")


def test_scores_by_hand() -> None:
    said, came = np.array([0.9, 0.8, 0.8, 0.3, 0.1, 0.5]), np.array([1.0, 1.0, 0.0, 1.0, 0.0, NAN])
    found = measures(said, came)
    assert found.n == 5
    assert found.accuracy == pytest.approx(3 / 5)
    # pairs of good (0.9, 0.8, 0.3) and bad (0.8, 0.1): 2 + 1.5 + 1 of 6
    assert found.auroc == pytest.approx(4.5 / 6)
    assert found.brier == pytest.approx((0.01 + 0.04 + 0.64 + 0.49 + 0.01) / 5)
    # bins: {0.1}: 0.1 off, {0.3}: 0.7 off, {0.8, 0.8}: 0.3 off each, {0.9}: 0.1 off
    assert found.ece == pytest.approx((0.1 + 0.7 + 2 * 0.3 + 0.1) / 5)


def test_what_cannot_be_told_is_not_told() -> None:
    assert np.isnan(auroc(np.array([0.2, 0.7]), np.array([1.0, 1.0])))
    with pytest.raises(ValueError, match="no label"):
        measures(np.array([0.2]), np.array([NAN]))


def test_a_certain_yes_is_in_the_last_bin() -> None:
    found = bins(np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    assert found.items[[0, -1]].tolist() == [1, 1]
    assert found.items.sum() == 2


def test_how_many_are_seen() -> None:
    good = np.array([False, True, False, True, True])
    assert seen_until(np.arange(5), good, 2 / 3) == 4
    assert seen_until(np.array([1, 3, 4, 0, 2]), good) == 3
    assert seen_until(np.arange(5), np.zeros(5, bool)) == 0
    rng = np.random.default_rng(0)
    drawn = np.mean([seen_until(rng.permutation(5), good) for _ in range(4000)])
    assert seen_at_random(good) == pytest.approx(drawn, abs=0.05)


def test_an_item_is_bad_when_either_is() -> None:
    labels = np.array([[1, 1], [0, NAN], [NAN, 0], [1, NAN], [NAN, NAN], [0, 1]], float)
    np.testing.assert_array_equal(item_labels(labels), [1, 0, 0, NAN, NAN, 0])


def test_calibration_finds_temperature_and_bias() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, (4000, 2))
    true = np.stack([logits[:, 0] / 3 + 0.5, logits[:, 1] * 2 - 1], 1)
    labels = (rng.random(true.shape) < expit(true)).astype(float)
    labels[:100] = NAN
    found = fit_calibration(logits, labels)
    np.testing.assert_allclose(found.temperature, (3, 0.5), rtol=0.2)
    np.testing.assert_allclose(found.bias, (0.5, -1), atol=0.3)
    np.testing.assert_allclose(probabilities(found, logits), expit(true), atol=0.06)


def test_calibration_stays_finite_without_mistakes_and_idle_without_labels() -> None:
    parted = fit_calibration(np.array([[-5.0, 0], [5, 0]]), np.array([[0.0, NAN], [1, NAN]]))
    assert 0.1 < parted.temperature[0] < 2
    assert (parted.temperature[1], parted.bias[1]) == (1.0, 0.0)
    assert both(probabilities(parted, np.array([[0.0, 0.0]])))[0] == pytest.approx(0.25, abs=0.01)


def test_regression_on_plain_numbers() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(5, 3, (300, 4)).astype(np.float32)
    labels = np.stack([x[:, 1] > 5, x[:, 3] < 4], 1).astype(float)
    labels[::3, 0] = NAN
    found = logistic_probabilities(fit_logistic(x, labels), x)
    assert ((found[:, 0] > 0.5) == (x[:, 1] > 5)).mean() > 0.97
    assert ((found[:, 1] > 0.5) == (x[:, 3] < 4)).mean() > 0.97
