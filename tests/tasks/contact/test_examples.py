"""Examples: splits that stay, mirrors that mirror, a cache that follows the files."""

import json
import shutil
from pathlib import Path
from types import ModuleType

import jax
import numpy as np
import pytest

from hoijax.body.parts import PART_NAMES
from hoijax.data.read import load_sample
from hoijax.data.sample import SampleError
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample
from hoijax.tasks.contact import store
from hoijax.tasks.contact.data import (
    MIRROR,
    ExampleOptions,
    Examples,
    augmented,
    example,
    split_of,
    stacked,
    subset,
    with_groups,
)
from hoijax.tasks.contact.net import ContactInput, ContactNetConfig, Level
from hoijax.tasks.contact.parts import best_reach
from hoijax.tasks.contact.store import load_examples


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree") / "ball" / "hold_0"
    sample = synthetic_sample("ball", 0)
    assert sample.truth is not None
    moved = sample.truth._replace(verts=sample.truth.verts + np.array([0.0, 0.0, 0.3]))
    save_sample(sample._replace(object=moved), folder)
    return folder


@pytest.fixture
def folder(stored: Path, tmp_path: Path) -> Path:
    return shutil.copytree(stored, tmp_path / "ball" / "hold_0")


def some(count: int, feature: int = 0, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    image = rng.random((count, feature) if feature else (count, 8, 8, 5)).astype(np.float32)
    human, thing = (rng.normal(size=(count, 40, 3)).astype(np.float32) for _ in range(2))
    labels, gaps = rng.random((count, 34)) < 0.3, rng.normal(size=(count, 34))
    return Examples(tuple(f"ball/hold_{k}" for k in range(count)), ContactInput(human, thing, image), labels, gaps)


def test_a_split_depends_on_the_name_alone_and_stays() -> None:
    names = [f"{thing}/hold_{k}" for thing in ("ball", "cup", "horse") for k in range(200)]
    found = [split_of(name) for name in names]
    assert [found.count(split) / len(names) for split in ("train", "validation", "test")] == pytest.approx(
        [0.7, 0.15, 0.15], abs=0.05
    )
    # Written down: a model that was trained yesterday must not be judged on what it learned from.
    assert [split_of(f"ball/hold_{k}") for k in range(8)] == SPLIT_OF_BALLS
    assert {split_of(name, "category") for name in names if name.startswith("horse")} == {"test"}


SPLIT_OF_BALLS = ["train", "train", "train", "test", "train", "train", "train", "train"]


def test_a_sample_is_in_the_same_split_whichever_folder_is_read() -> None:
    for by in ("sample", "category"):
        for k in range(20):
            whole = split_of(f"ball/hold_{k}", by)
            assert split_of(f"/data/train/ball/hold_{k}", by) == split_of(f"train/ball/hold_{k}", by) == whole
    flat = {split_of(f"/data/coffee_cup-drinking_{k}", "category") for k in range(20)}
    assert flat == {split_of("coffee cup/drinking_1", "category")}
    assert len({split_of(f"/data/coffee_cup-drinking_{k}") for k in range(20)}) > 1


def test_mirrored_parts_change_sides() -> None:
    for part, other in zip(PART_NAMES, MIRROR):
        expected = part.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
        assert PART_NAMES[other] == expected
    assert [MIRROR[k] for k in MIRROR] == list(range(34))


def test_a_mirrored_scene_touches_with_the_other_hand() -> None:
    examples = some(40)
    found = augmented(examples, np.random.default_rng(1))
    flipped = 0
    for k in range(40):
        before, after = examples.given.human[k], found.given.human[k]
        turn = np.linalg.lstsq(before, after, rcond=None)[0]
        mirrored = np.linalg.det(turn) < 0
        flipped += mirrored
        np.testing.assert_allclose(before @ turn, after, atol=0.02)  # rigid, but for some millimetres
        np.testing.assert_allclose(turn.T @ turn, np.eye(3), atol=0.01)
        np.testing.assert_allclose(examples.given.object[k] @ turn, found.given.object[k], atol=0.02)
        order = np.array(MIRROR) if mirrored else np.arange(34)
        np.testing.assert_array_equal(found.labels[k], examples.labels[k][order])
        np.testing.assert_array_equal(found.gaps[k], examples.gaps[k][order])
        image = np.asarray(examples.given.image[k])
        np.testing.assert_array_equal(found.given.image[k], image[:, ::-1] if mirrored else image)
    assert 8 < flipped < 32


def test_a_scene_with_a_feature_is_not_mirrored() -> None:
    examples = some(20, feature=16)
    found = augmented(examples, np.random.default_rng(1))
    np.testing.assert_array_equal(found.labels, examples.labels)
    np.testing.assert_array_equal(found.given.image, examples.given.image)


def test_groups_follow_their_examples() -> None:
    config = ContactNetConfig(inputs="points", levels=(Level(6, 0.9, 4, (4,)),))
    examples = with_groups(some(7), config, 4)
    alone = with_groups(subset(some(7), [5]), config, 4)
    for many, one in zip(jax.tree.leaves(subset(examples, [5]).given.groups), jax.tree.leaves(alone.given.groups)):
        np.testing.assert_array_equal(many, one)
    assert with_groups(some(2), ContactNetConfig(inputs="image")).given.groups is None


def test_an_example_says_what_the_sample_says(folder: Path) -> None:
    sample = load_sample(folder)
    made, start = (example(sample, ExampleOptions(thing, 128)) for thing in ("truth", "start"))
    assert set(np.array(PART_NAMES)[made.labels]) == set(sample.contact_parts)
    np.testing.assert_array_equal(made.given.human, start.given.human)
    np.testing.assert_allclose(start.given.object - made.given.object, np.float32([[0, 0, 0.3]] * 128), atol=1e-5)
    assert (made.gaps[made.labels] < 0.03).all()
    assert start.gaps[made.labels].min() > made.gaps[made.labels].min()
    with pytest.raises(SampleError, match="nothing to learn"):
        example(sample._replace(contact_parts=None), ExampleOptions())
    with pytest.raises(SampleError, match="no annotated object"):
        example(sample._replace(truth=None), ExampleOptions())
    assert not example(sample._replace(contact_parts=None), ExampleOptions(points=64), labelled=False).labels.any()


def test_the_cache_follows_the_files_and_the_options(folder: Path, tmp_path: Path) -> None:
    cache, told = tmp_path / "cache", []

    def read(**options: int) -> Examples:
        options_ = ExampleOptions(points=64, **options)
        return load_examples({"ball/hold_0": folder}, options_, cache, lambda name, why: told.append(why))

    first, again = read(), read()
    assert len(list(cache.iterdir())) == 1
    assert again.names == ("ball/hold_0",)
    np.testing.assert_array_equal(first.given.human, again.given.human)
    np.testing.assert_array_equal(first.gaps, again.gaps)
    parts = folder / "contact_label" / "human_part.json"
    parts.write_text(json.dumps(["nose"]))
    assert np.flatnonzero(read().labels[0]).tolist() == [PART_NAMES.index("nose")]
    for path in cache.iterdir():
        path.write_bytes(path.read_bytes()[:100])  # half written by something that is not this program
    assert np.flatnonzero(read().labels[0]).tolist() == [PART_NAMES.index("nose")]
    assert not told


def test_the_cache_follows_what_makes_an_example(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def key() -> str:
        return store.fingerprint(folder, ExampleOptions(points=64), None, True)

    before = key()
    assert key() == before
    with monkeypatch.context() as patch:
        patch.setattr(store, "PART_NAMES", PART_NAMES[::-1])
        assert key() != before
    code = tmp_path / "sampling.py"
    keys = {before}
    for text in ("seed = 0", "seed = 1"):
        code.write_text(text)
        module = ModuleType("sampling")
        module.__file__ = str(code)
        with monkeypatch.context() as patch:
            patch.setattr(store, "SOURCES", (*store.SOURCES, module))
            keys.add(key())
    assert len(keys) == 3


def test_features_come_from_their_folder_and_are_checked(folder: Path, tmp_path: Path) -> None:
    told: list[str] = []

    def read() -> Examples:
        options = ExampleOptions(points=64, feature=16)
        cache, features = tmp_path / "cache", tmp_path / "features"
        return load_examples({"ball/hold_0": folder}, options, cache, lambda name, why: told.append(why), features)

    path = tmp_path / "features" / "ball" / "hold_0" / "clip.npy"
    path.parent.mkdir(parents=True)
    np.save(path, np.arange(16, dtype=np.float32))
    feature = np.asarray(read().given.image[0])
    assert feature.shape == (16,)
    np.testing.assert_allclose(np.linalg.norm(feature), 4.0, rtol=1e-5)
    for wrong, why in ((np.zeros(15), "expected 16"), (np.full(16, np.nan), "finite")):
        np.save(path, wrong)
        with pytest.raises(ValueError, match="none of the samples"):
            read()
        assert why in told[-1]
        assert str(path) in told[-1]


def test_the_best_reach_is_that_of_a_plain_search() -> None:
    rng = np.random.default_rng(0)
    gaps = np.abs(rng.normal(size=(12, 34)))
    labels = rng.random((12, 34)) < np.exp(-5 * gaps)

    def f1(reach: float) -> float:
        found = gaps < reach
        return 2 * (found & labels).sum() / (found.sum() + labels.sum())

    best = best_reach(gaps, labels)
    assert f1(best) == pytest.approx(max(f1(reach) for reach in np.linspace(0, 2, 4001)), abs=2e-3)
    assert f1(best) >= max(f1(reach) for reach in np.linspace(0, 2, 4001))


def test_examples_are_stacked_in_their_order(folder: Path) -> None:
    made = example(load_sample(folder), ExampleOptions(points=64))
    both = stacked(["a", "b"], [made, made._replace(labels=~made.labels)])
    assert both.names == ("a", "b")
    np.testing.assert_array_equal(both.labels, [made.labels, ~made.labels])
    assert subset(both, np.array([False, True])).names == ("b",)
