"""Tables, groups, figures and the page of the small tree, counted by hand; names that other formats read as commands."""

import csv
import io
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hoijax.body.parts import PART_NAMES
from hoijax.data.sample import SampleError
from hoijax.tasks.statistics.body_map import part_map, vertex_map
from hoijax.tasks.statistics.collect import Collected
from hoijax.tasks.statistics.figures import drawn_sizes, folded
from hoijax.tasks.statistics.groups import load_groups
from hoijax.tasks.statistics.row import Row
from hoijax.tasks.statistics.tables import (
    Table,
    category_table,
    cell_text,
    group_table,
    overview_table,
    pair_table,
    part_table,
    quality_table,
    size_table,
    table_csv,
    table_latex,
    table_markdown,
)
from hoijax.tasks.statistics.write import save_statistics

ODD = 'a <b>"50% & $x y$"</b>'


def test_the_row_of_table_1(found: Collected) -> None:
    own = overview_table(found.rows).rows[0]
    # 4 images; cup, wrench and the odd one; hold, drink with, sit on; 4 pairs, each once; 3 annotated, 2 labelled
    assert own == ("this data", 4, 3, 3, 4, 4, 3, 2, 1.5)


def test_categories_have_ids_counts_and_groups(found: Collected) -> None:
    lines = {line[0]: line[1:] for line in category_table(found.rows, load_groups()).rows}
    assert lines == {
        "cup": (31, 2, "tableware", "cup.n.01"),
        "wrench": (104, 1, "tools", "wrench.n.03"),
        ODD: (134, 1, "other", ""),
    }
    groups = group_table(found.rows, load_groups())
    assert [line[:3] for line in groups.rows] == [("tableware", 2, 1), ("other", 1, 1), ("tools", 1, 1)]
    assert ODD in groups.notes[0]


def test_what_has_no_category_has_no_id(rows: dict[str, Row]) -> None:
    own = next(iter(rows.values()))
    lines = {line[0]: line for line in category_table([own, own._replace(category="unknown")], load_groups()).rows}
    assert cell_text(lines["unknown"][1], 0) == "–"
    assert lines["cup"][1] == 31


def test_sentences_in_latex_have_lines() -> None:
    table = Table("a", "b", ("word", "number", "sentence"), (("x", 1, "many words " * 6), ("y", 2, "few")))
    assert r"\begin{tabular}{lrp{0.5\linewidth}}" in table_latex(table)


def test_parts_are_counted_among_labelled_samples(found: Collected) -> None:
    table = part_table(found.rows, paper_spelling=True)
    counts = {line[0]: line[2:] for line in table.rows}
    assert len(counts) == 34
    assert counts["left palm"] == (2, 1.0)
    assert counts["nose"] == (1, 0.5)
    assert "mouse" in counts
    assert sum(int(count) for count, _ in counts.values()) == 3


def test_quality_is_over_what_can_tell(found: Collected) -> None:
    lines = {str(line[0]): line[1:] for line in quality_table(found.rows).rows}
    contact = np.array([row.values["contact_cm"] for row in found.rows])
    known = contact[np.isfinite(contact)]
    mean, median, error, count = lines["Contact distance, cm ↓"]
    assert (mean, median, count) == (pytest.approx(known.mean()), pytest.approx(np.median(known)), 2)
    assert error == pytest.approx(known.std(ddof=1) / math.sqrt(2))
    assert lines["Object looks alike, LPIPS ↓"][3] == 0


def test_sizes_say_which_are_of_hulls(found: Collected) -> None:
    lines = {line[0]: line for line in size_table(found.rows).rows}
    assert lines["cup"][1:5] == (2, pytest.approx(20), pytest.approx(20), pytest.approx(20))
    assert [lines[name][6] for name in ("cup", "wrench", ODD)] == [0, 1, 0]


def test_pairs_beyond_the_shown_are_summed() -> None:
    table = Table(
        "pairs", "", ("action", "a", "b", "c", "d"), (("p", 5, 0, 1, 1), ("q", 0, 2, 0, 3), ("r", 1, 0, 0, 0))
    )
    actions, things, counts = folded(table, 1)
    assert (actions, things) == (["p", "2 others"], ["a", "3 others"])
    np.testing.assert_array_equal(counts, [[5, 2], [1, 5]])
    whole = folded(table, 3)
    assert whole[:2] == (["p", "q", "r"], ["a", "b", "c", "d"])


def test_names_are_no_commands(found: Collected) -> None:
    table = category_table(found.rows, load_groups())
    read = list(csv.reader(io.StringIO(table_csv(table))))
    assert [row[0] for row in read[1:]] == ["cup", "wrench", ODD]
    latex = table_latex(table)
    assert r'a <b>"50\% \& \$x y\$"</b>' in latex
    assert latex.count(" & ") == 4 * len(read)
    assert "{\\par\\footnotesize" in latex
    assert latex.count("{") == latex.count("}")
    piped = Table("t", "t", ("a", "b"), (("x|y", 1),))
    assert r"x\|y" in table_markdown(piped)


def test_maps_of_the_body(found: Collected, rows: dict[str, Row]) -> None:
    parts, vertices = part_map(found.rows), vertex_map(found.rows)
    assert parts is not None
    assert vertices is not None
    assert set(np.round(parts.share, 3)) == {0.0, 0.5, 1.0}
    assert set(np.unique(vertices.share)) == {0.0, 1.0}  # the same hand near the same box in all four
    assert len(vertices.share) == rows["cup/hold_0"].human_verts
    assert part_map([rows["cup/hold_1"]]) is None
    other = rows["cup/hold_1"]._replace(topology="another")
    assert vertex_map([rows["cup/hold_0"], other]) is None
    assert vertex_map([other]) is None


class Cells(HTMLParser):
    """The text of every cell of a page's tables, and the names of all tags."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_everything_is_written(found: Collected, tmp_path: Path) -> None:
    out = tmp_path / "out"
    tables = save_statistics(out, "<i>mine</i>", found.rows, found.left_out, load_groups())
    for name in tables:
        assert (out / "tables" / f"{name}.csv").is_file()
    for name in ("figure4", "figure10", "figure11", "figure12", "figure14"):
        picture = np.asarray(Image.open(out / "figures" / f"{name}.png").convert("RGB"))
        assert picture.std() > 5, name
    text = (out / "index.html").read_text()
    page = Cells()
    page.feed(text)
    assert ODD in page.cells
    assert "&lt;i&gt;mine&lt;/i&gt;" in text
    assert "i" not in page.tags
    assert "cup/hold_9" in text
    assert not re.search(r"""(src|href)=["']https?:""", text)
    left = list(csv.reader(io.StringIO((out / "left_out.csv").read_text())))
    assert [row[0] for row in left] == ["sample", "cup/hold_9"]
    assert load_groups(out / "groups.json") == load_groups()
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]


def test_one_sample_without_labels_is_enough(rows: dict[str, Row], tmp_path: Path) -> None:
    row = rows["wrench/wrench"]._replace(topology="another", size=0.0)
    save_statistics(tmp_path, "one", [row], {}, load_groups())
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        "figure11.png",
        "figure12.png",
        "figure4.png",
    ]
    text = (tmp_path / "index.html").read_text()
    assert all(words in text for words in ("no Figure 10", "no map of parts", "no map of vertices"))


def test_own_groups(found: Collected, tmp_path: Path) -> None:
    path = tmp_path / "groups.json"
    path.write_text(json.dumps({"things & more": ["CUP", "wrench"], "odd": {ODD: ""}}))
    groups = load_groups(path)
    assert [line[:2] for line in group_table(found.rows, groups).rows] == [("things & more", 3), ("odd", 1)]
    assert groups.unknown(["cup", "zither"]) == ["zither"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "not valid JSON"),
        ("[]", "no groups"),
        ('{"a": ["cup"], "b": {"Cup": "cup.n.01"}}', "'cup' in 'a' and again in 'b'"),
        ('{"a": ["cup", "cup"]}', "twice"),
        ('{"a": 3}', "neither a list"),
        ('{"a": {"cup": 3}}', "neither a list"),
        ('{"a": ["  "]}', "no letter or digit"),
    ],
)
def test_groups_that_are_none_say_why(content: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "groups.json"
    path.write_text(content)
    with pytest.raises(SampleError, match=re.escape(why)) as error:
        load_groups(path)
    assert str(path) in str(error.value)


def test_the_shipped_groups_know_the_vocabulary() -> None:
    from hoijax.tasks.vocabulary import CATEGORIES

    groups = load_groups()
    assert groups.unknown(CATEGORIES) == []
    assert all(re.fullmatch(r"[a-z_'.-]+\.n\.\d\d", synset) for synset in groups.synset.values())
    assert len(PART_NAMES) == 34


def test_all_pairs_are_in_the_table(found: Collected) -> None:
    table = pair_table(found.rows)
    assert table.head == ("action", "coffee cup", ODD, "cup")
    assert table.rows[0] == ("hold", 1, 0, 1)
    assert sum(int(cell) for line in table.rows for cell in line[1:]) == 4


def test_flat_objects_are_drawn_below_all_others() -> None:
    np.testing.assert_array_equal(drawn_sizes(np.array([0.0, 4.0]), np.array([0.0, 4.0, 9.0])), [2.0, 4.0])
    np.testing.assert_array_equal(drawn_sizes(np.zeros(2), np.zeros(2)), [1.0, 1.0])
