"""What models said, on the disk the moment it is there: one JSON line for each reply, only ever appended."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hoijax.data.atomic import save_bytes
from hoijax.data.layout import load_bytes
from hoijax.data.sample import SampleError
from hoijax.tasks.understanding.prompts import QUESTIONS

FILE, OPTIONS, CLOUDS = "answers.jsonl", "options.json", "clouds"
Stage = Literal["answer", "pick"]


class Key(NamedTuple):
    """What a reply is about."""

    sample: str
    question: str
    stage: Stage


class Reply(NamedTuple):
    """What came of asking: the answer to each turn, or why there is none."""

    texts: tuple[str, ...]
    error: str | None = None


class AnswerLog:
    """The file of replies. The last line on a key counts; a line cut short by a kill is taken off when it is opened.

    An answer undoes the pick that stands before it, as that was made from another answer. One process at a time may
    hold the file (`hoijax.data.lock`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.replies: dict[Key, Reply] = {}
        self.mended = False
        if os.path.lexists(path):
            self._read()

    def add(self, key: Key, reply: Reply) -> None:
        """Appends and waits until it is on the disk."""
        line = json.dumps({**key._asdict(), "texts": list(reply.texts), "error": reply.error}, ensure_ascii=False)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "ab") as file:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._keep(key, reply)

    def missing(self, keys: Sequence[Key]) -> list[Key]:
        """Those without an answer; failures count as missing, so that they are tried again."""
        return [key for key in keys if key not in self.replies or self.replies[key].error is not None]

    def _keep(self, key: Key, reply: Reply) -> None:
        self.replies[key] = reply
        if key.stage == "answer":
            self.replies.pop(key._replace(stage="pick"), None)

    def _read(self) -> None:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        for number, line in enumerate(data[:whole].splitlines(), 1):
            try:
                entry = json.loads(line)
                key = Key(entry["sample"], entry["question"], entry["stage"])
                texts, error = tuple(map(str, entry["texts"])), entry["error"]
            except (ValueError, TypeError, KeyError) as fault:
                raise SampleError(
                    self.path, f"line {number} is none of ours ({type(fault).__name__}: {fault})"
                ) from fault
            self._keep(key, Reply(texts, error))
        if whole < len(data):
            self.mended = True
            with open(self.path, "r+b") as file:
                file.truncate(whole)


def keep_options(out: Path, options: Mapping[str, Any]) -> None:
    """Notes in OUT/options.json what the replies of this folder depend on. Raises SampleError where it is another.

    Before the first reply other options are taken, and clouds drawn with the former ones removed.
    """
    path = out / OPTIONS
    wanted = json.loads(json.dumps(options))
    if not os.path.lexists(out / FILE):
        if os.path.lexists(out / CLOUDS) and not _holds(path, wanted):
            shutil.rmtree(out / CLOUDS)
        save_bytes(path, json.dumps(wanted, indent=1, ensure_ascii=False).encode() + b"\n")
        return
    if not os.path.lexists(path):
        raise SampleError(out, f"has {FILE} but no {OPTIONS}, so nobody knows what was asked; choose another folder")
    try:
        before = json.loads(load_bytes(path))
    except ValueError as error:
        raise SampleError(path, f"is no JSON ({error})") from error
    apart = changes(before, wanted)
    if apart:
        raise SampleError(
            out,
            f"holds answers to other options: {'; '.join(apart[:4])}; go on with the former ones, or choose another "
            "folder with --out",
        )


def _holds(path: Path, wanted: Any) -> bool:
    try:
        return bool(json.loads(path.read_bytes()) == wanted)
    except (OSError, ValueError):
        return False


def changes(before: Any, after: Any, name: str = "") -> list[str]:
    """What differs between two JSON contents, a sentence each."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = sorted(set(before) | set(after))
        return [
            told
            for key in names
            for told in changes(before.get(key), after.get(key), f"{name}.{key}" if name else str(key))
        ]
    if isinstance(before, list) and isinstance(after, list) and before != after:
        gone, new = ([str(x) for x in a if x not in b] for a, b in ((before, after), (after, before)))
        parts = [f"{word} {', '.join(found[:6])}" for word, found in (("without", gone), ("with", new)) if found]
        return [f"{name} is now {' and '.join(parts) or 'in another order'}"]
    return [] if before == after else [f"{name} is now {_short(after)}, was {_short(before)}"]


def load_given(path: Path) -> dict[Key, Reply]:
    """Answers that the user has: JSON lines {"sample", "question", "answer", "description": optional}.

    `sample` is the folder relative to the tree, `question` one of object, action, object_given_action,
    action_given_object. Raises SampleError with the line's number.
    """
    names = [question.name for question in QUESTIONS]
    found: dict[Key, Reply] = {}
    try:
        lines = load_bytes(path).decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise SampleError(path, f"is no text in UTF-8 ({error})") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise SampleError(path, f"line {number} is no JSON ({error})") from error
        texts = (
            [entry.get(key, "") for key in ("sample", "question", "description", "answer")]
            if isinstance(entry, dict)
            else []
        )
        if not texts or not all(isinstance(text, str) for text in texts) or not texts[0] or "answer" not in entry:
            raise SampleError(path, f'line {number}: expected {{"sample": ..., "question": ..., "answer": ...}}')
        if any("\ud800" <= sign <= "\udfff" for text in texts for sign in text):
            raise SampleError(
                path, f"line {number}: half of a surrogate pair (\\ud800 to \\udfff), which is no character"
            )
        if texts[1] not in names:
            raise SampleError(path, f"line {number}: the question {texts[1]!r} is none of {', '.join(names)}")
        key = Key(texts[0], texts[1], "answer")
        if key in found:
            raise SampleError(path, f"line {number}: {key.sample} has a second answer to {key.question}")
        found[key] = Reply((texts[2], texts[3]))
    if not found:
        raise SampleError(path, "holds no answer")
    return found


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 70 else text[:67] + "..."
