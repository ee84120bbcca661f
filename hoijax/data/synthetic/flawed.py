"""A tree of good and flawed copies of scenes, each with a note of what was done to it: to try and to teach judges.

Every copy is a sample folder like any other; `made_up.json` beside its files names the scene that it is of and its flaw.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hoijax.data.atomic import new_folder
from hoijax.data.layout import find_samples
from hoijax.data.read import load_sample
from hoijax.data.sample import SampleError
from hoijax.data.strict_json import save_json
from hoijax.data.synthetic.flaws import Flaw, bare, flaws, with_flaw
from hoijax.data.write import write_sample

NOTE_FILE = "made_up.json"
ABOUT = "A copy of a scene, made by a program. A flaw, where one is named, was put in on purpose."


class Note(NamedTuple):
    """What a copy is: the name of the scene it is of, its flaw (None of a good one), and the seed that drew it."""

    source: str
    flaw: Flaw | None
    seed: int = 0


class Job(NamedTuple):
    """A copy to make: of the scene in `folder`, under `name`; `copy` counts those of one scene, 0 is the good one."""

    folder: Path
    source: str
    name: str
    copy: int


def copies(tree: Path, each: int) -> list[Job]:
    """A good copy and `each` flawed ones of every scene of a tree. Raises SampleError where it has none, or where some are
    copies themselves: their flaws would pass for good, and their scene would be in two splits."""
    found = []
    for folder in find_samples(tree):
        if (folder / NOTE_FILE).is_file():
            raise SampleError(folder, "is a copy already, expected scenes without known flaws")
        source = folder.relative_to(tree).as_posix()
        found += [Job(folder, source, copy_name(source, copy), copy) for copy in range(each + 1)]
    if not found:
        raise SampleError(tree, "holds no sample folder")
    return found


def copy_name(source: str, copy: int) -> str:
    """Where a copy lies in its tree: category and action stay readable, <category>/<action>_<number><copy, two digits>."""
    numbered = re.fullmatch(r"(.*_\d+)", source)
    return f"{source}{copy:02d}" if numbered else f"{source}_{copy:02d}"


def make_copy(job: Job, tree: Path, seed: int = 0) -> Note:
    """Writes the copy into `tree`, whole or not at all; one that is there is left as it is. Returns its note,
    whose `seed` tells whether it is the one that was asked for.

    Which flaw it has follows from the scene's name, `copy` and `seed`; of flaws that this scene cannot have another is
    taken, so two copies of one scene may have the same.
    Raises: SampleError where the scene cannot be read.
    """
    if (tree / job.name).exists():
        return load_note(tree / job.name)
    sample = load_sample(job.folder)
    found, flaw = bare(sample), None
    if job.copy:
        order = np.random.default_rng([seed, *job.source.encode()]).permutation(len(flaws()))
        for k in np.roll(by_reason(order), 1 - job.copy):
            flaw = flaws()[int(k)]
            try:
                found = with_flaw(sample, flaw, np.random.default_rng([seed, job.copy, *job.source.encode()]))
                break
            except ValueError:
                continue
        else:
            raise SampleError(job.folder, "cannot have any of the flaws")
    with new_folder(tree / job.name) as part:
        write_sample(found, part)
        told = {"source": job.source, "flaw": None if flaw is None else flaw._asdict(), "seed": seed}
        save_json(part / NOTE_FILE, {"about": ABOUT, **told})
    return Note(job.source, flaw, seed)


def by_reason(order: Sequence[int] | np.ndarray) -> list[int]:
    """The flaws of `order` such that each (person or object, reason) has had a turn before one comes again: reasons with
    many ways are not drawn more often than those with few."""
    waiting = [int(k) for k in order]
    found: list[int] = []
    while waiting:
        seen: set[tuple[str, str]] = set()
        for k in list(waiting):
            flaw = flaws()[k]
            if (flaw.who, flaw.reason) not in seen:
                seen.add((flaw.who, flaw.reason))
                found.append(k)
                waiting.remove(k)
    return found


def load_note(folder: Path) -> Note:
    """The note of a copy. Raises SampleError where there is none, or it is none of this program's."""
    path = folder / NOTE_FILE
    try:
        record = json.loads(path.read_text())
        flaw = record["flaw"]
        return Note(str(record["source"]), None if flaw is None else Flaw(**flaw), int(record.get("seed", 0)))
    except FileNotFoundError:
        raise SampleError(folder, f"holds no {NOTE_FILE}, so it is no copy that this program made") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SampleError(path, f"cannot be understood ({error!r})") from error


def foreign(tree: Path) -> Iterator[Path]:
    """The sample folders of a tree that are no copies made here."""
    return (folder for folder in find_samples(tree) if not (folder / NOTE_FILE).is_file())
