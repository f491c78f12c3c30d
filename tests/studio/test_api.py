"""The API of a Studio that runs: every editing command over HTTP, jobs, and edits of edits."""

from __future__ import annotations

import io
import json
import re
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from api_steps import Sent, failure, pixels, result
from PIL import Image

from masque.provenance import verify
from masque.studio.examples import EXAMPLES


def test_an_edit_of_a_file_is_answered_by_its_picture_with_the_record_inside(
    api: httpx.Client, anna: Sent, tmp_path_factory: pytest.TempPathFactory
) -> None:
    photo = api.get(f"/api/photos/{anna['id']}/picture").content
    answer = api.post("/api/edit", data={"attributes": '{"Smiling": 1}'}, files={"photo": ("anna.png", photo)})
    assert answer.headers["content-type"] == "image/png"
    place = tmp_path_factory.mktemp("edit") / "out.png"
    place.write_bytes(answer.content)
    verdict = verify(place)
    assert verdict.unchanged
    assert verdict.record is not None
    assert verdict.record["attributes"] == {"Smiling": 1.0}
    assert verdict.record["inputs"] == {"photo": {"photo": "anna.png", "face": [179, 83, 88, 88]}}
    assert pixels(answer.content).shape == (512, 512, 3)


def test_the_library_makes_the_same_picture(api: httpx.Client, anna: Sent, ben: Sent) -> None:
    import masque

    face, hair = (pixels(api.get(f"/api/photos/{one['id']}/picture").content) for one in (anna, ben))
    made = api.post("/api/swap", data={"face": anna["id"], "hair": ben["id"]})
    expected = masque.load().swap(face, hair).picture
    difference = np.abs(pixels(made.content).astype(int) - expected.astype(int))
    assert difference.mean() < 0.05  # threads add in another order
    assert np.abs(pixels(made.content).astype(int) - hair.astype(int)).mean() > 1


def test_an_edit_of_a_result_goes_on_from_it(api: httpx.Client, anna: Sent, ben: Sent) -> None:
    swapped = result(api, "swap", face=anna["id"], hair=ben["id"])
    assert swapped["photo"] == ben["id"]
    edited = result(api, "edit", photo=swapped["id"], attributes=json.dumps({"Smiling": 1}))
    assert edited["photo"] == swapped["id"]
    record = edited["record"]
    assert isinstance(record, dict)
    assert {"face", "smile"} <= set(record["layers"])  # both are one change, which is applied once
    assert "own pixels" in " ".join(map(str, edited["words"]))  # type: ignore[call-overload]


def test_what_a_preview_shows_is_small_and_no_input(api: httpx.Client, anna: Sent) -> None:
    small = result(api, "edit", photo=anna["id"], attributes='{"Hair": "#8a2be2"}', longest=256)
    assert (small["width"], small["height"]) == (256, 256)
    shown = api.get(f"/api/results/{small['id']}/picture", params={"longest": 1600})
    assert pixels(shown.content).shape == (256, 256, 3)
    told = failure(api.post("/api/edit", data={"photo": small["id"], "attributes": '{"Smiling": 1}'}), 404)
    assert told["field"] == "photo"


@pytest.mark.parametrize(
    ("verb", "fields", "cells"),
    [
        ("turn", {"photo": "anna", "yaw": 10}, None),
        ("frontalize", {"photo": "anna"}, None),
        ("transfer", {"photo": "anna", "style_from": "ben", "part": "hair"}, None),
        ("repaint", {"photo": "anna", "shape_from": "ben", "part": "mouth"}, None),
        ("swap", {"face": "anna", "hair": "ben", "method": "warp"}, None),
        ("swap", {"face": "anna", "hair": "ben", "method": "network"}, None),
        ("heatmap", {"photo": "anna", "edited": "anna"}, None),
        ("synthesize", {"photo": "anna", "count": 3}, 3),
        ("synthesize", {"photo": "anna", "yaw_from": -10, "yaw_to": 10, "steps": 3}, 3),
        ("mix-identity", {"a": "anna", "b": "ben", "steps": 3, "size": 128}, 3),
        ("blend", {"a": "anna", "b": "ben", "steps": 3, "size": 128, "part": "hair"}, 3),
        ("random", {"photo": "anna", "part": "face", "count": 2}, 3),
        ("faces-for", {"photo": "anna", "styles": ["ben", "anna"]}, 6),
        ("combine", {"photos": ["anna", "ben"], "weight": 0.3, "size": 128}, None),
        ("combine", {"photos": ["anna", "ben", "anna"], "weights": "[1, 1, 2]", "size": 128}, None),
    ],
)
def test_every_edit_gives_a_picture_that_says_how_it_was_made(
    api: httpx.Client, anna: Sent, ben: Sent, verb: str, fields: Sent, cells: int | None
) -> None:
    ids = {"anna": anna["id"], "ben": ben["id"]}
    sent = {
        name: [ids.get(one, one) for one in value] if isinstance(value, list) else ids.get(str(value), value)
        for name, value in fields.items()
    }
    made = result(api, verb, **sent)
    assert made["verb"] == verb
    assert made["cells"] == cells
    shown = api.get(f"/api/results/{made['id']}/picture")
    assert shown.headers["content-type"] == "image/png"
    assert pixels(shown.content).shape == (made["height"], made["width"], 3)
    told = api.post("/api/verify", files={"file": ("out.png", shown.content)}).json()
    assert told["masque"]
    assert told["unchanged"]
    assert told["record"]["edit"] == verb
    if cells:
        one = pixels(
            api.get(f"/api/results/{made['id']}/picture", params={"cell": cells - 1, "format": "webp"}).content
        )
        assert abs(one.shape[0] - one.shape[1]) <= 1
        failure(api.get(f"/api/results/{made['id']}/picture", params={"cell": cells}), 404)


def test_a_morph_is_a_film_that_says_how_it_was_made(api: httpx.Client, anna: Sent, ben: Sent) -> None:
    fields = {"photos": [anna["id"], ben["id"]], "frames": 6, "seconds": 1, "size": 128}
    answer = api.post("/api/morph", data=fields)
    assert answer.headers["content-type"] == "video/mp4"
    again = api.get(f"/api/results/{answer.headers['x-masque-result']}/film")
    assert again.content == answer.content
    told = api.post("/api/verify", files={"file": ("m.mp4", again.content)}).json()
    assert told["record"]["frames"] == 6
    assert told["unchanged"] is None


def test_a_job_tells_how_far_it_is_and_can_be_cancelled(api: httpx.Client, anna: Sent) -> None:
    answer = api.post("/api/invert", params={"job": True}, data={"photo": anna["id"]})
    assert answer.status_code == 202
    job, doing = answer.json(), set()
    until = time.monotonic() + 240
    while job["done"] < 3 and time.monotonic() < until:
        job = api.get(f"/api/jobs/{job['id']}", params={"wait": 5, "seen": job["version"]}).json()
        doing.add(job["doing"])
    assert "Finding latents" in doing
    assert job["of"] > job["done"] >= 3
    api.delete(f"/api/jobs/{job['id']}")
    while job["state"] == "running" and time.monotonic() < until:
        job = api.get(f"/api/jobs/{job['id']}", params={"wait": 5, "seen": job["version"]}).json()
    assert job["state"] == "cancelled"
    assert job["error"]["kind"] == "Cancelled"
    assert result(api, "heatmap", photo=anna["id"], edited=anna["id"])["record"]  # others go on


def test_the_documentation_is_served_from_here(api: httpx.Client) -> None:
    page = api.get("/docs").text
    schema = api.get("/openapi.json").json()
    assert {"/api/swap", "/api/edit", "/api/parse", "/api/repaint", "/api/transfer", "/api/morph"} <= set(
        schema["paths"]
    )
    assert "//" not in page.replace("<!doctype", "")
    for path in ("/docs/files/swagger-ui-bundle.js", "/docs/files/swagger-ui.css", "/static/js/docs.js"):
        assert path in page
        assert api.get(path).status_code == 200


def test_a_result_is_told_of_as_a_photo_is(api: httpx.Client, anna: Sent) -> None:
    turned = result(api, "turn", photo=anna["id"], yaw=10)
    (face,) = api.get(f"/api/photos/{turned['id']}").json()["faces"]
    assert face["usable"]
    assert abs(face["left"] - 179) < 40
    assert pixels(api.get(f"/api/photos/{turned['id']}/picture").content).shape == (512, 512, 3)


def test_an_example_has_a_small_picture(api: httpx.Client) -> None:
    for one in api.get("/api/examples").json():
        small = pixels(api.get(f"/api/examples/{one['name']}/picture", params={"longest": 100}).content)
        assert max(small.shape) == 100
    failure(api.get("/api/examples/nobody/picture"), 404)


def test_the_example_of_the_documentation_does_what_it_says(
    studio_link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "studio-api.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    monkeypatch.chdir(tmp_path)
    with Image.open(io.BytesIO(EXAMPLES[0].content())) as portrait:
        portrait.save("anna.jpg")
    exec(compile(code, str(page), "exec"), {"link": studio_link})
    verdict = verify(Path("out.png"))
    assert verdict.unchanged
    assert verdict.record is not None
    assert verdict.record["attributes"] == {"Smiling": 1.0, "Hair": "auburn"}
    assert "Smiling = 1" in capsys.readouterr().out


def test_what_a_face_has_is_read_and_setting_it_changes_nothing(api: httpx.Client, anna: Sent, ben: Sent) -> None:
    has = api.post(f"/api/photos/{anna['id']}/read").json()
    assert has["Smiling"] > 0.5
    assert not has["glasses"]
    assert api.post(f"/api/photos/{ben['id']}/read").json()["glasses"]
    set_to = json.dumps({name: has[name] for name in ("Smiling", "Mouth_Slightly_Open", "Male")})
    same = result(api, "edit", photo=anna["id"], attributes=set_to)
    before = pixels(api.get(f"/api/photos/{anna['id']}/picture").content).astype(int)
    after = pixels(api.get(f"/api/results/{same['id']}/picture").content).astype(int)
    assert np.abs(after - before).mean() < 0.2
    failure(api.post(f"/api/photos/{anna['id']}/read", params={"pick": 5}), 422)


def test_a_face_that_is_picked_though_it_is_taken_anyway_is_the_same_face(api: httpx.Client, anna: Sent) -> None:
    smiling = result(api, "edit", photo=anna["id"], attributes='{"Smiling": 0}', pick=1)
    (face,) = smiling["faces"]  # type: ignore[misc]
    assert face["taken"]
    dyed = result(api, "edit", photo=smiling["id"], attributes='{"Hair": "auburn"}', pick=face["number"])
    record = dyed["record"]
    assert isinstance(record, dict)
    assert {"smile", "hair"} <= set(record["layers"])  # the second edit went on from the first


def test_a_picture_tells_of_every_edit_that_it_came_from(api: httpx.Client, anna: Sent, ben: Sent) -> None:
    swapped = result(api, "swap", face=anna["id"], hair=ben["id"], method="warp")
    turned = result(api, "turn", photo=swapped["id"], yaw=5)
    smiling = result(api, "edit", photo=turned["id"], attributes='{"Smiling": 1}')
    file = api.get(f"/api/results/{smiling['id']}/picture", params={"format": "jpg"}).content
    told = api.post("/api/verify", files={"file": ("out.jpg", file)}).json()
    assert told["unchanged"]
    steps = told["record"]["earlier"]["photo"]
    assert [step["edit"] for step in steps] == ["swap", "turn"]
    assert steps[0]["inputs"]["face"]["photo"] == anna["name"]
    assert any(str(anna["name"]) in sentence and "swap" in sentence for sentence in told["words"])
