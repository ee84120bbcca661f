"""The staged fit on a scene with a known answer."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.config import RELEASE_RATES, Capacity, Config, Stage
from hoijax.geometry import similarity
from hoijax.optimize import fit as fitting
from hoijax.optimize.params import pivot_of

WEIGHTS = {"l1_object": 1.0, "l1_joint": 0.3, "silhouette_object": 1.0, "contact": 0.1}
RATES = {name: rate for name, rate in RELEASE_RATES.items() if not name.startswith("human.")}
CONFIG = Config(
    "test",
    (Stage("render", 60, WEIGHTS, RATES),),
    image_size=64,
    object_splat_size=0.1,
    object_opacity=0.5,
    contact_distance=0.01,
)


def leaves(tree: object) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def placement_error(known, fitted) -> float:
    """Mean distance of the object's vertices to the truth across the viewing direction, metres."""
    truth = similarity(known.scene.object.verts, known.truth, pivot_of(known.scene))
    difference = (fitted.object_verts - truth)[known.scene.object.valid]
    return float(jnp.linalg.norm(difference[:, :2], axis=1).mean())


@pytest.fixture(scope="module")
def fitted(known):
    return fitting.fit(known.scene, known.assets, CONFIG, jax.random.key(0))


def test_finds_the_object(known, fitted) -> None:
    truth = similarity(known.scene.object.verts, known.truth, pivot_of(known.scene))
    start = float(jnp.linalg.norm((known.scene.object.verts - truth)[known.scene.object.valid][:, :2], axis=1).mean())
    assert start > 0.04
    assert placement_error(known, fitted) < 0.01
    assert abs(float(fitted.params.object.log_scale - known.truth.log_scale)) < 0.05
    assert fitted.dropped == 0


def test_history_has_every_step_of_every_term(fitted) -> None:
    assert set(fitted.history) == {"loss", *WEIGHTS}
    assert all(values.shape == (60,) for values in fitted.history.values())
    total = sum(WEIGHTS[name] * fitted.history[name] for name in WEIGHTS)
    np.testing.assert_allclose(fitted.history["loss"], total, rtol=1e-4)
    assert fitted.history["loss"][-1] < 0.5 * fitted.history["loss"][0]


def test_same_key_same_bits(known, fitted) -> None:
    again = fitting.fit(known.scene, known.assets, CONFIG, jax.random.key(0))
    for one, two in zip(leaves(fitted), leaves(again), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.slow
def test_a_batch_equals_the_single_runs(known, fitted) -> None:
    dimmer = known.scene._replace(image=0.8 * known.scene.image)
    alone = [fitted, fitting.fit(dimmer, known.assets, CONFIG, jax.random.key(0))]
    of_one = fitting.fit_batch([known.scene], [known.assets], CONFIG, jax.random.key(0))
    of_two = fitting.fit_batch([known.scene, dimmer], [known.assets] * 2, CONFIG, jax.random.key(0))
    for one, two in zip([alone[0], *alone], [*of_one, *of_two], strict=True):
        np.testing.assert_allclose(one.object_verts, two.object_verts, atol=2e-4)
        np.testing.assert_allclose(one.history["loss"], two.history["loss"], rtol=2e-2, atol=1e-4)
    assert np.abs(np.asarray(of_two[0].gaussians.rgb) - np.asarray(of_two[1].gaussians.rgb)).max() > 0.01


def test_overflow_is_healed(known, fitted, monkeypatch) -> None:
    monkeypatch.setattr(fitting, "start_capacity", lambda *_: Capacity(1024, 256))
    healed = fitting.fit(known.scene, known.assets, CONFIG, jax.random.key(0))
    assert healed.capacity.entries > 1024
    assert healed.dropped == 0
    np.testing.assert_allclose(healed.object_verts, fitted.object_verts, atol=1e-3)


def test_a_loss_that_is_not_finite_is_an_error_that_names_the_term(known) -> None:
    broken = known.scene._replace(image=known.scene.image.at[20, 20].set(jnp.nan))
    with pytest.raises(fitting.NotFiniteError, match=r"stage 'render', step 0.*l1_joint"):
        fitting.fit(broken, known.assets, CONFIG, jax.random.key(0))


def test_an_empty_contact_region_is_zero_with_a_reason(known) -> None:
    far = known.scene._replace(human_mask=known.scene.human_mask)
    nothing = dataclasses.replace(CONFIG, contact_distance=0.0)
    result = fitting.fit(far, known.assets, nothing, jax.random.key(0))
    assert (result.history["contact"] == 0).all()
    assert "contact region is empty: 0 human and 0 object" in result.reasons["contact"]


def test_a_parameter_without_a_rate_does_not_move(known) -> None:
    still = {name: rate for name, rate in RATES.items() if name not in ("object.log_scale", "splats.rgb")}
    config = dataclasses.replace(CONFIG, stages=(Stage("render", 20, WEIGHTS, still),))
    params = fitting.fit(known.scene, known.assets, config, jax.random.key(0)).params
    assert float(params.object.log_scale) == 0
    np.testing.assert_array_equal(params.object_splats.rgb, known.scene.object_rgb)
    assert float(jnp.abs(params.object.translation).max()) > 0.01
