"""How far annotators agree, as a table: kappa for the filter's decisions and contact parts, differences of poses.

    python experiments/annotate_agreement.py --data=TREE [--html=FILE] [--csv=FILE] [--markdown=FILE] [--latex=FILE]

Between every two annotators, over the items that both finished (serve with --each to have everybody do every item).
--parts prints each of the 34 body parts as well; CSV and page always have them.
"""

import sys

from absl import app, flags
from tqdm import tqdm

from hoijax.annotate.agreement import agreement
from hoijax.annotate.agreement_tables import (
    HOW_TO_READ,
    agreement_csv,
    agreement_latex,
    agreement_markdown,
    agreement_page,
    agreement_text,
)
from hoijax.annotate.items import find_items
from hoijax.annotate.readers import tool_readers
from hoijax.annotate.store import load_events
from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError

_DATA = flags.DEFINE_string("data", None, "The tree of samples that was annotated.", required=True)
_STORE = flags.DEFINE_string("store", None, "Where decisions are kept; TREE/annotations.sqlite by default.")
_HTML = flags.DEFINE_string("html", None, "Also write a page to this file.")
_CSV = flags.DEFINE_string("csv", None, "Also write every number to this file.")
_MARKDOWN = flags.DEFINE_string("markdown", None, "Also write the table to this file, as Markdown.")
_LATEX = flags.DEFINE_string("latex", None, "Also write the table to this file, as LaTeX.")
_PARTS = flags.DEFINE_boolean("parts", False, "A row for each of the 34 parts, too.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    try:
        items = find_items(_DATA.value)
        happened = load_events(_STORE.value or items.tree / "annotations.sqlite")
        with tqdm(unit="pose", leave=False) as bar:
            lines = agreement(items, happened, tool_readers(), lambda item: bar.update() and None)
    except SampleError as error:
        sys.exit(str(error))
    if not lines:
        sys.exit(f"{items.tree}: no two annotators have finished a common item; serve with --each")
    print(agreement_text(lines, _PARTS.value), *HOW_TO_READ, sep="\n")
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
