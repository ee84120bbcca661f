"""Grid files: those of the project, and what broken ones say."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

from grids import GridError, chosen_rows, load_grid

from hoijax.config import with_options
from hoijax.data.runs import config_key
from hoijax.presets import PRESETS

CONFIGS = ROOT / "experiments" / "configs"
HEAD = "from hoijax.config import with_options\nfrom hoijax.presets import PRESETS\nbase = PRESETS['paper']()\n"


@pytest.mark.parametrize("name", ["table2", "table3", "presets"])
def test_grids_of_the_project_can_be_read(name: str) -> None:
    grid = load_grid(CONFIGS / f"{name}.py")
    assert grid.name == name
    assert len({config_key(config) for config in grid.rows.values()}) == len(grid.rows) >= 3
    assert "LPIPS" in grid.note
    for config in grid.rows.values():
        assert not any(term.startswith("lpips") for stage in config.stages for term in stage.weights)
        assert not any(rate.startswith("human.") for stage in config.stages for rate in stage.rates)


def test_grids_share_their_rows() -> None:
    table2, table3, presets = (load_grid(CONFIGS / f"{name}.py").rows for name in ("table2", "table3", "presets"))
    keys = {
        config_key(table2["paper"]),
        config_key(table3["+ depth + collision + contact"]),
        config_key(presets["paper"]),
    }
    assert len(keys) == 1
    assert config_key(table2["paper without HOI loss"]) == config_key(table3["gaussians only"])
    assert config_key(table2["hoijax"]) == config_key(PRESETS["hoijax"]())


def test_accuracy_compares_with_the_paper_light_and_whole() -> None:
    grid = load_grid(CONFIGS / "accuracy.py")
    light, whole, ours = grid.rows.values()
    assert config_key(light) == config_key(load_grid(CONFIGS / "table2.py").rows["paper"])
    assert (config_key(whole), config_key(ours)) == (config_key(PRESETS["paper"]()), config_key(PRESETS["hoijax"]()))
    assert {"success", "flip", "worse", "fit_seconds"} < set(grid.metrics)


def test_table3_switches_on_one_term_after_the_other() -> None:
    rows = load_grid(CONFIGS / "table3.py").rows
    hoi = {"contact", "ordinal", "collision"}
    found = {name: hoi & set(config.stages[-1].weights) for name, config in rows.items() if name[0] in "+g"}
    assert found == {
        "gaussians only": set(),
        "+ depth": {"ordinal"},
        "+ collision": {"collision"},
        "+ depth + collision": {"ordinal", "collision"},
        "+ depth + collision + contact": hoi,
    }
    assert rows["coarse"].stages == ()


def test_published_values_are_those_of_the_paper() -> None:
    table3 = load_grid(CONFIGS / "table3.py").published
    assert [values["co2"] for values in table3.values()] == [0.431, 0.248, 0.287, 0.216, 0.189, 0.188, 0.181]
    table2 = load_grid(CONFIGS / "table2.py").published
    assert [list(values.values()) for values in table2.values()] == [
        [0.39, 77.79, 0.95, 49.1],
        [0.25, 38.66, 0.45, 16.9],
        [0.16, 38.44, 0.41, 19.3],
    ]


def test_a_grid_may_use_its_neighbours_and_its_defaults_hold(tmp_path) -> None:
    (tmp_path / "near.py").write_text("SIZE = 96\n")
    (tmp_path / "mine.py").write_text(
        HEAD + "from near import SIZE\n"
        "def grid():\n    yield 'a', base\n    yield 'b', with_options(base, {'image_size': SIZE})\n"
    )
    grid = load_grid(tmp_path / "mine.py")
    assert (grid.title, grid.published, grid.note) == ("mine", {}, "")
    assert grid.rows["b"] == with_options(PRESETS["paper"](), {"image_size": 96})
    assert list(chosen_rows(grid, ["b"]).rows) == ["b"]
    assert str(tmp_path) not in sys.path
    with pytest.raises(GridError, match="no row 'bb'; did you mean"):
        chosen_rows(grid._replace(rows={"bbb": grid.rows["b"]}), ["bb"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("TITLE = 'x'\n", r"has no function grid\(\)"),
        ("grid = (\n", "fails when it is read .SyntaxError"),
        ("import no_such_module\n", "no_such_module"),
        (HEAD + "def grid():\n    yield base\n", "expected pairs of a name and a Config"),
        (HEAD + "def grid():\n    yield 'a', base\n    yield 'a', base\n", "'a' is empty, holds a comma, or appears"),
        (HEAD + "def grid():\n    yield 'a,b', base\n", "holds a comma"),
        (HEAD + "def grid():\n    return []\n", "yields no row"),
        (
            HEAD + "def grid():\n    yield 'a', base\n    yield 'b', with_options(base, {'hoi.slid': 1.0})\n",
            "fails after the row 'a' .*did you mean 'hoi.slide'",
        ),
        (
            HEAD + "def grid():\n    yield 'a', with_options(base, {'hoi.weights.contac': 1.0})\n",
            "row 'a': no such loss term: 'contac'; did you mean 'contact'",
        ),
        (HEAD + "METRICS = ('co3',)\ndef grid():\n    yield 'a', base\n", "'co3', which is no metric; did you mean"),
        (HEAD + "PUBLISHED = {'b': {}}\ndef grid():\n    yield 'a', base\n", r"PUBLISHED has a row 'b' that grid\(\)"),
        (
            HEAD + "METRICS = ('co2',)\nPUBLISHED = {'a': {'scale': 1}}\ndef grid():\n    yield 'a', base\n",
            "'scale', which is not in METRICS",
        ),
    ],
)
def test_a_broken_grid_says_where_and_what(tmp_path, text: str, sentence: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text)
    with pytest.raises(GridError, match=rf"broken\.py: .*{sentence}"):
        load_grid(path)


def test_a_missing_grid_names_those_that_are_there() -> None:
    with pytest.raises(
        GridError,
        match=r"table4\.py: no such grid file; there are accuracy\.py, departures\.py, presets\.py, table2\.py",
    ):
        load_grid(CONFIGS / "table4.py")
