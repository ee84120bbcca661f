"""JSON that every parser reads: numbers that are not finite become null, and a list says where and why."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

NULLS = "nulls"  # the key that the list stands under: {"metrics/gap_cm/start": "nan: why"}


def save_json(path: Path, content: Mapping[str, Any], reasons: Mapping[str, str] | None = None) -> None:
    """Writes `strict(content, reasons)`; numbers come back bit for bit."""
    text = json.dumps(strict(content, reasons or {}), indent=1, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def strict(content: Mapping[str, Any], reasons: Mapping[str, str]) -> dict[str, Any]:
    """Plain lists, dicts, numbers and strings; what is not finite is null and listed under `nulls`.

    `reasons`: why a number may be missing, by the first key of its path. Raises TypeError for what JSON cannot hold.
    """
    nulls: dict[str, str] = {}

    def plain(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, Mapping):
            return {str(key): plain(item, (*path, str(key))) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item, (*path, str(i))) for i, item in enumerate(value)]
        if value is None or isinstance(value, (str, bool, int)):
            return value
        if isinstance(value, float):
            if np.isfinite(value):
                return float(value)
            nulls["/".join(path)] = f"{float(value)}: {reasons.get(path[0], 'not a finite number')}"
            return None
        if hasattr(value, "dtype"):  # numpy and JAX arrays and scalars
            return plain(np.asarray(value).tolist(), path)
        raise TypeError(f"{'/'.join(path)}: JSON cannot hold a {type(value).__name__}")

    record = plain(content, ())
    return {**record, NULLS: nulls} if nulls else record


def from_strict(record: dict[str, Any]) -> dict[str, Any]:
    """The content again, with the numbers that are not finite back in their places."""
    content = {key: value for key, value in record.items() if key != NULLS}
    for path, reason in record.get(NULLS, {}).items():
        *parents, last = path.split("/")
        place: Any = content
        for key in parents:
            place = place[int(key) if isinstance(place, list) else key]
        place[int(last) if isinstance(place, list) else last] = float(reason.partition(":")[0])
    return content
