"""Edits that move and tint the photo's own pixels. Several of them make one change of the photo, which is resampled
once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import torch

from masque.edits.ageing import LESS, LOST, change_age, check_adult, identity_lost, read_face
from masque.edits.ageing_values import AGE, MALE, YOUNG, asked_ageing, checked_stated, checked_years
from masque.edits.edit_ccagan import check_hair_colours
from masque.edits.expression import OPEN, SMILE, change_expression
from masque.edits.hair_colour import ALREADY as HAIR_ALREADY
from masque.edits.hair_colour import COLOURS, colour_hair, hair_colour, has_shares, own_colour
from masque.edits.mattes import Mattes, find_mattes
from masque.edits.measures import described, inputs, measure
from masque.edits.parser import ParserSession
from masque.edits.result import Result
from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Detail, Photo, Subject, find_subject
from masque.errors import CheckpointError, UnknownAttributeError, ValueRangeError, nearest, printable
from masque.faces.change import Change
from masque.faces.dye import HairColour, mixed
from masque.given import share
from masque.jsonfile import JSON
from masque.models.ageing import Prototypes
from masque.models.expression import Motion
from masque.version import __version__

SIZE = 128
"""Side of the crops that the record's measures are taken on; the edits work at the photo's own size."""

HAIR = "Hair"
"""The attribute whose value is a colour."""

ATTRIBUTES = (HAIR, *COLOURS, SMILE, OPEN, AGE, YOUNG, MALE)
"""Everything that an edit may name."""

GREY = "The photo is black and white: its hair gets lighter or darker, and no colour."

Value: TypeAlias = float | str
"""A strength in [0,1], for `Hair` a colour, or for `Age` years, or years to add such as "+20"."""

Method: TypeAlias = Literal["own", "network"]


class Painter(Protocol):
    """What paints heads that are turned farther than a photo's own pixels bear: a loaded FaceFeat-GAN."""

    def modify(
        self, photo: Photo, yaws: Sequence[float] | None = None, *, pick: int | None = None, detail: Detail = "keep"
    ) -> Result:
        """A picture of a photo's person with the head turned to yaws in degrees.

        photo: as of any edit. pick: which of several faces. detail: "network" for the network's picture."""


class OwnSession:
    """What edits a photo's own pixels: the face parser, and what is known of how faces differ and move."""

    family = "own"

    def __init__(
        self,
        parser: ParserSession | None,
        prototypes: Callable[[], tuple[Prototypes, str]],
        motion: Callable[[], tuple[Motion, str]],
        device: torch.device | str = "cpu",
        synthesizer: Callable[[], Painter] | None = None,
        swapper: Callable[[], RSGANSession | None] = lambda: None,
    ) -> None:
        """parser: finds hair and skin; None where no weights of it are installed. prototypes: loads those of age and
        sex, and the hash of their weights. motion: the same of how faces move. device: what computes. synthesizer:
        loads what paints heads that are turned far; without it they are refused. swapper: loads what swaps faces that
        own pixels cannot; None where no weights of it are installed."""
        self.parser = parser
        self.prototypes = prototypes
        self.motion = motion
        self.device = torch.device(device)
        self.synthesizer = synthesizer
        self.swapper = swapper
        self.paint_unseen = True
        """Whether a swap has RSGAN paint what the face that is put in does not show."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that an edit may name."""
        return ATTRIBUTES

    def mattes(self, subject: Subject) -> Mattes:
        """Where hair and skin of a subject are. Raises CheckpointError where no face parser is installed.

        subject: the face."""
        return find_mattes(self.require_parser(), subject)

    def require_parser(self) -> ParserSession:
        """The face parser. Raises CheckpointError where none is installed."""
        if self.parser is None:
            raise CheckpointError(
                "No weights of parser come with this installation, and hair cannot be found without: train some with "
                "`masque train parser` and name the folder that holds them in MASQUE_WEIGHTS."
            )
        return self.parser


def edit(
    session: OwnSession,
    photo: Photo,
    attributes: Mapping[str, Value],
    *,
    age: float | None = None,
    pick: int | None = None,
    measured: bool = True,
) -> Result:
    """Change attributes of a person by moving and tinting the photo's own pixels.

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size; or the result of an
        edit, a swap for example, whose face is not looked for again and whose change goes on; or a face that was found
        already (`masque.edits.subject.find_subject`).
    attributes: values by name, several at once: strengths in [0,1], for `Hair` a colour, by name or as #rrggbb, and for
        `Age` years, or as a text years to add or take, such as "+20". All of them change the photo's own pixels.
    age: how old the person is, in years from 18 on, for `Age`, `Young` and `Male`; as the face reads if None.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.
    measured: whether the record says how near the result is to the photo and which layer made how much of it. A preview
        is quicker without; its pixels are the same.

    Returns the whole photo, edited, its change, and its record. Raises PictureError for a photo that cannot be read,
    NoFaceError, UnknownAttributeError naming the nearest, ValueRangeError for a value outside its range, a colour that
    is none, attributes that exclude one another, or a face that reads too young for what is asked of it, and
    CheckpointError where the weights that it takes are missing."""
    values = checked_values(attributes)
    stated = checked_stated(age)
    return edit_subject(session, find_subject(photo, SIZE, pick, session.device), values, stated, measured)


def edit_subject(
    session: OwnSession,
    subject: Subject,
    values: Mapping[str, Value],
    stated: float | None = None,
    measured: bool = True,
) -> Result:
    """Change attributes of a face that has been found already.

    values: as `checked_values` returns them. stated: how old the person is. Otherwise as `edit`."""
    references, known = {"photo": subject}, None
    for strength in LESS:
        work = _made(session, subject, values, stated, strength)
        picture, change = subject.changed(work.change)
        if "ageing" not in work.record or not identity_lost(known := measure(picture, subject, references)):
            break
    notes: list[JSON] = [str(one["note"]) for one in work.record.values() if isinstance(one, Mapping) and "note" in one]
    return Result(
        picture,
        {
            "edit": "edit",
            "model": session.family,
            "masque": __version__,
            "attributes": dict(values),
            "by": work.by,
            **work.record,
            **({"notes": notes} if notes else {}),
            "inputs": inputs(photo=subject),
            **described(picture, change, subject, references, measured, known),
        },
        change,
        subject.original,
    )


def _made(
    session: OwnSession, subject: Subject, values: Mapping[str, Value], stated: float | None, share: float
) -> _Work:
    """The change that values ask of a subject. share: of its ageing, in [0,1]."""
    work = _Work(session, subject, values, Change((subject.photo.shape[1], subject.photo.shape[0])))
    _dye(work)
    _age(work, stated, share)
    _express(work)
    return work


@dataclass
class _Work:
    """An edit on its way: what is asked of whom, and what has been found so far."""

    session: OwnSession
    subject: Subject
    values: Mapping[str, Value]
    change: Change
    by: dict[str, JSON] = field(default_factory=dict)
    record: dict[str, JSON] = field(default_factory=dict)


def _dye(work: _Work) -> None:
    """The hair's colour."""
    wanted = asked_colour(work.values)
    if wanted is None:
        return
    colour, strength = wanted
    mattes = work.session.mattes(work.subject)
    shares = {name: float(value) for name, value in work.values.items() if name in COLOURS}
    if shares and has_shares(own_colour(work.subject, mattes), shares):
        work.record["hair"] = {"hair_seen": round(mattes.hair_seen, 3), "note": HAIR_ALREADY}
        return
    dyeing, work.record["hair"] = colour_hair(work.subject, mattes, colour)
    if work.subject.grey and isinstance(work.record["hair"], dict):
        work.record["hair"].setdefault("note", GREY)
    work.change = work.change.then(dyeing.scaled(strength))
    work.by |= dict.fromkeys((name for name in work.values if name == HAIR or name in COLOURS), "own pixels")


def _age(work: _Work, stated: float | None, share: float) -> None:
    """Age and sex, and how much of that. Hair that is dyed as well does not turn grey."""
    names = [name for name in (AGE, YOUNG, MALE) if name in work.values]
    if not names:
        return
    prototypes, weights = work.session.prototypes()
    read, male = read_face(prototypes, work.subject)
    check_adult(read, stated)
    asked, notes = asked_ageing(work.values, read if stated is None else stated, male)
    values: dict[str, JSON] = {
        "age": round(read, 1),
        **({} if stated is None else {"stated": stated}),
        "target": round(asked.target, 1),
        "male": round(male, 2),
        "more_male": round(asked.more_male, 2),
        "weights": weights,
    }
    if asked.target != asked.years or asked.more_male:
        dyed = asked_colour(work.values) is not None
        ageing, limits = change_age(prototypes, work.subject, work.session.mattes(work.subject), asked, hair=not dyed)
        work.change = work.change.then(ageing.scaled(share))
        notes += limits if share == 1 else [*limits, LOST]
    if notes:
        values["note"] = " ".join(notes)
    work.record["ageing"] = values
    work.by |= dict.fromkeys(names, "own pixels")


def _express(work: _Work) -> None:
    """A smile and an open mouth, on the face as it is by now."""
    asked = {name: float(work.values[name]) for name in (SMILE, OPEN) if name in work.values}
    if not asked:
        return
    motion, weights = work.session.motion()
    moving, found = change_expression(motion, work.subject, work.change, asked)
    work.record["expression"] = {**found, "weights": weights}
    work.change = work.change.then(moving)
    work.by |= dict.fromkeys(asked, "own pixels")


def checked_values(attributes: object) -> dict[str, Value]:
    """Attributes by name, strengths as floats from 0 to 1, colours as texts, and years as floats or signed texts.

    attributes: a mapping. Raises UnknownAttributeError, and ValueRangeError for a value outside the range."""
    if not isinstance(attributes, Mapping):
        raise ValueRangeError(
            f"Attributes are values by name, such as {{'Smiling': 1.0}}, and not {printable(repr(attributes))}."
        )
    values: dict[str, Value] = {}
    for name, value in attributes.items():
        if name not in ATTRIBUTES:
            raise UnknownAttributeError(
                f"No edit knows the attribute {printable(name)}; {nearest(str(name), ATTRIBUTES)}."
            )
        if name == AGE:
            values[name] = checked_years(value)
        elif name != HAIR:
            values[name] = share(name, value)
        elif isinstance(value, str):
            values[name] = value
            hair_colour(value)
        else:
            raise ValueRangeError(
                f"Hair = {printable(repr(value))} is no colour: name one, such as auburn or #8a2be2, as a text."
            )
    if AGE in values and YOUNG in values:
        raise ValueRangeError(f"{AGE} and {YOUNG} exclude one another: leave out one.")
    check_hair_colours({name: value for name, value in values.items() if isinstance(value, float)})
    if HAIR in values and any(values.get(name, 0) for name in COLOURS):
        raise ValueRangeError("Hair and a hair colour such as Blond_Hair exclude one another: leave out one.")
    return values


def asked_colour(values: Mapping[str, Value]) -> tuple[HairColour, float] | None:
    """The hair colour that attributes ask for, and how far the hair is to go there; None where they ask for none.

    values: as `checked_values` returns them. Several shares of colours are mixed in proportion."""
    if HAIR in values:
        return hair_colour(str(values[HAIR])), 1.0
    shares = {name: float(values[name]) for name in COLOURS if name in values}
    total = sum(shares.values())
    if not shares or total == 0:
        return None
    return mixed([COLOURS[name] for name in shares], list(shares.values())), min(1.0, total)
