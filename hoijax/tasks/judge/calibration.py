"""Probabilities that mean what they say: temperature and bias of each logit, fitted on examples apart (Guo et al. 2017)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import expit


class Calibration(NamedTuple):
    """p = sigmoid(logit / temperature + bias), for human and object each."""

    temperature: tuple[float, float] = (1.0, 1.0)
    bias: tuple[float, float] = (0.0, 0.0)


def fit_calibration(logits: Float[np.ndarray, "n 2"], labels: Float[np.ndarray, "n 2"]) -> Calibration:
    """The calibration under which the labels that are known (not NaN) are likeliest.

    A weak prior, log temperature and bias each normal(0, 1), keeps the fit finite where the logits part the labels without
    a mistake; without any label it alone decides, and nothing changes.
    """
    pairs = [_fit(logits[:, k].astype(np.float64), labels[:, k]) for k in range(2)]
    return Calibration((pairs[0][0], pairs[1][0]), (pairs[0][1], pairs[1][1]))


def _fit(logits: Float[np.ndarray, " n"], labels: Float[np.ndarray, " n"]) -> tuple[float, float]:
    known = np.isfinite(labels)
    z, y = logits[known], labels[known]

    def energy(x: Float[np.ndarray, "2"]) -> tuple[float, Float[np.ndarray, "2"]]:
        scaled = z * np.exp(-x[0])
        value = scaled + x[1]
        error = expit(value) - y
        total = float((np.logaddexp(0, value) - y * value).sum() + (x**2).sum() / 2)
        return total, np.array([(error * -scaled).sum(), error.sum()]) + x

    found = minimize(energy, np.zeros(2), jac=True, method="L-BFGS-B").x
    return float(np.exp(found[0])), float(found[1])


def probabilities(calibration: Calibration, logits: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    """Of human and object to be good."""
    return expit(np.asarray(logits, np.float64) / np.array(calibration.temperature) + np.array(calibration.bias))


def both(found: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
    """Of the item to pass: the product, as the object was mostly judged where the human had passed, so its probability is
    one given that."""
    return found.prod(1)
