"""An overview of a model: one picture of what it makes of the same held-out people, so that two sets of weights can be
compared by eye."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from masque.data.frames import FrameSet, load_frames
from masque.edits.ccagan import UNKNOWN
from masque.edits.invert import Options
from masque.edits.loaded import AttributeEditor, Parser, PortraitEditor, Swapper, Synthesizer
from masque.edits.loaded import LatentEditor as Generator
from masque.edits.morph import point_between
from masque.edits.random_parts import SPREAD
from masque.edits.repaint import reshape_own
from masque.edits.repaint_own import canvas_of
from masque.edits.repaint_shape import shape_of
from masque.edits.result import Result
from masque.edits.sample import TRUNCATION
from masque.edits.subject import Subject, cut_subject, flip_attributes
from masque.edits.transfer_own import Portrayed, restyle_own
from masque.errors import DataError
from masque.faces.detect import Face
from masque.faces.labels import colour_labels, overlay
from masque.faces.regions import HAIR_CROP, cut_crop
from masque.image import Picture, grid, to_pictures, to_tensor
from masque.layers.noise import normal
from masque.loading import load_session
from masque.models.ccagan import HAIR_COLOURS
from masque.models.dcgan import DCGAN
from masque.models.rsgan import RSGANLatents, face_region, hair_region
from masque.tables.ccagan import person_in
from masque.tables.facefeat import draw_sheet
from masque.tables.swapping import RSGANMethod, Sample, hulls, locate, sample_of, sample_of_picture

PEOPLE = 8
"""Rows of a sheet."""

DRAWN = 2
"""Random faces, and as many pictures with random hair, in a row of RSGAN's."""


def draw(model: str, data: Sequence[str], seed: int = 0) -> Result:
    """The sheet of a model, a row for each of up to `PEOPLE` held-out people; its record says under `shown` what the
    columns are, from left to right.

    model: a family's name or a run folder. data: prepared sets, or puppets:N. seed: chooses the people and draws the
    noise. Raises CheckpointError for a model that edits no photos, DataError for a set without held-out pictures."""
    session = load_session(model)
    paint, _ = SHEETS[type(session)]
    picture, shown = paint(session, load_frames(data, session.size, session.attributes, ("test",)), seed)
    return Result(picture, session.record("sheet", {"shown": shown, "seed": seed}))


def people(frames: FrameSet, seed: int, count: int = PEOPLE) -> NDArray[np.int64]:
    """Positions of `count` held-out frames, each of another person where the set knows who is who. Raises DataError for
    fewer than two."""
    seen: set[str] = set()
    chosen: list[int] = []
    for place in np.random.default_rng(seed).permutation(frames.indices("test")):
        person = frames.identities[place]
        if not person or person not in seen:
            chosen.append(int(place))
        seen.add(person)
    if len(chosen) < 2:
        raise DataError("A sheet needs held-out pictures of two people: prepare the set with --held-out 2 or more.")
    return np.array(chosen[:count])


def rsgan_sheet(session: Swapper, frames: FrameSet, seed: int = 0) -> tuple[Picture, list[str]]:
    """A row for each person: the picture, it made again, its face in the next one's hair, that swapped back, which
    should be the next one's picture; each attribute flipped; random faces, random hairs."""
    method, names = RSGANMethod(session), session.attributes
    samples = [
        sample_of(frames.frames[i], frames.masks[i], frames.landmarks[i], session.size) for i in people(frames, seed)
    ]
    following = samples[1:] + samples[:1]
    swapped = method.swap(samples, following)
    swapped_samples = [
        sample_of_picture(p, locate(p, method.expected_landmarks(face, hair)))
        for p, face, hair in zip(swapped, samples, following, strict=True)
    ]
    z, model = method.latents(samples), session.model
    columns = [[s.image for s in samples], method.reconstruct(samples), swapped]
    columns.append(method.swap(following, swapped_samples))
    flipped = [_with_flipped_attributes(session, sample) for sample in samples]
    columns += [[row[place] for row in flipped] for place in range(len(names))]
    seeds = torch.arange(len(samples)) + 1_000_003 * seed
    for number in range(DRAWN):
        face = model.draw("face", SPREAD * normal(seeds, f"face {number}", z.xf.shape[1]).to(z.xf))
        columns.append(session.compose(RSGANLatents(face, z.cf, z.xh, z.ch)))
    for number in range(DRAWN):
        hair = model.draw("hair", SPREAD * normal(seeds, f"hair {number}", z.xh.shape[1]).to(z.xh))
        columns.append(session.compose(RSGANLatents(z.xf, z.cf, hair, z.ch)))
    shown = [
        "the picture",
        "made again",
        "its face in the next one's hair",
        "swapped back",
        *(f"{n} flipped" for n in names),
    ]
    return _by_rows(columns), [*shown, *["a random face"] * DRAWN, *["random hair"] * DRAWN]


def _with_flipped_attributes(session: Swapper, sample: Sample) -> list[Picture]:
    """The sample with each attribute flipped, in face and hair."""
    model = session.model
    with session.inference():
        x, crop = (to_tensor(picture).to(session.device) for picture in (sample.image, sample.regions["face_crop"]))
        face, hair = (hulls([sample], name).to(session.device) for name in ("face_hull", "image_hull"))
        own = model.estimate(x)
        wanted = torch.cat([c for _, c in flip_attributes(own, session.attributes, HAIR_COLOURS)])
        x_f, x_h, c = (
            t.expand(len(wanted), *t.shape[1:]) for t in (face_region(crop, face), hair_region(x, hair), own)
        )
        return session.compose(model.encode(x_f, x_h, c, wanted, wanted))


def ccagan_sheet(session: AttributeEditor, frames: FrameSet, seed: int = 0) -> tuple[Picture, list[str]]:
    """A row for each person: the picture, it as the generator gives it back unchanged, and each attribute turned
    round."""
    columns: list[list[Picture]] = [[] for _ in range(2 + len(session.attributes))]
    for place in people(frames, seed):
        picture = cut_crop(frames.frames[place], HAIR_CROP, session.size, frames.scale)
        person = person_in(frames.masks[place], session.size, frames.scale)
        own = torch.from_numpy(np.nan_to_num(frames.attributes[place], nan=UNKNOWN))[None].to(
            session.device, torch.float32
        )
        wanted = [own, *(c for _, c in flip_attributes(own, session.attributes, HAIR_COLOURS))]
        with session.inference():
            x, person = (v.to(session.device).expand(len(wanted), -1, -1, -1) for v in (to_tensor(picture), person))
            painted = to_pictures(session.model.edit(x, torch.cat(wanted), person))
        for column, cell in zip(columns, (picture, *painted), strict=True):
            column.append(cell)
    return _by_rows(columns), ["the picture", "unchanged", *(f"{name} flipped" for name in session.attributes)]


def facefeat_sheet(session: Synthesizer, frames: FrameSet, seed: int = 0) -> tuple[Picture, list[str]]:
    """A row for each person: the picture, it painted from its own features, and five of the person that are drawn."""
    return draw_sheet(session, frames, PEOPLE, seed), ["the picture", "from its own features", *["drawn"] * 5]


def parser_sheet(session: Parser, frames: FrameSet, seed: int = 0) -> tuple[Picture, list[str]]:
    """A row for each person: the picture, the parts that the parser sees over it, and these alone."""
    columns: list[list[Picture]] = [[], [], []]
    for subject in subjects(frames, seed, session.size):
        (picture,), labels = to_pictures(subject.image), session.shares(subject).argmax(axis=0).astype(np.uint8)
        for column, cell in zip(columns, (picture, overlay(picture, labels), colour_labels(labels)), strict=True):
            column.append(cell)
    return _by_rows(columns), ["the picture", "its parts over it", "its parts"]


def portrait_sheet(session: PortraitEditor, frames: FrameSet, seed: int = 0) -> tuple[Picture, list[str]]:
    """A row for each person: the picture, its label map, what the bare network makes of it in its own style and in the
    next one's; then as they are shown to users, the next one's style of skin and of hair, and the next one's shape of
    mouth and of hair."""
    size, chosen = session.size, subjects(frames, seed, session.size)
    maps = [session.crop_labels(subject) for subject in chosen]
    latents = [session.latents(subject, labels) for subject, labels in zip(chosen, maps, strict=True)]
    columns: list[list[Picture]] = [[] for _ in range(8)]
    for place, (subject, own, z) in enumerate(zip(chosen, maps, latents, strict=True)):
        following = (place + 1) % len(chosen)
        other = chosen[following]
        cells = [to_pictures(subject.image)[0], colour_labels(own), session.paint(z, subject.image, own)]
        cells.append(session.paint(latents[following], subject.image, own))
        faces = [(face, session.mattes(face)) for face in (subject, other)]
        edited = [
            restyle_own(Portrayed(*faces[0]), Portrayed(*faces[1]), (part,)).apply(subject.photo)
            for part in ("skin", "hair")
        ]
        for part in ("mouth", "hair"):
            whole = session.labels(subject)
            wanted, _ = shape_of(session, subject, whole, other, part)
            edited.append(reshape_own(session, canvas_of(subject, whole, wanted), whole, wanted).apply(subject.photo))
        cells += [cut_crop(picture, HAIR_CROP, size, frames.scale) for picture in edited]
        for column, cell in zip(columns, cells, strict=True):
            column.append(cell)
    shown = ["the picture", "its label map", "painted in its own style", "painted in the next one's style"]
    return _by_rows(columns), [
        *shown,
        *(f"the next one's {what}" for what in ("skin", "hair", "mouth's shape", "hair's shape")),
    ]


def progan_sheet(session: Generator, frames: FrameSet, seed: int = 0) -> tuple[Picture, list[str]]:
    """A row for each person: the picture, what its latent makes, the face half way to the next one's, and three faces
    of nobody."""
    chosen, model = subjects(frames, seed, session.size), session.model
    found = session.search(
        chosen, Options(method="refine" if isinstance(model, DCGAN) else "encoder+refine", seed=seed)
    ).z.cpu()
    following = torch.roll(found, -1, 0)
    half = torch.stack(
        [point_between([a, b], 0.5, "spherical", model.config.z) for a, b in zip(found, following, strict=True)]
    )
    seeds = torch.arange(len(chosen)) + 1_000_003 * seed
    drawn = [model.draw(seeds, f"sheet {number}") for number in range(3)]
    columns = [
        [to_pictures(subject.image)[0] for subject in chosen],
        *(list(session.pictures(z)) for z in (found, model.settle(half))),
        *(list(session.pictures(z, TRUNCATION)) for z in drawn),
    ]
    return _by_rows(columns), ["the picture", "found again", "half way to the next one", *["a face of nobody"] * 3]


def subjects(frames: FrameSet, seed: int, size: int) -> list[Subject]:
    """The chosen people as an edit has them; the frame is the photo, and its landmarks are those it was prepared
    with."""
    height, width = frames.frames.shape[1:3]
    return [
        cut_subject(frames.frames[place], Face((0, 0, width, height), 1.0, frames.landmarks[place]), size, "a frame")
        for place in people(frames, seed)
    ]


def _by_rows(columns: Sequence[Sequence[Picture]]) -> Picture:
    return grid([column[row] for row in range(len(columns[0])) for column in columns], len(columns))


SHEETS: Mapping[type, tuple[Callable[[Any, FrameSet, int], tuple[Picture, list[str]]], str]] = {
    Swapper: (rsgan_sheet, "rsgan"),
    AttributeEditor: (ccagan_sheet, "ccagan"),
    Parser: (parser_sheet, "parser"),
    PortraitEditor: (portrait_sheet, "portrait"),
    Generator: (progan_sheet, "progan"),
    Synthesizer: (facefeat_sheet, "facefeat"),
}
"""Session -> what draws its sheet, and the family's name."""
