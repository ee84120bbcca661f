"""The contract against a model that fails in every way: real processes, real files."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from third_party_wrappers.contract import Job, Tool, import_existing, problems, run

TOOL = Tool(python=sys.executable, device="cpu")


def jobs_of(photograph, tmp_path: Path, *acts: str) -> list[Job]:
    return [
        Job({"image": photograph(f"{number}.jpg", seed=number)}, tmp_path / "out" / str(number), {"act": act})
        for number, act in enumerate(acts)
    ]


def assert_nothing_half(tmp_path: Path, done: int) -> None:
    """Only finished folders and logs stand in the place."""
    out = tmp_path / "out"
    names = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    assert not [name for name in names if name.startswith(".")]
    folders = [out / name for name in names if (out / name).is_dir()]
    assert len(folders) == done
    assert all({path.name for path in folder.iterdir()} == {"depth.npy", "run.json", "log.txt"} for folder in folders)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(true, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def test_a_job_makes_a_folder_with_outputs_log_and_record(photograph, stand_in, tmp_path):
    [job] = jobs_of(photograph, tmp_path, "well")
    heard = []
    [outcome] = run(stand_in, TOOL, [job], progress=heard.append)
    assert (outcome.state, outcome.error) == ("done", None)
    assert heard == [outcome]
    assert (np.load(job.out / "depth.npy") == 2).all()
    log = (job.out / "log.txt").read_text()
    assert "loading" in log
    assert "job 0.jpg: well" in log
    record = json.loads((job.out / "run.json").read_text())
    assert record["command"][:2] == [sys.executable, str(stand_in.main)]
    assert record["options"] == {"act": "well", "scale": 1.0, "note": ""}
    assert len(record["inputs"]["image"]["sha256"]) == 64
    assert_nothing_half(tmp_path, 1)


def test_one_process_serves_all_and_what_is_wrong_fails_alone(photograph, stand_in, tmp_path):
    acts = ("well", "nothing", "half", "small", "double", "nan", "well", "well")
    jobs = jobs_of(photograph, tmp_path, *acts)
    jobs[6].inputs["image"].write_bytes(b"\xff\xd8 no picture")
    outcomes = run(stand_in, TOOL, jobs)
    assert [outcome.state for outcome in outcomes] == ["done", *["failed"] * 6, "done"]
    said = ["was not written", "not a readable .npy", "expected the image's 48x32", "float64", "not finite", "6.jpg"]
    for outcome, words in zip(outcomes[1:7], said):
        assert words in outcome.error
        assert Path(f"{outcome.job.out}.log").is_file()
    last = (jobs[7].out / "log.txt").read_text()
    assert last.count("loading") == 1
    assert "job 7.jpg" in last
    assert "job 0.jpg" not in last
    assert_nothing_half(tmp_path, 2)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("crash", "killed by SIGABRT"),
        ("exit", "ended with exit code 0"),
        ("memory", "out of memory: RuntimeError"),
        ("poison", "device-side assert"),
    ],
)
def test_after_a_process_is_lost_the_others_go_on_in_a_new_one(photograph, stand_in, tmp_path, act, words):
    jobs = jobs_of(photograph, tmp_path, "well", act, "well", act, "well")
    outcomes = run(stand_in, TOOL, jobs)
    assert [outcome.state for outcome in outcomes] == ["done", "failed", "done", "failed", "done"]
    assert words in outcomes[1].error
    assert f"job 1.jpg: {act}" in Path(f"{jobs[1].out}.log").read_text()
    assert_nothing_half(tmp_path, 3)


def test_a_hang_is_ended_with_all_its_children_and_the_rest_goes_on(photograph, stand_in, tmp_path):
    jobs = jobs_of(photograph, tmp_path, "well", "hang", "well")
    jobs[1].options["note"] = str(tmp_path / "pids")
    outcomes = run(stand_in, replace(TOOL, time_limit=2.0), jobs)
    assert [outcome.state for outcome in outcomes] == ["done", "failed", "done"]
    assert "hung: no job was finished within 2 s" in outcomes[1].error
    for pid in (tmp_path / "pids").read_text().split():
        assert wait_until(lambda pid=int(pid): not alive(pid)), f"process {pid} is still there"
    assert_nothing_half(tmp_path, 2)


@pytest.mark.parametrize(
    ("device", "words"), [("broken", "No module named 'wonderful'"), ("asleep", "hung: no job was finished")]
)
def test_a_model_that_does_not_load_fails_all_jobs_in_one_process(photograph, stand_in, tmp_path, device, words):
    jobs = jobs_of(photograph, tmp_path, "well", "well", "well")
    outcomes = run(stand_in, replace(TOOL, device=device, time_limit=1.5), jobs)
    assert [outcome.state for outcome in outcomes] == ["failed"] * 3
    assert all(words in outcome.error and "before its first job" in outcome.error for outcome in outcomes)
    assert all(Path(f"{job.out}.log").is_file() for job in jobs)
    assert_nothing_half(tmp_path, 0)


@pytest.mark.parametrize(
    "content", ["", "print('hello')", "raise SystemExit(3)", "print('{}'); print('[1]'); import os; os.close(1)"]
)
def test_a_program_that_is_no_main_is_told_from_a_model(photograph, stand_in, tmp_path, content):
    main = tmp_path / "main.py"
    main.write_text(content)
    [outcome] = run(replace(stand_in, main=main), TOOL, jobs_of(photograph, tmp_path, "well"))
    assert outcome.state == "failed"
    assert f"ended with exit code {3 if 'Exit' in content else 0} before its first job" in outcome.error
    assert "hello" in outcome.error or "hello" not in content


def test_a_python_that_is_no_program_fails_all_jobs(photograph, stand_in, tmp_path):
    python = tmp_path / "python"
    python.write_bytes(b"\0 no program")
    python.chmod(0o755)
    outcomes = run(stand_in, replace(TOOL, python=str(python)), jobs_of(photograph, tmp_path, "well", "well"))
    assert [outcome.state for outcome in outcomes] == ["failed"] * 2
    assert all(f"{python} cannot be started (Exec format error)" in outcome.error for outcome in outcomes)
    assert_nothing_half(tmp_path, 0)


def test_what_is_missing_is_said_before_anything_starts(photograph, stand_in, tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    needy = replace(stand_in, needs_checkpoint=True, repository_files=("run.py",))
    cases = [
        (Tool(), "no python given"),
        (replace(TOOL, python=str(tmp_path / "python")), "is not there or cannot be run"),
        (TOOL, "no repository given"),
        (replace(TOOL, repository=tmp_path / "gone"), "gone is not there"),
        (replace(TOOL, repository=repository), "has no run.py"),
        (TOOL, "no checkpoint given"),
        (replace(TOOL, checkpoint=tmp_path / "weights"), "weights is not there"),
    ]
    for tool, words in cases:
        [outcome] = run(needy, tool, jobs_of(photograph, tmp_path, "well"))
        assert outcome.state == "failed"
        assert words in outcome.error
        assert any(words in problem for problem in problems(needy, tool))
    assert not (tmp_path / "out").exists()
    assert problems(stand_in, TOOL) == []
    assert "wonderful cannot be imported" in problems(replace(stand_in, modules=lambda tool: ("wonderful",)), TOOL)[0]
    assert problems(replace(stand_in, needs_gpu=True), TOOL) == ["no GPU seen, and it needs one"]
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 4\n")
    broken.chmod(0o755)
    assert "does not run" in problems(stand_in, replace(TOOL, python=str(broken)))[0]


def test_jobs_that_ask_wrongly_fail_alone(photograph, stand_in, tmp_path):
    good, unknown, absent, extra, odd, nowhere = jobs_of(photograph, tmp_path, *["well"] * 6)
    nowhere = nowhere._replace(out=nowhere.inputs["image"] / "below" / "a file")
    unknown = unknown._replace(options={"speed": 3})
    absent = absent._replace(inputs={"image": tmp_path / "gone.jpg"})
    extra = extra._replace(inputs={**extra.inputs, "mask": tmp_path / "mask.png"})
    odd = odd._replace(options={"act": tmp_path})
    outcomes = run(stand_in, TOOL, [good, unknown, absent, extra, odd, nowhere])
    assert [outcome.state for outcome in outcomes] == ["done", *["failed"] * 5]
    said = ["no option speed", "gone.jpg, cannot be read", "got the inputs", "JSON", "5.jpg is no folder"]
    for outcome, words in zip(outcomes[1:], said):
        assert words in outcome.error
    with pytest.raises(ValueError, match="several jobs write to"):
        run(stand_in, TOOL, [good, good])


def test_what_is_there_is_not_done_again(photograph, stand_in, tmp_path):
    [job] = jobs_of(photograph, tmp_path, "well")
    assert run(stand_in, TOOL, [job])[0].state == "done"
    made = (job.out / "run.json").stat().st_mtime_ns
    assert run(stand_in, TOOL, [job])[0].state == "cached"
    assert run(stand_in, Tool(), [job])[0].state == "cached"  # needs no model at all
    assert (job.out / "run.json").stat().st_mtime_ns == made

    photograph("0.jpg", seed=7)
    assert run(stand_in, TOOL, [job])[0].state == "done"  # another image, made anew
    listed = job._replace(options={"note": ("a", 1)}, out=tmp_path / "out" / "listed")
    assert [run(stand_in, TOOL, [listed])[0].state for _ in range(2)] == ["done", "cached"]  # JSON knows no tuples
    doubled = job._replace(options={"scale": 2.0})
    [refused] = run(stand_in, TOOL, [doubled])
    assert refused.state == "failed"
    assert "scale is now 2.0, was 1.0" in refused.error
    assert run(stand_in, TOOL, [job])[0].state == "cached"
    assert run(stand_in, TOOL, [doubled], overwrite=True)[0].state == "done"
    assert (np.load(job.out / "depth.npy") == 4).all()
    assert_nothing_half(tmp_path, 2)


def test_another_tool_or_damage_or_a_foreign_folder_is_no_hit(photograph, stand_in, tmp_path):
    [job] = jobs_of(photograph, tmp_path, "well")
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"one")
    tool = replace(TOOL, checkpoint=weights)
    assert run(stand_in, tool, [job])[0].state == "done"
    weights.write_bytes(b"two")
    assert "another checkpoint" in run(stand_in, tool, [job])[0].error
    assert "schema is now 2" in run(replace(stand_in, schema=2), tool, [job])[0].error
    assert run(stand_in, tool, [job], overwrite=True)[0].state == "done"
    np.save(job.out / "depth.npy", np.zeros((32, 48), np.float32))
    assert "not above 0" in run(stand_in, tool, [job])[0].error
    (job.out / "run.json").write_text("{}")
    assert "no readable run.json" in run(stand_in, tool, [job])[0].error
    (job.out / "run.json").write_text('{"schema": 1}')
    assert "not one of ours" in run(stand_in, tool, [job])[0].error
    [failed] = run(stand_in, tool, [job._replace(options={"act": "nan"})], overwrite=True)
    assert failed.state == "failed"
    assert job.out.is_dir()  # what was there stays when the new one fails
    elsewhere = job._replace(out=tmp_path / "file")
    elsewhere.out.write_text("mine")
    assert "no readable run.json" in run(stand_in, tool, [elsewhere])[0].error
    assert elsewhere.out.read_text() == "mine"
    assert run(stand_in, tool, [elsewhere], overwrite=True)[0].state == "done"
    assert not list(tmp_path.glob(".file*"))


def test_the_folder_of_another_wrapper_is_not_replaced_by_itself(photograph, stand_in, tmp_path):
    """Its inputs have other names here, so they are no hint of what it is."""
    [job] = jobs_of(photograph, tmp_path, "well")
    mask = photograph("mask.png")
    wide = replace(stand_in, name="wide", inputs=("image", "mask"))
    assert run(wide, TOOL, [job._replace(inputs={**job.inputs, "mask": mask})])[0].state == "done"
    before = (job.out / "run.json").read_bytes()
    np.save(tmp_path / "mine.npy", np.ones((32, 48), np.float32))
    for refused in (
        run(stand_in, TOOL, [job])[0],
        import_existing(stand_in, {"depth.npy": tmp_path / "mine.npy"}, job),
    ):
        assert refused.state == "failed"
        assert str(job.out) in refused.error
        assert "it is of wide" in refused.error or "run.json of standin" in refused.error
        assert (job.out / "run.json").read_bytes() == before
    assert run(stand_in, TOOL, [job], overwrite=True)[0].state == "done"
    assert import_existing(stand_in, {"depth.npy": tmp_path / "mine.npy"}, job).state == "done"  # its own folder


@pytest.mark.parametrize("name", ["thesis.txt", "run.json", ""])
def test_an_import_leaves_a_folder_alone_that_is_none_of_ours(photograph, stand_in, tmp_path, name):
    [job] = jobs_of(photograph, tmp_path, "well")
    mine = job.out / name
    mine.parent.mkdir(parents=True)
    mine.write_text('{"mine": 1}')
    np.save(tmp_path / "depth.npy", np.ones((32, 48), np.float32))
    outcome = import_existing(stand_in, {"depth.npy": tmp_path / "depth.npy"}, job)
    assert outcome.state == "failed"
    assert f"{job.out} is there and has no readable run.json of standin; remove it first" in outcome.error
    assert mine.read_text() == '{"mine": 1}'
    assert [path.name for path in job.out.parent.iterdir()] == [job.out.name]


def test_a_repository_is_told_by_its_commit(photograph, stand_in, tmp_path):
    repository = tmp_path / "repository"
    git = ["git", "-C", str(repository), "-c", "user.name=n", "-c", "user.email=e"]
    repository.mkdir()
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    [job] = jobs_of(photograph, tmp_path, "well")
    tool = replace(TOOL, repository=repository)
    assert run(stand_in, tool, [job])[0].state == "done"
    assert len(json.loads((job.out / "run.json").read_text())["tool"]["repository"]) == 40
    assert run(stand_in, tool, [job])[0].state == "cached"
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "two"], check=True)
    assert "another repository" in run(stand_in, tool, [job])[0].error


def test_dry_run_prints_the_command_and_does_nothing(photograph, stand_in, tmp_path, capsys):
    jobs = jobs_of(photograph, tmp_path, "well", "well")
    outcomes = run(stand_in, replace(TOOL, checkpoint=tmp_path / "my weights"), jobs, dry_run=True)
    assert [outcome.state for outcome in outcomes] == ["dry", "dry"]
    printed = capsys.readouterr().out
    assert str(stand_in.main) in printed
    assert "my weights'" in printed
    assert not (tmp_path / "out").exists()
    assert run(stand_in, Tool(), jobs, dry_run=True)[0].state == "dry"
    assert "<standin_python>" in capsys.readouterr().out


def test_outputs_that_the_user_has_are_checked_copied_and_found_again(photograph, stand_in, tmp_path):
    [job] = jobs_of(photograph, tmp_path, "well")
    mine = tmp_path / "mine.npy"
    np.save(mine, np.full((32, 48), 3.0, np.float32))
    assert import_existing(stand_in, {"depth.npy": mine}, job).state == "done"
    assert import_existing(stand_in, {"depth.npy": mine}, job).state == "cached"
    assert json.loads((job.out / "run.json").read_text())["imported"] is True
    for options in ({}, {"scale": 5.0}):  # no options change what the user gave
        assert run(stand_in, TOOL, [job._replace(options=options)])[0].state == "cached"
    photograph("0.jpg", seed=9)
    assert "imported files for other inputs" in run(stand_in, TOOL, [job])[0].error

    np.save(mine, np.full((31, 48), 3.0, np.float32))
    bad = import_existing(stand_in, {"depth.npy": mine}, job)
    assert bad.state == "failed"
    assert "expected the image's 48x32" in bad.error
    assert "expected depth.npy" in import_existing(stand_in, {"deep.npy": mine}, job).error
    assert "cannot be copied" in import_existing(stand_in, {"depth.npy": tmp_path / "gone.npy"}, job).error
    assert (
        "cannot be read"
        in import_existing(stand_in, {"depth.npy": mine}, job._replace(inputs={"image": tmp_path})).error
    )
    assert (np.load(job.out / "depth.npy") == 3).all()
    assert_nothing_half(tmp_path, 1)


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from third_party_wrappers import checks
from third_party_wrappers.contract import Job, Tool, Wrapper, run
wrapper = Wrapper("standin", "", Path(sys.argv[2]), ("image",), lambda job: {"depth.npy": checks.depth_npy},
                  {"act": "", "scale": 1.0, "note": ""}, lambda tool: (), "", needs_checkpoint=False)
image, out, note = map(Path, sys.argv[3:])
acts = [("a", "well"), ("b", "hang"), ("c", "well")]
jobs = [Job({"image": image}, out / name, {"act": act, "note": str(note)}) for name, act in acts]
run(wrapper, Tool(python=sys.executable), jobs)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_when_we_are_ended_the_model_ends_too(photograph, stand_in, tmp_path, how):
    note, out = tmp_path / "pids", tmp_path / "out"
    root = Path(__file__).resolve().parents[2]
    words = [str(root), str(stand_in.main), str(photograph()), str(out), str(note)]
    ours = subprocess.Popen([sys.executable, "-c", PROGRAM, *words], stderr=subprocess.DEVNULL)
    assert wait_until(lambda: note.is_file() and len(note.read_text().split()) == 2 and (out / "a").is_dir())
    pids = [int(pid) for pid in note.read_text().split()]
    assert all(alive(pid) for pid in pids)
    os.kill(ours.pid, how)
    assert ours.wait(30) != 0
    assert wait_until(lambda: not any(alive(pid) for pid in pids))
    if how == signal.SIGINT:  # the others leave no time to tidy up
        assert_nothing_half(tmp_path, 1)
    assert not (out / "b").exists()
    assert not (out / "c").exists()


def test_a_callback_that_raises_leaves_no_process(photograph, stand_in, tmp_path):
    jobs = jobs_of(photograph, tmp_path, "well", "hang")
    jobs[1].options["note"] = str(tmp_path / "pids")

    def stop(outcome):
        assert wait_until((tmp_path / "pids").is_file)
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough") as held:  # with its traceback, which keeps our frames alive
        run(stand_in, TOOL, jobs, progress=stop)
    assert held.traceback
    assert wait_until(lambda: not any(alive(int(pid)) for pid in (tmp_path / "pids").read_text().split()))
    assert_nothing_half(tmp_path, 1)
