"""Where things lie in a data set: a sample's files, a tree's samples, category and action in a name."""

import os
import re
from pathlib import Path

from hoijax.data.sample import SampleError

# Every name under which a file is known, the canonical one first.
NAMES = {
    "image": ("image.jpg", "image.jpeg", "image.png"),
    "human_mask": ("person_mask.png",),
    "object_mask": ("object_mask.png", "obj_mask.png"),
    "parameters": ("smplx_parameters.json",),
    "human": ("h_mesh.obj",),
    "object": ("obj_pcd_h_align.obj",),
    "truth": ("object_mesh.obj",),
    "true_human": ("h_mesh_true.obj",),
    "true_parameters": ("smplx_parameters_true.json",),
    "depth": ("depth.npy", "depth.png"),
    "boxes": ("box_annotation.json",),
    "calibration": ("calibration.json",),
    "extrinsic": ("extrinsic.json",),
    "contact_parts": ("contact_label/human_part.json",),
    "annotations": ("annotations.json",),
}
REQUIRED = ("image", "human_mask", "object_mask", "parameters", "human", "object")
IMAGE_WORDS = ("indoor", "outdoor")  # what SWIG-HOI's images are called by, beside numbers
RESULT = "result.json"  # a folder that holds it is a result, not a sample


def load_bytes(path: Path) -> bytes:
    """Content of a regular, non-empty file. Raises SampleError that says why there is none."""
    if os.path.isdir(path):
        raise SampleError(path, "is a folder, expected a file")
    if os.path.exists(path) and not os.path.isfile(path):
        raise SampleError(path, "is not a regular file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SampleError(path, f"cannot be read ({error.strerror or error})") from error
    if not data:
        raise SampleError(path, "is empty (0 bytes)")
    return data


def sample_file(folder: Path, kind: str) -> Path | None:
    """The file of this kind in a sample folder, under any of its names; None when there is none."""
    for name in NAMES[kind]:
        if os.path.lexists(folder / name):
            return folder / name
    if kind == "truth":
        annotated = sorted(folder.glob("obj_annot*.obj"), key=lambda path: (len(path.name), path.name))
        return annotated[0] if annotated else None
    return None


def required_file(folder: Path, kind: str) -> Path:
    """The file of this kind. Raises SampleError when the folder has none."""
    path = sample_file(folder, kind)
    if path is None:
        raise SampleError(folder, f"has no {' or '.join(NAMES[kind])}")
    return path


def sample_name(folder: Path) -> tuple[str, str | None, str | None]:
    """Name, category and action that a folder tells: `coffee cup/drinking_98` or, flat, `air_cushion-floating_94`.

    A nested sample is called `category/image_id`, any other by its folder. What the name does not tell is None: an image's
    own name (`HICO_train2015_00000809`, `indoor_05534`) tells no action.
    """
    folder = Path(os.path.abspath(folder))
    numbered = re.fullmatch(r"(.+)_\d+", folder.name)
    if numbered is None:
        return folder.name, None, None
    category, hyphen, action = numbered[1].rpartition("-")
    if hyphen and category and action:
        return folder.name, category.replace("_", " "), _action(action)
    if not folder.parent.name:
        return folder.name, None, _action(numbered[1])
    return f"{folder.parent.name}/{folder.name}", folder.parent.name.replace("_", " "), _action(numbered[1])


def _action(text: str) -> str | None:
    """The action that a folder is called by: words in small letters that images are not called by."""
    words = text.replace("_", " ").strip()
    return words if re.fullmatch(r"[a-z][a-z -]*", words) and words not in IMAGE_WORDS else None


def is_sample(folder: Path) -> bool:
    """Whether the folder holds any file that every sample has, and is not a result."""
    if os.path.lexists(folder / RESULT):
        return False
    return any(sample_file(folder, kind) is not None for kind in REQUIRED)


def find_samples(tree: str | os.PathLike[str]) -> list[Path]:
    """Sample folders in a tree of any depth, sorted; a tree that is itself a sample yields itself.

    Hidden folders and results are passed over; links are followed once. Raises SampleError when `tree` is no folder.
    """
    tree = Path(tree)
    if not os.path.isdir(tree):
        raise SampleError(tree, "is not a folder, expected a sample or a tree of samples")
    found = []
    seen = set()
    for parent, children, _ in os.walk(tree, followlinks=True):
        folder = Path(parent)
        real = os.path.realpath(parent)
        if real in seen or os.path.lexists(folder / RESULT):
            children.clear()
        elif is_sample(folder):
            found.append(folder)
            children.clear()
        else:
            children[:] = [child for child in children if not child.startswith(".")]
        seen.add(real)
    return sorted(found)
