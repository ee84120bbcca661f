"""The tools' own decisions, as export and agreement read them."""

from pathlib import Path

import numpy as np
import pytest

from hoijax.annotate.export import ExportOptions, export
from hoijax.annotate.items import find_items, fingerprint
from hoijax.annotate.readers import tool_readers
from hoijax.annotate.store import append, events, open_store
from hoijax.data.read import load_sample

BOX = "box/carry_0"


@pytest.mark.slow
def test_an_export_of_the_tools_own_decisions(tree: Path, tmp_path: Path) -> None:
    readers, items = tool_readers(), find_items(tree)
    store = open_store(tree / "annotations.sqlite")
    before = load_sample(items.folders[BOX])
    row, column = (int(index) for index in np.argwhere(~before.object_mask)[0])
    turn = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    pose = {"rotation": turn, "translation": [0.1, 0.0, 0.2], "log_scale": float(np.log(2))}
    dot = {"mask": "object", "erase": False, "radius": 0.5, "points": [[column + 0.5, row + 0.5]]}
    for tool, kind, value in (
        ("filter", "stroke", dot),
        ("filter", "judge", {"who": ["human", "object"], "verdict": "pass"}),
        ("contact", "done", {"parts": ["neck", "back"], "none": False}),
        ("fine", "quality", {"tag": "good"}),
        ("fine", "pose", {**pose, "by": "test"}),
        ("fine", "done", {**pose, "base": "coarse", "quality": "good", "iou": 0.5}),
    ):
        append(store, "anna", BOX, tool, kind, value, fingerprint(items.folders[BOX], readers.sees[tool]))
    found = export(items, events(store), readers, tmp_path / "out", ExportOptions())
    assert found.written == (BOX,), found
    after = load_sample(tmp_path / "out" / BOX)
    assert after.truth is not None
    changed = before.object_mask != after.object_mask
    assert changed.sum() == 1
    assert changed[row, column]
    assert after.contact_parts == ("neck", "back")
    verts = before.object.verts.astype(np.float64)
    middle = verts.mean(0)
    expected = 2 * (verts - middle) @ np.array(turn).T + middle + [0.1, 0.0, 0.2]
    np.testing.assert_allclose(after.truth.verts, expected, atol=1e-6)
    append(store, "anna", BOX, "filter", "judge", {"who": ["human"], "verdict": "delete", "reason": "bad human"},
           fingerprint(items.folders[BOX], readers.sees["filter"]))  # fmt: skip
    left = export(items, events(store), readers, tmp_path / "out").left_out
    assert [(sample.item, sample.reason) for sample in left] == [(BOX, "human: bad human")]
