"""Evaluating trained models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from masque.cli.options import Data, Ijba, Json, Lfw, Seed, nothing
from masque.cli.show import Bar, answer, tell

Report = Annotated[Path | None, typer.Option("--json", help="Where to write the report as JSON.")]
Inception = Annotated[
    Path | None,
    typer.Option("--inception", help="NVIDIA's inception-2015-12-05.pt: FID and KID in place of FFD and KFD."),
]

Workers = Annotated[int | None, typer.Option("--workers", help="Processes, one per core by default.", min=1)]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    evaluate = typer.Typer(help="Measure a trained model on held-out people.", no_args_is_help=True)
    evaluate.callback()(nothing)
    evaluate.command("swap")(evaluate_swap)
    evaluate.command("edits")(evaluate_edits)
    evaluate.command("attributes")(evaluate_attributes)
    evaluate.command("identity")(evaluate_identity)
    evaluate.command("shape")(evaluate_shape)
    evaluate.command("parser")(evaluate_parser)
    evaluate.command("portrait")(evaluate_portrait)
    evaluate.command("invert")(evaluate_invert)
    evaluate.command("facefeat")(evaluate_facefeat)
    app.add_typer(evaluate, name="evaluate")


def checked(report_to: Path | None) -> None:
    """Raise OutputError, before minutes of measuring, where no report can be written."""
    from masque.image import check_folder_of

    if report_to is not None:
        check_folder_of(report_to)


def written(report_to: Path | None, report: Mapping[str, Any]) -> None:
    """Write a report as JSON, where one is asked for."""
    from masque.tables.written import write_report

    if report_to is not None:
        write_report(report_to, report)


def evaluate_swap(
    run: Annotated[
        str,
        typer.Argument(
            help="A run folder of rsgan, vaegan, ali or alphagan; rsgan for the weights that come with Masque; or warp."
        ),
    ],
    data: Data,
    pairs: Annotated[int, typer.Option("--pairs", help="Random pairs of held-out pictures.", min=1)] = 1000,
    seed: Annotated[int, Seed] = 0,
    workers: Workers = None,
    split: Annotated[
        Literal["test", "train"], typer.Option("--split", help="The held-out pictures, or those that training sees.")
    ] = "test",
    report_to: Report = None,
) -> None:
    """Section 4.1 of the RSGAN paper: reconstruction, identity after a swap, and swapping twice.

    Example: masque evaluate swap run --data prepared --pairs 1000 --json report.json
    """
    checked(report_to)
    from masque.data.frames import load_frames
    from masque.tables.rsgan import as_text
    from masque.tables.rsgan import evaluate_swap as measure
    from masque.tables.swapping import load_method

    method = load_method(run)
    with Bar("Evaluating") as bar:
        frames = load_frames(data, method.size, method.attributes, (split,))
        report = measure(method, frames, pairs, seed, bar.update, workers=workers, split=split)
    written(report_to, report)
    tell(as_text(report))


def evaluate_edits(
    run: Annotated[
        str, typer.Argument(help="A run folder of ccagan, or ccagan for the weights that come with Masque.")
    ],
    data: Data,
    count: Annotated[int, typer.Option("--count", help="Held-out pictures per attribute, at most.", min=1)] = 200,
    seed: Annotated[int, Seed] = 0,
    report_to: Report = None,
    inception: Inception = None,
    picture_to: Annotated[
        Path | None, typer.Option("--picture", help="Where to draw the leakage matrix: .png, .jpg or .webp.")
    ] = None,
) -> None:
    """What each edit does and what it leaves alone: effect, leakage into other attributes, identity, changes by region,
    distances.

    Example: masque evaluate edits run --data prepared --json report.json
    """
    from masque.image import check_output, write_picture
    from masque.output import check_apart

    checked(report_to)
    if picture_to is not None:
        check_output(picture_to)
        check_apart(report_to, picture_to)
    import masque
    from masque.catalog import model_folder
    from masque.data.frames import load_frames
    from masque.edits.estimate import attribute_estimator
    from masque.tables.ccagan import as_text, draw_leakage
    from masque.tables.ccagan import evaluate_edits as measure
    from masque.tables.features import load_features

    translator = masque.load(run, "sheet")
    classify = attribute_estimator(model_folder("attributes"))
    features = load_features(inception)
    with Bar("Evaluating") as bar:
        frames = load_frames(data, translator.size, translator.attributes, ("test",))
        report = measure(translator, frames, classify, features, count, seed, bar.update)
    written(report_to, report)
    if picture_to is not None:
        write_picture(picture_to, draw_leakage(report))
    tell(as_text(report))


def evaluate_attributes(
    london: Annotated[Path | None, typer.Option("--london", help="Face Research Lab London Set: Smiling.")] = None,
    celebamask: Annotated[Path | None, typer.Option("--celebamask", help="CelebAMask-HQ: Mouth_Slightly_Open.")] = None,
    sfhq: Annotated[Path | None, typer.Option("--sfhq", help="SFHQ with labels.csv: hair colours.")] = None,
    utkface: Annotated[Path | None, typer.Option("--utkface", help="UTKFace: Male, Young.")] = None,
    model: Annotated[
        str, typer.Option("--model", help="The classifier of Male and Young: a name or a run folder.")
    ] = "attributes",
    as_json: Json = False,
) -> None:
    """How often the attributes that `prepare` measures are right, on labelled data sets.

    Example: masque evaluate attributes --london data/london --utkface data/utkface
    """
    from masque.catalog import model_folder
    from masque.edits.estimate import attribute_estimator
    from masque.errors import SettingError
    from masque.tables.attributes import as_text
    from masque.tables.attributes import evaluate_attributes as measure

    given = (("london", london), ("celebamask", celebamask), ("sfhq", sfhq), ("utkface", utkface))
    roots = {name: root for name, root in given if root is not None}
    if not roots:
        raise SettingError("No data set was named: give at least one of --london, --celebamask, --sfhq and --utkface.")
    with Bar("Measuring") as bar:
        report = measure(roots, attribute_estimator(model_folder(model)), bar.update)
    answer(as_text(report), report, as_json)


def evaluate_identity(
    model: Annotated[
        str, typer.Argument(help="A run folder of identity, or identity for the weights that come with Masque.")
    ],
    data: Annotated[list[str], typer.Option("--data", help="A prepared set, or puppets:N. May be repeated.")] = [],  # noqa: B006 - typer wants a literal
    lfw: Annotated[
        Path | None, typer.Option("--lfw", help="The folder of LFW's pairs.txt and pictures: its official protocol.")
    ] = None,
    pairs: Annotated[int, typer.Option("--pairs", help="Random pairs of held-out pictures of --data.", min=20)] = 3000,
    seed: Annotated[int, Seed] = 0,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes that find LFW's faces; one per core if not given.", min=1)
    ] = None,
    report_to: Report = None,
) -> None:
    """How well face features tell people apart: held-out ones of a prepared set, and LFW's by the official protocol,
    beside dlib.

    Example: masque evaluate identity identity --data prepared --lfw lfw --json report.json
    """
    from masque.errors import SettingError

    checked(report_to)
    if not data and lfw is None:
        raise SettingError(
            "No data was named: give --data a prepared folder or puppets:N, --lfw the folder of LFW, or both."
        )
    from masque import modelfile
    from masque.catalog import model_folder
    from masque.data.frames import load_frames
    from masque.data.lfw import read_pairs
    from masque.edits.estimate import face_features
    from masque.tables import identity
    from masque.tables import lfw as wild

    folder = model_folder(model)
    extract, features = face_features(folder)
    size = modelfile.read(folder).config["size"]
    official = read_pairs(lfw) if lfw is not None else None  # what is missing is missed before minutes of measuring
    report: dict[str, Any] = {"features": features}
    texts = []
    if data:
        with Bar("Measuring") as bar:
            report = identity.evaluate_identity(
                load_frames(data, size, (), ("test",)), extract, features, pairs, seed, bar.update
            )
        texts.append(identity.as_text(report))
    if official is not None:
        with Bar("Measuring on LFW") as bar:
            report["lfw"] = wild.evaluate_lfw(official, extract, size, workers, bar.update)
        texts.append(wild.as_text(report["lfw"]))
    written(report_to, report)
    tell("\n".join(texts))


def evaluate_shape(
    model: Annotated[
        str, typer.Argument(help="A run folder of shape, or shape for the weights that come with Masque.")
    ],
    data: Data,
    puppets: Annotated[int, typer.Option("--puppets", help="Puppets, whose yaw is known.", min=1)] = 100,
    report_to: Report = None,
) -> None:
    """How well a network sees the yaw and expression of faces, and how well the 3D model fits them.

    Example: masque evaluate shape run --data prepared --json report.json
    """
    checked(report_to)
    from masque.catalog import model_folder
    from masque.data.frames import load_frames
    from masque.edits.estimate import face_shape
    from masque.tables.shape import as_text
    from masque.tables.shape import evaluate_shape as measure

    network, weights = face_shape(model_folder(model))
    with Bar("Measuring") as bar:
        report = measure(network, weights, load_frames(data, network.config.size, (), ("test",)), puppets, bar.update)
    written(report_to, report)
    tell(as_text(report))


def evaluate_parser(
    model: Annotated[
        str, typer.Argument(help="A run folder of parser, or parser for the weights that come with Masque.")
    ],
    data: Annotated[
        list[str], typer.Option("--data", help="A prepared set with label maps, or puppets:N. May be repeated.")
    ],
    as_json: Json = False,
) -> None:
    """How well a face parser agrees with the label maps of held-out pictures.

    Example: masque evaluate parser parser --data prepared
    """
    import masque
    from masque.data.frames import load_frames
    from masque.tables.parser import as_text
    from masque.tables.parser import evaluate_parser as measure

    parser = masque.load(model, "parse")
    with Bar("Measuring") as bar:
        report = measure(parser, load_frames(data, parser.size, (), ("test",), labels="known"), bar.update)
    answer(as_text(report), report, as_json)


def evaluate_portrait(
    run: Annotated[
        str, typer.Argument(help="A run folder of portrait, or portrait for the weights that come with Masque.")
    ],
    data: Annotated[
        list[str], typer.Option("--data", help="A prepared set with label maps, or puppets:N. May be repeated.")
    ],
    count: Annotated[int, typer.Option("--count", help="Held-out pictures, at most.", min=2)] = 100,
    report_to: Report = None,
    inception: Inception = None,
) -> None:
    """What a portrait model paints: agreement with the label map, background, style, identity, distances.

    Example: masque evaluate portrait run --data prepared --json report.json
    """
    checked(report_to)
    import masque
    from masque.data.frames import load_frames
    from masque.tables.features import load_features
    from masque.tables.portrait import as_text
    from masque.tables.portrait import evaluate_portrait as measure

    painter, parser = masque.load(run, "repaint"), masque.load("parser", "parse")
    features = load_features(inception)
    with Bar("Evaluating") as bar:
        frames = load_frames(data, painter.size, (), ("test",), labels="any")
        report = measure(painter, parser, frames, features, count, progress=bar.update)
    written(report_to, report)
    tell(as_text(report))


def evaluate_invert(
    run: Annotated[str, typer.Argument(help="A run folder of progan.")],
    data: Data,
    generated: Annotated[int, typer.Option("--generated", help="Generated pictures to find again.", min=1)] = 100,
    real: Annotated[int, typer.Option("--real", help="Held-out photos to find, at most.", min=2)] = 20,
    few: Annotated[
        int | None,
        typer.Option(
            "--few", help="Of both, at most, for the methods without an encoder, which take minutes each.", min=2
        ),
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", help="Drawn faces to compare with held-out photos, at most.", min=2)
    ] = 500,
    lipton: Annotated[int, typer.Option("--lipton", help="Iterations of gradient descent.", min=1)] = 10_000,
    seed: Annotated[int, Seed] = 0,
    report_to: Report = None,
) -> None:
    """How well latents are found, by each method, how smooth morphs are, and how good samples.

    Example: masque evaluate invert run --data prepared --json report.json
    """
    checked(report_to)
    import masque
    from masque.catalog import model_folder
    from masque.data.frames import load_frames
    from masque.edits.estimate import face_features
    from masque.tables.progan import as_text
    from masque.tables.progan import evaluate_invert as measure

    session = masque.load(run, "invert")
    extract, features = face_features(model_folder("identity"))
    with Bar("Evaluating") as bar:
        frames = load_frames(data, session.size, (), ("test",))
        report = measure(
            session, frames, extract, features, generated=generated, real=real, few=few, samples=samples, lipton_iterations=lipton,
            seed=seed, progress=bar.update,
        )  # fmt: skip
    written(report_to, report)
    tell(as_text(report))


def evaluate_facefeat(
    run: Annotated[
        str, typer.Argument(help="A run folder of facefeat, or facefeat for the weights that come with Masque.")
    ],
    data: Data,
    lfw: Lfw = None,
    ijba: Ijba = None,
    count: Annotated[
        int | None, typer.Option("--count", help="Held-out pictures, at most; all by default.", min=4)
    ] = None,
    seed: Annotated[int, Seed] = 0,
    workers: Workers = None,
    report_to: Report = None,
    picture_to: Annotated[
        Path | None, typer.Option("--picture", help="Where to draw a sheet: .png, .jpg or .webp.")
    ] = None,
) -> None:
    """How alike, how varied and how real drawn pictures of people are: verification, templates, similarity, diversity,
    distances.

    Example: masque evaluate facefeat run --data prepared --lfw lfw --json report.json
    """
    from masque.image import check_output
    from masque.output import check_apart
    from masque.provenance import write_recorded

    checked(report_to)
    if picture_to is not None:
        check_output(picture_to)
        check_apart(report_to, picture_to)
    import masque
    from masque.catalog import model_folder
    from masque.data.frames import load_frames
    from masque.data.lfw import read_pairs
    from masque.data.templates import read_ijba
    from masque.edits.estimate import face_features
    from masque.tables.facefeat import as_text, draw_sheet
    from masque.tables.facefeat import evaluate_facefeat as measure

    session = masque.load(run, "synthesize")
    extract, features = face_features(model_folder("identity"))
    pairs = read_pairs(lfw) if lfw is not None else None  # what is missing is missed before minutes of measuring
    templates = read_ijba(ijba) if ijba is not None else None
    with Bar("Evaluating") as bar:
        frames = load_frames(data, session.size, (), ("test",))
        report = measure(
            session,
            frames,
            extract,
            features,
            lfw=pairs,
            ijba=templates,
            count=count,
            seed=seed,
            workers=workers,
            progress=bar.update,
        )
    written(report_to, report)
    if picture_to is not None:
        write_recorded(picture_to, draw_sheet(session, frames, seed=seed), session.record("evaluate", seed=seed))
    tell(as_text(report))
