"""The API of a Studio that runs: which of several faces is taken, by edits of several photos."""

from __future__ import annotations

import io

import httpx
import numpy as np
import pytest
from PIL import Image

from masque.image import Picture

SIDE = 512


def upload(api: httpx.Client, picture: Picture) -> str:
    """The id of a photo."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    answer = api.post("/api/photos", files={"photo": ("photo.png", content.getvalue())})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture(scope="module")
def both(api: httpx.Client, photos: dict[str, Picture]) -> tuple[str, int, int]:
    """One photo of two people: its id, and the numbers of the left and the right one's face."""
    left, right = photos["astronaut"][:SIDE], photos["grace_hopper"][:SIDE]
    photo = upload(api, np.ascontiguousarray(np.hstack([left, right])))
    faces = sorted(api.get(f"/api/photos/{photo}").json()["faces"], key=lambda face: int(face["left"]))
    people = [face["number"] for face in faces if face["top"] < SIDE // 2]  # below is a badge that looks like one
    assert len(people) == 2
    return photo, people[0], people[1]


def combined(api: httpx.Client, photo: str, picks: str, weight: float) -> Picture:
    """Both faces of a photo that is given twice."""
    answer = api.post("/api/combine", data={"photos": [photo, photo], "picks": picks, "weight": weight, "size": 128})
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as image:
        return np.asarray(image.convert("RGB")).astype(np.int64)  # type: ignore[return-value]


def test_two_faces_of_one_photo_are_combined(api: httpx.Client, both: tuple[str, int, int]) -> None:
    photo, left, right = both
    first, second = (combined(api, photo, f"[{left}, {right}]", weight) for weight in (0, 1))
    assert np.abs(first - second).mean() > 20
    # The other way round, the second face is the first one.
    assert np.array_equal(combined(api, photo, f"[{right}, {left}]", 0), second)
    # The largest is Grace Hopper's, at the right: null takes it.
    assert np.array_equal(combined(api, photo, f"[null, {left}]", 0), second)


@pytest.mark.parametrize("picks", ["[1]", '["left", 1]', "[1, true]", "7", "[9, 1]"])
def test_picks_that_are_none_are_one_sentence(api: httpx.Client, both: tuple[str, int, int], picks: str) -> None:
    answer = api.post("/api/combine", data={"photos": [both[0]] * 2, "picks": picks})
    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".")
    assert set(answer.json()) == {"error", "kind", "field"}


def told_of(api: httpx.Client, **fields: object) -> tuple[list[str], dict[str, object]]:
    """What a combination is told to do while it is made, and the job when it is over."""
    job = dict(api.post("/api/combine?job=true", data=fields).json())
    doing = []
    while job["state"] in ("waiting", "running"):
        doing.append(str(job["doing"]))
        job = dict(api.get(f"/api/jobs/{job['id']}", params={"wait": 20, "seen": job["version"]}).json())
    return doing, job


def test_a_wrong_formula_is_told_of_its_field_before_faces_are_sought(
    api: httpx.Client, photos: dict[str, Picture]
) -> None:
    fresh = [upload(api, photos[name]) for name in ("astronaut", "grace_hopper")]
    doing, job = told_of(api, photos=fresh, formula="a - q")
    error = job["error"]
    assert isinstance(error, dict)
    assert error["field"] == "formula"
    assert "Finding latents" not in doing


def test_latents_that_were_found_stay_found(api: httpx.Client, photos: dict[str, Picture]) -> None:
    anna, ben, another = (upload(api, photos[name]) for name in ("astronaut", "grace_hopper", "astronaut"))
    assert "Finding latents" in told_of(api, photos=[anna, ben])[0]
    assert "Finding latents" not in told_of(api, photos=[ben, anna], weight=0.2)[0]
    assert "Finding latents" in told_of(api, photos=[ben, anna, another], weights="[1, 1, 1]")[0]
    assert "Finding latents" not in told_of(api, photos=[another, anna], formula="a - b + b")[0]


def test_light_is_taken_of_the_face_that_is_picked(
    api: httpx.Client, both: tuple[str, int, int], photos: dict[str, Picture]
) -> None:
    anna = upload(api, photos["astronaut"])
    lit = [
        api.post("/api/synthesize", data={"photo": anna, "light_from": both[0], "pick_light_from": pick}).content
        for pick in both[1:]
    ]
    alone = api.post("/api/synthesize", data={"photo": anna, "light_from": upload(api, photos["grace_hopper"])}).content
    left, right, ben = (np.asarray(Image.open(io.BytesIO(one)).convert("RGB")).astype(float) for one in (*lit, alone))
    assert np.abs(left - right).mean() > 1
    assert np.abs(right - ben).mean() < np.abs(left - ben).mean() / 2


def test_how_a_head_is_turned_is_read(api: httpx.Client, photos: dict[str, Picture]) -> None:
    anna = upload(api, photos["astronaut"])
    read = {}
    for asked in (-12, 12):
        turned = api.post("/api/turn", data={"photo": anna, "yaw": asked}).content
        with Image.open(io.BytesIO(turned)) as image:
            fresh = upload(api, np.asarray(image.convert("RGB")))  # its landmarks are found anew
        read[asked] = api.post(f"/api/photos/{fresh}/read").json()["yaw"]
    assert read[-12] == pytest.approx(-12, abs=5)
    assert read[12] == pytest.approx(12, abs=5)
