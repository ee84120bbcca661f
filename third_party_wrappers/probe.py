"""What a wrapper finds on this machine: its python, its files, its modules, a GPU."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from third_party_wrappers.declare import Tool, Wrapper
from third_party_wrappers.process import environment

LIMIT = 180.0  # seconds to import a model's modules

# Run by the model's python: which modules import, in which version, and whether torch sees a GPU.
QUESTION = """
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
        found[name] = [True, str(getattr(module, "__version__", ""))]
    except BaseException as error:
        found[name] = [False, type(error).__name__ + ": " + " ".join(str(error).split())[:200]]
try:
    import torch
    gpu = bool(torch.cuda.is_available())
except BaseException:
    gpu = None
sys.__stdout__.write("\\n" + json.dumps({"python": sys.version.split()[0], "modules": found, "gpu": gpu}) + "\\n")
"""


class Found(NamedTuple):
    """What is there and what is not; no problems means usable. `gpu` is None where nobody could be asked."""

    problems: list[str]
    versions: dict[str, str]
    gpu: bool | None


def missing(wrapper: Wrapper, tool: Tool) -> list[str]:
    """What is missing as far as a look at the files tells; no process is started."""
    found = []
    if tool.python is None:
        found.append(f"no python given (--{wrapper.name}_python)")
    elif shutil.which(tool.python) is None:
        found.append(f"python {tool.python} is not there or cannot be run")
    if wrapper.repository_files:
        found += _missing_repository(wrapper, tool)
    if tool.checkpoint is not None and not os.path.exists(tool.checkpoint):
        found.append(f"checkpoint {tool.checkpoint} is not there")
    if tool.checkpoint is None and wrapper.needs_checkpoint:
        found.append(f"no checkpoint given (--{wrapper.name}_checkpoint)")
    return found


def probe(wrapper: Wrapper, tool: Tool) -> Found:
    """Asks the environment too: starts its python once and imports what the wrapper needs."""
    found = missing(wrapper, tool)
    if tool.python is None or shutil.which(tool.python) is None:
        return Found(found, {}, None)
    try:
        said = subprocess.run(
            [tool.python, "-c", QUESTION, *wrapper.modules(tool)],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env=environment(tool.device),
            stdin=subprocess.DEVNULL,
            check=True,
        )
        answer = json.loads(said.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return Found(
            [*found, f"python {tool.python} did not import {', '.join(wrapper.modules(tool))} in {LIMIT:g} s"], {}, None
        )
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return Found([*found, f"python {tool.python} does not run ({error})"], {}, None)
    versions = {"python": answer["python"]}
    for name, (works, told) in answer["modules"].items():
        if works:
            versions[name] = told
        else:
            found.append(f"{name} cannot be imported by python {answer['python']} there ({told})")
    if not answer["gpu"] and (tool.device.startswith("cuda") or wrapper.needs_gpu):
        found.append("no GPU seen, and it needs one")
    return Found(found, versions, answer["gpu"])


def _missing_repository(wrapper: Wrapper, tool: Tool) -> list[str]:
    if tool.repository is None:
        return [f"no repository given (--{wrapper.name}_repository)"]
    if not os.path.isdir(tool.repository):
        return [f"repository {tool.repository} is not there"]
    lacking = [name for name in wrapper.repository_files if not Path(tool.repository, name).exists()]
    return [f"repository {tool.repository} has no {', '.join(lacking)}"] if lacking else []
