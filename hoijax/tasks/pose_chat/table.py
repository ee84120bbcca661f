"""The table of HOI pose chat (Open3DHOI, Table 5) as text, Markdown, LaTeX and CSV, and every answer as a line."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hoijax.report.ablation import latex_text
from hoijax.report.statistics import Estimate
from hoijax.report.tables import NONE, aligned, markdown
from hoijax.tasks.pose_chat.answers import Answer
from hoijax.tasks.pose_chat.score import Score, row_score

HEAD = ["row", "n", "MPJPE, mm ↓", "MPVPE, mm ↓", "words only", "failed"]
TITLE = "HOI pose chat: errors of the answered pose"


class Asked(NamedTuple):
    """One question and what came of it. `answer` is None where none came, and `error` then says why."""

    name: str
    question: str
    answer: Answer | None
    score: Score
    error: str = ""

    @property
    def state(self) -> str:
        """pose, words only, or failed."""
        if self.answer is None:
            return "failed"
        return "words only" if self.answer.body is None else "pose"


def table_lines(table: Mapping[str, Sequence[Asked]]) -> list[list[str]]:
    """A line for each row: answers with a pose, mean ± standard error over them, share in words only and not answered."""
    lines = []
    for row, asked in table.items():
        found = row_score([one.score for one in asked])
        shares = [_share(sum(one.state == state for one in asked), len(asked)) for state in ("words only", "failed")]
        lines.append([row, str(found.posed), _text(found.mpjpe_mm), _text(found.mpvpe_mm), *shares])
    return lines


def table_text(table: Mapping[str, Sequence[Asked]]) -> str:
    """For a terminal."""
    return aligned(HEAD, table_lines(table))


def table_markdown(table: Mapping[str, Sequence[Asked]], notes: Sequence[str] = ()) -> str:
    """As a Markdown section."""
    return "\n".join([f"## {TITLE}", "", markdown(HEAD, table_lines(table)), "", *(f"- {note}" for note in notes), ""])


def table_latex(table: Mapping[str, Sequence[Asked]], notes: Sequence[str] = ()) -> str:
    """As a LaTeX table with booktabs' rules."""
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{latex_text(TITLE)}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(HEAD) - 1)}}}",
        r"\toprule",
        _latex_row(HEAD),
        r"\midrule",
        *map(_latex_row, table_lines(table)),
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\footnotesize",
        *(latex_text(note) + r"\par" for note in notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def table_csv(table: Mapping[str, Sequence[Asked]]) -> str:
    """A line for each row in full precision."""
    head = ["row", "asked", "posed", "words_only", "failed"]
    head += [f"{name}_{column}" for name in Score._fields for column in ("mean", "standard_error")]
    lines = []
    for row, asked in table.items():
        found = row_score([one.score for one in asked])
        states = [sum(one.state == state for one in asked) for state in ("pose", "words only", "failed")]
        numbers = [n for own in (found.mpjpe_mm, found.mpvpe_mm) for n in (own.mean, own.error)]
        lines.append([row, len(asked), *states, *map(_number, numbers)])
    return csv_text(head, lines)


def answers_csv(table: Mapping[str, Sequence[Asked]]) -> str:
    """A line for each answer: its errors, the question, and the words as they came."""
    head = ["row", "sample", "state", *Score._fields, "question", "text", "error"]
    lines = [
        [
            row,
            one.name,
            one.state,
            *map(_number, one.score),
            one.question,
            one.answer.text if one.answer else "",
            one.error,
        ]
        for row, asked in table.items()
        for one in asked
    ]
    return csv_text(head, lines)


def _text(found: Estimate) -> str:
    if not math.isfinite(found.mean):
        return NONE
    return f"{found.mean:.1f}" + (f" ± {found.error:.1f}" if math.isfinite(found.error) else "")


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.0f} %" if count else "0"


def _number(number: float) -> str:
    return repr(number) if math.isfinite(number) else ""


def _latex_row(texts: Sequence[str]) -> str:
    return " & ".join(map(latex_text, texts)) + r" \\"


def csv_text(head: Sequence[object], lines: Sequence[Sequence[object]]) -> str:
    """Lines under a head as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([head, *lines])
    return out.getvalue()
