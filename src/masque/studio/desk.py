"""What a worker has before it: the models, and the photos and results that it works on, with the faces found in
them."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, cast

import cv2

from masque.edits.own import SIZE
from masque.edits.subject import UNDYED, Subject, cut_subject, find_subject, undyed
from masque.faces.detect import Face, choose_face, find_faces, main_face
from masque.image import Picture
from masque.studio.messages import Content, NotHeldError
from masque.studio.packed import Held, unpack, unpack_faces

if TYPE_CHECKING:
    from masque.edits.latents import Latent
    from masque.edits.loaded import LatentEditor, Parser, PhotoEditor, PortraitEditor, Swapper, Synthesizer

Box: TypeAlias = tuple[int, int, int, int]

GONE = "A photo of this edit is not held any more: give it again."

MOST = 1 << 29
"""Bytes of pixels that a worker keeps before it; the server holds the rest."""


LATEST = 8
"""Photos, at most, that are looked at closer when there is time; of more, those that came last."""

PREVIEWED = 512
"""Longer side in pixels of the copy that the page's sliders are previewed on."""


@dataclass
class Lying:
    """A photo or a result that lies before a worker."""

    key: str
    name: str
    picture: Picture
    held: Held | None = None
    """Where it is a result: the result."""
    faces: tuple[Face, ...] | None = None
    """The faces in it; None before anybody has looked."""
    subjects: dict[tuple[int | None, int | None], Subject] = field(default_factory=dict)
    """(which face, longer side in pixels) -> the face as edits take it, on the photo itself or a smaller copy."""
    latents: dict[tuple[Box, bool], Latent] = field(default_factory=dict)
    """(box of a face, whether it was sought for its picture) -> its latent."""

    @property
    def size(self) -> int:
        """Bytes that it takes, about: pixels, and as much again for what is found of it."""
        return 2 * self.picture.nbytes


class Desk:
    """The models, loaded when they are first needed, and what lies before a worker."""

    def __init__(self, fetch: Callable[[str], Content]) -> None:
        """fetch: asks the server for what is held under a key."""
        self.fetch = fetch
        self.lying: OrderedDict[str, Lying] = OrderedDict()
        self.models: dict[str, object] = {}
        self.later: deque[Callable[[], object]] = deque(maxlen=LATEST)
        """What may be done when nothing is waited for: work that a next edit would have to do."""

    def take(self, key: str) -> Lying:
        """What is held under a key. Raises NotHeldError."""
        if key not in self.lying:
            content = self.fetch(key)
            if content.kind is None:
                raise NotHeldError(GONE)
            self.lying[key] = self._laid(content)
            self._clear_away(key)
        self.lying.move_to_end(key)
        return self.lying[key]

    def add(self, lying: Lying) -> None:
        """Lay something new before the worker."""
        self.lying[lying.key] = lying
        self._clear_away(lying.key)

    def forget(self, key: str) -> None:
        """Keep nothing of a photo or result any more."""
        self.lying.pop(key, None)

    def photos(self) -> Mapping[str, Picture]:
        """The pixels of the photos that lie here, by key; those of results are not among them."""
        return {key: one.picture for key, one in self.lying.items() if one.held is None}

    def _laid(self, content: Content) -> Lying:
        if content.kind == "result":
            held = unpack(content.body, lambda key: self.take(key).picture)
            return Lying(content.key, held.name, held.result.picture, held, held.faces)
        import numpy as np

        picture: Picture = np.frombuffer(content.body, np.uint8).reshape(*content.shape, 3)
        faces = unpack_faces(content.faces) if content.faces else None
        return Lying(content.key, content.name, picture, None, faces)

    def _clear_away(self, kept: str) -> None:
        """Leave out what was not used for longest."""
        total = sum(one.size for one in self.lying.values())
        for key in list(self.lying):
            if total <= MOST:
                return
            if key != kept:
                total -= self.lying.pop(key).size

    def faces(self, key: str) -> tuple[Face, ...]:
        """The faces in a photo or result, in the order of their numbers."""
        one = self.take(key)
        if one.faces is None:
            one.faces = tuple(find_faces(one.picture))
        return one.faces

    def subject(self, key: str, pick: int | None = None, longest: int | None = None) -> Subject:
        """The face to edit in a photo or result.

        pick: which of several, from 1 on; the largest, or the one that was edited, if None. longest: the longer side in
        pixels of a smaller copy to take in place of the photo. Raises NoFaceError, NotHeldError."""
        one = self.take(key)
        pick = self._other(one, pick)
        if longest is not None and longest >= max(one.picture.shape[:2]):
            longest = None
        found = one.subjects.get((pick, longest))
        if found is None:
            found = self._cut(one, pick) if longest is None else smaller(self.subject(key, pick), longest)
            one.subjects[pick, longest] = found
        return found

    def _other(self, one: Lying, pick: int | None) -> int | None:
        """A pick, but None where it names the face that is taken anyway: what is known of that is not found again, and
        an edit of an edit goes on from it."""
        if pick is None:
            return None
        faces, original = self.faces(one.key), one.held.result.original if one.held is not None else None
        if not 1 <= pick <= len(faces):
            return pick
        taken = original.face if original is not None else main_face(faces)
        return None if faces[pick - 1].box == taken.box else pick

    def _cut(self, one: Lying, pick: int | None) -> Subject:
        result = one.held.result if one.held is not None else None
        if result is not None and result.change is not None and result.original is not None and pick is None:
            return find_subject(result, SIZE)
        face = choose_face(self.faces(one.key), pick, name=one.name)
        return cut_subject(one.picture, face, SIZE, one.name)

    def prepare(self, key: str) -> None:
        """Find of a photo's largest face what most edits need, before one is asked for. Raises NoFaceError."""
        one = self.lying.get(key)
        if one is not None:
            subject = self.subject(key)
            self.own().mattes(subject)
            self.own().require_parser().labels(subject)
            _ = subject.embedding
            self.own().mattes(self.subject(key, longest=PREVIEWED))

    def warm(self) -> None:
        """Load what the first edits need, and use it once: the first time takes longest. Raises CheckpointError."""
        editor = self.own()
        editor.require_parser()
        editor.prototypes()
        editor.motion()
        self.portrait()

    def own(self) -> PhotoEditor:
        """The editor of own pixels."""
        return cast("PhotoEditor", self._model("own"))

    def parser(self) -> Parser:
        """The face parser."""
        return cast("Parser", self._model("parser"))

    def portrait(self) -> PortraitEditor:
        """The editor of portraits by label maps."""
        return cast("PortraitEditor", self._model("portrait"))

    def swapper(self) -> Swapper:
        """RSGAN."""
        return cast("Swapper", self._model("rsgan"))

    def latents(self) -> LatentEditor:
        """The progressive GAN."""
        return cast("LatentEditor", self._model("progan"))

    def synthesizer(self) -> Synthesizer:
        """FaceFeat-GAN."""
        return cast("Synthesizer", self._model("facefeat"))

    def _model(self, name: str) -> object:
        if name not in self.models:
            import masque

            self.models[name] = masque.load(name)
        return self.models[name]


def smaller(subject: Subject, longest: int) -> Subject:
    """The same face in a smaller copy of its photo, for a preview: what edits came before is in the copy's pixels.

    longest: its longer side in pixels."""
    height, width = subject.photo.shape[:2]
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = cv2.resize(subject.photo, size, interpolation=cv2.INTER_AREA)
    left, top, w, h = subject.face.box
    x, y = size[0] / width, size[1] / height
    box = (round(left * x), round(top * y), max(1, round(w * x)), max(1, round(h * y)))
    # Pixel centres are at whole numbers: the corner of the first pixel is at −½.
    landmarks = (subject.face.landmarks + 0.5) * (x, y) - 0.5
    face = replace(subject.face, box=box, landmarks=landmarks.astype("float32"))
    small, plain = cut_subject(picture.astype("uint8"), face, subject.size, subject.name), undyed(subject)
    if plain is not subject:
        small.found.once(UNDYED, lambda: smaller(plain, longest))
    return small
