"""How many frames of a stroke a second are drawn on a photo of 12 megapixels; `--junitxml` keeps the numbers."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

LEAST = 30
"""Frames of a stroke a second."""

MAKE = """async ([width, height]) => {
  const { LabelCanvas } = await import("/static/js/canvas.js");
  const { words } = await import("/static/js/words.js");
  const names = Array.from({ length: 11 }, (_, i) => `part ${i}`);
  const colours = names.map((_, i) => [20 * i, 255 - 20 * i, (70 * i) % 255]);
  const nothing = () => {};
  const canvas = new LabelCanvas({ names, colours }, words.canvas,
    { changed: nothing, chosen: nothing, under: nothing, said: nothing, finer: nothing });
  document.body.replaceChildren(canvas.element);
  canvas.element.style.height = "700px";
  const data = Uint8Array.from({ length: width * height }, (_, i) => (Math.floor((i % width) / 500) + (i >> 20)) % 11);
  const photo = new OffscreenCanvas(width, height);
  const context = photo.getContext("2d");
  for (let i = 0; i < 500; i++) {
    context.fillStyle = `hsl(${(i * 37) % 360} 60% 50%)`;
    context.fillRect((i * 997) % width, (i * 631) % height, width / 9, height / 9);
  }
  canvas.load({ data, width, height }, await createImageBitmap(photo));
  canvas.look({ tint: 0.5, outline: true, pattern: true });
  canvas.fit();
  const draw = canvas.draw.bind(canvas);
  canvas.draw = () => {
    if (canvas.dirty) window.frames_drawn++;
    draw();
  };
  window.canvas = canvas;
}"""


@pytest.mark.slow
@pytest.mark.parametrize(("size", "zoom"), [(60, 1), (300, 1), (100, 4)])
def test_strokes_are_drawn_fast_on_twelve_megapixels(
    opened: Callable[..., Page], record_property: Callable[[str, object], None], size: int, zoom: float
) -> None:
    """From the first movement of the mouse to the last one, through the browser's own events; the median of strokes."""
    page = opened(viewport={"width": 1100, "height": 800})
    page.evaluate(MAKE, [4000, 3000])
    page.evaluate("([size, zoom]) => { canvas.zoom(zoom); canvas.choose({ size }); }", [size, zoom])
    page.wait_for_timeout(300)
    rates = []
    for stroke in range(5):
        page.evaluate("(part) => { canvas.choose({ part }); window.frames_drawn = 0; }", stroke + 1)
        page.mouse.move(200, 120 + 60 * stroke)
        page.mouse.down()
        before = page.evaluate("() => [window.frames_drawn, performance.now()]")
        for step in range(90):
            page.mouse.move(200 + 6 * step, 120 + 60 * stroke + 20 * (step // 10 % 2))
        after = page.evaluate("() => [window.frames_drawn, performance.now()]")
        page.mouse.up()
        rates.append(1000 * (after[0] - before[0]) / (after[1] - before[1]))
    record_property("frames a second", rates)
    assert statistics.median(rates) >= LEAST, rates
