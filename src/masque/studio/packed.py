"""Results as bytes, for the server to hold while the worker that made them may come and go.

Photos that the server holds already are named by their keys and not packed again. Only Masque's own processes write and
read this, through pipes of their own: nothing that a user sends is ever unpacked."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from masque.edits.result import Result
from masque.faces.detect import Face
from masque.faces.labels import Labels
from masque.image import Picture


@dataclass(frozen=True)
class Held:
    """A result as a worker holds it."""

    result: Result
    """The finished edit."""
    name: str
    """What to call its picture."""
    cells: tuple[Picture, ...] = ()
    """The single pictures of a sheet."""
    labels: Labels | None = None
    """The label map of the photo that was parsed."""
    faces: tuple[Face, ...] | None = None
    """The faces in the picture, where they are known."""


class _Packer(pickle.Pickler):
    def __init__(self, file: BytesIO, photos: Mapping[str, Picture]) -> None:
        super().__init__(file, protocol=5)
        self.keys = {id(picture): key for key, picture in photos.items()}
        self.used: dict[str, None] = {}

    def persistent_id(self, obj: object) -> str | None:
        key = self.keys.get(id(obj))
        if key is not None:
            self.used[key] = None
        return key


class _Unpacker(pickle.Unpickler):
    def __init__(self, content: bytes, photo: Callable[[str], Picture]) -> None:
        super().__init__(BytesIO(content))
        self.photo = photo

    def persistent_load(self, pid: object) -> Picture:
        return self.photo(str(pid))


def pack(held: Held, photos: Mapping[str, Picture]) -> tuple[bytes, tuple[str, ...]]:
    """A result as bytes, and the keys of the photos that it refers to.

    photos: by key, those that need not be packed."""
    file = BytesIO()
    packer = _Packer(file, photos)
    packer.dump(held)
    return file.getvalue(), tuple(packer.used)


def unpack(content: bytes, photo: Callable[[str], Picture]) -> Held:
    """A result that `pack` made bytes of.

    photo: gives the pixels of a photo by its key."""
    held = _Unpacker(content, photo).load()
    assert isinstance(held, Held)
    return held


def pack_faces(faces: Sequence[Face]) -> bytes:
    """Faces as bytes."""
    return pickle.dumps(tuple(faces), protocol=5)


def unpack_faces(content: bytes) -> tuple[Face, ...]:
    """Faces that `pack_faces` made bytes of."""
    faces = pickle.loads(content)
    assert isinstance(faces, tuple)
    return faces
