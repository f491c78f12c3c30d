import inspect
import json
import random
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

import masque
from masque import loading, modelfile, runs
from masque.catalog import CATALOG, has_model
from masque.config import as_dict
from masque.edits.estimate import attribute_estimator, face_shape
from masque.layers.randomness import OwnRandomness
from masque.loading import installed_classifier, load_model


@pytest.fixture(autouse=True)
def _really_filled(monkeypatch):
    """Here nothing is remembered of networks that were loaded before."""
    monkeypatch.setattr(loading, "filled", inspect.unwrap(loading.filled))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """An untrained tiny model of every family, as its training writes it; made when it is asked for."""
    made = {}

    def folder(family):
        if family not in made:
            made[family] = tmp_path_factory.mktemp("catalog") / family
            plan = runs.plan(family, "tiny")
            recipe = runs.build_fit(plan) if CATALOG[family].fitted else runs.build_recipe(plan)
            weights = torch.nn.ModuleDict({name: recipe.nets[name] for name in recipe.served}).state_dict()
            modelfile.write(made[family], family, as_dict(plan.model), weights, "# tiny, untrained\n")
        return made[family]

    return folder


def everything_random():
    return torch.get_rng_state().tolist(), random.getstate(), repr(np.random.get_state())


@pytest.mark.parametrize("family", CATALOG)
def test_networks_load_by_name_or_folder_ready_to_be_used_and_leave_randomness_alone(family, folders):
    for name in [str(folders(family)), *([family] if has_model(family) else [])]:
        before = everything_random()
        model, stored = load_model(name)
        assert everything_random() == before
        assert not model.training
        assert stored.family == family
        values = model.state_dict()
        own = {key if key in values else key.split(".", 1)[1]: value for key, value in stored.weights.items()}
        assert own
        assert all(torch.equal(values[key], value) for key, value in own.items())


@pytest.mark.parametrize("family", [name for name, entry in CATALOG.items() if entry.session])
def test_loading_for_edits_leaves_randomness_alone_and_says_nothing(family, folders, capfd):
    before = everything_random()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        masque.load(str(folders(family)))
    assert everything_random() == before
    assert capfd.readouterr() == ("", "")


def test_the_networks_that_measure_leave_randomness_alone(folders):
    before = everything_random()
    attribute_estimator(folders("attributes"))
    face_shape(folders("shape"))
    installed_classifier()
    assert everything_random() == before


@pytest.mark.parametrize(
    "what",
    [
        lambda: torch.nn.Linear(3, 4).weight,
        lambda: torch.nn.Conv2d(3, 4, 3).weight,
        lambda: torch.randn(5),
        lambda: torch.empty(5).normal_(),
        lambda: torch.nn.init.orthogonal_(torch.empty(3, 4)),
        lambda: torch.nn.init.kaiming_normal_(torch.empty(3, 4)),
        lambda: torch.nn.init.trunc_normal_(torch.empty(3, 4)),
        lambda: torch.randperm(9),
        lambda: torch.nn.Embedding(3, 4).weight,
    ],
)
def test_what_is_drawn_at_the_beginning_of_a_network_is_always_the_same(what):
    before = torch.get_rng_state()
    with OwnRandomness():
        first = what()
    torch.randn(3)
    with OwnRandomness():
        second = what()
    assert torch.equal(first, second)
    torch.set_rng_state(before)
    with OwnRandomness():
        what()
    assert torch.equal(torch.get_rng_state(), before)


def test_importing_and_loading_in_a_fresh_interpreter_changes_no_random_state():
    program = """
import json, random, numpy, torch
def state(): return [torch.get_rng_state().tolist(), repr(random.getstate()), repr(numpy.random.get_state())]
before = state()
import masque
masque.load("rsgan")
print(json.dumps(state() == before))
"""
    run = subprocess.run([sys.executable, "-W", "always", "-c", program], capture_output=True, text=True, check=False)
    assert json.loads(run.stdout.splitlines()[-1]) is True
