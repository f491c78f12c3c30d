"""Decoding, against numpy's own turns, other libraries' writers and closed forms."""

from __future__ import annotations

import struct
import warnings
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from masque.image import Picture, read_picture

ORIENTATION = 0x0112

AS_STORED = {
    1: lambda shown: shown,
    2: lambda shown: shown[:, ::-1],
    3: lambda shown: shown[::-1, ::-1],
    4: lambda shown: shown[::-1],
    5: lambda shown: shown.swapaxes(0, 1),
    6: lambda shown: np.rot90(shown, 1),
    7: lambda shown: shown[::-1, ::-1].swapaxes(0, 1),
    8: lambda shown: np.rot90(shown, -1),
}
"""How EXIF's table lays a picture down for each orientation: its row 0 and column 0 are this side of the picture that
is shown."""


def noise(height: int = 20, width: int = 28, channels: int = 3, seed: int = 0) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def blocks(seed: int = 0) -> Picture:
    """Colours that survive JPEG: squares of 16 pixels."""
    return np.kron(noise(3, 4, seed=seed), np.ones((16, 16, 1), np.uint8))


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def over_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha[..., None] / 255
    return share * colour + (1 - share) * 255


def swapped_profile() -> bytes:
    """sRGB's profile with the names of its red and green primaries exchanged: what it calls red is green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"????", b"gXYZ", 1)


@pytest.mark.parametrize("orientation", AS_STORED)
@pytest.mark.parametrize(("suffix", "options"), [("png", {}), ("tif", {}), ("webp", {"lossless": True})])
def test_every_orientation_is_turned_upright(
    tmp_path: Path, orientation: int, suffix: str, options: dict[str, object]
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    shown = noise()
    stored = Image.fromarray(np.ascontiguousarray(AS_STORED[orientation](shown)))
    assert np.array_equal(read_picture(saved(tmp_path / f"photo.{suffix}", stored, exif=exif, **options)), shown)


@pytest.mark.parametrize("orientation", AS_STORED)
def test_a_jpeg_is_turned_as_opencv_turns_it(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = Image.fromarray(np.ascontiguousarray(AS_STORED[orientation](blocks())))
    path = saved(tmp_path / "photo.jpg", stored, exif=exif, quality=100, subsampling=0)
    by_opencv = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert np.abs(read_picture(path).astype(int) - by_opencv).max() <= 2
    assert np.abs(read_picture(path).astype(int) - blocks()).max() <= 4


def test_a_photo_whose_other_exif_tags_are_nonsense_is_still_turned(tmp_path: Path) -> None:
    """Pillow's own exif_transpose writes all tags anew and fails on one that does not hold what its number promises."""
    entries = struct.pack("<HHIHH", ORIENTATION, 3, 1, 6, 0) + struct.pack("<HHI4s", 0x0111, 2, 4, b"abc\0")
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 0)
    path = saved(
        tmp_path / "photo.jpg",
        Image.fromarray(np.ascontiguousarray(np.rot90(blocks()))),
        exif=exif,
        quality=100,
        subsampling=0,
    )
    assert np.abs(read_picture(path).astype(int) - blocks()).max() <= 4


def test_cmyk_jpeg_by_its_closed_form(tmp_path: Path) -> None:
    inks = np.kron(noise(3, 4, channels=4), np.ones((16, 16, 1), np.uint8))
    path = saved(tmp_path / "print.jpg", Image.fromarray(inks, mode="CMYK"), quality=100, subsampling=0)
    assert Image.open(path).mode == "CMYK"
    expected = (255 - inks[..., :3].astype(float)) * (255 - inks[..., 3:].astype(float)) / 255
    assert np.abs(read_picture(path) - expected).max() <= 6


@pytest.mark.parametrize("top", [200, 65535])
def test_16_bit_grey_png_is_scaled_by_its_full_range(tmp_path: Path, top: int) -> None:
    deep = np.random.default_rng(0).integers(0, top + 1, (20, 28), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    assert np.array_equal(read_picture(tmp_path / "deep.png")[..., 1], np.rint(deep / 257))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("top", [200, 65535])
def test_16_bit_grey_tiff_of_either_byte_order(tmp_path: Path, order: str, top: int) -> None:
    deep = np.random.default_rng(0).integers(0, top + 1, (20, 28), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "deep.tif", deep, byteorder=order, photometric="minisblack")
    assert np.array_equal(read_picture(tmp_path / "deep.tif")[..., 2], np.rint(deep / 257))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_colour(tmp_path: Path, suffix: str) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (20, 28, 3), dtype=np.uint16)
    path = tmp_path / f"deep.{suffix}"
    if suffix == "png":
        cv2.imwrite(str(path), deep[..., ::-1])
    else:
        tifffile.imwrite(path, deep, photometric="rgb")
    assert np.abs(read_picture(path) - deep / 257).max() <= 1


@pytest.mark.parametrize("full", [1.0, 255.0])
def test_float_tiff(tmp_path: Path, full: float) -> None:
    grey = np.random.default_rng(0).random((20, 28), dtype=np.float32)
    tifffile.imwrite(tmp_path / "float.tif", grey * np.float32(full), photometric="minisblack")
    assert np.abs(read_picture(tmp_path / "float.tif")[..., 0] - grey * 255).max() <= 0.51


def test_numbers_that_are_none_in_a_float_tiff_are_black_and_say_nothing(tmp_path: Path) -> None:
    grey = np.full((4, 4), 0.5, np.float32)
    grey[0, :2] = np.array([0x7F800001, 0x7FC00000], np.uint32).view(np.float32)  # a signalling NaN and a quiet one
    tifffile.imwrite(tmp_path / "float.tif", grey, photometric="minisblack")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        photo = read_picture(tmp_path / "float.tif")
    assert photo[0, :3, 0].tolist() == [0, 0, 128]


def test_grey_and_one_bit_are_widened(tmp_path: Path) -> None:
    grey = noise()[..., 0]
    assert np.array_equal(
        read_picture(saved(tmp_path / "grey.png", Image.fromarray(grey))), np.stack([grey] * 3, axis=2)
    )
    bits = grey > 127
    assert np.array_equal(
        read_picture(saved(tmp_path / "bits.png", Image.fromarray(bits)))[..., 0], np.where(bits, 255, 0)
    )


def test_alpha_is_laid_over_white(tmp_path: Path) -> None:
    pixels = noise(channels=4)
    read = read_picture(saved(tmp_path / "rgba.png", Image.fromarray(pixels)))
    assert np.abs(read - over_white(pixels[..., :3], pixels[..., 3])).max() <= 1
    grey = read_picture(saved(tmp_path / "la.png", Image.fromarray(pixels[..., :2], mode="LA")))
    assert np.abs(grey - over_white(pixels[..., :1], pixels[..., 1])).max() <= 1


def test_palette_with_transparent_entries(tmp_path: Path) -> None:
    index = noise()[..., 0] % 3
    image = Image.fromarray(index, mode="P")
    image.putpalette([200, 10, 10, 10, 200, 10, 10, 10, 200])
    path = saved(tmp_path / "palette.png", image, transparency=bytes([255, 0, 128]))
    read = read_picture(path)
    assert (read[index == 0] == (200, 10, 10)).all()
    assert (read[index == 1] == 255).all()
    assert np.abs(read[index == 2] - over_white(np.array([10, 10, 200]), np.array([128]))).max() <= 1


def test_one_transparent_colour(tmp_path: Path) -> None:
    pixels = noise()
    pixels[3:9, 4:8] = (1, 2, 3)
    read = read_picture(saved(tmp_path / "colour.png", Image.fromarray(pixels), transparency=(1, 2, 3)))
    pixels[3:9, 4:8] = 255
    assert np.array_equal(read, pixels)


@pytest.mark.parametrize("suffix", ["png", "gif", "webp"])
def test_the_first_frame_of_an_animation_is_taken(tmp_path: Path, suffix: str) -> None:
    frames = [np.full((20, 28, 3), level, np.uint8) for level in (0, 255, 128)]
    images = [Image.fromarray(frame) for frame in frames]
    options = {"lossless": True} if suffix == "webp" else {}
    path = saved(
        tmp_path / f"moving.{suffix}", images[0], save_all=True, append_images=images[1:], duration=100, **options
    )
    assert Image.open(path).n_frames == 3
    assert np.array_equal(read_picture(path), frames[0])


@pytest.mark.parametrize(("suffix", "options"), [("png", {}), ("jpg", {"quality": 100, "subsampling": 0})])
def test_an_embedded_profile_is_converted(tmp_path: Path, suffix: str, options: dict[str, object]) -> None:
    path = saved(tmp_path / f"photo.{suffix}", Image.fromarray(blocks()), icc_profile=swapped_profile(), **options)
    assert np.abs(read_picture(path).astype(int) - blocks()[..., (1, 0, 2)]).max() <= 5


def test_a_profile_leaves_alpha_alone(tmp_path: Path) -> None:
    pixels = np.concatenate([blocks(), blocks(1)[..., :1]], axis=2)
    read = read_picture(saved(tmp_path / "rgba.png", Image.fromarray(pixels), icc_profile=swapped_profile()))
    assert np.abs(read - over_white(pixels[..., (1, 0, 2)], pixels[..., 3])).max() <= 3


def test_a_palette_picture_with_a_profile(tmp_path: Path) -> None:
    image = Image.fromarray(noise()[..., 0] % 2, mode="P")
    image.putpalette([200, 10, 10, 10, 10, 200])
    read = read_picture(saved(tmp_path / "palette.png", image, icc_profile=swapped_profile()))
    assert np.abs(read[noise()[..., 0] % 2 == 0].astype(int) - (10, 200, 10)).max() <= 3


def test_a_broken_profile_is_passed_over(tmp_path: Path) -> None:
    path = saved(tmp_path / "photo.png", Image.fromarray(noise()), icc_profile=swapped_profile()[:200])
    assert np.array_equal(read_picture(path), noise())


def test_lab_tiff(tmp_path: Path) -> None:
    colours = blocks() // 2 + 64  # 8 bits of Lab are too few near sRGB's edges
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(Image.fromarray(colours), *profiles, outputMode="LAB")
    assert np.abs(read_picture(saved(tmp_path / "lab.tif", lab)).astype(int) - colours).max() <= 5


def test_names_do_not_matter(tmp_path: Path) -> None:
    encoded = BytesIO()
    Image.fromarray(noise()).save(encoded, "PNG")
    (tmp_path / "photo.jpg").write_bytes(encoded.getvalue())
    assert np.array_equal(read_picture(str(tmp_path / "photo.jpg")), noise())
