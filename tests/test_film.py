"""Films, animations and sheets, read back with PyAV and Pillow; and that nothing is left of one that fails."""

from __future__ import annotations

import builtins
import math
import struct
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import masque.film
from masque.data.puppets import draw_puppet, render
from masque.errors import MasqueError, OutputError, ValueRangeError
from masque.film import ENCODERS, check_film, write_film
from masque.image import Picture, grid


def shades(count: int, height: int = 40, width: int = 60) -> list[Picture]:
    """Frames that differ: each a shade from black to white, with a red stripe on the left and a blue one at the
    bottom."""
    frames = [np.full((height, width, 3), round(255 * index / max(1, count - 1)), np.uint8) for index in range(count)]
    for frame in frames:
        frame[:, : width // 4] = (200, 30, 40)
        frame[-(height // 4) :] = (30, 50, 220)
    return frames


def read_film(path: Path) -> list[Picture]:
    with av.open(path) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def furthest(pictures: list[Picture], others: list[Picture]) -> float:
    return max(float(np.abs(a.astype(int) - b).mean()) for a, b in zip(pictures, others, strict=True))


def refusal(kind: type[MasqueError], path: Path, count: int = 2, seconds: float = 1.0) -> str:
    """What `check_film` says, as one sentence; and `write_film` says the same before it takes a frame."""
    with pytest.raises(kind) as caught:
        check_film(path, count, seconds)

    def frames() -> Iterator[Picture]:
        pytest.fail("a frame was asked for")
        yield

    with pytest.raises(kind) as again:
        write_film(path, frames(), count, seconds)
    text = str(caught.value)
    assert text == str(again.value)
    assert "\n" not in text
    assert text.endswith((".", ")."))
    return text


@pytest.mark.parametrize(("count", "seconds"), [(1, 2.0), (7, 3.0), (48, 2.0), (30, 1.001), (5, 0.1)])
def test_a_film_has_its_frames_and_its_length(tmp_path: Path, count: int, seconds: float) -> None:
    write_film(tmp_path / "out.mp4", iter(shades(count)), count, seconds)
    with av.open(tmp_path / "out.mp4") as film:
        video = film.streams.video[0]
        assert video.frames == count
        assert video.average_rate == (Fraction(count) / Fraction(str(seconds)))
        assert video.duration * video.time_base == Fraction(str(seconds))
        assert video.pix_fmt == "yuv420p"
        times = [frame.pts * frame.time_base for frame in film.decode(video)]
    assert times == [Fraction(str(seconds)) * index / count for index in range(count)]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_film_shows_its_frames_in_their_colours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str
) -> None:
    monkeypatch.setattr(masque.film, "ENCODERS", {encoder: ENCODERS[encoder]})
    frames = shades(9, 96, 128)
    write_film(tmp_path / "out.mp4", frames, 9, 1.0)
    assert furthest(read_film(tmp_path / "out.mp4"), frames) < 6
    with av.open(tmp_path / "out.mp4") as film:
        assert film.streams.video[0].codec_context.name == {"libx264": "h264", "mpeg4": "mpeg4"}[encoder]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_film_says_which_colours_its_numbers_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str
) -> None:
    """Against the equations of ITU-R BT.709; and in the file, for players guess where it does not say."""
    monkeypatch.setattr(masque.film, "ENCODERS", {encoder: ENCODERS[encoder]})
    red, green, blue = rgb = (200, 30, 40)
    write_film(tmp_path / "out.mp4", [np.full((64, 64, 3), rgb, np.uint8)], 1, 1.0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    expected = [
        16 + 219 / 255 * luma,
        128 + 224 / 255 * (blue - luma) / 1.8556,
        128 + 224 / 255 * (red - luma) / 1.5748,
    ]
    with av.open(tmp_path / "out.mp4") as film:
        context = film.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        planes = next(film.decode(video=0)).to_ndarray(format="yuv420p")
    assert np.abs([planes[32, 32], planes[64:80].mean(), planes[80:].mean()] - np.array(expected)).max() < 2


def boxes(content: bytes) -> list[tuple[bytes, bytes]]:
    """Name and content of each box of an MP4, in their order (ISO 14496-12, 4.2)."""
    found, at = [], 0
    while at < len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        assert 8 <= size <= len(content) - at
        found.append((name, content[at + 8 : at + size]))
        at += size
    return found


@pytest.mark.parametrize("encoder", [name for name in ENCODERS if name in av.codecs_available])
@pytest.mark.parametrize(("height", "width"), [(40, 60), (41, 61), (1, 1), (1, 2), (3, 1), (128, 128)])
def test_a_browser_plays_a_film_while_it_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str, height: int, width: int
) -> None:
    """The index comes first, the sides are even, and every browser decodes the kind of H.264."""
    monkeypatch.setattr(masque.film, "ENCODERS", {encoder: ENCODERS[encoder]})
    path = tmp_path / "out.mp4"
    write_film(path, [np.full((height, width, 3), 50 * i, np.uint8) for i in range(5)], 5, 1.0, note="x" * 5000)
    found = boxes(path.read_bytes())
    names = [name for name, _ in found if name != b"free"]
    assert names == [b"ftyp", b"moov", b"mdat"]
    assert dict(found)[b"ftyp"][:4] in (b"isom", b"mp42")
    with av.open(path) as film:
        (stream,) = film.streams
        assert isinstance(stream, av.VideoStream)
        assert stream.pix_fmt == "yuv420p"
        assert (stream.width % 2, stream.height % 2) == (0, 0)
        assert encoder == "mpeg4" or stream.profile in ("Constrained Baseline", "Baseline", "Main", "High")
        assert len(list(film.decode(video=0))) == 5


def test_a_film_of_a_face_looks_like_it(tmp_path: Path) -> None:
    frames = [render(draw_puppet(seed)).picture for seed in (1, 3)]
    write_film(tmp_path / "out.mp4", frames, 2, 1.0)
    assert furthest(read_film(tmp_path / "out.mp4"), frames) < 4


@pytest.mark.parametrize(("height", "width"), [(41, 60), (40, 61), (41, 61), (1, 1)])
def test_odd_sides_repeat_their_last_pixels(tmp_path: Path, height: int, width: int) -> None:
    frames = shades(3, height, width)
    frames[1][-1, :] = frames[1][:, -1] = (40, 200, 90)
    write_film(tmp_path / "out.mp4", frames, 3, 1.0)
    padded = [np.pad(f, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge") for f in frames]
    write_film(tmp_path / "padded.mp4", padded, 3, 1.0)
    assert read_film(tmp_path / "out.mp4")[0].shape == padded[0].shape
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "padded.mp4").read_bytes()


@pytest.mark.parametrize(("count", "seconds"), [(7, 1.0), (50, 1.0), (3, 2.005), (1, 0.5)])
def test_an_animation_loops_and_lasts(tmp_path: Path, count: int, seconds: float) -> None:
    frames = shades(count)
    write_film(tmp_path / "out.gif", iter(frames), count, seconds)
    durations, read = [], []
    with Image.open(tmp_path / "out.gif") as gif:
        assert gif.n_frames == count
        assert gif.info["loop"] == 0
        for index in range(count):
            gif.seek(index)
            durations.append(gif.info["duration"])
            read.append(np.array(gif.convert("RGB")))
    assert sum(durations) == pytest.approx(1000 * seconds, abs=5)  # GIF counts in steps of 10
    assert max(durations) - min(durations) <= 10
    assert furthest(read, frames) < 1


def test_equal_neighbours_of_an_animation_keep_their_time(tmp_path: Path) -> None:
    frames = shades(2)
    write_film(tmp_path / "out.gif", [frames[0]] * 3 + [frames[1]], 4, 2.0)
    with Image.open(tmp_path / "out.gif") as gif:
        durations = [gif.seek(index) or gif.info["duration"] for index in range(gif.n_frames)]
    assert durations == [1500, 500]


@pytest.mark.parametrize(("columns", "expected"), [(None, 3), (1, 1), (4, 4), (99, 7)])
def test_a_sheet_has_all_frames_in_reading_order(tmp_path: Path, columns: int | None, expected: int) -> None:
    frames = shades(7)
    write_film(tmp_path / "out.png", iter(frames), 7, 1.0, columns=columns)
    assert np.array_equal(np.array(Image.open(tmp_path / "out.png")), grid(frames, expected))
    write_film(tmp_path / "out.jpg", iter(frames), 7, 1.0, columns=columns)
    with Image.open(tmp_path / "out.jpg") as sheet:
        assert sheet.format == "JPEG"
        assert furthest([np.array(sheet)], [grid(frames, expected)]) < 3


def test_a_sheet_without_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueRangeError, match="0 columns"):
        write_film(tmp_path / "out.png", shades(2), 2, 1.0, columns=0)


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_frames_are_taken_one_by_one(tmp_path: Path, suffix: str) -> None:
    """The one before is done with, encoded or reduced to 256 colours, when a frame is asked for: its pixels may be
    overwritten."""
    expected, buffer = shades(4), np.empty((40, 60, 3), np.uint8)

    def frames() -> Iterator[Picture]:
        for frame in expected:
            buffer[:] = frame
            yield buffer

    write_film(tmp_path / f"out{suffix}", frames(), 4, 1.0)
    write_film(tmp_path / f"other{suffix}", expected, 4, 1.0)
    assert (tmp_path / f"out{suffix}").read_bytes() == (tmp_path / f"other{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png", ".jpg"])
@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError, ValueError, OutputError])
@pytest.mark.parametrize("after", [0, 2])
def test_frames_that_fail_leave_nothing(tmp_path: Path, suffix: str, failure: type[BaseException], after: int) -> None:
    old, new = tmp_path / f"old{suffix}", tmp_path / f"new{suffix}"
    old.write_bytes(b"as it was")

    def frames() -> Iterator[Picture]:
        yield from shades(after)
        raise failure("no more")

    for path in (old, new):
        with pytest.raises(failure, match="no more"):
            write_film(path, frames(), 5, 1.0)
    assert old.read_bytes() == b"as it was"
    assert list(tmp_path.iterdir()) == [old]


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
@pytest.mark.parametrize(
    "frames",
    [
        [],
        shades(2),
        shades(4),
        [*shades(2), shades(1, 40, 62)[0]],
        [f.astype(np.float32) for f in shades(3)],
        [f[..., 0] for f in shades(3)],
    ],
    ids=["none", "too few", "too many", "another size", "not uint8", "grey"],
)
def test_frames_that_are_not_as_announced(tmp_path: Path, suffix: str, frames: list[Picture]) -> None:
    with pytest.raises(ValueError, match="frame"):
        write_film(tmp_path / f"out{suffix}", frames, 3, 1.0)
    assert not list(tmp_path.iterdir())


def test_a_frame_wider_than_an_animation_can_be(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="70000×1 pixels cannot be written as GIF"):
        write_film(tmp_path / "wide.gif", [np.zeros((1, 70_000, 3), np.uint8)], 1, 1.0)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_no_encoder_takes(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot be encoded as \.mp4"):
        write_film(tmp_path / "out.mp4", [np.zeros((2, 20000, 3), np.uint8)], 1, 1.0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["out.mov", "out", "out.mp4.txt", "out.webp"])
def test_another_ending(tmp_path: Path, name: str) -> None:
    text = refusal(OutputError, tmp_path / name)
    assert all(ending in text for ending in (".mp4", ".gif", ".png", ".jpg"))


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
def test_numbers_out_of_range(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    for count in (0, -3):
        assert str(count) in refusal(ValueRangeError, path, count=count)
    for seconds in (0.0, -1.0, math.inf, math.nan):
        assert str(seconds) in refusal(ValueRangeError, path, seconds=seconds)


@pytest.mark.parametrize(("suffix", "fastest", "longest"), [(".mp4", 1000, 3600), (".gif", 50, 655)])
def test_what_a_format_can_hold(tmp_path: Path, suffix: str, fastest: int, longest: int) -> None:
    path = tmp_path / f"out{suffix}"
    check_film(path, fastest, 1.0)
    check_film(path, 1, longest)
    assert f"the {fastest} a second" in refusal(ValueRangeError, path, count=fastest + 1)
    assert f"at most {longest}" in refusal(ValueRangeError, path, seconds=longest + 1)
    write_film(path, [np.zeros((4, 4, 3), np.uint8)], 1, longest)
    write_film(path, [np.full((4, 4, 3), index, np.uint8) for index in range(10)], 10, 10 / fastest)


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    assert "mkdir -p" in refusal(OutputError, tmp_path / "nowhere" / "out.gif")


def test_without_pyav_only_films_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert "pip install av" in refusal(OutputError, tmp_path / "out.mp4")
    write_film(tmp_path / "out.gif", shades(2), 2, 1.0)
    write_film(tmp_path / "out.png", shades(2), 2, 1.0)


def test_without_an_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masque.film, "ENCODERS", {"no such encoder": {}})
    assert ".gif" in refusal(OutputError, tmp_path / "out.mp4")


def test_pyav_is_not_imported_before_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = builtins.__import__

    def watched(name: str, *arguments: object, **options: object) -> object:
        assert name.split(".")[0] != "av"
        return genuine(name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", watched)
    write_film(tmp_path / "out.gif", shades(2), 2, 1.0)
