"""The agreement of annotators as text for a terminal, as CSV, Markdown, LaTeX and as a page."""

import csv
import html
import io
import math
from collections.abc import Sequence
from importlib.resources import files

from hoijax.annotate.agreement import Line
from hoijax.annotate.readers import CONTACT
from hoijax.body.parts import PART_NAMES
from hoijax.report.ablation import latex_text
from hoijax.report.tables import NONE, markdown

HEAD = ["annotators", "tool", "measure", "n", "value", "note"]
HOW_TO_READ = (
    "n: how often the two can be compared. Only items that both finished, for the files as they are now.",
    "Kappa: agreement beyond chance (Cohen 1960); 1 is perfect, 0 is chance. It is undefined where both gave the same "
    "answer throughout, and says little where one answer is rare.",
    "Pose: rotation and scale of the best fit between the two, distances without a fit; medians and the largest.",
)


def is_part(line: Line) -> bool:
    """Whether the line is about a single body part."""
    return line.tool == CONTACT and line.measure.removesuffix(": kappa") in PART_NAMES


def rows(lines: Sequence[Line], parts: bool = False) -> list[list[str]]:
    """The cells of a table; with `parts` a row for each of the 34 parts, too."""
    return [
        [" / ".join(line.pair), line.tool, line.measure, str(line.n), number(line.value), line.note]
        for line in lines
        if parts or not is_part(line)
    ]


def number(value: float) -> str:
    """Three digits; a dash where there is no number."""
    return f"{value:.3f}" if math.isfinite(value) else NONE


def agreement_text(lines: Sequence[Line], parts: bool = False) -> str:
    """For a terminal: words to the left, numbers to the right."""
    table = [HEAD, *rows(lines, parts)]
    widths = [max(len(row[k]) for row in table) for k in range(len(HEAD))]
    table.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(
            cell.rjust(width) if name in ("n", "value") else cell.ljust(width)
            for name, cell, width in zip(HEAD, row, widths)
        ).rstrip()
        for row in table
    )


def agreement_markdown(lines: Sequence[Line], parts: bool = False) -> str:
    """As a Markdown table."""
    return markdown(HEAD, rows(lines, parts)) + "\n"


def agreement_csv(lines: Sequence[Line]) -> str:
    """Every number in full precision; empty where there is none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["first", "second", *HEAD[1:]])
    for line in lines:
        value = repr(line.value) if math.isfinite(line.value) else ""
        writer.writerow([*line.pair, line.tool, line.measure, line.n, value, line.note])
    return out.getvalue()


def agreement_latex(lines: Sequence[Line], parts: bool = False) -> str:
    """As a LaTeX table with booktabs' rules, without the notes."""
    body = [" & ".join(map(latex_text, row[:-1])) + r" \\" for row in rows(lines, parts)]
    head = " & ".join(HEAD[:-1]) + r" \\"
    begin = [r"% needs \usepackage{booktabs}", r"\begin{tabular}{lllrr}", r"\toprule", head, r"\midrule"]
    return "\n".join([*begin, *body, r"\bottomrule", r"\end{tabular}"]) + "\n"


def agreement_page(lines: Sequence[Line]) -> str:
    """One self-contained page: a table a pair of annotators, the parts folded away."""
    pairs = list(dict.fromkeys(line.pair for line in lines))
    sections = "".join(_section(pair, [line for line in lines if line.pair == pair]) for pair in pairs)
    notes = "".join(f"<li>{html.escape(line)}</li>" for line in HOW_TO_READ)
    nothing = "" if pairs else "<p>No two annotators have finished a common item.</p>"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<title>hoijax: agreement of annotators</title><link rel="icon" href="data:,">\n'
        f"<style>{files('hoijax.report').joinpath('page.css').read_text(encoding='utf-8')}\n"
        ":is(th, td):not(:nth-child(3)):not(:nth-child(4)) { text-align: left; }\n"
        "td { vertical-align: top; }</style></head>\n"
        f"<body><header><h1>Agreement of annotators</h1></header><main>{nothing}{sections}"
        f'<h2>How to read it</h2><div class="notes"><ul>{notes}</ul></div></main>'
        "<footer>Made by hoijax.</footer></body></html>\n"
    )


def _section(pair: tuple[str, str], lines: Sequence[Line]) -> str:
    plain, parts = [line for line in lines if not is_part(line)], [line for line in lines if is_part(line)]
    title = html.escape(f"{pair[0]} and {pair[1]}")
    folded = f"<details><summary>Each of the 34 parts</summary>{_table(parts)}</details>" if parts else ""
    return f"<h2>{title}</h2>{_table(plain)}{folded}"


def _table(lines: Sequence[Line]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in HEAD[1:])
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:]) + "</tr>" for row in rows(lines, True)
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
