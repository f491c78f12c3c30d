"""The API of a Studio that runs: label maps out, painted, and in again, exactly."""

from __future__ import annotations

import io
import zlib

import httpx
import numpy as np
import pytest
from api_steps import Sent, failure, pixels, result
from PIL import Image


def test_a_label_map_goes_out_and_comes_back_exactly(api: httpx.Client, anna: Sent) -> None:
    parsed = result(api, "parse", photo=anna["id"])
    numbers = np.frombuffer(api.get(f"/api/results/{parsed['id']}/labels").content, np.uint8).reshape(512, 512)
    file = api.get(f"/api/results/{parsed['id']}/picture").content
    with Image.open(io.BytesIO(file)) as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.array(image), numbers)
    assert set(np.unique(numbers)) <= set(range(11))
    wider = numbers.copy()
    brow = np.argwhere(numbers == 2)
    top, left = brow.min(axis=0)
    wider[top - 4 : top + 2, left : left + 12] = 2
    packed = zlib.compress(wider.tobytes())
    for name, content, kind in (
        ("l", packed, "application/x-masque-labels"),
        ("labels.png", palette_of(wider, file), "image/png"),
    ):
        made = api.post("/api/repaint", data={"photo": anna["id"]}, files={"labels": (name, content, kind)})
        assert made.status_code == 200, made.text
        before = pixels(api.get(f"/api/photos/{anna['id']}/picture").content).astype(int)
        changed = np.abs(pixels(made.content).astype(int) - before).max(axis=2) > 8
        rows, columns = np.nonzero(changed)
        assert len(rows)
        assert top - 60 < rows.mean() < top + 60
        assert left - 60 < columns.mean() < left + 72


def palette_of(numbers: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], like: bytes) -> bytes:
    with Image.open(io.BytesIO(like)) as image:
        image.load()
        painted = Image.fromarray(numbers, mode="P")
        palette = image.getpalette()
        assert palette is not None
        painted.putpalette(palette)
    file = io.BytesIO()
    painted.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zlib.compress(b"\0" * 100), "512×512"),
        (zlib.compress(b"\0" * (1 << 22)), "512×512"),
        (b"no packing", "512×512"),
        (zlib.compress(b"\x0b" * 512 * 512), "labels"),
    ],
)
def test_a_label_map_of_another_photo_is_refused(api: httpx.Client, anna: Sent, content: bytes, says: str) -> None:
    files = {"labels": ("l", content, "application/x-masque-labels")}
    told = failure(api.post("/api/repaint", data={"photo": anna["id"]}, files=files), 422)
    assert says in str(told["error"])
    assert told["field"] == "labels"


def test_a_saved_label_map_is_read_at_the_photos_size(api: httpx.Client, anna: Sent) -> None:
    parsed = result(api, "parse", photo=anna["id"])
    numbers = np.frombuffer(api.get(f"/api/results/{parsed['id']}/labels").content, np.uint8).reshape(512, 512)
    painted = numbers.copy()
    painted[20:60, 20:60] = 10
    file = palette_of(painted, api.get(f"/api/results/{parsed['id']}/picture").content)
    answer = api.post(
        "/api/read-labels",
        data={"photo": anna["id"]},
        files={"labels": ("labels.png", file)},
        headers={"Accept": "application/json"},
    )
    read = api.get(f"/api/results/{answer.json()['id']}/labels").content
    np.testing.assert_array_equal(np.frombuffer(read, np.uint8).reshape(512, 512), painted)
    told = failure(
        api.post("/api/read-labels", data={"photo": anna["id"]}, files={"labels": ("x.png", b"nothing")}), 422
    )
    assert told["field"] == "labels"
