"""What tests of Studio's API do again and again: ask for an edit, look at a picture, read a failure."""

from __future__ import annotations

import io

import httpx
import numpy as np
from PIL import Image

Sent = dict[str, object]


def example(api: httpx.Client, name: str) -> Sent:
    """One of the examples, as a photo that is held."""
    answer = api.post(f"/api/examples/{name}")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def result(api: httpx.Client, verb: str, **fields: object) -> Sent:
    """What is known of an edit."""
    answer = api.post(f"/api/{verb}", data=fields, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def pixels(content: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A picture's file, decoded: RGB uint8 (H,W,3)."""
    with Image.open(io.BytesIO(content)) as image:
        return np.array(image.convert("RGB"))


def failure(answer: httpx.Response, status: int) -> Sent:
    """What an answer says of a failure, in the form that all have."""
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert set(told) == {"error", "kind", "field"}
    assert told["error"].endswith(".")
    assert "\n" not in told["error"]
    return dict(told)
