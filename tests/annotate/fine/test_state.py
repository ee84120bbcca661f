"""What events of the fine tool add up to."""

from pathlib import Path
from typing import Any

import numpy as np

from hoijax.annotate.fine.pose import identity, plain, shifted
from hoijax.annotate.fine.state import ANNOTATED, COARSE, fold, is_done, word
from hoijax.annotate.store import Event, append, events, open_store, standing, take_back

MOVED = plain(shifted(identity(), np.array([0.1, 0.0, 0.0])))


def told(tmp_path: Path, *acts: tuple[str, dict[str, Any]]) -> list[Event]:
    """These acts, through a real store. "undo" takes the last one that stands back."""
    store = open_store(tmp_path / "store.sqlite")
    for kind, value in acts:
        if kind == "undo":
            take_back(store, standing(events(store))[-1])
        else:
            append(store, "anna", "ball", "fine", kind, value)
    return standing(events(store))


def test_nothing_yet(tmp_path: Path) -> None:
    state = fold(told(tmp_path), COARSE)
    assert (state.base, state.quality, state.done) == (COARSE, "", False)
    assert state.pose.log_scale == 0


def test_the_last_pose_counts_and_undo_gives_the_one_before(tmp_path: Path) -> None:
    twice = plain(shifted(identity(), np.array([0.2, 0.0, 0.0])))
    happened = told(tmp_path, ("pose", MOVED), ("pose", twice), ("undo", {}))
    assert fold(happened, COARSE).pose.translation.tolist() == [0.1, 0.0, 0.0]


def test_another_mesh_starts_anew_and_undo_returns_to_the_pose_of_the_first(tmp_path: Path) -> None:
    acts = ("pose", MOVED), ("base", {"mesh": COARSE})
    state = fold(told(tmp_path, *acts), ANNOTATED)
    assert state.base == COARSE
    assert not state.pose.translation.any()
    again = fold(told(tmp_path, ("undo", {})), ANNOTATED)
    assert again.base == ANNOTATED
    assert again.pose.translation[0] == 0.1


def test_a_move_after_confirming_opens_the_item_again_a_tag_does_not(tmp_path: Path) -> None:
    acts = ("pose", MOVED), ("done", MOVED), ("quality", {"tag": "usable"})
    happened = told(tmp_path, *acts)
    assert is_done(happened)
    assert fold(happened, COARSE).done
    assert word(happened) == "usable"
    assert fold(happened, COARSE).quality == "usable"
    after = told(tmp_path, ("pose", MOVED))
    assert not is_done(after)
    assert not fold(after, COARSE).done


def test_confirmed_without_a_move_or_a_tag(tmp_path: Path) -> None:
    happened = told(tmp_path, ("done", plain(identity())))
    assert is_done(happened)
    assert word(happened) == "confirmed"
