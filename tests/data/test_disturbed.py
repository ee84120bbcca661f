"""A person who is not the true one: what is disturbed and by how much, and that the rest of the scene stays."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import joint_rotvecs, pose_body, zero_pose
from hoijax.data.check import check_sample
from hoijax.data.read import load_sample
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.data.synthetic.disturbed import LIMBS, MOVED, TURNED, with_disturbed_human
from hoijax.data.write import save_sample


@pytest.fixture
def person(sample: Sample) -> Sample:
    """The small sample with the built-in body as its person."""
    pose = zero_pose()._replace(root=jnp.array([np.pi, 0.0, 0.0]), translation=jnp.array([0.0, 0.0, 4.0]))
    body = builtin_body()
    verts = np.asarray(pose_body(body, pose._replace(translation=jnp.zeros(3))).verts, np.float64)
    human = ColoredMesh(verts, np.asarray(body.faces), np.full(verts.shape, 0.5))
    return sample._replace(pose=pose, human=human, truth=sample.object)


def test_limbs_turn_and_the_root_moves(person: Sample) -> None:
    found = with_disturbed_human(person, [3])
    before, after = (Rotation.from_rotvec(np.asarray(joint_rotvecs(each.pose))) for each in (person, found))
    angles = np.degrees((before.inv() * after).magnitude())
    turned = np.isin(np.arange(55), LIMBS)
    assert (angles[turned] > TURNED[0] - 0.1).all()
    assert (angles[turned] < TURNED[1] + 0.1).all()
    assert angles[~turned].max() < 0.01
    step = np.asarray(found.pose.translation) - np.asarray(person.pose.translation)
    assert np.linalg.norm(step) == pytest.approx(MOVED, rel=1e-3)
    posed = np.asarray(pose_body(builtin_body(), found.pose).verts)
    np.testing.assert_allclose(found.human.verts + np.asarray(found.pose.translation), posed, atol=1e-5)


def test_what_the_camera_sees_stays(person: Sample) -> None:
    found = with_disturbed_human(person, [3])
    assert found.human_truth is not None
    assert found.truth is not None
    assert person.truth is not None
    now, then = np.asarray(found.pose.translation), np.asarray(person.pose.translation)
    for moved, still in (
        (found.object, person.object),
        (found.truth, person.truth),
        (found.human_truth.mesh, person.human),
    ):
        np.testing.assert_allclose(moved.verts + now, still.verts + then, atol=1e-6)
    assert found.human_truth.pose == person.pose


def test_equal_seeds_give_equal_people(person: Sample) -> None:
    first, again, other = (with_disturbed_human(person, seed) for seed in ([3], [3], [4]))
    np.testing.assert_array_equal(first.human.verts, again.human.verts)
    assert np.abs(first.human.verts - other.human.verts).max() > 0.01


def test_the_true_person_is_written_and_read(person: Sample, tmp_path: Path) -> None:
    found = with_disturbed_human(person, [3])
    save_sample(found, tmp_path / "s")
    back = load_sample(tmp_path / "s")
    assert back.human_truth is not None
    assert found.human_truth is not None
    np.testing.assert_allclose(back.human_truth.mesh.verts, found.human_truth.mesh.verts, atol=1e-6)
    np.testing.assert_array_equal(joint_rotvecs(back.human_truth.pose), joint_rotvecs(person.pose))
    np.testing.assert_array_equal(back.human_truth.pose.translation, person.pose.translation)


@pytest.mark.parametrize("name", ["h_mesh_true.obj", "smplx_parameters_true.json"])
def test_half_a_true_person_is_refused(person: Sample, tmp_path: Path, name: str) -> None:
    save_sample(with_disturbed_human(person, [3]), tmp_path / "s")
    (tmp_path / "s" / name).unlink()
    with pytest.raises(SampleError, match=f"{name} is missing"):
        load_sample(tmp_path / "s")
    assert any(name in problem.message for problem in check_sample(tmp_path / "s") if problem.severity == "error")


def test_a_true_person_of_another_mesh_is_refused(person: Sample, tmp_path: Path) -> None:
    save_sample(with_disturbed_human(person, [3]), tmp_path / "s")
    (tmp_path / "s" / "h_mesh_true.obj").write_bytes((tmp_path / "s" / "obj_pcd_h_align.obj").read_bytes())
    with pytest.raises(SampleError, match=r"expected those of h_mesh\.obj"):
        load_sample(tmp_path / "s")


def test_a_person_of_another_body_is_refused(person: Sample) -> None:
    with pytest.raises(SampleError, match="of the built-in body"):
        with_disturbed_human(person._replace(human=person.object), [3])
