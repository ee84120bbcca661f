"""Label scores against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, hamming_loss, jaccard_score

from hoijax.metrics.labels import label_scores


def labels(seed: int, images: int = 40, share: float = 0.15) -> np.ndarray:
    return np.random.default_rng(seed).random((images, 34)) < share


@pytest.mark.parametrize("average", ["samples", "micro", "macro"])
@pytest.mark.parametrize("share", [0.01, 0.15, 0.6])
@pytest.mark.parametrize("empty", [0.0, 1.0])
def test_scores_are_those_of_scikit_learn(average: str, share: float, empty: float) -> None:
    predicted, true = labels(0, share=share), labels(1, share=share)
    scores = label_scores(predicted, true, average, empty)
    assert scores.f1 == pytest.approx(f1_score(true, predicted, average="micro", zero_division=empty))
    assert scores.hamming == pytest.approx(hamming_loss(true, predicted))
    assert scores.jaccard == pytest.approx(jaccard_score(true, predicted, average=average, zero_division=empty))


def test_perfect_and_opposite_predictions() -> None:
    true = labels(2)
    assert label_scores(true, true) == (1, 0, 1)
    assert label_scores(~true, true) == (0, 1, 0)


def test_nothing_predicted_where_nothing_is_true() -> None:
    none = np.zeros((3, 34), bool)
    assert label_scores(none, none) == (1, 0, 1)
    assert label_scores(none, none, empty=0.0) == (0, 0, 0)


def test_no_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"found shape \(0, 34\)"):
        label_scores(np.zeros((0, 34), bool), np.zeros((0, 34), bool))
