"""Finding samples in trees, and what their names tell."""

from pathlib import Path

import pytest

from hoijax.data.layout import find_samples, load_bytes, sample_file, sample_name
from hoijax.data.sample import SampleError


def touched(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_trees_nested_flat_and_single(tmp_path: Path) -> None:
    folders = [
        tmp_path / "air_cushion-floating_94",
        tmp_path / "coffee cup" / "drinking_98",
        tmp_path / "ü" / "a" / "b" / "riding_1",
    ]
    touched(folders[0] / "image.jpg")
    touched(folders[1] / "smplx_parameters.json")
    touched(folders[2] / "obj_mask.png")
    touched(folders[1] / "contact_label" / "image.jpg")
    touched(tmp_path / ".hidden" / "image.jpg")
    touched(tmp_path / "readme.txt")
    assert find_samples(tmp_path) == sorted(folders)
    assert find_samples(folders[1]) == [folders[1]]


def test_results_and_empty_trees_hold_no_samples(tmp_path: Path) -> None:
    touched(tmp_path / "out" / "result.json")
    touched(tmp_path / "out" / "smplx_parameters.json")
    assert find_samples(tmp_path) == []


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    touched(tmp_path / "elsewhere" / "cup" / "drinking_1" / "image.jpg")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "linked").symlink_to(tmp_path / "elsewhere")
    (tree / "loop").symlink_to(tree)
    assert find_samples(tree) == [tree / "linked" / "cup" / "drinking_1"]


def test_no_tree(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="is not a folder"):
        find_samples(tmp_path / "none")


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/d/coffee cup/drinking_98", ("coffee cup/drinking_98", "coffee cup", "drinking")),
        ("/d/wine_glass/drink_with_7", ("wine_glass/drink_with_7", "wine glass", "drink with")),
        ("/d/air_cushion-floating_94", ("air_cushion-floating_94", "air cushion", "floating")),
        ("/d/t-shirt-wearing_3", ("t-shirt-wearing_3", "t-shirt", "wearing")),
        ("/d/basket", ("basket", None, None)),
        ("/d/cake/indoor_05534", ("cake/indoor_05534", "cake", None)),
        ("/d/donut/HICO_train2015_00006118", ("donut/HICO_train2015_00006118", "donut", None)),
    ],
)
def test_names(folder: str, expected: tuple[str, str | None, str | None]) -> None:
    assert sample_name(Path(folder)) == expected


def test_variants_of_file_names(tmp_path: Path) -> None:
    assert sample_file(tmp_path, "truth") is None
    second, tenth = touched(tmp_path / "obj_annot2.obj"), touched(tmp_path / "obj_annot10.obj")
    assert sample_file(tmp_path, "truth") == second != tenth
    canonical = touched(tmp_path / "object_mesh.obj")
    assert sample_file(tmp_path, "truth") == canonical
    assert sample_file(tmp_path, "object_mask") is None
    assert sample_file(tmp_path, "object_mask") is None
    variant = touched(tmp_path / "obj_mask.png")
    assert sample_file(tmp_path, "object_mask") == variant


def test_unreadable_files_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SampleError, match="No such file"):
        load_bytes(tmp_path / "dangling")
    path = touched(tmp_path / "image.jpg")

    def denied(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(SampleError, match=r"image\.jpg: cannot be read \(Permission denied\)"):
        load_bytes(path)
