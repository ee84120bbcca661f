"""Which pictures are kept: known answers."""

from pathlib import Path

import numpy as np
import pytest

from hoijax.data.sample import SampleError
from hoijax.data.selection import CONTACT_VERBS, SelectionOptions, contact_forms, counts_table, load_verbs, select
from hoijax.data.sources.hico_names import hico_verbs
from hoijax.data.sources.record import Pair, Picture, SetAside


def pair(category: str = "cup", actions: tuple[str, ...] = ("hold",), side: float = 60.0, human: float = 300.0) -> Pair:
    return Pair(
        image=Path("a.jpg"),
        size=(640, 480),
        human_box=np.array([0.0, 0.0, human / 2, human]),
        object_box=np.array([10.0, 10.0, 10 + side, 10 + side]),
        category=category,
        actions=actions,
        id="a_0",
    )


def picture(*pairs: Pair, people: int = 1) -> Picture:
    return Picture(Path("a.jpg"), people, pairs)


def test_each_reason_is_told_and_counted() -> None:
    pictures = [
        picture(pair(actions=("watch", "sit on")), pair("tv", ("watch",)), pair("bench", ("no interaction",))),
        picture(pair(), people=2),
        picture(pair("person", ("hug",)), pair(side=20.0), pair(side=30.0), pair(human=60.0)),
    ]
    selection = select(pictures, set_aside=[SetAside("b.jpg", "bad box", "empty")])
    (kept,) = selection.kept
    assert kept.actions == ("sit on", "watch")
    assert [entry.reason for entry in selection.set_aside] == [
        "bad box",
        "no contact",
        "no interaction",
        "people",
        "person as object",
        "small object",
        "small object",
        "small person",
    ]
    counts = dict(selection.counts)
    assert (counts["pictures"], counts["pairs"], counts["kept"], counts["set aside: small object"]) == (3, 8, 1, 2)
    assert counts["kept"] + sum(n for name, n in counts.items() if name.startswith("set aside")) == counts["pairs"] + 1
    assert len(counts_table(selection.counts).splitlines()) == len(counts)


def test_each_option_changes_what_is_kept() -> None:
    pictures = [picture(pair("tv", ("watch",)), pair("person"), pair(side=20.0), pair(human=50.0), people=2)]
    options = SelectionOptions(2, ("watch", "hold"), 0.0, 0.0, 0.0, True)
    assert len(select(pictures, options).kept) == 4
    assert len(select(pictures, SelectionOptions(people=2)).kept) == 0


def test_an_unknown_size_does_not_make_an_object_small() -> None:
    assert len(select([picture(pair(side=30.0)._replace(size=None))]).kept) == 1


@pytest.mark.parametrize(
    ("verb", "other"),
    [("ride", "riding"), ("sit_on", "sitting on"), ("hug", "hugging"), ("lie on", "lying on"), ("carry", "carrying")],
)
def test_verbs_in_other_spellings(verb: str, other: str) -> None:
    assert other in contact_forms([verb])


def test_the_shipped_verbs_are_known_and_leave_out_what_is_done_from_afar() -> None:
    names = set(hico_verbs().values())
    hico = set(CONTACT_VERBS) & names
    assert {"carry", "hold", "ride", "sit on", "wear", "type on", "drink with"} <= hico
    assert not hico & {"watch", "chase", "wave", "inspect", "direct", "no interaction", "stand under", "point", "herd"}
    assert len(hico) == 52


def test_verbs_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "verbs.txt"
    path.write_text("sit_on  # chairs\n\n# nothing\nFly\n")
    assert load_verbs(path) == ("sit on", "fly")
    path.write_text("# only remarks\n")
    with pytest.raises(SampleError, match="names no verb"):
        load_verbs(path)
