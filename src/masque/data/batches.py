"""Batches: which frames, how moved and coloured, cut into crops. Batch k is a function of (seed, k), so a resumed run
sees the same."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from masque.data.frames import FrameSet
from masque.data.prepared import BACKGROUND, BEYOND
from masque.faces.frame import HEIGHT, MIRRORED, WIDTH, Matrix, chain, transform
from masque.faces.labels import UNKNOWN, Labels, swap_sides
from masque.faces.regions import FACE_CROP, HAIR_CROP, hull_mask
from masque.image import to_range

Batch = dict[str, Tensor]
"""
image            (B,3,S,S) in [-1,1]: the hair crop, RSGAN's x
face_crop        (B,3,S,S) in [-1,1]: the face crop before masking
image_hull       (B,1,S,S) in [0,1]: face mask within image
face_hull        (B,1,S,S) in [0,1]: face mask within face_crop
background       (B,1,S,S) in [0,1]: M_BG within image
valid            (B,1,S,S) in [0,1]: 0 where image shows what the photo did not have
face_valid       (B,1,S,S) in [0,1]: 0 where face_crop shows what the photo did not have
attributes       (B,A) in [0,1], NaN where unknown
index            (B,) int64: position in the frame set
labels           (B,S,S) int64: label map of image, UNKNOWN (255) where it is not known; only from sets with label maps
landmarks        (B,68,2) float32: pixels of image; in a mirrored picture each has the name of the side where it is
frame_landmarks  (B,68,2) float32: pixels of the frame, before the picture was moved, but mirrored with it
identity         (B,) int64: number of the person in the frame set, -1 where unknown
flipped          (B,) bool: whether the picture is mirrored
step             (B,) int64: the number of the batch
seed             (B,) int64: what noise drawn for this sample in this step depends on
"""


PICTURES = ("image", "face_crop")
"""Entries of a batch that are pictures."""
MASKS = ("image_hull", "face_hull", "background", "valid", "face_valid")
"""Entries of a batch that are masks."""
ON_CPU = ("index", "flipped", "frame_landmarks", "step", "seed")
"""Entries of a batch that only the CPU reads, so no accelerator gets them."""

MAX_WORKERS = 8
"""Processes beyond which batches come no faster than any family here takes them."""


Sample = Mapping[str, NDArray[np.generic] | np.generic]
"""One sample of a batch: the entries of `Batch`, without their first axis; pictures and masks in bytes, masks (S,S)."""


@dataclass(frozen=True)
class Augmentation:
    """Random changes of each frame; all zero and no flip for measuring."""

    flip: bool = True
    """Whether half of all frames are mirrored."""
    shift: float = 3.0
    """Largest shift along each axis, in CelebA pixels."""
    turn: float = 3.0
    """Largest random rotation, in degrees."""
    zoom: float = 0.04
    """Largest random change of size, as a share of the size."""
    colour: float = 0.1
    """Largest change of brightness, contrast and saturation, as a share."""


NO_AUGMENTATION = Augmentation(flip=False, shift=0.0, turn=0.0, zoom=0.0, colour=0.0)


def _generator(*key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(key))


def order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """The order in which an epoch goes through `count` frames."""
    return _generator(seed, 1, epoch).permutation(count)


def positions(seed: int, step: int, batch_size: int, count: int) -> NDArray[np.int64]:
    """Which frames make batch `step`: epochs follow each other without a gap, also where one ends inside a batch."""
    places = np.arange(step * batch_size, (step + 1) * batch_size)
    epochs = places // count
    orders = {e: order(seed, int(e), count) for e in np.unique(epochs)}
    return np.array([orders[e][p % count] for e, p in zip(epochs, places, strict=True)], dtype=np.int64)


class Batches:
    """Batches of one split of a frame set."""

    def __init__(
        self,
        frames: FrameSet,
        split: str,
        size: int,
        batch_size: int,
        seed: int,
        augmentation: Augmentation = NO_AUGMENTATION,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """size: side of the crops in pixels. batch_size: of all processes together. rank, world: this process's number
        and how many there are; each gets an equal share of every batch."""
        self.frames = frames
        self.size = size
        self.batch_size = batch_size
        self.seed = seed
        self.augmentation = augmentation
        self.rank = rank
        self.world = world
        self.chosen = frames.indices(split)
        self.people = frames.people()

    def __call__(self, step: int) -> Batch:
        """Batch number `step`, this process's share."""
        return in_floats(self.raw(step))

    def raw(self, step: int) -> Batch:
        """Batch number `step`, this process's share, in bytes, a quarter of the size of floats: see `in_floats`."""
        at = positions(self.seed, step, self.batch_size, len(self.chosen))
        share = self.batch_size // self.world
        mine = slice(self.rank * share, (self.rank + 1) * share)
        places = list(enumerate(at))[mine]
        batch = stack([self.sample(int(self.chosen[p]), _generator(self.seed, 2, step, place)) for place, p in places])
        batch["step"] = torch.full((len(places),), step)
        batch["seed"] = torch.tensor(
            [(self.seed * 1_000_003 + step) * self.batch_size + place for place, _ in places], dtype=torch.int64
        )
        return batch

    def prefetch(self, start: int, stop: int, workers: int = 0, pinned: bool = False) -> Iterator[Batch]:
        """Batches start..stop-1 in bytes, each made while those before are in use.

        workers: processes that make them; 0 is a thread of this one. pinned: in memory that an accelerator copies from
        by itself; for several processes only."""
        if start >= stop:
            return
        if workers:
            yield from DataLoader(
                _Steps(self, start, stop),
                batch_size=None,
                num_workers=workers,
                pin_memory=pinned,
                prefetch_factor=4,
                multiprocessing_context="fork",
                worker_init_fn=_start_worker,
            )
            return
        with ThreadPoolExecutor(1) as maker:
            coming = maker.submit(self.raw, start)
            for step in range(start, stop):
                batch = coming.result()
                if step + 1 < stop:
                    coming = maker.submit(self.raw, step + 1)
                yield batch

    def sample(self, index: int, generator: np.random.Generator) -> Sample:
        """One frame as the crops of a batch. index: its position in the frame set. generator: of its random changes."""
        frames = self.frames
        motion, flipped = draw_motion(self.augmentation, frames.scale, generator)
        cut = cut_regions(
            frames.frames[index], frames.masks[index], frames.landmarks[index], self.size, frames.scale, motion
        )
        in_frame = frames.landmarks[index]
        in_crop = transform(in_frame, chain(motion, HAIR_CROP.to_crop(self.size, frames.scale)))
        if flipped:
            in_frame = (in_frame * [-1, 1] + [WIDTH * frames.scale - 1, 0])[MIRRORED]
            in_crop = in_crop[MIRRORED]
        if frames.labels is not None:
            cut["labels"] = cut_labels(frames.labels[index], self.size, frames.scale, motion, flipped)
        if self.augmentation.colour:
            recolour(cut, self.augmentation.colour, generator)
        return {
            **cut,
            "landmarks": in_crop,
            "frame_landmarks": in_frame,
            "attributes": frames.attributes[index],
            "index": np.array(index),
            "identity": self.people[index],
            "flipped": np.array(flipped),
        }


def draw_motion(augmentation: Augmentation, scale: float, generator: np.random.Generator) -> tuple[Matrix, bool]:
    """A random similarity about the middle of the frame, perhaps mirrored, in frame pixels; and whether it mirrors."""
    # Always the same number of draws, so that switching one change off leaves the others as they were.
    shift_x, shift_y, turn, zoom, mirror = generator.uniform(-1, 1, 5)
    angle = np.deg2rad(turn * augmentation.turn)
    factor = 1 + zoom * augmentation.zoom
    cosine, sine = factor * np.cos(angle), factor * np.sin(angle)
    middle = np.array([(WIDTH * scale - 1) / 2, (HEIGHT * scale - 1) / 2])
    linear = np.array([[cosine, -sine], [sine, cosine]])
    flipped = augmentation.flip and mirror > 0
    if flipped:
        linear[:, 0] *= -1
    moved = middle + np.array([shift_x, shift_y]) * augmentation.shift * scale
    return np.column_stack([linear, moved - linear @ middle]), bool(flipped)


def cut_regions(
    frame: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    size: int,
    scale: float,
    motion: Matrix | None = None,
) -> dict[str, NDArray[np.uint8]]:
    """The crops and masks of one frame as uint8: see Batch for their names; masks are 0..255.

    motion: a transform of the frame that comes before cutting.
    """
    cut: dict[str, NDArray[np.uint8]] = {}
    for crop, picture, hull, valid in (
        (HAIR_CROP, "image", "image_hull", "valid"),
        (FACE_CROP, "face_crop", "face_hull", "face_valid"),
    ):
        matrix = crop.to_crop(size, scale)
        matrix = matrix if motion is None else chain(motion, matrix)
        cut[picture] = cv2.warpAffine(
            frame, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).astype(np.uint8)
        cut[hull] = hull_mask(landmarks, (size, size), matrix)
        known = cv2.warpAffine(
            mask, matrix, (size, size), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=BEYOND
        )
        cut[valid] = np.where(known == BEYOND, 0, 255).astype(np.uint8)
        if crop is HAIR_CROP:
            cut["background"] = np.where(known == BACKGROUND, 255, 0).astype(np.uint8)
    return cut


def cut_labels(labels: Labels, size: int, scale: float, motion: Matrix, flipped: bool) -> Labels:
    """The label map of image, moved as it is; what is left and right changes places in a mirrored one."""
    matrix = chain(motion, HAIR_CROP.to_crop(size, scale))
    moved = cv2.warpAffine(
        labels,
        matrix,
        (size, size),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=UNKNOWN,
    ).astype(np.uint8)
    return swap_sides(moved) if flipped else moved


def recolour(cut: dict[str, NDArray[np.uint8]], amount: float, generator: np.random.Generator) -> None:
    """Change brightness, contrast and saturation of both crops alike, in place."""
    brightness, contrast, saturation = 1 + amount * generator.uniform(-1, 1, 3)
    grey = np.array([[0.299, 0.587, 0.114]] * 3)
    matrix = contrast * brightness * (saturation * np.eye(3) + (1 - saturation) * grey)
    offset = 128.0 * brightness * (1 - contrast)
    for name in ("image", "face_crop"):
        cut[name] = cv2.transform(cut[name], np.column_stack([matrix, np.full(3, offset)])).astype(np.uint8)


def collate(samples: list[Sample]) -> Batch:
    """Samples of `Batches.sample` as tensors."""
    return in_floats(stack(samples))


def stack(samples: list[Sample]) -> Batch:
    """Samples of `Batches.sample` as tensors, in bytes where they are."""
    batch: Batch = {name: torch.from_numpy(np.stack([s[name] for s in samples])) for name in (*PICTURES, *MASKS)}
    if "labels" in samples[0]:
        batch["labels"] = torch.from_numpy(np.stack([s["labels"] for s in samples]))
    for name in ("attributes", "landmarks", "frame_landmarks"):
        batch[name] = torch.from_numpy(np.stack([s[name] for s in samples]).astype(np.float32))
    for name, kind in (("index", torch.int64), ("identity", torch.int64), ("flipped", torch.bool)):
        batch[name] = torch.tensor([s[name].item() for s in samples], dtype=kind)
    return batch


def in_floats(batch: Batch) -> Batch:
    """What `stack` made as `Batch` describes it, wherever it lies: bytes are turned into floats, and floats stay as
    they are."""
    made = dict(batch)
    for name, tensor in batch.items():
        if tensor.dtype == torch.uint8:
            if name in PICTURES:
                made[name] = to_range(tensor)
            elif name in MASKS:
                made[name] = tensor[:, None].float().div_(255.0)
            else:
                made[name] = tensor.long()
    return made


class _Steps(Dataset[Batch]):
    """Batches by their place in a run, for torch's loader."""

    def __init__(self, batches: Batches, start: int, stop: int) -> None:
        self.batches = batches
        self.start = start
        self.stop = stop

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, place: int) -> Batch:
        return self.batches.raw(self.start + place)


def _start_worker(_worker: int) -> None:
    # Ctrl-C is for the process that trains, which then ends these; and each of them is one thread of many as it is.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(0)


def workers_for(requested: int, accelerated: bool, processes: int = 1) -> int:
    """How many processes are to make batches.

    requested: that many; -1 is half of the cores beside an accelerator, and none without. accelerated: whether there is
    one. processes: how many train on this machine."""
    if requested >= 0:
        return requested
    # Only forked processes share the frames in memory.
    able = accelerated and "fork" in multiprocessing.get_all_start_methods()
    return min(MAX_WORKERS, (os.cpu_count() or 1) // (2 * processes)) if able else 0
