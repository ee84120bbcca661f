"""Who replies in the task HOI understanding: PointLLM and Qwen2.5 through their wrappers, or the nearest labelled cloud."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from hoijax.data.atomic import save_bytes
from hoijax.data.read import load_sample
from hoijax.data.sample import SampleError
from hoijax.tasks.understanding import nearest
from hoijax.tasks.understanding.answers import Reply
from hoijax.tasks.understanding.clouds import UPRIGHT, CloudOptions, sample_cloud
from hoijax.tasks.understanding.run import Asked, Engine, Labelled, Tell, labelled_samples
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


def nearest_cloud(samples: Sequence[Labelled], options: CloudOptions, reference: Path | None) -> Engine:
    """Says the words of the nearest labelled cloud: of the tree `reference`, or of the other samples."""

    def do(every: Sequence[Asked], tell: Tell) -> None:
        found, wrong = _numbers(samples, options)
        if reference is not None:
            own = {sample.folder.resolve() for sample in samples}
            others = labelled_samples(reference, lambda why: tqdm.write(why, file=sys.stderr))
            others = [sample for sample in others if sample.folder.resolve() not in own]
            described, unread = _numbers(others, options)
            for why in unread.values():
                tqdm.write(f"--reference: {why}", file=sys.stderr)
            known = _gathered(others, described)
        else:
            known = _gathered(samples, found)
        for item in every:
            name = item.labelled.name
            if name in wrong:
                tell(item.key, Reply((), wrong[name]))
                continue
            told = {"object": item.labelled.object, "action": item.labelled.action}
            without = name if reference is None else None
            tell(item.key, Reply(nearest.answer(known, found[name], item.question, told, without)))

    return do


def _numbers(
    samples: Sequence[Labelled], options: CloudOptions
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, str]]:
    """What tells each sample's cloud, by the sample's name; and why those that cannot be read have nothing."""
    up = int(np.abs(UPRIGHT[options.up][:, 1]).argmax())
    found, wrong = {}, {}
    for sample in tqdm(samples, "clouds", unit="sample", leave=False):
        try:
            found[sample.name] = nearest.features(sample_cloud(load_sample(sample.folder), options), up)
        except SampleError as error:
            wrong[sample.name] = str(error)
    return found, wrong


def _gathered(samples: Sequence[Labelled], found: dict[str, dict[str, np.ndarray]]) -> nearest.Reference:
    """The labelled clouds to compare with. Raises ValueError where there are none."""
    kept = [sample for sample in samples if sample.name in found]
    if not kept:
        raise ValueError("none of the labelled samples can be read, so there is nothing to compare with")
    words = [sample.object for sample in kept], [sample.action for sample in kept]
    return nearest.reference([sample.name for sample in kept], *words, [found[sample.name] for sample in kept])


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
