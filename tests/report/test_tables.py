"""Tables: the right numbers in the right places, and nothing where nothing is known."""

import csv
import io
import math

import pytest

from hoijax.data.results import Summary
from hoijax.report.tables import (
    METRICS,
    heading,
    improved,
    known_metrics,
    metric,
    metric_text,
    metrics_csv,
    metrics_markdown,
    metrics_table,
)

FIRST = Summary(
    "cup/a",
    {"iou_object": {"start": 0.5, "result": 0.9, "annotation": 1.0}, "gap_cm": {"start": 4.0, "result": 1.0}},
    {},
    0,
)
SECOND = Summary("cup/b | x", {"iou_object": {"start": 0.7, "result": math.nan}, "co2": {"start": math.nan}}, {}, 3)


def cells(table: str) -> list[list[str]]:
    """Rows of a text table, cut where its rule says that columns are."""
    lines = table.splitlines()
    widths = [len(rule) for rule in lines[1].split("  ")]
    rows = []
    for line in lines:
        starts = [sum(widths[:k]) + 2 * k for k in range(len(widths))]
        rows.append([line[a : a + n].strip() for a, n in zip(starts, widths, strict=True)])
    return rows


def test_one_result_has_a_row_for_each_metric() -> None:
    rows = cells(metrics_table([FIRST]))
    assert rows[0] == ["cup/a", "start", "result", "annotation"]
    assert rows[2] == ["Object fits its outline, IoU ↑", "0.500", "0.900", "1.000"]
    assert rows[3] == ["Gap, cm ↓", "4.00", "1.00", "–"]
    assert len(rows) == 4


def test_many_results_have_a_row_each_and_a_mean_over_those_that_can_tell() -> None:
    rows = cells(metrics_table([FIRST, SECOND]))
    assert rows[0] == ["sample", "Object fits its outline, IoU ↑", "Gap, cm ↓"]
    assert rows[2] == ["cup/a", "0.500 -> 0.900", "4.00 -> 1.00"]
    assert rows[3] == ["cup/b | x", "0.700 -> –", "–"]
    assert rows[4] == ["mean of 2", "0.600 -> 0.900", "4.00 -> 1.00"]


def test_markdown_has_as_many_cells_in_every_row_and_escapes_bars() -> None:
    lines = metrics_markdown([FIRST, SECOND]).splitlines()
    assert r"cup/b \| x" in lines[3]
    assert {line.replace(r"\|", "").count("|") for line in lines} == {4}
    assert metrics_markdown([FIRST]).splitlines()[1] == "| --- | ---: | ---: | ---: |"


def test_csv_holds_every_number_in_full() -> None:
    third = FIRST._replace(metrics={"scale": {"start": 1 / 3, "result": math.inf}})
    rows = list(csv.DictReader(io.StringIO(metrics_csv([third]))))
    assert [row["state"] for row in rows] == ["start", "result"]
    assert float(rows[0]["value"]) == 1 / 3
    assert rows[1]["value"] == ""


@pytest.mark.parametrize(
    ("name", "start", "result", "verdict"),
    [
        ("iou_object", 0.5, 0.6, True),
        ("iou_object", 0.6, 0.5, False),
        ("gap_cm", 2.0, 1.0, True),
        ("gap_cm", 1.0, 1.0, None),
        ("gap_cm", math.nan, 1.0, None),
        ("unheard_of", 1.0, 2.0, None),
    ],
)
def test_better_is_where_the_arrow_points(name: str, start: float, result: float, verdict: bool | None) -> None:
    assert improved(name, start, result) is verdict


def test_names_and_digits() -> None:
    assert heading("rotation_degrees") == "Rotation error, degrees ↓"
    assert heading("unheard_of") == "unheard of"
    assert metric_text(1.23456, "chamfer_cm") == "1.23"
    assert metric_text(math.nan, "chamfer_cm") == "–"
    assert {found.better for found in METRICS.values()} == {"higher", "lower"}
    assert metric("unheard_of").digits == 3
    assert known_metrics([SECOND, FIRST]) == ["iou_object", "gap_cm"]
    assert known_metrics([FIRST], ["gap_cm", "co2"]) == ["gap_cm"]
    assert metrics_table([]).startswith("sample")
