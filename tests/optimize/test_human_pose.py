"""The human refined by its outline: a moved one comes back, one that is right stays, what is hidden says nothing."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import joint_rotvecs, pose_body, zero_pose
from hoijax.config import Config, Stage
from hoijax.mesh.silhouette import hard_silhouette
from hoijax.optimize.fit import Saved, fit, fit_batch
from hoijax.optimize.human_pose import JOINTS, Offset, moved_pose, refined_human, soft_target, squared_distances
from hoijax.optimize.outcome import Fitted
from hoijax.optimize.step import Given
from hoijax.types import Assets, Camera, HumanPose, Scene
from tests.optimize.conftest import Known

SIDE = 96


def test_squared_distances_are_those_of_a_plain_search() -> None:
    marked = np.random.default_rng(0).random((9, 13)) > 0.9
    rows, columns = np.indices(marked.shape)
    plain = np.min([(rows - i) ** 2 + (columns - j) ** 2 for i, j in np.argwhere(marked)], 0)
    np.testing.assert_array_equal(squared_distances(jnp.asarray(marked)), plain)
    assert (np.asarray(squared_distances(jnp.zeros((4, 5), bool))) > 1e5).all()


def test_the_target_is_a_soft_silhouette_and_knows_what_is_hidden(known: Known) -> None:
    blank = jnp.zeros((SIDE, SIDE))
    scene = known.scene._replace(
        valid=jnp.ones((SIDE, SIDE), bool),
        human_mask=blank.at[:, :48].set(1.0),
        object_mask=blank.at[40:56, 40:56].set(1.0),
    )
    target, weight = soft_target(scene, 2.0)
    expected = jax.scipy.special.ndtr(jnp.array([1.5, 0.5, -0.5, -1.5]) / 2)
    np.testing.assert_allclose(target[10, 46:50], expected, atol=1e-5)
    assert float(weight[40:56, 40:56].max()) == 0
    assert float(weight[10].min()) == 1
    assert float(weight[37, 46]) == 1
    assert float(weight[39, 42]) == 0  # nearer to the object than to the outline


def test_no_offset_is_no_change() -> None:
    pose = zero_pose()._replace(body=0.2 * jax.random.normal(jax.random.key(0), (21, 3)))
    same = moved_pose(pose, Offset(jnp.zeros((len(JOINTS), 3)), jnp.zeros(3)))
    np.testing.assert_allclose(joint_rotvecs(same), joint_rotvecs(pose), atol=1e-6)


def seen(known: Known, pose: HumanPose) -> Scene:
    """A scene whose human mask is the built-in body in this pose."""
    body, camera = builtin_body(), Camera(jnp.full(2, 180.0), jnp.full(2, SIDE / 2))
    mask = hard_silhouette(pose_body(body, pose).verts, body.faces, camera, SIDE).astype(jnp.float32)
    none = jnp.zeros((SIDE, SIDE))
    valid = jnp.ones((SIDE, SIDE), bool)
    return known.scene._replace(valid=valid, human_mask=mask, object_mask=none, camera=camera, human=pose)


@pytest.mark.slow
def test_a_moved_limb_comes_back_and_who_is_right_stays(known: Known) -> None:
    true = zero_pose()._replace(root=jnp.array([np.pi, 0.0, 0.0]), translation=jnp.array([0.0, -0.2, 4.0]))
    wrong = true._replace(body=true.body.at[15, 2].add(0.25), translation=true.translation + jnp.array([0.04, 0.02, 0]))
    scene, body = seen(known, true), builtin_body()

    def apart(pose: HumanPose) -> float:
        step = pose_body(body, pose).joints[:22, :2] - pose_body(body, true).joints[:22, :2]
        return float(jnp.linalg.norm(step, axis=1).mean())

    found = refined_human(Given(scene._replace(human=wrong), Assets(body)), steps=25)
    assert apart(found) < 0.25 * apart(wrong)
    assert apart(refined_human(Given(scene, Assets(body)), steps=25)) < 0.005


@pytest.mark.slow
def test_a_fit_starts_from_the_refined_human(known: Known) -> None:
    stage = Stage("only", 1, {"silhouette_object": 1.0}, {"object.translation": 1e-3})
    human = known.scene.human._replace(translation=jnp.array([0.03, 0.0, 0.0]))
    scene = known.scene._replace(human=human)
    still = fit(scene, known.assets, Config("test", (stage,)), jax.random.key(0))
    moved = fit(scene, known.assets, Config("test", (stage,), pose_steps=25), jax.random.key(0))
    assert float(still.human_start.translation[0]) == pytest.approx(0.03)
    # Not all the way: of so small an outline the prior takes back a good part.
    assert 0.0 < float(moved.human_start.translation[0]) < 0.024
    assert moved.notes[0].startswith("human: refined by its outline")
    step = np.asarray(moved.human.verts - still.human.verts)
    expected = moved.human_start.translation - human.translation
    np.testing.assert_allclose(step, np.broadcast_to(expected, step.shape), atol=1e-5)


STAGES = tuple(Stage(name, 2, {"silhouette_object": 1.0}, {"object.translation": 1e-3}) for name in ("one", "two"))
CONFIG = Config("test", STAGES, pose_steps=3, block_steps=1)


@pytest.mark.slow
def test_a_refined_fit_goes_on_to_the_same_bits(known: Known) -> None:
    scene = known.scene._replace(human=known.scene.human._replace(translation=jnp.array([0.03, 0.0, 0.0])))
    blocks: list[Saved] = []
    whole = fit(scene, known.assets, CONFIG, jax.random.key(0), keep=blocks.append)
    for saved in (blocks[0], blocks[-2]):
        again = fit(scene, known.assets, CONFIG, jax.random.key(0), resume=saved)
        assert again.notes == whole.notes
        for one, two in zip(jax.tree.leaves(whole[:9]), jax.tree.leaves(again[:9]), strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.slow
def test_each_of_a_batch_is_refined_as_if_alone(known: Known) -> None:
    scenes = [
        known.scene._replace(human=known.scene.human._replace(translation=jnp.array([x, 0.0, 0.0])))
        for x in (0.03, -0.02)
    ]
    config = dataclasses.replace(CONFIG, stages=STAGES[:1])
    found = fit_batch(scenes, [known.assets] * 2, config, jax.random.key(0))
    for scene, each in zip(scenes, found, strict=True):
        assert isinstance(each, Fitted)
        alone = fit(scene, known.assets, config, jax.random.key(0))
        assert each.notes == alone.notes
        np.testing.assert_allclose(each.human_start.translation, alone.human_start.translation, atol=1e-5)
        np.testing.assert_allclose(each.human.verts, alone.human.verts, atol=1e-5)
        np.testing.assert_allclose(each.pose.translation, alone.pose.translation, atol=1e-5)
        assert not np.allclose(each.human_start.translation, scene.human.translation, atol=1e-3)
