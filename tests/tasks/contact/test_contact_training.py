"""Training of the contact network: it learns what it has not seen, stops and goes on to the same bits."""

from pathlib import Path

import jax
import numpy as np
import pytest

from hoijax.data.sample import SampleError
from hoijax.metrics.labels import label_scores
from hoijax.tasks.contact.data import Examples
from hoijax.tasks.contact.net import ContactInput, ContactNetConfig, Level
from hoijax.tasks.contact.table import Row, plain_rows, table_csv, table_latex, table_markdown, table_text
from hoijax.tasks.contact.training import (
    DataRecord,
    TrainOptions,
    digest_of,
    load_record,
    load_trained,
    probabilities,
    train,
)
from hoijax.tasks.training import Epoch

TINY = ContactNetConfig(inputs="points", levels=(Level(8, 0.5, 4, (8,)),), cloud_widths=(16,), head=(16,), dropout=0.1)
OPTIONS = TrainOptions(epochs=24, batch=10, patience=24, rate=1e-2)


def sides(count: int, seed: int) -> Examples:
    """A ball left or right of a body, near the right or the left elbow, which it touches."""
    rng = np.random.default_rng(seed)
    side = rng.choice([-1.0, 1.0], count)
    human = rng.normal(0, 0.3, (count, 48, 3))
    thing = rng.normal(0, 0.1, (count, 48, 3)) + side[:, None, None] * np.array([0.6, 0, 0])
    labels = np.zeros((count, 34), bool)
    labels[:, 8], labels[:, 9] = side > 0, side < 0  # "left elbow", "right elbow": a mirrored scene is one of the other
    given = ContactInput(human.astype(np.float32), thing.astype(np.float32), np.zeros((count, 8, 8, 5), np.float32))
    return Examples(tuple(f"ball/hold_{k}" for k in range(count)), given, labels, np.where(labels, 0.01, 0.2))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    train(TINY, OPTIONS, sides(60, 0), sides(16, 1), folder, lambda epoch: None, DataRecord(points=48))
    return folder


@pytest.mark.slow
def test_it_learns_better_than_what_is_most_common(trained: Path) -> None:
    unseen = sides(40, 2)
    found = probabilities(load_trained(trained, unseen), unseen)
    scores = label_scores(found > 0.5, unseen.labels)
    chance, near = plain_rows(sides(60, 0), unseen, "truth")
    assert scores.f1 > 0.9
    assert scores.f1 > chance.scores[0].f1 + 0.2
    assert near.scores[0].f1 == 1.0
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.slow
def test_a_stopped_training_ends_with_the_same_network(trained: Path, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 7:
            raise Stop

    def go(tell: object) -> None:
        train(TINY, OPTIONS, sides(60, 0), sides(16, 1), tmp_path, tell, DataRecord(points=48))

    with pytest.raises(Stop):
        go(stop)
    epochs: list[int] = []
    go(lambda epoch: epochs.append(epoch.epoch))
    assert epochs == list(range(8, 25))
    one, other = (load_trained(folder, sides(2, 0)) for folder in (trained, tmp_path))
    assert one.epoch == other.epoch
    for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(other.params)):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_a_folder_tells_what_it_was_trained_on(trained: Path, tmp_path: Path) -> None:
    record = load_record(trained)
    data = DataRecord(points=48, examples=digest_of(TINY, sides(60, 0), sides(16, 1)))
    assert (record.network, record.training, record.data) == (TINY, OPTIONS, data)
    with pytest.raises(SampleError, match=r"\(data\.examples\)"):
        train(TINY, OPTIONS, sides(60, 3), sides(16, 1), trained, lambda epoch: None, DataRecord(points=48))
    with pytest.raises(SampleError, match=r"data\.object"):
        train(TINY, OPTIONS, sides(4, 0), sides(4, 1), trained, lambda epoch: None, DataRecord("start", 48))
    with pytest.raises(SampleError, match=r"no config\.json"):
        load_record(tmp_path)
    (tmp_path / "config.json").write_text('{"network": {"inputs": "points"}, "training": {}}')
    with pytest.raises(SampleError, match="cannot be understood"):
        load_record(tmp_path)


def test_the_table_holds_means_and_errors_over_the_seeds() -> None:
    truth = np.random.default_rng(0).random((6, 34)) < 0.5
    half = truth.copy()
    half[:, :17] = ~half[:, :17]
    scores = tuple(label_scores(found, truth) for found in (truth, truth, half))
    rows = [Row("points", "truth", scores), Row("the same for all", "", scores[:1])]
    text, page, sheet = table_text(rows), table_markdown(rows, ["A line."]), table_csv(rows)
    mean = np.mean([score.f1 for score in scores])
    error = np.std([score.f1 for score in scores], ddof=1) / np.sqrt(3)
    assert f"{mean:.3f} ± {error:.3f}" in text
    assert f"{mean:.3f} ± {error:.3f}" in page
    assert "| the same for all | – | 1.000 | 0.000 | 1.000 | 1 |" in page
    assert "A line." in page
    assert len(sheet.splitlines()) == 1 + 3 + 1
    latex = table_latex(rows, ["50 % of it"])
    assert latex.count(r"\\") == 3
    assert r"50 \% of it" in latex
