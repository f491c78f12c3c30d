"""One writer at a time: who is refused, and that nothing but a living writer keeps anybody out."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import locking
import pytest

from masque import modelfile, output, runs
from masque.data.journal import PrepareSettings
from masque.data.prepare import prepare
from masque.errors import OutputError
from masque.lock import NAME, left_behind, only_writer, remove_unfinished

BUSY = r"Something else is writing into .*: wait until it has ended, or name another folder\.$"


def test_the_second_is_refused_and_told_who_is_first(tmp_path):
    with (
        only_writer(tmp_path),
        pytest.raises(OutputError, match=rf"\(process {os.getpid()} on .*\): wait"),
        only_writer(tmp_path),
    ):
        pass
    with only_writer(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert not list(tmp_path.iterdir())


def test_threads_keep_each_other_out(tmp_path):
    inside, together, refused = [], [], []
    ready = threading.Barrier(8)

    def write() -> None:
        for _ in range(50):
            ready.wait()
            try:
                with only_writer(tmp_path):
                    inside.append(1)
                    together.append(len(inside))
                    inside.pop()
            except OutputError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(together) == {1}
    assert len(together) + len(refused) == 400
    assert not list(tmp_path.iterdir())


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of tmp_path/run, and its number and that of a process that it has forked."""
    command = [sys.executable, locking.__file__, str(tmp_path / "run")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        own, child = map(int, process.stdout.readline().split())
        try:
            yield process, own, child
        finally:
            process.kill()
            os.kill(child, signal.SIGKILL)


def test_a_killed_writer_keeps_nobody_out_though_its_children_live(holder, tmp_path):
    process, own, child = holder
    run = tmp_path / "run"
    with pytest.raises(OutputError, match=rf"\(process {own} on .*\): wait until"), only_writer(run):
        pass
    process.kill()
    process.wait()
    os.kill(child, 0)  # lives
    assert (run / NAME).exists()
    with only_writer(run):
        pass
    assert not list(run.iterdir())


def test_a_folder_that_was_made_for_nothing_goes_again(tmp_path):
    with pytest.raises(ZeroDivisionError), only_writer(tmp_path / "new"):
        raise ZeroDivisionError
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    with only_writer(tmp_path / "old"), only_writer(tmp_path / "new"):
        (tmp_path / "new" / "file").touch()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "new", "old"]


def test_what_is_left_behind(tmp_path):
    for name in (".state-1.ckpt.12.part", ".x.part", NAME, "state-1.ckpt", "part"):
        (tmp_path / name).touch()
    (tmp_path / ".folder.part").mkdir()
    assert {path.name for path in tmp_path.iterdir() if not left_behind(path)} == {"state-1.ckpt", "part"}
    remove_unfinished(tmp_path.glob(".*.part"))
    assert {path.name for path in tmp_path.iterdir()} == {NAME, "state-1.ckpt", "part", ".folder.part"}


@pytest.mark.parametrize("there", [True, False])
def test_without_locks_it_is_said_and_nobody_is_kept_out(tmp_path, monkeypatch, caplog, there):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(output.fcntl, "flock", refuse) if there else monkeypatch.setattr(output, "fcntl", None)
    with only_writer(tmp_path):
        pass
    (record,) = caplog.records
    assert record.getMessage() == f"The system has no lock for {tmp_path}: let nothing else write into it meanwhile."


def test_places_that_cannot_be_locked(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file could not be written \(.*\): "), only_writer(tmp_path / "file"):
        pass
    (tmp_path / NAME).mkdir()
    with pytest.raises(OutputError, match="could not be written"), only_writer(tmp_path):
        pass


def test_what_a_lock_file_says_is_made_safe(tmp_path):
    with only_writer(tmp_path):
        (tmp_path / NAME).write_bytes(b"\x1b[2J\xff" + b"x" * 10**6)
        with pytest.raises(OutputError) as caught, only_writer(tmp_path):
            pass
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_every_command_that_fills_a_folder_is_its_only_writer(tmp_path, puppet_files, model_folder):
    """Refused at once, and the folder is as it was."""
    plan = runs.plan("attributes", "tiny", [], {"steps": 1, "batch_size": 4})
    for work in (
        lambda out: runs.train(plan, ["puppets:24"], out, accelerator="cpu"),
        lambda out: prepare(puppet_files[0].parent, out, PrepareSettings(size=32), workers=1),
        lambda out: modelfile.pack(model_folder, out),
    ):
        out = tmp_path / "out"
        with only_writer(out):
            with pytest.raises(OutputError, match=BUSY):
                work(out)
            assert [path.name for path in out.iterdir()] == [NAME]
        out.mkdir()
        (out / NAME).write_text("process 1 on another machine\n")  # left behind: harmless
        work(out)
        assert not (out / NAME).exists()
        out.rename(tmp_path / f"done{len(list(tmp_path.iterdir()))}")


def test_a_run_can_be_read_while_it_is_written(tmp_path, model_folder):
    run: Path = tmp_path / "run"
    modelfile.pack(model_folder, run / "model")
    with only_writer(run):
        assert modelfile.read(run).family == "rsgan"
