"""Parsing a photo: which part of the face each pixel is (portrait thesis, Section 2.2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from masque.edits.measures import inputs
from masque.edits.parser import ParserSession
from masque.edits.subject import Photo
from masque.faces.labels import Labels
from masque.image import Picture
from masque.jsonfile import JSON


@dataclass(frozen=True)
class Parsed:
    """A photo and its parts."""

    photo: Picture
    """The whole photo, RGB uint8 (H,W,3)."""
    labels: Labels
    """(H,W), as large as the photo; background beyond what the network saw."""
    record: Mapping[str, JSON]
    """Plain JSON values: edit, model, weights, inputs."""


def parse(session: ParserSession, photo: Photo, pick: int | None = None) -> Parsed:
    """Which part of the face each pixel of a photo is (portrait thesis, Section 2.2.1).

    photo: a path, an open file or its bytes, a Pillow picture, or RGB uint8 (H,W,3) of any size.
    pick: which of several faces in the photo, from 1 on as `masque faces` lists them; the largest if None.

    Returns the photo, its label map (H,W) and the record. Raises PictureError for a photo that cannot be read,
    NoFaceError."""
    subject = session.subject(photo, pick)
    labels = session.labels(subject).copy()  # people paint in it
    return Parsed(subject.photo, labels, session.record("parse", {"inputs": inputs(photo=subject)}))
