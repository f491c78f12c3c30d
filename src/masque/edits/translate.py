"""Attribute editing by image translation (CCA-GAN Section 4.4): a loaded generator, an edit of a whole photo, a sheet
of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import cv2
import numpy as np
import torch
from torch import Tensor

from masque.data.measured import read_attributes
from masque.edits.attributes import Region, edited_mask, person_mask
from masque.edits.grey import asked_colour, cells_in_tones, in_tones, said
from masque.edits.loaded import Loaded
from masque.edits.measures import inputs, measure
from masque.edits.result import Result
from masque.edits.subject import Detail, Parse, Photo, Shares, Subject, turned_round, with_values, without_rivals
from masque.errors import ValueRangeError
from masque.faces.frame import chain, see, zoom
from masque.faces.labels import LABELS
from masque.faces.paste import add_change, paste
from masque.faces.regions import HAIR_CROP
from masque.given import check_choice, values_by_name
from masque.image import Picture, grid, to_pictures
from masque.models.ccagan import CCAGAN, HAIR_COLOURS

UNKNOWN = 0.5
"""What an attribute that cannot be read off a photo is told to the generator as: neither there nor absent."""

CELL = 256
"""Side of each picture on a sheet, in pixels."""

Classify = Callable[[list[Picture]], list[dict[str, float]]]
"""Face frames -> attributes in [0,1]: what `masque.edits.estimate.attribute_estimator` makes."""


class Translator(Loaded):
    """A CCA-GAN that is ready to edit. Made by `masque.load`."""

    def __init__(
        self,
        model: CCAGAN,
        family: str,
        weights: str,
        device: torch.device | str = "cpu",
        classify: Classify | None = None,
        parse: Parse | None = None,
    ) -> None:
        """weights: the hash that records name the model by. classify: reads off a face what neither landmarks nor
        colours tell.

        parse: finds the parts of a face, to which edits are then kept.
        """
        super().__init__(model, family, weights, device, parse)
        self.model, self.classify = model, classify

    def estimate(self, subject: Subject) -> Tensor:
        """The attributes (1,A) that a subject has, read as they are when a set is prepared; 0.5 where they cannot be
        read."""
        values = read_attributes(subject.frame, self.classify)
        return torch.tensor([[values.get(name, UNKNOWN) for name in self.attributes]], device=self.device)

    def translate(self, subject: Subject, attributes: Sequence[Tensor], shares: Shares | None = None) -> list[Picture]:
        """The pictures (S,S,3) that the generator paints of a subject, one for each (1,A) of `attributes`; shares: as a
        parser sees it."""
        person = torch.from_numpy(person_mask(subject) if shares is None else 1 - shares[LABELS.index("background")])
        with self.inference():
            return [
                to_pictures(self.model.edit(subject.image, c, person[None, None].to(self.device)))[0]
                for c in attributes
            ]

    def edit(self, photo: Photo, attributes: Mapping[str, float], **options: Any) -> Result:
        """Change attributes: see `masque.edits.translate.edit`."""
        return edit(self, photo, attributes, **options)

    def sheet(self, photo: Photo, **options: Any) -> Result:
        """Every attribute turned round, side by side: see `masque.edits.translate.sheet`."""
        return sheet(self, photo, **options)


def edit(
    translator: Translator,
    photo: Photo,
    attributes: Mapping[str, float],
    *,
    region: Region = "both",
    detail: Detail = "keep",
    pick: int | None = None,
) -> Result:
    """Give a face other attributes and leave the rest alone.

    photo: as `Photo` has it, of any size. attributes: values in [0,1] by name, several at once; hair colours exclude
    one another, so one that is asked for takes the others back, which the record says under `also`. region: where the
    change may show. detail: `keep` adds the change to the photo's own pixels, `network` shows the network's picture.
    Returns the whole photo and its record. Raises PictureError, NoFaceError, UnknownAttributeError, ValueRangeError.
    """
    attributes = values_by_name(attributes)
    check_choice("region", region, get_args(Region))
    check_choice("detail", detail, get_args(Detail))
    check_rivals(attributes)
    subject = translator.subject(photo, pick)
    own = translator.estimate(subject)
    wanted, also = without_rivals(
        with_values(own, translator.attributes, attributes), translator.attributes, attributes, HAIR_COLOURS
    )
    shares = translator.shares(subject)
    before, after = painted(translator, subject, own, [wanted], shares)
    mask = edited_mask(subject, region, shares)
    if detail == "keep":
        picture = add_change(subject.photo, before, after, subject.matrix, mask)
    else:
        picture = paste(subject.photo, after, subject.matrix, mask)
    colour = asked_colour(attributes, shares)
    picture = in_tones(subject, picture, colour)
    estimated = {name: round(value, 3) for name, value in zip(translator.attributes, own[0].tolist(), strict=True)}
    record = translator.record("edit", region=region, detail=detail, attributes=attributes, also=also, inputs=inputs(photo=subject),
                               estimated=estimated, **said(subject, colour), **measure(picture, subject, {"photo": subject}))  # fmt: skip
    return Result(picture, record)


def painted(
    translator: Translator, subject: Subject, own: Tensor, wanted: Sequence[Tensor], shares: Shares | None
) -> list[Picture]:
    """The subject as it is, and with each of the wanted attributes (1,A), as the generator paints it (S,S,3).

    Where a parser's shares say what is hair, a hair colour shows there alone: G has learnt hair colours from people who
    have them, and would change the skin along with the hair."""
    hair = [place for place, name in enumerate(translator.attributes) if name in HAIR_COLOURS]
    before, *after = translator.translate(subject, [own, *wanted], shares)
    if shares is None or not hair:
        return [before, *after]
    others = [one.clone() for one in wanted]
    for one in others:
        one[:, hair] = own[:, hair]
    is_hair = shares[LABELS.index("hair")][..., None]
    beside = translator.translate(subject, others, shares)
    return [
        before,
        *(np.rint(is_hair * a + (1 - is_hair) * b).astype(np.uint8) for a, b in zip(after, beside, strict=True)),
    ]


def check_rivals(attributes: Mapping[str, float]) -> None:
    """Raise ValueRangeError when hair colours are asked for that together are more than one head's."""
    asked = {name: value for name, value in attributes.items() if name in HAIR_COLOURS}
    if sum(asked.values()) > 1 + 1e-6:
        colours = " and ".join(f"{name}={value:g}" for name, value in asked.items() if value > 0)
        raise ValueRangeError(
            f"{colours} exclude one another: ask for one hair colour, or for shares that add up to 1 at most."
        )


def sheet(translator: Translator, photo: Photo, *, detail: Detail = "keep", pick: int | None = None) -> Result:
    """The photo's face, and beside it the same with each attribute turned round (Fig. 4-6): hair colours given, all
    others reversed.

    Raises PictureError, NoFaceError, ValueRangeError.
    """
    check_choice("detail", detail, get_args(Detail))
    subject = translator.subject(photo, pick)
    own = translator.estimate(subject)
    turned = turned_round(own, translator.attributes, HAIR_COLOURS)
    shares = translator.shares(subject)
    before, *after = painted(translator, subject, own, [wanted for _, wanted in turned], shares)
    mask = edited_mask(subject, "both", shares)  # as in `edit`, so that the sheet shows what it will give
    to_cell = chain(subject.matrix, zoom(CELL / subject.size))
    cells = [see(subject.photo, to_cell, (CELL, CELL), CELL / HAIR_CROP.side)[0]]
    for (asked, _), one in zip(turned, after, strict=True):
        if detail == "network":
            cell = cv2.resize(one, (CELL, CELL), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        else:
            cell = add_change(cells[0], before, one, zoom(subject.size / CELL), mask)
        cells += cells_in_tones(subject, [cell], asked_colour(asked, shares))
    shown = ["the photo", *(f"{name}={value:g}" for asked, _ in turned for name, value in asked.items())]
    return Result(
        grid(cells, len(cells)),
        translator.record("sheet", detail=detail, shown=shown, inputs=inputs(photo=subject), **said(subject, 1.0)),
    )
