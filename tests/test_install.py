"""What was installed, what would be shipped, and what importing costs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement
from packaging.version import Version

import masque
from masque.catalog import CATALOG, SHIPPED

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MEGABYTES_TO_SHIP = 150


def unwanted_beside_cpu_torch(names: Iterable[str]) -> list[str]:
    """Packages that break a machine without an accelerator (torchvision) or fill its disk (NVIDIA's)."""
    return sorted(name for name in names if re.match(r"torchvision|nvidia|cuda|triton", name.lower().replace("_", "-")))


def test_neither_torchvision_nor_nvidia_packages_came_in() -> None:
    if torch.version.cuda is not None:
        pytest.skip("this torch is built for CUDA, which brings NVIDIA's packages")
    assert unwanted_beside_cpu_torch(d.name for d in metadata.distributions()) == []


def test_the_check_knows_what_it_looks_for() -> None:
    names = [
        "torch",
        "torchmetrics",
        "numpy",
        "torchvision",
        "nvidia-cublas-cu12",
        "nvidia_nccl_cu13",
        "cuda-bindings",
        "triton",
    ]
    assert unwanted_beside_cpu_torch(names) == [
        "cuda-bindings",
        "nvidia-cublas-cu12",
        "nvidia_nccl_cu13",
        "torchvision",
        "triton",
    ]


@pytest.mark.parametrize("requirement", list(map(Requirement, PROJECT["dependencies"])), ids=str)
def test_what_is_installed_lies_within_the_bounds(requirement: Requirement) -> None:
    assert requirement.specifier.contains(metadata.version(requirement.name), prereleases=True)
    assert {s.operator for s in requirement.specifier} == {">=", "<"}, "a bound on one side only"


def test_torch_is_bounded_as_it_must_be() -> None:
    (bound,) = (r.specifier for r in map(Requirement, PROJECT["dependencies"]) if r.name == "torch")
    assert Version("2.11.0") in bound
    assert Version("2.13.9") in bound
    assert Version("2.10.9") not in bound
    assert Version("2.14.0") not in bound
    for line in (ROOT / "Makefile").read_text().splitlines():
        for asked in re.findall(r"'(torch[^']*)'", line):
            assert Requirement(asked).specifier == bound


def test_the_version_stands_in_one_way_only() -> None:
    assert masque.__version__ == PROJECT["version"] == metadata.version("masque")


def test_the_command_is_installed() -> None:
    (script,) = (e for e in metadata.entry_points(group="console_scripts") if e.name == "masque")
    assert script.value == PROJECT["scripts"]["masque"] == "masque.cli.main:main"
    assert callable(script.load())


def test_a_wheel_holds_weights_cards_and_the_marker_of_types(tmp_path: Path) -> None:
    """Built from a copy with a model folder of its own, so that it does not matter which weights are there today."""
    if Version(metadata.version("setuptools")) < Version("77"):
        pytest.skip("this environment's setuptools is older than the one that pyproject.toml builds with")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(
        ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("weights", "*.egg-info", "__pycache__")
    )
    model = tmp_path / "src" / "masque" / "weights" / "rsgan"
    model.mkdir(parents=True)
    for name in ("weights.safetensors", "config.json", "card.md"):
        (model / name).write_text("{}")
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(tmp_path / 'dist')!r})"
    (tmp_path / "dist").mkdir()
    done = subprocess.run([sys.executable, "-c", build], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"masque/weights/rsgan/{name}" for name in ("weights.safetensors", "config.json", "card.md")} <= set(names)
    assert {"masque/py.typed", "masque/cli/main.py"} <= set(names)


def test_what_ships_is_small_and_is_a_model_with_a_card() -> None:
    shipped = [p for p in SHIPPED.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in shipped) <= MEGABYTES_TO_SHIP * 1e6
    for folder in {p.parent for p in shipped}:
        assert {p.name for p in folder.iterdir()} == {"weights.safetensors", "config.json", "card.md"}
        assert folder.parent == SHIPPED
        assert folder.name in CATALOG
        assert len((folder / "card.md").read_text(encoding="utf-8")) > 200
