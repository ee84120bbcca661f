"""The page of an ablation: its table and a dot plot of each metric."""

import base64
import html
import io
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files

import numpy as np
from matplotlib.figure import Figure

from hoijax.report.ablation import PUBLISHED, TRUTH, Ablation, best_rows, cells, row_values, table_lines, truth_cells
from hoijax.report.tables import heading, metric

DOT, FAINT, MARK, TRUE = "#23262d", "#6b9ee6", "#f0914a", "#62b172"

STYLE = """
main, header, footer { max-width: 1400px; }
tbody td:first-child { min-width: 11em; }
th, td { padding: 7px 8px; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 18px; }
.plots img { display: block; width: 100%; border: 1px solid var(--line); border-radius: 12px; background: #fff; }
td.published, th.published { color: var(--soft); }
td.best { font-weight: 650; }
tr.truth td { border-top: 2px solid var(--line); color: var(--good); }
thead th { white-space: normal; min-width: 6.5em; }
"""


def dot_plot(table: Ablation, name: str) -> bytes:
    """PNG: mean and standard error of each row, its scenes as faint points, published means, the annotation as a line."""
    found, rows = cells(table), list(table.rows)
    figure = Figure(figsize=(6.4, 1.25 + 0.42 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    jitter = np.random.default_rng(0)
    for place, row in enumerate(rows):
        values = np.array(row_values(table, row, name))
        values = values[np.isfinite(values)]
        spread = place + jitter.uniform(-0.18, 0.18, len(values))
        axes.scatter(values, spread, s=14, color=FAINT, alpha=0.45, linewidths=0)
        own = found[row][name]
        if own.estimate.scenes:
            error = own.estimate.error if math.isfinite(own.estimate.error) else 0.0
            axes.errorbar(own.estimate.mean, place, xerr=error, fmt="o", color=DOT, capsize=3, markersize=6)
        if math.isfinite(own.published):
            axes.scatter(own.published, place, marker="D", s=34, facecolors="none", edgecolors=MARK, linewidths=1.6)
    truth = truth_cells(table)[name]
    if truth.scenes:
        axes.axvline(truth.mean, color=TRUE, linewidth=1.4, linestyle="--", zorder=0)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_title(heading(name), fontsize=11, loc="left")
    axes.grid(axis="x", color="#e4e2dd", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=160)
    return file.getvalue()


def ablation_page(table: Ablation, footer: Sequence[str], plots: Mapping[str, bytes]) -> str:
    """One self-contained page: table, plots (PNG by metric), and what there is to know about both."""
    title = html.escape(table.title)
    pictures = "\n".join(
        f'<img src="data:image/png;base64,{base64.b64encode(data).decode()}" loading="lazy" '
        f'alt="{html.escape(metric(name).title)}: mean and standard error of each row, and each scene">'
        for name, data in plots.items()
    )
    notes = "\n".join(f"<li>{html.escape(line)}</li>" for line in footer)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hoijax: {title}</title>
<link rel="icon" href="data:,">
<style>
{files("hoijax.report").joinpath("page.css").read_text(encoding="utf-8")}{STYLE}</style>
</head>
<body>
<header>
<h1>{title}</h1>
</header>
<main>
<div class="wide">{_table(table)}</div>
<h2>Row by row</h2>
<p class="soft">Dark: mean and standard error. Pale blue: each scene. Open diamonds: published on other data. Green line: the
annotation itself.</p>
<div class="plots">
{pictures}
</div>
<h2>How to read it, and how it was made</h2>
<div class="notes"><ul>
{notes}
</ul></div>
</main>
<footer>Made by hoijax.</footer>
</body>
</html>
"""


def _table(table: Ablation) -> str:
    head, rows = table_lines(table)
    best = {heading(name): row for name, row in best_rows(table).items()}
    body = "".join(
        f"<tr{' class=truth' if row[0] == TRUTH else ''}>"
        + "".join(f"<td{_kind(name, row[0], best)}>{html.escape(text)}</td>" for name, text in zip(head, row))
        + "</tr>"
        for row in rows
    )
    names = "".join(f"<th{_kind(name, '', {})}>{html.escape(name)}</th>" for name in head)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def _kind(column: str, row: str, best: Mapping[str, str]) -> str:
    if column == PUBLISHED:
        return ' class="published"'
    return ' class="best"' if best.get(column) == row and row else ""
