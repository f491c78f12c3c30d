"""Changes in files: what an edit does to a photo, kept apart from the photo, to be applied again at another strength.

A .change file is a safetensors file: the layers' arrays, and a JSON text that says which layer each belongs to. Nothing
in it is executed. A thumbnail of the photo goes along, so that a change is not laid over somebody else's face."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from masque.errors import PictureError, printable
from masque.faces.added import Added
from masque.faces.change import Change, Grey, Layer, Move, Pixels, Shift
from masque.faces.dye import Dye
from masque.faces.greying import Greying
from masque.faces.lips import Inside
from masque.faces.strand_curve import DETAIL
from masque.given import output_path
from masque.image import Picture
from masque.output import write_atomically

VERSION = 1
LARGEST = 1 << 28
"""Bytes of a file that is read: an edit of a photo of 50 million pixels has fewer."""
THUMBNAIL = 16
"""Side in pixels of the photo's thumbnail."""
ALIKE = 12.0
"""Levels of 255 by which thumbnails of the same photo may differ on average: another size or another compression
changes them by less than 3, another photo by 30 and more."""

LAYERS: Mapping[str, type[Layer]] = {
    "dye": Dye,
    "greying": Greying,
    "move": Move,
    "shift": Shift,
    "grey": Grey,
    "pixels": Pixels,
    "inside": Inside,
    "added": Added,
}
"""Every kind of layer that a file may hold, by its name there."""


FLOATS, BYTES, SHORTS = np.float32, np.uint8, np.int16
ARRAYS: Mapping[type[Layer], Mapping[str, tuple[type[np.generic], tuple[int, ...]]]] = {
    Dye: {
        "matte": (BYTES, (-1, -1)),
        "sure": (BYTES, (-1, -1)),
        "nearby": (FLOATS, (-1, -1, 4)),
        "curve": (FLOATS, (101, 3)),
        "own": (FLOATS, (1, 2)),
    },
    Greying: {
        "matte": (BYTES, (-1, -1)),
        "sure": (BYTES, (-1, -1)),
        "temples": (BYTES, (-1, -1)),
        "around": (FLOATS, (-1, -1)),
        "curve": (FLOATS, (101, 1)),
    },
    Move: {"field": (FLOATS, (-1, -1, 2))},
    Shift: {"matte": (BYTES, (-1, -1)), "field": (FLOATS, (-1, -1, 3))},
    Grey: {},
    Inside: {"gap": (FLOATS, (-1, -1, 2)), "colours": (FLOATS, (-1, -1, 3))},
    Pixels: {"picture": (BYTES, (-1, -1, 3)), "matte": (BYTES, (-1, -1))},
    Added: {"difference": (SHORTS, (-1, -1, 3))},
}
"""Layer -> what numbers each of its arrays holds and how long its sides are; -1 is any length."""

LARGEST_FACTOR = 16.0
"""How many times as large or as small a copy of the photo may be."""

WIDEST_BLUR = 0.02
"""What a layer may blur by at most, in longer sides of the photo: a face's strands are narrower."""


def save_change(path: str | os.PathLike[str], change: Change, photo: Picture) -> Path:
    """Write a change into a file, whole or not at all, and return its path.

    photo: (H,W,3), the one that it was made for. Raises OutputError."""
    where = output_path(path)
    names = {kind: name for name, kind in LAYERS.items()}
    arrays: dict[str, NDArray[np.generic]] = {"photo": _thumbnail(photo)}
    layers = []
    for number, layer in enumerate(change.layers):
        values: dict[str, object] = {"kind": names[type(layer)]}
        for name, kind in _kinds(type(layer)).items():
            value = getattr(layer, name)
            if kind is np.ndarray:
                arrays[f"{number}.{name}"] = np.ascontiguousarray(value)
            else:
                values[name] = value
        layers.append(values)
    about = json.dumps({"masque": VERSION, "size": change.size, "layers": layers})
    content = save(arrays, metadata={"change": about})
    write_atomically(where, lambda part: part.write_bytes(content))
    return where


def load_change(path: str | os.PathLike[str], photo: Picture) -> Change:
    """The change in a file, for a photo (H,W,3): the one that it was made for, or a larger or smaller copy of it.

    Raises PictureError for a file that holds no change, and for another photo."""
    name = printable(Path(path).name)
    try:
        if Path(path).stat().st_size > LARGEST:
            raise PictureError(f"{name} is larger than any change: name a file that --save-change wrote.")
        content = Path(path).read_bytes()
    except OSError as error:
        raise PictureError(f"{name} cannot be read ({error.strerror}): name a file that --save-change wrote.") from None
    try:
        arrays, about = _read(content)
        if about["masque"] != VERSION:
            raise ValueError("it is of another version")
        thumbnail = arrays["photo"]
        width, height = (int(side) for side in about["size"])
        layers = tuple(_layer(values, arrays, number) for number, values in enumerate(about["layers"]))
        if thumbnail.shape != (THUMBNAIL, THUMBNAIL, 3) or width < 1 or height < 1:
            raise ValueError("its sizes make no sense")
        _check_sizes(layers, width, height, photo.shape[1])
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = printable(str(error) or type(error).__name__, 120)
        raise PictureError(
            f"{name} holds no change of this version of Masque ({reason}): name a file that --save-change wrote."
        ) from None
    difference = np.abs(_thumbnail(photo).astype(np.float32) - thumbnail.astype(np.float32)).mean()
    if difference > ALIKE:
        raise PictureError(f"{name} was made for another photo: give the photo that it was made for.")
    change = Change((width, height), layers)
    size = (photo.shape[1], photo.shape[0])
    return change if size == change.size else change.enlarged(*size)


def is_change(path: Path) -> bool:
    """Whether a file holds a change, of any version of Masque, with all its arrays."""
    try:
        if path.stat().st_size > LARGEST:
            return False
        _, about = _read(path.read_bytes())
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    return isinstance(about, dict) and "layers" in about


def _read(content: bytes) -> tuple[dict[str, NDArray[np.generic]], dict[str, Any]]:
    """The arrays of a file, and what its JSON says of them."""
    arrays = load(content)
    length = int.from_bytes(content[:8], "little")
    return arrays, json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["change"])


def _layer(values: Mapping[str, object], arrays: Mapping[str, NDArray[np.generic]], number: int) -> Layer:
    """One layer of a file. Raises ValueError, KeyError or TypeError for what is none."""
    kind = LAYERS[str(values["kind"])]
    found: dict[str, object] = {}
    for name, wanted in _kinds(kind).items():
        if wanted is np.ndarray:
            array = arrays[f"{number}.{name}"]
            numbers, sides = ARRAYS[kind][name]
            fits = len(sides) == array.ndim and all(a in (-1, b) for a, b in zip(sides, array.shape, strict=True))
            if array.dtype != numbers or not fits or not array.size:
                raise ValueError(f"{name} of layer {number} is an array of {array.dtype} {array.shape}")
            if numbers is FLOATS and not np.isfinite(array).all():
                raise ValueError(f"{name} of layer {number} is not finite")
            found[name] = array
        else:
            found[name] = _plain(name, values[name], wanted)
    return kind(**found)


def _check_sizes(layers: Sequence[Layer], width: int, height: int, photo_width: int) -> None:
    """Raise ValueError for layers that lie far from the photo, reach too far, or are for a photo of quite another
    size."""
    if not 1 / LARGEST_FACTOR <= photo_width / width <= LARGEST_FACTOR:
        raise ValueError("the photo that it was made for was of quite another size")
    for number, layer in enumerate(layers):
        left, top, right, bottom = layer.box
        if min(left + width, top + height, 2 * width - right, 2 * height - bottom) < 0:
            raise ValueError(f"layer {number} lies outside of the photo")
        if isinstance(layer, Dye) and not (
            0 < layer.blur <= max(1.0, WIDEST_BLUR * max(width, height))
            and 0 <= layer.strength <= 1
            and 0 <= layer.kept <= 1
            and DETAIL[0] <= layer.detail <= DETAIL[1]
        ):
            raise ValueError(f"layer {number} has numbers that no layer has")
        if isinstance(layer, Inside) and not (layer.soft > 0 and 0 <= layer.strength <= 1):
            raise ValueError(f"layer {number} has numbers that no layer has")
        if isinstance(layer, Added) and not (
            0 <= layer.strength <= 1 and -255 <= layer.difference.min() <= layer.difference.max() <= 255
        ):
            raise ValueError(f"layer {number} has numbers that no layer has")
        if isinstance(layer, Greying) and not (
            0 < layer.blur <= max(1.0, WIDEST_BLUR * max(width, height))
            and 0 <= layer.amount <= 1
            and 0.1 <= layer.spread <= 100
        ):
            raise ValueError(f"layer {number} has numbers that no layer has")


def _plain(name: str, value: object, wanted: type) -> object:
    """A number, a text or a box of a file. Raises ValueError for what is none."""
    if wanted is tuple:
        if not isinstance(value, list) or len(value) != 4 or not all(type(v) is int for v in value):
            raise ValueError(f"{name} is no box")
        left, top, right, bottom = value
        if not (right > left and bottom > top and max(map(abs, value)) < 1 << 20):
            raise ValueError(f"{name} is no box")
        return tuple(value)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted or (isinstance(value, float) and not np.isfinite(value)):
        raise ValueError(f"{name} is {printable(repr(value), 40)}")
    return value


def _kinds(layer: type) -> dict[str, type]:
    """Name of each field of a layer -> ndarray, tuple for a box, or float, int, bool or str."""
    hints = get_type_hints(layer)
    kinds = {}
    for one in fields(layer):
        hint = hints[one.name]
        origin = get_origin(hint)
        kinds[one.name] = np.ndarray if origin is np.ndarray else tuple if origin is tuple else hint
        assert kinds[one.name] in (np.ndarray, tuple, float, int, bool, str), (layer, one.name, get_args(hint))
    return kinds


def _thumbnail(photo: Picture) -> NDArray[np.uint8]:
    small = cv2.resize(photo, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)
