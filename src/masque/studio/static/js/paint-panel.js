// @ts-check
// What is chosen beside the label canvas: tools, the part to paint, the brush, what it paints over, how labels look.

import { slider } from "./controls.js";
import { PART_KEYS, TOOL_KEYS } from "./crosshair.js";
import { el, fresh } from "./dom.js";
import { icon } from "./icons.js";
import { tiles } from "./overlay.js";
import { words } from "./words.js";

/** @typedef {import("./canvas.js").LabelCanvas} LabelCanvas */
/** @typedef {import("./canvas.js").Tool} Tool */
/** @typedef {{names: string[], colours: number[][]}} Parts by label */

/**
 * Tools, undo and redo, zoom.
 * @param {LabelCanvas} canvas
 * @returns {{element: HTMLElement, show: () => void}} show: make the buttons say what the canvas has chosen
 */
export function toolbar(canvas) {
  const said = words.canvas;
  const tools = Object.entries(TOOL_KEYS).map(([key, tool]) => {
    const button = iconButton(tool, said.tools[tool], said.key(said.hints[tool], key), () => canvas.choose({ tool }));
    button.setAttribute("aria-keyshortcuts", key);
    return { tool, button };
  });
  const undo = iconButton("undo", said.undoing, said.key(said.undoing, "Ctrl+Z"), () => canvas.step("undo"));
  const redo = iconButton("redo", said.redoing, said.key(said.redoing, "Ctrl+Y"), () => canvas.step("redo"));
  const zooms = [
    iconButton("farther", said.farther, said.key(said.farther, "-"), () => canvas.zoom(1 / 1.5)),
    iconButton("closer", said.closer, said.key(said.closer, "+"), () => canvas.zoom(1.5)),
    iconButton("whole", said.whole, said.key(said.whole, "Home"), () => canvas.fit()),
  ];
  const group = (/** @type {string} */ label, /** @type {HTMLElement[]} */ buttons) =>
    el("div", { class: "tool-group", role: "group", "aria-label": label }, ...buttons);
  const element = el(
    "div",
    { class: "toolbar" },
    group(
      said.toolsOf,
      tools.map(({ button }) => button),
    ),
    group(said.steps, [undo, redo]),
    group(said.zooms, zooms),
  );
  const show = () => {
    for (const { tool, button } of tools) button.setAttribute("aria-pressed", String(tool === canvas.tool));
    undo.disabled = !canvas.undo.done.length;
    redo.disabled = !canvas.undo.undone.length;
  };
  return { element, show };
}

/**
 * @param {import("./icons.js").IconName} name
 * @param {string} label under the icon
 * @param {string} title what it does, and its key
 * @param {() => void} onClick
 * @returns {HTMLButtonElement}
 */
function iconButton(name, label, title, onClick) {
  return el(
    "button",
    { type: "button", class: "tool", title, on: { click: onClick } },
    icon(name),
    el("span", { text: label }),
  );
}

/**
 * The part that is painted, and what it is painted over.
 * @param {LabelCanvas} canvas
 * @param {Parts} parts
 * @returns {{element: HTMLElement, show: () => void}}
 */
export function palette(canvas, parts) {
  const name = fresh("part");
  const inputs = parts.names.map((part, label) => {
    const id = fresh("part");
    const input = el("input", {
      type: "radio",
      name,
      id,
      value: label,
      on: { change: () => canvas.choose({ part: label }) },
    });
    const title = words.canvas.key(part, PART_KEYS[label]);
    return { input, chip: el("label", { for: id, title }, swatch(parts, label), el("span", { text: part })) };
  });
  const chips = el("div", { class: "parts" }, ...inputs.flatMap(({ input, chip }) => [input, chip]));
  const id = fresh("over");
  const over = el(
    "select",
    { id, on: { change: () => canvas.choose({ over: over.value === "" ? null : Number(over.value) }) } },
    el("option", { value: "", text: words.paint.everything }),
    ...parts.names.map((part, label) => el("option", { value: label, text: words.paint.only(part) })),
  );
  const element = el(
    "div",
    { class: "palette" },
    el("fieldset", { class: "choice" }, el("legend", { text: words.paint.part }), chips),
    el("div", { class: "field" }, el("label", { for: id, text: words.paint.over }), over),
  );
  const show = () => {
    inputs.forEach(({ input }, label) => (input.checked = label === canvas.part));
    over.value = canvas.over === null ? "" : String(canvas.over);
    over.classList.toggle("set", canvas.over !== null);
  };
  return { element, show };
}

/**
 * A small piece of a part's colour and pattern.
 * @param {Parts} parts
 * @param {number} label
 * @returns {HTMLCanvasElement}
 */
function swatch(parts, label) {
  const canvas = el("canvas", { class: "part-swatch", width: 24, height: 24, "aria-hidden": "true" });
  const image = new ImageData(24, 24);
  const pixels = new Uint32Array(image.data.buffer);
  const tile = tiles(parts.colours, 1, true).subarray(64 * label, 64 * label + 64);
  for (let i = 0; i < pixels.length; i++) {
    const [x, y] = [i % 24, Math.floor(i / 24)];
    pixels[i] = label === 0 ? (((x >> 2) + (y >> 2)) % 2 ? 0xffb0b0b0 : 0xff707070) : tile[(y % 8) * 8 + (x % 8)];
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/**
 * The brush's size: the slider goes by squares, so that small brushes can be told apart on large photos.
 * @param {LabelCanvas} canvas
 * @returns {{element: HTMLElement, show: () => void}}
 */
export function brushSize(canvas) {
  const largest = () => Math.max(16, Math.max(canvas.map.width, canvas.map.height) / 4);
  const sizeOf = (/** @type {number} */ share) => Math.round(1 + (largest() - 1) * share * share);
  const size = slider({
    label: words.paint.size,
    min: 0,
    max: 1,
    step: 0.005,
    value: 0.3,
    said: (share) => words.paint.pixels(sizeOf(share)),
    onInput: (share) => canvas.choose({ size: sizeOf(share) }),
  });
  size.input.title = words.paint.sizeKeys;
  const show = () => {
    if (sizeOf(size.value) !== canvas.size) size.set(Math.sqrt((canvas.size - 1) / (largest() - 1)));
  };
  return { element: size.element, show };
}

/**
 * How the labels look over the photo.
 * @param {LabelCanvas} canvas
 * @returns {HTMLElement}
 */
export function looks(canvas) {
  const show = () => canvas.look({ tint: tint.value / 100, outline: outline.checked, pattern: pattern.checked });
  const tint = slider({
    label: words.paint.tint,
    min: 0,
    max: 100,
    step: 1,
    value: 45,
    said: words.paint.percent,
    onInput: show,
  });
  const [outline, pattern] = [words.paint.outline, words.paint.pattern]
    .map((text) => {
      const id = fresh("look");
      return {
        box: el(
          "div",
          { class: "check" },
          el("input", { type: "checkbox", id, on: { change: show } }),
          el("label", { for: id, text }),
        ),
      };
    })
    .map(({ box }) => /** @type {HTMLInputElement} */ (box.firstChild));
  outline.checked = true;
  pattern.checked = window.matchMedia("(prefers-contrast: more)").matches;
  show();
  return el(
    "div",
    { class: "looks" },
    tint.element,
    el("div", { class: "checks" }, outline.parentElement, pattern.parentElement),
  );
}

/**
 * The canvas in a frame, with the name of the part under the pointer and a description of its keys.
 * @param {LabelCanvas} canvas
 * @returns {{element: HTMLElement, under: (label: number | null) => void}}
 */
export function frame(canvas) {
  const name = el("p", { class: "under", hidden: true, "aria-hidden": "true" });
  const help = el("p", { class: "unseen", id: fresh("keys"), text: words.canvas.keys });
  canvas.element.setAttribute("aria-describedby", help.id);
  canvas.element.setAttribute("aria-label", words.canvas.title);
  const element = el("div", { class: "canvas-frame" }, canvas.element, name, help);
  const under = (/** @type {number | null} */ label) => {
    name.hidden = label === null;
    if (label !== null) name.textContent = canvas.names[label];
  };
  return { element, under };
}

/**
 * The keys, for who can see them.
 * @returns {HTMLElement}
 */
export function keyHelp() {
  const rows = words.canvas.keyList.map(([keys, what]) => [el("dt", { text: keys }), el("dd", { text: what })]).flat();
  return el("details", { class: "keys" }, el("summary", { text: words.canvas.keysTitle }), el("dl", {}, ...rows));
}
