"""What a run has come to: a summary for a terminal, and tables of failures and metrics as files."""

import csv
import io
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from hoijax.data.atomic import save_bytes
from hoijax.data.results import load_summary
from hoijax.data.sample import SampleError
from hoijax.dataset.ledger import counts, names_in, rows
from hoijax.dataset.tasks import STAGES
from hoijax.report.tables import metrics_rows

COMMONEST = 3  # reasons shown for each stage
PHASES = ("read", "prepare", "compile", "fit", "measure", "write")


def overview(ledger: sqlite3.Connection) -> str:
    """Counts, seconds for an image by phase, and why samples failed."""
    found = counts(ledger)
    lines = [f"{sum(found.values())} samples: " + ", ".join(f"{count} {state}" for state, count in found.items())]
    done, spent = 0, Counter[str]()
    for row in rows(ledger, "done"):
        if row.phases:
            done += 1
            spent.update(row.phases)
    if done:
        times = ", ".join(f"{name} {spent[name] / done:.2f}" for name in PHASES if name in spent)
        lines.append(f"seconds for an image: {sum(spent.values()) / done:.2f} ({times})")
    return "\n".join([*lines, *_failures(ledger)])


def save_failures(ledger: sqlite3.Connection, path: Path) -> None:
    """A line for each failed sample."""
    table = [[row.name, row.stage, row.reason, row.attempts, row.folder] for row in rows(ledger, "failed")]
    save_bytes(path, _csv(["sample", "stage", "reason", "attempts", "folder"], table).encode())


def save_metrics(ledger: sqlite3.Connection, out: Path, path: Path) -> list[str]:
    """A line for each finished sample, metric and state. What could not be read of the results, a sentence each."""
    table: list[list[str]] = []
    faults = []
    for name in names_in(ledger, "done"):
        try:
            table += metrics_rows(load_summary(out / name)._replace(name=name))
        except SampleError as error:
            faults.append(str(error))
    save_bytes(path, _csv(["sample", "metric", "state", "value"], table).encode())
    return faults


def _failures(ledger: sqlite3.Connection) -> list[str]:
    """For each stage how many failed there, and the reasons that most of them share."""
    reasons: dict[str, Counter[str]] = {}
    for row in rows(ledger, "failed"):
        reasons.setdefault(row.stage or "", Counter())[_kind(row.reason, row.folder)] += 1
    lines = []
    for stage in sorted(reasons, key=STAGES.index):
        lines.append(f"failed at {stage}: {reasons[stage].total()}")
        shown = reasons[stage].most_common(COMMONEST)
        lines += [f"  {count} x {reason}" for reason, count in shown]
        rest = len(reasons[stage]) - len(shown)
        lines += [f"  and {rest} other reasons"] * (rest > 0)
    return lines


def _kind(reason: str, folder: str) -> str:
    """The reason without what belongs to one sample alone: its folder, and numbers."""
    return re.sub(r"\d+(\.\d+)?", "#", reason.replace(folder, "SAMPLE"))


def _csv(head: list[str], table: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(table)
    return out.getvalue()
