"""What many tests need: photos that may lie in a repository, tiny models, and the real pictures where they are at
hand."""

from __future__ import annotations

import os

# Before torch is imported, and for the processes that tests start: workers of pytest-xdist share the cores already.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import signal
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from masque import modelfile, runs
from masque.config import as_dict
from masque.data.frames import load_frames
from masque.data.puppets import draw_puppet, render
from masque.edits.loaded import Swapper, Synthesizer
from masque.edits.result import Result
from masque.image import Picture, write_picture
from masque.models.rsgan import SERVED
from masque.samples import sample_photos
from recorded import RECORD, SMOOTH, SUFFIXES
from remembered import remember_networks, remember_puppets
from tiny import puppet_photo, tiny_session

# The same examples everywhere, however long each takes: a test that fails on one machine then fails on all.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--threads", type=int, default=1, help="How many threads torch computes with.")
    parser.addoption(
        "--without-bf16", action="store_true", help="Compute in fp32 where the processor is faster in bf16."
    )


def pytest_configure(config: pytest.Config) -> None:
    remember_puppets()
    remember_networks()
    # A second thread gains tiny networks nothing, and waits for a core that is busy.
    torch.set_num_threads(config.getoption("threads"))
    if config.getoption("without_bf16"):
        torch.cpu._is_avx512_bf16_supported = torch.cpu._is_amx_tile_supported = lambda: False
    # A shell's background ignores Ctrl-C: a test that sends one would wait for ever.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `real` need pictures that may not be in the repository."""
    if not SHARED.is_dir():
        skip = pytest.mark.skip(reason=f"the real pictures are not at hand: there is no {SHARED}")
        for item in items:
            if "real" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def _settings_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What tests remember of a user is not the user's who runs them."""
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("settings"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pictures; use with the mark `real`."""
    return SHARED


@pytest.fixture(scope="session")
def photos() -> dict[str, Picture]:
    """The two public-domain portraits inside scikit-image and matplotlib."""
    return sample_photos()


@pytest.fixture(scope="session")
def puppet_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four puppets as PNG files."""
    folder = tmp_path_factory.mktemp("puppets")
    return [write_picture(folder / f"puppet{seed}.png", puppet_photo(seed)) for seed in (1, 3, 4, 6)]


@pytest.fixture(scope="session")
def lfw_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LFW in small: two folds of three pairs of each kind, of six puppets with two pictures each; in Puppet_4_0002 HOG
    finds no face."""
    folder = tmp_path_factory.mktemp("lfw")
    for person in range(6):
        (folder / "lfw_puppets" / f"Puppet_{person}").mkdir(parents=True)
        for number in (1, 2):
            picture = render(draw_puppet(50 * person + number - 1, 500 + person)).picture
            write_picture(folder / "lfw_puppets" / f"Puppet_{person}" / f"Puppet_{person}_{number:04d}.jpg", picture)
    same = [f"Puppet_{person}\t1\t2" for person in range(6)]
    two = ["0 1 3 1", "1 1 4 2", "2 2 5 1", "3 2 0 2", "4 1 1 2", "5 2 2 1"]
    two = ["Puppet_{}\t{}\tPuppet_{}\t{}".format(*line.split()) for line in two]
    (folder / "pairs.txt").write_text("\n".join(["2\t3", *same[:3], *two[:3], *same[3:], *two[3:]]) + "\n")
    return folder


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    """An untrained FaceFeat-GAN of 32 px that knows the 3D model of puppets; what it draws is no flat grey."""
    recipe = runs.build_recipe(runs.plan("facefeat", "tiny"))
    recipe.begin(load_frames(["puppets:24"], 32, ()))  # type: ignore[attr-defined]
    model = recipe.model  # type: ignore[attr-defined]
    torch.nn.init.normal_(model.G_I.last.weight, std=0.5)
    return Synthesizer(model, "facefeat", "0" * 16)


@pytest.fixture(scope="session")
def session() -> Swapper:
    """One tiny session for all tests that only read it."""
    return tiny_session()


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained tiny RSGAN as a model folder on disk."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    plan = runs.plan("rsgan", "tiny")
    nets = runs.build_recipe(plan).nets
    weights = torch.nn.ModuleDict({name: nets[name] for name in SERVED}).state_dict()
    modelfile.write(folder, "rsgan", as_dict(plan.model), weights, "# tiny, untrained\n")
    return folder


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A picture with a record, as Masque writes it: ending -> the file's content."""
    folder = tmp_path_factory.mktemp("written")
    return {suffix: Result(SMOOTH, RECORD).save(folder / f"out.{suffix}").read_bytes() for suffix in SUFFIXES}
