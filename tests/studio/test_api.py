"""The API of a Studio that runs: every editing command over HTTP, jobs, chains, and failures as one sentence."""

from __future__ import annotations

import io
import json
import re
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from masque.provenance import verify
from masque.studio.examples import EXAMPLES

Sent = dict[str, object]


@pytest.fixture(scope="module")
def api(studio_link: str) -> Iterator[httpx.Client]:
    """A client with the token, whose photos are its own."""
    parts = urlsplit(studio_link)
    headers = {"Authorization": f"Bearer {parts.fragment.removeprefix('token=')}", "X-Masque-Client": "tests-of-api"}
    with httpx.Client(base_url=f"http://{parts.netloc}", headers=headers, timeout=300) as client:
        yield client
        client.delete("/api/photos")


@pytest.fixture(scope="module")
def anna(api: httpx.Client) -> Sent:
    """A photo that is held."""
    return example(api, "astronaut")


@pytest.fixture(scope="module")
def ben(api: httpx.Client) -> Sent:
    """Another."""
    return example(api, "grace_hopper")


def example(api: httpx.Client, name: str) -> Sent:
    answer = api.post(f"/api/examples/{name}")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def result(api: httpx.Client, verb: str, **fields: object) -> Sent:
    """What is known of an edit."""
    answer = api.post(f"/api/{verb}", data=fields, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def pixels(content: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
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


@pytest.mark.parametrize(
    ("verb", "fields", "kind", "says"),
    [
        ("edit", {"attributes": '{"Smilng": 1}'}, "UnknownAttributeError", "did you mean Smiling?"),
        ("edit", {"attributes": "{"}, "ValueRangeError", "JSON object"),
        ("edit", {"attributes": "[]"}, "ValueRangeError", "JSON object"),
        ("edit", {"attributes": '{"Smiling": [1]}'}, "ValueRangeError", "numbers or texts"),
        ("edit", {"attributes": '{"Smiling": 2}'}, "ValueRangeError", "outside [0, 1]"),
        ("edit", {}, "ValueRangeError", "attributes is missing"),
        ("edit", {"attributes": "{}", "pick": "two"}, "ValueRangeError", "pick"),
        ("edit", {"attributes": '{"Smiling": 1}', "pick": 7}, "NoFaceError", "7"),
        ("turn", {}, "ValueRangeError", "No turn was asked for"),
        ("turn", {"yaw": 80}, "ValueRangeError", "60 degrees"),
        ("transfer", {"part": "nose"}, "ValueRangeError", "part"),
        ("synthesize", {"count": 1000}, "ValueRangeError", "count"),
        ("repaint", {}, "ValueRangeError", "label map"),
    ],
)
def test_a_failure_is_the_sentence_of_the_command_line(
    api: httpx.Client, anna: Sent, verb: str, fields: Sent, kind: str, says: str
) -> None:
    more = {"style_from": anna["id"]} if verb == "transfer" else {}
    told = failure(api.post(f"/api/{verb}", data={"photo": anna["id"], **more, **fields}), 422)
    assert told["kind"] == kind
    assert says in str(told["error"])


def test_a_photo_without_a_face_is_held_and_says_so(api: httpx.Client) -> None:
    grey = io.BytesIO()
    Image.new("RGB", (200, 100), (120, 130, 140)).save(grey, "JPEG")
    sent = api.post("/api/photos", files={"photo": ("../../wall.jpg", grey.getvalue())})
    assert sent.status_code == 201
    photo = sent.json()
    assert (photo["name"], photo["width"], photo["height"], photo["faces"]) == ("wall.jpg", 200, 100, [])
    assert "face" in photo["note"]
    told = failure(api.post("/api/edit", data={"photo": photo["id"], "attributes": '{"Smiling": 1}'}), 422)
    assert (told["kind"], told["field"]) == ("NoFaceError", "photo")


def test_of_several_photos_the_one_that_is_wrong_is_named(api: httpx.Client, anna: Sent) -> None:
    answer = api.post("/api/swap", data={"face": anna["id"]}, files={"hair": ("b.jpg", b"no picture")})
    told = failure(answer, 422)
    assert told["field"] == "hair"


def test_what_is_forgotten_is_gone(api: httpx.Client) -> None:
    photo = example(api, "astronaut")
    edited = result(api, "turn", photo=photo["id"], yaw=5)
    assert api.delete(f"/api/photos/{photo['id']}").status_code == 204
    for path in (f"photos/{photo['id']}", f"results/{edited['id']}", f"results/{edited['id']}/picture"):
        failure(api.get(f"/api/{path}"), 404)


def test_one_client_sees_nothing_of_another(api: httpx.Client, anna: Sent) -> None:
    stranger = {"X-Masque-Client": "somebody-else"}
    failure(api.get(f"/api/photos/{anna['id']}", headers=stranger), 404)
    failure(api.get(f"/api/photos/{anna['id']}/picture", headers=stranger), 404)
    failure(api.delete(f"/api/photos/{anna['id']}", headers=stranger), 404)
    failure(api.post("/api/turn", data={"photo": anna["id"], "yaw": 5}, headers=stranger), 404)


def test_without_the_token_nothing_is_answered(api: httpx.Client, anna: Sent) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}):
        failure(api.get(f"/api/photos/{anna['id']}", headers=headers), 401)
        failure(api.post("/api/turn", data={"photo": anna["id"]}, headers=headers), 401)
    assert api.get("/api/door", headers={"Authorization": ""}).json()["needs"] == "token"


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


def test_a_result_is_told_of_as_a_photo_is(api: httpx.Client, anna: Sent) -> None:
    turned = result(api, "turn", photo=anna["id"], yaw=10)
    (face,) = api.get(f"/api/photos/{turned['id']}").json()["faces"]
    assert face["usable"]
    assert abs(face["left"] - 179) < 40
    assert pixels(api.get(f"/api/photos/{turned['id']}/picture").content).shape == (512, 512, 3)


def test_nothing_is_at_an_address_that_is_none(api: httpx.Client) -> None:
    assert failure(api.get("/api/nothing"), 404)["kind"] == "RequestError"
    failure(api.get("/static/../app.py"), 404)
    failure(api.get("/static/%2e%2e/app.py"), 404)
    failure(api.get("/api/swap"), 405)
    failure(api.post("/api/swap", content=b"--x\r\nnonsense", headers={"Content-Type": "multipart/form-data"}), 400)


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
