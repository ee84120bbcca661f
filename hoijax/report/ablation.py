"""The table of an ablation: means over scenes of every row, as text, Markdown, LaTeX and CSV."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hoijax.data.measure import MetricOptions
from hoijax.data.runs import Run
from hoijax.report.derived import SECONDS, is_derived, value
from hoijax.report.statistics import LEVEL, Estimate, estimate, median_estimate, paired_p
from hoijax.report.tables import ARROWS, NONE, aligned, heading, markdown, metric, metric_text

PUBLISHED = "published (other data)"
TRUTH = "the annotation itself"
LATEX = {
    **{sign: f"\\{sign}" for sign in "&%#_{}$"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"±": r"$\pm$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "−": "$-$", "–": "--", "‖": r"$\Vert$", "|": "$|$"},
}


class Ablation(NamedTuple):
    """What a table is made of: {row: {sample: run}}, the metrics it shows, and published means by row and metric.

    The first row is the one that the others are tested against.
    """

    title: str
    metrics: tuple[str, ...]
    rows: Mapping[str, Mapping[str, Run]]
    published: Mapping[str, Mapping[str, float]]


class Cell(NamedTuple):
    """One row's estimate of one metric, p of its difference from the first row (NaN there), and the published mean."""

    estimate: Estimate
    p: float
    published: float


def scenes(table: Ablation) -> list[str]:
    """The samples that some row has a result of."""
    found = (name for runs in table.rows.values() for name, run in runs.items() if not run.failure)
    return list(dict.fromkeys(found))


def row_values(table: Ablation, row: str, name: str, state: str = "result") -> list[float]:
    """A row's values of a metric over `scenes`; NaN where it failed or cannot tell."""
    runs = table.rows[row]
    return [value(runs[scene], name, state) if scene in runs else math.nan for scene in scenes(table)]


def average(values: Sequence[float], name: str) -> Estimate:
    """What stands for many scenes in the metric's column: mean and standard error, or the median."""
    return median_estimate(values) if metric(name).average == "median" else estimate(values)


def cells(table: Ablation) -> dict[str, dict[str, Cell]]:
    """{row: {metric: cell}}."""
    first = next(iter(table.rows))
    return {
        row: {
            name: Cell(
                average(values := row_values(table, row, name), name),
                math.nan if row == first else paired_p(values, row_values(table, first, name)),
                table.published.get(row, {}).get(name, math.nan),
            )
            for name in table.metrics
        }
        for row in table.rows
    }


def truth_cells(table: Ablation) -> dict[str, Estimate]:
    """What the annotation itself scores, by metric, from any row's run of each scene."""
    by_scene = {name: run for runs in table.rows.values() for name, run in runs.items() if not run.failure}
    return {
        name: average([value(run, name, "annotation") for run in by_scene.values()], name) for name in table.metrics
    }


def best_rows(table: Ablation) -> dict[str, str]:
    """The row with the best mean of each metric, where it can be said and all rows tell of equally many scenes."""
    found, known = cells(table), {}
    for name in table.metrics:
        sign = {"higher": 1, "lower": -1}.get(metric(name).better, 0)
        means = {row: sign * own[name].estimate.mean for row, own in found.items()}
        counts = {own[name].estimate.scenes for own in found.values()}
        if sign and len(counts) == 1 and len(means) > 1 and all(map(math.isfinite, means.values())):
            known[name] = max(means, key=lambda row: means[row])
    return known


def estimate_text(found: Estimate, name: str) -> str:
    """Mean ± standard error with the metric's digits."""
    error = f" ± {metric_text(found.error, name)}" if math.isfinite(found.error) else ""
    return metric_text(found.mean, name) + error


def cell_text(cell: Cell, name: str, count: int) -> str:
    """Mean ± standard error, a star for p < 0.05, and how many scenes could tell where that is not `count`."""
    star = " *" if cell.p < LEVEL else ""
    fewer = f" (n={cell.estimate.scenes})" if 0 < cell.estimate.scenes != count else ""
    return estimate_text(cell.estimate, name) + star + fewer


def table_lines(table: Ablation) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table: name, n, then each metric with a column for its published means where there are any."""
    shown = [(name, published) for name in table.metrics for published in (False, True)]
    shown = [(name, own) for name, own in shown if not own or any(name in v for v in table.published.values())]
    head = ["row", "n", *(PUBLISHED if own else heading(name) for name, own in shown)]
    rows = []
    for row, found in cells(table).items():
        count = sum(not run.failure for run in table.rows[row].values())
        texts = [
            metric_text(found[name].published, name) if own else cell_text(found[name], name, count)
            for name, own in shown
        ]
        rows.append([row, str(count), *texts])
    truth = truth_cells(table)
    count = max((found.scenes for found in truth.values()), default=0)
    if count:
        texts = ["" if own else cell_text(Cell(truth[name], math.nan, math.nan), name, count) for name, own in shown]
        rows.append([TRUTH, str(count), *texts])
    return head, rows


def ablation_text(table: Ablation, footer: Sequence[str] = ()) -> str:
    """For a terminal."""
    return "\n".join([table.title, "", aligned(*table_lines(table)), "", *footer])


def ablation_markdown(table: Ablation, footer: Sequence[str] = ()) -> str:
    """As a Markdown section."""
    lines = [f"- {line}" for line in footer]
    return "\n".join([f"## {table.title}", "", markdown(*table_lines(table)), "", *lines, ""])


def ablation_latex(table: Ablation, footer: Sequence[str] = ()) -> str:
    """As a LaTeX table with booktabs' rules."""
    head, rows = table_lines(table)
    body = [row for row in rows if row[0] != TRUTH]
    truth = [row for row in rows if row[0] == TRUTH]
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{latex_text(table.title)}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"\toprule",
        _latex_row(head),
        r"\midrule",
        *map(_latex_row, body),
        *([r"\midrule", *map(_latex_row, truth)] if truth else []),
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\footnotesize",
        *(latex_text(line) + r"\par" for line in footer),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def latex_text(text: str) -> str:
    """The text with LaTeX's signs escaped and ours as formulas."""
    return "".join(LATEX.get(sign, sign) for sign in text)


def _latex_row(texts: Sequence[str]) -> str:
    return " & ".join(map(latex_text, texts)) + r" \\"


def ablation_csv(table: Ablation) -> str:
    """One line per row in full precision: counts, mean seconds, then mean (or median), error, n, p and published of each."""
    columns = ("standard_error", "n", "p", "published")
    each = [f"{name}_{column}" for name in table.metrics for column in (metric(name).average, *columns)]
    head = ["row", "scenes", "failed", "seconds", *each]
    lines = []
    for row, found in cells(table).items():
        runs = table.rows[row].values()
        seconds = estimate([run.seconds.get("total", math.nan) for run in runs if not run.failure]).mean
        numbers: list[float] = []
        for cell in found.values():
            numbers += [cell.estimate.mean, cell.estimate.error, cell.estimate.scenes, cell.p, cell.published]
        failed = sum(bool(run.failure) for run in runs)
        lines.append([row, len(runs) - failed, failed, *map(_number, [seconds, *numbers])])
    return _csv(head, lines)


def samples_csv(table: Ablation) -> str:
    """One line per row, sample and metric, every metric that was measured or is shown, in full precision."""
    states = ("start", "result", "annotation")
    derived = [name for name in table.metrics if is_derived(name)]
    lines = [
        [row, sample, name, *(_number(value(run, name, state)) for state in states)]
        for row, runs in table.rows.items()
        for sample, run in runs.items()
        for name in (*run.metrics, *(derived if not run.failure else ()))
    ]
    return _csv(["row", "sample", "metric", *states], lines)


def _csv(head: Sequence[object], lines: Sequence[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([head, *lines])
    return out.getvalue()


def _number(number: int | float) -> str:
    return repr(number) if math.isfinite(number) else ""


def metric_choices(options: MetricOptions) -> str:
    """What was chosen where the paper leaves its metrics open (docs/metrics.md)."""
    size = "convex hull" if options.size == "hull" else "mesh (of its convex hull where it is not watertight)"
    return (
        "Metrics: Co2 sums the contact distance over the annotated parts, “mean of parts” takes the mean; "
        f"Sig(x) = 2 sigmoid(x) − 1; Size = cube root of the volume of the {size}; Chamfer distance not aligned; "
        f"{options.samples:,} surface samples, seed {options.seed}."
    )


def counts(table: Ablation) -> list[str]:
    """Sentences about how many scenes stand behind the table, and how many could not tell."""
    names = scenes(table)
    lines = [f"{len(names)} scene{'' if len(names) == 1 else 's'}."]
    unknown: dict[tuple[str, ...], list[str]] = {}
    for name in table.metrics:
        values = [row_values(table, row, name) for row in table.rows]
        silent = tuple(scene for k, scene in enumerate(names) if not any(math.isfinite(own[k]) for own in values))
        if silent:
            unknown.setdefault(silent, []).append(metric(name).title)
    for silent, titles in unknown.items():
        bare = sum(not _annotated(table, scene) for scene in silent)
        without = f", {bare} of them without an annotated object" if bare else ""
        lines.append(
            f"Left out of {', '.join(titles)}: {len(silent)} of {len(names)} scenes that cannot tell{without}."
        )
    dropped = sum(run.dropped > 0 for runs in table.rows.values() for run in runs.values())
    if dropped:
        lines.append(f"{dropped} runs ended with splats dropped by the renderer: do not trust them.")
    return lines


def about_seconds(table: Ablation) -> list[str]:
    """A sentence about the columns of seconds, where there are any, and one where they were not taken side by side."""
    shown = [metric(name).title for name in table.metrics if name in SECONDS]
    if not shown:
        return []
    fits = [run for runs in table.rows.values() for run in runs.values() if not run.failure and "fit" in run.seconds]
    sweeps = {run.sweep for run in fits}
    lines = [f"{', '.join(shown)}: the median over the scenes of a sample's seconds, all rows by one process in turn."]
    if len(sweeps) > 1 or "" in sweeps:
        lines = [
            f"{', '.join(shown)}: medians over the scenes, taken by {len(sweeps)} sweeps or an unknown one: another machine "
            "or other work beside it may be all their difference. Compare them from one sweep, into an empty --out."
        ]
    return lines


def failures(table: Ablation, most: int = 5) -> list[str]:
    """Sentences about runs that failed or were not done, row by row."""
    lines = []
    names = dict.fromkeys(name for runs in table.rows.values() for name in runs)
    for row, runs in table.rows.items():
        failed = {name: run.failure for name, run in runs.items() if run.failure}
        told = [f"{name} ({why})" for name, why in list(failed.items())[:most]]
        more = f" and {len(failed) - most} more" if len(failed) > most else ""
        if failed:
            lines.append(f"Failed in “{row}”: {len(failed)} of {len(runs)}: {'; '.join(told)}{more}.")
        if len(runs) < len(names):
            lines.append(f"Not done yet in “{row}”: {len(names) - len(runs)} of {len(names)}.")
    return lines


def how_to_read(table: Ablation) -> list[str]:
    """Sentences about the signs of the table."""
    first = next(iter(table.rows))
    lines = [
        f"Mean ± standard error over the scenes; {ARROWS['higher']} more is better, {ARROWS['lower']} less is better."
    ]
    if len(table.rows) > 1:
        lines.append(
            f"* differs from “{first}”: p < {LEVEL} in a two-sided Wilcoxon signed-rank test over the scenes that both "
            "can tell, not corrected for the number of tests."
        )
    if table.published:
        lines.append(
            "“published” stands in the Open3DHOI paper (CVPR 2025): measured by its authors on other images with other "
            f"code, to be compared in direction only; {NONE} where it states none."
        )
    return lines


def _annotated(table: Ablation, scene: str) -> bool:
    runs = (runs[scene] for runs in table.rows.values() if scene in runs)
    return any("annotation" in values for run in runs for values in run.metrics.values())
