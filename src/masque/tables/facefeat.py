"""What FaceFeat-GAN's pictures are worth (Shen et al. 2018, Section 4), by dlib's recogniser, which has no part in
training.

All pictures are measured at the network's size S, real ones too, so that sharpness is not what is compared. One picture
is generated for each real one: from its f_id, with sampled f_1 and f_2. The fields of `FaceFeatReport` say what is
measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from masque.data.frames import FrameSet
from masque.data.lfw import Pairs, aligned_faces
from masque.data.pool import parallel_map
from masque.data.templates import FaceInPicture, Numbers, Split, split_people
from masque.edits.loaded import Synthesizer
from masque.faces.detect import face_at, find_faces, identity, landmarks_in
from masque.faces.frame import cut_frame
from masque.faces.regions import HAIR_CROP, cut_crop, into_frame
from masque.faces.shape3d import fit
from masque.image import Picture, grid, read_picture, to_tensor
from masque.metrics.frechet import frechet_distance, frechet_floor, kernel_distance
from masque.metrics.sliced import sliced_wasserstein
from masque.metrics.verification import accepted, auc, correct_verdicts, found_within, mean_and_error
from masque.tables.drawn_measures import measure_drawn
from masque.tables.facefeat_report import (
    Diversity,
    FaceFeatReport,
    LFWReport,
    Similarity,
    TemplateScores,
    Verification,
)
from masque.tables.features import Features, as_mean_std
from masque.tables.turn_measures import landmarks_of_crop, measure_turns

AT_ONCE = 64
"""Pictures in a batch of the networks."""

DRAWS = 1000
"""Features that are sampled for the diversity."""

SHARES = (0, 20, 50, 80, 100)
"""Percent of generated pictures in a template (Table 2)."""

YAW_PICTURES = 50
"""Pictures whose heads are turned, at most."""

DRAWN_PEOPLE = 20
"""People of whom new pictures are drawn, at most, to measure how they vary."""

YAWS = (-30.0, -15.0, 0.0, 15.0, 30.0)
"""Degrees by which heads are turned."""

Embeddings = NDArray[np.float32]
"""dlib's embedding (128,) of a face, or those of several (N,128)."""

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""


@dataclass(frozen=True)
class Benchmarks:
    """Published benchmarks on which a model is measured beside the held-out people."""

    lfw: Pairs | None = None
    """The pairs of LFW; None leaves it out."""
    ijba: tuple[Sequence[FaceInPicture], Sequence[Split]] | None = None
    """The faces of IJB-A and its splits; None leaves it out."""


def embedding_of_crop(crop: Picture) -> Embeddings:
    """dlib's embedding (128,) of the face in a hair crop (S,S,3), whether or not its detector finds it."""
    return identity(crop, landmarks_of_crop(crop))


class PictureGenerator:
    """Generates one picture for each real one.

    workers: processes that compute embeddings, one per core if None."""

    def __init__(self, session: Synthesizer, seed: int, workers: int | None) -> None:
        self.session = session
        self.seed = seed
        self.workers = workers

    def generate(self, crops: Sequence[Picture], first: int) -> list[Picture]:
        """A picture (S,S,3) of the person on each crop (S,S,3). first: the number of the first crop among all, of which
        the noise is a function."""
        session = self.session
        with session.inference():
            f_id = session.model.extract(to_tensor(list(crops)).to(session.device))[0]
            numbers = torch.arange(first, first + len(crops)) + 1_000_003 * self.seed
            return session.pictures(f_id, *session.model.sample_features(numbers.to(session.device), "evaluate"))

    def embed_both(
        self, crops: Sequence[Picture], progress: Progress | None = None
    ) -> tuple[Embeddings, Embeddings, list[Picture]]:
        """Embeddings (N,128) of the crops, embeddings of the pictures generated for them, and these pictures."""
        made: list[Picture] = []
        for start in range(0, len(crops), AT_ONCE):
            made += self.generate(crops[start : start + AT_ONCE], start)
        jobs = [*crops, *made]
        embeddings = []
        for embedding in parallel_map(embedding_of_crop, jobs, self.workers, ordered=True):
            embeddings.append(embedding)
            if progress:
                progress(len(embeddings), len(jobs))
        return np.stack(embeddings[: len(crops)]), np.stack(embeddings[len(crops) :]), made


def evaluate_facefeat(
    session: Synthesizer,
    frames: FrameSet,
    features: Features,
    benchmarks: Benchmarks = Benchmarks(),
    *,
    count: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> FaceFeatReport:
    """Everything of `FaceFeatReport` on held-out people, and on the benchmarks given.

    count: held-out pictures, at most; all if None. workers: processes that compute embeddings, one per core if None.
    progress: called with how much is done, of how much, and of what. Raises DataError with fewer than two held-out
    people of two pictures."""
    chosen = frames.indices("test")[:count]
    people = frames.people()[chosen]
    splits = split_people(people, seed=seed)
    generator = PictureGenerator(session, seed, workers)
    crops = [cut_crop(frames.frames[i], HAIR_CROP, session.size, frames.scale) for i in chosen]
    real, generated, made = generator.embed_both(crops, _named(progress, "held-out people"))
    painted = [into_frame(frames.frames[i], picture) for i, picture in zip(chosen, made, strict=True)]
    real_features, made_features = features.extract([frames.frames[i] for i in chosen]), features.extract(painted)
    mean = real.mean(0)
    report: FaceFeatReport = {
        "model": session.family,
        "weights": session.weights,
        "size": session.size,
        "data": frames.fingerprint(),
        "features": features.hash,
        "pictures": len(chosen),
        "people": len(np.unique(people[people >= 0])),
        "similarity": {
            **similarities(real, generated, people),
            "centred": similarities(real - mean, generated - mean, people),
        },
        "diversity": diversity(session, seed),
        "yaw": {"followed": yaw_followed(session, crops[:: max(1, len(crops) // YAW_PICTURES)][:YAW_PICTURES])},
        "templates": template_scores(real, generated, splits, seed),
        "ffd": frechet_distance(real_features, made_features),
        "ffd_floor": frechet_floor(real_features, made_features, seed),
        "kfd": as_mean_std(kernel_distance(real_features, made_features)),
        "swd": _swd(crops, made),
    }
    if session.own is not None:
        some = chosen[:: max(1, len(chosen) // YAW_PICTURES)][:YAW_PICTURES]
        photos, points = [frames.frames[i] for i in some], [np.asarray(frames.landmarks)[i] for i in some]
        report["turns"] = measure_turns(
            session, session.own, photos, points, frames.scale, progress=_named(progress, "turns")
        )
        each = [[frames.frames[i] for i in chosen[people == person]] for person in np.unique(people[people >= 0])]
        report["drawn"] = measure_drawn(session, each[:DRAWN_PEOPLE], seed, _named(progress, "drawn pictures"))
    if benchmarks.ijba is not None:
        report["ijba"] = ijba_scores(generator, *benchmarks.ijba, _named(progress, "IJB-A"))
    if benchmarks.lfw is not None:
        report["lfw"] = lfw_scores(generator, benchmarks.lfw, _named(progress, "LFW"))
    return report


def _named(progress: Callable[[int, int, str], None] | None, what: str) -> Progress | None:
    """The progress of one part of the work."""
    return (lambda done, most: progress(done, most, what)) if progress else None


def _swd(crops: Sequence[Picture], made: Sequence[Picture]) -> dict[str, float]:
    """Side in pixels -> sliced Wasserstein distance × 1000 of real crops and generated pictures at that size."""
    distances = sliced_wasserstein(to_tensor(list(crops)), to_tensor(list(made)))
    return {str(side): distance for side, distance in distances.items()}


def similarities(real: Embeddings, drawn: Embeddings, people: Numbers) -> Similarity:
    """Table 3. real, drawn: embeddings (N,128) of pictures and of those generated for them. people: (N,) numbers of the
    people; −1 is unknown and in no pair of real pictures."""
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (real, drawn))
    cosines = a @ a.T
    has_name = people >= 0
    same = (people[:, None] == people[None]) & has_name[:, None]
    other = (people[:, None] != people[None]) & has_name[:, None] & has_name[None]
    np.fill_diagonal(same, val=False)
    return {
        "drawn": float((a * b).sum(axis=1).mean()),
        "ceiling": float(cosines[same].mean()),
        "floor": float(cosines[other].mean()),
    }


def diversity(session: Synthesizer, seed: int = 0) -> Diversity:
    """Section 4.3, over `DRAWS` samples of noise."""
    with session.inference():
        seeds = (torch.arange(DRAWS) + 1_000_003 * seed).to(session.device)
        drawn = session.model.sample_features(seeds, "diversity")
    spread = [f.float().var(dim=0).cpu() for f in drawn]
    return {"f_1": float(spread[0].mean()), "f_2": float(spread[1].mean()), "all": float(torch.cat(spread).mean())}


def yaw_followed(session: Synthesizer, crops: Sequence[Picture]) -> float:
    """Slope of the yaw in painted pictures against the yaw asked for, over the people on crops (S,S,3)."""
    E_1 = session.model.E_1
    painted_yaws = []
    with session.inference():
        f_id, f_1, f_2 = session.model.extract(to_tensor(list(crops)).to(session.device))
        for yaw in YAWS:
            painted = session.pictures(f_id, E_1.with_yaw(f_1, math.radians(yaw)), f_2)
            angles = fit(E_1.shapes, np.stack([landmarks_of_crop(picture) for picture in painted])).angles
            painted_yaws.append(math.degrees(float(angles[:, 0].mean())))
    return float(np.polyfit(YAWS, painted_yaws, 1)[0])


def template_scores(
    real: Embeddings, drawn: Embeddings, splits: Sequence[Split], seed: int = 0
) -> dict[str, TemplateScores]:
    """Table 2, by percent of generated pictures in a template. A template is the mean of its unit embeddings."""
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (real, drawn))
    table: dict[str, TemplateScores] = {}
    for share in SHARES:
        rows = []
        for number, split in enumerate(splits):
            rng = np.random.default_rng((seed, number))
            means = []
            for template in split.templates:
                order = rng.permutation(template)
                generated = round(share / 100 * len(order))
                means.append(np.concatenate([b[order[:generated]], a[order[generated:]]]).mean(axis=0))
            rows.append(_split_scores(np.stack(means), split))
        mean, deviation = np.mean(rows, axis=0).tolist(), np.std(rows, axis=0).tolist()
        table[str(share)] = {
            "far_01": mean[0],
            "far_001": mean[1],
            "rank_1": mean[2],
            "rank_5": mean[3],
            "far_01_std": deviation[0],
            "far_001_std": deviation[1],
            "rank_1_std": deviation[2],
            "rank_5_std": deviation[3],
        }
    return table


def _split_scores(templates: Embeddings, split: Split) -> tuple[float, float, float, float]:
    """`far_01`, `far_001`, `rank_1` and `rank_5` of one split's templates (T,128)."""
    points = templates / np.linalg.norm(templates, axis=1, keepdims=True)
    first, second = split.pairs.T
    nearness = (points[first] * points[second]).sum(axis=1)
    same = split.people[first] == split.people[second]
    to_gallery = points[split.probes] @ points[split.gallery].T
    right = split.people[split.probes][:, None] == split.people[split.gallery][None]
    return (
        accepted(nearness, same, 0.01),
        accepted(nearness, same, 0.001),
        found_within(to_gallery, right, 1),
        found_within(to_gallery, right, 5),
    )


def ijba_scores(
    generator: PictureGenerator,
    faces: Sequence[FaceInPicture],
    splits: Sequence[Split],
    progress: Progress | None = None,
) -> dict[str, TemplateScores]:
    """Table 2 on IJB-A. Raises PictureError for a picture that cannot be read."""
    jobs = [(face, generator.session.size) for face in faces]
    crops = list(parallel_map(_crop_of_face, jobs, generator.workers, ordered=True))
    real, generated, _ = generator.embed_both(crops, progress)
    return template_scores(real, generated, splits, generator.seed)


def lfw_scores(generator: PictureGenerator, pairs: Pairs, progress: Progress | None = None) -> LFWReport:
    """Table 1, and the same of the real pictures. Raises PictureError for a picture that cannot be read."""
    size = generator.session.size
    count = len(pairs.pictures)
    photos: list[Embeddings] = [np.empty(0, np.float32)] * count
    crops: list[Picture] = [np.empty(0, np.uint8)] * count
    centred = 0
    for done, (number, face, found) in enumerate(aligned_faces(pairs.pictures, size / 128, generator.workers), start=1):
        photos[number] = face.embedding
        crops[number] = cut_crop(face.frame, HAIR_CROP, size, size / 128)
        centred += not found
        if progress:
            progress(done, 3 * count)
    real, made, _ = generator.embed_both(crops, (lambda d, _: progress(count + d, 3 * count)) if progress else None)
    return {
        "pairs": len(pairs.same),
        "pictures": count,
        "centred": centred,
        "photos": _verified(np.stack(photos), pairs),
        "real": _verified(real, pairs),
        "generated": _verified(made, pairs),
    }


def _verified(points: Embeddings, pairs: Pairs) -> Verification:
    """Pairs judged by the Euclidean distance of their pictures' embeddings (N,128)."""
    first, second = pairs.sides.T
    nearness = -np.square(points[first] - points[second]).sum(axis=1)
    mean, error = mean_and_error(correct_verdicts(nearness, pairs.same, pairs.fold), pairs.fold)
    return {"accuracy": mean, "error": error, "auc": auc(nearness, pairs.same)}


def draw_sheet(session: Synthesizer, frames: FrameSet, count: int = 8, seed: int = 0) -> Picture:
    """A row for each of `count` held-out people: a picture, the picture painted from its own features, and five
    generated pictures of the person."""
    chosen = frames.indices("test")
    _, firsts = np.unique(frames.people()[chosen], return_index=True)
    cells: list[Picture] = []
    for number, place in enumerate(sorted(firsts)[:count]):
        crop = cut_crop(frames.frames[chosen[place]], HAIR_CROP, session.size, frames.scale)
        with session.inference():
            f_id, f_1, f_2 = session.model.extract(to_tensor(crop).to(session.device))
            numbers = torch.arange(5 * number, 5 * number + 5) + 1_000_003 * seed
            drawn = session.model.sample_features(numbers.to(session.device), "sheet")
        cells += [crop, *session.pictures(f_id, f_1, f_2), *session.pictures(f_id.expand(5, -1), *drawn)]
    return grid(cells, 7)


def _crop_of_face(job: tuple[FaceInPicture, int]) -> Picture:
    """The hair crop (S,S,3) of one of IJB-A's faces: of the face found at the centre of its box, or of the landmarks
    fitted in the box where none is found. job: the face, and S."""
    face_in_picture, size = job
    photo = read_picture(face_in_picture.path)
    left, top, width, height = face_in_picture.box
    face = face_at(find_faces(photo), left + width / 2, top + height / 2)
    landmarks = face.landmarks if face else landmarks_in(photo, (left, top, max(1, width), max(1, height)))
    crop: Picture = cut_crop(cut_frame(photo, landmarks, size / 128).picture, HAIR_CROP, size, size / 128)
    return crop
