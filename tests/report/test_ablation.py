"""Tables of an ablation, from runs whose numbers are known."""

import csv
import io
import math
from dataclasses import asdict

import numpy as np
import pytest

from hoijax.data.measure import MetricOptions
from hoijax.data.runs import Run, failed_run
from hoijax.report import ablation
from hoijax.report.ablation import Ablation
from hoijax.report.ablation_page import ablation_page, dot_plot

NAN = math.nan
SCENES = [f"cup/{k}" for k in range(8)]


def run(name: str, co2: float, chamfer: float, annotated: bool = True) -> Run:
    """A run with two metrics; the annotation scores 0.1 and 0."""
    states = {"co2": {"start": 2.0, "result": co2}}
    if annotated:
        states["co2"]["annotation"] = 0.1
        states["chamfer_cm"] = {"start": 30.0, "result": chamfer, "annotation": 0.0}
    return Run(name, {}, states, asdict(MetricOptions()), {"total": 2.0})


@pytest.fixture
def table() -> Ablation:
    """Eight scenes, the last without an annotation; `better` fails on the first."""
    base = {name: run(name, 0.5 + 0.01 * k, 10.0 + k, name != SCENES[7]) for k, name in enumerate(SCENES)}
    better = {name: run(name, 0.3 + 0.02 * k, 4.0 + k, name != SCENES[7]) for k, name in enumerate(SCENES)}
    better[SCENES[0]] = failed_run(SCENES[0], "NotFiniteError: the loss | is not finite")
    return Ablation("A & B", ("co2", "chamfer_cm"), {"base_1": base, "better": better}, {"better": {"co2": 0.181}})


def test_cells_hold_the_mean_over_the_scenes_that_can_tell(table) -> None:
    cells = ablation.cells(table)
    expected = 0.3 + 0.02 * np.arange(1, 8)
    found = cells["better"]["co2"]
    assert found.estimate.mean == pytest.approx(expected.mean())
    assert found.estimate.error == pytest.approx(expected.std(ddof=1) / math.sqrt(7))
    assert found.published == 0.181
    assert cells["better"]["chamfer_cm"].estimate.scenes == 6  # without the failed and the one without annotation
    assert cells["base_1"]["chamfer_cm"].estimate.mean == pytest.approx(np.mean(10.0 + np.arange(7)))
    assert found.p == pytest.approx(2 / 2**7)  # all seven differences have one sign
    assert math.isnan(cells["base_1"]["co2"].p)


def test_the_text_marks_differences_and_fewer_scenes(table) -> None:
    head, rows = ablation.table_lines(table)
    assert head == ["row", "n", "Co2 ↓", "published (other data)", "Surface distance, cm ↓"]
    assert rows[0][:4] == ["base_1", "8", "0.535 ± 0.009", "–"]
    assert rows[1] == ["better", "7", "0.380 ± 0.016 *", "0.181", "7.50 ± 0.76 * (n=6)"]
    assert rows[2] == [ablation.TRUTH, "7", "0.100 ± 0.000", "", "0.00 ± 0.00"]


def test_footer_counts_scenes_those_that_cannot_tell_and_failures(table) -> None:
    counts, failures = "\n".join(ablation.counts(table)), ablation.failures(table)
    assert "8 scenes." in counts
    assert (
        "Left out of Surface distance: 1 of 8 scenes that cannot tell, 1 of them without an annotated object" in counts
    )
    assert failures == ["Failed in “better”: 1 of 8: cup/0 (NotFiniteError: the loss | is not finite)."]
    missing = table._replace(rows={**table.rows, "better": {}})
    assert ablation.failures(missing) == ["Not done yet in “better”: 8 of 8."]


def test_csv_is_full_precision_with_one_line_per_row(table) -> None:
    rows = list(csv.DictReader(io.StringIO(ablation.ablation_csv(table))))
    assert [row["row"] for row in rows] == ["base_1", "better"]
    assert float(rows[1]["co2_mean"]) == np.mean([0.3 + 0.02 * k for k in range(1, 8)])
    assert (rows[1]["scenes"], rows[1]["failed"], rows[1]["co2_n"]) == ("7", "1", "7")
    assert float(rows[1]["co2_p"]) == pytest.approx(2 / 2**7)
    assert rows[0]["co2_p"] == rows[0]["co2_published"] == ""
    assert float(rows[0]["seconds"]) == 2.0
    each = list(csv.DictReader(io.StringIO(ablation.samples_csv(table))))
    assert len(each) == (8 + 7) + (7 + 6)  # co2 of 15 runs, chamfer of the 13 that have a truth
    assert float(next(r for r in each if r["row"] == "base_1" and r["sample"] == "cup/3")["result"]) == 0.5 + 0.01 * 3


def test_markdown_and_latex_have_as_many_cells_in_every_row(table) -> None:
    footer = ablation.how_to_read(table) + ablation.failures(table)
    text = ablation.ablation_markdown(table, footer)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3
    assert {line.count("|") for line in lines} == {6}
    latex = ablation.ablation_latex(table, footer)
    body = latex[latex.index(r"\toprule") : latex.index(r"\bottomrule")].splitlines()
    assert {line.replace(r"\&", "").count("&") for line in body if line.endswith(r"\\")} == {4}
    assert r"\begin{tabular}{lrrrr}" in latex
    assert r"\caption{A \& B}" in latex
    assert r"base\_1" in latex
    assert latex.isascii() is False or not set("±↑↓−‖") & set(latex)
    assert latex.count("{") == latex.count("}")


def test_best_is_said_only_over_equally_many_scenes(table) -> None:
    assert ablation.best_rows(table) == {}
    whole = {name: each for name, each in table.rows["base_1"].items() if name != SCENES[0]}
    same = table._replace(rows={"base_1": whole, "better": table.rows["better"]})
    assert ablation.best_rows(same) == {"co2": "better", "chamfer_cm": "better"}


def test_metric_choices_tell_what_was_chosen() -> None:
    assert "not watertight" in ablation.metric_choices(MetricOptions())
    assert "volume of the convex hull" in ablation.metric_choices(MetricOptions(size="hull"))
    assert "123 surface samples" in ablation.metric_choices(MetricOptions(samples=123))


def test_plot_and_page(table) -> None:
    plots = {name: dot_plot(table, name) for name in table.metrics}
    assert all(data.startswith(b"\x89PNG") for data in plots.values())
    page = ablation_page(table, ["a < b"], plots)
    assert page.count("data:image/png;base64,") == 2
    assert "A &amp; B" in page
    assert "a &lt; b" in page
    assert page.count("<tr") == 4
    assert "http" not in page.replace("http-equiv", "")
