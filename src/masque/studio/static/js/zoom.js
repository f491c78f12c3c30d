// @ts-check
/** Zooming into the pictures of a stage, and moving them: by wheel, by keys, by whoever calls. */

import { words } from "./words.js";

/** Screen pixels that one pixel of the picture may take. */
const LARGEST = 32;
/** How much of the stage a face takes. */
const FACE = 0.5;

/** @typedef {{left: number, top: number, width: number, height: number}} Box */

/**
 * Zooming and moving the pictures of a stage: wheel, two fingers, drag, keys.
 *
 * @param {HTMLElement} stage
 * @param {HTMLElement[]} pictures
 * @param {HTMLElement} scale tells how large one pixel is shown
 * @param {() => void} onNear called when somebody looks closer
 */
export function zooming(stage, pictures, scale, onNear) {
  let [factor, left, top] = [1, 0, 0];
  const zoom = {
    width: 1,
    get near() {
      return factor > 1;
    },
    place() {
      const [w, h] = [stage.clientWidth, stage.clientHeight];
      left = Math.min(0, Math.max(w - w * factor, left));
      top = Math.min(0, Math.max(h - h * factor, top));
      const pixel = (w * factor) / zoom.width;
      for (const one of pictures) {
        one.style.transform = `translate(${left}px, ${top}px) scale(${factor})`;
        one.style.imageRendering = pixel >= 2.5 && factor > 1 ? "pixelated" : "auto";
      }
      stage.classList.toggle("near", factor > 1);
      scale.textContent = words.percent(pixel || 0);
      if (factor > 1) onNear();
    },
    /** @param {number} times @param {number} [x] @param {number} [y] what stays in place, in the stage */
    by(times, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
      const most = Math.max(1, (LARGEST * zoom.width) / Math.max(1, stage.clientWidth));
      const next = Math.min(most, Math.max(1, factor * times));
      if (next === factor) return false;
      left = x - ((x - left) * next) / factor;
      top = y - ((y - top) * next) / factor;
      factor = next;
      zoom.place();
      return true;
    },
    /** @param {number} x @param {number} y */
    move(x, y) {
      left += x;
      top += y;
      zoom.place();
    },
    fit() {
      [factor, left, top] = [1, 0, 0];
      zoom.place();
    },
    /** @param {Box | null | undefined} box what is wanted in the middle, in pixels of the picture */
    to(box) {
      if (!box) return;
      zoom.fit();
      const one = stage.clientWidth / zoom.width;
      const [x, y] = [(box.left + box.width / 2) * one, (box.top + box.height / 2) * one];
      zoom.by((FACE * stage.clientWidth) / (box.width * one), x, y);
      zoom.move(stage.clientWidth / 2 - x, stage.clientHeight / 2 - y);
    },
    pixels() {
      const one = zoom.width / stage.clientWidth / factor; // one pixel of the picture on one of the page
      zoom.by(one * factor > 1.05 ? one : 4 * one);
    },
  };
  stage.addEventListener(
    "wheel",
    (event) => {
      const { left: x, top: y } = stage.getBoundingClientRect();
      if (zoom.by(Math.exp(-event.deltaY / 300), event.clientX - x, event.clientY - y)) event.preventDefault();
    },
    { passive: false },
  );
  stage.addEventListener("keydown", (event) => {
    if (event.target !== stage) return;
    /** @type {Record<string, () => unknown>} */
    const keys = {
      "+": () => zoom.by(1.5),
      "=": () => zoom.by(1.5),
      "-": () => zoom.by(1 / 1.5),
      0: () => zoom.fit(),
      ArrowLeft: () => zoom.move(60, 0),
      ArrowRight: () => zoom.move(-60, 0),
      ArrowUp: () => zoom.move(0, 60),
      ArrowDown: () => zoom.move(0, -60),
    };
    if (!keys[event.key] || (event.key.startsWith("Arrow") && !zoom.near)) return;
    event.preventDefault();
    keys[event.key]();
  });
  new ResizeObserver(() => zoom.place()).observe(stage);
  return zoom;
}
