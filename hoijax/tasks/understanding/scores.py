"""Top-1 accuracy for each question, beside what chance and the most frequent word would reach; tables and confusions."""

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hoijax.report.ablation import latex_text
from hoijax.report.statistics import estimate
from hoijax.report.tables import NONE
from hoijax.tasks.understanding.prompts import QUESTIONS
from hoijax.tasks.understanding.run import BY_NAME, Judged
from hoijax.tasks.understanding.words import WordList

HEAD = ["asked", "told", "n", "Top-1 ↑", "no word", "several", "chance", "most frequent", "failed", "not listed"]
NONE_FOUND, SEVERAL, FAILED = "(no word)", "(several)", "(failed)"


class Row(NamedTuple):
    """One question over all samples. Shares are of the `n` that have an answer and whose truth is in the list."""

    question: str
    n: int
    top1: float
    error: float  # standard error of top1
    no_word: float
    several: float
    chance: float
    frequent: float  # Top-1 of always saying the most frequent true word
    failed: int  # samples without an answer
    unlisted: int  # samples whose true word is not in the list, so that no answer could be right


def scores(judged: Sequence[Judged], words: Mapping[str, WordList]) -> list[Row]:
    """A row for each question that was asked. What failed or cannot be right is counted apart, not as wrong."""
    rows = []
    for question in QUESTIONS:
        here = [each for each in judged if each.question == question.name]
        if not here:
            continue
        known = words[question.target].words
        answered = [each for each in here if each.error is None]
        counted = [each for each in answered if each.truth in known]
        top1 = estimate([float(right(each)) for each in counted])
        truths = Counter(each.truth for each in counted)
        n = len(counted)
        rows.append(
            Row(
                question.name,
                n,
                top1.mean,
                top1.error,
                _share([each.parsed.kind == "none" for each in counted]),
                _share([each.parsed.kind == "several" for each in counted]),
                1 / len(known),
                max(truths.values()) / n if n else math.nan,
                len(here) - len(answered),
                len(answered) - n,
            )
        )
    return rows


def right(judged: Judged) -> bool:
    """Whether the one word that was said is the true one."""
    return judged.parsed.word == judged.truth


def table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Head and lines as text."""
    return HEAD, [
        [
            BY_NAME[row.question].target,
            BY_NAME[row.question].given or "nothing",
            str(row.n),
            number(row.top1) + ("" if math.isnan(row.error) else f" ± {row.error:.3f}"),
            *map(number, (row.no_word, row.several, row.chance, row.frequent)),
            str(row.failed),
            str(row.unlisted),
        ]
        for row in rows
    ]


def number(value: float) -> str:
    """Three digits; a dash for what is not known."""
    return NONE if math.isnan(value) else f"{value:.3f}"


def table_csv(rows: Sequence[Row]) -> str:
    """One line for each question in full precision; empty where a number is not known."""
    lines = [["" if isinstance(v, float) and math.isnan(v) else v for v in row] for row in rows]
    return _csv([list(Row._fields), *lines])


def table_latex(rows: Sequence[Row], caption: str, footer: Sequence[str]) -> str:
    """As a LaTeX table with booktabs' rules."""
    head, lines = table(rows)
    body = [" & ".join(map(latex_text, line)) + r" \\" for line in lines]
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            rf"\caption{{{latex_text(caption)}}}",
            rf"\begin{{tabular}}{{ll{'r' * (len(head) - 2)}}}",
            r"\toprule",
            " & ".join(map(latex_text, head)) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\par\footnotesize",
            *(latex_text(line) + r"\par" for line in footer),
            r"\end{table}",
            "",
        ]
    )


def confusion_csv(judged: Sequence[Judged]) -> str:
    """How often each word was said for each true word: question, truth, said, count; the most frequent first."""
    counts = Counter((each.question, each.truth, said(each)) for each in judged)
    order = [question.name for question in QUESTIONS]
    lines = sorted(counts.items(), key=lambda entry: (order.index(entry[0][0]), entry[0][1], -entry[1], entry[0][2]))
    return _csv([["question", "truth", "said", "count"], *([*key, count] for key, count in lines)])


def judged_csv(judged: Sequence[Judged]) -> str:
    """Every question of every sample with all that was said."""
    head = ["sample", "question", "truth", "word", "kind", "found", "right", "description", "answer", "pick", "error"]
    lines = [
        [
            each.sample,
            each.question,
            each.truth,
            each.parsed.word or "",
            "failed" if each.error else each.parsed.kind,
            "; ".join(each.parsed.found),
            int(right(each)),
            each.description,
            each.answer,
            each.pick or "",
            each.error or "",
        ]
        for each in judged
    ]
    return _csv([head, *lines])


def said(judged: Judged) -> str:
    """The word that was said, or what else came of it."""
    if judged.error is not None:
        return FAILED
    return judged.parsed.word or (SEVERAL if judged.parsed.kind == "several" else NONE_FOUND)


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else math.nan


def _csv(lines: Sequence[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()
