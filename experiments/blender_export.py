"""Bring what annotators exported from Blender to the samples: a tree whose ground truth is the placed object.

    python experiments/blender_export.py --data=TREE --exported=TREE_blender --out=OUT

OUT holds each exported sample in canonical form, which evaluate.py and ablate.py read with --data=OUT. Again: only what
changed is written anew. The samples of TREE stay as they are. The exit code is 1 when an export could not be used.
"""

import sys
from collections import Counter
from pathlib import Path

from absl import app, flags
from tqdm import tqdm

from hoijax.annotate.blender_poses import Collected, collect
from hoijax.data.layout import find_samples
from hoijax.data.sample import SampleError

_DATA = flags.DEFINE_string("data", None, "Tree of samples that was annotated.", required=True)
_EXPORTED = flags.DEFINE_string(
    "exported", None, "Folder of the exports; beside TREE, with _blender, if nothing is said."
)
_OUT = flags.DEFINE_string("out", None, "Where the samples with their new truth go.", required=True)

STATES = ("written", "unchanged", "not exported", "failed")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    tree = Path(_DATA.value).resolve()
    exported = Path(_EXPORTED.value).resolve() if _EXPORTED.value else tree.with_name(f"{tree.name}_blender")
    out = Path(_OUT.value).resolve()
    for place in (exported, tree):
        if out == place or place in out.parents or out in place.parents:
            sys.exit(f"--out={out}: overlaps with {place}, expected a place of its own")
    try:
        if not exported.is_dir():
            raise SampleError(exported, "is not a folder, expected what Blender exported")
        total = len(find_samples(tree))
        if not total:
            raise SampleError(tree, "no sample folder in it")
        found = list(tqdm(collect(tree, exported, out), total=total, unit="sample"))
    except SampleError as error:
        sys.exit(str(error))
    show(found)
    counts = Counter(each.state for each in found)
    print(", ".join(f"{counts[state]} {state}" for state in STATES) + f": {out}")
    if counts["failed"]:
        sys.exit(1)


def show(found: list[Collected]) -> None:
    """The table of what was exported, then the names of what was not, then what failed."""
    width = max(len(each.name) for each in found)
    print(f"{'sample':{width}s}  moved cm  turned deg  scaled  annotator")
    for each in found:
        if each.moved_cm is not None:
            numbers = f"{each.moved_cm:8.1f}  {each.turned:10.1f}  {each.scaled:6.3f}"
            print(f"{each.name:{width}s}  {numbers}  {each.annotator} ({each.state})")
    for each in found:
        if each.state == "not exported":
            print(f"{each.name:{width}s}  not exported")
    for each in found:
        if each.state == "failed":
            print(f"{each.name:{width}s}  failed: {each.why}", file=sys.stderr)


if __name__ == "__main__":
    app.run(main)
