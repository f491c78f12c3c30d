"""What `masque evaluate` measures: a function per task.

Each takes a model, a function to report progress to, and the options of its task as keyword parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from masque.edits.loaded import AttributeEditor, Parser
    from masque.edits.result import Result
    from masque.image import Picture


class Progress(Protocol):
    """A function that shows how much is done of how much, and of what."""

    def __call__(self, done: int, of: int, note: str = "", /) -> None: ...


class Measured(NamedTuple):
    """What an evaluation found, in the forms in which commands give it."""

    report: Mapping[str, object]
    """Numbers by name, which JSON can hold."""
    text: str
    """The report as lines to be read."""
    picture: Result | None = None
    """The picture that --picture writes; None for an evaluation without one."""


def swap(
    model: str,
    progress: Progress,
    *,
    data: Sequence[str] = (),
    photos: Path | None = None,
    against: Sequence[str] = (),
    pairs: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    split: Literal["test", "train"] = "test",
) -> Measured:
    """Section 4.1 of the RSGAN paper: reconstruction, identity after a swap, and swapping twice. With photos, with
    methods to compare with, and of `own`: what swaps of whole photos show."""
    from masque.data.frames import load_frames
    from masque.errors import SettingError
    from masque.loading import OWN
    from masque.tables.rsgan import evaluate_swap
    from masque.tables.rsgan_report import as_text
    from masque.tables.swapping import load_method

    if model == OWN or photos is not None or against:
        if workers is not None:
            raise SettingError("Swaps of whole photos are measured one by one: leave --workers out.")
        return _swapped_photos([model, *against], progress, data, photos, pairs or 100, seed, split)
    method = load_method(model)
    frames = load_frames(data, method.size, method.attributes, (split,))
    report = evaluate_swap(method, frames, pairs or 1000, seed, progress, workers=workers, split=split)
    return Measured(report, as_text(report))


def _swapped_photos(
    methods: Sequence[str],
    progress: Progress,
    data: Sequence[str],
    photos: Path | None,
    pairs: int,
    seed: int,
    split: Literal["test", "train"],
) -> Measured:
    """Several methods on the same pairs of whole photos, or of frames at their set's own size."""
    from masque.data.frames import load_frames
    from masque.errors import SettingError
    from masque.loading import load_model
    from masque.models.expression import ExpressionModel
    from masque.tables.edit_matte import own_size
    from masque.tables.swap_report import as_text
    from masque.tables.swap_yardsticks import evaluate_swaps, photos_in, photos_of_frames
    from masque.tables.swapping import load_swap

    if photos is not None and data:
        raise SettingError("--data and --photos are two sources of the same pairs: give one of them.")
    if photos is not None and split != "test":
        raise SettingError("--split is about prepared sets, and a folder of photos has none: leave it out.")
    swaps = {name: load_swap(name) for name in methods}
    found = (
        photos_of_frames(load_frames(data, own_size(data), (), (split,)), split)
        if photos is None
        else photos_in(photos)
    )
    parser, (expression, _) = _parser(), load_model("expression", "expression")
    assert isinstance(expression, ExpressionModel)
    report = evaluate_swaps(swaps, found, parser, expression.motion.shapes, pairs=pairs, seed=seed, progress=progress)
    return Measured(report, as_text(report))


def _parser() -> Parser:
    import masque

    return masque.load("parser", "parse")


def edits(
    model: str,
    progress: Progress,
    *,
    data: Sequence[str] = (),
    count: int = 200,
    seed: int = 0,
    inception: Path | None = None,
    true_pairs: tuple[Path, Path] | None = None,
    attribute: str | None = None,
    picture: bool = False,
) -> Measured:
    """What each edit does, by the true other picture, people's label maps and judges; of CCA-GAN also what its network
    leaves alone: leakage into other attributes, identity, changes by region, distances."""
    import masque
    from masque.edits.loaded import AttributeEditor, PhotoEditor, Swapper
    from masque.errors import SettingError
    from masque.loading import OWN, load_own
    from masque.tables.yardsticks import as_text, evaluate_yardsticks, find_true_pairs

    if not data and true_pairs is None:
        raise SettingError("No data was named: give --data a prepared folder or puppets:N, --true-pairs, or both.")
    if (true_pairs is None) != (attribute is None):
        raise SettingError("--true-pairs and --attribute go together: name the attribute that the second folder has.")
    editor: Swapper | AttributeEditor | PhotoEditor = load_own("edit") if model == OWN else masque.load(model, "edit")
    if (picture or inception is not None) and not (isinstance(editor, AttributeEditor) and data):
        raise SettingError("--picture and --inception are about what ccagan's network makes of --data: leave them out.")
    pairs = find_true_pairs(editor, true_pairs, attribute) if true_pairs and attribute else None
    report: dict[str, object] = {"model": editor.family, "weights": getattr(editor, "weights", None)}
    texts, drawn = [], None
    if isinstance(editor, AttributeEditor) and data:
        measured = _network_edits(editor, progress, data, count, seed, inception, picture)
        report |= measured.report
        texts, drawn = [measured.text], measured.picture
    found = evaluate_yardsticks(
        editor, data, _classifier("attributes"), pairs=pairs, count=count, seed=seed, progress=progress
    )
    texts.append(as_text(found))
    return Measured({**report, "yardsticks": found}, "\n\n".join(texts), drawn)


def _network_edits(
    editor: AttributeEditor,
    progress: Progress,
    data: Sequence[str],
    count: int,
    seed: int,
    inception: Path | None,
    picture: bool,
) -> Measured:
    """What the network's own pictures do and leave alone."""
    from masque.data.frames import load_frames
    from masque.edits.result import Result
    from masque.tables.ccagan import as_text, draw_leakage, evaluate_edits
    from masque.tables.features import load_features

    features = load_features(inception)
    frames = load_frames(data, editor.size, editor.attributes, ("test",))
    report = evaluate_edits(editor, frames, _classifier("attributes"), features, count, seed, progress)
    drawn = Result(draw_leakage(report), editor.record("evaluate", {"seed": seed})) if picture else None
    return Measured(report, as_text(report), drawn)


def attributes(
    model: str,
    progress: Progress,
    *,
    london: Path | None = None,
    celebamask: Path | None = None,
    sfhq: Path | None = None,
    utkface: Path | None = None,
) -> Measured:
    """How often the attributes that `prepare` measures are right, on labelled data sets."""
    from masque.errors import SettingError
    from masque.tables.attributes import as_text, evaluate_attributes

    given = (("london", london), ("celebamask", celebamask), ("sfhq", sfhq), ("utkface", utkface))
    roots = {name: root for name, root in given if root is not None}
    if not roots:
        raise SettingError("No data set was named: give at least one of --london, --celebamask, --sfhq and --utkface.")
    report = evaluate_attributes(roots, _classifier(model), progress)
    return Measured(report, as_text(report))


def identity(
    model: str,
    progress: Progress,
    *,
    data: Sequence[str] = (),
    lfw: Path | None = None,
    pairs: int = 3000,
    seed: int = 0,
    workers: int | None = None,
) -> Measured:
    """How well face features tell people apart: held-out ones of a prepared set, and LFW's by the official protocol,
    beside dlib."""
    from masque.errors import SettingError

    if not data and lfw is None:
        raise SettingError(
            "No data was named: give --data a prepared folder or puppets:N, --lfw the folder of LFW, or both."
        )
    from masque import modelfile
    from masque.catalog import model_folder
    from masque.config import from_dict
    from masque.data.frames import load_frames
    from masque.data.lfw import read_pairs
    from masque.edits.estimate import face_features
    from masque.models.identity import IdentityConfig
    from masque.tables import identity as table
    from masque.tables import lfw as wild

    folder = model_folder(model)
    extract, features = face_features(folder)
    size = from_dict(IdentityConfig, modelfile.read(folder).config).size
    official = read_pairs(lfw) if lfw is not None else None  # what is missing is missed before minutes of measuring
    report: dict[str, object] = {"features": features}
    texts = []
    if data:
        held_out = load_frames(data, size, (), ("test",))
        report |= (measured := table.evaluate_identity(held_out, extract, features, pairs, seed, progress))
        texts.append(table.as_text(measured))
    if official is not None:
        report["lfw"] = found = wild.evaluate_lfw(official, extract, size, workers, progress)
        texts.append(wild.as_text(found))
    return Measured(report, "\n".join(texts))


def shape(model: str, progress: Progress, *, data: Sequence[str], puppets: int = 100) -> Measured:
    """How well a network sees the yaw and expression of faces, and how well the 3D model fits them."""
    from masque.catalog import model_folder
    from masque.data.frames import load_frames
    from masque.edits.estimate import face_shape
    from masque.tables.shape import as_text, evaluate_shape

    network, weights = face_shape(model_folder(model))
    frames = load_frames(data, network.config.size, (), ("test",))
    report = evaluate_shape(network, weights, frames, puppets, progress)
    return Measured(report, as_text(report))


def parser(model: str, progress: Progress, *, data: Sequence[str]) -> Measured:
    """How well a face parser agrees with the label maps of held-out pictures."""
    import masque
    from masque.data.frames import load_frames
    from masque.tables.parser import as_text, evaluate_parser

    loaded = masque.load(model, "parse")
    report = evaluate_parser(loaded, load_frames(data, loaded.size, (), ("test",), labels="known"), progress)
    return Measured(report, as_text(report))


def portrait(
    model: str,
    progress: Progress,
    *,
    data: Sequence[str],
    count: int = 100,
    inception: Path | None = None,
) -> Measured:
    """What a portrait model paints: agreement with the label map, background, style, identity, distances."""
    import masque
    from masque.data.frames import load_frames
    from masque.tables.features import load_features
    from masque.tables.portrait import as_text, evaluate_portrait

    painter, sees = masque.load(model, "repaint"), masque.load("parser", "parse")
    features = load_features(inception)
    frames = load_frames(data, painter.size, (), ("test",), labels="any")
    report = evaluate_portrait(painter, sees, frames, features, count, progress=progress)
    return Measured(report, as_text(report))


def invert(
    model: str,
    progress: Progress,
    *,
    data: Sequence[str],
    generated: int = 100,
    real: int = 20,
    few: int | None = None,
    samples: int = 500,
    lipton: int = 10_000,
    seed: int = 0,
) -> Measured:
    """How well latents are found, by each method, how smooth morphs are, and how good samples."""
    import masque
    from masque.data.frames import load_frames
    from masque.tables.features import load_features
    from masque.tables.progan import Counts, as_text, evaluate_invert

    generator = masque.load(model, "invert")
    features = load_features()
    frames = load_frames(data, generator.size, (), ("test",))
    counts = Counts(generated, real, few, samples, lipton)
    report = evaluate_invert(generator, frames, features, counts, seed, progress)
    return Measured(report, as_text(report))


def facefeat(
    model: str,
    progress: Progress,
    *,
    data: Sequence[str],
    lfw: Path | None = None,
    ijba: Path | None = None,
    count: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    picture: bool = False,
) -> Measured:
    """How alike, how varied and how real drawn pictures of people are: verification, templates, similarity, diversity,
    distances."""
    import masque
    from masque.data.frames import load_frames
    from masque.data.lfw import read_pairs
    from masque.data.templates import read_ijba
    from masque.edits.result import Result
    from masque.tables.facefeat import Benchmarks, draw_sheet, evaluate_facefeat
    from masque.tables.facefeat_report import as_text
    from masque.tables.features import load_features

    synthesizer = masque.load(model, "synthesize")
    features = load_features()
    # First, so that what is missing is reported before minutes of measuring.
    benchmarks = Benchmarks(read_pairs(lfw) if lfw is not None else None, read_ijba(ijba) if ijba is not None else None)
    frames = load_frames(data, synthesizer.size, (), ("test",))
    report = evaluate_facefeat(
        synthesizer, frames, features, benchmarks, count=count, seed=seed, workers=workers, progress=progress
    )
    record = synthesizer.record("evaluate", {"seed": seed})
    drawn = Result(draw_sheet(synthesizer, frames, seed=seed), record) if picture else None
    return Measured(report, as_text(report), drawn)


def _classifier(model: str) -> Callable[[list[Picture]], list[dict[str, float]]]:
    from masque.catalog import model_folder
    from masque.edits.estimate import attribute_estimator

    return attribute_estimator(model_folder(model))
