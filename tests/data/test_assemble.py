"""Results of a person who was refined: the parameters written pose the mesh written."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import joint_rotvecs, pose_body, zero_pose
from hoijax.config import Config, Stage
from hoijax.data.assemble import assemble
from hoijax.data.prepare import prepare
from hoijax.data.results import load_result, save_result
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.synthetic.disturbed import with_disturbed_human
from hoijax.optimize.fit import fit
from hoijax.types import Assets

STAGE = Stage("only", 1, {"silhouette_object": 1.0}, {"object.translation": 1e-3})
CONFIG = Config("test", (STAGE,), image_size=64, sdf_resolution=16, pose_steps=4)


@pytest.fixture
def person(sample: Sample) -> Sample:
    """The small sample with the built-in body, disturbed, as its person."""
    pose = zero_pose()._replace(root=jnp.array([np.pi, 0.0, 0.0]), translation=jnp.array([0.0, 0.0, 4.0]))
    body = builtin_body()
    verts = np.asarray(pose_body(body, pose._replace(translation=jnp.zeros(3))).verts, np.float64)
    human = ColoredMesh(verts, np.asarray(body.faces), np.full(verts.shape, 0.5))
    return with_disturbed_human(sample._replace(pose=pose, human=human, truth=sample.object), [3])


@pytest.mark.slow
def test_the_parameters_of_a_result_pose_its_mesh(person: Sample, tmp_path: Path) -> None:
    prepared = prepare(person, CONFIG)
    fitted = fit(prepared.scene, Assets(prepared.body), CONFIG, jax.random.key(0))
    save_result(assemble(person, prepared, fitted, CONFIG, {}), tmp_path / "r")
    back = load_result(tmp_path / "r")
    posed = pose_body(builtin_body(), back.pose._replace(translation=jnp.asarray(back.human_moved, jnp.float32)))
    np.testing.assert_allclose(back.human.verts, posed.verts, atol=2e-5)
    np.testing.assert_array_equal(back.pose.translation, person.pose.translation)
    assert np.abs(back.human_moved).max() > 1e-3
    assert np.abs(np.asarray(joint_rotvecs(back.pose) - joint_rotvecs(person.pose))).max() > 1e-3
    assert {"human_mpvpe_mm", "iou_parts"} <= set(back.metrics)
    assert back.metrics["human_mpvpe_mm"]["start"] != back.metrics["human_mpvpe_mm"]["result"]
    assert back.metrics["human_mpvpe_mm"]["annotation"] == pytest.approx(0.0, abs=1e-3)
