"""The members of a large JSON file, one at a time."""

import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any

from hoijax.data.layout import load_bytes
from hoijax.data.sample import SampleError

_SPACE = re.compile(r"[ \t\r\n]*")


def json_members(path: Path) -> Iterator[tuple[str | None, Any]]:
    """(key or None, value) of a JSON object's or list's members, one decoded at a time: a large file stays text.

    Raises SampleError where the text is no JSON, or neither object nor list.
    """
    decode = JSONDecoder().raw_decode

    def after(place: int) -> int:
        space = _SPACE.match(text, place)
        assert space is not None
        return space.end()

    try:
        text = load_bytes(path).decode("utf-8-sig")
        place = after(0)
        opening = text[place : place + 1]
        if opening not in ("{", "["):
            raise SampleError(path, f"begins with {opening!r}, expected a JSON object or list")
        closing, place = {"{": "}", "[": "]"}[opening], after(place + 1)
        while text[place : place + 1] != closing:
            key = None
            if opening == "{":
                key, place = decode(text, place)
                place = after(place)
                if text[place : place + 1] != ":" or not isinstance(key, str):
                    raise JSONDecodeError("expected a name and ':'", text, place)
                place = after(place + 1)
            value, place = decode(text, place)
            yield key, value
            place = after(place)
            if text[place : place + 1] == ",":
                place = after(place + 1)
            elif text[place : place + 1] != closing:
                raise JSONDecodeError("expected ',' or the end", text, place)
        if after(place + 1) != len(text):
            raise JSONDecodeError("expected nothing after the end", text, place)
    except (ValueError, RecursionError) as error:
        if isinstance(error, SampleError):
            raise
        raise SampleError(path, f"is not valid JSON ({error})") from error
