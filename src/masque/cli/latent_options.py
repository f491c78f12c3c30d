"""Options of the commands that seek, combine and morph latents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

MethodOption: TypeAlias = Annotated[
    Literal["lipton", "refine", "encoder", "encoder+refine"],
    typer.Option(
        "--method", help="How a photo's latent is found: gradient descent as in the paper, Adam, an encoder, or both."
    ),
]
Iterations: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--iterations",
        help="Steps of the search; if not given, 10000 with lipton, 400 with refine, 150 with encoder+refine, or 40 "
        "where photos' pixels are mixed.",
        min=0,
    ),
]
DetailIterations: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--detail-iterations",
        help="With refine: further steps, which add details of the photo that the latent alone cannot give, and as "
        "many again where much is still missing; 0 for none; if not given, 450, or 0 where photos' pixels are mixed.",
        min=0,
    ),
]
Likeness: TypeAlias = Annotated[
    float,
    typer.Option(
        "--likeness",
        help="With refine: weight of the distance between face features, beside that of the pixels.",
        min=0,
    ),
]
Clip: TypeAlias = Annotated[
    Literal["stochastic", "hard", "none"],
    typer.Option(
        "--clip",
        help="With lipton: what happens to a latent's components beyond the bounds: drawn anew, held at them, or left.",
    ),
]
LatentOut: TypeAlias = Annotated[Path, typer.Option("--out", "-o", help="Where to write the latent: .safetensors.")]
PictureOut: TypeAlias = Annotated[
    Path | None, typer.Option("--picture", help="Where to write what the generator makes of it.")
]
FilmOut: TypeAlias = Annotated[
    Path | None, typer.Option("--film", help="Where to write the search as a film: .mp4, .gif or .png.")
]
MorphOut: TypeAlias = Annotated[
    Path, typer.Option("--out", "-o", help="The film: .mp4, .gif, or all frames on a sheet: .png.")
]
Way: TypeAlias = Annotated[
    Literal["spherical", "linear", "warp"],
    typer.Option(
        "--path",
        help="Through the latents, on a sphere or straight; or the classical morph by landmarks, without a generator.",
    ),
]
Ease: TypeAlias = Annotated[
    Literal["smooth", "linear"], typer.Option("--ease", help="smooth: slow at each face; linear: at one pace.")
]
Weights: TypeAlias = Annotated[
    str | None,
    typer.Option("--weights", help="How much of each face, such as 0.2,0.3,0.5: numbers that sum to 1."),
]


def read_weights(text: str | None) -> list[float] | None:
    """The numbers of `--weights`; None without. Raises BadParameter for what is no number."""
    if text is None:
        return None
    try:
        return [float(one) for one in text.split(",")]
    except ValueError:
        raise typer.BadParameter(
            "give numbers with commas between, such as 0.2,0.3,0.5", param_hint="--weights"
        ) from None


Faces: TypeAlias = Annotated[
    list[Path],
    typer.Argument(help="Photos, latents of masque invert, or folders of photos, which count as their mean."),
]
