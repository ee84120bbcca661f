"""Tables of metrics as plain text, Markdown and CSV."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hoijax.data.results import Result

COLUMNS = ("start", "result", "annotation")
NONE = "–"


class Metric(NamedTuple):
    """How a metric is read: its label with the unit, whether more is better, decimals, and one plain sentence."""

    label: str
    more_is_better: bool
    decimals: int
    meaning: str


METRICS = {
    "iou_object": Metric("object in its mask, IoU", True, 3, "overlap of the object's outline with its mask; 1 is all"),
    "iou_human": Metric("person in their mask, IoU", True, 3, "overlap of the person's outline with their mask"),
    "iou_both": Metric("both in both masks, IoU", True, 3, "overlap of the two outlines with the two masks"),
    "chamfer_cm": Metric("Chamfer distance, cm", False, 2, "mean distance between the object's and the true surface"),
    "translation_cm": Metric("position error, cm", False, 2, "distance of the object's centre from the true one"),
    "rotation_degrees": Metric("rotation error, degrees", False, 2, "angle between the object and the true one"),
    "rotation": Metric("rotation error, |R - I|", False, 3, "the same as a matrix norm"),
    "scale": Metric("scale error, |s - 1|", False, 3, "0.1 means a tenth too large or too small"),
    "penetration_max_cm": Metric("deepest overlap, cm", False, 2, "how far one surface lies inside the other"),
    "penetration_mean_cm": Metric("mean overlap, cm", False, 2, "mean depth of all points inside the other"),
    "gap_cm": Metric("gap, cm", False, 2, "smallest distance between person and object; 0 when they meet"),
    "collision": Metric("collision, fraction", False, 4, "share of the body inside the object and of it in the body"),
    "co2": Metric("Co² (sum over parts)", False, 3, "collision and missing contact at once, 0 is best"),
    "co2_mean": Metric("Co² (mean over parts)", False, 3, "the same with the mean distance of the parts"),
    "contact_sum": Metric("distance of touching parts, m", False, 3, "summed over the annotated body parts"),
    "contact_precision": Metric("contact precision", True, 3, "share of the body's contact that is true"),
    "contact_recall": Metric("contact recall", True, 3, "share of the true contact that was found"),
    "contact_f1": Metric("contact F1", True, 3, "both in one number"),
}
KEY_METRICS = ("iou_object", "chamfer_cm", "translation_cm", "penetration_max_cm", "gap_cm", "co2")


class Table(NamedTuple):
    """A heading and rows of cells; numbers stay numbers until they are written."""

    header: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]
    decimals: tuple[int, ...]


def metric(name: str) -> Metric:
    """How to read the metric; one that is not listed speaks for itself."""
    return METRICS.get(name, Metric(name.replace("_", " "), False, 3, ""))


def number(value: float, decimals: int) -> str:
    """The number for people: a dash where there is none."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else NONE


def mean(values: Iterable[float]) -> float:
    """Mean of the finite values; NaN when there are none."""
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


def means(results: Sequence[Result]) -> Table:
    """One row per metric: start, result and annotation, each the mean over the results that have it, and how many do."""
    names = dict.fromkeys(name for result in results for name in result.metrics)
    ordered = [name for name in METRICS if name in names] + [name for name in names if name not in METRICS]
    rows, decimals = [], []
    for name in ordered:
        columns = [[result.metrics.get(name, {}).get(column, math.nan) for result in results] for column in COLUMNS]
        count = sum(math.isfinite(value) for value in columns[1])
        if any(math.isfinite(value) for values in columns for value in values):
            rows.append((metric(name).label, *(mean(values) for values in columns), str(count)))
            decimals.append(metric(name).decimals)
    table = Table(("metric", *COLUMNS, "samples"), tuple(rows), tuple(decimals))
    if len(results) == 1:
        return table._replace(header=table.header[:-1], rows=tuple(row[:-1] for row in rows))
    return table


def per_sample(results: Sequence[Result], names: Sequence[str] = KEY_METRICS) -> Table:
    """One row per result: start and result of the named metrics."""
    shown = [name for name in names if any(name in result.metrics for result in results)]
    header = [f"{metric(name).label} ({column})" for name in shown for column in COLUMNS[:2]]
    rows = tuple(
        (result.name, *(result.metrics.get(n, {}).get(column, math.nan) for n in shown for column in COLUMNS[:2]))
        for result in results
    )
    return Table(("sample", *header), rows, (3,) * len(rows))


def metrics_table(results: Sequence[Result], form: str = "text") -> str:
    """`means` of the results as "text" (for a terminal), "markdown" or "csv". Raises ValueError for another form."""
    return written(means(results), form)


def written(table: Table, form: str) -> str:
    """The table as "text", "markdown" or "csv" (full precision, empty cells where there is no number)."""
    if form not in ("text", "markdown", "csv"):
        raise ValueError(f"form is {form!r}, expected text, markdown or csv")
    if form == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(table.header)
        writer.writerows([_csv_cell(cell) for cell in row] for row in table.rows)
        return out.getvalue()
    cells = [list(table.header)]
    for row, decimals in zip(table.rows, table.decimals):
        cells.append([cell if isinstance(cell, str) else number(cell, decimals) for cell in row])
    widths = [max(len(row[k]) for row in cells) for k in range(len(table.header))]
    left, right = ("| ", " |") if form == "markdown" else ("", "")
    between = " | " if form == "markdown" else "  "
    lines = [
        left + between.join([row[0].ljust(widths[0]), *(c.rjust(n) for c, n in zip(row[1:], widths[1:]))]) + right
        for row in cells
    ]
    rule = between.join(["-" * widths[0], *("-" * (n - 1) + (":" if form == "markdown" else "-") for n in widths[1:])])
    return "\n".join([lines[0], left + rule + right, *lines[1:]])


def _csv_cell(cell: str | float) -> str:
    if isinstance(cell, str):
        return cell
    return repr(float(cell)) if math.isfinite(cell) else ""
