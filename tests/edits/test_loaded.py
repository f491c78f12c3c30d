"""What `masque.load` returns: every method says what it takes, a former name goes on with a warning, and the class is
known from the family's name."""

from __future__ import annotations

import inspect
import pydoc
import re
import typing
from collections.abc import Iterator

import pytest
import torch

import masque
from masque import runs
from masque.catalog import CATALOG
from masque.edits import loaded
from masque.edits.latents import Latent
from masque.edits.loaded import (
    AttributeEditor,
    LatentEditor,
    LoadedModel,
    Parser,
    PortraitEditor,
    Swapper,
    Synthesizer,
)
from masque.edits.session import Session

CLASSES = typing.get_args(LoadedModel)

METHOD_OF = {"faces-for": "faces_for", "mix-identity": "mix", "invert": "find"}
"""Edits whose method has another name than the edit."""


def public_methods() -> Iterator[tuple[type, str]]:
    for kind in CLASSES:
        for name in dir(kind):
            if not name.startswith("_") and inspect.isfunction(getattr(kind, name)):
                yield kind, name


@pytest.mark.parametrize(("kind", "name"), list(public_methods()))
def test_every_method_says_what_it_takes(kind: type, name: str) -> None:
    method = getattr(kind, name)
    _, *parameters = inspect.signature(method).parameters.values()
    text = inspect.getdoc(method) or ""
    assert text, f"{kind.__name__}.{name} has no docstring"
    for parameter in parameters:
        assert parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD), parameter
        assert parameter.annotation is not parameter.empty, parameter
        assert not re.search(r"\bAny\b", str(parameter.annotation)), parameter
        assert re.search(rf"\b{parameter.name}\b(, \w+)*:", text), (
            f"{kind.__name__}.{name} explains no {parameter.name}"
        )
    returned = inspect.signature(method).return_annotation
    assert returned is not inspect.Signature.empty
    assert not re.search(r"\bAny\b", str(returned))


def test_every_edit_of_a_family_is_a_method_of_its_class_and_every_class_is_a_session() -> None:
    for family in CATALOG.values():
        if family.edits:
            kind = family.load("session")
            assert issubclass(kind, Session)
            assert kind in CLASSES
            for edit in family.edits:
                assert callable(getattr(kind, METHOD_OF.get(edit, edit)))


def test_each_class_lists_its_edits_for_serving() -> None:
    listed = {
        Swapper: loaded.SwapperEdit,
        AttributeEditor: loaded.AttributeEdit,
        Parser: loaded.ParserEdit,
        PortraitEditor: loaded.PortraitEdit,
        LatentEditor: loaded.LatentEdit,
        Synthesizer: loaded.SynthesizerEdit,
    }
    assert set(listed) == set(CLASSES)
    for family in CATALOG.values():
        if family.edits:
            assert set(typing.get_args(listed[family.load("session")])) | {"edit"} == {*family.edits, "edit"}


def test_help_on_a_loaded_models_method_shows_its_signature(session: Swapper) -> None:
    text = pydoc.plain(pydoc.render_doc(session.swap))
    for name in ("face", "hair", "attributes", "stitch", "detail", "pick_face", "pick_hair"):
        assert f"{name}: '" in text  # in the signature
    assert "in [0,1] by name" in text
    assert "session: " not in text


def test_former_names_go_on_with_a_warning(synthesizer: Synthesizer, puppet_files) -> None:
    photo = puppet_files[0]
    with pytest.warns(DeprecationWarning, match="now called modify"):
        former = synthesizer.changed(photo, [0.0])
    assert (former.picture == synthesizer.modify(photo, [0.0]).picture).all()
    with pytest.warns(DeprecationWarning, match="now called synthesize_pictures") as warned:
        former_pictures = synthesizer.drawn(photo, 2, seed=1)
    assert warned[0].filename == __file__
    assert all(
        (a == b).all() for a, b in zip(former_pictures, synthesizer.synthesize_pictures(photo, 2, seed=1), strict=True)
    )


def test_a_morphs_former_name_goes_on_with_a_warning() -> None:
    model = runs.build_recipe(runs.plan("progan", "tiny")).model
    editor = LatentEditor(model, "progan", "0" * 16)
    latents = [Latent(z, name, "0" * 16) for z, name in zip(model.draw(torch.arange(2), "a"), "ab", strict=True)]
    with pytest.warns(DeprecationWarning, match="now called interpolate"):
        former = editor.along(latents, 3)
    assert former.equal(editor.interpolate(latents, 3))


def test_the_class_is_known_from_the_familys_name() -> None:
    """What a type checker reads: an overload for each family that edits photos, and for each class's edits."""
    by_name: dict[str, str] = {}
    by_edit: dict[str, str] = {}
    names = {**vars(loaded), **typing.__dict__}
    for overload in typing.get_overloads(masque.load):
        kind, parameters = overload.__annotations__["return"], overload.__annotations__
        if (literal := re.match(r"Literal\[(.*)\]", parameters["model"])) is not None:
            by_name |= {family.strip(" \"'"): kind for family in literal.group(1).split(",")}
        elif parameters["serving"] in names:
            by_edit |= dict.fromkeys(typing.get_args(names[parameters["serving"]]), kind)
    families = {name: family for name, family in CATALOG.items() if family.edits}
    assert by_name.pop("own") == "PhotoEditor"
    assert by_name == {name: family.load("session").__name__ for name, family in families.items()}
    edits = {edit: family.load("session").__name__ for family in families.values() for edit in family.edits}
    assert by_edit == {edit: kind for edit, kind in edits.items() if edit != "edit"}
