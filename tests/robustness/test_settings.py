"""Settings and configurations of every family: what makes no sense is refused in one sentence, before any network is
made."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from masque import loading
from masque.catalog import CATALOG
from masque.config import RunSettings, as_dict, override, values_of, with_values
from masque.errors import CheckpointError, MasqueError, SettingError
from masque.modelfile import ModelFile
from robustness import mutations

NOWHERE = (
    "nan",
    "-nan",
    "inf",
    "-inf",
    "1e400",
    "-1e400",
    "-2",
    "9" * 30,
    "-" + "9" * 30,
    "9" * 5000,
    "x",
    "",
    "\ud800",
    "\x1b[2J",
    "2,5",
    "None",
)
"""What no number can be set to."""


def configs(family: str) -> tuple[Any, ...]:
    entry = CATALOG[family]
    preset = entry.load("presets")["tiny"]
    return (
        with_values(entry.load("config")(), preset["model"]),
        with_values(entry.load("training")(), preset["training"]),
        with_values(RunSettings(), preset["run"]),
    )


def numbers(config: Any) -> list[str]:
    return [name for name, value in values_of(config).items() if type(value) in (int, float)]


@pytest.mark.parametrize("family", CATALOG)
def test_numbers_out_of_range_are_refused_by_every_setting(family: str) -> None:
    some = configs(family)
    for name in [name for config in some for name in numbers(config)]:
        for text in NOWHERE:
            with pytest.raises(SettingError) as caught:
                override(some, [f"{name}={text}"])
            assert mutations.is_plain(str(caught.value)), (name, text)


@pytest.mark.parametrize(
    "texts", [("0", "3", "65536"), pytest.param(("1", "64", "4096"), marks=pytest.mark.slow)], ids=" ".join
)
@pytest.mark.parametrize("family", CATALOG)
def test_sizes_make_networks_or_are_refused_before_any_is_made(family: str, texts: tuple[str, ...]) -> None:
    some, known = configs(family), MasqueError
    for name in numbers(some[0]):
        for text in texts:
            said = "networks can be made"
            try:
                loading.shapes_of(CATALOG[family], override(some, [f"{name}={text}"])[0])
            except known as error:
                said = str(error)
            assert mutations.is_plain(said), (name, text)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)], ids="every {}".format)
@pytest.mark.parametrize("family", CATALOG)
@pytest.mark.filterwarnings("error", "ignore:Initializing zero-element tensors")
def test_every_configuration_loads_or_is_refused(family: str, every: int) -> None:
    config = configs(family)[0]
    model = CATALOG[family].load("model")(config)
    weights = dict(model.state_dict())
    whole = as_dict(config)
    for name, damaged in list(mutations.of_json(whole))[::every]:
        try:
            plain = json.loads(json.dumps(damaged))
        except UnicodeEncodeError:
            continue
        if not isinstance(plain, dict):  # refused where the file is read
            continue
        said = "it can be loaded"
        try:
            loading.filled(CATALOG[family], ModelFile(Path("folder"), family, plain, weights, ""))
        except CheckpointError as error:
            said = str(error)
        assert mutations.is_plain(said), name


def test_the_presets_are_within_the_ranges() -> None:
    for family in CATALOG.values():
        for preset in family.load("presets").values():
            some = (
                with_values(family.load("config")(), preset["model"]),
                with_values(family.load("training")(), preset["training"]),
                with_values(RunSettings(), preset["run"]),
            )
            override(some, [])
            loading.shapes_of(family, some[0])


def test_names_are_names() -> None:
    some = configs("attributes")
    assert override(some, ["attributes=Male,Eyeglasses"])[0].attributes == ("Male", "Eyeglasses")
    for text in ("Male,Male", "Male, ", "a\x1b[2J", "\ud800", ",".join(f"a{i}" for i in range(1001))):
        with pytest.raises(SettingError) as caught:
            override(some, [f"attributes={text}"])
        assert mutations.is_plain(str(caught.value))


def test_networks_for_no_machine_are_refused_without_being_made() -> None:
    entry, some = CATALOG["identity"], configs("identity")
    with pytest.raises(SettingError, match="billion weights, and 2 are the most"):
        loading.shapes_of(entry, dataclasses.replace(some[0], features=65_536, people=1_000_000))
    before = torch.random.get_rng_state()
    loading.shapes_of(entry, some[0])
    assert torch.equal(torch.random.get_rng_state(), before)
