"""A shell may close stdout or stderr, and a reader may go: the work is done, the exit code says so, and no traceback is
left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from masque.image import read_picture


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A line of bash in which `masque` is the command; its exit code is the command's own, also before a pipe."""
    program = f'masque() {{ "{sys.executable}" -m masque "$@"; }}\n{line}\nexit ${{PIPESTATUS[0]}}'
    return subprocess.run(
        ["bash", "-c", program], cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(puppet_files, tmp_path_factory):
    made = tmp_path_factory.mktemp("streams")
    (made / "anna.png").write_bytes(puppet_files[1].read_bytes())
    return made


@pytest.mark.parametrize(
    "ending",
    ["2>&-", "| true", *(pytest.param(e, marks=pytest.mark.slow) for e in (">&-", "<&- >&- 2>&-", "2>&1 | true"))],
)
def test_the_work_is_done_though_nobody_listens(ending, folder):
    out = folder / "out.png"
    out.unlink(missing_ok=True)
    done = run(f"masque heatmap anna.png anna.png -o out.png {ending}", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert read_picture(out).shape == read_picture(folder / "anna.png").shape
    assert sorted(p.name for p in folder.iterdir()) == ["anna.png", "out.png"]


@pytest.mark.parametrize("ending", [">&-", "2>&-", ">&- 2>&-", "| true", "2>&1 | true"])
def test_a_failure_keeps_its_code(ending, folder):
    failed = run(f"masque faces gone.png {ending}", folder)
    assert failed.returncode == 1
    assert failed.stdout == ""
    if "2>" in ending:
        assert failed.stderr == ""
    else:
        assert failed.stderr == "There is no file gone.png: check the name.\n"


def test_wrong_usage_keeps_its_code(folder):
    wrong = run("masque faces 2>&-", folder)
    assert (wrong.returncode, wrong.stdout, wrong.stderr) == (2, "", "")


@pytest.mark.parametrize("line", ["masque swap --help | true", "masque --version >&-"])
def test_help_and_version_may_go_unread(line, folder):
    done = run(line, folder)
    assert (done.returncode, done.stderr) == (0, "")
