"""Which samples are asked about, and who in the picture is meant."""

import json
import re

import numpy as np
import pytest

from hoijax.data.sample import SampleError
from hoijax.tasks.pose_chat.select import Criteria, People, box_overlap, load_people, load_subject, load_subjects

MEANT, OTHER, SMALL = [10.0, 5.0, 30.0, 75.0], [80.0, 5.0, 110.0, 75.0], [50.0, 30.0, 55.0, 38.0]


def found(*boxes: list[float], scores: list[float] | None = None) -> People:
    return People(np.asarray(boxes).reshape(-1, 4), np.asarray(scores or [0.9] * len(boxes)))


def test_the_overlap_of_boxes_is_what_a_hand_computes() -> None:
    boxes = np.array([[0.0, 0, 2, 2], [1, 1, 3, 3], [2, 0, 4, 2], [0, 0, 1, 1]])
    np.testing.assert_allclose(box_overlap(np.array([0.0, 0, 2, 2]), boxes), [1, 1 / 7, 0, 1 / 4])


def test_the_annotated_person_is_found_among_the_others(write_sample_folder) -> None:
    folder = write_sample_folder("ball/kick_1", MEANT)
    near = [12.0, 6.0, 31.0, 74.0]
    subject = load_subject("ball/kick_1", folder, found(OTHER, near), Criteria())
    assert (subject.category, subject.action, subject.place) == ("ball", "kick", "on the left")
    np.testing.assert_array_equal(subject.box, near)
    np.testing.assert_array_equal(subject.others, [OTHER])
    other = load_subject("ball/kick_1", write_sample_folder("ball/kick_2", OTHER), found(OTHER, near), Criteria())
    assert other.place == "on the right"


def test_without_a_box_the_mask_tells_who_it_is(write_sample_folder) -> None:
    folder = write_sample_folder("ball/kick_1")
    (folder / "box_annotation.json").unlink()
    subject = load_subject("ball/kick_1", folder, found([12.0, 10, 28, 70], OTHER), Criteria())
    np.testing.assert_array_equal(subject.box, [12, 10, 28, 70])


@pytest.mark.parametrize(
    ("people", "words"),
    [
        (None, "nobody has looked for people: no people.json"),
        (found(), "people seen: 0, expected 2 or more"),
        (found(MEANT), "people seen: 1"),
        (found(MEANT, SMALL), "people seen: 1"),  # a twelfth of the picture's height
        (found(MEANT, OTHER, scores=[0.9, 0.6]), "people seen: 1"),
        (found(OTHER, [50.0, 5.0, 70.0, 75.0]), "nobody is seen where the annotated person is"),
    ],
)
def test_samples_that_do_not_fit_say_why_and_any_takes_them(write_sample_folder, people, words) -> None:
    folder = write_sample_folder("ball/kick_1", MEANT)
    with pytest.raises(SampleError, match=words):
        load_subject("ball/kick_1", folder, people, Criteria())
    subject = load_subject("ball/kick_1", folder, people, Criteria(least=1))
    np.testing.assert_array_equal(subject.box, MEANT)
    assert subject.place == "on the left"


def test_every_sample_is_chosen_or_told_why_not(write_sample_folder) -> None:
    folders = {
        "ball/kick_1": write_sample_folder("ball/kick_1"),
        "nameless": write_sample_folder("nameless"),
        "ball/hold_2": write_sample_folder("ball/hold_2", verts=7),
        "ball/hold_3": write_sample_folder("ball/hold_3"),
    }
    (folders["ball/hold_3"] / "smplx_parameters.json").write_text("{")

    def people(name, folder):
        return found(MEANT, OTHER)

    chosen, left_out = load_subjects(folders, people, Criteria(), 5)
    assert [subject.name for subject in chosen] == ["ball/kick_1"]
    assert left_out.keys() == {"nameless", "ball/hold_2", "ball/hold_3"}
    assert left_out["nameless"] == "no action: there is nothing to ask with"
    assert left_out["ball/hold_2"] == "the person has 7 vertices, the body 5: give the body it was made with"
    assert "not valid JSON" in left_out["ball/hold_3"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "holds no boxes"),
        ({"boxes": [[0, 0, 1, 10**400]]}, "cannot be read"),
        ({"boxes": [[1, 2, 3]]}, "cannot be read"),
        ({"boxes": [[1, 2, 3, "x"]]}, "cannot be read"),
        ({"boxes": [[1, 2, 3, 4]], "scores": []}, "expected one for each"),
        ({"boxes": [[3, 2, 1, 4]]}, "without area"),
    ],
)
def test_a_list_of_people_that_is_none_is_refused(tmp_path, content, words) -> None:
    path = tmp_path / "people.json"
    path.write_text(json.dumps(content))
    with pytest.raises(SampleError, match=re.escape(words)):
        load_people(path)


def test_a_list_of_people_needs_no_scores(tmp_path) -> None:
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"boxes": [MEANT, OTHER]}))
    np.testing.assert_array_equal(load_people(path).scores, [1, 1])
    path.write_text(json.dumps({"boxes": [], "scores": []}))
    assert load_people(path).boxes.shape == (0, 4)
