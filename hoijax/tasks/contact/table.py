"""The table of the contact models: networks over their seeds, beside what needs no network."""

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hoijax.metrics.labels import LabelScores, label_scores
from hoijax.report.ablation import latex_text
from hoijax.report.tables import NONE, aligned, markdown
from hoijax.tasks.contact.data import Examples
from hoijax.tasks.contact.parts import best_reach

HEADS = ["row", "object", "F1 ↑", "Hamming ↓", "Jaccard ↑", "runs"]


class Row(NamedTuple):
    """One line: what it is of, which object it saw ("" if none), scores on the test split, one for each seed."""

    name: str
    object: str
    scores: tuple[LabelScores, ...]


def plain_rows(learned: Examples, test: Examples, thing: str) -> list[Row]:
    """What needs no network: of every part what is most common, and every part within a distance of the object.

    Both are chosen on `learned` alone.
    """
    common = np.broadcast_to(learned.labels.mean(0) > 0.5, test.labels.shape)
    reach = best_reach(learned.gaps, learned.labels)
    return [
        Row("the same for all", "", (label_scores(common, test.labels),)),
        Row(f"within {100 * reach:.1f} cm", thing, (label_scores(test.gaps < reach, test.labels),)),
    ]


def estimates(row: Row) -> list[tuple[float, float]]:
    """Mean and standard error over the seeds of each score; no error (NaN) of a single run."""
    values = np.array(row.scores, float)
    error = values.std(0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.full(values.shape[1], np.nan)
    return list(zip(values.mean(0).tolist(), error.tolist()))


def lines(rows: Sequence[Row]) -> list[list[str]]:
    """Cells as text, below `HEADS`."""

    def cell(mean: float, error: float) -> str:
        return f"{mean:.3f}" if np.isnan(error) else f"{mean:.3f} ± {error:.3f}"

    return [
        [row.name, row.object or NONE, *(cell(*found) for found in estimates(row)), str(len(row.scores))]
        for row in rows
    ]


def table_text(rows: Sequence[Row]) -> str:
    """For a terminal."""
    return aligned(HEADS, lines(rows))


def table_markdown(rows: Sequence[Row], footer: Sequence[str]) -> str:
    """With its footer below."""
    return markdown(HEADS, lines(rows)) + "\n\n" + "\n".join(footer) + "\n"


def table_csv(rows: Sequence[Row]) -> str:
    """One line for each run, in full precision."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["row", "object", "run", *LabelScores._fields])
    for row in rows:
        for run, scores in enumerate(row.scores):
            writer.writerow([row.name, row.object, run, *scores])
    return buffer.getvalue()


def table_latex(rows: Sequence[Row], footer: Sequence[str]) -> str:
    """A booktabs table."""

    def line(texts: Sequence[str]) -> str:
        return " & ".join(map(latex_text, texts)) + r" \\"

    return "\n".join(
        [
            r"\begin{tabular}{ll" + "r" * (len(HEADS) - 2) + "}",
            r"\toprule",
            line(HEADS),
            r"\midrule",
            *map(line, lines(rows)),
            r"\bottomrule",
            r"\end{tabular}",
            *(latex_text(text) + r"\par" for text in footer),
            "",
        ]
    )
