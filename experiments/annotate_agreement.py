"""How far annotators agree, as a table: kappa for the filter's decisions and contact parts, differences of poses.

    python experiments/annotate_agreement.py --data=TREE [--html=FILE] [--csv=FILE] [--markdown=FILE] [--latex=FILE]

Between every two annotators, over the items that both finished (serve with --each to have everybody do every item).
--parts prints each of the 34 body parts as well; CSV and page always have them. --blender=DIR compares the poses that
were exported from Blender, too; the exit code is 1 where one of them cannot be used.
"""

import sys

from absl import app, flags
from tqdm import tqdm

from hoijax.annotate.agreement import Line, agreement
from hoijax.annotate.agreement_tables import (
    HOW_TO_READ,
    agreement_csv,
    agreement_latex,
    agreement_markdown,
    agreement_page,
    agreement_text,
)
from hoijax.annotate.decisions import load_decisions
from hoijax.annotate.items import find_items
from hoijax.annotate.readers import tool_readers
from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError

_DATA = flags.DEFINE_string("data", None, "The tree of samples that was annotated.", required=True)
_STORE = flags.DEFINE_string("store", None, "Where decisions are kept; TREE/annotations.sqlite by default.")
_BLENDER = flags.DEFINE_string(
    "blender",
    None,
    "Folder of what was exported from Blender (TREE_blender): poses placed there count like the fine tool's.",
)
_HTML = flags.DEFINE_string("html", None, "Also write a page to this file.")
_CSV = flags.DEFINE_string("csv", None, "Also write every number to this file.")
_MARKDOWN = flags.DEFINE_string("markdown", None, "Also write the table to this file, as Markdown.")
_LATEX = flags.DEFINE_string("latex", None, "Also write the table to this file, as LaTeX.")
_PARTS = flags.DEFINE_boolean("parts", False, "A row for each of the 34 parts, too.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    readers = tool_readers()
    try:
        items = find_items(_DATA.value)
        happened, unused = load_decisions(items, readers, _STORE.value or "", _BLENDER.value or "")
        print(*unused, sep="\n", end="\n" if unused else "", file=sys.stderr)
        with tqdm(unit="pose", leave=False) as bar:
            lines = agreement(items, happened, readers, lambda item: bar.update() and None)
        if lines:
            print(agreement_text(lines, _PARTS.value), *HOW_TO_READ, sep="\n")
            save_tables(lines)
    except SampleError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or _DATA.value}: cannot be written or read ({error.strerror or error})")
    trouble = [f"{len(unused)} poses from Blender could not be used (named above)"] if unused else []
    if not lines:
        trouble.append(f"{items.tree}: no two annotators have finished a common item; serve with --each")
    if trouble:
        sys.exit("\n".join(trouble))


def save_tables(lines: list[Line]) -> None:
    """Writes the files that the flags ask for."""
    texts = {
        _HTML.value: agreement_page(lines),
        _CSV.value: agreement_csv(lines),
        _MARKDOWN.value: agreement_markdown(lines, _PARTS.value),
        _LATEX.value: agreement_latex(lines, _PARTS.value),
    }
    for file, text in texts.items():
        if file:
            save_bytes(file, text.encode())


if __name__ == "__main__":
    app.run(main)
