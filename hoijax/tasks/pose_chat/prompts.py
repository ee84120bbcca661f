"""The questions: one person's pose asked for, with the interaction, the object and the place named or not."""

import string
from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path

from hoijax.data.parameters import load_json
from hoijax.data.sample import SampleError

WORDS = ("interaction", "object", "location")
NONE = "none"
ASK = "Please output this person's SMPL pose."

# Our own words, of the intent of the paper's B.3.2: each row names more or less of what tells the person apart.
PROMPTS = {
    "none": f"Several people may be in this picture; choose one of them. {ASK}",
    "interaction": f"There is a person in this picture who is {{interaction}} something. {ASK}",
    "object": f"There is a person in this picture with the {{object}}. {ASK}",
    "location": f"There is a person in this picture, {{location}}. {ASK}",
    "interaction+object": f"There is a person in this picture who is {{interaction}} the {{object}}. {ASK}",
    "interaction+location": f"There is a person in this picture, {{location}}, who is {{interaction}} something. {ASK}",
    "object+location": f"There is a person in this picture, {{location}}, with the {{object}}. {ASK}",
    "interaction+object+location": (
        f"There is a person in this picture, {{location}}, who is {{interaction}} the {{object}}. {ASK}"
    ),
}


def rows() -> tuple[str, ...]:
    """Every subset of the three words, from none to all, as the rows of the table are called."""
    subsets = (subset for count in range(len(WORDS) + 1) for subset in combinations(WORDS, count))
    return tuple("+".join(subset) or NONE for subset in subsets)


def told(row: str) -> frozenset[str]:
    """The words that a row tells. Raises ValueError for a row that is none."""
    if row not in rows():
        raise ValueError(f"row {row!r}: expected one of {', '.join(rows())}")
    return frozenset(row.split("+")) - {NONE}


def load_prompts(path: Path) -> dict[str, str]:
    """The prompts with those of a JSON file in place of ours: {row: text with {interaction}, {object}, {location}}.

    Raises SampleError for an unknown row, an unknown field, or a text that does not name all that its row tells.
    """
    record = load_json(path)
    if not isinstance(record, dict) or not all(isinstance(text, str) for text in record.values()):
        raise SampleError(path, f"expected {{row: text}}, with rows of {', '.join(rows())}")
    for row, text in record.items():
        if row not in rows():
            raise SampleError(path, f"there is no row {row!r}, expected {', '.join(rows())}")
        try:
            fields = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
        except ValueError as error:
            raise SampleError(
                path, f"{row}: {error}; write braces that stand for themselves as {{{{ and }}}}"
            ) from error
        if fields != told(row):
            found = ", ".join(sorted(fields)) or "none"
            raise SampleError(path, f"{row}: the text has the fields {found}, expected those that the row tells")
        if any(form or conversion for _, _, form, conversion in string.Formatter().parse(text)):
            raise SampleError(path, f"{row}: a field has a format, expected plain {{interaction}} and the like")
        if not text.strip():
            raise SampleError(path, f"{row}: the text is empty")
    return PROMPTS | record


def question(row: str, action: str, category: str, place: str, prompts: Mapping[str, str] = PROMPTS) -> str:
    """The question of a row about one person; `action` and `category` as the annotation has them."""
    fields = {"interaction": doing(action), "object": plain(category), "location": place}
    return prompts[row].format(**{word: fields[word] for word in told(row)})


def plain(words: str) -> str:
    """Words of a label without underscores."""
    return " ".join(words.replace("_", " ").split())


def doing(action: str) -> str:
    """The label of an action as what somebody is doing: "sit on" becomes "sitting on"; one that is so already stays.

    Spelling rules: a final e goes, ie becomes y, a short syllable's last consonant is doubled.
    """
    verb, *rest = plain(action).split(" ")
    return " ".join([_participle(verb), *rest])


def _participle(verb: str) -> str:
    lower = verb.lower()
    if lower.endswith("ing") and _syllables(lower[:-3]) > 0:
        return verb
    if lower.endswith("ie"):
        return verb[:-2] + "ying"
    if lower.endswith("e") and not lower.endswith(("ee", "oe", "ye")) and len(lower) > 2:
        return verb[:-1] + "ing"
    short = len(lower) > 2 and lower[-1] not in "aeiouwxy" and lower[-2] in "aeiou" and lower[-3] not in "aeiou"
    if short and _syllables(lower) == 1:
        return verb + verb[-1] + "ing"
    return verb + "ing"


def _syllables(word: str) -> int:
    """Groups of vowels: enough to tell short words from long ones."""
    return sum(a in "aeiouy" and b not in "aeiouy" for a, b in zip(word, " " + word, strict=False))


def check_rows(names: Iterable[str]) -> tuple[str, ...]:
    """The rows by name, in the order of the table. Raises ValueError for one that is none."""
    wanted = {row for row in names if told(row) is not None}
    return tuple(row for row in rows() if row in wanted)
