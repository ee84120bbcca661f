"""The tables: what is in the data (Open3DHOI Tables 1, 6 and 7), sizes, and how well it fits (B.2.3)."""

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hoijax.body.parts import PAPER_SPELLING, PART_NAMES
from hoijax.report.ablation import latex_text
from hoijax.report.statistics import estimate
from hoijax.report.tables import NONE, heading, markdown
from hoijax.tasks.statistics.groups import Groups
from hoijax.tasks.statistics.row import QUALITY, UNKNOWN, Row
from hoijax.tasks.vocabulary import CATEGORIES, PAPER_COUNT, category_ids

Cell = str | int | float
PUBLISHED = "Open3DHOI (published, other data)"
PUBLISHED_ROW = ("2.5k+", 133, 120)  # images, object and action categories, as the authors state them
LABELS = {"contact_cm": "Contact distance, cm ↓"}  # ours: the mean over the annotated parts, in centimetres


class Table(NamedTuple):
    """A table of texts and numbers; `notes` are sentences below it, `digits` those of its fractions as text."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    digits: int = 3


def cell_text(cell: Cell, digits: int) -> str:
    """As a reader sees it: a dash for a number that is not known."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return str(cell)
    return f"{cell:.{digits}f}" if math.isfinite(cell) else NONE


def text_rows(table: Table) -> list[list[str]]:
    """All cells as text."""
    return [[cell_text(cell, table.digits) for cell in row] for row in table.rows]


def text_columns(table: Table) -> list[bool]:
    """Which columns hold words, and so stand to the left."""
    return [all(isinstance(row[at], str) for row in table.rows) for at in range(len(table.head))]


def table_csv(table: Table) -> str:
    """Every number in full; empty where it is not known."""
    out = io.StringIO()
    rows = [["" if isinstance(c, float) and not math.isfinite(c) else c for c in row] for row in table.rows]
    csv.writer(out, lineterminator="\n").writerows([table.head, *rows])
    return out.getvalue()


def table_markdown(table: Table) -> str:
    """As a Markdown section."""
    notes = "".join(f"- {note}\n" for note in table.notes)
    return f"## {table.title}\n\n{markdown(list(table.head), text_rows(table))}\n" + (f"\n{notes}" if notes else "")


def table_latex(table: Table) -> str:
    """As a LaTeX table with booktabs' rules; longtable where it would not fit a page."""
    kind = "longtable" if len(table.rows) > 45 else "tabular"
    form = "".join(
        _latex_column(list(column), words) for column, words in zip(zip(*text_rows(table)), text_columns(table))
    )
    caption = rf"\caption{{{latex_text(table.title)}}}"
    lines = [r"% needs \usepackage{booktabs}" + (r" and \usepackage{longtable}" if kind == "longtable" else "")]
    body = [r"\toprule", _latex_row(table.head), r"\midrule", *map(_latex_row, text_rows(table)), r"\bottomrule"]
    begin, end = rf"\begin{{{kind}}}{{{form}}}", rf"\end{{{kind}}}"
    if kind == "longtable":
        lines += [begin, caption + r"\\", *body, end]
    else:
        lines += [r"\begin{table}", caption, begin, *body, end]
    lines += [r"{\par\footnotesize", *(latex_text(note) + r"\par" for note in table.notes), "}"]  # no further than here
    return "\n".join([*lines, *([r"\end{table}"] if kind == "tabular" else [])]) + "\n"


def overview_table(rows: Sequence[Row]) -> Table:
    """The data set's row of Table 1."""
    pairs = Counter(pair for row in rows for pair in row.interactions)
    labelled = [row for row in rows if row.contact_parts is not None]
    own: tuple[Cell, ...] = (
        len(rows),
        len({row.category for row in rows} - {UNKNOWN}),
        len({action for action, _ in pairs}),
        len(pairs),
        sum(pairs.values()),
        sum(row.object_is == "annotation" for row in rows),
        len(labelled),
        float(np.mean([len(row.contact_parts or ()) for row in labelled])) if labelled else math.nan,
    )
    unknown = (math.nan,) * (len(own) - len(PUBLISHED_ROW))
    head: tuple[str, ...] = (
        "data set",
        "images",
        "object categories",
        "action categories",
        "pairs of action and object",
    )
    head += ("interactions", "objects annotated", "with contact labels", "contact parts, mean")
    several = sum(row.people > 1 for row in rows)
    strange = sum(row.category == UNKNOWN for row in rows)
    notes = (
        "Images: one for each sample. Interactions: all that annotations.json lists, each once in a sample.",
        *([f"Of {strange} samples neither file nor folder tells the category."] if strange else []),
        f"{several} of {len(rows)} samples list more than one person; each has one that is reconstructed.",
        "Published: the paper's numbers of its own data set, not comparable.",
    )
    return Table(
        "table1", "The data set (Table 1)", head, (("this data", *own), (PUBLISHED, *PUBLISHED_ROW, *unknown)), notes, 2
    )


def category_table(rows: Sequence[Row], groups: Groups) -> Table:
    """Table 6: categories with ids and counts."""
    counts = Counter(row.category for row in rows)
    ids: dict[str, float] = dict(category_ids(name for name in counts if name != UNKNOWN))
    ids |= {UNKNOWN: math.nan} if UNKNOWN in counts else {}
    lines = tuple(
        (name, number, counts[name], groups.of(name), groups.synset.get(name, "")) for name, number in ids.items()
    )
    absent = len(set(CATEGORIES) - set(counts))
    notes = (
        f"Ids up to {len(CATEGORIES)} are places in the list of hoijax/tasks/vocabulary.py, which is ours and not the "
        f"paper's; {absent} of its names do not occur here. Ids above {PAPER_COUNT} are of names that are not in it.",
    )
    return Table(
        "table6", "Object categories (Table 6)", ("category", "id", "samples", "group", "synset"), lines, notes
    )


def part_table(rows: Sequence[Row], paper_spelling: bool = False) -> Table:
    """Table 7: in how many samples with labels each of the 34 parts touches."""
    labelled = [row for row in rows if row.contact_parts is not None]
    counts = Counter(part for row in labelled for part in row.contact_parts or ())
    shares = (counts[part] / len(labelled) if labelled else math.nan for part in PART_NAMES)
    names = [PAPER_SPELLING.get(part, part) if paper_spelling else part for part in PART_NAMES]
    lines = tuple(
        (name, number, counts[part], share)
        for number, (name, part, share) in enumerate(zip(names, PART_NAMES, shares), 1)
    )
    notes = (f"Of {len(labelled)} samples with contact labels.",)
    return Table("table7", "Body parts in contact (Table 7)", ("part", "id", "samples", "share"), lines, notes)


def quality_table(rows: Sequence[Row]) -> Table:
    """How well humans and objects fit each other and the photographs (B.2.3)."""
    lines = []
    for name in QUALITY:
        values = np.array([row.values[name] for row in rows])
        found = estimate(values.tolist())
        median = float(np.median(values[np.isfinite(values)])) if found.scenes else math.nan
        lines.append((LABELS.get(name, heading(name)), found.mean, median, found.error, found.scenes))
    starts = sum(row.object_is == "start" for row in rows)
    notes = (
        "Contact distance: of the annotated parts to the object's surface, their mean. SSIM and LPIPS: the object drawn "
        "unlit in its mesh's own colours, 256 px, against the photograph; colours of a mesh are not those of a lit photo.",
        f"Measured on the annotated object; on the start in {starts} of {len(rows)} samples, which have no annotation.",
    )
    head = ("measure", "mean", "median", "standard error", "n")
    return Table("quality", "Quality of the data (B.2.3)", head, tuple(lines), notes)


def size_table(rows: Sequence[Row]) -> Table:
    """Sizes per category, by the median."""
    lines = []
    for category in {row.category for row in rows}:
        own = [row for row in rows if row.category == category]
        sizes = 100 * np.array([row.size for row in own])
        relative = [row.relative_size for row in own if math.isfinite(row.relative_size)]
        middle = float(np.median(relative)) if relative else math.nan
        hulls = sum(not row.watertight for row in own)
        lines.append(
            (category, len(own), float(np.median(sizes)), float(sizes.min()), float(sizes.max()), middle, hulls)
        )
    notes = (
        "Size: cube root of the volume. By hull: samples whose mesh is not watertight, where it is that of the convex hull, "
        "which is larger than a concave object.",
        "Relative: by the person's height, estimated from the lengths of trunk and legs.",
    )
    head = ("category", "samples", "median, cm", "smallest, cm", "largest, cm", "median, relative", "by hull")
    return Table(
        "sizes", "Sizes of the objects (Figure 11)", head, tuple(sorted(lines, key=lambda r: (r[2], r[0]))), notes, 2
    )


def group_table(rows: Sequence[Row], groups: Groups) -> Table:
    """Samples and categories of each major group, most samples first."""
    members: dict[str, Counter[str]] = {}
    for row in rows:
        members.setdefault(groups.of(row.category), Counter())[row.category] += 1
    lines = [
        (group, found.total(), len(found), ", ".join(f"{name} {n}" for name, n in _ordered(found)))
        for group, found in sorted(members.items(), key=lambda item: (-item[1].total(), item[0]))
    ]
    unknown = groups.unknown(row.category for row in rows)
    notes = (f"In no group, so among “other”: {', '.join(unknown)}.",) if unknown else ()
    head = ("group", "samples", "categories", "which")
    return Table("groups", "Major categories (Figure 4)", head, tuple(lines), notes)


def pair_table(rows: Sequence[Row]) -> Table:
    """How often each action stands with each object: actions down, objects across, most frequent first."""
    counts = Counter(pair for row in rows for pair in row.interactions)
    actions = Counter(action for row in rows for action, _ in row.interactions)
    things = Counter(thing for row in rows for _, thing in row.interactions)
    across = [thing for thing, _ in _ordered(things)]
    lines: tuple[tuple[Cell, ...], ...] = tuple(
        (action, *(counts[action, thing] for thing in across)) for action, _ in _ordered(actions)
    )
    return Table("pairs", "Actions and objects (Figure 10)", ("action", *across), lines)


def sample_table(rows: Sequence[Row]) -> Table:
    """One line for each sample."""
    head: tuple[str, ...] = ("sample", "category", "actions", "width", "height", "people", "contact parts", "object")
    head += ("size_m", "watertight", "stature_m", "relative_size", *QUALITY, "warnings")
    lines: tuple[tuple[Cell, ...], ...] = tuple(
        (
            *(row.name, row.category, "; ".join(action for action, _ in row.interactions)),
            *(row.width, row.height, row.people, "; ".join(row.contact_parts or ()), row.object_is, row.size),
            *(int(row.watertight), row.stature, row.relative_size, *(row.values[name] for name in QUALITY)),
            "; ".join(row.warnings),
        )
        for row in rows
    )
    return Table("samples", "All samples", head, lines)


def _ordered(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _latex_column(texts: Sequence[str], words: bool) -> str:
    """Numbers to the right, words to the left, sentences in lines of half the page."""
    return (r"p{0.5\linewidth}" if max(map(len, texts)) > 40 else "l") if words else "r"


def _latex_row(texts: Sequence[str]) -> str:
    return " & ".join(map(latex_text, texts)) + r" \\"
