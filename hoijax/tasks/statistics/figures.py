"""The figures that count and measure (Open3DHOI Figures 4, 10, 11 and 12), as PNG."""

import io
from collections.abc import Sequence

import matplotlib
import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hoijax.tasks.statistics.groups import Groups
from hoijax.tasks.statistics.row import Row
from hoijax.tasks.statistics.tables import Table, group_table, pair_table, size_table

INK, BLUE, ORANGE, LINE = "#23262d", "#3b6fb6", "#c8641b", "#e4e2dd"
COUNTS = "YlGnBu"  # light to dark in one run of lightness: it prints in grey, and every reader sees the order
SHOWN = 30  # actions, and objects, of the heat map; the rest is summed
WIDE = 20  # counts that reach further have a logarithmic colour scale
BOXES = 60  # categories with a box of their own
DPI = 130


def png(figure: Figure) -> bytes:
    """The figure as a file; equal figures give equal bytes."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue()


def group_figure(rows: Sequence[Row], groups: Groups) -> bytes:
    """Figure 4: samples of each major category, with the number of categories in it."""
    lines = group_table(rows, groups).rows
    counts = [int(line[1]) for line in lines]
    figure = Figure(figsize=(7.2, 1.0 + 0.3 * len(lines)), layout="constrained")
    axes = figure.add_subplot()
    axes.barh(range(len(lines)), counts, color=BLUE, height=0.72)
    for place, line in enumerate(lines):
        many = f"{line[2]} categor{'y' if line[2] == 1 else 'ies'}"
        axes.annotate(
            f"{line[1]}  ({many})", (counts[place], place), (4, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.set_yticks(range(len(lines)), [plain_text(str(line[0])) for line in lines])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlim(0, 1.25 * max(counts))
    axes.set_xlabel("samples")
    _bare(axes)
    return png(figure)


def pair_figure(rows: Sequence[Row], shown: int = SHOWN) -> bytes | None:
    """Figure 10: how often actions and objects stand together; None where no sample has an action.

    The most frequent of either, and the sum of all others: every interaction is counted once.
    """
    table = pair_table(rows)
    if not table.rows:
        return None
    actions, things, counts = folded(table, shown)
    figure = Figure(figsize=(2.6 + 0.27 * len(things), 2.0 + 0.24 * len(actions)), layout="constrained")
    axes = figure.add_subplot()
    most = int(counts.max())
    norm = matplotlib.colors.LogNorm(0.7, most) if most > WIDE else matplotlib.colors.Normalize(0, max(most, 2))
    image = axes.imshow(np.ma.masked_equal(counts, 0), cmap=COUNTS, norm=norm, aspect="auto")
    for i, j in np.argwhere(counts > 0):
        color = "white" if norm(counts[i, j]) > 0.55 else INK
        axes.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=6.5, color=color)
    axes.set_xticks(range(len(things)), list(map(plain_text, things)), rotation=90, fontsize=8)
    axes.set_yticks(range(len(actions)), list(map(plain_text, actions)), fontsize=8)
    axes.set_xticks(np.arange(len(things) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(actions) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=LINE, linewidth=0.6)
    axes.tick_params(which="both", length=0)
    bar = figure.colorbar(image, ax=axes, label="interactions", fraction=0.03, pad=0.02)
    bar.ax.yaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    marks = [m * 10**e for e in range(6) for m in (1, 2, 5) if m * 10**e <= most]
    bar.ax.yaxis.set_major_locator(matplotlib.ticker.FixedLocator(marks))
    bar.ax.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    return png(figure)


def folded(table: Table, shown: int) -> tuple[list[str], list[str], Int[np.ndarray, "a b"]]:
    """Actions, objects and counts of a `pair_table`, with all but the first `shown` of either summed."""
    counts = np.array([[int(cell) for cell in line[1:]] for line in table.rows])
    actions, things = [str(line[0]) for line in table.rows], list(table.head[1:])

    def fold(names: list[str], array: np.ndarray) -> tuple[list[str], np.ndarray]:
        if len(names) <= shown + 1:
            return names, array
        rest = array[shown:].sum(0, keepdims=True)
        return [*names[:shown], f"{len(names) - shown} others"], np.concatenate([array[:shown], rest])

    actions, counts = fold(actions, counts)
    things, turned = fold(things, counts.T)
    return actions, things, turned.T


def size_figure(rows: Sequence[Row], shown: int = BOXES) -> bytes:
    """Figure 11: sizes per category, as boxes over all samples, on a logarithmic axis; smallest median first.

    Of more than `shown` categories those with the most samples.
    """
    lines = sorted(size_table(rows).rows, key=lambda line: -int(line[1]))
    chosen = {str(line[0]) for line in lines[:shown]}
    names = [str(line[0]) for line in size_table(rows).rows if line[0] in chosen]
    sizes = [100 * np.array([row.size for row in rows if row.category == name]) for name in names]
    figure = Figure(figsize=(7.2, 1.2 + 0.22 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    sizes = [drawn_sizes(own, np.concatenate(sizes)) for own in sizes]
    for place, own in enumerate(sizes):
        if len(own) > 2:
            axes.boxplot(
                [own],
                positions=[place],
                orientation="horizontal",
                widths=0.62,
                showfliers=False,
                manage_ticks=False,
                medianprops={"color": ORANGE},
                boxprops={"color": INK},
                whiskerprops={"color": INK},
                capprops={"color": INK},
            )
        spread = place + np.random.default_rng(0).uniform(-0.16, 0.16, len(own)) * (len(own) > 2)
        axes.scatter(own, spread, s=9, color=BLUE, alpha=0.6, linewidths=0)
    _log_centimetres(axes, np.concatenate(sizes))
    axes.set_yticks(range(len(names)), [f"{plain_text(n)} ({len(own)})" for n, own in zip(names, sizes)], fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("cube root of the object's volume, cm")
    if len(lines) > shown:
        axes.set_title(f"the {shown} categories with the most samples, of {len(lines)}", fontsize=9, loc="left")
    _bare(axes)
    return png(figure)


def rank_figure(rows: Sequence[Row]) -> bytes:
    """Figure 12: the sizes of all samples, smallest first; volumes of hulls have a mark of their own."""
    order = sorted(rows, key=lambda row: row.size)
    sizes = 100 * np.array([row.size for row in order])
    sizes = drawn_sizes(sizes, sizes)
    closed = np.array([row.watertight for row in order])
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    axes = figure.add_subplot()
    place = np.arange(1, len(order) + 1)
    for chosen, color, mark, text in ((closed, BLUE, "o", "of the mesh"), (~closed, ORANGE, "x", "of its hull")):
        if chosen.any():
            axes.scatter(
                place[chosen],
                sizes[chosen],
                s=13,
                color=color,
                marker=mark,
                linewidths=0.9,
                label=f"{text} ({chosen.sum()})",
            )
    _log_centimetres(axes, sizes, vertical=True)
    axes.set_xlabel("samples, by size")
    axes.set_ylabel("cube root of the volume, cm")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    _bare(axes, "y")
    return png(figure)


def plain_text(name: str) -> str:
    """A name as matplotlib must not read it: a dollar begins no formula. Long ones are cut, visibly."""
    return (name if len(name) <= 34 else name[:33] + "…").replace("$", r"\$")


def drawn_sizes(own: np.ndarray, every: np.ndarray) -> np.ndarray:
    """Sizes for a logarithmic axis: flat objects, whose size is 0, stand below the smallest of the others."""
    positive = every[every > 0]
    return np.where(own > 0, own, positive.min() / 2 if len(positive) else 1.0)


def _log_centimetres(axes: Axes, sizes: np.ndarray, vertical: bool = False) -> None:
    """A logarithmic axis with plain numbers."""
    low, high = sizes.min(), sizes.max()
    marks = [m * 10.0**e for e in range(-3, 5) for m in (1, 2, 5)]
    marks = [mark for mark in marks if 0.6 * low <= mark <= 1.7 * high]
    axis, scale, limit = (
        (axes.yaxis, axes.set_yscale, axes.set_ylim) if vertical else (axes.xaxis, axes.set_xscale, axes.set_xlim)
    )
    limit(0.7 * low, 1.4 * high)
    scale("log")
    axis.set_minor_locator(matplotlib.ticker.NullLocator())
    axis.set_major_locator(matplotlib.ticker.FixedLocator(marks))
    axis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}"))


def _bare(axes: Axes, grid: str = "x") -> None:
    axes.grid(axis="x" if grid == "x" else "y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
