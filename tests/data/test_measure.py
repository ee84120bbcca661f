"""All metrics of a sample at once: on the truth, on a known error, and where a sample cannot tell."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.body.builtin import builtin_body
from hoijax.body.parts import PART_NAMES, body_parts
from hoijax.data.assemble import fit_metrics
from hoijax.data.measure import TOUCH, compare, measure, moved, touching_parts
from hoijax.data.prepare import prepare
from hoijax.data.sample import Sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.optimize.outcome import Fitted
from hoijax.presets import PRESETS
from hoijax.types import Frame, Params, Refiners


@pytest.fixture(scope="module")
def ball() -> Sample:
    return synthetic_sample("ball")


@pytest.fixture(scope="module")
def parts() -> np.ndarray:
    return body_parts(builtin_body())


def test_the_truth_has_no_error(ball: Sample, parts: np.ndarray) -> None:
    assert ball.truth is not None
    values = measure(ball, ball.human, ball.truth, parts)
    for name in ("scale", "rotation", "rotation_degrees", "translation_cm", "chamfer_cm"):
        assert values[name] == pytest.approx(0, abs=1e-5)
    for name in ("aligned_scene_cm", "aligned_human_cm", "aligned_object_cm"):
        assert values[name] == pytest.approx(0, abs=1e-5)
    assert values["contact_f1"] == values["parts_f1"] == values["parts_jaccard"] == 1
    assert values["parts_hamming"] == 0
    assert values["iou_object"] > 0.99


def test_a_known_move_is_measured(ball: Sample, parts: np.ndarray) -> None:
    assert ball.truth is not None
    shift = np.array([0.0, 0.0, 0.3])
    off = moved(ball.truth, 1.25, np.eye(3), shift, ball.truth.verts.mean(0))
    values = measure(ball, ball.human, off, parts)
    assert values["scale"] == pytest.approx(0.2, abs=1e-6)  # the object is a quarter too large: it takes 0.8 to undo
    assert values["translation_cm"] == pytest.approx(30, abs=1e-4)
    assert values["rotation_degrees"] == pytest.approx(0, abs=1e-4)
    assert 0 < values["aligned_object_cm"] < values["chamfer_cm"]


def test_touching_parts_are_those_near_the_surface(ball: Sample, parts: np.ndarray) -> None:
    """The object is a sphere: the distance of a vertex to it is known."""
    assert ball.truth is not None
    low, high = ball.truth.verts.min(0), ball.truth.verts.max(0)
    distance = np.linalg.norm(ball.human.verts - (low + high) / 2, axis=1) - (high - low).mean() / 2
    expected = {PART_NAMES[part] for part in parts[distance < TOUCH]}
    assert {"left palm", "right palm"} <= expected
    assert set(touching_parts(ball.human, ball.truth, parts)) == expected


def test_what_a_sample_cannot_tell_is_left_out(ball: Sample, parts: np.ndarray) -> None:
    bare = ball._replace(truth=None, contact_parts=None)
    values = compare(bare, bare.human, bare.object, parts)
    assert np.isnan(values["co2"]["result"])
    told = {"scale", "translation_cm", "chamfer_cm", "aligned_scene_cm", "contact_f1", "parts_f1"}
    assert not told & set(values)
    assert "annotation" not in values["iou_object"]


def test_likeness_of_the_last_render(ball: Sample) -> None:
    """A render that is the photograph has SSIM 1; nothing drawn, nothing told; a human that stood still has not moved."""
    config = PRESETS["hoijax"]()
    prepared = prepare(ball, dataclasses.replace(config, image_size=64, sdf_resolution=16))
    scene = prepared.scene
    mask = (scene.object_mask > 0.5) & (scene.human_mask <= 0.5)
    same = Frame(jnp.where(mask[..., None], scene.image, 0), mask.astype(jnp.float32), mask.astype(jnp.float32))
    params = Params(Refiners({}, {}), *[None] * (len(Params._fields) - 1))
    still = Fitted(*[None] * len(Fitted._fields))._replace(object_frame=same, params=params, human_start=scene.human)
    assert fit_metrics(prepared, still) == {"object_ssim": pytest.approx(1, abs=1e-5)}
    assert fit_metrics(prepared, still._replace(object_frame=None)) == {}
