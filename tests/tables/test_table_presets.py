"""Every preset that a family lists trains every table that takes it, or is refused in a sentence before anything is
trained."""

from __future__ import annotations

import pytest
import torch

from masque import runs
from masque.bench import training
from masque.catalog import CATALOG
from masque.data.frames import FrameSet, load_frames
from masque.errors import MasqueError
from masque.tables import facefeat_table, rsgan_table
from masque.tables.alike import Alike
from masque.tables.all_tables import TABLES, all_tables
from masque.tables.progan_table import own_settings
from masque.train.engine import Progress
from masque.train.phase import Recipe

FAMILIES = {
    "rsgan": ("rsgan", "vaegan"),
    "ccagan": ("ccagan",),
    "portrait": ("portrait",),
    "progan": ("progan", "dcgan"),
    "facefeat": ("facefeat",),
}
PRESETS = {
    paper: sorted({p for f in families for p in CATALOG[f].load("presets")}) for paper, families in FAMILIES.items()
}
TAKEN = [(paper, preset) for paper, presets in PRESETS.items() for preset in presets]
REFUSED = {("rsgan", "best"): "no preset best of vaegan"}


class Trained(Exception):  # noqa: N818 - it is no error: a table has begun to train
    """What stands for hours of training."""


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    return load_frames(["puppets:48"], 32, ())


@pytest.fixture
def planned(monkeypatch, frames) -> list[runs.Plan]:
    """Plans whose training has begun; those of extractors end at once, and the first other one ends the table."""
    begun: list[runs.Plan] = []
    build = runs.build_recipe

    def in_no_memory(plan: runs.Plan) -> Recipe:
        with torch.device("meta"):
            return build(plan)

    def train(plan: runs.Plan, *_: object, **__: object) -> Progress:
        begun.append(plan)
        runs.build_recipe(plan)
        if plan.family in ("identity", "shape"):
            return Progress(plan.run.steps, True, "finished")
        raise Trained

    monkeypatch.setattr(runs, "build_recipe", in_no_memory)
    monkeypatch.setattr(runs, "train", train)
    for module in (rsgan_table, facefeat_table):
        monkeypatch.setattr(module, "load_frames", lambda *_: frames)
    return begun


@pytest.mark.parametrize(("paper", "preset"), TAKEN)
def test_every_preset_trains_its_table_or_is_refused(planned, tmp_path, paper, preset):
    how = Alike(preset)
    more = {"pairs": 4} if paper == "rsgan" else {}
    if (paper, preset) in REFUSED:
        with pytest.raises(MasqueError, match=REFUSED[paper, preset]):
            TABLES[paper](["puppets:48"], tmp_path / "table", how, **more)
        return
    with pytest.raises(Trained):
        TABLES[paper](["puppets:48"], tmp_path / "table", how, **more)
    assert planned[-1].family in FAMILIES[paper]


@pytest.mark.parametrize("preset", ["paper", "paper-1024", "best", "nonsense"])
def test_all_tables_take_a_preset_or_tell_why_not(planned, tmp_path, monkeypatch, preset):
    monkeypatch.setattr(
        runs, "train", lambda plan, *_, **__: (_ for _ in ()).throw(MasqueError(f"It trains {plan.family}."))
    )
    reasons = all_tables(["puppets:48"], tmp_path / "all", Alike(preset), more={"rsgan": {"pairs": 4}})
    trains = {paper for paper, why in reasons.items() if why.startswith("It trains")}
    assert set(reasons) == set(TABLES)
    assert all(why.endswith(".") and why.count("\n") == 0 for why in reasons.values())
    assert trains == {p for p in TABLES if (p, preset) in TAKEN and (p, preset) not in REFUSED}
    assert planned == []


def test_each_model_of_a_table_has_its_own_preset_and_settings(planned, tmp_path):
    with pytest.raises(Trained):
        TABLES["progan"](["puppets:8"], tmp_path / "table", Alike("256", ("z=64", "r1=2", "critic=8", "batch_size=4")))
    (dcgan,) = planned
    assert (dcgan.family, dcgan.model.critic, dcgan.model.z, dcgan.run.batch_size) == ("dcgan", 8, 64, 4)
    assert dcgan.run.steps == runs.plan("dcgan", "paper").run.steps
    assert own_settings("progan", ("z=64", "r1=2", "critic=8", "batch_size=4", "spin=1")) == [
        "z=64",
        "r1=2",
        "batch_size=4",
        "spin=1",
    ]


@pytest.mark.parametrize(
    ("family", "preset"),
    [(family, preset) for family, entry in CATALOG.items() if not entry.fitted for preset in entry.load("presets")],
)
def test_every_preset_is_timed(monkeypatch, frames, family, preset):
    """Up to the engine, which gets a recipe that can be built."""
    monkeypatch.setattr(training, "load_frames", lambda *_, **__: frames)

    def engine(plan: runs.Plan, *_: object) -> None:
        with torch.device("meta"):
            runs.build_recipe(plan)
        raise Trained

    monkeypatch.setattr(training, "_engine", engine)
    calls = [lambda: training.bench_training(family, preset)]
    calls += [lambda: training.bench_growth(preset)] if family == "progan" else []
    for call in calls:
        with pytest.raises(Trained):
            call()


def test_the_extractors_of_every_preset_are_presets():
    for preset, chosen in facefeat_table.EXTRACTORS.items():
        assert preset in CATALOG["facefeat"].load("presets")
        assert all(name in CATALOG[family].load("presets") for family, name in chosen.items())
