"""The label canvas by itself: what strokes, fills and keys write, pixel by pixel, against a second computation."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from playwright.sync_api import Page

Labels = NDArray[np.uint8]

WIDTH, HEIGHT = 90, 60
"""Of the map: not square, so that rows and columns cannot be mistaken for each other."""

MAKE = """async ([width, height, labels, high]) => {
  const { LabelCanvas } = await import("/static/js/canvas.js");
  const { words } = await import("/static/js/words.js");
  const names = Array.from({ length: 11 }, (_, i) => `part ${i}`);
  const colours = names.map((_, i) => [20 * i, 255 - 20 * i, (70 * i) % 255]);
  const nothing = () => {};
  const said = [];
  const canvas = new LabelCanvas({ names, colours }, words.canvas,
    { changed: nothing, chosen: nothing, under: nothing, said: (text) => said.push(text), finer: nothing });
  document.body.replaceChildren(canvas.element);
  canvas.element.style.height = `${high}px`;
  canvas.element.style.width = "907px";
  const data = Uint8Array.from(atob(labels), (character) => character.charCodeAt(0));
  canvas.load({ data, width, height }, await createImageBitmap(new ImageData(width, height)));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  canvas.fit();
  Object.assign(window, { canvas, said });
}"""


class Painter:
    """The canvas on a page, painted in by a mouse, and what its map holds."""

    def __init__(self, page: Page, labels: Labels, high: int = 613) -> None:
        self.page = page
        self.shape = labels.shape
        packed = base64.b64encode(labels.tobytes()).decode()
        page.evaluate(MAKE, [labels.shape[1], labels.shape[0], packed, high])
        self.settle()

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def choose(self, **choice: object) -> None:
        self.page.evaluate("(choice) => canvas.choose(choice)", choice)

    @property
    def labels(self) -> Labels:
        """(H,W) what the canvas holds now."""
        text = self.page.evaluate("() => Array.from(canvas.map.data, (n) => String.fromCharCode(n)).join('')")
        return np.frombuffer(text.encode("latin-1"), np.uint8).reshape(self.shape)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the photo is on the screen, by the corner and scale that the view says it has."""
        box = self.page.locator(".label-canvas").bounding_box()
        assert box is not None
        scale, left, top = self.page.evaluate("() => [canvas.view.scale, canvas.view.left, canvas.view.top]")
        return box["x"] + left + scale * x, box["y"] + top + scale * y

    def stroke(self, points: Sequence[tuple[float, float]], button: Any = "left") -> list[tuple[float, float]]:
        """Draw through places of the photo; gives the places that the whole numbers of the mouse came to."""
        mouse = self.page.mouse
        came = []
        for number, (x, y) in enumerate(points):
            at = tuple(float(round(value)) for value in self.place(x, y))
            mouse.move(*at)
            if number == 0:
                mouse.down(button=button)
            came.append(self.of_screen(*at))
        mouse.up(button=button)
        return came

    def of_screen(self, x: float, y: float) -> tuple[float, float]:
        left, top = self.place(0, 0)
        scale = self.place(1, 0)[0] - left
        return (x - left) / scale, (y - top) / scale


def near_line(points: Sequence[tuple[float, float]], radius: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(H,W) the pixels whose centres are at most a radius from a line through some points, measured one by one."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.zeros(shape, bool)
    for (ax, ay), (bx, by) in zip(points, [*points[1:], points[-1]], strict=True):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        along = 0.0 if length == 0 else np.clip(((columns - ax) * (bx - ax) + (rows - ay) * (by - ay)) / length, 0, 1)
        inside |= np.hypot(columns - ax - along * (bx - ax), rows - ay - along * (by - ay)) <= radius
    return inside


@pytest.fixture
def stripes() -> Labels:
    """(H,W) upright stripes of labels 1, 6 and 10 on background, of 18 columns each."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[5:55, 18:36], labels[5:55, 36:54], labels[5:55, 54:72] = 1, 6, 10
    return labels


@pytest.fixture
def painter(page: Page, stripes: Labels) -> Painter:
    return Painter(page, stripes)


ZIGZAG = ((12.2, 12.7), (70.3, 20.1), (30.8, 44.4), (31.2, 44.4), (80.9, 52.6))


@pytest.mark.parametrize("size", [1, 7, 24])
def test_a_stroke_writes_the_pixels_near_its_line(painter: Painter, stripes: Labels, size: int) -> None:
    painter.choose(part=4, size=size)
    points = painter.stroke(ZIGZAG)
    expected = np.where(near_line(points, size / 2, stripes.shape), np.uint8(4), stripes)
    for x, y in points:  # the pixel under the pointer, however small the brush
        expected[int(y), int(x)] = 4
    np.testing.assert_array_equal(painter.labels, expected)
    assert (expected == 4).sum() > 60


def test_a_stroke_over_one_part_leaves_the_others(painter: Painter, stripes: Labels) -> None:
    painter.choose(part=9, size=20, over=6)
    points = painter.stroke(ZIGZAG)
    inside = near_line(points, 10, stripes.shape)
    np.testing.assert_array_equal(painter.labels, np.where(inside & (stripes == 6), np.uint8(9), stripes))


@pytest.mark.parametrize("way", ["tool", "right button"])
def test_erasing_brings_back_what_was_there(painter: Painter, stripes: Labels, way: str) -> None:
    painter.choose(part=9, size=30)
    painter.stroke(ZIGZAG)
    painted = painter.labels
    if way == "tool":
        painter.choose(tool="erase", size=12)
        points = painter.stroke(ZIGZAG[:3])
    else:
        painter.choose(size=12)
        points = painter.stroke(ZIGZAG[:3], button="right")
    inside = near_line(points, 6, stripes.shape)
    np.testing.assert_array_equal(painter.labels, np.where(inside, stripes, painted))
    assert (painted != stripes)[inside].any()


def test_a_fill_stays_within_what_joins_by_its_sides(page: Page) -> None:
    cv2 = pytest.importorskip("cv2")
    random = np.random.default_rng(7)
    labels = (random.random((HEIGHT, WIDTH)) < 0.6).astype(np.uint8)  # joined far, by ways round many corners
    labels[30, 45] = 1
    painter = Painter(page, labels)
    painter.choose(tool="fill", part=8)
    painter.stroke([(45.5, 30.5)])
    _, areas = cv2.connectedComponents(labels, connectivity=4)
    inside = areas == areas[30, 45]
    np.testing.assert_array_equal(painter.labels, np.where(inside, np.uint8(8), labels))
    assert inside.sum() > 50


def test_a_fill_is_refused_on_another_part_than_the_one_to_paint_over(painter: Painter, stripes: Labels) -> None:
    painter.choose(tool="fill", part=8, over=6)
    painter.stroke([(20.5, 20.5)])
    np.testing.assert_array_equal(painter.labels, stripes)
    assert "part 6" in painter.page.evaluate("() => said.at(-1)")


def test_undo_and_redo_restore_every_map_bit_for_bit(painter: Painter, stripes: Labels) -> None:
    random = np.random.default_rng(3)
    maps = [stripes]
    for number in range(6):
        painter.choose(tool=("brush", "fill", "erase")[number % 3], part=int(random.integers(1, 11)), size=9 + number)
        painter.stroke(random.uniform((2, 2), (WIDTH - 2, HEIGHT - 2), (3, 2)).tolist())
        if not np.array_equal(painter.labels, maps[-1]):
            maps.append(painter.labels)
    assert len(maps) > 4
    for earlier in reversed(maps[:-1]):
        painter.page.keyboard.press("Control+z")
        np.testing.assert_array_equal(painter.labels, earlier)
    painter.page.keyboard.press("Control+z")  # there is nothing left
    np.testing.assert_array_equal(painter.labels, stripes)
    for later in maps[1:]:
        painter.page.keyboard.press("Control+y")
        np.testing.assert_array_equal(painter.labels, later)


def test_what_undo_remembers_is_bounded(page: Page) -> None:
    """Maps of noise cannot be compressed: each step costs more than its pixels."""
    kept = page.evaluate(
        """async () => {
          const { Undo } = await import("/static/js/undo.js");
          const map = { data: new Uint8Array(200 * 200), width: 200, height: 200 };
          const undo = new Undo(map, 200_000);
          const rect = { left: 0, top: 0, right: 200, bottom: 200 };
          let seed = 1, most = 0;
          for (let step = 0; step < 20; step++) {
            for (let i = 0; i < map.data.length; i++) map.data[i] = (seed = (seed * 48271) % 2147483647) % 11;
            undo.commit(rect);
            most = Math.max(most, [...undo.done, ...undo.undone].reduce((sum, one) => sum + one.runs.length, 0));
          }
          return { most, steps: undo.done.length };
        }"""
    )
    assert kept["most"] <= 200_000
    assert 1 <= kept["steps"] < 20


def test_a_stroke_hits_the_same_pixels_at_any_zoom(painter: Painter, stripes: Labels) -> None:
    painter.page.mouse.move(*painter.place(60.5, 30.5))
    painter.page.mouse.wheel(0, -700)
    painter.settle()
    painter.page.keyboard.down("Space")
    painter.stroke([(60, 30), (57, 26)])  # moves the photo, and paints nothing
    painter.page.keyboard.up("Space")
    np.testing.assert_array_equal(painter.labels, stripes)
    scale = painter.page.evaluate("() => canvas.view.scale")
    assert scale > 30
    painter.choose(part=3, size=3)
    points = painter.stroke([(60.1, 30.4), (63.7, 31.9)])
    expected = np.where(near_line(points, 1.5, stripes.shape), np.uint8(3), stripes)
    np.testing.assert_array_equal(painter.labels, expected)
    assert (expected == 3).sum() > 8


def test_the_screen_shows_the_labels_that_the_map_holds(painter: Painter) -> None:
    """The colour of every label at the centre of its pixel, and nothing in between, after a stroke and a zoom."""
    painter.page.evaluate("() => canvas.look({ tint: 1, outline: false, pattern: false })")
    painter.choose(part=3, size=8)
    painter.stroke(ZIGZAG)
    painter.page.mouse.wheel(0, -150)
    painter.settle()
    seen = np.array(
        painter.page.evaluate(
            """() => {
              const { view, overlay, map } = canvas;
              const found = [];
              for (let y = 0; y < map.height; y++) for (let x = 0; x < map.width; x++) {
                const at = view.toWindow({ x: x + 0.5, y: y + 0.5 });
                const pixel = overlay.context.getImageData(Math.floor(at.x), Math.floor(at.y), 1, 1).data;
                const inside = at.x > 0 && at.y > 0 && at.x < view.wide && at.y < view.high;
                found.push(!inside ? -1 : pixel[3] === 0 ? 0 : pixel[0] / 20);
              }
              return found;
            }"""
        )
    ).reshape(HEIGHT, WIDTH)
    inside = seen >= 0
    assert inside.sum() > 1000
    np.testing.assert_array_equal(seen[inside], painter.labels[inside])


def test_fingers_paint_and_two_of_them_zoom(opened: Callable[..., Page], stripes: Labels) -> None:
    page = opened(viewport={"width": 940, "height": 800}, has_touch=True)
    painter = Painter(page, stripes)
    painter.choose(part=5, size=10)
    client = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    line = [tuple(float(round(value)) for value in painter.place(*at)) for at in ((20, 20), (40, 24), (60, 40))]
    touch("touchStart", line[0])
    for at in line[1:]:
        touch("touchMove", at)
    touch("touchEnd")
    expected = near_line([painter.of_screen(*at) for at in line], 5, stripes.shape)
    painted = painter.labels
    np.testing.assert_array_equal(painted, np.where(expected, np.uint8(5), stripes))

    before = page.evaluate("() => canvas.view.scale")
    a, b = painter.place(40, 30), painter.place(50, 30)
    touch("touchStart", a)
    touch("touchMove", (a[0] - 4, a[1]))  # the first finger has begun to paint when the second comes
    touch("touchStart", (a[0] - 4, a[1]), b)
    touch("touchMove", (a[0] - 60, a[1]), (b[0] + 60, b[1]))
    touch("touchEnd")
    painter.settle()
    assert page.evaluate("() => canvas.view.scale") > 1.5 * before
    np.testing.assert_array_equal(painter.labels, painted)


@pytest.mark.parametrize("force", [0.25, 1.0])
def test_a_pen_paints_as_wide_as_it_is_pressed(painter: Painter, stripes: Labels, force: float) -> None:
    painter.choose(part=5, size=20)
    client = painter.page.context.new_cdp_session(painter.page)
    at = tuple(float(round(value)) for value in painter.place(45, 30))
    for kind in ("mousePressed", "mouseReleased"):
        pen = {"x": at[0], "y": at[1], "button": "left", "clickCount": 1, "pointerType": "pen", "force": force}
        client.send("Input.dispatchMouseEvent", {"type": kind, **pen})
    radius = 10 * (0.5 + 0.5 * force)
    inside = near_line([painter.of_screen(*at)], radius, stripes.shape)
    np.testing.assert_array_equal(painter.labels, np.where(inside, np.uint8(5), stripes))


def test_keys_alone_paint(painter: Painter, stripes: Labels) -> None:
    page = painter.page
    page.locator(".label-canvas").focus()
    painter.choose(size=9)
    page.keyboard.press("h")  # hair
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    start = (WIDTH // 2 + 0.5 - 4, HEIGHT // 2 + 0.5)
    expected = np.where(near_line([start], 4.5, stripes.shape), np.uint8(10), stripes)
    np.testing.assert_array_equal(painter.labels, expected)
    page.keyboard.down("Enter")  # held, it draws: an arrow goes a third of the brush
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.up("Enter")
    expected[near_line([start, (start[0], start[1] - 6)], 4.5, stripes.shape)] = 10
    np.testing.assert_array_equal(painter.labels, expected)
    said = page.evaluate("() => said")
    assert any(text.startswith("part 6, 41 across, 30 down") for text in said)
    assert any("part 10" in text and "pixels changed" in text for text in said)
    page.keyboard.press("f")
    page.keyboard.press("2")
    page.keyboard.press("Space")
    assert set(np.unique(painter.labels)) == {0, 1, 2, 6, 10}
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    assert page.evaluate("() => [canvas.part, canvas.tool]") == [2, "brush"]


def test_alt_and_a_click_choose_the_part_under_the_pointer(painter: Painter, stripes: Labels) -> None:
    painter.choose(part=2)
    painter.page.keyboard.down("Alt")
    painter.stroke([(60.5, 30.5)])
    painter.page.keyboard.up("Alt")
    assert painter.page.evaluate("() => canvas.part") == 10
    np.testing.assert_array_equal(painter.labels, stripes)


def test_escape_takes_back_a_stroke_that_has_not_ended(painter: Painter, stripes: Labels) -> None:
    painter.choose(part=2, size=12)
    painter.page.mouse.move(*painter.place(30, 30))
    painter.page.mouse.down()
    painter.page.mouse.move(*painter.place(50, 30))
    assert (painter.labels == 2).any()
    painter.page.keyboard.press("Escape")
    painter.page.mouse.up()
    np.testing.assert_array_equal(painter.labels, stripes)
    assert painter.page.evaluate("() => canvas.undo.done.length") == 0
