"""From what annotators decided to ground truth: a tree of samples that evaluate.py reads.

    python experiments/annotate_export.py --data=TREE --out=DIR [--annotator=NAME | --prefer=anna,bert] [--blender=DIR]

Writes the samples that are finished in all three tools, with corrected masks, contact labels and the aligned object, and
annotated.json beside each, which tells who decided what. --needs=fine asks for the fine alignment only; --only=all
writes whatever is not deleted, with as much as was decided. What the filter deleted is in DIR/left_out.csv, what is not
finished in unfinished.csv, where annotators disagree in conflicts.csv, what was decided about older files in stale.csv.
Run it again after more was annotated: what has not changed is passed over. It may run beside the server.

--blender=DIR adds the poses that were exported from Blender; with --needs=fine they are enough. The exit code is 1 where
one of them cannot be used.
"""

import sys
from pathlib import Path
from typing import Literal, cast

from absl import app, flags
from tqdm import tqdm

from hoijax.annotate.decisions import load_decisions
from hoijax.annotate.export import Exported, ExportOptions, export
from hoijax.annotate.items import find_items
from hoijax.annotate.readers import CONTACT, FILTER, FINE, tool_readers
from hoijax.data.lock import LockedError
from hoijax.data.sample import SampleError

_DATA = flags.DEFINE_string("data", None, "The tree of samples that was annotated.", required=True)
_OUT = flags.DEFINE_string("out", None, "Folder of the export, apart from the tree.", required=True)
_STORE = flags.DEFINE_string("store", None, "Where decisions are kept; TREE/annotations.sqlite by default.")
_BLENDER = flags.DEFINE_string(
    "blender",
    None,
    "Folder of what was exported from Blender (TREE_blender): poses placed there count like the fine tool's.",
)
_ANNOTATOR = flags.DEFINE_string("annotator", None, "Only this annotator's decisions.")
_PREFER = flags.DEFINE_list("prefer", [], "Whose decision counts where several finished; else the latest finished.")
_NEEDS = flags.DEFINE_list("needs", [FILTER, CONTACT, FINE], "Tools in which a sample must be finished.")
_ONLY = flags.DEFINE_enum("only", "finished", ["finished", "all"], "Finished samples, or all that are not deleted.")


def options() -> ExportOptions:
    """What the flags say. Exits with a sentence where they contradict each other."""
    unknown = [tool for tool in _NEEDS.value if tool not in (FILTER, CONTACT, FINE)]
    if unknown:
        sys.exit(f"--needs={','.join(unknown)}: no such tool; there are {FILTER}, {CONTACT}, {FINE}")
    if _ANNOTATOR.value and _PREFER.value:
        sys.exit("--annotator and --prefer: give one of the two")
    only = cast(Literal["finished", "all"], _ONLY.value)
    return ExportOptions(only, tuple(_NEEDS.value), tuple(_PREFER.value), _ANNOTATOR.value or "")


def words(found: Exported, out: Path) -> str:
    """What happened, for the terminal."""
    deleted = sum(sample.kind == "deleted" for sample in found.left_out)
    lines = [
        f"{len(found.written)} samples written, {len(found.unchanged)} unchanged, {len(found.removed)} removed: {out}",
        f"{deleted} deleted by the filter, {len(found.left_out) - deleted} unusable (left_out.csv)",
        f"{len(found.unfinished)} not finished (unfinished.csv), {len(found.conflicts)} conflicts (conflicts.csv)",
        f"{sum(stale.events for stale in found.stale)} decisions about older or missing files (stale.csv)",
    ]
    return "\n".join(lines)


def check_names(decided: set[str]) -> None:
    """Exits with a sentence where a flag names somebody who decided nothing."""
    for flag, names in (("annotator", [_ANNOTATOR.value] if _ANNOTATOR.value else []), ("prefer", _PREFER.value)):
        for name in names:
            if name not in decided:
                sys.exit(
                    f"--{flag}={name}: decided nothing here; there are {', '.join(sorted(decided)) or 'no decisions'}"
                )


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    chosen, out = options(), Path(_OUT.value)
    readers = tool_readers()
    try:
        items = find_items(_DATA.value)
        happened, unused = load_decisions(items, readers, _STORE.value or "", _BLENDER.value or "")
        print(*unused, sep="\n", end="\n" if unused else "", file=sys.stderr)
        if _BLENDER.value and Path(_BLENDER.value).resolve() in (out.resolve(), *out.resolve().parents):
            sys.exit(f"--out={out}: lies in --blender={_BLENDER.value}, expected a place of its own")
        check_names({event.annotator for event in happened})
        with tqdm(total=len(items.folders), unit="sample") as bar:
            found = export(items, happened, readers, out, chosen, lambda item: bar.update() and None)
    except (SampleError, LockedError) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or out}: cannot be written or read ({error.strerror or error})")
    print(words(found, out))
    if unused:
        sys.exit(f"{len(unused)} poses from Blender could not be used (named above)")


if __name__ == "__main__":
    app.run(main)
