"""What Studio's API answers, as its documentation shows it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, JsonValue


class Face(BaseModel):
    """A face in a picture, in its pixels."""

    number: int = Field(description="What `pick` takes.")
    left: int
    top: int
    width: int
    height: int
    usable: bool = Field(description="Whether it is large enough to be edited.")
    taken: bool = Field(description="Whether it is taken where none is picked.")


class Photo(BaseModel):
    """A photo that is held."""

    id: str
    name: str
    width: int
    height: int
    faces: list[Face]
    note: str | None = Field(description="Why it cannot be edited, where it cannot.")


class Result(BaseModel):
    """A finished edit that is held. Its id may be given wherever a photo's may: the edit then goes on from it."""

    id: str
    verb: str
    width: int
    height: int
    record: dict[str, JsonValue] = Field(description="How it was made, as it stands in the picture.")
    words: list[str] = Field(description="The record in sentences.")
    notes: list[str] = Field(description="What went otherwise than asked.")
    photo: str | None = Field(description="The photo or result of the same size that it is an edit of.")
    kind: Literal["picture", "film", "labels"]
    labels: bool = Field(description="Whether there is a label map.")
    latent: bool = Field(description="Whether a latent was found and is kept.")
    cells: int | None = Field(description="How many single pictures a sheet has.")
    faces: list[Face]


class Failure(BaseModel):
    """Why something could not be done."""

    error: str = Field(description="One sentence.")
    kind: str = Field(description="The kind of error, such as NoFaceError.")
    field: str | None = Field(default=None, description="The field of the request that is the cause, where one is.")


class Job(BaseModel):
    """An edit that waits, is done, or is over."""

    id: str
    verb: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    place: int | None = Field(description="How many are before it, while it waits.")
    doing: str | None = Field(description="What is being done, such as Finding latents.")
    done: int
    of: int = Field(description="Steps that are done, and of how many; 0 where nobody knows.")
    seconds: float = Field(description="How long it has taken, waiting included.")
    version: int = Field(description="Grows with each change: what `seen` takes.")
    error: Failure | None
    result: Result | None


class Reading(BaseModel):
    """What a face has: the values that an edit would set to change nothing, shares in [0,1]."""

    Smiling: float
    Mouth_Slightly_Open: float
    Young: float
    Male: float
    Age: float | None = Field(description="In years; null of a face that reads too young to be aged.")
    Hair: str | None = Field(description="As #rrggbb; null where too little is seen.")
    Black_Hair: float | None = None
    Blond_Hair: float | None = None
    Brown_Hair: float | None = None
    Gray_Hair: float | None = None
    glasses: bool
    beard: bool
    yaw: float = Field(description="How far the head is turned to the picture's right, in degrees.")
    notes: list[str] = Field(description="What could not be read, and why.")


class Example(BaseModel):
    """A picture to begin with."""

    name: str
    title: str
    by: str = Field(description="Whose it is, and its terms.")
    picture: bool = Field(description="Whether there is a small picture of it.")


class Attribute(BaseModel):
    """Something that an edit can change."""

    name: str
    kind: Literal["share", "years", "colour"]
    low: float | None = None
    high: float | None = None


class Choices(BaseModel):
    """All that edits can be asked for."""

    attributes: list[Attribute]
    hair_colours: dict[str, str] = Field(description="Name -> #rrggbb.")
    labels: list[str] = Field(description="The parts of a face, in the order of their numbers.")
    label_colours: list[list[int]] = Field(description="The colour of each part in a label map.")
    parts: list[str] = Field(description="What `part` of repaint and transfer takes.")


class Limits(BaseModel):
    """What an upload may have."""

    megabytes: int
    megapixels: int


class Status(BaseModel):
    """How Studio is."""

    version: str
    ready: bool = Field(description="Whether the models are loaded; what is asked before waits for them.")
    doing: str | None
    limits: Limits
    missing: list[str] = Field(description="Models that no weights are installed of.")
    busy: int = Field(description="How many edits wait or are done.")


class Verdict(BaseModel):
    """What a picture or film says of how it was made."""

    masque: bool = Field(description="Whether it carries a record of Masque.")
    unchanged: bool | None = Field(
        description="Whether its pixels are as they were written; null where nobody can tell."
    )
    words: list[str]
    record: dict[str, JsonValue] | None


class DoorNeeds(BaseModel):
    """What lets a client in."""

    needs: Literal["token", "password"]
    version: str


class Password(BaseModel):
    """What a client shows at the door."""

    password: str = Field(max_length=1024)


class Token(BaseModel):
    """What every other request needs as `Authorization: Bearer`."""

    token: str


class Notice(BaseModel):
    """What everybody should read once."""

    text: list[str]
    agreed: bool


class Agreed(BaseModel):
    """That somebody has read it."""

    agreed: bool
