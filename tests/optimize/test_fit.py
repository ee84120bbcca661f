"""The staged fit on a scene with a known answer."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.config import Capacity, Config, Stage
from hoijax.geometry import project, similarity
from hoijax.mesh.sdf import init_sdf_grid
from hoijax.optimize import fit as fitting
from hoijax.optimize.params import pivot_of
from hoijax.presets import RELEASE_RATES, phosa

WEIGHTS = {"l1_object": 1.0, "l1_joint": 0.3, "silhouette_object": 1.0}
RATES = {name: rate for name, rate in RELEASE_RATES.items() if not name.startswith("human.")}
CONFIG = Config(
    "test",
    (Stage("render", 60, WEIGHTS, RATES),),
    image_size=64,
    object_splat_size=0.1,
    object_opacity=0.5,
)
TOUCHING = Stage("hoi", 20, {**WEIGHTS, "contact": 0.1, "collision": 1e-3, "ordinal": 1.0}, RATES)


def leaves(tree: object) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def real_faces(known) -> np.ndarray:
    """The object's faces without padding."""
    faces = np.asarray(known.scene.object.faces)
    return faces[faces.any(1)]


def placement_error_px(known, verts: jnp.ndarray) -> float:
    """Mean distance of the object's vertices to the truth in the image; depth is what the image does not tell."""
    scene = known.scene
    truth = similarity(scene.object.verts, known.truth, pivot_of(scene))
    difference = project(verts, scene.camera) - project(truth, scene.camera)
    return float(jnp.linalg.norm(difference[scene.object.valid], axis=1).mean())


@pytest.fixture(scope="module")
def fitted(known):
    return fitting.fit(known.scene, known.assets, CONFIG, jax.random.key(0))


def test_finds_the_object(known, fitted) -> None:
    assert placement_error_px(known, known.scene.object.verts) > 3
    assert placement_error_px(known, fitted.object_verts) < 1
    size = jnp.exp(fitted.params.object.log_scale) / fitted.object_verts[0, 2]
    assert float(size) == pytest.approx(float(jnp.exp(known.truth.log_scale) / 8), rel=0.05)
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


@pytest.mark.slow
def test_overflow_is_healed(known, fitted, monkeypatch) -> None:
    monkeypatch.setattr(fitting, "start_capacity", lambda *_: Capacity(1024, 256))
    healed = fitting.fit(known.scene, known.assets, CONFIG, jax.random.key(0))
    assert healed.capacity.entries > 1024
    assert healed.dropped == 0
    np.testing.assert_allclose(healed.object_verts, fitted.object_verts, atol=1e-3)


@pytest.mark.slow
def test_both_rasterizers_make_the_same_fit(known) -> None:
    """To rounding, which Adam makes larger with every step: so only a few, as a batch of two."""
    short = dataclasses.replace(CONFIG, stages=(Stage("render", 4, WEIGHTS, RATES),), block_steps=2)
    plain = fitting.fit(known.scene, known.assets, short, jax.random.key(0))
    kernel = dataclasses.replace(short, rasterizer="pallas")
    for one in fitting.fit_batch([known.scene] * 2, [known.assets] * 2, kernel, jax.random.key(0)):
        for name, values in plain.history.items():
            np.testing.assert_allclose(one.history[name], values, rtol=1e-4)
        np.testing.assert_allclose(one.object_verts, plain.object_verts, atol=1e-4)


def test_a_loss_that_is_not_finite_is_an_error_that_names_the_term(known) -> None:
    broken = known.scene._replace(image=known.scene.image.at[20, 20].set(jnp.nan))
    with pytest.raises(fitting.NotFiniteError, match=r"stage 'render', step 0.*l1_joint"):
        fitting.fit(broken, known.assets, CONFIG, jax.random.key(0))


QUICK = dataclasses.replace(CONFIG, stages=(Stage("render", 4, WEIGHTS, RATES), Stage("again", 4, WEIGHTS, RATES)))


@pytest.mark.slow
def test_an_image_that_is_not_finite_does_not_hold_up_its_batch(known) -> None:
    """Its error stands in its place; the others come out as without it."""
    broken = known.scene._replace(image=known.scene.image.at[20, 20].set(jnp.nan))
    one, error, two = fitting.fit_batch(
        [known.scene, broken, known.scene], [known.assets] * 3, QUICK, jax.random.key(0)
    )
    assert isinstance(error, fitting.NotFiniteError)
    assert "stage 'render', step 0" in str(error)
    alone = fitting.fit(known.scene, known.assets, QUICK, jax.random.key(0))
    for other in (one, two):
        assert other.history["loss"].shape == (8,)
        np.testing.assert_allclose(other.history["loss"], alone.history["loss"], rtol=1e-3, atol=1e-6)
    only = fitting.fit_batch([broken], [known.assets], QUICK, jax.random.key(0))
    assert [str(each) for each in only] == [str(error)]


@pytest.mark.slow
def test_least_capacity_is_kept(known) -> None:
    least = Capacity(65536, 8192)
    (own,) = fitting.fit_batch([known.scene], [known.assets], QUICK, jax.random.key(0), least=least)
    assert own.capacity == least


@pytest.mark.slow
def test_a_fit_goes_on_from_any_block_to_the_same_bits(known) -> None:
    """Also from the end of a stage, and with the searches between the stages."""
    sliding = dataclasses.replace(QUICK.stages[1], slide=0.1)
    config = dataclasses.replace(QUICK, stages=(QUICK.stages[0], sliding), block_steps=2)
    blocks: list[fitting.Saved] = []
    whole = fitting.fit(known.scene, known.assets, config, jax.random.key(0), keep=blocks.append)
    assert [(saved.stage, saved.done) for saved in blocks] == [(0, 2), (0, 4), (1, 2), (1, 4)]
    for saved in blocks:
        seen: list[fitting.Progress] = []
        again = fitting.fit(known.scene, known.assets, config, jax.random.key(0), seen.append, resume=saved)
        assert [progress.step for progress in seen] == list(range(4 * saved.stage + saved.done + 2, 9, 2))
        assert again.notes == whole.notes
        for one, two in zip(leaves(whole), leaves(again), strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.slow
def test_the_contact_stage_closes_a_gap(known, fitted) -> None:
    """From the fitted pose, pulled 20 cm towards the camera, contact and collision bring the object nearer again."""
    pulling = dataclasses.replace(TOUCHING, weights={**TOUCHING.weights, "contact": 10.0})
    strong = dataclasses.replace(CONFIG, stages=(pulling,), contact_opacity=1.1)
    towards = known.scene._replace(object=known.scene.object._replace(verts=fitted.object_verts * (7.8 / 8.0)))
    grid = init_sdf_grid(np.asarray(towards.object.verts)[np.asarray(towards.object.valid)], real_faces(known), 32)
    result = fitting.fit(towards._replace(object_sdf=grid), known.assets, strong, jax.random.key(0))
    assert result.history["contact"][-1] < 0.8 * result.history["contact"][0]
    assert not result.reasons.get("contact")


@pytest.mark.slow
def test_an_empty_contact_region_is_zero_with_a_reason(known) -> None:
    nothing = dataclasses.replace(CONFIG, stages=(TOUCHING,), contact_distance=-1.0)
    result = fitting.fit(known.scene, known.assets, nothing, jax.random.key(0))
    assert (result.history["contact"] == 0).all()
    assert "contact region is empty: 0 human and 0 object" in result.reasons["contact"]


@pytest.mark.slow
def test_what_the_packed_contact_sets_leave_out_is_said(known) -> None:
    small = dataclasses.replace(CONFIG, stages=(TOUCHING,), contact_verts=8, contact_opacity=1.1)
    result = fitting.fit(known.scene, known.assets, small, jax.random.key(0))
    assert any("contact: only the 8 lowest scores of" in note for note in result.notes)


def test_what_reads_no_renders_is_not_rendered(known, monkeypatch) -> None:
    """Neither the steps nor the end call the rasterizer."""

    def refuse(*_: object) -> None:
        raise AssertionError("rendered")

    monkeypatch.setattr("hoijax.optimize.step.render", refuse)
    weights = {"silhouette_object": 1.0, "interaction": 0.1}
    config = dataclasses.replace(CONFIG, stages=(Stage("render", 4, weights, RATES),), block_steps=4, contact_verts=64)
    result = fitting.fit(known.scene, known.assets, config, jax.random.key(0))
    assert result.history["silhouette_object"][-1] < result.history["silhouette_object"][0]
    assert (result.dropped, result.capacity) == (0, Capacity())
    with pytest.raises(AssertionError, match="rendered"):
        fitting.fit(known.scene, known.assets, dataclasses.replace(CONFIG, contact_verts=63), jax.random.key(0))


@pytest.mark.slow
def test_phosa_on_the_small_scene_and_in_a_batch(known) -> None:
    """PHOSA's terms all speak; the depth of the object comes to that of the human; a batch equals the single run."""
    preset = phosa(collision=True)
    stage = dataclasses.replace(preset.stages[0], steps=60, search=64)
    config = dataclasses.replace(preset, stages=(stage,), image_size=64, search_size=32, search_keep=4)
    config = dataclasses.replace(config, object_length=0.42)  # it is 0.37: so it starts too far away
    scene = known.scene
    one = fitting.fit(scene, known.assets, config, jax.random.key(0))
    assert one.notes[0].startswith("pose search: 64 rotations, 4 refined")
    assert set(one.history) == {"loss", *stage.weights}
    np.testing.assert_allclose(one.object_verts, similarity(scene.object.verts, one.pose, one.pivot), atol=1e-5)
    for name in ("interaction", "part_interaction"):
        assert one.history[name][-1] < 0.7 * one.history[name][0]
    assert float(one.pose.log_scale) < np.log(0.42 / 0.4387) - 0.03
    for two in fitting.fit_batch([scene, scene], [known.assets] * 2, config, jax.random.key(0)):
        np.testing.assert_allclose(one.object_verts, two.object_verts, atol=1e-3)


def test_reasons_of_interaction(known) -> None:
    """An object far behind has no share in the interaction, and a person without known contact none in that of parts."""
    stage = Stage("joint", 1, {"interaction": 1.0, "part_interaction": 1.0}, {})
    config = dataclasses.replace(CONFIG, stages=(stage,), interaction_gap=0.1)
    far = known.scene._replace(object=known.scene.object._replace(verts=1.2 * known.scene.object.verts))
    result = fitting.fit(far, known.assets, config, jax.random.key(0))
    assert "too far apart in depth" in result.reasons["interaction"]
    assert "no body part is known to touch" in result.reasons["part_interaction"]


def test_a_parameter_without_a_rate_does_not_move(known) -> None:
    still = {name: rate for name, rate in RATES.items() if name not in ("object.log_scale", "splats.rgb")}
    config = dataclasses.replace(CONFIG, stages=(Stage("render", 20, WEIGHTS, still),))
    params = fitting.fit(known.scene, known.assets, config, jax.random.key(0)).params
    assert float(params.object.log_scale) == 0
    np.testing.assert_array_equal(params.object_splats.rgb, known.scene.object_rgb)
    assert float(jnp.abs(params.object.translation).max()) > 0.01


@pytest.mark.slow
def test_without_stages_everything_stays_at_its_start(known) -> None:
    result = fitting.fit(known.scene, known.assets, dataclasses.replace(CONFIG, stages=()), jax.random.key(0))
    np.testing.assert_allclose(np.asarray(result.object_verts), np.asarray(known.scene.object.verts), atol=1e-6)
    assert result.history["loss"].shape == (0,)


def test_an_unknown_term_is_refused_before_anything_is_compiled(known) -> None:
    wrong = dataclasses.replace(CONFIG, stages=(Stage("render", 1, {"l1_jont": 1.0}, RATES),))
    with pytest.raises(ValueError, match="'l1_jont'; did you mean 'l1_joint'"):
        fitting.fit(known.scene, known.assets, wrong, jax.random.key(0))
