"""The page of a run: the table, and of some samples the photograph with who was meant, questions, answers and errors."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

import cv2
import numpy as np
from jaxtyping import UInt8

from hoijax import __version__
from hoijax.data.images import load_photo
from hoijax.report.html import image_tag
from hoijax.report.tables import NONE
from hoijax.tasks.pose_chat.select import Subject
from hoijax.tasks.pose_chat.table import HEAD, TITLE, Asked, table_lines

LONG_SIDE = 420  # pixels of a photograph on the page
MEANT, OTHER = (240, 145, 74), (169, 171, 181)  # box of the person meant, boxes of the others


def pose_chat_page(
    subjects: Sequence[Subject], table: Mapping[str, Sequence[Asked]], notes: Sequence[str], most: int
) -> str:
    """One HTML file that needs no network. `most`: so many samples are shown, evenly spread over all."""
    count = min(most, len(subjects))
    shown = [subjects[k] for k in np.linspace(0, len(subjects) - 1, count).round().astype(int)] if count else []
    told = {row: {one.name: one for one in asked} for row, asked in table.items()}
    style = files("hoijax.report").joinpath("page.css").read_text("utf-8")
    sections = "\n".join(_section(subject, told) for subject in shown)
    said = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>HOI pose chat · hoijax</title>\n<style>\n{style}td, th {{ white-space: normal; }}\n</style>\n</head>\n"
        "<body>\n"
        f"<header><h1>{escape(TITLE)}</h1>\n{_table(HEAD, table_lines(table))}<ul class='soft'>{said}</ul></header>\n<main>"
        f'<p class="soft">{len(shown)} of {len(subjects)} samples; all of them are in answers.csv.</p>\n{sections}</main>\n'
        f"<footer>hoijax {escape(__version__)}</footer>\n</body>\n</html>\n"
    )


def marked_photo(subject: Subject, long_side: int = LONG_SIDE) -> UInt8[np.ndarray, "h w 3"]:
    """The photograph, made smaller, with a box around the person meant and thin ones around the others."""
    photo = load_photo(subject.image, lambda path, message: None)
    scale = min(1.0, long_side / max(photo.shape[:2]))
    small = np.ascontiguousarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    for boxes, colour, width in ((subject.others, OTHER, 1), (subject.box[None], MEANT, 3)):
        for x0, y0, x1, y1 in np.round(scale * boxes).astype(int).tolist():
            cv2.rectangle(small, (x0, y0), (x1, y1), colour, width)
    return np.asarray(small, np.uint8)


def _section(subject: Subject, told: Mapping[str, Mapping[str, Asked]]) -> str:
    lines = []
    for row, answers in told.items():
        one = answers.get(subject.name)
        if one is not None:
            words = one.error if one.answer is None else one.answer.text
            lines.append([row, one.question, words, one.state, *(_millimetres(value) for value in one.score)])
    alt = f"{subject.name}; the person meant is {subject.place}, in the thick box"
    return (
        f"<section><h2>{escape(subject.name)}</h2>\n{image_tag(marked_photo(subject), alt)}\n"
        + _table(["row", "question", "answer as it came", "", "MPJPE, mm", "MPVPE, mm"], lines)
        + "</section>"
    )


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in line) + "</tr>" for line in lines)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def _millimetres(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else NONE
