"""What the metrics are called, and tables of them as text for a terminal, as Markdown and as CSV."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hoijax.data.results import Result, Summary

STATES = ("start", "result", "annotation")
NONE = "–"


class Metric(NamedTuple):
    """How to read a metric: its name, unit, which direction is better ("higher" or "lower"), digits, and a sentence.

    `average`: what stands for many scenes, "mean" or "median".
    """

    title: str
    unit: str
    better: str
    digits: int
    about: str
    average: str = "mean"


METRICS = {
    "iou_object": Metric("Object fits its outline", "IoU", "higher", 3, "overlap with the object's mask; 1 is perfect"),
    "iou_human": Metric(
        "Person fits their outline", "IoU", "higher", 3, "overlap with the person's mask; 1 is perfect"
    ),
    "iou_both": Metric("Both fit both outlines", "IoU", "higher", 3, "overlap of the pair with both masks"),
    "chamfer_cm": Metric("Surface distance", "cm", "lower", 2, "mean distance to the annotated object (Chamfer)"),
    "translation_cm": Metric("Position error", "cm", "lower", 2, "distance to the annotated object's centre"),
    "rotation_degrees": Metric("Rotation error", "degrees", "lower", 2, "angle to the annotated object"),
    "rotation": Metric("Rotation error, norm", "‖R − I‖", "lower", 3, "the same as a matrix norm"),
    "scale": Metric("Scale error", "|s − 1|", "lower", 3, "0.1: a tenth too large or too small"),
    "gap_cm": Metric("Gap", "cm", "lower", 2, "smallest distance of person and object; 0 where they meet"),
    "collision": Metric("Collision", "fraction", "lower", 4, "share of the body in the object and of it in the body"),
    "penetration_max_cm": Metric("Deepest penetration", "cm", "lower", 2, "how far one lies inside the other"),
    "penetration_mean_cm": Metric("Mean penetration", "cm", "lower", 2, "mean depth of all points that lie inside"),
    "co2": Metric("Co2", "", "lower", 3, "collision and missing contact in one number, summed over touching parts"),
    "co2_mean": Metric("Co2, mean of parts", "", "lower", 3, "the same with the mean over touching parts"),
    "contact_sum": Metric("Contact distance", "m", "lower", 3, "from the annotated parts to the object, summed"),
    "contact_precision": Metric("Contact precision", "", "higher", 3, "share of the found contact that is annotated"),
    "contact_recall": Metric("Contact recall", "", "higher", 3, "share of the annotated contact that was found"),
    "contact_f1": Metric("Contact F1", "", "higher", 3, "precision and recall in one number"),
    "parts_f1": Metric("Touching parts F1", "", "higher", 3, "the parts that touch against the annotated ones"),
    "parts_jaccard": Metric("Touching parts, Jaccard", "", "higher", 3, "parts in both lists / parts in either"),
    "parts_hamming": Metric("Touching parts, Hamming", "", "lower", 3, "share of the 34 parts that are wrong"),
    "aligned_scene_cm": Metric("Surface distance, aligned", "cm", "lower", 2, "after the best similarity of both"),
    "aligned_human_cm": Metric("Person's surface, aligned", "cm", "lower", 2, "the same, of the person alone"),
    "aligned_object_cm": Metric("Object's surface, aligned", "cm", "lower", 2, "the same, of the object alone"),
    "object_ssim": Metric("Object looks alike, SSIM", "", "higher", 3, "its render and the photograph; 1 is equal"),
    "object_lpips": Metric("Object looks alike, LPIPS", "", "lower", 3, "the same as a perceptual distance"),
    "mpjpe_mm": Metric("Joints moved", "mm", "lower", 1, "of the refined body against the sample's"),
    "mpvpe_mm": Metric("Vertices moved", "mm", "lower", 1, "the same of its vertices"),
    "human_mpvpe_mm": Metric("Person's vertices", "mm", "lower", 1, "off the annotated person's, nothing aligned"),
    "iou_parts": Metric("Body parts' silhouettes", "IoU", "higher", 3, "mean over the parts of the annotated person"),
    "success": Metric("Success", "share", "higher", 2, "of the scenes: surface distance under 5 cm"),
    "flip": Metric("Flips", "share", "lower", 2, "of the scenes: rotation error over 90 degrees"),
    "worse": Metric("Worse than the start", "share", "lower", 2, "of the scenes: surface distance grew by over 1 cm"),
    "fit_seconds": Metric("Fit", "s (median)", "lower", 1, "all steps and searches, without compilation", "median"),
    "compile_seconds": Metric("Compilation", "s (median)", "lower", 1, "of the fit, or its loading", "median"),
}
KEY_METRICS = ("iou_object", "chamfer_cm", "translation_cm", "scale", "gap_cm", "penetration_max_cm", "co2")
ARROWS = {"higher": "↑", "lower": "↓", "": ""}


def metric(name: str) -> Metric:
    """How to read the metric; one that is not listed goes by its own name."""
    return METRICS.get(name, Metric(name.replace("_", " "), "", "", 3, ""))


def metric_text(value: float, name: str) -> str:
    """The value with the metric's digits; a dash where there is none."""
    return f"{value:.{metric(name).digits}f}" if math.isfinite(value) else NONE


def heading(name: str) -> str:
    """Title, unit and an arrow towards better, as in "Surface distance, cm ↓"."""
    found = metric(name)
    return (", ".join(word for word in (found.title, found.unit) if word) + f" {ARROWS[found.better]}").strip()


def improved(name: str, start: float, result: float) -> bool | None:
    """Whether the result is better than the start by this metric; None where that cannot be said, or they are equal."""
    better = metric(name).better
    if not better or not math.isfinite(start) or not math.isfinite(result) or start == result:
        return None
    return (result > start) == (better == "higher")


def known_metrics(results: Sequence[Result | Summary], names: Iterable[str] | None = None) -> list[str]:
    """The metrics that at least one result can tell, in the order of `METRICS`; of `names` only, where given."""
    told = dict.fromkeys(
        name for result in results for name, values in result.metrics.items() if _told(values.values())
    )
    ordered = [name for name in METRICS if name in told] + [name for name in told if name not in METRICS]
    return ordered if names is None else [name for name in names if name in told]


def mean(values: Iterable[float]) -> float:
    """Mean of the finite values; NaN when there are none."""
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


def metrics_table(results: Sequence[Result | Summary], names: Iterable[str] | None = KEY_METRICS) -> str:
    """For a terminal. One result: a row per metric, all of them. More: a row each, start -> result, and their mean.

    The mean is over the results that can tell; a metric that none can tell has no column. `names` None: every metric.
    """
    if len(results) == 1:
        return aligned(*_one(results[0]))
    return aligned(*_many(results, names))


def metrics_markdown(results: Sequence[Result | Summary], names: Iterable[str] | None = KEY_METRICS) -> str:
    """The same as a Markdown table."""
    return markdown(*(_one(results[0]) if len(results) == 1 else _many(results, names)))


def metrics_csv(results: Sequence[Result | Summary]) -> str:
    """One line per sample, metric and state, in full precision; an empty value where a sample cannot tell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["sample", "metric", "state", "value"])
    for result in results:
        writer.writerows(metrics_rows(result))
    return out.getvalue()


def metrics_rows(result: Result | Summary) -> list[list[str]]:
    """The lines of one sample in that table."""
    return [
        [result.name, name, state, repr(float(value)) if math.isfinite(value) else ""]
        for name, values in result.metrics.items()
        for state, value in values.items()
    ]


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table: the first column to the left, the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def _one(result: Result | Summary) -> tuple[list[str], list[list[str]]]:
    states = [state for state in STATES if any(state in values for values in result.metrics.values())]
    names = known_metrics([result])
    rows = [[heading(n), *(metric_text(result.metrics[n].get(state, math.nan), n) for state in states)] for n in names]
    return [result.name, *states], rows


def _many(results: Sequence[Result | Summary], names: Iterable[str] | None) -> tuple[list[str], list[list[str]]]:
    names = known_metrics(results, names)
    rows = [[result.name, *(_change(result.metrics.get(n, {}), n) for n in names)] for result in results]
    average = {
        n: {state: mean(r.metrics.get(n, {}).get(state, math.nan) for r in results) for state in STATES} for n in names
    }
    return ["sample", *map(heading, names)], [
        *rows,
        [f"mean of {len(results)}", *(_change(average[n], n) for n in names)],
    ]


def _change(values: Mapping[str, float], name: str) -> str:
    start, result = (metric_text(values.get(state, math.nan), name) for state in STATES[:2])
    return NONE if start == result == NONE else f"{start} -> {result}"


def _told(values: Iterable[float]) -> bool:
    return any(math.isfinite(value) for value in values)


def aligned(head: list[str], rows: list[list[str]]) -> str:
    """Columns padded to one width: the first to the left, numbers to the right, a rule under the head."""
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    lines = []
    for first, *others in (head, ["-" * width for width in widths], *rows):
        numbers = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *numbers]).rstrip())
    return "\n".join(lines)
