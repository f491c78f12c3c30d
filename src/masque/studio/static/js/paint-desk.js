// @ts-check
// The desk of the Paint tab: a photo's label map on the canvas, the tools around it, and maps as files.

import { ApiError } from "./api.js";
import { LabelCanvas } from "./canvas.js";
import { button, failing, sentenceOf } from "./controls.js";
import { announce, el } from "./dom.js";
import { chooser } from "./drop.js";
import { palettePNG } from "./labelfile.js";
import { brushSize, frame, keyHelp, looks, palette, toolbar } from "./paint-panel.js";
import { progress } from "./task.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Item} Item */
/** @typedef {import("./main.js").Studio} Studio */
/** @typedef {import("./paint-panel.js").Parts} Parts */

const FINE = 4096; // pixels of the longer side of the photo once one looks at it closely

export class Desk {
  /**
   * @param {Studio} studio
   * @param {Parts} parts
   */
  constructor(studio, parts) {
    this.studio = studio;
    this.parts = parts;
    /** @type {Item | null} */
    this.item = null;
    /** @type {Item | null} */
    this.refined = null; // whose photo was fetched with more pixels
    /** @type {Promise<void>} */
    this.opened = Promise.resolve(); // the last call of `open`
    this.canvas = new LabelCanvas(parts, words.canvas, {
      changed: () => this.show(),
      chosen: () => this.show(),
      under: (label) => this.frame.under(label),
      said: announce,
      finer: () => this.finer(),
    });
    this.frame = frame(this.canvas);
    const panels = [toolbar(this.canvas), palette(this.canvas, parts), brushSize(this.canvas)];
    this.panels = panels;
    this.element = el(
      "section",
      { class: "desk", "aria-label": words.paint.desk },
      panels[0].element,
      el("div", { class: "side" }, panels[1].element, panels[2].element),
      this.frame.element,
      el("div", { class: "more" }, looks(this.canvas), this.maps(), keyHelp()),
    );
    this.element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) =>
      this.canvas.crosshair.undoKey(event),
    );
    this.canvas.choose({});
  }

  show() {
    for (const panel of this.panels ?? []) panel.show();
  }

  /** Whether anything differs from what the parser saw. */
  get painted() {
    const { map, own } = this.canvas;
    return map.data.some((label, i) => label !== own[i]);
  }

  /**
   * Parse a photo and lay it on the canvas.
   * @param {Item} item
   * @param {HTMLElement} wait where the progress is shown
   * @param {AbortController} controller aborting it cancels
   */
  open(item, wait, controller) {
    this.opened = this.parse(item, wait, controller);
    return this.opened;
  }

  /** @param {Item} item @param {HTMLElement} wait @param {AbortController} controller */
  async parse(item, wait, controller) {
    const line = progress(words.paint.parsing);
    line.cancel.addEventListener("click", () => controller.abort());
    wait.replaceChildren(line.element);
    try {
      const { signal } = controller;
      const result = await this.studio.api.run(
        "parse",
        { photo: item, pick: item.pick },
        { onProgress: line.show, signal },
      );
      const [data, picture] = await Promise.all([this.studio.api.labels(result.id), imageOf(item.url)]);
      if (signal.aborted) return;
      this.item = item;
      this.canvas.load({ data, width: result.width, height: result.height }, picture);
    } finally {
      line.element.remove();
    }
  }

  /** Fetch the photo with more pixels, once. */
  async finer() {
    const { item } = this;
    if (!item || this.refined === item) return;
    this.refined = item;
    try {
      const picture = await createImageBitmap(await this.studio.api.pictureOf(item, { longest: FINE }));
      if (this.item === item) this.canvas.refine(picture);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // what is seen stays coarse; the next call says why
    }
  }

  /** Save, open and reset the map. */
  maps() {
    const open = chooser({
      label: words.paint.open,
      title: words.paint.openTitle,
      accept: "image/png,image/*",
      taking: ([file]) => this.read(file),
    });
    const reset = button({
      label: words.paint.reset,
      kind: "quiet",
      onClick: () => this.canvas.replace(this.canvas.own, words.paint.wasReset),
    });
    const save = button({ label: words.paint.save, kind: "quiet", onClick: () => this.save() });
    const element = el("div", { class: "maps", role: "group", "aria-label": words.paint.map }, save, open, reset);
    this.fail = failing(element, element);
    return element;
  }

  /** Save the map as a palette PNG. */
  async save() {
    const url = URL.createObjectURL(await palettePNG(this.canvas.map, this.parts.colours));
    const stem = (this.item?.name ?? "photo").replace(/\.[^.]*$/, "");
    el("a", { href: url, download: `${stem}-labels.png` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  /**
   * Put a saved map in place of the one on the canvas.
   * @param {File} file any label map that masque reads
   */
  async read(file) {
    this.fail?.(null);
    const { item } = this;
    try {
      const result = await this.studio.api.run("read-labels", { photo: item, labels: file });
      const data = await this.studio.api.labels(result.id);
      if (this.item !== item) return;
      this.canvas.replace(data, words.paint.opened(file.name));
      if (result.notes.length) this.fail?.(result.notes.join(" "));
    } catch (error) {
      this.fail?.(sentenceOf(error));
    }
  }
}

/**
 * @param {string} url
 * @returns {Promise<HTMLImageElement>} loaded
 */
async function imageOf(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}
