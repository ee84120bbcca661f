"""How good a judge is on examples that it never saw: tables, and a reliability diagram."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from scipy.special import expit

from hoijax.report.ablation import latex_text
from hoijax.report.tables import NONE, aligned, markdown
from hoijax.tasks.judge.calibration import both
from hoijax.tasks.judge.data import SCALARS, Examples, item_labels
from hoijax.tasks.judge.logistic import fit_logistic, logistic_probabilities
from hoijax.tasks.judge.measures import bins, known, measures, seen_at_random, seen_until
from hoijax.tasks.judge.training import Judge, judged

SHARE = 0.9  # of the good items: how many one looks at until so many have been passed
COLUMNS = ("human", "object", "item")
JUDGE, BARE, LOGISTIC, RATE = "judge", "judge, not calibrated", "logistic regression", "base rate"
GREY, BLUE, GREEN, ORANGE = "#9a9a9a", "#3b6fb6", "#4c9a62", "#d9803f"


class Table(NamedTuple):
    """A table to be shown: its title, head and rows."""

    title: str
    head: list[str]
    rows: list[list[str]]


class Evaluation(NamedTuple):
    """`tables` by the names of their files. `said`: the judge's probabilities of human, object and item; `labels`: what
    was decided, NaN where nothing was."""

    tables: Mapping[str, Table]
    said: Float[np.ndarray, "n 3"]
    labels: Float[np.ndarray, "n 3"]


def evaluation(
    judge: Judge, learned: Examples, held: Examples, flaws: Mapping[str, tuple[str, ...]] | None = None
) -> Evaluation:
    """The judge on `held`, beside what is plainer, learned from `learned` alone; without that there is only the judge.

    `flaws`: (who, reason, way) of items whose flaw is known, empty strings for a good one.
    """
    labels = with_item(held.labels, item_labels(held.labels))
    said, logits = judged(judge, held.given)
    found = {
        JUDGE: three(said),
        BARE: three(expit(logits)),
    }
    if learned.names:
        plain = fit_logistic(np.asarray(learned.given.scalars), learned.labels)
        found[LOGISTIC] = three(logistic_probabilities(plain, np.asarray(held.given.scalars)))
        found[RATE] = np.tile(base_rates(learned.labels), (len(held.names), 1))
    tables = {"judge": scores_table(found, labels), "order": order_table(found, labels[:, 2], held)}
    if flaws:
        tables["flaws"] = flaws_table(found, held.names, flaws)
    return Evaluation(tables, found[JUDGE], labels)


def three(said: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 3"]:
    """With the item's beside them."""
    return with_item(said, both(said))


def with_item(two: Float[np.ndarray, "n 2"], item: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 3"]:
    """Three columns: human, object, item."""
    return np.concatenate([two, item[:, None]], 1)


def base_rates(labels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "3"]:
    """Shares of good humans, objects and items; a half of nothing known."""
    columns = with_item(labels, item_labels(labels)).T
    return np.array([np.nanmean(column) if np.isfinite(column).any() else 0.5 for column in columns])


def scores_table(found: Mapping[str, Float[np.ndarray, "n 3"]], labels: Float[np.ndarray, "n 3"]) -> Table:
    """A row for each model and each of human, object and item."""
    rows = []
    for k, who in enumerate(COLUMNS):
        if not np.isfinite(labels[:, k]).any():
            continue
        for model, said in found.items():
            n, *numbers = measures(said[:, k], labels[:, k])
            rows.append([f"{who}: {model}", str(n), *(number(value) for value in numbers)])
    head = ["", "n", "accuracy ↑", "AUROC ↑", "Brier ↓", "calibration error ↓"]
    return Table("Pass or not, held-out items", head, rows)


def flaws_table(
    found: Mapping[str, Float[np.ndarray, "n 3"]], names: Sequence[str], flaws: Mapping[str, tuple[str, ...]]
) -> Table:
    """Of items with a known flaw, by who, reason and way: the share that is told, that is, given less than a half."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for k, name in enumerate(names):
        if name in flaws:
            groups.setdefault(flaws[name], []).append(k)
    rows = []
    for flaw in sorted(groups):
        index = groups[flaw]
        title = f"{flaw[0]}: {flaw[1]} ({flaw[2]})" if flaw[0] else "none: false alarms"
        shares = [
            number(float((found[model][index, 2] < 0.5).mean()), 2) if model in found else NONE
            for model in (JUDGE, LOGISTIC)
        ]
        own = found[JUDGE][index, COLUMNS.index(flaw[0])] < 0.5 if flaw[0] else np.array([np.nan])
        rows.append([title, str(len(index)), *shares, number(float(own.mean()), 2)])
    head = ["flaw", "n", "told, judge", "told, logistic", "and of whom, judge"]
    return Table("Flaws that are told", head, rows)


def order_table(
    found: Mapping[str, Float[np.ndarray, "n 3"]], labels: Float[np.ndarray, " n"], held: Examples
) -> Table:
    """Items to look at until `SHARE` of the good ones have been passed, in several orders."""
    there = np.isfinite(labels)
    good = labels[there] > 0.5
    iou = np.asarray(held.given.scalars)[there, SCALARS.index("iou object")]
    orders = {
        "by name, as they come": np.argsort(np.array(held.names)[there], kind="stable"),
        "worst IoU of the object first": np.argsort(iou, kind="stable"),
        "best IoU of the object first": np.argsort(-iou, kind="stable"),
        **{
            f"likely fine first, {model}": np.argsort(-found[model][there, 2], kind="stable")
            for model in (LOGISTIC, JUDGE)
            if model in found
        },
        "the best there is": np.argsort(~good, kind="stable"),
    }
    n = len(good)
    rows = [["at random, expected", f"{seen_at_random(good, SHARE):.0f}", f"{seen_at_random(good, SHARE) / n:.0%}"]]
    for name, order in orders.items():
        count = seen_until(order, good, SHARE)
        rows.append([name, str(count), f"{count / n:.0%}"])
    title = f"Items seen until {SHARE:.0%} of the {int(good.sum())} good ones among {n} have been passed"
    return Table(title, ["order", "items ↓", "of all"], rows)


def number(value: float, digits: int = 3) -> str:
    """The number; a dash where there is none."""
    return f"{value:.{digits}f}" if np.isfinite(value) else NONE


def table_files(table: Table) -> dict[str, str]:
    """The table by the ending of its file: .txt (for a terminal), .md, .csv, .tex."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([table.head, *table.rows])
    lines = [" & ".join(map(latex_text, row)) + r" \\" for row in (table.head, *table.rows)]
    begin = [r"% needs \usepackage{booktabs}", rf"\begin{{tabular}}{{l{'r' * (len(table.head) - 1)}}}", r"\toprule"]
    tex = [*begin, lines[0], r"\midrule", *lines[1:], r"\bottomrule", r"\end{tabular}"]
    return {
        ".txt": aligned(table.head, table.rows),
        ".md": markdown(table.head, table.rows) + "\n",
        ".csv": out.getvalue(),
        ".tex": "\n".join(tex) + "\n",
    }


def reliability_figure(said: Float[np.ndarray, "n 3"], labels: Float[np.ndarray, "n 3"]) -> bytes:
    """PNG: how often what was said came, by probability; below, how many there are of each."""
    figure = Figure(figsize=(8.4, 3.9), layout="constrained")
    grid = figure.subplots(2, 3, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
    for k, (who, color) in enumerate(zip(COLUMNS, (BLUE, GREEN, ORANGE))):
        p, y = known(said[:, k], labels[:, k])
        upper, lower = grid[0, k], grid[1, k]
        upper.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
        if len(y):
            found = bins(p, y)
            some = found.items > 0
            error = np.sqrt(np.clip(found.came * (1 - found.came), 0.02, None) / np.maximum(found.items, 1))
            upper.errorbar(found.said[some], found.came[some], yerr=error[some], fmt="o", color=color, capsize=2)
            lower.bar((np.arange(len(found.items)) + 0.5) / len(found.items), found.items, 0.085, color=color)
        upper.set(title=f"{who}, n = {len(y)}", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
        lower.set(xlabel="probability to be good, as said")
    grid[0, 0].set_ylabel("share that was good")
    grid[1, 0].set_ylabel("items")
    for axes in grid.flat:
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return file.getvalue()
