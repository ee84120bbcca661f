"""Our own layouts, finding out which layout a file has, image folders, and files that are no good."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hoijax.data.sample import Sample, SampleError
from hoijax.data.sources.members import json_members
from hoijax.data.sources.read import read_annotations
from hoijax.data.sources.record import folder_name, same_things

CSV = """image, category, action, human_box, object_box
a.jpg, coffee_cup, drink with; hold, 10 20 110 320, 60 40 90 80
a.jpg, chair, sit_on, "10, 20, 110, 320", "[0, 150, 120, 330]"
"b c.jpg", horse, ride, 10 20 110 320, 0 100 300 400
b.jpg, horse, ride, , 0 100 300 400
c.jpg, horse, ride, 10 20 110, 0 100 300 400
"""


def written(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_list_by_hand(tmp_path: Path) -> None:
    read = read_annotations(written(tmp_path / "mine.csv", CSV))
    assert read.layout == "list"
    first, second = read.pictures
    assert (first.people, [(pair.category, pair.actions) for pair in first.pairs]) == (
        1,
        [("coffee cup", ("drink with", "hold")), ("chair", ("sit on",))],
    )
    np.testing.assert_array_equal(first.pairs[1].object_box, [0, 150, 120, 330])
    assert [pair.id for pair in first.pairs] == ["a_0", "a_1"]
    assert second.pairs[0].id.startswith("b_c-")
    assert [(entry.image, entry.reason) for entry in read.set_aside] == [
        ("record 1", "bad record"),
        ("c.jpg", "bad box"),
    ]
    assert "row 4 has no human_box" in read.set_aside[0].message


def test_a_csv_without_the_columns_says_which(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"names image, box; expected .*missing: category, action"):
        read_annotations(written(tmp_path / "mine.csv", "image,box\na.jpg,1 2 3 4\n"))


def test_a_json_list_by_hand(tmp_path: Path) -> None:
    row = {"image": "a.jpg", "category": "cup", "action": ["hold", "sip"], "human_box": [0, 0, 90, 200]}
    rows = [
        row | {"object_box": [10, 10, 40, 40], "people": 2},
        row | {"object_box": [10, 10, 40, 40], "action": "lift"},
    ]
    (picture,) = read_annotations(written(tmp_path / "mine.json", rows)).pictures
    assert (picture.people, len(picture.pairs), picture.pairs[0].actions) == (2, 1, ("hold", "sip", "lift"))


def test_annotations_as_a_sample_has_them(folder: Path, sample: Sample) -> None:
    read = read_annotations(folder / "annotations.json", images=folder)
    assert read.layout == "annotations"
    (picture,) = read.pictures
    (pair,) = picture.pairs
    assert (picture.people, pair.category, pair.actions, pair.size) == (1, sample.category, (sample.action,), (128, 96))
    assert (str(pair.image), pair.id) == ("image.jpg", "image_0")
    assert sample.human_box is not None
    np.testing.assert_allclose(pair.human_box, sample.human_box)


def test_many_annotations_in_one_list(tmp_path: Path) -> None:
    things = [{"bbox": [[10, 20, 100, 300]], "category": "person"}, {"bbox": [[60, 40, 30, 40]], "category": "cup"}]
    hoi = [{"subject_id": 0, "object_id": 1, "action": "hold"}]
    records = [{"file_name": f"{k}.jpg", "hoi_annotation": hoi, "annotations": things} for k in range(2)]
    read = read_annotations(written(tmp_path / "all.json", records))
    assert read.layout == "annotations"
    np.testing.assert_array_equal([p.pairs[0].object_box for p in read.pictures], [[60, 40, 90, 80]] * 2)


def test_images_are_found_by_the_end_of_their_path(tmp_path: Path) -> None:
    for name, size in (("train/x.jpg", (50, 40)), ("val/x.jpg", (70, 60))):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True)
        Image.new("RGB", size).save(path)
    rows = [
        {"image": image, "category": "cup", "action": "hold", "human_box": [0, 0, 90, 35], "object_box": [5, 5, 20, 20]}
        for image in ("data/val/x.jpg", "data/train/x.jpg", "y.jpg")
    ]
    read = read_annotations(written(tmp_path / "mine.json", rows), images=tmp_path / "images")
    assert [(str(p.image), p.pairs[0].size) for p in read.pictures] == [
        ("val/x.jpg", (70, 60)),
        ("train/x.jpg", (50, 40)),
    ]
    np.testing.assert_array_equal(read.pictures[0].pairs[0].human_box, [0, 0, 70, 35])
    assert [(entry.image, entry.reason) for entry in read.set_aside] == [("y.jpg", "image missing")]
    with pytest.raises(SampleError, match="not a folder"):
        read_annotations(tmp_path / "mine.json", images=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("[]", "holds nothing"),
        ("{}", "holds nothing"),
        ("3", "expected a JSON object or list"),
        ('[{"a": 1} {"a": 2}]', "is a list of objects with a"),
        ('{"a": {"parts_list": []}}', "is an object with a of objects with parts_list"),
        ("[1, 2]", "int entries"),
    ],
)
def test_other_files_are_refused_with_what_was_found(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        read_annotations(written(tmp_path / "file.json", content))


def test_a_file_cut_off_is_no_file(tmp_path: Path) -> None:
    rows = [{"image": f"{k}.jpg", "category": "cup", "action": "hold"} for k in range(9)]
    rows = [row | {"human_box": [0, 0, 9, 9], "object_box": [0, 0, 9, 9]} for row in rows]
    text = json.dumps(rows)
    assert len(read_annotations(written(tmp_path / "whole.json", text)).pictures) == 9
    for wrong in (text[:-1], text[: len(text) // 2], text + "]"):
        with pytest.raises(SampleError, match="not valid JSON"):
            read_annotations(written(tmp_path / "cut.json", wrong))


def test_nothing_usable_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="not one of 1 records can be used"):
        read_annotations(written(tmp_path / "x.json", [{"human_box": [0, 0, 9, 9]}]))


@pytest.mark.parametrize("content", [[], [1, "a", {"b": None}], {"k": {"l": [1]}, "m": 2.5}])
def test_members_are_those_of_json(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "x.json"
    for indent in (None, 2):
        path.write_text(json.dumps(content, indent=indent) + "\n")
        found = list(json_members(path))
        expected = list(content.items()) if isinstance(content, dict) else [(None, value) for value in content]
        assert found == expected


def test_what_is_drawn_together_is_apart() -> None:
    left, right, again = (0.0, 0.0, 10.0, 10.0), (2.0, 0.0, 12.0, 10.0), (1.0, 0.0, 11.0, 10.0)
    assert same_things([left, right], [0, 0], 0.5) == [0, 1]
    assert same_things([left, right], [0, 1], 0.5) == [0, 0]
    assert same_things([left, right, again, left], [0, 0, 1, 2], 0.5) == [0, 1, 0, 0]


def test_ids_are_names_for_folders_and_stay_apart(tmp_path: Path) -> None:
    names = [
        "a.jpg",
        "a.png",
        "A.jpg",
        "x/a.jpg",
        "x-a.jpg",
        "ä.jpg",
        "../a.jpg",
        "b c.jpg",
        "b_c.jpg",
        "n" * 300 + ".jpg",
    ]
    row = {"category": "cup", "action": "hold", "human_box": [0, 0, 90, 35], "object_box": [5, 5, 20, 20]}
    read = read_annotations(written(tmp_path / "mine.json", [row | {"image": name} for name in names]))
    ids = [picture.pairs[0].id for picture in read.pictures]
    assert len({name.lower() for name in ids}) == len(names)
    for name in ids:
        (tmp_path / "out" / name).mkdir(parents=True)
    assert len(list((tmp_path / "out").iterdir())) == len(names)
    assert folder_name("HICO_train2015_00000001.jpg") == "HICO_train2015_00000001"
