"""The page of the statistics: one file with its pictures in it, tables that can be sorted, and what was left out."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import quote

from hoijax.tasks.statistics.row import Row
from hoijax.tasks.statistics.tables import Table, text_columns, text_rows

SHOWN = 200  # left-out samples and warnings on the page; the rest is in the files
STYLE = """
main, header, footer { max-width: 1200px; }
.picture { display: block; max-width: 100%; height: auto; border: 1px solid var(--line); }
.picture { border-radius: 12px; background: #fff; margin: 12px 0; }
.wide { max-height: 560px; overflow: auto; }
th button { all: unset; cursor: pointer; font: inherit; color: inherit; }
th button:focus-visible { outline: 2px solid var(--human); }
th[aria-sort="ascending"] button::after { content: " ▲"; } th[aria-sort="descending"] button::after { content: " ▼"; }
thead th { position: sticky; top: 0; background: var(--paper); white-space: normal; }
td.text, thead th.text { text-align: left; white-space: normal; }
ul.long { overflow-wrap: anywhere; font-size: 0.92rem; }
"""
# A click sorts by that column: numbers as numbers (dashes last), else as text; a second click turns the order round.
SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.cells[column].textContent;
    const number = (text) => (text.trim() === "" || isNaN(text) ? null : Number(text));
    const rows = [...body.rows].sort((one, two) => {
      const a = number(key(one)), b = number(key(two));
      if ((a === null) !== (b === null)) return a === null ? 1 : -1;
      const order = a === null ? key(one).localeCompare(key(two)) : a - b;
      return down ? -order : order;
    });
    body.append(...rows);
  }));
}
"""


class Section(NamedTuple):
    """A part of the page: pictures as {what it shows: PNG}, a table, and sentences above them."""

    title: str
    words: str
    pictures: Mapping[str, bytes]
    table: Table | None = None


def statistics_page(title: str, sections: Sequence[Section], rows: Sequence[Row], left_out: Mapping[str, str]) -> str:
    """HTML that needs no network. Tables lead to their CSV files in tables/ beside the page."""
    warned = {row.name: row.warnings for row in rows if row.warnings}
    style = files("hoijax.report").joinpath("page.css").read_text(encoding="utf-8") + STYLE
    name = escape(title)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name} · hoijax</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
<header>
<h1>{name}</h1>
<p class="lead">{len(rows)} samples measured, {len(left_out)} left out, {len(warned)} with a warning.
Everything is measured from the files. A click on the head of a column sorts a table.</p>
</header>
<main>
{_listed("Left out", left_out, "left_out.csv", "warnings")}
{"".join(map(_section, sections))}
{_listed("Warnings", {name: "; ".join(words) for name, words in warned.items()}, "tables/samples.csv", "notes")}
</main>
<footer>Made by hoijax. All numbers of all samples: <a href="tables/samples.csv">tables/samples.csv</a>.</footer>
<script>{SCRIPT}</script>
</body>
</html>
"""


def _section(section: Section) -> str:
    pictures = "".join(
        f'<img class="picture" src="data:image/png;base64,{base64.b64encode(data).decode("ascii")}" alt="{escape(alt)}">'
        for alt, data in section.pictures.items()
    )
    table = "" if section.table is None else table_html(section.table)
    words = f'<p class="soft">{escape(section.words)}</p>' if section.words else ""
    return f"<section><h2>{escape(section.title)}</h2>\n{words}{pictures}{table}</section>\n"


def table_html(table: Table) -> str:
    """The table, sortable, with its notes and links to its files."""
    left = ["text" if words else "number" for words in text_columns(table)]
    head = "".join(
        f'<th scope="col" class="{side}"><button type="button">{escape(text)}</button></th>'
        for text, side in zip(table.head, left)
    )
    body = "".join(
        "<tr>" + "".join(f'<td class="{side}">{escape(cell)}</td>' for cell, side in zip(line, left)) + "</tr>\n"
        for line in text_rows(table)
    )
    notes = "".join(f'<p class="soft">{escape(note)}</p>' for note in table.notes)
    links = ", ".join(f'<a href="tables/{quote(table.name)}.{kind}">{kind}</a>' for kind in ("csv", "md", "tex"))
    return (
        f'<div class="wide"><table class="sortable"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        f'{notes}<p class="soft">As a file: {links}</p>'
    )


def _listed(title: str, what: Mapping[str, str], link: str, kind: str) -> str:
    """A box of names with a sentence each; nothing where there are none."""
    if not what:
        return ""
    lines = "".join(f"<li><b>{escape(name)}</b> {escape(why)}</li>" for name, why in list(what.items())[:SHOWN])
    more = f'<p>{len(what) - SHOWN} more: <a href="{link}">{link}</a></p>' if len(what) > SHOWN else ""
    return f'<section class="{kind}"><h2>{title} ({len(what)})</h2><ul class="long">{lines}</ul>{more}</section>'
