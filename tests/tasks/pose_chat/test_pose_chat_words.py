"""Where a person is said to stand, and the questions."""

import json
import re

import numpy as np
import pytest

from hoijax.data.sample import SampleError
from hoijax.tasks.pose_chat.location import location
from hoijax.tasks.pose_chat.prompts import PROMPTS, check_rows, doing, load_prompts, question, rows, told

SIZE = (300, 200)


def upright(middle: float, height: float) -> list[float]:
    return [middle - 10, 190 - height, middle + 10, 190]


@pytest.mark.parametrize(
    ("box", "others", "words"),
    [
        (upright(50, 100), [], "on the left"),
        (upright(150, 100), [], "in the middle"),
        (upright(250, 100), [], "on the right"),
        (upright(99, 100), [upright(101, 100)], "on the left"),  # the other is in the middle
        (upright(101, 100), [upright(99, 100)], "in the middle"),
        (upright(50, 150), [upright(70, 100)], "on the left, in the foreground"),
        (upright(50, 100), [upright(70, 150)], "on the left, in the background"),
        (upright(50, 100), [upright(70, 120)], "on the left, first from the left"),  # as good as equally tall
        (upright(70, 100), [upright(50, 120)], "on the left, second from the left"),
        (
            upright(150, 100),
            [upright(50, 50), upright(140, 50), upright(145, 180)],
            "in the middle, fourth from the left",
        ),
        (upright(250, 150), [upright(240, 60), upright(260, 50), upright(20, 190)], "on the right, in the foreground"),
        ([-50.0, 0.0, 10.0, 50.0], [], "on the left"),  # a box that leaves the picture
        ([290.0, 0.0, 400.0, 50.0], [], "on the right"),
    ],
)
def test_a_person_is_placed_as_one_would_say_it(box, others, words) -> None:
    assert location(np.asarray(box, np.float64), np.asarray(others, np.float64).reshape(-1, 4), SIZE) == words


def test_no_two_people_of_one_picture_are_placed_alike() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        low = rng.uniform([0, 0], [250, 100], (6, 2))
        boxes = np.concatenate([low, low + rng.uniform(10, 90, (6, 2))], axis=1)
        said = [location(boxes[k], np.delete(boxes, k, axis=0), SIZE) for k in range(6)]
        assert len(set(said)) == 6, said


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("sit on", "sitting on"),
        ("lie_on", "lying on"),
        ("ride", "riding"),
        ("carry", "carrying"),
        ("hug", "hugging"),
        ("pet", "petting"),
        ("drag", "dragging"),
        ("swing", "swinging"),
        ("sing", "singing"),
        ("read", "reading"),
        ("throw", "throwing"),
        ("kick", "kicking"),
        ("type on", "typing on"),
        ("see", "seeing"),
        ("tie", "tying"),
        ("open", "opening"),
        ("drinking", "drinking"),
        ("floating", "floating"),
    ],
)
def test_a_label_becomes_what_somebody_is_doing(label, words) -> None:
    assert doing(label) == words


def test_the_rows_are_all_subsets_and_each_question_tells_just_its_own() -> None:
    assert len(rows()) == 8
    assert set(PROMPTS) == set(rows())
    fields = {"interaction": "swinging", "object": "tennis racket", "location": "on the far side"}
    for row in rows():
        asked = question(row, "swing", "tennis_racket", "on the far side")
        assert {word for word, text in fields.items() if text in asked} == told(row)
        assert not re.search(r"[{}_]", asked)
    assert check_rows(["location", "none"]) == ("none", "location")
    with pytest.raises(ValueError, match="row 'colour': expected one of none, interaction"):
        check_rows(["colour"])


def test_own_questions_stand_in_place_of_ours(tmp_path) -> None:
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps({"object": "Whoever has the {object}: how?"}))
    prompts = load_prompts(path)
    assert question("object", "hold", "coffee cup", "on the left", prompts) == "Whoever has the coffee cup: how?"
    assert prompts["interaction"] == PROMPTS["interaction"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"colour": "x"}, "there is no row 'colour'"),
        ({"object": "The {location}?"}, "has the fields location"),
        ({"object": "Nothing."}, "has the fields none"),
        ({"none": "The {object}?"}, "has the fields object"),
        ({"object": "The {object"}, "object: "),
        ({"object": "The {object:{location}}."}, "a field has a format"),
        ({"object": "The {object:d}."}, "a field has a format"),
        ({"none": " "}, "the text is empty"),
        (["x"], "expected {row: text}"),
    ],
)
def test_questions_that_cannot_be_asked_are_refused(tmp_path, content, words) -> None:
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps(content))
    with pytest.raises(SampleError, match=re.escape(words)):
        load_prompts(path)
