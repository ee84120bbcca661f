"""PointLLM and Qwen2.5 as the models of the task HOI understanding: files out, wrapper runs, replies in."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError
from hoijax.tasks.understanding.answers import Reply
from hoijax.tasks.understanding.run import Asked, Engine, Labelled, Tell
from hoijax.tasks.understanding.words import WordList
from third_party_wrappers.contract import Job, Outcome, Tool, Wrapper, run
from third_party_wrappers.pointllm.wrapper import WRAPPER as POINTLLM
from third_party_wrappers.qwen.wrapper import WRAPPER as QWEN

# The file of a sample's cloud, made where it is not there yet. May raise SampleError.
CloudFile = Callable[[Labelled], Path]


def pointllm(tool: Tool, options: dict[str, Any], cloud: CloudFile, work: Path) -> Engine:
    """Answers about the clouds; a sample whose cloud cannot be made fails alone."""

    def do(every: Sequence[Asked], tell: Tell) -> None:
        jobs = []
        for item in every:
            try:
                inputs = {"cloud": cloud(item.labelled), "turns": _turns(item, work)}
            except (SampleError, OSError) as error:
                tell(item.key, Reply((), str(error)))
                continue
            jobs.append((item, Job(inputs, _place(item, work), options)))
        _run(POINTLLM, tool, jobs, tell)

    return do


def qwen(tool: Tool, options: dict[str, Any], words: dict[str, WordList], work: Path) -> Engine:
    """Picks a word from each description."""

    def do(every: Sequence[Asked], tell: Tell) -> None:
        lists = {target: work / f"{target}.words.json" for target in words}
        for target, file in lists.items():
            save_bytes(file, json.dumps(words[target].words).encode())
        jobs = [
            (
                item,
                Job({"turns": _turns(item, work), "words": lists[item.question.target]}, _place(item, work), options),
            )
            for item in every
        ]
        _run(QWEN, tool, jobs, tell)

    return do


def _run(wrapper: Wrapper, tool: Tool, jobs: Sequence[tuple[Asked, Job]], tell: Tell) -> None:
    """One process for all jobs. A job's folder is removed once its reply is kept."""
    of = {job.out: item for item, job in jobs}

    def progress(outcome: Outcome) -> None:
        item, out = of[outcome.job.out], outcome.job.out
        if outcome.error is not None:
            tell(item.key, Reply((), outcome.error))
            return
        texts = json.loads((out / "answers.json").read_text(encoding="utf-8"))
        tell(item.key, Reply(tuple(texts)))
        shutil.rmtree(out, ignore_errors=True)
        out.with_suffix(".turns.json").unlink(missing_ok=True)

    run(wrapper, tool, [job for _, job in jobs], overwrite=True, progress=progress)


def _turns(item: Asked, work: Path) -> Path:
    file = _place(item, work).with_suffix(".turns.json")
    save_bytes(file, json.dumps(item.dialogue.turns, ensure_ascii=False).encode())
    return file


def _place(item: Asked, work: Path) -> Path:
    """A folder of its own for each question, whatever signs the sample's name has."""
    return work.absolute() / hashlib.sha256("\n".join(item.key).encode()).hexdigest()[:24]
