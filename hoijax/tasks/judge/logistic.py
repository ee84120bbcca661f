"""Logistic regression on the plain numbers alone: what the network has to beat."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import expit


class Logistic(NamedTuple):
    """Logit = ((x - center) / spread) . weights + bias, for human and object each."""

    center: Float[np.ndarray, " k"]
    spread: Float[np.ndarray, " k"]
    weights: Float[np.ndarray, "k 2"]
    bias: Float[np.ndarray, "2"]


def fit_logistic(scalars: Float[np.ndarray, "n k"], labels: Float[np.ndarray, "n 2"], ridge: float = 1.0) -> Logistic:
    """Maximum likelihood with `ridge` / 2 times the squared weights; NaN labels are left out."""
    values = scalars.astype(np.float64)
    center, spread = values.mean(0), values.std(0) + 1e-3
    scaled = (values - center) / spread
    columns = [_fit(scaled[np.isfinite(y)], y[np.isfinite(y)].astype(np.float64), ridge) for y in labels.T]
    return Logistic(center, spread, np.stack([found[:-1] for found in columns], 1), np.array([f[-1] for f in columns]))


def logistic_logits(model: Logistic, scalars: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n 2"]:
    """Of human and object."""
    return (scalars.astype(np.float64) - model.center) / model.spread @ model.weights + model.bias


def logistic_probabilities(model: Logistic, scalars: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n 2"]:
    """Of human and object to be good."""
    return expit(logistic_logits(model, scalars))


def _fit(x: Float[np.ndarray, "n k"], y: Float[np.ndarray, " n"], ridge: float) -> Float[np.ndarray, " j"]:
    def energy(found: Float[np.ndarray, " j"]) -> tuple[float, Float[np.ndarray, " j"]]:
        weights, bias = found[:-1], found[-1]
        value = x @ weights + bias
        error = expit(value) - y
        total = float((np.logaddexp(0, value) - y * value).sum() + ridge * (weights**2).sum() / 2)
        return total, np.append(x.T @ error + ridge * weights, error.sum())

    return np.asarray(minimize(energy, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x)
