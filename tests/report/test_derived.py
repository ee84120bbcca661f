"""Derived columns: 0 or 1 where it can be told, nothing where not, and seconds beside them."""

import csv
import io
import math

import pytest

from hoijax.data.runs import Run, failed_run
from hoijax.report import ablation
from hoijax.report.ablation import Ablation
from hoijax.report.derived import is_derived, value
from hoijax.report.tables import METRICS

NAN = math.nan


def run(start: float, chamfer: float, angle: float, fit: float = 2.0, sweep: str = "a") -> Run:
    metrics = {
        "chamfer_cm": {"start": start, "result": chamfer, "annotation": 0.0},
        "rotation_degrees": {"start": 10.0, "result": angle, "annotation": 0.0},
    }
    return Run("cup/a", {}, metrics, {}, {"fit": fit, "compile": 9.0, "total": fit + 9.5}, sweep=sweep)


@pytest.mark.parametrize(
    ("start", "chamfer", "angle", "success", "flip", "worse"),
    [
        (7.0, 4.99, 89.9, 1.0, 0.0, 0.0),
        (7.0, 5.0, 90.1, 0.0, 1.0, 0.0),
        (3.0, 3.99, 0.0, 1.0, 0.0, 0.0),
        (3.0, 4.01, 180.0, 1.0, 1.0, 1.0),
        (NAN, NAN, NAN, NAN, NAN, NAN),
        (NAN, 1.0, NAN, 1.0, NAN, NAN),
    ],
)
def test_rates_are_zero_or_one_or_unknown(start, chamfer, angle, success, flip, worse) -> None:
    found = [value(run(start, chamfer, angle), name) for name in ("success", "flip", "worse")]
    assert found == pytest.approx([success, flip, worse], nan_ok=True)


def test_other_states_and_other_columns() -> None:
    own = run(3.0, 30.0, 170.0)
    assert [value(own, "success", state) for state in ("start", "result", "annotation")] == [1.0, 0.0, 1.0]
    assert [value(own, "worse", state) for state in ("start", "annotation")] == [0.0, 0.0]
    assert (value(own, "fit_seconds"), value(own, "compile_seconds")) == (2.0, 9.0)
    assert math.isnan(value(own, "fit_seconds", "start"))
    assert value(own, "chamfer_cm") == 30.0
    assert math.isnan(value(failed_run("cup/a", "why"), "success"))
    assert {name for name in METRICS if is_derived(name)} == {
        "success",
        "flip",
        "worse",
        "fit_seconds",
        "compile_seconds",
    }


@pytest.fixture
def table() -> Ablation:
    first = {f"cup/{k}": run(7.0, 3.0 + k, 100.0 * (k == 3), fit=1.0 + k) for k in range(4)}
    second = {name: run(7.0, 1.0, 0.0, fit=50.0 if name == "cup/0" else 0.5) for name in first}
    second["cup/1"] = failed_run("cup/1", "why")
    return Ablation("T", ("success", "flip", "worse", "fit_seconds"), {"base": first, "ours": second}, {})


def test_tables_show_shares_and_the_median_of_seconds(table) -> None:
    head, rows = ablation.table_lines(table)
    assert head[2:] == ["Success, share ↑", "Flips, share ↓", "Worse than the start, share ↓", "Fit, s (median) ↓"]
    assert rows[0][2:] == ["0.50 ± 0.29", "0.25 ± 0.25", "0.00 ± 0.00", "2.5"]
    assert [cell.split(" ±")[0] for cell in rows[1][1:]] == ["3", "1.00", "0.00", "0.00", "0.5"]
    lines = list(csv.DictReader(io.StringIO(ablation.ablation_csv(table))))
    assert [float(line["fit_seconds_median"]) for line in lines] == [2.5, 0.5]
    assert float(lines[0]["success_mean"]) == 0.5
    each = list(csv.DictReader(io.StringIO(ablation.samples_csv(table))))
    assert {line["metric"] for line in each} >= {"success", "flip", "worse", "fit_seconds", "chamfer_cm"}
    assert "cup/1" not in {line["sample"] for line in each if line["row"] == "ours"}


def test_seconds_of_several_sweeps_are_doubted(table) -> None:
    (fine,) = ablation.about_seconds(table)
    assert "by one process" in fine
    other = {name: own._replace(sweep="b") for name, own in table.rows["ours"].items()}
    (doubt,) = ablation.about_seconds(table._replace(rows={**table.rows, "ours": other}))
    assert "2 sweeps" in doubt
    assert "empty --out" in doubt
    unknown = {"base": {"cup/0": run(1.0, 1.0, 1.0, sweep="")}}
    assert "unknown" in ablation.about_seconds(table._replace(rows=unknown))[0]
    assert ablation.about_seconds(table._replace(metrics=("success",))) == []
