"""Major categories: which group an object's name belongs to, by a table of WordNet synsets."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from hoijax.data.layout import load_bytes
from hoijax.data.sample import SampleError
from hoijax.tasks.statistics.group_table import GROUPS
from hoijax.tasks.vocabulary import category_name

OTHER = "other"
SHAPE = '{"group": {"category": "synset", ...}, ...}'


class Groups(NamedTuple):
    """{category: group} and {category: WordNet 3.1 synset}."""

    group: dict[str, str]
    synset: dict[str, str]

    def of(self, category: str) -> str:
        """The group of a category; `OTHER` for one that the table does not name."""
        return self.group.get(category, OTHER)

    def unknown(self, categories: Iterable[str]) -> list[str]:
        """The categories that the table does not name, sorted."""
        return sorted({category for category in categories if category not in self.group})


def load_groups(path: str | Path | None = None) -> Groups:
    """The shipped table, or a user's JSON file in the same form: {group: {category: synset}}, or {group: [category]}.

    The shipped groups are ours; most are what WordNet says the synset is a kind of. Raises SampleError for a file that is
    no such table, and for a category that stands in two groups.
    """
    if path is None:
        return _groups(Path("group_table.py"), GROUPS)
    try:
        table = json.loads(load_bytes(Path(path)).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SampleError(path, f"is not valid JSON ({error}), expected {SHAPE}") from error
    return _groups(Path(path), table)


def _groups(path: Path, table: object) -> Groups:
    if not isinstance(table, dict) or not table:
        raise SampleError(path, f"holds no groups, expected {SHAPE}")
    found = Groups({}, {})
    for group, members in table.items():
        for text, synset in _members(path, group, members).items():
            try:
                category = category_name(text)
            except ValueError as error:
                raise SampleError(path, f"group {group!r}: {error}") from error
            if category in found.group:
                raise SampleError(path, f"names {category!r} in {found.group[category]!r} and again in {group!r}")
            found.group[category] = group
            found.synset[category] = synset
    return found


def _members(path: Path, group: str, members: object) -> dict[str, str]:
    """{category: synset} of one group; a list of categories has no synsets."""
    if isinstance(members, list) and all(isinstance(name, str) for name in members):
        if len(set(members)) < len(members):
            raise SampleError(path, f"group {group!r} names a category twice")
        return dict.fromkeys(members, "")
    if isinstance(members, dict) and all(isinstance(synset, str) for synset in members.values()):
        return {str(name): str(synset) for name, synset in members.items()}
    raise SampleError(path, f"group {group!r} is neither a list of categories nor {{category: synset}}")
