"""Rows: what is measured of a sample, kept, and measured anew."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from hoijax.body.builtin import builtin_body
from hoijax.body.parts import PART_NAMES, body_parts
from hoijax.body.smplx import pose_body, zero_pose
from hoijax.data.layout import find_samples
from hoijax.data.read import load_sample
from hoijax.tasks.statistics.collect import Collected, collect, row_file
from hoijax.tasks.statistics.row import Row, category_of, fingerprint, packed, plain, unpacked, unplain
from hoijax.tasks.statistics.stature import init_stature

ODD = 'a <b>"50% & $x y$"</b>'


def folders(tree: Path) -> dict[str, Path]:
    return {folder.relative_to(tree).as_posix(): folder for folder in find_samples(tree)}


def test_what_the_labels_say(rows: dict[str, Row]) -> None:
    assert list(rows) == ["cup/hold_0", "cup/hold_1", "odd/sit_on_2", "wrench/wrench"]
    assert [row.category for row in rows.values()] == ["cup", "cup", ODD, "wrench"]
    assert rows["cup/hold_0"].interactions == (("hold", "coffee cup"), ("drink with", "coffee cup"))
    assert rows["cup/hold_1"].interactions == (("hold", "cup"),)
    assert rows["wrench/wrench"].interactions == ()
    assert [row.people for row in rows.values()] == [1, 1, 2, 1]
    assert [row.contact_parts for row in rows.values()] == [("left palm",), None, ("left palm", "nose"), None]
    assert [row.object_is for row in rows.values()] == ["annotation", "start", "annotation", "annotation"]
    assert {(row.width, row.height) for row in rows.values()} == {(80, 64)}


@pytest.mark.parametrize(
    ("name", "category", "expected"),
    [
        ("coffee cup/drinking_98", "coffee cup", "coffee cup"),
        ("Hot_Dog/3f87180006cf0e68", None, "hot dog"),
        ("3f87180006cf0e68", None, "unknown"),
    ],
)
def test_what_a_folder_tells(name: str, category: str | None, expected: str, tree: Path) -> None:
    sample = load_sample(tree / "cup/hold_1")._replace(category=category)
    assert category_of(name, sample) == expected


def test_sizes_of_boxes_are_their_edges(rows: dict[str, Row]) -> None:
    body = builtin_body()
    height = float(np.ptp(np.asarray(body.template)[:, 1]))
    for row in rows.values():
        assert row.size == pytest.approx(0.2)
        assert row.stature == pytest.approx(height)
        assert row.relative_size == pytest.approx(0.2 / height)
    assert [row.watertight for row in rows.values()] == [True, True, True, False]


def test_distances_against_the_formula_of_a_box(
    rows: dict[str, Row], middle: np.ndarray, body_verts: np.ndarray
) -> None:
    body = builtin_body()
    distance = np.linalg.norm(np.maximum(np.abs(body_verts - middle) - 0.1, 0), axis=1)
    row = rows["cup/hold_0"]
    palm = body_parts(body) == PART_NAMES.index("left palm")
    assert row.values["contact_cm"] == pytest.approx(100 * distance[palm].mean(), rel=1e-5)
    assert row.values["gap_cm"] == pytest.approx(100 * distance.min(), rel=1e-3)
    assert row.values["collision"] == row.values["penetration_max_cm"] == 0
    assert row.values["gap_cm"] == pytest.approx(2, rel=1e-3)
    near = unpacked(row.near, row.human_verts)
    certain = np.abs(distance - 0.05) > 1e-6  # files hold float32
    assert near.any()
    np.testing.assert_array_equal(near[certain], (distance <= 0.05)[certain])
    assert row.values["iou_object"] == row.values["iou_human"] == row.values["iou_both"] == 1
    assert math.isnan(rows["cup/hold_1"].values["contact_cm"])
    assert math.isnan(row.values["object_lpips"])
    assert 0 < row.values["object_ssim"] <= 1


def test_a_sample_that_cannot_be_read_is_listed(found: Collected) -> None:
    assert list(found.left_out) == ["cup/hold_9"]
    assert "h_mesh.obj" in found.left_out["cup/hold_9"]


def test_rows_survive_their_file(rows: dict[str, Row], store: Path) -> None:
    for name, row in rows.items():
        again = unplain(json.loads(json.dumps(plain(row))))
        assert str(again) == str(row)
        assert str(unplain(json.loads(row_file(store, name).read_bytes())["row"])) == str(row)


@pytest.mark.parametrize("count", [1, 8, 13])
def test_masks_survive_as_text(count: int) -> None:
    mask = np.arange(count) % 3 == 0
    np.testing.assert_array_equal(unpacked(packed(mask), count), mask)


def test_only_what_changed_is_measured_again(tree: Path, found: Collected, store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "tree"
    shutil.copytree(tree, copy)
    mine = tmp_path / "rows"
    shutil.copytree(store, mine)
    assert collect(folders(copy), mine).known == 4
    (copy / "cup/hold_1/contact_label").mkdir()
    (copy / "cup/hold_1/contact_label/human_part.json").write_text('["back"]')
    kept = row_file(mine, "odd/sit_on_2")
    kept.write_bytes(kept.read_bytes()[:100])  # a row that a full disk cut off
    told: dict[str, str] = {}
    again = collect(folders(copy), mine, tell=lambda name, why: told.update({name: why}))
    assert again.known == 2
    assert {row.name: row.contact_parts for row in again.rows}["cup/hold_1"] == ("back",)
    assert [str(row) for row in again.rows if row.name != "cup/hold_1"] == [
        str(row) for row in found.rows if row.name != "cup/hold_1"
    ]
    assert set(told) == set(folders(copy))
    assert [name for name, why in told.items() if why] == ["cup/hold_9"]


def test_a_folder_of_another_name_is_another_sample(tree: Path, store: Path, tmp_path: Path) -> None:
    for own in ("cup", "mug"):
        shutil.copytree(tree / "cup/hold_1", tmp_path / own / "hold_1")
    assert fingerprint(tmp_path / "cup/hold_1", "") == fingerprint(tree / "cup/hold_1", "")
    assert fingerprint(tmp_path / "mug/hold_1", "") != fingerprint(tree / "cup/hold_1", "")
    assert fingerprint(tree / "cup/hold_1", "alex") != fingerprint(tree / "cup/hold_1", "")


def test_stature_holds_in_other_poses_and_shapes() -> None:
    body, stature = builtin_body(), init_stature()
    parts, faces = body_parts(body), np.asarray(body.faces)
    shape = zero_pose().shape.at[0].set(1.5)
    pose = zero_pose()._replace(shape=shape)
    tall = float(np.ptp(np.asarray(pose_body(body, pose).verts)[:, 1]))
    hips, knees = np.array([0, 1]), np.array([3, 4])
    bent = pose.body.at[hips, 0].set(-1.5).at[knees, 0].set(1.5)  # sits
    sitting = np.asarray(pose_body(body, pose._replace(body=bent)).verts, np.float64)
    assert np.ptp(sitting[:, 1]) < 0.85 * tall
    assert stature.height(sitting, faces, parts) == pytest.approx(tall, rel=0.08)
    without = np.where(parts == PART_NAMES.index("neck"), PART_NAMES.index("head"), parts)
    assert math.isnan(stature.height(sitting, faces, without))


def test_an_action_without_a_letter_costs_that_interaction_only(tree: Path, store: Path, tmp_path: Path) -> None:
    shutil.copytree(tree / "cup/hold_0", tmp_path / "cup/hold_0")
    path = tmp_path / "cup/hold_0/annotations.json"
    path.write_text(path.read_text().replace("drink_with", "?!"))
    found = collect(folders(tmp_path), tmp_path / "rows")
    assert not found.left_out
    assert found.rows[0].interactions == (("hold", "coffee cup"),)
    assert any("'?!'" in warning for warning in found.rows[0].warnings)
