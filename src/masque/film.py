"""A run of pictures as one file: a film (.mp4), an animation (.gif) or a sheet of all of them (.png, .jpg), by the
ending of its name."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from io import BytesIO
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from masque.errors import OutputError, ValueRangeError, printable
from masque.given import number, output_path, whole
from masque.image import Picture, check_folder_of, encoded, encoded_picture, grid, write_atomically

FILMS = (".mp4", ".gif")
"""Endings of films."""
SHEETS = (".png", ".jpg", ".jpeg")
"""Endings of pictures that show all frames side by side."""

FASTEST = {".mp4": 1000, ".gif": 50}
"""Ending -> frames a second, at most. GIF counts hundredths of a second, and browsers slow a frame of one hundredth
down to ten."""
LONGEST = {".mp4": 3600, ".gif": 655}
"""Ending -> seconds, at most. GIF has 16 bits for the hundredths of a frame, and frames that do not differ become
one."""

ENCODERS = {"libx264": {"crf": "18"}, "mpeg4": {"qmin": "2", "qmax": "4"}}
"""What an .mp4 is encoded by, the best first, with options for a quality at which the eye sees no loss. Not every
FFmpeg has x264."""
FINEST = 65535
"""The largest denominator of a frame's duration in an .mp4: MPEG-4 Part 2 has 16 bits for it."""

BT709 = 1
"""ITU-R BT.709 as matrix, primaries and transfer of colours, in the numbers of ITU-T H.273."""


def check_film(path: str | os.PathLike[str], count: int, seconds: float) -> tuple[Path, int, float]:
    """Every check of `write_film` that needs no frame: called before any work is done. Returns the same, as Python's
    own.

    Raises OutputError for an ending that names no format, a folder that does not exist or may not be written, or an
    .mp4 where PyAV or its encoders are missing; ValueRangeError for fewer than one frame, for seconds that are not
    above 0 and finite, and where the format cannot hold so many frames a second (1000 in an .mp4, 50 in a .gif) or so
    many seconds (3600 and 655)."""
    path = output_path(path)
    kind = path.suffix.lower()
    if kind not in FILMS + SHEETS:
        raise OutputError(
            f"{path} must end in .mp4 or .gif for a film, or in .png or .jpg for a sheet of all its frames."
        )
    count, seconds = _checked(kind, count, seconds)
    check_folder_of(path)
    if kind == ".mp4":
        _encoder()
    return path, count, seconds


def _checked(kind: str, count: int, seconds: float) -> tuple[int, float]:
    """Count and seconds as Python's own. Raises ValueRangeError, and OutputError for a kind that is none of FILMS and
    SHEETS."""
    if kind not in FILMS + SHEETS:
        raise OutputError(f"{printable(kind)} is no kind of film: ask for mp4 or gif, or for a sheet as png or jpg.")
    count, seconds = whole("count", count), number("seconds", seconds)
    if count < 1:
        raise ValueRangeError(f"A film of {count} frames cannot be made: ask for at least 1.")
    if seconds <= 0:
        raise ValueRangeError(f"A film cannot last {seconds} seconds: give a number above 0.")
    if kind in FILMS:
        if seconds > LONGEST[kind]:
            raise ValueRangeError(
                f"A film of {seconds:g} seconds is too long: ask for at most {LONGEST[kind]} in a {kind} file."
            )
        if count > seconds * FASTEST[kind]:
            most = f"the {FASTEST[kind]} a second that a {kind} file can show"
            raise ValueRangeError(
                f"{count} frames in {seconds:g} seconds are more than {most}: ask for fewer frames or more seconds."
            )
    return count, seconds


def write_film(
    path: str | os.PathLike[str],
    frames: Iterable[Picture],
    count: int,
    seconds: float,
    *,
    columns: int | None = None,
    note: str = "",
) -> None:
    """Write frames as a film that lasts `seconds`, or as a sheet, whole or not at all.

    path: its ending chooses the format. `.mp4` is H.264 (MPEG-4 Part 2 where FFmpeg has no x264) in 4:2:0 after ITU-R
    BT.709, with an odd last row or column repeated, and with its index first, so that a browser plays it while it
    loads. `.gif` loops for ever, in hundredths of a second, and holds equal neighbours as one frame of their joint
    duration. `.png` and `.jpg` are all frames in reading order. frames: exactly `count` RGB uint8 (H,W,3) pictures of
    one size, taken one by one. columns: of a sheet; by default it has about as many as rows. Without meaning for a
    film. note: what a film says of itself, in its comment; a sheet is a picture and has none here.

    Raises OutputError and ValueRangeError as `check_film` does, ValueRangeError for fewer than one column, OutputError
    when the file cannot be written; ValueError when the frames are not as said above."""
    path, count, seconds = check_film(path, count, seconds)
    content = encode_film(frames, count, seconds, path.suffix, note, columns=columns)
    write_atomically(path, lambda part: part.write_bytes(content))


def encode_film(
    frames: Iterable[Picture],
    count: int,
    seconds: float,
    kind: str = "mp4",
    note: str = "",
    *,
    columns: int | None = None,
) -> bytes:
    """The content of the file that `write_film` writes.

    frames, note, columns: as `write_film` has them. count: how many frames. seconds: how long it lasts. kind: mp4 or
    gif, or for a sheet png or jpg. Raises OutputError and ValueRangeError as `write_film` does, OutputError for another
    kind, and ValueError when the frames are not as said there."""
    kind = f".{kind.removeprefix('.').lower()}"
    count, seconds = _checked(kind, count, seconds)
    columns = None if columns is None else whole("columns", columns)
    if columns is not None and columns < 1:
        raise ValueRangeError(f"A sheet of {columns} columns cannot be made: ask for at least 1.")
    counted = _counted(frames, count)
    if kind in SHEETS:
        return encoded_picture(grid(list(counted), min(count, columns or math.ceil(math.sqrt(count)))), kind)
    # Made in memory: a frame that fails then never passes for a disk that does, and FFmpeg need not be trusted to
    # notice a full one.
    return _gif(counted, count, seconds, note) if kind == ".gif" else _mp4(counted, count, seconds, note)


def _counted(frames: Iterable[Picture], count: int) -> Iterator[Picture]:
    """The frames themselves. Raises ValueError at the first that differs in kind, and where there are more or fewer of
    them than `count`."""
    number, shape = 0, None
    for frame in frames:
        shape = shape or frame.shape
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or frame.shape != shape:
            raise ValueError(
                f"frame {number} is {frame.dtype} {frame.shape}, and not RGB uint8 (H,W,3) of the first one's size "
                f"{shape}"
            )
        if number == count:
            raise ValueError(f"there are more frames than the {count} announced")
        number += 1
        yield frame
    if number < count:
        raise ValueError(f"there are {number} frames and not the {count} announced")


def _gif(frames: Iterator[Picture], count: int, seconds: float, note: str) -> bytes:
    # Pillow holds all frames before it writes the first; reduced to 256 colours here, they take a third of the room.
    reduced = [Image.fromarray(frame).quantize(256) for frame in frames]
    # Rounding the frames' ends and not their lengths keeps the sum.
    ends = [round(100 * seconds * index / count) for index in range(count + 1)]
    durations = [10 * (end - start) for start, end in pairwise(ends)]
    return encoded(
        reduced[0],
        "GIF",
        save_all=True,
        append_images=reduced[1:],
        duration=durations,
        loop=0,
        optimize=False,
        comment=note.encode(),
    )


def _mp4(frames: Iterator[Picture], count: int, seconds: float, note: str) -> bytes:
    import av
    from av.video.reformatter import ColorRange, Colorspace

    duration = (Fraction(seconds) / count).limit_denominator(FINEST)
    name = _encoder()
    content = BytesIO()
    try:
        # FFmpeg moves the index before the frames when all are written, and reads them again for that.
        with av.open(
            content, "w", format="mp4", options={"movflags": "+faststart"}, io_open=lambda *_: _Reader(content)
        ) as film:
            film.metadata["comment"] = note
            first = next(frames)
            stream = film.add_stream(name, rate=1 / duration, options=dict(ENCODERS[name]))
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = (side + side % 2 for side in first.shape[1::-1])
            stream.pix_fmt = "yuv420p"
            # Without these a player guesses by the size of the picture, and colours shift.
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = BT709
            context.color_range = int(ColorRange.MPEG)
            for index, frame in enumerate(chain([first], frames)):
                rgb = av.VideoFrame.from_ndarray(_even(frame), format="rgb24")
                yuv = rgb.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
                yuv.pts, yuv.time_base = index, duration
                film.mux(stream.encode(yuv))
            film.mux(stream.encode())
    except av.FFmpegError as error:
        raise OutputError(
            f"The frames cannot be encoded as .mp4 ({error.strerror or error}): name a .gif file."
        ) from error
    return content.getvalue()


class _Reader:
    """Reads, at a place of its own, from memory that is still being written to."""

    def __init__(self, content: BytesIO) -> None:
        self.content, self.place = content, 0

    def read(self, size: int) -> bytes:
        with self.content.getbuffer() as whole:  # released at once: while it is held, nothing can be written
            read = bytes(whole[self.place : self.place + size])
        self.place += len(read)
        return read

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = offset + (0, self.place, self.content.getbuffer().nbytes)[whence]
        return self.place

    def tell(self) -> int:
        return self.place


def _even(frame: Picture) -> Picture:
    """The frame with its last row and column repeated where it has an odd number of them: 4:2:0 has one colour to 2 × 2
    pixels."""
    return np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")


def _encoder() -> str:
    """The first of ENCODERS that this FFmpeg has. Raises OutputError when there is none, or no PyAV."""
    try:
        import av
        from av.codec.codec import UnknownCodecError
    except ImportError:
        raise OutputError(
            "An .mp4 file needs PyAV, which is not installed: run pip install av, or name a .gif file."
        ) from None
    for name in ENCODERS:
        try:
            av.Codec(name, "w")
        except UnknownCodecError:
            continue
        return name
    raise OutputError(
        "This build of PyAV can encode no .mp4 film: name a .gif file, or reinstall PyAV "
        "(pip install --force-reinstall av)."
    )
