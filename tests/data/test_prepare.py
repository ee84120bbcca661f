"""From a sample to a scene: sizes, camera, meshes, and which body stands for the human."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from hoijax.body.parts import PART_NAMES
from hoijax.config import PRESETS, Config
from hoijax.data.prepare import PREPARED_BY, contact_parts, decimated, padded_mesh, prepare
from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic import synthetic_sample
from hoijax.geometry import project
from hoijax.mesh.sdf import signed_distance

CONFIG = dataclasses.replace(PRESETS["hoijax"](), sdf_resolution=32)


@pytest.fixture(scope="module")
def sample():
    return synthetic_sample("ball", 0)


@pytest.fixture(scope="module")
def prepared(sample):
    return prepare(sample, CONFIG)


def test_the_built_in_body_is_recognised(sample, prepared) -> None:
    assert prepared.body.weights.shape[1] == 55
    assert prepared.notes[0] == "human: the built-in body, posed by smplx_parameters.json"


def test_a_mesh_that_no_body_reproduces_is_held_fixed(sample) -> None:
    bent = sample._replace(human=sample.human._replace(verts=sample.human.verts * [1.0, 1.2, 1.0]))
    fixed = prepare(bent, CONFIG)
    assert fixed.body.weights.shape[1] == 1
    assert "held fixed" in fixed.notes[0]
    np.testing.assert_allclose(fixed.body.template, bent.human.verts + np.asarray(sample.pose.translation), atol=1e-4)


def test_what_is_projected_lands_on_the_resized_pixel(sample, prepared) -> None:
    verts = sample.object.verts + np.asarray(sample.pose.translation)
    full = np.asarray(project(jnp.asarray(verts, jnp.float32), sample.camera))
    small = np.asarray(project(jnp.asarray(verts, jnp.float32), prepared.scene.camera))
    np.testing.assert_allclose(small, full * 256 / max(sample.human_mask.shape), atol=2e-2)


def test_masks_are_coverages_and_keep_their_area(sample, prepared) -> None:
    scale = (256 / max(sample.human_mask.shape)) ** 2
    for mask, full in (
        (prepared.scene.human_mask, sample.human_mask),
        (prepared.scene.object_mask, sample.object_mask),
    ):
        assert float(mask.min()) >= 0
        assert float(mask.max()) <= 1
        assert float(mask.sum()) == pytest.approx(full.sum() * scale, rel=1e-3)


def test_padding_is_not_valid_and_sides_are_multiples(sample) -> None:
    tall = sample._replace(
        image=sample.image[:, 100:400],
        human_mask=sample.human_mask[:, 100:400],
        object_mask=sample.object_mask[:, 100:400],
    )
    scene = prepare(tall, CONFIG).scene
    assert scene.valid.shape == (256, 192)
    assert int(scene.valid.sum()) == 256 * 150
    assert not bool(scene.valid[:, 150:].any())


def test_the_grid_is_that_of_the_object_where_it_stands(prepared) -> None:
    verts = prepared.scene.object.verts[prepared.scene.object.valid]
    assert float(np.abs(signed_distance(prepared.scene.object_sdf, verts)).max()) < 0.01
    centre = verts.mean(0, keepdims=True)
    assert float(signed_distance(prepared.scene.object_sdf, centre)[0]) < -0.05


def test_parts_that_touch_come_from_the_annotation_or_the_config(sample, prepared) -> None:
    def names(parts) -> set[str]:
        return {name for name, touches in zip(PART_NAMES, parts, strict=True) if touches}

    assert names(prepared.scene.contact_parts) == set(sample.contact_parts) != set()
    assert names(contact_parts(sample._replace(contact_parts=None), CONFIG)) == set()
    told = dataclasses.replace(CONFIG, contact_parts="bottom, left_palm")
    assert names(contact_parts(sample, told)) == {"bottom", "left palm"}
    with pytest.raises(ValueError, match="'left plam' is not one of the 34 body parts; nearest: left palm"):
        contact_parts(sample, dataclasses.replace(CONFIG, contact_parts="left plam"))


def test_human_parts_are_those_of_the_body(prepared) -> None:
    parts = np.asarray(prepared.scene.human_parts)
    assert parts.shape == (len(prepared.body.template),)
    assert set(parts) == set(range(34))


def test_decimation_keeps_shape_colours_and_capacity() -> None:
    ball = trimesh.creation.icosphere(6)
    mesh = ColoredMesh(np.asarray(ball.vertices), np.asarray(ball.faces), np.asarray(ball.vertices) * 0.5 + 0.5)
    small, note = decimated(mesh, 8000, 4608)
    assert note == f"object: {len(mesh.faces)} faces decimated to {len(small.faces)}"
    assert len(small.faces) <= 8000
    assert len(small.verts) <= 4608
    np.testing.assert_allclose(np.linalg.norm(small.verts, axis=1), 1, atol=0.01)
    np.testing.assert_allclose(small.rgb, small.verts * 0.5 + 0.5, atol=0.05)


def test_a_small_mesh_passes_unchanged_and_is_padded() -> None:
    box = trimesh.creation.box()
    mesh = ColoredMesh(np.asarray(box.vertices), np.asarray(box.faces), np.full((8, 3), 0.3))
    same, note = decimated(mesh, 8000, 4608)
    assert note is None
    assert same is mesh
    padded, rgb = padded_mesh(mesh, 20, 10)
    assert padded.valid.tolist() == [True] * 8 + [False] * 2
    assert padded.faces[12:].tolist() == [[0, 0, 0]] * 8
    np.testing.assert_allclose(padded.verts[8:], np.tile(mesh.verts.mean(0), (2, 1)), atol=1e-6)
    np.testing.assert_allclose(rgb[:8], 0.3, atol=1e-6)


def test_prepare_reads_the_options_that_it_says(sample) -> None:
    read = set()

    class Recording(Config):
        def __getattribute__(self, name: str) -> object:
            read.add(name)
            return super().__getattribute__(name)

    own = {each.name: getattr(PRESETS["hoijax"](), each.name) for each in dataclasses.fields(Config)}
    config = Recording(**own)
    read.clear()
    prepare(sample, config)
    assert read == set(PREPARED_BY)
