"""Agreement of predicted and true body parts in contact, as labels of images (Open3DHOI Table 8)."""

from typing import Literal, NamedTuple

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool


class LabelScores(NamedTuple):
    """F1 and Jaccard in [0, 1], higher is better; Hamming loss in [0, 1], lower is better."""

    f1: float
    hamming: float
    jaccard: float


def label_scores(
    predicted: Bool[ArrayLike, "n p"],
    true: Bool[ArrayLike, "n p"],
    jaccard: Literal["samples", "micro", "macro"] = "samples",
    empty: float = 1.0,
) -> LabelScores:
    """Scores of p labels on n images, from the counts TP, FP, FN.

    f1: micro average, 2 TP / (2 TP + FP + FN) of all labels of all images. hamming: share of the n p labels that are
    wrong. jaccard: TP / (TP + FP + FN), as the mean over images ("samples"), over labels ("macro"), or of all counts
    together ("micro"). Where prediction and truth are both empty a ratio is `empty` (scikit-learn's `zero_division`).
    Raises ValueError for no images or no labels.
    """
    found, truth = np.asarray(predicted, bool), np.asarray(true, bool)
    if not found.size:
        raise ValueError(f"label_scores: expected one or more images and labels, found shape {found.shape}")
    axis = {"samples": 1, "macro": 0, "micro": None}[jaccard]
    hits, either = (found & truth).sum(axis), (found | truth).sum(axis)
    per_group = np.where(either > 0, hits / np.maximum(either, 1), empty)
    total_hits, claims = int((found & truth).sum()), int(found.sum() + truth.sum())
    return LabelScores(
        f1=2 * total_hits / claims if claims else empty,
        hamming=float((found != truth).mean()),
        jaccard=float(per_group.mean()),
    )
