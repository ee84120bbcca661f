"""What the judge sees of real sample files: it changes with what an annotator would see, and never breaks."""

import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.data.sample import Sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.synthetic.flaws import Flaw, with_flaw
from hoijax.tasks.judge.data import FARTHEST, PICTURE, SCALARS, JudgeInput, augmented, judge_input, stacked


@pytest.fixture(scope="module")
def good() -> Sample:
    return synthetic_sample("ball", 0)


def named(given: JudgeInput) -> dict[str, float]:
    return dict(zip(SCALARS, np.asarray(given.scalars).tolist(), strict=True))


def test_a_good_sample(good: Sample) -> None:
    found = judge_input(good, points=64)
    assert found.picture.shape == (PICTURE, PICTURE, 7)
    assert found.human.shape == found.object.shape == (64, 3)
    assert all(np.isfinite(np.asarray(field)).all() for field in found)
    assert named(found)["iou human"] > 0.9
    assert named(found)["gap"] < 0.1
    again = judge_input(good, points=64)
    assert all(np.array_equal(a, b) for a, b in zip(found, again))


def test_flaws_are_seen(good: Sample) -> None:
    rng = np.random.default_rng(0)
    before = named(judge_input(good, 64))
    moved = named(judge_input(with_flaw(good, Flaw("human", "bad human", "moved"), rng), 64))
    assert moved["iou human"] < before["iou human"] - 0.2
    half = named(judge_input(with_flaw(good, Flaw("object", "bad mask", "half"), rng), 64))
    assert half["log object mask"] < before["log object mask"] - 0.4
    cut = named(judge_input(with_flaw(good, Flaw("human", "too occluded", "covered"), rng), 64))
    assert cut["log human seen"] < before["log human seen"] - 0.5


def test_meshes_outside_of_the_picture_and_masks_of_a_pixel(good: Sample) -> None:
    dot = np.zeros_like(good.human_mask)
    dot[3, 3] = True
    away = good.pose._replace(translation=good.pose.translation + jnp.asarray([500.0, 0, 0]))
    lost = good._replace(human_mask=dot, object_mask=dot, pose=away)
    far = lost._replace(object=good.object._replace(verts=good.object.verts + np.float32([900, 0, 0])))
    found = judge_input(far, 64)
    assert all(np.isfinite(np.asarray(field)).all() for field in found)
    assert np.abs(found.object).max() <= FARTHEST


def test_a_photograph_twice_as_large_looks_the_same(good: Sample) -> None:
    def large(values: np.ndarray) -> np.ndarray:
        return values.repeat(2, 0).repeat(2, 1)

    camera = good.camera._replace(focal=good.camera.focal * 2, center=good.camera.center * 2)
    masks = large(good.human_mask), large(good.object_mask)
    twice = good._replace(image=large(good.image), human_mask=masks[0], object_mask=masks[1], camera=camera)
    one, two = judge_input(good, 64), judge_input(twice, 64)
    np.testing.assert_allclose(one.scalars, two.scalars, atol=0.02)
    assert np.abs(np.asarray(one.picture) - np.asarray(two.picture)).mean() < 0.01


def test_changed_examples_keep_people_upright_and_mirror_all_alike(good: Sample) -> None:
    given = stacked([judge_input(good, 64)] * 16)
    found = augmented(given, np.random.default_rng(0))
    np.testing.assert_allclose(found.human[..., 1], given.human[..., 1], atol=0.02)
    np.testing.assert_array_equal(found.scalars, given.scalars)
    masks = np.asarray(found.picture)[..., 3:]
    mirrored = [bool(np.array_equal(one, np.asarray(given.picture)[0, :, ::-1, 3:])) for one in masks]
    as_it_was = [bool(np.array_equal(one, np.asarray(given.picture)[0, ..., 3:])) for one in masks]
    assert any(mirrored)
    assert any(as_it_was)
    assert all(a != b for a, b in zip(mirrored, as_it_was))
    # a mirrored cloud has the other handedness: of four corners the triple product changes its sign
    volume = np.linalg.det(np.asarray(found.human)[:, 1:4] - np.asarray(found.human)[:, :1])
    assert (np.sign(volume[mirrored]) == -np.sign(volume[as_it_was][0])).mean() > 0.8
