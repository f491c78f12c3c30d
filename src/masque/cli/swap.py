"""The command that swaps faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from masque.cli.options import (
    EDIT,
    Detail,
    Device,
    EditSet,
    Json,
    ModelOrNone,
    Output,
    Overwrite,
    edit_values,
)
from masque.cli.overwriting import check_replaceable
from masque.cli.show import Wait, remark, save

if TYPE_CHECKING:
    from collections.abc import Mapping

    from masque.edits.result import Result


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(rich_help_panel=EDIT)(swap)


Stitch: TypeAlias = Annotated[
    Literal["none", "gradient"] | None,
    typer.Option(
        "--stitch",
        help="With --method network; gradient: stitch in the face alone (RSGAN-GD); none: lay the whole painted crop "
        "over (RSGAN). If not given: gradient.",
    ),
]
Method: TypeAlias = Annotated[
    Literal["own", "network", "warp"] | None,
    typer.Option(
        "--method",
        help="own: move and tint the face's own pixels; network: what the network of --model paints (RSGAN); warp: "
        "bend the face by its landmarks alone. If not given: network with --model, --stitch or --detail, else own.",
    ),
]
Expression: TypeAlias = Annotated[
    Literal["source", "target"] | None,
    typer.Option(
        "--expression",
        help="With --method own, whose expression: source, the face's own; target, that of the face it replaces. If "
        "not given: source.",
    ),
]
PickFace: TypeAlias = Annotated[
    int | None, typer.Option("--pick-face", help="Which face of the first photo, by its number in `masque faces`.")
]
PickHair: TypeAlias = Annotated[
    int | None, typer.Option("--pick-hair", help="Which face of the second photo to replace.")
]


def swap(
    face: Annotated[Path, typer.Argument(help="The photo whose face is taken.")],
    hair: Annotated[
        Path, typer.Argument(help="The photo that gets it: its hair, pose of head, clothes and background stay.")
    ],
    out: Output = Path("out.png"),
    set_: EditSet = [],  # noqa: B006 - typer wants a literal
    method: Method = None,
    expression: Expression = None,
    stitch: Stitch = None,
    pick_face: PickFace = None,
    pick_hair: PickHair = None,
    detail: Detail = "keep",
    model: ModelOrNone = None,
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Put the face of one photo into another, and get the whole second photo back.

    Example: masque swap anna.jpg ben.jpg -o out.png --set Smiling=1
    """
    from masque.image import check_output

    check_output(out, like=hair)
    check_replaceable(overwrite, out)
    attributes = edit_values(set_)
    by_network = stitch is not None or detail != "keep" or model is not None
    if method == "own" and by_network:
        raise typer.BadParameter("--stitch, --detail and --model are for --method network")
    if method == "warp" and (by_network or attributes or expression or device is not None):
        options = "--set, --expression, --stitch, --detail, --model or --device"
        raise typer.BadParameter(f"--method warp bends pixels and does nothing else: it takes no {options}")
    chosen, without = (method or ("network" if by_network else "own")), ""
    if method is None and not (by_network or attributes or expression or device):
        chosen, without = _installed_method()
    if chosen != "own" and expression is not None:
        raise typer.BadParameter("--expression is for --method own")
    picks = (pick_face, pick_hair)
    with Wait("Swapping"):
        if chosen == "own":
            result = _by_own_pixels(face, hair, attributes, expression or "source", picks, device)
        elif chosen == "network":
            result = _by_network(face, hair, attributes, stitch or "gradient", detail, picks, model or "rsgan", device)
        else:
            from masque.edits.warp import swap_by_warping

            result = swap_by_warping(face, hair, pick_face=pick_face, pick_hair=pick_hair)
    for note in result.texts("notes"):
        remark(note)
    save(result, out, overwrite, as_json, without)


def _installed_method() -> tuple[Literal["own", "network", "warp"], str]:
    """The best method whose weights are installed, and what is said where it is not the best of all."""
    from masque.catalog import has_model

    lacking = [name for name in ("parser", "expression") if not has_model(name)]
    if not lacking:
        return "own", ""
    chosen: Literal["network", "warp"] = "network" if has_model("rsgan") else "warp"
    names = " and ".join(lacking)
    return (
        chosen,
        f" No weights of {names} come with this installation, so the faces were swapped by --method {chosen}.",
    )


Picks: TypeAlias = tuple[int | None, int | None]


def _by_own_pixels(
    face: Path,
    hair: Path,
    attributes: Mapping[str, float | str],
    expression: Literal["source", "target"],
    picks: Picks,
    device: str | None,
) -> Result:
    """The face's own pixels, moved and tinted."""
    import masque
    from masque.edits.own import checked_values

    attributes = checked_values(attributes)  # before a model is loaded
    return masque.load(device=device).swap(
        face, hair, attributes=attributes, expression=expression, pick_face=picks[0], pick_hair=picks[1]
    )


def _by_network(
    face: Path,
    hair: Path,
    attributes: Mapping[str, float | str],
    stitch: Literal["none", "gradient"],
    detail: Literal["keep", "network"],
    picks: Picks,
    model: str,
    device: str | None,
) -> Result:
    """What the network paints."""
    import masque
    from masque.cli.options import AGE, HAIR
    from masque.given import values_by_name

    for name, other in ((HAIR, "Blond_Hair and its like"), (AGE, "Young")):
        if name in attributes:
            raise typer.BadParameter(f"{name} is for --method own: networks know {other}")
    return masque.load(model, "swap", device).swap(
        face,
        hair,
        attributes=values_by_name(dict(attributes)),
        stitch=stitch,
        detail=detail,
        pick_face=picks[0],
        pick_hair=picks[1],
    )
