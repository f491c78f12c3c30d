"""A set of face frames in memory, ready to draw batches from: a prepared folder, several of them, or puppets."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.data.prepared import BACKGROUND, PERSON, PreparedSet, open_prepared
from masque.data.puppets import puppets
from masque.errors import DataError
from masque.faces.frame import at_scale, frame_size

MEMORY_MAP_FROM = 4 * 2**30
"""Bytes from which the frames live in a temporary file that the system pages in, not in memory."""

MAX_PUPPETS = 100_000
"""How many puppets a training may ask for: they are drawn each time, and all held in memory."""


@dataclass(frozen=True)
class FrameSet:
    """N face frames at one scale with all that is known about them."""

    frames: NDArray[np.uint8]
    """The aligned face frames, RGB (N,218s,178s,3) at scale s."""
    masks: NDArray[np.uint8]
    """(N,218s,178s): PERSON, BACKGROUND or BEYOND."""
    landmarks: NDArray[np.float32]
    """Each frame's 68 landmarks, (N,68,2) in frame pixels."""
    attributes: NDArray[np.float32]
    """Each frame's attributes, (N,A) in [0,1], NaN where unknown."""
    attribute_names: tuple[str, ...]
    """Names of the columns of `attributes`."""
    identities: tuple[str, ...]
    """The person in each frame, named by the place of the set in `--data` and the folder within it; empty where
    unknown."""
    splits: tuple[str, ...]
    """The split of each frame: train, validation or test."""
    sources: tuple[str, ...]
    """The path of each frame's picture in the data set that it is from."""
    scale: float
    """s: pixels of a frame per pixel of CelebA's aligned pictures."""
    labels: NDArray[np.uint8] | None = None
    """(N,218s,178s) label maps, `masque.faces.labels.UNKNOWN` where unknown; None where they were not asked for."""

    def __len__(self) -> int:
        return len(self.frames)

    def indices(self, split: str) -> NDArray[np.int64]:
        """Positions of the frames of one split."""
        return np.flatnonzero(np.array(self.splits) == split)

    def people(self) -> NDArray[np.int64]:
        """(N,) the person in each frame as a number from 0 on in the order in which they first appear, -1 where
        unknown.

        So a set or a person that is renamed keeps its numbers.
        """
        return self._numbered(dict.fromkeys(self.identities))

    def numbered_by_name(self) -> bool:
        """Whether `people` numbers them as runs that are older than this order did, by the names of set and person.

        Of several sets that is not known: their names may have changed since.
        """
        sets = {name.partition("/")[0] for name in self.identities} - {""}
        return len(sets) <= 1 and np.array_equal(self.people(), self._numbered(sorted(set(self.identities))))

    def _numbered(self, names: Iterable[str]) -> NDArray[np.int64]:
        numbers = {name: number for number, name in enumerate(name for name in names if name)}
        return np.array([numbers.get(name, -1) for name in self.identities], dtype=np.int64)

    def fingerprint(self) -> str:
        """A short hash over pixels, landmarks and attributes and, after a hyphen and where people are known, one over
        who is in which frame: the same set gives the same one, whatever it is called."""
        digest = hashlib.sha256()
        for array in (self.frames, self.landmarks, self.attributes, *(() if self.labels is None else (self.labels,))):
            digest.update(np.ascontiguousarray(array[:: max(1, len(array) // 256)]).tobytes())
        digest.update(repr((len(self), self.attribute_names, self.splits)).encode())
        people = self.people()
        known = f"-{hashlib.sha256(people.tobytes()).hexdigest()[:8]}" if (people >= 0).any() else ""
        return digest.hexdigest()[:16] + known


LabelMaps = Literal["none", "any", "some known", "known"]
"""Which label maps are loaded: none; those of any kind; those of any kind, but of one set at least from masks of parts,
not from a parser; or those from masks of parts alone."""


def load_frames(
    data: Sequence[str],
    size: int,
    attribute_names: Sequence[str],
    splits: Sequence[str] = ("train", "validation", "test"),
    labels: LabelMaps = "none",
) -> FrameSet:
    """Frames from prepared folders and puppets, for crops of `size` pixels.

    data: each a prepared folder's path or `puppets:N`. attribute_names: the columns wanted, in their order. splits:
    which rows to load. labels: but for none, load label maps as well, and only pictures that have one. Raises DataError
    when a folder is not a prepared set, its pictures are smaller than `size` needs, or nothing remains."""
    if not data:
        raise DataError("No data was named: give --data a prepared folder or puppets:N.")
    if labels == "some known" and all(_parsed(item) for item in data):
        raise DataError(
            f"The label maps of {' and '.join(data)} are a parser's own, which teach a parser nothing new: add a set "
            "with masks of parts, such as CelebAMask-HQ."
        )
    found = [
        _puppets(item, size, attribute_names, splits, labels)
        if item.startswith("puppets:")
        else _prepared(open_prepared(Path(item)), place, size, attribute_names, splits, labels)
        for place, item in zip(_places(data), data, strict=True)
    ]
    parts = [part for part in found if part is not None]  # a set that is all for training has nothing to measure on
    if not parts:
        verb, which = ("have", "them") if len(data) > 1 else ("has", "it")
        raise DataError(
            f"{' and '.join(data)} {verb} no pictures for {' or '.join(splits)}: prepare {which} with another "
            "--held-out."
        )
    return parts[0] if len(parts) == 1 else _joined(parts)


def _places(data: Sequence[str]) -> list[int]:
    """The place of each set among `data`; a set that is named again has the place where it came first, and so the same
    people."""
    paths = [item if item.startswith("puppets:") else str(Path(item).resolve()) for item in data]
    return [paths.index(path) for path in paths]


def _parsed(item: str) -> bool:
    return not item.startswith("puppets:") and open_prepared(Path(item)).parsed_labels


def _blank(count: int, scale: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    width, height = frame_size(scale)
    shape = (count, height, width)
    if 4 * count * height * width < MEMORY_MAP_FROM:
        return np.empty((*shape, 3), np.uint8), np.empty(shape, np.uint8)
    # The file has no name any more once opened, so it goes when the process does.
    with tempfile.TemporaryFile() as pixels, tempfile.TemporaryFile() as masks:
        return np.memmap(pixels, np.uint8, "w+", shape=(*shape, 3)), np.memmap(masks, np.uint8, "w+", shape=shape)


def _prepared(
    opened: PreparedSet, place: int, size: int, names: Sequence[str], splits: Sequence[str], labels: LabelMaps
) -> FrameSet | None:
    scale = size / 128
    if scale > opened.scale * 1.01:
        raise DataError(
            f"{opened.root} was prepared for {round(128 * opened.scale)} px and {size} are asked for: prepare it again "
            f"with --size {size}."
        )
    chosen = opened.indices(*splits)
    if not len(chosen):
        return None
    if labels != "none":
        chosen = _with_label_maps(opened, chosen, labels)
    frames, masks = _blank(len(chosen), scale)
    parts = np.empty_like(masks) if labels != "none" else None
    target = frame_size(scale)

    def read(position: int) -> None:
        index = chosen[position]
        frame, mask = opened.frame(index), opened.mask(index)
        if frame.shape[1::-1] != target:
            frame = cv2.resize(frame, target, interpolation=cv2.INTER_AREA).astype(np.uint8)
            mask = cv2.resize(mask, target, interpolation=cv2.INTER_NEAREST_EXACT).astype(np.uint8)
        frames[position], masks[position] = frame, mask
        if parts is not None:
            parts[position] = cv2.resize(opened.labels(int(index)), target, interpolation=cv2.INTER_NEAREST_EXACT)

    with ThreadPoolExecutor(os.cpu_count()) as readers:  # decoders do not hold Python up
        list(readers.map(read, range(len(chosen))))
    rows = [opened.rows[i] for i in chosen]
    # People of different data sets are different people, though their folders, and the sets', may have the same name.
    people = tuple(f"{place}/{row.identity}" if row.identity else "" for row in rows)
    return FrameSet(
        frames=frames,
        masks=masks,
        landmarks=at_scale(opened.landmarks[chosen], scale / opened.scale).astype(np.float32),
        attributes=opened.attributes(names)[chosen],
        attribute_names=tuple(names),
        identities=people,
        splits=tuple(row.split for row in rows),
        sources=tuple(row.source for row in rows),
        scale=scale,
        labels=parts,
    )


def _with_label_maps(opened: PreparedSet, chosen: NDArray[np.int64], labels: LabelMaps) -> NDArray[np.int64]:
    """Those of the chosen rows (N,) that have a label map. Raises DataError where there are none of the kind wanted."""
    if labels == "known" and opened.parsed_labels:
        raise DataError(
            f"The label maps of {opened.root} are a parser's own: name a set with masks of parts, such as "
            "CelebAMask-HQ."
        )
    labelled = np.array([i for i in chosen if opened.has_labels(int(i))], dtype=np.int64)
    if not len(labelled):
        how = "" if "known" in labels else ", or prepare it again with --label-maps"
        raise DataError(f"{opened.root} has no label maps: name a set with masks of parts, such as CelebAMask-HQ{how}.")
    return labelled


def _puppets(item: str, size: int, names: Sequence[str], splits: Sequence[str], labels: LabelMaps) -> FrameSet | None:
    try:
        count = int(item.removeprefix("puppets:"))
    except ValueError:
        count = 0
    if not 1 <= count <= MAX_PUPPETS:
        raise DataError(
            f"{item} is not puppets:N with a number of puppets from 1 to {MAX_PUPPETS:,}, such as puppets:2000."
        )
    scale = size / 128
    made = list(puppets(count, seed=0, scale=scale))
    last = made[-1].identity
    split = ["test" if m.identity > 0.9 * last else "train" for m in made]
    kept = [i for i, s in enumerate(split) if s in splits]
    if not kept:
        return None
    frames, masks = _blank(len(kept), scale)
    for position, i in enumerate(kept):
        frames[position] = made[i].picture
        masks[position] = np.where(made[i].background > 127, BACKGROUND, PERSON)
    values = np.array([[made[i].attributes.get(n, np.nan) for n in names] for i in kept], np.float32)
    return FrameSet(
        frames=frames,
        masks=masks,
        landmarks=np.stack([made[i].landmarks for i in kept]),
        attributes=values.reshape(len(kept), -1),
        attribute_names=tuple(names),
        identities=tuple(f"puppet/{made[i].identity}" for i in kept),
        splits=tuple(split[i] for i in kept),
        sources=tuple(f"puppet/{i}" for i in kept),
        scale=scale,
        labels=np.stack([made[i].labels for i in kept]) if labels != "none" else None,
    )


def _joined(parts: Sequence[FrameSet]) -> FrameSet:
    frames, masks = _blank(sum(map(len, parts)), parts[0].scale)
    start = 0
    for part in parts:
        frames[start : start + len(part)], masks[start : start + len(part)] = part.frames, part.masks
        start += len(part)
    labels = [p.labels for p in parts if p.labels is not None]
    return FrameSet(
        frames=frames,
        masks=masks,
        landmarks=np.concatenate([p.landmarks for p in parts]),
        attributes=np.concatenate([p.attributes for p in parts]),
        attribute_names=parts[0].attribute_names,
        identities=tuple(chain.from_iterable(p.identities for p in parts)),
        splits=tuple(chain.from_iterable(p.splits for p in parts)),
        sources=tuple(chain.from_iterable(p.sources for p in parts)),
        scale=parts[0].scale,
        labels=np.concatenate(labels) if labels else None,
    )
