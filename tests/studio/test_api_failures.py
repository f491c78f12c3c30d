"""The API of a Studio that runs: what fails says so in one sentence, and nobody gets what is another's."""

from __future__ import annotations

import io

import httpx
import pytest
from api_steps import Sent, example, failure, result
from PIL import Image


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


def test_nothing_is_at_an_address_that_is_none(api: httpx.Client) -> None:
    assert failure(api.get("/api/nothing"), 404)["kind"] == "RequestError"
    failure(api.get("/static/../app.py"), 404)
    failure(api.get("/static/%2e%2e/app.py"), 404)
    failure(api.get("/api/swap"), 405)
    failure(api.post("/api/swap", content=b"--x\r\nnonsense", headers={"Content-Type": "multipart/form-data"}), 400)
