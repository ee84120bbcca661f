"""A library of template meshes: make the built-in one, index one, find what looks like a mask.

    python experiments/templates.py builtin --library=DIR             # the objects of the built-in scenes; indexed too
    python experiments/templates.py index --library=DIR               # DIR/<category>/<name>.obj; again: goes on
    python experiments/templates.py stats --library=DIR
    python experiments/templates.py nearest --library=DIR --sample=SAMPLE
    python experiments/templates.py nearest --library=DIR --mask=PNG --category=chair

`index` and `builtin` write sheet.png, all templates at a glance, into the library; `nearest` writes --out.
docs/templates.md tells more.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import NoReturn

import numpy as np
from absl import app, flags
from jaxtyping import Bool
from PIL import Image
from tqdm import tqdm

from hoijax.data.images import load_mask
from hoijax.data.read import load_sample
from hoijax.data.sample import SampleError
from hoijax.data.synthetic.library import save_builtin_library
from hoijax.data.template_search import Matches, nearest_templates
from hoijax.data.templates import Library, index_library, load_library, mesh_files
from hoijax.report.templates import library_sheet, match_sheet

_LIBRARY = flags.DEFINE_string("library", None, "The library's folder: <category>/<name>.obj (or ply, stl, off, glb).")
_SAMPLE = flags.DEFINE_string("sample", None, "nearest: a sample folder; gives masks and category.")
_MASK = flags.DEFINE_string("mask", None, "nearest: the object's mask, an image.")
_HIDDEN = flags.DEFINE_string("hidden", None, "nearest: mask of what may hide the object, usually the person's.")
_CATEGORY = flags.DEFINE_string("category", None, "nearest: the object's category; 'any' compares with all templates.")
_K = flags.DEFINE_integer("k", 5, "nearest: how many templates to show.", lower_bound=1)
_OUT = flags.DEFINE_string("out", None, "nearest: where the picture of the matches goes (PNG).")

COMMANDS = ("builtin", "index", "stats", "nearest")
MISUSE = 2


def stop(message: str) -> NoReturn:
    """Ends the program as one that was called wrongly."""
    print(message, file=sys.stderr)
    sys.exit(MISUSE)


def stats(library: Library) -> str:
    """Categories with their templates, totals, and what was set aside."""
    counts = Counter(template.category for template in library.templates)
    open_ones = sum(not template.watertight for template in library.templates)
    lines = [f"{name}: {count}" for name, count in sorted(counts.items())]
    lines.append(f"{len(counts)} categories, {len(library.templates)} templates, {open_ones} of them not watertight")
    lines += [f"set aside: {file}: {reason}" for file, reason in library.set_aside]
    return "\n".join(lines)


def indexed(folder: Path) -> Library:
    """Indexes the library with a bar and writes its sheet."""
    total = len(list(mesh_files(folder))) if folder.is_dir() else 0
    with tqdm(total=total, unit="mesh", leave=False) as bar:
        library = index_library(folder, lambda _: bar.update())
    if library.templates:
        Image.fromarray(library_sheet(library)).save(folder / "sheet.png")
    return library


def masks() -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"] | None, np.ndarray, str | None]:
    """The object's mask, what may hide it, the photograph (white where there is none), and the category."""
    if _SAMPLE.value:
        sample = load_sample(_SAMPLE.value)
        return sample.object_mask, sample.human_mask, sample.image, _CATEGORY.value or sample.category
    mask = load_mask(Path(str(_MASK.value)), _warned)
    hidden = load_mask(Path(_HIDDEN.value), _warned) if _HIDDEN.value else None
    if hidden is not None and hidden.shape != mask.shape:
        stop(
            f"--hidden: {hidden.shape[1]} x {hidden.shape[0]} pixels, expected {mask.shape[1]} x {mask.shape[0]} as --mask"
        )
    return mask, hidden, np.full((*mask.shape, 3), 255, np.uint8), _CATEGORY.value


def _warned(path: Path, message: str) -> None:
    print(f"{path}: {message}", file=sys.stderr)


def table(found: Matches) -> str:
    """The matches, one a line."""
    lines = [f"{'template':<36} {'IoU':>6} {'trust':>6}"]
    lines += [
        f"{match.template.category + '/' + match.template.name:<36} {match.score:>6.3f} {match.trust:>6.3f}"
        for match in found.matches
    ]
    return "\n".join([*lines, found.note])


def nearest(folder: Path) -> None:
    if bool(_SAMPLE.value) == bool(_MASK.value):
        stop("nearest: give --sample=DIR or --mask=PNG, one of them (see --help)")
    library = load_library(folder)
    mask, hidden, image, category = masks()
    if not mask.any():
        stop(f"{_SAMPLE.value or _MASK.value}: the object's mask is empty")
    found = nearest_templates(library, None if category == "any" else category, mask, _K.value, hidden)
    print(table(found))
    if _OUT.value:
        Image.fromarray(match_sheet(library, found, image, mask, hidden)).save(_OUT.value)
        print(f"picture: {_OUT.value}")


def main(argv: list[str]) -> None:
    if len(argv) != 2 or argv[1] not in COMMANDS:
        stop(f"expected one of {', '.join(COMMANDS)} (see --help)")
    if not _LIBRARY.value:
        stop("give --library=DIR (see --help)")
    folder = Path(_LIBRARY.value)
    try:
        if argv[1] == "builtin":
            save_builtin_library(folder)
        if argv[1] == "nearest":
            nearest(folder)
        else:
            print(stats(load_library(folder) if argv[1] == "stats" else indexed(folder)))
    except (SampleError, FileExistsError, ValueError) as error:
        stop(str(error))


if __name__ == "__main__":
    app.run(main)
