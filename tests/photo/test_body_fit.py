"""Bodies fitted to landmarks whose pose is known, and to a real photograph."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import pose_body, zero_pose
from hoijax.geometry import project
from hoijax.mesh.silhouette import hard_silhouette
from hoijax.photo.body_energy import FitOptions, direction_energy, landmark_energy, marker_points, outline_energy
from hoijax.photo.body_fit import fit_pose, placed, start
from hoijax.photo.landmarks import LANDMARKS
from hoijax.photo.models import PhotoError
from hoijax.photo.people import Person
from hoijax.photo.person_body import evidence_of, fit_body, knowledge, natural_camera, toward
from hoijax.types import HumanPose

SIDE = 400
QUICK = FitOptions(outline_side=48, steps=(30, 40, 3))


def true_pose(turn: float = 0.5) -> HumanPose:
    """Somebody who sits with one arm raised, 3 m away."""
    body = zero_pose().body
    body = body.at[0].set(jnp.array([-1.3, 0, 0.2])).at[1].set(jnp.array([-1.2, 0, -0.3]))
    body = body.at[3, 0].set(1.3).at[4, 0].set(1.0).at[15, 2].set(-1.1).at[16, 2].set(-0.4).at[18, 1].set(0.9)
    upright = np.diag([1.0, -1.0, -1.0])  # y down, facing the camera
    root = jnp.asarray(cv2.Rodrigues(upright @ _about_y(turn))[0][:, 0], jnp.float32)
    return zero_pose()._replace(root=root, body=body, translation=jnp.array([0.2, 0.1, 3.0]))


def _about_y(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def as_seen(pose: HumanPose, visibility: np.ndarray | None = None) -> Person:
    """What a perfect network would say of the pose."""
    body, camera = builtin_body(), natural_camera((SIDE, SIDE))
    known = knowledge(body)
    points = pose_body(known.markers, pose).verts[:33]
    mask = np.asarray(hard_silhouette(pose_body(body, pose).verts, body.faces, camera, SIDE))
    rows, columns = np.nonzero(mask)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float64)
    hips = [LANDMARKS.index("left hip"), LANDMARKS.index("right hip")]
    world = np.asarray(points, np.float64)
    pixels = np.asarray(project(points, camera), np.float64)
    seen = np.ones(33) if visibility is None else visibility
    person = Person(box, 1.0, pixels, seen, world - world[hips].mean(0), mask, mask.astype(np.float64))
    return person._replace(world=person.world @ toward(person, camera))  # as the network has it, from the crop


def position_error(found: np.ndarray, true: np.ndarray) -> float:
    """Mean distance of the joints of the body, roots aligned, metres."""
    a, b = found[:22] - found[0], true[:22] - true[0]
    return float(np.linalg.norm(a - b, axis=1).mean())


@pytest.mark.slow
def test_a_known_pose_is_recovered() -> None:
    pose = true_pose()
    true = np.asarray(pose_body(builtin_body(), pose).joints)
    found = fit_body(builtin_body(), as_seen(pose))
    assert position_error(found.joints, true) < 0.06
    assert np.abs(found.joints[0, :2] - true[0, :2]).max() < 0.05
    assert abs(found.joints[0, 2] / true[0, 2] - 1) < 0.1  # how tall somebody is, no photograph tells
    assert np.median(found.error_px) < 3
    assert found.seen.all()
    assert found.unseen_names() == ()


@pytest.mark.slow
def test_what_is_not_seen_follows_the_prior_not_the_pixels() -> None:
    pose = true_pose()
    person = as_seen(pose)
    legs = [k for k, name in enumerate(LANDMARKS) if any(part in name for part in ("knee", "ankle", "heel", "toes"))]
    visibility, wrong = np.ones(33), person.landmarks_px.copy()
    visibility[legs] = 0
    wrong[legs] += 500
    a, b = (
        fit_body(builtin_body(), person._replace(visibility=visibility, landmarks_px=pixels), options=QUICK)
        for pixels in (person.landmarks_px, wrong)
    )
    assert np.abs(a.verts - b.verts).max() < 1e-4
    assert set(a.unseen_names()) == {LANDMARKS[k] for k in legs}


@pytest.mark.slow
def test_the_astronaut(collins: Person) -> None:
    found = fit_body(builtin_body(), collins)
    assert found.verts[:, 2].min() > 0.1
    assert np.median(found.error_px[found.seen]) < 8  # of 512
    assert found.error_px[found.seen].max() < 30
    pose = np.asarray(found.pose.body)
    assert pose[17, 1] <= 0 <= pose[18, 1]  # elbows
    assert (pose[3:5, 0] >= -0.151).all()  # knees: straight at -0.15
    assert {"left knee", "right ankle", "left hip"} <= set(found.unseen_names())
    middle = np.asarray(project(jnp.asarray(found.joints[15:16], jnp.float32), found.camera))[0]
    assert collins.mask[int(middle[1]), int(middle[0])]  # the head's joint
    # the body stands on her: little of it is off her mask, inside the picture
    drawn = np.asarray(hard_silhouette(jnp.asarray(found.verts, jnp.float32), builtin_body().faces, found.camera, 512))
    assert (drawn & collins.mask).sum() / drawn.sum() > 0.85
    twice = fit_body(builtin_body(), collins)
    assert (twice.verts == found.verts).all()


@pytest.mark.slow
def test_a_batch_equals_single_fits() -> None:
    body = builtin_body()
    known, camera = knowledge(body), natural_camera((SIDE, SIDE))
    both = [evidence_of(as_seen(true_pose(turn)), camera, None, QUICK) for turn in (0.5, -0.8)]
    stacked = jax.tree.map(lambda *values: jnp.stack(values), *both)
    batch = jax.jit(jax.vmap(lambda one: fit_pose(one, known, QUICK)))(stacked)
    single = jax.jit(lambda one: fit_pose(one, known, QUICK))
    for k, one in enumerate(both):
        alone = pose_body(body, single(one)).verts
        together = pose_body(body, jax.tree.map(lambda values, k=k: values[k], batch)).verts
        assert float(jnp.abs(alone - together).max()) < 2e-3


@pytest.mark.slow
def test_the_start_faces_as_the_network_sees_and_stands_where_it_projects() -> None:
    pose = true_pose()
    known, person = knowledge(builtin_body()), as_seen(pose)
    evidence = evidence_of(person, natural_camera((SIDE, SIDE)), None, QUICK)
    first = start(evidence, known)
    there = placed(first._replace(root=pose.root, body=pose.body), evidence, known)
    points = marker_points(there, known.markers)
    truth = pose_body(known.markers, pose).verts[:33]
    assert float(jnp.abs(points - truth).max()) < 1e-3
    assert float(landmark_energy(points, evidence, QUICK)) < 1e-3
    assert float(direction_energy(points, evidence, QUICK)) < 1e-2
    a, b = (pose_body(known.markers, zero_pose()._replace(root=root)).verts for root in (first.root, pose.root))
    chest = [LANDMARKS.index("left shoulder"), LANDMARKS.index("right shoulder")]
    one, other = a[chest[0]] - a[chest[1]], b[chest[0]] - b[chest[1]]
    assert float(one @ other / jnp.linalg.norm(one) / jnp.linalg.norm(other)) > 0.97


@pytest.mark.slow
def test_the_outline_is_best_at_the_truth() -> None:
    pose = true_pose()
    known, options = knowledge(builtin_body()), FitOptions(outline_side=64)
    evidence = evidence_of(as_seen(pose), natural_camera((SIDE, SIDE)), None, options)
    state = start(evidence, known)._replace(root=pose.root, body=pose.body)
    state = placed(state, evidence, known)
    there = outline_energy(state, evidence, known, options)
    aside = outline_energy(state._replace(ray=state.ray + 0.03), evidence, known, options)
    assert float(there) < 0.3 * float(aside)


def test_where_an_object_may_hide_the_body_the_mask_has_no_say() -> None:
    person = as_seen(true_pose())
    hidden = np.zeros((SIDE, SIDE), bool)
    hidden[:, : SIDE // 2] = True
    evidence = evidence_of(person, natural_camera((SIDE, SIDE)), hidden, FitOptions())
    plain = evidence_of(person, natural_camera((SIDE, SIDE)), None, FitOptions())
    mask, counts = np.asarray(evidence.mask), np.asarray(evidence.mask_counts)
    assert (counts[mask > 0.99] > 0.99).all()
    assert 0.1 < counts.mean() < np.asarray(plain.mask_counts).mean() - 0.1


def test_the_natural_camera() -> None:
    camera = natural_camera((300, 400))
    assert np.allclose(camera.center, [200, 150])
    assert np.allclose(2 * np.degrees(np.arctan(200 / np.asarray(camera.focal))), 54.4, atol=0.1)
    assert np.allclose(natural_camera((300, 400), 777.0).focal, 777)
    with pytest.raises(PhotoError, match="focal length is -1"):
        natural_camera((300, 400), -1.0)


def test_too_few_landmarks_are_an_error() -> None:
    person = as_seen(true_pose(), visibility=np.where(np.arange(33) < 4, 1.0, 0.0))
    with pytest.raises(PhotoError, match="only 4 of 33 landmarks"):
        fit_body(builtin_body(), person)
