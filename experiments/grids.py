"""Grids: small Python files that name the rows of an ablation."""

import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hoijax.config import Config, nearest_name
from hoijax.losses.terms import check_terms
from hoijax.optimize.outcome import term_names
from hoijax.report.tables import KEY_METRICS, METRICS


class GridError(ValueError):
    """A grid file that cannot be used: which one, and what is wrong."""


class Grid(NamedTuple):
    """The rows of a table: name -> config. `published`: {row: {metric: value}}. `note`: a sentence for the footer."""

    name: str
    title: str
    metrics: tuple[str, ...]
    rows: Mapping[str, Config]
    published: Mapping[str, Mapping[str, float]]
    note: str


def load_grid(path: str | Path) -> Grid:
    """The grid in a Python file: a function `grid()` that yields (name, Config).

    It may also have TITLE, METRICS (names of `hoijax.report.tables.METRICS`), PUBLISHED and NOTE. The file may import its
    neighbours. Raises GridError, naming the file, when anything is missing or unknown.
    """
    path = Path(path)
    if not path.is_file():
        there = sorted(each.name for each in path.parent.glob("*.py") if not each.name.startswith("_"))
        raise GridError(f"{path}: no such grid file" + (f"; there are {', '.join(there)}" if there else ""))
    names = _executed(path)
    if not callable(names.get("grid")):
        raise GridError(f"{path}: has no function grid(), which yields (name, config) for each row of the table")
    found = Grid(
        path.stem,
        str(names.get("TITLE", path.stem)),
        tuple(names.get("METRICS", KEY_METRICS)),
        _rows(path, names["grid"]),
        names.get("PUBLISHED", {}),
        str(names.get("NOTE", "")),
    )
    _check(path, found)
    return found


def chosen_rows(grid: Grid, wanted: list[str]) -> Grid:
    """The grid with the named rows only, in its own order. Raises GridError for a row that it lacks."""
    for name in wanted:
        if name not in grid.rows:
            raise GridError(f"the grid {grid.name!r} has no row {name!r}; {nearest_name(name, grid.rows)}")
    rows = {name: config for name, config in grid.rows.items() if not wanted or name in wanted}
    return grid._replace(rows=rows, published={name: grid.published[name] for name in grid.published if name in rows})


def _executed(path: Path) -> dict[str, Any]:
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        return runpy.run_path(str(path))
    except Exception as error:
        raise GridError(f"{path}: fails when it is read ({type(error).__name__}: {error})") from error
    finally:
        sys.path.pop(0)


def _rows(path: Path, make: Any) -> dict[str, Config]:
    rows: dict[str, Config] = {}
    try:
        for item in make():
            name, config = item if isinstance(item, tuple) and len(item) == 2 else (None, None)
            if not isinstance(name, str) or not isinstance(config, Config):
                raise GridError(f"{path}: grid() yields a {type(item).__name__}, expected pairs of a name and a Config")
            if name in rows or not name.strip() or "," in name:
                raise GridError(f"{path}: the row name {name!r} is empty, holds a comma, or appears twice")
            rows[name] = config
    except GridError:
        raise
    except Exception as error:
        where = f"after the row {list(rows)[-1]!r}" if rows else "in its first row"
        raise GridError(f"{path}: grid() fails {where} ({type(error).__name__}: {error})") from error
    if not rows:
        raise GridError(f"{path}: grid() yields no row")
    return rows


def _check(path: Path, grid: Grid) -> None:
    for name, config in grid.rows.items():
        try:
            check_terms(term_names(config))
        except ValueError as error:
            raise GridError(f"{path}: row {name!r}: {error}") from error
    for row, values in grid.published.items():
        if row not in grid.rows:
            raise GridError(f"{path}: PUBLISHED has a row {row!r} that grid() lacks; {nearest_name(row, grid.rows)}")
        for name in values:
            if name not in grid.metrics:
                raise GridError(f"{path}: PUBLISHED[{row!r}] has {name!r}, which is not in METRICS")
    for name in grid.metrics:
        if name not in METRICS:
            raise GridError(f"{path}: METRICS has {name!r}, which is no metric; {nearest_name(name, METRICS)}")
