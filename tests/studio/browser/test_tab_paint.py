"""The Paint tab: from a photo to the repainted one, by the labels on the canvas and no others."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from masque import load
from masque.faces.labels import COLOURS, LABELS, encode_labels, read_labels
from masque.image import Picture

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

HAIR = LABELS.index("hair")
READ = """async () => {
  const { canvases } = await import("/static/js/canvas.js");
  const canvas = canvases.get(document.querySelector("#panel-paint .label-canvas"));
  window.canvas = canvas;
  const text = Array.from(canvas.map.data, (label) => String.fromCharCode(label)).join("");
  return [canvas.map.width, canvas.map.height, text];
}"""


def labels_on(page: Page) -> NDArray[np.uint8]:
    """(H,W) what the canvas holds."""
    width, height, text = page.evaluate(READ)
    return np.frombuffer(text.encode("latin-1"), np.uint8).reshape(height, width)


def open_photo(page: Page, photo: Path) -> Locator:
    """Open a photo in the Paint tab; gives the tab's panel once its label map is there."""
    page.get_by_role("tab", name="Paint").click()
    panel = page.locator("#panel-paint")
    panel.get_by_label("Choose a photo: Photo to paint in").and_(panel.locator("input")).set_input_files(photo)
    panel.locator('.paint[data-state="painting"]').wait_for()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return panel


def screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a place of the photo is on the screen."""
    page.evaluate(READ)
    at = page.evaluate(
        """([x, y]) => {
          const box = canvas.element.getBoundingClientRect(), at = canvas.view.toWindow({ x, y });
          return [box.left + at.x, box.top + at.y];
        }""",
        [x, y],
    )
    return at[0], at[1]


def draw_fringe(page: Page, panel: Locator) -> None:
    """Draw hair over the forehead, by mouse."""
    panel.locator(".parts label", has_text="hair").click()
    labels = labels_on(page)
    rows, columns = np.nonzero(labels == LABELS.index("nose"))
    middle, top = float(columns.mean()), float(rows.min())
    brows = np.nonzero(np.isin(labels, (2, 3)))[0].min()
    reach = (top - brows) * 1.2 + 8
    for number, x in enumerate(np.linspace(middle - reach, middle + reach, 9)):
        page.mouse.move(*screen(page, float(x), float(brows) - 3))
        if number == 0:
            page.mouse.down()
    page.mouse.up()


@pytest.fixture(scope="module")
def parsed(photos: dict[str, Picture]) -> NDArray[np.uint8]:
    """(H,W) the astronaut's parts, as the command finds them."""
    return load("parser").parse(photos["astronaut"]).labels


def test_the_canvas_begins_with_what_the_parser_sees(
    page: Page, portraits: dict[str, Path], parsed: NDArray[np.uint8]
) -> None:
    open_photo(page, portraits["astronaut"])
    np.testing.assert_array_equal(labels_on(page), parsed)


def test_a_painted_map_makes_the_picture_that_the_library_makes_of_it(
    page: Page, portraits: dict[str, Path], photos: dict[str, Picture], parsed: NDArray[np.uint8]
) -> None:
    """So the server has received every label that the canvas shows, and no other."""
    panel = open_photo(page, portraits["astronaut"])
    draw_fringe(page, panel)
    labels = labels_on(page)
    assert 150 < (labels != parsed).sum() < 6000
    assert (labels[labels != parsed] == HAIR).all()
    panel.get_by_role("button", name="Repaint", exact=True).click()
    panel.get_by_text("How it was made").wait_for()
    panel.get_by_text("Download").click()
    with page.expect_download() as download:
        panel.get_by_role("button", name="PNG").click()
    made = np.asarray(Image.open(download.value.path()).convert("RGB"))
    expected = load("portrait").repaint(photos["astronaut"], labels=labels)
    np.testing.assert_array_equal(made, expected.picture)
    assert (made != photos["astronaut"]).any(axis=2).sum() > 150


def test_undo_after_a_result_gives_the_map_before_and_start_over_all_of_it(
    page: Page, portraits: dict[str, Path], parsed: NDArray[np.uint8]
) -> None:
    panel = open_photo(page, portraits["astronaut"])
    tools = panel.locator(".toolbar")
    assert tools.get_by_role("button", name="Undo").is_disabled()
    draw_fringe(page, panel)
    painted = labels_on(page)
    tools.get_by_role("button", name="Undo").click()
    np.testing.assert_array_equal(labels_on(page), parsed)
    tools.get_by_role("button", name="Redo").click()
    np.testing.assert_array_equal(labels_on(page), painted)
    panel.get_by_role("button", name="Start over").click()
    np.testing.assert_array_equal(labels_on(page), parsed)
    page.keyboard.press("Control+z")  # with the focus beside the canvas
    np.testing.assert_array_equal(labels_on(page), painted)


def test_nothing_painted_is_said_beside_the_button(page: Page, portraits: dict[str, Path]) -> None:
    panel = open_photo(page, portraits["astronaut"])
    panel.get_by_role("button", name="Repaint", exact=True).click()
    panel.locator(".make").get_by_text("Nothing is painted yet").wait_for()


def test_a_saved_map_is_read_by_the_library_and_opened_again(
    page: Page, portraits: dict[str, Path], tmp_path: Path
) -> None:
    panel = open_photo(page, portraits["astronaut"])
    draw_fringe(page, panel)
    painted = labels_on(page)
    with page.expect_download() as download:
        panel.get_by_role("button", name="Save map").click()
    assert download.value.suggested_filename == "astronaut-labels.png"
    saved = tmp_path / "map.png"
    download.value.save_as(saved)
    with Image.open(saved) as image:
        assert image.mode == "P"
        palette = np.array(image.getpalette(), np.uint8).reshape(-1, 3)[: len(LABELS)]
    np.testing.assert_array_equal(palette, COLOURS)
    np.testing.assert_array_equal(read_labels(saved)[0], painted)
    panel.get_by_role("button", name="Start over").click()
    panel.get_by_label("Open a label map that was saved").and_(panel.locator("input")).set_input_files(saved)
    page.wait_for_function("(count) => canvas.undo.done.length === count", arg=3)
    np.testing.assert_array_equal(labels_on(page), painted)


def test_a_map_of_half_the_size_is_opened_and_said_to_be(
    page: Page, portraits: dict[str, Path], parsed: NDArray[np.uint8], tmp_path: Path
) -> None:
    panel = open_photo(page, portraits["astronaut"])
    draw_fringe(page, panel)
    half = tmp_path / "half.png"
    half.write_bytes(encode_labels(np.ascontiguousarray(parsed[::2, ::2])))
    panel.get_by_label("Open a label map that was saved").and_(panel.locator("input")).set_input_files(half)
    panel.get_by_text("256×256 pixels was brought to the photo's 512×512").wait_for()
    np.testing.assert_array_equal(labels_on(page), parsed)  # nobody has painted in it: its edges are the photo's


def test_what_is_no_label_map_is_said_beside_the_button(
    page: Page, portraits: dict[str, Path], parsed: NDArray[np.uint8], tmp_path: Path
) -> None:
    panel = open_photo(page, portraits["astronaut"])
    wide = io.BytesIO()
    Image.fromarray(parsed[:100]).save(wide, "PNG")
    for content in (wide.getvalue(), b"no picture at all", portraits["grace_hopper"].read_bytes()):
        other = tmp_path / "other.png"
        other.write_bytes(content)
        panel.get_by_label("Open a label map that was saved").and_(panel.locator("input")).set_input_files(other)
        panel.locator(".maps .error").wait_for()
        np.testing.assert_array_equal(labels_on(page), parsed)
        panel.locator(".maps .error").evaluate("(element) => element.remove()")


def test_a_part_takes_the_shape_of_another_photo(page: Page, portraits: dict[str, Path]) -> None:
    panel = open_photo(page, portraits["astronaut"])
    panel.get_by_text("Or take a part's shape from another photo").click()
    panel.get_by_role("button", name="Take the shape").click()
    panel.get_by_text("Choose a photo first.").wait_for()
    well = panel.get_by_label("Choose a photo: Photo whose shape is taken").and_(panel.locator("input"))
    well.set_input_files(portraits["grace_hopper"])
    panel.locator('.shape .well[data-state="full"]').wait_for()
    panel.locator(".shape label", has_text="Mouth").click()
    panel.get_by_role("button", name="Take the shape").click()
    panel.get_by_text("How it was made").wait_for()
    panel.get_by_text("Part: mouth.").wait_for()


def test_a_result_is_painted_in_again(page: Page, portraits: dict[str, Path], parsed: NDArray[np.uint8]) -> None:
    panel = open_photo(page, portraits["astronaut"])
    draw_fringe(page, panel)
    panel.get_by_role("button", name="Repaint", exact=True).click()
    panel.get_by_text("How it was made").wait_for()
    painted = labels_on(page)
    panel.get_by_text("Use in").click()
    panel.locator(".menu-list").get_by_role("button", name="Paint").click()
    page.wait_for_function("() => canvas.undo.done.length === 0")
    again = labels_on(page)
    changed = painted != parsed
    assert (again[changed] == HAIR).mean() > 0.5  # the parser sees the fringe that was painted
    assert (again == parsed).mean() > 0.95


def test_going_back_in_the_session_gives_the_map_of_that_result(page: Page, portraits: dict[str, Path]) -> None:
    panel = open_photo(page, portraits["astronaut"])
    draw_fringe(page, panel)
    first = labels_on(page)
    panel.get_by_role("button", name="Repaint", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('.history li').length === 1")
    panel.locator(".toolbar").get_by_role("button", name="Fill").click()
    panel.locator(".parts label", has_text="nose").click()
    rows, columns = np.nonzero(first == HAIR)
    page.mouse.click(*screen(page, float(columns[rows.argmin()]) + 0.5, float(rows.min()) + 3.5))
    second = labels_on(page)
    assert (second != first).sum() > 1000
    panel.get_by_role("button", name="Start over").click()
    page.locator(".history li button").first.click()
    page.wait_for_function("(label) => canvas.map.data.some((one, i) => one !== canvas.own[i])", arg=HAIR)
    np.testing.assert_array_equal(labels_on(page), first)


def test_a_phone_paints_by_touch(opened: Callable[..., Page], portraits: dict[str, Path]) -> None:
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    panel = open_photo(page, portraits["astronaut"])
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    before = labels_on(page)
    panel.locator(".parts label", has_text="hair").tap()
    rows, columns = np.nonzero(before == LABELS.index("nose"))
    page.locator(".label-canvas").scroll_into_view_if_needed()
    page.touchscreen.tap(*screen(page, float(columns.mean()), float(rows.mean())))
    after = labels_on(page)
    assert (after != before).sum() > 50
    assert (after[after != before] == HAIR).all()
    panel.get_by_role("button", name="Repaint", exact=True).tap()
    panel.get_by_text("How it was made").wait_for()


def test_keys_alone_reach_a_result(page: Page, portraits: dict[str, Path]) -> None:
    panel = open_photo(page, portraits["astronaut"])
    panel.get_by_role("button", name="Brush").focus()
    for _ in range(12):  # past the tools, and the parts as one group
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.type") == "radio":
            break
    page.keyboard.press("ArrowUp")  # from skin to background
    page.keyboard.press("ArrowUp")  # and round to the last: hair
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.className") == "label-canvas":
            break
    before = labels_on(page)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    after = labels_on(page)
    assert set(after[after != before]) == {HAIR}
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent") == "Repaint":
            break
    page.keyboard.press("Enter")
    panel.get_by_text("How it was made").or_(panel.locator(".make .error")).first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tab_is_accessible(opened: Callable[..., Page], portraits: dict[str, Path], scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(bypass_csp=True, color_scheme=scheme)
    panel = open_photo(page, portraits["astronaut"])
    panel.get_by_text("Or take a part's shape from another photo").click()
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
