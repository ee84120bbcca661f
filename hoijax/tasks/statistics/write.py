"""All files of the statistics of a data set."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from hoijax.data.atomic import save_bytes
from hoijax.data.sample import ColoredMesh
from hoijax.tasks.statistics.body_map import body_figure, part_map, vertex_map
from hoijax.tasks.statistics.figures import group_figure, pair_figure, rank_figure, size_figure
from hoijax.tasks.statistics.groups import OTHER, Groups
from hoijax.tasks.statistics.page import Section, statistics_page
from hoijax.tasks.statistics.row import Row
from hoijax.tasks.statistics.tables import (
    Table,
    category_table,
    group_table,
    overview_table,
    pair_table,
    part_table,
    quality_table,
    sample_table,
    size_table,
    table_csv,
    table_latex,
    table_markdown,
)

FIGURES = {
    "figure4": "Samples of each major category",
    "figure10": "How often actions and objects stand together",
    "figure11": "Sizes of the objects of each category",
    "figure12": "Sizes of all objects, smallest first",
    "figure14": "Shares of samples in which parts and vertices of the body touch, front and back",
}


def save_statistics(
    out: Path,
    title: str,
    rows: Sequence[Row],
    left_out: Mapping[str, str],
    groups: Groups,
    example: ColoredMesh | None = None,
    paper_spelling: bool = False,
) -> dict[str, Table]:
    """Writes tables/ (CSV, Markdown, LaTeX), figures/ (PNG), left_out.csv, groups.json and index.html; returns the tables.

    Each file is written whole or not at all. `example`: a human of the data, for the map of vertices where their
    topology is not that of the built-in body. `rows` must not be empty.
    """
    made = (
        *(overview_table(rows), category_table(rows, groups), part_table(rows, paper_spelling), quality_table(rows)),
        *(group_table(rows, groups), size_table(rows), pair_table(rows), sample_table(rows)),
    )
    tables = {table.name: table for table in made}
    for table in made:
        save_bytes(out / "tables" / f"{table.name}.csv", table_csv(table).encode("utf-8", "backslashreplace"))
        if table.name not in ("pairs", "samples"):  # too wide for a page
            save_bytes(out / "tables" / f"{table.name}.md", table_markdown(table).encode("utf-8", "backslashreplace"))
            save_bytes(out / "tables" / f"{table.name}.tex", table_latex(table).encode("utf-8", "backslashreplace"))
    figures, said = drawn(rows, groups, example)
    for name in FIGURES:
        (out / "figures" / f"{name}.png").unlink(missing_ok=True)  # of an earlier run on other data
    for name, data in figures.items():
        save_bytes(out / "figures" / f"{name}.png", data)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("sample", "reason"), *left_out.items()])
    save_bytes(out / "left_out.csv", text.getvalue().encode("utf-8", "backslashreplace"))
    save_bytes(out / "groups.json", groups_json(groups).encode())
    page = statistics_page(title, sections(tables, figures, said), rows, left_out)
    save_bytes(out / "index.html", page.encode("utf-8", "backslashreplace"))
    return tables


def drawn(rows: Sequence[Row], groups: Groups, example: ColoredMesh | None) -> tuple[dict[str, bytes], list[str]]:
    """{name: PNG} of the figures that the data allow, and a sentence about each that they do not."""
    said = []
    figures: dict[str, bytes | None] = {
        "figure4": group_figure(rows, groups),
        "figure10": pair_figure(rows),
        "figure11": size_figure(rows),
        "figure12": rank_figure(rows),
    }
    parts, vertices = part_map(rows), vertex_map(rows, example)
    if figures["figure10"] is None:
        said.append("No sample tells an action, so there is no Figure 10.")
    if parts is None:
        said.append("No sample has contact labels, so there is no map of parts.")
    if vertices is None:
        said.append("The people's meshes do not share one topology, so there is no map of vertices.")
    maps = [each for each in (parts, vertices) if each is not None]
    figures["figure14"] = body_figure(maps) if maps else None
    return {name: data for name, data in figures.items() if data is not None}, said


def sections(tables: Mapping[str, Table], figures: Mapping[str, bytes], said: Sequence[str]) -> list[Section]:
    """The parts of the page, in its order."""

    def pictures(*names: str) -> dict[str, bytes]:
        return {FIGURES[name]: figures[name] for name in names if name in figures}

    return [
        Section("The data set (Table 1)", " ".join(said), {}, tables["table1"]),
        Section("Major categories (Figure 4)", "By a table of WordNet synsets.", pictures("figure4"), tables["groups"]),
        Section("Object categories (Table 6)", "", {}, tables["table6"]),
        Section(
            "Actions and objects (Figure 10)",
            "Rows and columns by frequency; all pairs are in tables/pairs.csv.",
            pictures("figure10"),
        ),
        Section(
            "Sizes of the objects (Figures 11 and 12)",
            "Cube root of the volume, on a logarithmic axis. A point is a sample; a box has the quartiles of three or more.",
            pictures("figure11", "figure12"),
            tables["sizes"],
        ),
        Section(
            "Where people touch (Figure 14, Table 7)",
            "On the body from the front and the back; each map has a scale of its own.",
            pictures("figure14"),
            tables["table7"],
        ),
        Section("Quality (B.2.3)", "Arrows point to better.", {}, tables["quality"]),
    ]


def groups_json(groups: Groups) -> str:
    """The groups as --groups takes them, to be copied and changed."""
    table: dict[str, dict[str, str]] = {}
    for category, group in groups.group.items():
        table.setdefault(group, {})[category] = groups.synset[category]
    return json.dumps(table or {OTHER: {}}, indent=1) + "\n"
