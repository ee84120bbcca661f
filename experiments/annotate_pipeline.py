"""From photographs and 2D annotations to Open3DHOI samples that reconstruct.py runs on: OUT/samples/<category>/<id>.

    python experiments/annotate_pipeline.py --images=DIR --annotations=FILE --out=OUT
    python experiments/annotate_pipeline.py --out=OUT              # goes on, with the flags of the last run
    python experiments/annotate_pipeline.py --out=OUT --status     # where each image stands, and why
    python experiments/reconstruct.py --data=OUT/samples --out=RESULTS

The steps: image, person_mask, object_mask, human, complete (the object's picture without what hides it), mesh, depth,
coarse (where the object starts), sample. Each leaves OUT/work/<id>/<step>; what is finished is not done again, what depends
on something that changed is. Three ways to replace a step:
 - another engine: --masks=sam --human=osx ... --models=paper for all of the paper's (docs/pipeline.md tells what they need);
 - own files: GIVEN/<id>/person_mask.png, object_mask.png, smplx_parameters.json with h_mesh.obj, object.png, mesh.obj,
   depth.npy, any of them, with --given=GIVEN;
 - by hand: change a file in OUT/work/<id>/<step>: it is kept, and the steps after it are done again.
With pip alone (--models=builtin, the default): mask, landmarks and a body fitted to the person, GrabCut in the object's box,
a mesh from --library or from own files, the person's depth for the object. A failed image is set aside with its reason.
"""

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pipeline_engines
import wrapper_flags
from absl import app, flags, logging
from tqdm import tqdm

from hoijax.data.atomic import save_bytes
from hoijax.data.lock import held
from hoijax.data.sample import SampleError
from hoijax.data.selection import CONTACT_VERBS, Selection, SelectionOptions, counts_table, load_verbs, select
from hoijax.data.sources.read import read_annotations
from hoijax.pipeline.drive import LOCK, run_steps
from hoijax.pipeline.engine import Ending
from hoijax.pipeline.item import FILES, STEPS, Item
from hoijax.pipeline.overview import Row, reasons_table, save_overview, states_table
from hoijax.pipeline.plan import Choice, engines_of
from hoijax.pipeline.standing import TO_DO, standings

_IMAGES = flags.DEFINE_string("images", None, "Folder of the photographs that the annotations name.")
_ANNOTATIONS = flags.DEFINE_string(
    "annotations", None, "HICO-DET (.mat or .json), HAKE-Large, SWIG-HOI, or a list of your own (docs/sources.md)."
)
_OUT = flags.DEFINE_string(
    "out", None, "OUT/samples: the samples; OUT/work: every step; OUT/index.html.", required=True
)
_GIVEN = flags.DEFINE_string("given", None, "Own files that stand for steps: GIVEN/<id>/mesh.obj and so on.")
_STEPS = flags.DEFINE_list("steps", None, f"Only these of {', '.join(STEPS)}; all by default.")
_LIMIT = flags.DEFINE_integer("limit", None, "Only so many pairs, the first that are kept.", lower_bound=1)
_VERBS = flags.DEFINE_string("verbs", None, "File with the verbs to keep, one a line, instead of those of contact.")
_PEOPLE = flags.DEFINE_integer("people", 1, "Pictures with so many people are kept.", lower_bound=1)
_NAMES = flags.DEFINE_string("names", None, "SWIG-HOI's file of names, where it does not lie beside the annotations.")
_RETRY = flags.DEFINE_boolean("retry_failed", False, "Try again what failed before.")
_STATUS = flags.DEFINE_boolean("status", False, "Only tell where everything stands, and write OUT/index.html.")
_DRY = flags.DEFINE_boolean("dry_run", False, "Only tell what would be done, and by what.")

NOT_KEPT = ("out", "status", "dry_run", "retry_failed", "steps")  # flags that a later run does not take over


def selected(out: Path) -> tuple[Item, ...]:
    """The pairs of the annotations that are worth a reconstruction; OUT/set_aside.csv has the others and why."""
    if not _ANNOTATIONS.value or not _IMAGES.value:
        sys.exit("give --images=DIR and --annotations=FILE (see --help); a later run takes them over from OUT")
    images = Path(_IMAGES.value)
    try:
        verbs = load_verbs(_VERBS.value) if _VERBS.value else CONTACT_VERBS
        found = read_annotations(_ANNOTATIONS.value, images, _NAMES.value)
        chosen = select(found.pictures, SelectionOptions(people=_PEOPLE.value, verbs=verbs), found.set_aside)
        if not _DRY.value:
            save_bytes(out / "set_aside.csv", aside_csv(chosen).encode())
    except (SampleError, ValueError, OSError) as error:
        sys.exit(str(error))
    print(f"{_ANNOTATIONS.value} ({found.layout}):\n{counts_table(chosen.counts)}")
    for note in found.notes:
        print(note)
    kept = chosen.kept[: _LIMIT.value]
    return tuple(
        Item(pair.id, images / pair.image, pair.category, pair.actions, pair.human_box, pair.object_box, out)
        for pair in kept
    )


def aside_csv(chosen: Selection) -> str:
    """What is not kept, a line each."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["image", "reason", "message"])
    writer.writerows(chosen.set_aside)
    return text.getvalue()


def take_over_flags(out: Path) -> None:
    """The flags of the last run, where this command does not give them itself."""
    file = out / "flags.json"
    if not file.is_file():
        return
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
        for name, values in before.items():
            if not flags.FLAGS[name].present:
                flags.FLAGS[name].parse(values)
    except (ValueError, KeyError, flags.Error) as error:
        sys.exit(f"{file}: cannot be taken over ({error}); remove it and give all flags")


def kept_flags() -> dict[str, Any]:
    """The flags of this program that were given, or taken over."""
    own = flags.FLAGS.get_key_flags_for_module(sys.argv[0])
    return {str(flag.name): flag.value for flag in own if flag.value != flag.default and flag.name not in NOT_KEPT}


def not_meant(items: Sequence[Item], given: Path) -> list[str]:
    """What lies in GIVEN and stands for nothing: a folder of no image, a file of no step."""
    known = {item.id for item in items}
    names = {name for kinds in FILES.values() for kind in kinds for name in kind}
    lost = [
        f"{folder.name}/: no such image" for folder in given.iterdir() if folder.is_dir() and folder.name not in known
    ]
    for item in items:
        found = sorted((given / item.id).iterdir()) if (given / item.id).is_dir() else []
        lost += [f"{item.id}/{path.name}: stands for no step" for path in found if path.name not in names]
    return lost


def work_through(items: Sequence[Item], chosen: Choice, given: Path | None) -> list[str]:
    """All steps, with a bar for each. What this machine lacks for those that were left."""
    bars: list[tqdm] = []

    def begin(step: str, count: int) -> None:
        if bars:
            bars.pop().close()
        if count:
            bars.append(tqdm(total=count, desc=f"{step:<12}", unit="image"))

    def tell(step: str, ending: Ending) -> None:
        if ending.error is not None:
            tqdm.write(f"{ending.item.id}: {step}: {ending.error}", file=sys.stderr)
        bars[-1].update()

    steps = _STEPS.value or STEPS
    try:
        return run_steps(items, lambda item: engines_of(item, chosen, given), steps, begin, tell, _RETRY.value)
    finally:
        for bar in bars:
            bar.close()


def plan_text(rows: Sequence[Row]) -> str:
    """What a run would do first, and what after it."""
    lines = []
    for step in STEPS:
        engines = Counter(row.steps[step].engine for row in rows if step in row.steps)
        ready = sum(row.steps[step].state in TO_DO for row in rows if step in row.steps)
        later = sum(row.steps[step].state == "waiting" for row in rows if step in row.steps)
        if ready or later:
            by = ", ".join(f"{name} ({count})" for name, count in engines.items())
            lines.append(f"{step:<12} {ready:>6} now {later:>6} later  by {by}")
    return "\n".join(lines) or "nothing is to be done"


def standing_rows(items: Sequence[Item], chosen: Choice, given: Path | None) -> list[Row]:
    """Where each item stands."""
    return [Row(item, standings(item, engines_of(item, chosen, given), _RETRY.value)) for item in items]


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    logging.set_verbosity(logging.WARNING)
    out = Path(_OUT.value)
    take_over_flags(out)
    unknown = [step for step in _STEPS.value or () if step not in STEPS]
    if unknown:
        sys.exit(f"--steps: there is no step {', '.join(unknown)}; there are {', '.join(STEPS)}")
    items = selected(out)
    chosen = pipeline_engines.chosen()
    given = Path(_GIVEN.value) if _GIVEN.value else None
    if given is not None and not given.is_dir():
        sys.exit(f"--given={given}: no such folder")
    for line in not_meant(items, given) if given is not None else ():
        print(f"--given: {line}", file=sys.stderr)
    try:
        if _DRY.value:
            print(plan_text(standing_rows(items, chosen, given)))
            return
        lacking = []
        if not _STATUS.value:
            save_bytes(out / "flags.json", (json.dumps(kept_flags(), indent=1) + "\n").encode())
            with held(out / LOCK):
                lacking = work_through(items, chosen, given)
        rows = standing_rows(items, chosen, given)
        page = save_overview(rows, out)
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    print(states_table(rows))
    if reasons := reasons_table(rows):
        print(reasons)
    print("".join(f"not done here: {line}\n" for line in lacking) + f"\n{page}; samples: {out / 'samples'}")
    left = sum(row.verdict.state in ("failed", "blocked") for row in rows)
    if (left or lacking) and not _STATUS.value:
        sys.exit(f"{left} of {len(rows)} images could not be finished" + "".join(f"; {line}" for line in lacking))


if __name__ == "__main__":
    for module in (pipeline_engines, wrapper_flags):
        flags.adopt_module_key_flags(module)  # so that --help shows them
    app.run(main)
