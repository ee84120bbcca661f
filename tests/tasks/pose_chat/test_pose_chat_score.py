"""Errors of answered bodies against a computation by hand, and the plain answers."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import PARENTS, zero_pose
from hoijax.tasks.pose_chat.answers import Answer
from hoijax.tasks.pose_chat.floors import alike, floor_answers, mean_rotation, rest_answer, spoken, true_bodies
from hoijax.tasks.pose_chat.score import CHUNK, row_score, scores
from hoijax.tasks.pose_chat.select import Criteria, load_subject
from hoijax.types import HumanPose


def person(seed: int) -> HumanPose:
    """A pose with everything in it."""
    rng = np.random.default_rng(seed)
    drawn = {name: rng.normal(0, 0.4, np.shape(value)) for name, value in zero_pose()._asdict().items()}
    return HumanPose(**{name: jnp.asarray(value, jnp.float32) for name, value in drawn.items()})


def posed_by_hand(pose: HumanPose) -> tuple[np.ndarray, np.ndarray]:
    """Joints and vertices in float64: shape, joints down the tree one by one, linear blend skinning. Root at rest."""
    body = builtin_body()
    rest = np.asarray(body.template, np.float64)
    rest = rest + np.asarray(body.shape_dirs, np.float64) @ np.asarray(pose.shape, np.float64)
    rest = rest + np.asarray(body.expression_dirs, np.float64) @ np.asarray(pose.expression, np.float64)
    joints = np.asarray(body.regressor, np.float64) @ rest
    single = [np.zeros((1, 3)), pose.body, pose.jaw[None], pose.eyes, pose.left_hand, pose.right_hand]
    local = Rotation.from_rotvec(np.concatenate([np.asarray(part, np.float64) for part in single])).as_matrix()
    world, place = [local[0]], [joints[0]]
    for joint in range(1, len(PARENTS)):
        parent = PARENTS[joint]
        world.append(world[parent] @ local[joint])
        place.append(place[parent] + world[parent] @ (joints[joint] - joints[parent]))
    weights = np.asarray(body.weights, np.float64)
    moved = sum(weights[:, j, None] * ((rest - joints[j]) @ world[j].T + place[j]) for j in range(len(PARENTS)))
    return np.asarray(place)[:22], np.asarray(moved)


def answer(seed: int) -> Answer:
    rng = np.random.default_rng(100 + seed)
    return Answer("", Rotation.from_rotvec(rng.normal(0, 0.6, (21, 3))).as_matrix())


@pytest.mark.parametrize("unasked", ["annotation", "mean"])
def test_errors_are_those_of_a_computation_by_hand(unasked) -> None:
    truth, given = person(0), answer(0)
    [found] = scores(builtin_body(), [given], [truth], unasked)
    rotvecs = jnp.asarray(Rotation.from_matrix(given.body).as_rotvec())
    answered = truth._replace(body=rotvecs) if unasked == "annotation" else zero_pose()._replace(body=rotvecs)
    (joints, verts), (true_joints, true_verts) = posed_by_hand(answered), posed_by_hand(truth)
    assert found.mpjpe_mm == pytest.approx(1000 * np.linalg.norm(joints - true_joints, axis=1).mean(), abs=0.02)
    assert found.mpvpe_mm == pytest.approx(1000 * np.linalg.norm(verts - true_verts, axis=1).mean(), abs=0.02)


def test_where_the_person_stands_and_faces_does_not_count() -> None:
    truth, given = person(1), answer(1)
    turned = truth._replace(root=jnp.array([1.0, -2.0, 0.5]), translation=jnp.array([3.0, -1.0, 9.0]))
    still, moved = scores(builtin_body(), [given, given], [truth, turned])
    assert moved == still
    assert still.mpjpe_mm > 50


def test_the_annotation_itself_has_no_error() -> None:
    truth = person(2)
    own = Answer("", Rotation.from_rotvec(np.asarray(truth.body, np.float64)).as_matrix())
    [found] = scores(builtin_body(), [own], [truth])
    assert found == pytest.approx((0, 0), abs=0.01)
    [mean] = scores(builtin_body(), [own], [truth], "mean")
    assert mean.mpvpe_mm > 5  # its shape and fingers are not the mean ones


def test_many_answers_are_scored_as_each_alone_and_words_keep_their_place() -> None:
    count = CHUNK + 3
    given = [Answer("No.", None) if k == 4 else answer(k) for k in range(count)]
    truths = [person(k) for k in range(count)]
    together = scores(builtin_body(), given, truths)
    for k in (0, 3, 5, count - 1):
        [alone] = scores(builtin_body(), [given[k]], [truths[k]])
        np.testing.assert_allclose(together[k], alone, rtol=1e-5)
    assert np.isnan(together[4]).all()
    row = row_score(together)
    assert (row.asked, row.posed) == (count, count - 1)
    posed = np.asarray([score.mpjpe_mm for k, score in enumerate(together) if k != 4])
    assert row.mpjpe_mm.mean == pytest.approx(posed.mean())
    assert row.mpjpe_mm.error == pytest.approx(posed.std(ddof=1) / np.sqrt(count - 1))


def test_a_mean_of_rotations_is_halfway_and_no_mean_of_numbers() -> None:
    turns = Rotation.from_rotvec([[0.0, 0, 3.0], [0, 0, -3.0]]).as_matrix()  # 16 degrees apart, across the half turn
    np.testing.assert_allclose(mean_rotation(turns), Rotation.from_rotvec([0, 0, np.pi]).as_matrix(), atol=1e-12)
    axis = np.array([1.0, 2.0, -1.0]) / np.sqrt(6)
    some = Rotation.from_rotvec(np.outer([0.2, 1.0], axis)).as_matrix()
    np.testing.assert_allclose(mean_rotation(some), Rotation.from_rotvec(0.6 * axis).as_matrix(), atol=1e-12)


@pytest.fixture
def subjects(write_sample_folder):
    """Five samples, each with one elbow bent by its own angle."""
    names = ["ball/kick_1", "ball/kick_2", "ball/hold_3", "cup/holding_4", "tree/climb_5"]
    bodies = np.zeros((5, 21, 3))
    bodies[:, 17, 1] = [0.1, 0.2, 0.4, 0.8, 1.6]
    folders = [write_sample_folder(name, body=body) for name, body in zip(names, bodies)]
    return [load_subject(n, f, None, Criteria(least=1)) for n, f in zip(names, folders)]


@pytest.mark.parametrize(
    ("index", "row", "shared_by", "said"),
    [
        (0, "none", [1, 2, 3, 4], ""),
        (0, "interaction", [1], "interaction"),
        (0, "object", [1, 2], "object"),
        (0, "interaction+object", [1], "interaction and object"),
        (2, "interaction", [3], "interaction"),  # hold and holding are one action
        (2, "interaction+object", [3], "interaction"),  # nobody else holds a ball
        (3, "object", [0, 1, 2, 4], ""),  # there is no other cup
        (3, "interaction+object", [2], "interaction"),
        (4, "interaction+object", [0, 1, 2, 3], ""),
    ],
)
def test_the_others_that_share_the_words(subjects, index, row, shared_by, said) -> None:
    chosen, shared = alike(spoken(subjects), index, row)
    assert np.flatnonzero(chosen).tolist() == shared_by
    assert shared == said


def test_no_sample_knows_its_own_pose(subjects) -> None:
    before = floor_answers(subjects)
    changed = [*subjects[:1], subjects[1]._replace(pose=person(7)), *subjects[2:]]
    after = floor_answers(changed)
    for row in before:
        np.testing.assert_array_equal(before[row][1].body, after[row][1].body)
    for row in ("mean", "words: interaction", "words: object", "words: interaction+object"):
        assert np.abs(before[row][0].body - after[row][0].body).max() > 0.1, row
    np.testing.assert_array_equal(before["rest"][3].body, np.tile(np.eye(3), (21, 1, 1)))


def test_one_sample_alone_gets_the_rest_pose_only(subjects) -> None:
    assert list(floor_answers(subjects[:1])) == ["rest"]
    said = floor_answers(subjects)
    assert said["mean"][0].text == "mean of all 4 others"
    assert said["words: interaction+object"][2].text == "mean of 1 of the same interaction"
    assert rest_answer().body.shape == (21, 3, 3)
    assert true_bodies(subjects).shape == (5, 21, 3, 3)
