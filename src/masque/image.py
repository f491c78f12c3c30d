"""Pictures in and out: safe decoding, atomic writing, the step between uint8 pixels and [-1,1] tensors, grids.

The only room that knows value ranges. Inside Masque a picture is RGB uint8 (H,W,3); past `to_tensor` it is float32
(B,3,H,W) in [-1,1]."""

from __future__ import annotations

import errno
import math
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from masque.decodable import has_heif, trouble_in, trouble_with
from masque.errors import NoPictureError, OutputError, PictureError, printable
from masque.output import LONGEST_PATH
from masque.output import check_folder_of as check_folder_of
from masque.output import write_atomically as write_atomically
from masque.quiet import quieten_pillow

if TYPE_CHECKING:
    from torch import Tensor

quieten_pillow()

Picture = NDArray[np.uint8]
"""RGB uint8 (H,W,3)."""

MAX_MEGAPIXELS = 50.0
"""Millions of pixels of the largest picture that is read."""
WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Ending of a name -> Pillow's format that is written under it."""
LARGEST_SIDE = {"JPEG": 65_535, "WEBP": 16_383}
"""Pillow's format -> pixels that the longer side may have; PNG has no limit that memory does not reach first."""
GAP = 2
"""Pixels between the pictures of a sheet."""
ENDINGS = {
    "JPEG": (".jpg", ".jpeg", ".jfif", ".jpe"),
    "MPO": (".mpo",),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "JPEG2000": (".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".j2c"),
    "AVIF": (".avif", ".avifs"),
    "HEIF": (".heic", ".heics", ".heif", ".heifs", ".hif"),
}
"""Pillow's formats that a file may have, whatever its name, and the endings of their files; HEIF is read by
pillow-heif. Among Pillow's others are some that start programs (EPS starts Ghostscript)."""
DECODED = frozenset(ENDINGS)
READABLE_SUFFIXES = frozenset(
    ending for kind, endings in ENDINGS.items() if kind != "HEIF" or has_heif() for ending in endings
)
"""Endings, in lower case, of the pictures that are found in a folder."""

DEEP_GREY_MODES = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I", "F"})
"""Pillow's modes of grey that has more than 8 bits."""

ORIENTATION = 0x0112
"""The EXIF tag that says how the camera was held."""
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> the transposition that turns a picture of it upright; orientation 1 is upright already."""


def read_picture(path: str | os.PathLike[str] | BytesIO) -> Picture:
    """Any picture file, or its content, as upright sRGB uint8 (H,W,3).

    EXIF orientation is applied, embedded colour profiles and CMYK are converted to sRGB, 16-bit and grey widened, alpha
    laid over white, and of an animation the first frame is taken.

    Raises PictureError for a file that is missing, empty, cut short, not a picture, above 50 megapixels, or too slow to
    decode."""
    with decoded(path) as image:
        return _as_srgb(image, image.getexif().get(ORIENTATION, 1))


def from_pillow(image: Image.Image) -> Picture:
    """A picture that a program has open in Pillow, of any mode, as `read_picture` gives a file's; the frame that is
    shown of several.

    Raises PictureError where it cannot be decoded, holds no pixels, or is above 50 megapixels.
    """
    megapixels = image.width * image.height / 1e6
    if not 0 < megapixels <= MAX_MEGAPIXELS:
        raise PictureError(
            _too_large("The photo", f"{math.ceil(megapixels)}")
            if megapixels
            else "The photo has no pixels: give another."
        )
    try:
        with _ONE_DECODES:  # Pillow decodes at the first use, and threads may have been given the same picture
            orientation = image.getexif().get(ORIENTATION, 1)
            image.load()
        return _as_srgb(image, orientation)
    except MemoryError:
        raise
    except Exception as error:  # as of files; and a picture may have been closed
        raise PictureError(f"The photo is damaged or cannot be used ({_one_line(error)}): open it again.") from None


_ONE_DECODES = threading.Lock()


@contextmanager
def decoded(source: str | os.PathLike[str] | BytesIO) -> Iterator[Image.Image]:
    """Pillow's picture of a file or of its content, its first frame decoded, otherwise as it is in the file.

    Raises PictureError as `read_picture` does, also for what Pillow raises while the picture is used.
    """
    path: Path | str = "The photo" if isinstance(source, BytesIO) else Path(source)
    try:
        size = len(source.getbuffer()) if isinstance(source, BytesIO) else _size_of(Path(source))
        if size == 0:
            raise PictureError(f"{path} is empty (0 bytes): it was probably not copied completely, so fetch it again.")
        with nullcontext(source) if isinstance(source, BytesIO) else Path(source).open("rb") as file:
            _refuse(path, trouble_in(file))
        with Image.open(source) as opened:
            if opened.format not in DECODED:
                raise UnidentifiedImageError
            megapixels = opened.width * opened.height / 1e6
            if megapixels > MAX_MEGAPIXELS:
                raise PictureError(_too_large(path, f"{math.ceil(megapixels)}"))
            _refuse(path, trouble_with(opened, size))
            if opened.format != "HEIF":  # of which the picture to show need not be the first
                opened.seek(0)
            opened.load()
            yield opened
    except (PictureError, MemoryError):
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise PictureError(_missing(path)) from None
    except PermissionError:
        raise PictureError(f"{path} may not be read: check its permissions.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(_too_large(path, f"far more than {MAX_MEGAPIXELS:.0f}")) from None
    except UnidentifiedImageError:
        raise NoPictureError(
            f"{path} is not a picture that can be read (JPEG, PNG, WebP, TIFF, BMP and GIF are)."
        ) from None
    except Exception as error:  # Pillow's decoders raise almost anything on damaged files
        raise PictureError(f"{path} is damaged or cut short ({_one_line(error)}): fetch it again.") from None


def _missing(path: Path | str) -> str:
    return f"There is no file {printable(path, LONGEST_PATH)}: check the name."


def _size_of(path: Path) -> int:
    try:
        os.stat(path)
    except (ValueError, OSError) as error:
        # A NUL is in no name, and some names are too long for a file.
        if isinstance(error, ValueError) or error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            raise PictureError(_missing(path)) from None
        raise
    if path.is_dir():
        raise PictureError(f"{path} is a folder, not a picture: name one picture file.")
    size = path.stat().st_size
    if not path.is_file():  # a pipe would be waited for, and cannot be read twice
        raise PictureError(f"{path} is no ordinary file: save the picture in one first.")
    return size


def _refuse(path: Path | str, trouble: str | None) -> None:
    if trouble is not None:
        raise PictureError(f"{path} {trouble}.")


def _too_large(path: Path | str, megapixels: str) -> str:
    return f"{path} has {megapixels} megapixels and the limit is {MAX_MEGAPIXELS:.0f}: make it smaller first."


def _one_line(error: Exception) -> str:
    return printable(" ".join(str(error).split()) or type(error).__name__)


def _as_srgb(image: Image.Image, orientation: int = 1) -> Picture:
    """An upright picture, strip by strip: of 50 megapixels, each whole copy that Pillow makes on the way would take 200
    MB."""
    transposition = UPRIGHT.get(orientation)
    sideways = orientation in (5, 6, 7, 8)
    backwards = orientation in (3, 4, 6, 7)
    width, height = image.size
    pixels = np.empty((width, height, 3) if sideways else (height, width, 3), np.uint8)
    white = _white_level(image) if image.mode in DEEP_GREY_MODES else None
    convert = _profile_of(image)
    for top, bottom in _strips(image):
        strip = _as_rgb(image.crop((0, top, width, bottom)), white, convert)
        if transposition is not None:
            strip = strip.transpose(transposition)
        place = slice(height - bottom, height - top) if backwards else slice(top, bottom)
        pixels[(slice(None), place) if sideways else place] = np.asarray(strip)
    return pixels


def _strips(image: Image.Image) -> Iterator[tuple[int, int]]:
    """First row, and the one after the last, of strips of about a megapixel."""
    rows = max(1, 2**20 // image.width)
    return ((top, min(top + rows, image.height)) for top in range(0, image.height, rows))


def _as_rgb(image: Image.Image, white: float | None, convert: ImageCms.ImageCmsTransform | None) -> Image.Image:
    """A picture as 8-bit RGB, with alpha laid over white. white: the level that is white in a picture of deep grey.
    convert: takes its colours to sRGB."""
    if white is not None:
        values = np.nan_to_num(_in_float(image), posinf=white, neginf=0.0)
        image = Image.fromarray(np.clip(np.rint(values * (255.0 / white)), 0, 255).astype(np.uint8), mode="L")
    elif _becomes_rgba(image):
        image = image.convert("RGBA")
    if convert is not None:
        image = convert.apply(image)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _in_float(image: Image.Image) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # a kind of NaN
        return np.asarray(image, dtype=np.float64)


def _becomes_rgba(image: Image.Image) -> bool:
    return image.mode in ("P", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _white_level(image: Image.Image) -> float:
    """The level that is white in 16-bit, 32-bit and float grey: the end of the 16-bit scale; in float pictures 1 where
    none is above, else their maximum."""
    top = 0.0
    for first, last in _strips(image):
        values = _in_float(image.crop((0, first, image.width, last)))
        top = max(top, float(values.max(initial=0.0, where=np.isfinite(values))))
    if image.mode == "F" and top <= 1.0:
        return 1.0
    return 255.0 if image.mode in ("F", "I") and top <= 255.0 else max(65535.0, top)


def _profile_of(image: Image.Image) -> ImageCms.ImageCmsTransform | None:
    """What takes an embedded profile's colours to sRGB; None without one, and for one that is broken or does not fit:
    as if they were."""
    profile = image.info.get("icc_profile")
    mode = "L" if image.mode in DEEP_GREY_MODES else "RGBA" if _becomes_rgba(image) else image.mode
    if not profile or mode not in ("RGB", "RGBA", "CMYK", "L"):
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        return ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), mode, "RGBA" if mode == "RGBA" else "RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def check_output(path: str | os.PathLike[str], like: str | os.PathLike[str] | None = None) -> Path:
    """The path of a picture about to be written, after every check that needs no pixels.

    like: a picture file; the one to be written will have its size. Raises OutputError when no file can be written there
    (see `masque.output.check_folder_of`), when its ending names no format that can be written, or when the format
    cannot hold the size. Called before any work is done, so that nobody waits for a result that has nowhere to go."""
    path = Path(path)
    if not os.path.isdir(path):  # of a folder more is said below
        encoding(path)
    check_folder_of(path)
    if like is not None and os.path.isfile(like):
        size = (1, 1)
        with suppress(Exception), Image.open(like) as header:  # what is wrong with it is said when it is read
            size = header.size
        check_size(path, *size)
    return path


def check_size(path: str | os.PathLike[str], width: int, height: int) -> None:
    """Raise OutputError where a file of this ending cannot hold so many pixels a side."""
    kind, _ = encoding(Path(path))
    most = LARGEST_SIDE.get(kind)
    if most is not None and max(width, height) > most:
        raise OutputError(
            f"{width}×{height} pixels cannot be written as {kind} (at most {most} a side): name a .png file."
        )


def check_sheet(path: str | os.PathLike[str], count: int, columns: int, side: int) -> None:
    """Raise OutputError where a file of this ending cannot hold the `grid` of `count` square pictures of `side`
    pixels. A count below 1 is refused where it is used."""
    if count < 1:
        return
    columns = min(count, columns)
    check_size(path, columns * (side + GAP) - GAP, -(-count // columns) * (side + GAP) - GAP)


def encoding(path: Path) -> tuple[str, dict[str, int]]:
    """Pillow's format name and options for a file of this ending. Raises OutputError when there is none."""
    kind = WRITABLE.get(path.suffix.lower())
    if kind is None:
        raise OutputError(f"{path} must end in .png, .jpg or .webp: that is how the format is chosen.")
    if kind == "PNG":
        return kind, {"compress_level": 4}
    return kind, {"quality": 95, "subsampling": 0} if kind == "JPEG" else {"quality": 95}


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The content of a file of Pillow's format `kind`. Raises OutputError when the format cannot hold the picture.

    Files are written from this: Pillow's own way to a file takes a short write, the last one before a disk is full, for
    a whole one."""
    stream = BytesIO()
    try:
        image.save(stream, kind, **options)
    except (OSError, ValueError, OverflowError) as error:  # the last for sides that a GIF cannot tell
        size = f"{image.width}×{image.height} pixels"
        raise OutputError(f"{size} cannot be written as {kind} ({_one_line(error)}): name a .png file.") from None
    return stream.getvalue()


def encoded_picture(picture: Picture, kind: str, *, xmp: bytes | None = None) -> bytes:
    """The content of a picture file: PNG, JPEG (quality 95) or WebP of RGB uint8 (H,W,3).

    kind: png, jpg or webp, with or without the dot of a file's ending. xmp: a metadata packet to embed (see
    `masque.provenance`). Raises OutputError for another kind, and where the format cannot hold so many pixels a side.
    """
    name = Path(f"picture.{kind.removeprefix('.')}")
    check_size(name, picture.shape[1], picture.shape[0])
    form, options = encoding(name)
    packet: dict[str, object] = {}
    if xmp is not None and form == "PNG":
        from PIL.PngImagePlugin import PngInfo

        packet["pnginfo"] = info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8"))
    elif xmp is not None:
        packet["xmp"] = xmp
    return encoded(Image.fromarray(picture), form, **options, **packet)


def write_picture(path: str | os.PathLike[str], picture: Picture, *, xmp: bytes | None = None) -> Path:
    """Write an RGB uint8 (H,W,3) picture as PNG, JPEG (quality 95) or WebP, whole or not at all.

    xmp: a metadata packet to embed (see `masque.provenance`). Raises OutputError.
    """
    path = check_output(path)
    content = encoded_picture(picture, path.suffix, xmp=xmp)
    write_atomically(path, lambda part: part.write_bytes(content))
    return path


def to_tensor(pictures: Picture | Sequence[Picture]) -> Tensor:
    """uint8 (H,W,3), or a stack or list of such pictures, as float32 (B,3,H,W) in [-1,1]."""
    import torch

    stacked = np.asarray(pictures)
    stacked = stacked[None] if stacked.ndim == 3 else stacked
    return to_range(torch.from_numpy(np.ascontiguousarray(stacked)))


def to_range(pixels: Tensor) -> Tensor:
    """uint8 (B,H,W,3) as float32 (B,3,H,W) in [-1,1], on the same device."""
    return pixels.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def to_pictures(tensor: Tensor) -> Picture:
    """float (B,3,H,W) in [-1,1] (clipped) as uint8 (B,H,W,3)."""
    import torch

    pixels = tensor.detach().float().clamp(-1, 1).add(1.0).mul(127.5).round()
    return pixels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()


def grid(pictures: Sequence[Picture], columns: int, *, gap: int = GAP, colour: int = 255) -> Picture:
    """Equal-sized RGB pictures laid out row by row, `columns` in each; the empty rest of the last row takes the gap's
    colour."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), colour, np.uint8)
    for index, picture in enumerate(pictures):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet
