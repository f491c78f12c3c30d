"""Model folders: what is written comes back, and what was damaged, or never one, is refused in one sentence."""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import masque
from masque import catalog, loading, modelfile
from masque.errors import CheckpointError, OutputError
from robustness import mutations

WEIGHTS = {"composer.a": torch.randn(3, 4, generator=torch.Generator().manual_seed(0)), "C.b": torch.arange(5.0)}


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that may be damaged."""
    return Path(shutil.copytree(model_folder, tmp_path / "copy"))


def refusal(folder: Path | str) -> str:
    with pytest.raises(CheckpointError) as caught:
        masque.load(str(folder))
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def with_config(folder: Path, **changes: object) -> Path:
    about = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**about, **changes}))
    return folder


def with_setting(folder: Path, **changes: object) -> Path:
    return with_config(folder, config={**json.loads((folder / "config.json").read_text())["config"], **changes})


def with_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> Path:
    weights = load_file(folder / "weights.safetensors")
    change(weights)
    save_file(weights, folder / "weights.safetensors")
    return folder


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    modelfile.write(tmp_path / "new" / "model", "rsgan", {"size": 32, "attributes": ["Male"]}, WEIGHTS, "# Größe\n")
    stored = modelfile.read(tmp_path / "new" / "model")
    assert (stored.family, stored.config) == ("rsgan", {"size": 32, "attributes": ["Male"]})
    assert stored.weights.keys() == WEIGHTS.keys()
    assert all(torch.equal(stored.weights[name], WEIGHTS[name]) for name in WEIGHTS)
    assert stored.hash == hashlib.sha256((tmp_path / "new/model/weights.safetensors").read_bytes()).hexdigest()[:16]
    assert (tmp_path / "new/model/card.md").read_text(encoding="utf-8") == "# Größe\n"


def test_the_weights_are_an_ordinary_safetensors_file(tmp_path: Path) -> None:
    modelfile.write(tmp_path, "rsgan", {}, WEIGHTS, "")
    read = load_file(tmp_path / "weights.safetensors")
    assert all(torch.equal(read[name], WEIGHTS[name]) for name in WEIGHTS)


def test_a_run_folder_stands_for_its_model(tmp_path: Path) -> None:
    modelfile.write(tmp_path / "run" / "model", "rsgan", {}, WEIGHTS, "")
    assert modelfile.read(tmp_path / "run").folder == tmp_path / "run" / "model"


def test_packing_halves_the_precision_and_nothing_else(tmp_path: Path) -> None:
    modelfile.write(tmp_path / "run" / "model", "rsgan", {"size": 32}, WEIGHTS, "# card\n")
    packed = modelfile.pack(tmp_path / "run", tmp_path / "packed")
    assert (packed.family, packed.config, (tmp_path / "packed/card.md").read_text()) == (
        "rsgan",
        {"size": 32},
        "# card\n",
    )
    assert all(torch.equal(packed.weights[name], WEIGHTS[name].half().float()) for name in WEIGHTS)
    assert packed.weights["C.b"].dtype == torch.float32
    assert modelfile.pack(tmp_path / "run", tmp_path / "packed", "other").hash == packed.hash
    assert (tmp_path / "packed/card.md").read_text() == "other"


def test_a_trained_model_is_not_packed_over_itself(tmp_path: Path) -> None:
    model = tmp_path / "run" / "model"
    modelfile.write(model, "rsgan", {"size": 32}, WEIGHTS, "# card\n")
    (tmp_path / "link").symlink_to(model)
    before = modelfile.read(model).hash
    for target in (model, tmp_path / "run", tmp_path / "link"):
        with pytest.raises(OutputError, match="another folder"):
            modelfile.pack(tmp_path / "run", target)
    assert modelfile.read(model).hash == before
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["model"]


def test_what_half_precision_would_spoil_is_packed_as_it_is(tmp_path: Path) -> None:
    weights = {"prior.second": torch.tensor([1.0001]), "prior_like.w": torch.tensor([1.0001])}
    modelfile.write(tmp_path / "run", "rsgan", {}, weights, "# card\n")
    packed = modelfile.pack(tmp_path / "run", tmp_path / "packed", whole=("prior",)).weights
    assert packed["prior.second"].item() == weights["prior.second"].item()
    assert packed["prior_like.w"].item() == 1.0
    assert "prior" in catalog.CATALOG["rsgan"].whole


def test_packing_needs_a_card(folder: Path, tmp_path: Path) -> None:
    (folder / "card.md").unlink()
    with pytest.raises(CheckpointError, match="--card"):
        modelfile.pack(folder, tmp_path / "packed")
    assert modelfile.pack(folder, tmp_path / "packed", "# mine").family == "rsgan"


def test_a_full_disk_leaves_the_old_model(tmp_path: Path) -> None:
    modelfile.write(tmp_path, "rsgan", {}, WEIGHTS, "old")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutputError, match="could not be written"):
            modelfile.write(tmp_path, "rsgan", {}, {"a": torch.zeros(5000)}, "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_tiny_model_loads_as_it_is(folder: Path) -> None:
    session = masque.load(str(folder))
    assert (session.family, session.size, session.weights) == ("rsgan", 32, modelfile.read(folder).hash)


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors"])
def test_a_folder_that_lacks_a_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert "no model in" in refusal(folder)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        "\x00\x01",
        "[" * 100_000,
        '{"architectures": ["LlamaForCausalLM"]}',
        '{"masque": 1, "family": "rsgan"}',
    ],
    ids=lambda text: text[:24] or "empty",
)
def test_json_of_another_program(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    assert "not written by Masque" in refusal(folder)


@pytest.mark.parametrize(
    "change", [{"masque": "two"}, {"masque": None}, {"family": ["rsgan"]}, {"config": [1]}, {"config": None}]
)
def test_json_whose_values_are_of_other_types(folder: Path, change: dict[str, object]) -> None:
    assert "not written by Masque" in refusal(with_config(folder, **change))


def test_json_that_is_not_utf_8(folder: Path) -> None:
    (folder / "config.json").write_bytes(b'{"masque": 1, "family": "\xff\xfe"}')
    assert "not written by Masque" in refusal(folder)


def test_a_model_of_a_newer_version(folder: Path) -> None:
    assert "update Masque" in refusal(with_config(folder, masque=modelfile.VERSION + 1))


@pytest.mark.parametrize("family", ["attributes", "unheard-of", ""])
def test_a_family_that_edits_nothing(folder: Path, family: str) -> None:
    said = refusal(with_config(folder, family=family))
    assert "edits no photos: name a model of rsgan, ccagan, facefeat, parser, portrait, progan or dcgan." in said


@pytest.mark.parametrize(
    ("serving", "says"), [("sheet", "cannot sheet: name a model of ccagan"), ("fly", "cannot fly")]
)
def test_a_family_that_does_not_serve_what_is_asked(folder: Path, serving: str, says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        loading.load_session(str(folder), serving)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"size": "32"}, "a whole number"),
        ({"size": 33}, "33"),
        ({"channels": 0}, "does not fit this version"),
        ({"channels": -8}, "does not fit this version"),
        ({"attributes": "abc"}, "a list of texts"),
        ({"depth": 3}, "no setting depth"),
        ({"size": 64}, "of another shape"),
        ({"z_attributes": 5}, "of another shape"),
        ({"attributes": ["Male"]}, "of another shape"),
    ],
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_settings_that_the_weights_do_not_fit(folder: Path, change: dict[str, object], says: str) -> None:
    assert says in refusal(with_setting(folder, **change))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda w: w.pop("composer.foot.weight"), "1 tensors missing, 0 unknown, 0 of another shape"),
        (lambda w: w.update(surplus=torch.zeros(1)), "0 tensors missing, 1 unknown, 0 of another shape"),
        (
            lambda w: w.update({"composer.foot.bias": torch.zeros(1)}),
            "0 tensors missing, 0 unknown, 1 of another shape",
        ),
        (lambda w: w.clear(), "tensors missing, 0 unknown"),
    ],
)
def test_tensors_that_do_not_fit_the_config(
    folder: Path, change: Callable[[dict[str, torch.Tensor]], object], says: str
) -> None:
    assert says in refusal(with_weights(folder, change))


@pytest.mark.parametrize("damage", ["empty", "cut", "cut at the end", "zeros", "text", "pickle", "endless header"])
def test_damaged_weights(folder: Path, damage: str) -> None:
    path = folder / "weights.safetensors"
    whole = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "cut": whole[:1000],
            "cut at the end": whole[:-5],
            "zeros": bytes(len(whole)),
            "text": b"<html>404</html>" * 99,
            "pickle": b"\x80\x04\x95" + whole[:500],
            "endless header": struct.pack("<Q", 2**62) + whole,
        }[damage]
    )
    assert "is damaged" in refusal(folder)


def test_weights_in_numbers_that_torch_does_not_have(folder: Path) -> None:
    header = json.dumps({"a": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}}).encode()
    (folder / "weights.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(2))
    assert "is damaged" in refusal(folder)


def test_names_that_are_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "name a run folder" in refusal("rsgna")
    assert "no model in" in refusal(tmp_path)
    monkeypatch.setattr(catalog, "SHIPPED", tmp_path)
    assert "masque train rsgan" in refusal("rsgan")
    assert refusal("rsgna") == "There is no model rsgna: name a run folder."


def test_shipped_weights_come_before_a_folder_of_the_same_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "SHIPPED", tmp_path)
    folder.rename(tmp_path / "rsgan")
    (tmp_path / "elsewhere" / "rsgan").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert catalog.model_folder("rsgan") == tmp_path / "rsgan"
    assert catalog.model_folder("./rsgan") == Path("rsgan")
    assert masque.load("rsgan").size == 32


def test_numbers_too_large_for_half_precision_are_not_packed_into_it(tmp_path):
    weights = {"norm.variance": torch.tensor([9e6, 1.0]), "norm.mean": torch.tensor([3000.0, 1.0])}
    modelfile.write(tmp_path / "wide", "facefeat", {}, weights, "card")
    packed = modelfile.pack(tmp_path / "wide", tmp_path / "packed")
    assert packed.weights["norm.variance"].tolist() == [9e6, 1.0]
    assert (tmp_path / "packed" / "weights.safetensors").stat().st_size < (
        tmp_path / "wide" / "weights.safetensors"
    ).stat().st_size


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused(folder: Path, value: float) -> None:
    def spoil(weights: dict[str, torch.Tensor]) -> None:
        next(iter(weights.values())).view(-1)[0] = value

    assert "not finite" in refusal(with_weights(folder, spoil))


def test_weights_of_odd_kinds_are_refused_or_read(folder: Path) -> None:
    def to(kind: torch.dtype) -> Callable[[dict[str, torch.Tensor]], object]:
        return lambda weights: weights.update({name: tensor.to(kind) for name, tensor in weights.items()})

    masque.load(str(with_weights(folder, to(torch.float64))))
    masque.load(str(with_weights(folder, to(torch.float8_e4m3fn))))
    assert "complex" in refusal(with_weights(folder, to(torch.complex64)))


def test_damaged_weights_are_refused_in_one_sentence(tmp_path: Path) -> None:
    modelfile.write(tmp_path, "rsgan", {}, WEIGHTS, "")
    whole = (tmp_path / "weights.safetensors").read_bytes()
    for name, data in mutations.of_bytes(whole, 200):
        (tmp_path / "weights.safetensors").write_bytes(data)
        said = "it can be read"
        try:
            stored = modelfile.read(tmp_path)
            assert all(bool(tensor.isfinite().all()) for tensor in stored.weights.values()), name
        except CheckpointError as error:
            said = str(error).replace(str(tmp_path), "")
        assert mutations.is_plain(said), name


def test_a_family_of_an_odd_name_is_not_printed_raw(folder: Path) -> None:
    assert "\\x1b[2J" in refusal(with_config(folder, family="\x1b[2J"))
    with pytest.raises(CheckpointError, match="does not know"):
        loading.load_model(str(folder))


def test_a_model_that_cannot_be_there(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in (str(tmp_path / "loop"), "x" * 5000, "a\0b", "", str(tmp_path / "none")):
        assert "There is no model" in refusal(name)


def test_a_long_configuration_is_not_read(folder: Path) -> None:
    with (folder / "config.json").open("a") as file:
        file.write(" " * (1 << 20))
    assert "is damaged" in refusal(folder)
