"""What `masque.load` returns: the session of a family with its verbs as methods.

A verb is a function over the session, in the file of its name; assigned here it is a method, with its own signature and
docstring in `help()` and in every editor."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal, TypeAlias

from torch import Tensor

from masque.edits.augment import augment
from masque.edits.blend import blend
from masque.edits.ccagan import CCAGANSession
from masque.edits.combine import average, combine
from masque.edits.edit_ccagan import edit as edit_with_ccagan
from masque.edits.edit_rsgan import edit as edit_with_rsgan
from masque.edits.facefeat import FaceFeatSession
from masque.edits.faces_for import faces_for
from masque.edits.find import find, find_all
from masque.edits.frontalize import frontalize
from masque.edits.latents import Latent, LatentSession
from masque.edits.mix_identity import mix
from masque.edits.modify import modify
from masque.edits.morph import Ease, MorphPath, interpolate, morph
from masque.edits.own import OwnSession
from masque.edits.own import edit as edit_own
from masque.edits.own_sheet import sheet as own_sheet
from masque.edits.parse import parse
from masque.edits.parser import ParserSession
from masque.edits.portrait import PortraitSession
from masque.edits.random_parts import random_parts
from masque.edits.read import read
from masque.edits.repaint import repaint
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.sample import sample
from masque.edits.sheet import sheet
from masque.edits.subject import Photo
from masque.edits.swap import swap
from masque.edits.swap_own import swap as swap_own
from masque.edits.synthesize import synthesize, synthesize_pictures
from masque.edits.transfer import transfer
from masque.edits.turn import turn
from masque.image import Picture

OwnEdit: TypeAlias = Literal["swap", "edit", "sheet", "turn"]
SwapperEdit: TypeAlias = Literal["swap", "random", "blend"]
AttributeEdit: TypeAlias = Literal["sheet"]
ParserEdit: TypeAlias = Literal["parse"]
PortraitEdit: TypeAlias = Literal["repaint", "transfer", "faces-for"]
LatentEdit: TypeAlias = Literal["sample", "invert", "combine", "morph"]
SynthesizerEdit: TypeAlias = Literal["synthesize", "frontalize", "mix-identity", "augment"]
"""What `serving` asks a model for, by the class that has it; "edit" is served by two."""


class Swapper(RSGANSession):
    """An RSGAN: faces swapped, attributes of face and hair edited, parts drawn at random, two faces blended."""

    swap = swap
    edit = edit_with_rsgan
    random = random_parts
    blend = blend


class PhotoEditor(OwnSession):
    """Faces swapped, attributes edited and heads turned on the photo's own pixels, which are moved and tinted."""

    swap = swap_own
    edit = edit_own
    read = read
    sheet = own_sheet
    turn = turn


class AttributeEditor(CCAGANSession):
    """A CCA-GAN: attributes edited, one by one or several at once."""

    edit = edit_with_ccagan
    sheet = sheet


class Parser(ParserSession):
    """A face parser: which part of the face each pixel is."""

    parse = parse


class PortraitEditor(PortraitSession):
    """A portrait model: a face painted anew in an edited shape, in another's shape or in another's style."""

    repaint = repaint
    transfer = transfer
    faces_for = faces_for


class LatentEditor(LatentSession):
    """A ProGAN or DCGAN: faces of nobody drawn, a photo's latent found, latents combined and morphed."""

    sample = sample
    find = find
    find_all = find_all
    average = average
    combine = combine
    interpolate = interpolate
    morph = morph

    def along(
        self,
        latents: Sequence[Latent],
        frames: int,
        path: MorphPath = "spherical",
        ease: Ease = "smooth",
        loop: bool = False,
    ) -> Tensor:
        """The former name of `interpolate`, for one version; latents, frames, path, ease, loop: as it has them."""
        _warn("along", "interpolate")
        return interpolate(self, latents, frames, path, ease, loop)


class Synthesizer(FaceFeatSession):
    """A FaceFeat-GAN: new pictures of a photo's person, in other poses, expressions and light."""

    synthesize = synthesize
    synthesize_pictures = synthesize_pictures
    modify = modify
    frontalize = frontalize
    mix = mix
    augment = augment

    def changed(
        self,
        photo: Photo,
        yaws: Sequence[float] | None = None,
        expression_from: Photo | None = None,
        light_from: Photo | None = None,
        pick: int | None = None,
    ) -> Result:
        """The former name of `modify`, for one version; photo, yaws, expression_from, light_from, pick: as it has
        them."""
        _warn("changed", "modify")
        return modify(self, photo, yaws, expression_from, light_from, pick)

    def drawn(self, photo: Photo, count: int = 16, seed: int = 0, pick: int | None = None) -> list[Picture]:
        """The former name of `synthesize_pictures`, for one version; photo, count, seed, pick: as it has them."""
        _warn("drawn", "synthesize_pictures")
        return synthesize_pictures(self, photo, count, seed, pick)


def _warn(old: str, new: str) -> None:
    warnings.warn(f"{old} is now called {new}, and its old name goes with the next version.", DeprecationWarning, 3)


LoadedModel: TypeAlias = Swapper | AttributeEditor | Parser | PortraitEditor | LatentEditor | Synthesizer
"""Whatever `masque.load` may return."""
