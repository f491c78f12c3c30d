"""What FaceFeat-GAN's pictures are worth (Shen et al. 2018, Section 4), by dlib's recogniser, which has no part in
training.

All pictures are judged at the network's size S, real ones too, so that it is not sharpness that is compared. One
picture is drawn from each real one: its f_id, with drawn f_1 and f_2.

lfw.<kind>                  Table 1: accuracy, its standard error and area under the curve on LFW's pairs, of the pictures as they are
                            (`photos`), of the same at S (`real`), and of those drawn from them (`generated`)
templates.<share>           Table 2: share of pairs of one person accepted where 1 and 0.1 % of others are (`far_01`, `far_001`), and how
                            often the right person is the first, or among the first five (`rank_1`, `rank_5`); mean and
                            deviation over splits. share: how many of a template's pictures are drawn ones, in percent
similarity                  Table 3: mean cosine of the judge's embeddings of a picture and of the one drawn from it; `ceiling`, that of two
                            real pictures of one person, `floor`, of two people; and `centred`, the same three with the
                            mean of all real embeddings taken off, since dlib's lie so close to each other that
                            strangers have cosines near 0.9
diversity                   Section 4.3: mean variance of the entries of drawn features, f_1 and f_2 alone and together; of real ones 1
yaw.followed                what `--pose-from` does: slope of the yaw in painted pictures, by their landmarks, against the yaw asked for
                            between −30 and 30 degrees; 1 is obedience, 0 a head that never turns
ffd, kfd                    Fréchet and kernel distance of drawn pictures from the real ones, on Masque's face features
ffd_floor                   the first of as many `real` ones from each other and `made` ones from real ones, `pictures` each
swd                         by side: sliced Wasserstein distance × 1000 of drawn pictures from the real ones
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.data.frames import FrameSet
from masque.data.lfw import Pairs, aligned_faces
from masque.data.pool import parallel_map
from masque.data.templates import FaceInPicture, Numbers, Split, split_people
from masque.edits.loaded import Synthesizer
from masque.faces.detect import Landmarks, face_at, find_faces, identity, landmarks_in
from masque.faces.frame import cut_frame
from masque.faces.regions import HAIR_CROP, cut_crop, into_frame
from masque.faces.shape3d import fit
from masque.image import Picture, grid, read_picture, to_tensor
from masque.metrics.frechet import floor_in_words, frechet_distance, frechet_floor, kernel_distance
from masque.metrics.sliced import sliced_wasserstein
from masque.metrics.verification import accepted, auc, correct_verdicts, found_within, mean_and_error

AT_ONCE = 64
DRAWS = 1000
"""Features drawn for the diversity."""

SHARES = (0, 20, 50, 80, 100)
"""Percent of drawn pictures in a template (Table 2)."""

TURNED = 50
"""Pictures whose heads are turned."""

YAWS = (-30.0, -15.0, 0.0, 15.0, 30.0)

SQUARE = (39, 51, 104, 104)
"""Where a face is in a hair crop: left, top, width and height in pixels of scale 1."""

Extract = Callable[[list[Picture]], Tensor]
Embeddings = NDArray[np.float32]
Progress = Callable[[int, int], None]


def judge(picture: Picture) -> Embeddings:
    """dlib's embedding (128,) of the face in a hair crop (S,S,3), whether or not its detector sees it."""
    return identity(picture, _landmarks(picture))


def _landmarks(picture: Picture) -> Landmarks:
    left, top, width, height = (round(picture.shape[0] / HAIR_CROP.side * n) for n in SQUARE)
    return landmarks_in(picture, (left, top, width, height))


class Drawer:
    """One drawn picture for each real one."""

    def __init__(self, session: Synthesizer, seed: int, workers: int | None) -> None:
        self.session, self.seed, self.workers = session, seed, workers

    def drawn(self, crops: Sequence[Picture], first: int) -> list[Picture]:
        """Pictures (S,S,3) of the people on some crops (S,S,3), the first of which is number `first` of all."""
        session = self.session
        with session.inference():
            f_id = session.model.seen(to_tensor(list(crops)).to(session.device))[0]
            numbers = torch.arange(first, first + len(crops)) + 1_000_003 * self.seed
            return session.pictures(f_id, *session.model.drawn(numbers.to(session.device), "evaluate"))

    def both(
        self, crops: Sequence[Picture], progress: Progress | None = None
    ) -> tuple[Embeddings, Embeddings, list[Picture]]:
        """Embeddings (N,128) of crops and of what is drawn from them, and the drawn pictures."""
        made: list[Picture] = []
        for start in range(0, len(crops), AT_ONCE):
            made += self.drawn(crops[start : start + AT_ONCE], start)
        jobs = [*crops, *made]
        seen = []
        for embedding in parallel_map(judge, jobs, self.workers, ordered=True):
            seen.append(embedding)
            if progress:
                progress(len(seen), len(jobs))
        return np.stack(seen[: len(crops)]), np.stack(seen[len(crops) :]), made


def evaluate_facefeat(
    session: Synthesizer,
    frames: FrameSet,
    extract: Extract,
    features: str,
    *,
    lfw: Pairs | None = None,
    ijba: tuple[Sequence[FaceInPicture], Sequence[Split]] | None = None,
    count: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, Any]:
    """Everything above, on held-out people; Table 1 where LFW is given, and Table 2 also on IJB-A where that is.

    extract: face frames -> features (N,F); features: the hash of what makes them. count: held-out pictures, at most.
    workers: processes that judge. progress: called with (done, all, what). Raises DataError with fewer than two
    held-out people of two pictures."""
    chosen = frames.indices("test")[:count]
    people = frames.people()[chosen]
    splits = split_people(people, seed=seed)
    drawer = Drawer(session, seed, workers)

    def told(what: str) -> Progress | None:
        return (lambda done, most: progress(done, most, what)) if progress else None

    crops = [cut_crop(frames.frames[i], HAIR_CROP, session.size, frames.scale) for i in chosen]
    real, drawn, made = drawer.both(crops, told("held-out people"))
    painted = [into_frame(frames.frames[i], picture) for i, picture in zip(chosen, made, strict=True)]
    there, here = extract([frames.frames[i] for i in chosen]), extract(painted)
    kernel = kernel_distance(there, here)
    distances = sliced_wasserstein(to_tensor(list(crops)), to_tensor(list(made)))
    report: dict[str, Any] = {
        "model": session.family, "weights": session.weights, "size": session.size, "data": frames.fingerprint(), "features": features,
        "pictures": len(chosen), "people": len(np.unique(people[people >= 0])),
        "similarity": {**similarities(real, drawn, people), "centred": similarities(real - real.mean(0), drawn - real.mean(0), people)},
        "diversity": diversity(session, seed),
        "yaw": {"followed": yaw_followed(session, crops[:: max(1, len(crops) // TURNED)][:TURNED])},
        "templates": template_scores(real, drawn, splits, seed),
        "ffd": frechet_distance(there, here), "ffd_floor": frechet_floor(there, here, seed), "kfd": {"mean": kernel[0], "std": kernel[1]},
        "swd": {str(side): far for side, far in distances.items()},
    }  # fmt: skip
    if ijba is not None:
        faces = list(parallel_map(_sighted, [(sighting, session.size) for sighting in ijba[0]], workers, ordered=True))
        theirs, ours, _ = drawer.both(faces, told("IJB-A"))
        report["ijba"] = template_scores(theirs, ours, ijba[1], seed)
    if lfw is not None:
        report["lfw"] = lfw_scores(drawer, lfw, told("LFW"))
    return report


def similarities(real: Embeddings, drawn: Embeddings, people: Numbers) -> dict[str, float]:
    """Mean cosines: `drawn` of each picture and what is drawn from it, `ceiling` of real pictures of one person,
    `floor` of two people."""
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (real, drawn))
    cosines, known = a @ a.T, people >= 0
    same = (people[:, None] == people[None]) & known[:, None]
    other = (people[:, None] != people[None]) & known[:, None] & known[None]
    np.fill_diagonal(same, val=False)
    return {
        "drawn": float((a * b).sum(axis=1).mean()),
        "ceiling": float(cosines[same].mean()),
        "floor": float(cosines[other].mean()),
    }


def diversity(session: Synthesizer, seed: int = 0) -> dict[str, float]:
    """Mean variance of each entry of drawn features, over noise."""
    with session.inference():
        drawn = session.model.drawn((torch.arange(DRAWS) + 1_000_003 * seed).to(session.device), "diversity")
    spread = [f.float().var(dim=0).cpu() for f in drawn]
    return {"f_1": float(spread[0].mean()), "f_2": float(spread[1].mean()), "all": float(torch.cat(spread).mean())}


def yaw_followed(session: Synthesizer, crops: Sequence[Picture]) -> float:
    """Slope of the yaw that is seen against the one that is asked for, over people on crops (S,S,3)."""
    E_1, seen = session.model.E_1, []
    with session.inference():
        f_id, f_1, f_2 = session.model.seen(to_tensor(list(crops)).to(session.device))
        for yaw in YAWS:
            painted = session.pictures(f_id, E_1.with_yaw(f_1, math.radians(yaw)), f_2)
            angles = fit(E_1.shapes, np.stack([_landmarks(picture) for picture in painted])).angles
            seen.append(math.degrees(float(angles[:, 0].mean())))
    return float(np.polyfit(YAWS, seen, 1)[0])


def template_scores(
    real: Embeddings, drawn: Embeddings, splits: Sequence[Split], seed: int = 0
) -> dict[str, dict[str, float]]:
    """Table 2: for each share of drawn pictures, mean and deviation over the splits. A template is the mean of its unit
    embeddings."""
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (real, drawn))
    table = {}
    for share in SHARES:
        rows = []
        for number, split in enumerate(splits):
            rng = np.random.default_rng((seed, number))
            means = []
            for template in split.templates:
                order = rng.permutation(template)
                fake = round(share / 100 * len(order))
                means.append(np.concatenate([b[order[:fake]], a[order[fake:]]]).mean(axis=0))
            points = np.stack(means)
            points /= np.linalg.norm(points, axis=1, keepdims=True)
            first, second = split.pairs.T
            near, same = (points[first] * points[second]).sum(axis=1), split.people[first] == split.people[second]
            looked = points[split.probes] @ points[split.gallery].T
            right = split.people[split.probes][:, None] == split.people[split.gallery][None]
            rows.append([
                accepted(near, same, 0.01), accepted(near, same, 0.001), found_within(looked, right, 1), found_within(looked, right, 5),
            ])  # fmt: skip
        mean, deviation = np.mean(rows, axis=0), np.std(rows, axis=0)
        names = ("far_01", "far_001", "rank_1", "rank_5")
        table[str(share)] = {
            **{name: float(value) for name, value in zip(names, mean, strict=True)},
            **{f"{name}_std": float(value) for name, value in zip(names, deviation, strict=True)},
        }
    return table


def lfw_scores(drawer: Drawer, pairs: Pairs, progress: Progress | None = None) -> dict[str, Any]:
    """Table 1, and the same of the real pictures. Raises PictureError for a picture that cannot be read."""
    size = drawer.session.size
    count = len(pairs.pictures)
    photos: list[Embeddings] = [np.empty(0, np.float32)] * count
    crops: list[Picture] = [np.empty(0, np.uint8)] * count
    done = centred = 0
    for number, seen, found in aligned_faces(pairs.pictures, size / 128, drawer.workers):
        photos[number], crops[number] = seen.embedding, cut_crop(seen.frame, HAIR_CROP, size, size / 128)
        done, centred = done + 1, centred + (not found)
        if progress:
            progress(done, 3 * count)
    real, drawn, _ = drawer.both(crops, (lambda d, _m: progress(count + d, 3 * count)) if progress else None)
    first, second = pairs.sides.T
    report: dict[str, Any] = {"pairs": len(pairs.same), "pictures": count, "centred": centred}
    for kind, points in (("photos", np.stack(photos)), ("real", real), ("generated", drawn)):
        near = -np.square(points[first] - points[second]).sum(axis=1)
        mean, error = mean_and_error(correct_verdicts(near, pairs.same, pairs.fold), pairs.fold)
        report[kind] = {"accuracy": mean, "error": error, "auc": auc(near, pairs.same)}
    return report


def draw_sheet(session: Synthesizer, frames: FrameSet, count: int = 8, seed: int = 0) -> Picture:
    """A row for each of `count` held-out people: a picture, it painted from its own features, and five of the person
    that are drawn."""
    chosen = frames.indices("test")
    _, firsts = np.unique(frames.people()[chosen], return_index=True)
    cells: list[Picture] = []
    for number, place in enumerate(sorted(firsts)[:count]):
        crop = cut_crop(frames.frames[chosen[place]], HAIR_CROP, session.size, frames.scale)
        with session.inference():
            f_id, f_1, f_2 = session.model.seen(to_tensor(crop).to(session.device))
            numbers = torch.arange(5 * number, 5 * number + 5) + 1_000_003 * seed
            drawn = session.model.drawn(numbers.to(session.device), "sheet")
        cells += [crop, *session.pictures(f_id, f_1, f_2), *session.pictures(f_id.expand(5, -1), *drawn)]
    return grid(cells, 7)


def _sighted(job: tuple[FaceInPicture, int]) -> Picture:
    """The hair crop (S,S,3) of one of IJB-A's faces: the one found at the middle of its box, or what is seen in the
    box."""
    sighting, size = job
    photo = read_picture(sighting.path)
    left, top, width, height = sighting.box
    face = face_at(find_faces(photo), left + width / 2, top + height / 2)
    landmarks = face.landmarks if face else landmarks_in(photo, (left, top, max(1, width), max(1, height)))
    crop: Picture = cut_crop(cut_frame(photo, landmarks, size / 128).picture, HAIR_CROP, size, size / 128)
    return crop


def as_text(report: Mapping[str, Any]) -> str:
    """The report in a few lines."""
    s, d = report["similarity"], report["diversity"]
    lines = [
        f"{report['model']}, {report['size']} px, weights {report['weights']}; {report['pictures']} pictures of {report['people']} people; "
        f"features {report['features']}",
        "cosine                     drawn and real   two real of one person   of two people",
    ]
    lines += [
        f"{name:26s} {c['drawn']:14.3f} {c['ceiling']:24.3f} {c['floor']:15.3f}"
        for name, c in (("dlib's embeddings", s), ("centred", s["centred"]))
    ]
    lines.append(
        f"diversity {d['all']:.3f} (f_1 {d['f_1']:.3f}, f_2 {d['f_2']:.3f}); "
        f"heads turn by {report['yaw']['followed']:.2f} of what is asked"
    )
    lines.append(f"FFD {report['ffd']:.4f} of {report['pictures']} pictures; {floor_in_words(report.get('ffd_floor'))}")
    lines.append(
        "sliced Wasserstein distance × 1000: "
        + ", ".join(f"{side} px {far:.1f}" for side, far in report["swd"].items())
    )
    for title, name in (("held-out people", "templates"), ("IJB-A", "ijba")):
        if name in report:
            lines.append(f"templates, {title:15s} FAR 1 %       FAR 0.1 %     rank 1        rank 5")
            for share, r in report[name].items():
                cells = (
                    f"{100 * r[n]:5.1f} ± {100 * r[f'{n}_std']:3.1f}" for n in ("far_01", "far_001", "rank_1", "rank_5")
                )
                lines.append(f"{share:>3s} % drawn                {'   '.join(cells)}")
    if "lfw" in report:
        for kind, title in (("photos", "as they are"), ("real", f"at {report['size']} px"), ("generated", "drawn")):
            r = report["lfw"][kind]
            lines.append(
                f"LFW, {title:20s} {100 * r['accuracy']:6.2f} ± {100 * r['error']:.2f} %, area under the curve {r['auc']:.4f}"
            )
    return "\n".join(lines)
