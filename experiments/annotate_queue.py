"""What annotators queued in the filter, ready to be made again: corrected masks, templates, and the command to run.

    python experiments/annotate_queue.py --data=TREE --out=DIR

DIR/queue.json: items with note and template. DIR/masks/<item>: person_mask.png and object_mask.png in the image's size;
the same as *_wide.png with what was painted beyond the image, and wide.json, which says where the image lies in them.
DIR/given/<id>: what stands for steps of the pipeline (docs/pipeline.md): the masks that were changed, and mesh.obj where
a template was assigned. Where TREE is OUT/samples of annotate_pipeline.py, the command that makes these items again is
printed; own files that the pipeline was given before are taken over into DIR/given.
"""

import json
import shlex
import sys
from pathlib import Path

from absl import app, flags

from hoijax.annotate.filter.queue import Queued, queued, save_queue
from hoijax.annotate.items import Items, find_items
from hoijax.annotate.store import STORE, load_events
from hoijax.data.sample import SampleError
from hoijax.data.templates import load_library

_DATA = flags.DEFINE_string("data", None, "The tree of samples that was annotated.", required=True)
_STORE = flags.DEFINE_string("store", None, "Where decisions are kept; TREE/annotations.sqlite by default.")
_OUT = flags.DEFINE_string("out", None, "A new folder.", required=True)
_LIBRARY = flags.DEFINE_string("library", None, "The library of the templates that were assigned.")


def given_before(pipeline: Path) -> Path | None:
    """The folder of own files of the pipeline's last run."""
    file = pipeline / "flags.json"
    before = json.loads(file.read_text(encoding="utf-8")).get("given") if file.is_file() else None
    return Path(before) if before else None


def pipeline_of(items: Items) -> Path | None:
    """The folder of the pipeline that made this tree; None where none did."""
    out = items.tree.parent
    return out if items.tree.name == "samples" and (out / "flags.json").is_file() else None


def tell(entries: list[Queued], same: list[str], items: Items, out: Path, pipeline: Path | None) -> None:
    """The queue, and what to do next. `same`: the items that the pipeline would find as they were."""
    for entry in entries:
        template = f"template {entry.template.category}/{entry.template.name}" if entry.template else ""
        print("  ".join(part for part in (entry.item, entry.annotator, template, entry.note) if part))
    for item in same:
        id = items.folders[item].name
        print(f"{item}: no mask was changed and no template assigned: it will be made again only by another engine, or")
        print(f"  with a picture of the whole object, {out / 'given' / id / 'object.png'}, or a mesh, mesh.obj there")
    print(f"{len(entries)} queued; files are in {out}")
    if pipeline is None:
        print(f"{items.tree} was not made by annotate_pipeline.py: give {out / 'given'} to yours as --given")
        return
    words = ["python", "experiments/annotate_pipeline.py", f"--out={pipeline}", f"--given={out.absolute() / 'given'}"]
    print("make them again with:\n" + shlex.join(words))


def main(argv: list[str]) -> None:
    """Reads the store, writes the folder."""
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    try:
        items = find_items(_DATA.value)
        happened = load_events(_STORE.value or items.tree / STORE)
        library = load_library(_LIBRARY.value) if _LIBRARY.value else None
        entries = queued(happened, items)
        if not entries:
            print("nothing is queued")
            return
        pipeline, out = pipeline_of(items), Path(_OUT.value)
        same = save_queue(entries, items, library, out, given_before(pipeline) if pipeline is not None else None)
        tell(entries, same, items, out, pipeline)
    except (SampleError, ValueError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    app.run(main)
