"""Which file a name means, and how large it is when it stands upright."""

from pathlib import Path

import pytest
from PIL import Image

from hoijax.data.images import load_photo
from hoijax.data.sources.image_folder import ImageFolder


def made(root: Path, *names: str) -> ImageFolder:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30)).save(root / name)
    return ImageFolder(root)


def test_the_end_of_the_path_decides(tmp_path: Path) -> None:
    folder = made(tmp_path, "a/1.jpg", "b/1.jpg", "c/d/2.jpg", "3.jpg", "e/3.jpg")
    assert folder.find("a/1.jpg") == Path("a/1.jpg")
    assert folder.find("data\\set/b/1.jpg") == Path("b/1.jpg")
    assert folder.find("2.jpg") == Path("c/d/2.jpg")
    assert folder.find("3.jpg") == Path("3.jpg")  # exactly what the name says
    assert folder.find("4.jpg") is None
    assert folder.elsewhere == 0


def test_a_name_that_several_files_have_alike_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path, "a/1.jpg", "b/1.jpg")
    for name in ("1.jpg", "c/1.jpg"):
        with pytest.raises(ValueError, match=r"may be any of a/1.jpg, b/1.jpg"):
            folder.find(name)


def test_a_file_in_another_folder_is_taken_and_counted(tmp_path: Path) -> None:
    folder = made(tmp_path, "mine/1.jpg")
    assert folder.find("theirs/1.jpg") == Path("mine/1.jpg")
    assert folder.elsewhere == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sizes_are_those_of_the_upright_picture(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (40, 30)).save(tmp_path / "turned.jpg", exif=exif)
    seen = load_photo(tmp_path / "turned.jpg", lambda *_: None)
    assert ImageFolder(tmp_path).size(Path("turned.jpg")) == seen.shape[1::-1]
