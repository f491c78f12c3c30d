"""How photos come in: good and bad files, paste, drop, the camera; and what follows when the server loses one."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from studio_steps import finished, give

from masque.image import Picture, write_picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from conftest import Traffic

ON_WELL = """async (well, [bytes, how]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
  const event = how === "paste" ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
    : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  (how === "paste" ? document : well).dispatchEvent(event);
}"""


@pytest.mark.parametrize("how", ["paste", "drop"])
def test_a_photo_is_pasted_or_dropped(page: Page, portraits: dict[str, Path], how: str) -> None:
    well = page.get_by_role("region", name="Whose face", exact=True)
    well.evaluate(ON_WELL, [list(portraits["astronaut"].read_bytes()), how])
    well.locator(".photo img").wait_for()
    assert well.locator(".name").text_content() == "pasted.png"


def test_what_is_dropped_beside_goes_to_the_well_that_waits(page: Page, portraits: dict[str, Path]) -> None:
    give(page, "Whose face", portraits["grace_hopper"])
    page.locator("#panel-swap").evaluate(ON_WELL, [list(portraits["astronaut"].read_bytes()), "drop"])
    well = page.get_by_role("region", name="Into which photo", exact=True)
    well.locator(".photo img").wait_for()
    assert well.locator(".name").text_content() == "pasted.png"


def test_of_several_faces_one_is_clicked(
    page: Page, photos: dict[str, Picture], portraits: dict[str, Path], tmp_path: Path
) -> None:
    two = np.concatenate([photos["astronaut"], photos["grace_hopper"][:512]], axis=1)
    well = give(page, "Whose face", write_picture(tmp_path / "two.png", np.ascontiguousarray(two)))
    faces = well.locator(".face")
    assert faces.count() >= 2
    assert str(faces.first.get_attribute("aria-label")) == f"face 1 of {faces.count()}"
    assert well.locator(".face[aria-pressed=true]").count() == 1  # the largest is taken
    other = well.locator(".face[aria-pressed=false]").first
    number = str(other.get_attribute("aria-label")).split()[1]
    other.click()
    assert str(well.locator(".face[aria-pressed=true]").get_attribute("aria-label")).split()[1] == number
    give(page, "Into which photo", portraits["grace_hopper"])
    with page.expect_request("**/api/swap*") as asking:
        page.get_by_role("button", name="Swap", exact=True).click()
    assert f'name="pick_face"\r\n\r\n{number}\r\n'.encode() in (asking.value.post_data_buffer or b"")
    finished(page, "swap")


def test_bad_files_get_a_sentence_in_the_well(
    page: Page, portraits: dict[str, Path], traffic: Traffic, tmp_path: Path
) -> None:
    (tmp_path / "letter.txt").write_text("Dear all")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "broken.jpg").write_bytes(portraits["astronaut"].read_bytes()[:2000])
    (tmp_path / "huge.png").write_bytes(bytes(31_500_000))
    traffic.expected.append("422")
    well = page.get_by_role("region", name="Whose face", exact=True)
    for name, said in (
        ("letter.txt", "letter.txt is no picture"),
        ("empty.png", "empty.png is empty"),
        ("huge.png", "huge.png is larger than 30 MB"),
        ("broken.jpg", "cut short"),
    ):
        well.locator("input[type=file]").set_input_files(tmp_path / name)
        alert = well.get_by_role("alert").filter(has_text=said)
        alert.wait_for()
        assert str(alert.text_content()).endswith(".")
        assert str(tmp_path) not in str(alert.text_content())
    assert sum(url.endswith("/api/photos") for url in traffic.asked) == 1  # only what may be a photo is sent
    give(page, "Whose face", portraits["astronaut"])
    assert well.get_by_role("alert").count() == 0


def test_a_photo_without_a_face_says_so(page: Page, tmp_path: Path) -> None:
    wall = np.full((300, 300, 3), 180, np.uint8)
    well = give(page, "Whose face", write_picture(tmp_path / "wall.png", wall))
    alert = well.get_by_role("alert")
    alert.wait_for()
    assert "face" in str(alert.text_content())


def test_a_turned_photo_is_shown_upright(page: Page, photos: dict[str, Picture], tmp_path: Path) -> None:
    turned = Image.fromarray(photos["grace_hopper"]).transpose(Image.Transpose.ROTATE_90)
    exif = turned.getexif()
    exif[0x0112] = 6  # a viewer turns it a quarter to the right
    content = io.BytesIO()
    turned.save(content, "JPEG", exif=exif, quality=95)
    (tmp_path / "turned.jpg").write_bytes(content.getvalue())
    well = give(page, "Whose face", tmp_path / "turned.jpg")
    box = well.locator(".photo").bounding_box()
    assert box is not None
    assert box["height"] > box["width"]
    assert well.locator(".face").count() == 1


def test_a_photo_is_taken_by_the_camera(opened: Callable[..., Page]) -> None:
    page = opened(permissions=["camera"])
    well = page.get_by_role("region", name="Whose face", exact=True)
    well.get_by_role("button", name="Camera").click()
    dialog = page.get_by_role("dialog", name="Take a photo")
    dialog.wait_for()
    page.wait_for_timeout(1000)  # until there is a picture in it
    dialog.get_by_role("button", name="Take the photo").click()
    well.locator(".photo img").wait_for()
    assert well.locator(".name").text_content() == "camera.jpg"


def test_a_forbidden_camera_is_told_plainly(opened: Callable[..., Page]) -> None:
    page = opened()
    well = page.get_by_role("region", name="Whose face", exact=True)
    well.get_by_role("button", name="Camera").click()
    alert = well.get_by_role("alert")
    alert.wait_for()
    assert "camera" in str(alert.text_content())


def test_photos_that_the_server_lost_are_uploaded_again(
    page: Page, portraits: dict[str, Path], traffic: Traffic
) -> None:
    traffic.expected.append("404")
    give(page, "Whose face", portraits["astronaut"])
    page.get_by_role("region", name="Into which photo").locator(".examples button").first.click()
    page.get_by_role("region", name="Into which photo").locator(".photo img").wait_for()
    status = page.evaluate(
        """async () => (await fetch("/api/photos", { method: "DELETE", headers: {
          Authorization: "Bearer " + sessionStorage.getItem("masque-token"),
          "X-Masque-Client": sessionStorage.getItem("masque-client") } })).status"""
    )
    assert status in (200, 204)
    page.get_by_role("button", name="Swap", exact=True).click()
    finished(page, "swap")
    assert sum(url.endswith("/api/photos") for url in traffic.asked) == 3  # sent, deleted, sent again
