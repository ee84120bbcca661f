"""The flags --sample and --data, and where the outcome for each sample that they name belongs."""

import sys
from pathlib import Path

from absl import flags

from hoijax.data.read import find_samples

_SAMPLE = flags.DEFINE_string("sample", None, "One sample folder in the Open3DHOI layout.")
_DATA = flags.DEFINE_string("data", None, "A tree of sample folders, instead of --sample.")


def sample_folders() -> list[Path]:
    """The sample folders that the flags name. Exits with a sentence when there are none."""
    if (_SAMPLE.value is None) == (_DATA.value is None):
        sys.exit("give one of --sample=DIR and --data=TREE (see --help)")
    given = Path(_SAMPLE.value or _DATA.value or "")
    if not given.is_dir():
        sys.exit(f"{given}: no such folder")
    if _SAMPLE.value:
        return [given]
    found = find_samples(given)
    if not found:
        sys.exit(f"{given}: no sample folder in it (a sample has an image.jpg and a smplx_parameters.json)")
    return found


def place_below(out: str, folder: Path) -> Path:
    """OUT/<category>/<id>, or OUT/<id> for a single or flat sample."""
    if _DATA.value and folder != Path(_DATA.value):
        return Path(out) / folder.relative_to(_DATA.value)
    return Path(out) / folder.resolve().name
