"""A run keeps the models that it learns from, and goes on without the folders that they came from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from small_runs import differing

from masque import modelfile, runs
from masque.catalog import SHIPPED
from masque.config import as_dict
from masque.data.frames import load_frames
from masque.errors import CheckpointError, SettingError
from masque.train.teachers import copy_into, own_copy

TAUGHT = {
    "rsgan": ("identity", "identity", "features", ["id=0.5"]),
    "progan": ("parser", "parser", "P_F", ["adversarial=logistic"]),
}
"""Family -> the setting that names its teacher, the teacher's family and network, and what else has to be set."""


@pytest.fixture
def teacher(tmp_path):
    """A function that makes an untrained model of a family, another one for another seed."""

    def make(family: str, name: str, seed: int = 0) -> Path:
        plan = runs.plan(family, "tiny", [], {"seed": seed})
        net = runs.build_recipe(plan).nets[name]
        folder = tmp_path / f"{family}{seed}"
        modelfile.write(
            folder, family, as_dict(plan.model), torch.nn.ModuleDict({name: net}).state_dict(), "# a teacher\n"
        )
        return folder

    return make


@pytest.mark.parametrize("family", TAUGHT)
def test_a_run_goes_on_though_its_teacher_is_gone(family, teacher, tiny_run, tmp_path):
    setting, its, net, more = TAUGHT[family]
    folder = teacher(its, net)
    command = (family, "run", f"{setting}={folder}", *more)
    whole = tiny_run(family, "whole", *command[2:])
    whole.go(4)
    first = tiny_run(*command)
    first.go(2)
    first.engine.save()
    folder.rename(tmp_path / "moved")
    second = tiny_run(*command)
    assert second.engine.step == 2
    second.go(2)
    assert differing(whole.engine.state(), second.engine.state()) == []
    with pytest.raises(CheckpointError, match=f"There is no model in .*{folder.name}"):
        tiny_run(family, "new", *command[2:])


def test_the_same_teacher_may_be_named_elsewhere_and_another_may_not(teacher, tiny_run, tmp_path):
    folder, other = teacher("identity", "features"), teacher("identity", "features", seed=1)
    first = tiny_run("rsgan", "run", f"identity={folder}", "id=0.5")
    first.engine.save()
    moved = folder.rename(tmp_path / "moved")
    assert tiny_run("rsgan", "run", f"identity={moved}", "id=0.5").engine.step == 0
    for wrong in (other, folder):
        with pytest.raises(CheckpointError, match=r"holds a run with identity = .*moved, not "):
            tiny_run("rsgan", "run", f"identity={wrong}", "id=0.5")


def test_a_teacher_may_be_named_by_its_family_and_then_by_a_folder(tiny_run, tmp_path):
    """The weights that come with Masque, wherever they lie."""
    first = tiny_run("rsgan", "run", "identity=identity", "id=0.5")
    first.engine.save()
    assert modelfile.read(own_copy(tmp_path / "run", "identity")).hash == modelfile.read(SHIPPED / "identity").hash
    packed = shutil.copytree(SHIPPED / "identity", tmp_path / "packed")
    assert tiny_run("rsgan", "run", f"identity={packed}", "id=0.5").engine.step == 0
    assert tiny_run("rsgan", "run", "identity=identity", "id=0.5").engine.step == 0
    with pytest.raises(CheckpointError, match="There is no model in nobody"):
        tiny_run("rsgan", "other", "identity=nobody", "id=0.5")
    with pytest.raises(CheckpointError, match="family parser: name one of identity"):
        tiny_run("rsgan", "another", "identity=parser", "id=0.5")


def test_extractors_may_be_named_by_their_family(tiny_run, teacher):
    """What a recipe reads before its first step alone: it is not kept, and of sizes that it has to be of."""
    with pytest.raises(SettingError, match=r"model of identity in .*weights/identity has size 64"):
        runs.build_recipe(runs.plan("facefeat", "tiny", ["identity=identity"])).begin(
            load_frames(["puppets:24"], 32, ())
        )
    with pytest.raises(CheckpointError, match="No weights of shape come with this installation: train some"):
        tiny_run("facefeat", "new", "shape=shape")
    shape = teacher("shape", "E_1")
    made = tiny_run("facefeat", "run", f"shape={shape}")
    assert "see" not in {phase.name for phase in made.engine.phases}


def test_a_damaged_copy_is_made_anew_and_without_either_there_is_a_sentence(teacher, tiny_run, tmp_path):
    folder = teacher("identity", "features")
    command = ("rsgan", "run", f"identity={folder}", "id=0.5")
    tiny_run(*command).engine.save()
    own = own_copy(tmp_path / "run", "identity")
    (own / "weights.safetensors").write_bytes(b"")
    assert tiny_run(*command).engine.step == 0
    assert modelfile.read(own).hash == modelfile.read(folder).hash
    shutil.rmtree(own)
    shutil.rmtree(folder)
    with pytest.raises(CheckpointError, match="There is no model in"):
        tiny_run(*command)


def test_what_is_kept_already_stays(teacher, tmp_path):
    first, second = teacher("identity", "features"), teacher("identity", "features", seed=1)
    for folder in (first, second):
        copy_into(tmp_path, "identity", str(folder))
    assert modelfile.read(own_copy(tmp_path, "identity")).hash == modelfile.read(first).hash
    assert own_copy(tmp_path, "parser") is None
