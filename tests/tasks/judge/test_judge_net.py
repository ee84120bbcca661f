"""The judge network: unknown labels, learning, training that goes on, and a folder that says what is wrong with it."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.data.sample import SampleError
from hoijax.tasks.encoders import Level
from hoijax.tasks.judge.data import PICTURE, SCALARS, Examples, JudgeInput, subset
from hoijax.tasks.judge.net import JudgeNetConfig, init_state, known_loss, logits
from hoijax.tasks.judge.report import evaluation, reliability_figure, table_files
from hoijax.tasks.judge.training import (
    CALIBRATION_FILE,
    TrainOptions,
    all_logits,
    compiled_logits,
    judged,
    load_judge,
    train,
)

TINY = JudgeNetConfig(
    levels=(Level(8, 0.5, 4, (8,)),),
    cloud_widths=(8,),
    image_widths=(8, 8, 8),
    scalar_widths=(8,),
    head=(16,),
    dropout=0.0,
)
PLAIN = JudgeNetConfig(**{**TINY.__dict__, "inputs": ("scalars",), "scalar_widths": (32,)})
QUICK = TrainOptions(epochs=2, batch=16, rate=1e-2, points=64)


def examples(count: int, seed: int = 0) -> Examples:
    """Humans are good where one number is above 3, objects where another is; some are not judged."""
    rng = np.random.default_rng(seed)
    picture = rng.random((count, PICTURE, PICTURE, 7)).astype(np.float32)
    clouds = rng.normal(0, 0.4, (2, count, 64, 3)).astype(np.float32)
    scalars = rng.normal(3, 2, (count, len(SCALARS))).astype(np.float32)
    labels = (scalars[:, [4, 1]] > 3).astype(float)
    labels[::7, 1] = np.nan
    names = tuple(f"{seed}/{k}" for k in range(count))
    return Examples(names, names, JudgeInput(picture, clouds[0], clouds[1], scalars), labels)


def test_unknown_labels_do_not_count() -> None:
    found = jnp.asarray([[2.0, -1.0], [0.5, 3.0]])
    labels = jnp.asarray([[1.0, jnp.nan], [0.0, jnp.nan]])
    assert float(known_loss(found, labels)) == pytest.approx(np.mean([np.log1p(np.exp(-2)), np.log1p(np.exp(0.5))]))
    gradient = jax.grad(known_loss)(found, labels)
    assert np.isfinite(gradient).all()
    assert not gradient[:, 1].any()
    assert float(known_loss(found, jnp.full((2, 2), jnp.nan))) == 0


@pytest.mark.parametrize("seen", ["picture", "points", "scalars"])
def test_it_sees_only_its_inputs(seen: str) -> None:
    config = JudgeNetConfig(**{**TINY.__dict__, "inputs": (seen,)})
    given, other = examples(2).given, examples(2, seed=5).given
    state = init_state(config, given, 1e-3, jax.random.key(0))

    judge = jax.jit(lambda given: logits(config, state, given))

    def moves(**changed: np.ndarray) -> bool:
        return bool(jnp.abs(judge(given) - judge(given._replace(**changed))).max() > 1e-6)

    assert moves(picture=other.picture + 0.5) == (seen == "picture")
    assert moves(human=other.human) == (seen == "points")
    assert moves(object=other.object) == (seen == "points")
    assert moves(scalars=other.scalars) == (seen == "scalars")


@pytest.mark.slow
def test_it_learns_goes_on_and_is_read_again(tmp_path: Path) -> None:
    learned, validation, held = examples(128), examples(48, 1), examples(64, 2)
    options = TrainOptions(**{**QUICK.__dict__, "epochs": 15})
    whole = train(PLAIN, options, learned, validation, ["anna"], tmp_path / "whole")
    train(PLAIN, QUICK, learned, validation, ["anna"], tmp_path / "parts")
    goes_on = train(PLAIN, options, learned, validation, ["anna"], tmp_path / "parts")
    assert goes_on.identity == whole.identity, "stopped after 2 epochs or not, the numbers are the same"
    again = load_judge(tmp_path / "parts")
    assert (again.identity, again.learned) == (whole.identity, ("anna",))
    said, _ = judged(again, held.given)
    known = np.isfinite(held.labels)
    assert ((said > 0.5) == (held.labels > 0.5))[known].mean() > 0.85
    one, _ = judged(again, subset(held, [3]).given)
    np.testing.assert_allclose(one[0], said[3], atol=1e-5)

    with pytest.raises(SampleError, match=r"other options \(training.rate\)"):
        train(
            PLAIN, TrainOptions(**{**options.__dict__, "rate": 0.5}), learned, validation, ["anna"], tmp_path / "parts"
        )
    alone = evaluation(again, subset(learned, []), held, {"2/0": ("human", "bad mask", "half")})
    assert not any("logistic" in row[0] for table in alone.tables.values() for row in table.rows)
    found = evaluation(again, learned, held, {"2/0": ("human", "bad mask", "half"), "2/1": ("", "", "")})
    assert {"judge", "order", "flaws"} == set(found.tables)
    rows = {row[0]: row for row in found.tables["judge"].rows}
    assert float(rows["human: judge"][2]) > 0.85
    assert float(rows["human: base rate"][3]) == 0.5
    assert all(len(set(map(len, [t.head, *t.rows]))) == 1 for t in found.tables.values())
    files = table_files(found.tables["order"])
    assert files[".csv"].count("\n") == len(found.tables["order"].rows) + 1
    assert files[".tex"].count(r"\%") == len(found.tables["order"].rows)
    assert reliability_figure(found.said, found.labels).startswith(b"\x89PNG")

    (tmp_path / "parts" / CALIBRATION_FILE).write_text(json.dumps({"temperature": [1, 1]}))
    with pytest.raises(SampleError, match=CALIBRATION_FILE):
        load_judge(tmp_path / "parts")


@pytest.mark.slow
def test_a_training_of_other_decisions_is_not_gone_on_with(tmp_path: Path) -> None:
    learned, validation = examples(16), examples(16, 1)
    before = train(PLAIN, QUICK, learned, validation, ["built-in"], tmp_path)
    other = learned._replace(labels=1 - learned.labels)
    for these, those, who in (
        (other, validation, "built-in"),
        (learned, subset(validation, range(8)), "built-in"),
        (learned, validation, "anna"),
    ):
        with pytest.raises(SampleError, match=r"other options \(examples"):
            train(PLAIN, QUICK, these, those, [who], tmp_path)
    again = load_judge(tmp_path)
    assert (again.identity, again.learned) == (before.identity, ("built-in",))


def test_many_chunks_are_compiled_once() -> None:
    given = examples(3).given
    state = init_state(PLAIN, given, 1e-3, jax.random.key(0))
    all_logits(PLAIN, state, given)
    count = compiled_logits._cache_size()
    all_logits(PLAIN, state, examples(40).given)
    assert compiled_logits._cache_size() == count


def test_a_folder_without_a_judge(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"config\.json"):
        load_judge(tmp_path)
    (tmp_path / "config.json").write_text('{"network": {}, "training": {}}')
    with pytest.raises(SampleError, match="no training of a judge"):
        load_judge(tmp_path)
