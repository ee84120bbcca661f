"""Statistics of a data set: how much is in it, of what, how large, where people touch it, how well it fits its photographs.

    python experiments/dataset_statistics.py --data=TREE --out=DIR
    python experiments/dataset_statistics.py --data=TREE --out=DIR --lpips=alex --workers=8
    python experiments/dataset_statistics.py --data=TREE --out=DIR --groups=my_groups.json

Measures every sample from its files alone and writes tables (CSV, Markdown, LaTeX), figures (PNG) and a page,
DIR/index.html. Rows are kept in DIR/rows as they come: a run that was stopped goes on, and samples whose files changed
are measured anew. A sample that cannot be read is listed with its reason and left out. --groups is a table of major
categories in the form of the DIR/groups.json that every run writes.
"""

import os
import sys
from pathlib import Path

from absl import app, flags
from tqdm import tqdm

from hoijax.data.layout import find_samples
from hoijax.data.read import load_sample
from hoijax.data.sample import ColoredMesh, SampleError
from hoijax.report.tables import aligned
from hoijax.tasks.statistics.collect import collect
from hoijax.tasks.statistics.groups import load_groups
from hoijax.tasks.statistics.row import Row
from hoijax.tasks.statistics.tables import text_rows
from hoijax.tasks.statistics.write import save_statistics

_DATA = flags.DEFINE_string("data", None, "A sample folder in the Open3DHOI layout, or a tree of them.", required=True)
_OUT = flags.DEFINE_string("out", None, "Where everything goes.", required=True)
_GROUPS = flags.DEFINE_string("groups", None, "JSON file of major categories: {group: {category: synset}}.")
_LPIPS = flags.DEFINE_enum(
    "lpips", "none", ["none", "alex", "vgg"], "Also measure LPIPS of the object, by this network."
)
_WORKERS = flags.DEFINE_integer("workers", 0, "Processes; 0: one for each core.", lower_bound=0)
_LIMIT = flags.DEFINE_integer("limit", 0, "Only the first so many samples; 0: all.", lower_bound=0)
_PAPER_SPELLING = flags.DEFINE_bool("paper_spelling", False, "Spell body parts as the paper's Table 7 does.")


def samples() -> dict[str, Path]:
    """{name: folder}: the path in the tree; a lone sample goes by its folder's name. Exits where there is none."""
    tree = Path(_DATA.value)
    folders = find_samples(tree)
    if not folders:
        sys.exit(f"{tree}: holds no sample (a sample has image.jpg, person_mask.png, smplx_parameters.json, ...)")
    chosen = folders[: _LIMIT.value] if _LIMIT.value else folders
    named = {os.fsencode(folder.relative_to(tree)).decode("utf-8", "backslashreplace"): folder for folder in chosen}
    return {tree.resolve().name if name == "." else name: folder for name, folder in named.items()}


def example_human(rows: tuple[Row, ...], folders: dict[str, Path]) -> ColoredMesh | None:
    """A human of the data to paint on; None where its sample cannot be read any more."""
    try:
        return load_sample(folders[rows[0].name]).human
    except SampleError:
        return None


def main(arguments: list[str]) -> None:
    """Measures, writes, and shows the short tables."""
    if len(arguments) > 1:
        sys.exit(f"not a flag: {' '.join(arguments[1:])} (see --help)")
    out = Path(_OUT.value)
    try:
        groups, folders = load_groups(_GROUPS.value), samples()
        with tqdm(total=len(folders), unit="sample") as bar:

            def tell(name: str, why: str) -> None:
                bar.update()
                if why:
                    tqdm.write(f"left out: {why}", file=sys.stderr)

            net = "" if _LPIPS.value == "none" else _LPIPS.value
            found = collect(folders, out / "rows", net, _WORKERS.value or os.cpu_count() or 1, tell)
        if not found.rows:
            sys.exit(f"{_DATA.value}: none of its {len(folders)} samples can be measured")
        title = f"Statistics of {Path(_DATA.value).resolve().name}"
        example = example_human(found.rows, folders)
        tables = save_statistics(
            out, title, found.rows, found.left_out, groups, example, paper_spelling=_PAPER_SPELLING.value
        )
    except (SampleError, ModuleNotFoundError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(f"stopped; the rows that are whole stay in {out / 'rows'}, the same command goes on")
    except OSError as error:
        sys.exit(f"{error.filename or out}: cannot be written ({error.strerror})")
    for name in ("table1", "groups", "quality"):
        table = tables[name]
        print(
            f"{table.title}\n\n{aligned(list(table.head), text_rows(table))}\n"
            + "".join(f"  {n}\n" for n in table.notes)
        )
    print(
        f"{len(found.rows)} samples ({found.known} known already), {len(found.left_out)} left out: {out / 'index.html'}"
    )


if __name__ == "__main__":
    app.run(main)
