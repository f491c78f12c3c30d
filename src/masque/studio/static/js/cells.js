// @ts-check
/** The single pictures of a sheet, as a grid of buttons: each opens one of them. */

import { el } from "./dom.js";
import { words } from "./words.js";

/** Pictures that are asked for at once; the server lets one client wait for few. */
const AT_ONCE = 4;

/** @typedef {import("./api.js").Result} Result */

/**
 * How many pictures stand side by side on a sheet whose pictures are about square.
 *
 * @param {number} width of the sheet in pixels
 * @param {number} height
 * @param {number} count how many pictures there are
 * @returns {number}
 */
export function columnsOf(width, height, count) {
  const unlike = (/** @type {number} */ columns) =>
    Math.abs(Math.log((width / columns) * (Math.ceil(count / columns) / height)));
  return Array.from({ length: count }, (_, i) => i + 1).reduce((best, one) =>
    unlike(one) < unlike(best) ? one : best,
  );
}

/**
 * A grid of a sheet's pictures. Arrow keys go from one to the next.
 *
 * @param {object} given
 * @param {Result} given.result the sheet
 * @param {(cell: number) => Promise<string>} given.url the blob: address of a picture, counted from 0
 * @param {(cell: number) => void} given.onOpen
 * @param {(error: unknown) => void} given.onError
 * @returns {{element: HTMLElement, mark: (cell: number | null) => void, focus: (cell: number) => void}}
 */
export function cellGrid({ result, url, onOpen, onError }) {
  const count = result.cells ?? 0;
  const buttons = Array.from({ length: count }, (_, cell) =>
    el(
      "button",
      {
        type: "button",
        class: "cell",
        "aria-label": words.cells.open(cell + 1, count),
        tabindex: cell ? "-1" : "0",
        on: { click: () => onOpen(cell) },
      },
      el("img", { alt: "" }),
    ),
  );
  const element = el("div", { class: "cells", role: "group", "aria-label": words.cells.label(count) }, ...buttons);
  const columns = columnsOf(result.width, result.height, count);
  element.style.setProperty("--columns", String(columns));
  element.style.setProperty("--rows", String(Math.ceil(count / columns)));
  const focus = (/** @type {number} */ cell) => {
    buttons.forEach((one, place) => {
      one.tabIndex = place === cell ? 0 : -1;
    });
    buttons[cell].focus();
  };
  element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const now = buttons.indexOf(document.activeElement);
    const across = buttons.filter((one) => one.offsetTop === buttons[0].offsetTop).length;
    const by = /** @type {Record<string, number>} */ ({
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -across,
      ArrowDown: across,
      Home: -now,
      End: count - 1 - now,
    })[event.key];
    if (now < 0 || by === undefined) return;
    event.preventDefault();
    if (now + by >= 0 && now + by < count) focus(now + by);
  });

  let next = 0;
  const fill = async () => {
    while (next < count) {
      const cell = next++;
      buttons[cell].querySelector("img").src = await url(cell);
    }
  };
  for (let line = 0; line < AT_ONCE; line += 1) fill().catch(onError);

  const mark = (/** @type {number | null} */ cell) =>
    buttons.forEach((one, place) => one.setAttribute("aria-pressed", String(place === cell)));
  mark(null);
  return { element, mark, focus };
}
