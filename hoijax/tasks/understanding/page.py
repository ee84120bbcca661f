"""A page to read: every answer beside the truth."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from hoijax.tasks.understanding.run import BY_NAME, Judged
from hoijax.tasks.understanding.scores import FAILED, Row, right, said, table

STYLE = """
table { border-collapse: collapse; margin: 14px 0; width: 100%; font-size: 0.92rem; }
th, td { border-bottom: 1px solid var(--line); padding: 6px 8px; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; } .right b { color: var(--good); } .wrong b { color: var(--bad); }
.other b { color: var(--soft); } small { color: var(--soft); white-space: pre-wrap; display: block; }
main, header, footer { max-width: 1280px; }
"""


def answers_html(judged: Sequence[Judged], rows: Sequence[Row], footer: Sequence[str]) -> str:
    """One file that needs no network: the table, then each question of each sample. Whatever models said is escaped."""
    parts = [_table(*table(rows))]
    for row in rows:
        here = sorted((each for each in judged if each.question == row.question), key=lambda each: each.sample)
        question = BY_NAME[row.question]
        told = f", the {question.given} told" if question.given else ""
        parts.append(f'<h2 id="{row.question}">The {question.target}{told}</h2>\n<table>')
        parts.append("<tr><th>sample</th><th>truth</th><th>word</th><th>answer</th><th>description</th></tr>")
        parts += [_line(each) for each in here]
        parts.append("</table>")
    notes = "".join(f"<p class='soft'>{escape(line)}</p>" for line in footer)
    style = files("hoijax.report").joinpath("page.css").read_text(encoding="utf-8") + STYLE
    body = "\n".join(parts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hoijax: HOI understanding</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
<header><h1>HOI understanding</h1></header>
<main>
{body}
</main>
<footer>{notes}</footer>
</body>
</html>
"""


def _line(each: Judged) -> str:
    kind = "right" if right(each) else "wrong" if each.parsed.word else "other"
    pick = "" if each.pick is None else f"<small>picked: {escape(each.pick)}</small>"
    found = f"<small>{escape(', '.join(each.parsed.found))}</small>" if each.parsed.kind == "several" else ""
    answer = escape(each.error or "") if said(each) == FAILED else escape(each.answer)
    cells = [
        escape(each.sample),
        escape(each.truth),
        f"<b>{escape(said(each))}</b>{found}",
        f"{answer}{pick}",
        f"<small>{escape(each.description)}</small>",
    ]
    return f'<tr class="{kind}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    rows += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines]
    return "<table>\n" + "\n".join(rows) + "\n</table>"
