// @ts-check
// The label canvas: a photo with its label map over it, painted in by mouse, finger, pen or keys. It holds the label
// of every pixel of the photo as a number; what is drawn on the screen is only ever made from these (overlay.js).

import { Crosshair } from "./crosshair.js";
import { Gestures } from "./gestures.js";
import { boundsOf, fillArea, paintLine, unite } from "./labels.js";
import { Overlay } from "./overlay.js";
import { Undo } from "./undo.js";
import { View } from "./view.js";

/** @typedef {import("./labels.js").LabelMap} LabelMap */
/** @typedef {import("./labels.js").Point} Point */
/** @typedef {import("./labels.js").Rect} Rect */
/** @typedef {import("./overlay.js").Look} Look */
/** @typedef {"brush" | "erase" | "fill" | "pick" | "move"} Tool */
/** @typedef {HTMLImageElement | ImageBitmap} Picture */

/**
 * What the page hears of the canvas.
 * @typedef {object} Listener
 * @property {() => void} changed the labels, or what undo and redo can do, have changed
 * @property {() => void} chosen a tool, a part or the brush's size has changed, by a key or by picking
 * @property {(label: number | null) => void} under the label beneath the pointer
 * @property {(text: string) => void} said what a screen reader is to say
 * @property {() => void} finer more of the photo would be seen than its picture here has
 */

/** @type {WeakMap<Element, LabelCanvas>} the canvas of an element with the class "label-canvas" */
export const canvases = new WeakMap();

export class LabelCanvas {
  /**
   * @param {{names: string[], colours: number[][]}} parts by label
   * @param {typeof import("./words.js").words.canvas} words
   * @param {Listener} listener
   */
  constructor(parts, words, listener) {
    this.names = parts.names;
    this.words = words;
    this.listener = listener;
    /** @type {Tool} */
    this.tool = "brush";
    this.part = 1;
    this.size = 20; // of the brush across, in the photo's pixels
    /** @type {number | null} */
    this.over = null;
    /** @type {LabelMap} */
    this.map = { data: new Uint8Array(1), width: 1, height: 1 };
    this.own = new Uint8Array(1); // what the parser saw
    this.undo = new Undo(this.map);
    this.view = new View();
    this.element = document.createElement("div");
    this.element.className = "label-canvas";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "application");
    this.photo = this.element.appendChild(document.createElement("canvas"));
    this.overlay = new Overlay(this.element.appendChild(document.createElement("canvas")), parts.colours);
    this.ring = this.element.appendChild(document.createElement("div"));
    this.ring.className = "brush-ring";
    this.ring.hidden = true;
    for (const canvas of [this.photo, this.overlay.canvas]) canvas.setAttribute("aria-hidden", "true");
    /** @type {Picture | null} */
    this.picture = null;
    /** @type {{last: Point, rect: Rect | null, label: number, erase: boolean} | null} */
    this.stroke = null;
    /** @type {Rect | null} */
    this.dirty = null;
    this.isNew = false; // a photo that the window has not shown yet
    this.moved = false;
    this.waiting = 0;
    this.gestures = new Gestures(this);
    this.crosshair = new Crosshair(this);
    new ResizeObserver(() => this.measure()).observe(this.element);
    canvases.set(this.element, this);
  }

  /**
   * Begin with a photo and the labels that the parser saw in it.
   * @param {LabelMap} map kept and painted in
   * @param {Picture} picture the photo, at any size
   */
  load(map, picture) {
    this.map = map;
    this.own = map.data.slice();
    this.undo = new Undo(map);
    this.stroke = null;
    this.picture = picture;
    this.view.width = map.width;
    this.view.height = map.height;
    const face = this.face();
    this.size = Math.max(3, Math.round((face.right - face.left) / 16));
    this.isNew = true;
    this.crosshair.reset();
    this.measure();
    this.listener.changed();
    this.listener.chosen();
  }

  /** @returns {Rect} the parts that the parser saw, with some of the photo around them; all of it if it saw none */
  face() {
    const { width, height } = this.map;
    const seen = boundsOf({ data: this.own, width, height });
    if (!seen) return { left: 0, top: 0, right: width, bottom: height };
    const margin = 0.15 * Math.max(seen.right - seen.left, seen.bottom - seen.top);
    return {
      left: Math.max(0, seen.left - margin),
      top: Math.max(0, seen.top - margin),
      right: Math.min(width, seen.right + margin),
      bottom: Math.min(height, seen.bottom + margin),
    };
  }

  /** @param {Picture} picture the same photo with more pixels */
  refine(picture) {
    this.picture = picture;
    this.redraw();
  }

  /** @param {Look} look */
  look(look) {
    this.overlay.look(look);
    this.redraw();
  }

  measure() {
    const { clientWidth, clientHeight } = this.element;
    if (!clientWidth || !clientHeight) return;
    const density = Math.min(2, window.devicePixelRatio || 1); // more costs time and is not seen
    this.photo.width = Math.round(clientWidth * density);
    this.photo.height = Math.round(clientHeight * density);
    this.overlay.resize(clientWidth, clientHeight, density);
    this.view.resize(clientWidth, clientHeight);
    if (this.isNew) this.view.show(this.face());
    this.isNew = false;
    this.redraw();
  }

  /** @param {Partial<{tool: Tool, part: number, size: number, over: number | null}>} choice */
  choose(choice) {
    Object.assign(this, choice);
    this.size = Math.max(1, Math.min(Math.round(this.size), Math.max(this.map.width, this.map.height) / 2));
    this.element.dataset.tool = this.tool;
    this.gestures.showRing();
    this.listener.chosen();
  }

  /**
   * @param {Point} point in the photo
   * @returns {number | null} the label there
   */
  labelAt(point) {
    const [column, row] = [Math.floor(point.x), Math.floor(point.y)];
    if (column < 0 || row < 0 || column >= this.map.width || row >= this.map.height) return null;
    return this.map.data[row * this.map.width + column];
  }

  /**
   * What the chosen tool does at a place: brush and erase begin a stroke.
   * @param {Point} point in the photo
   * @param {{erase?: boolean, pick?: boolean, pressure?: number}} [how]
   */
  begin(point, how = {}) {
    const tool = how.pick ? "pick" : how.erase ? "erase" : this.tool;
    if (tool === "pick") return this.pick(point);
    if (tool === "fill") return this.fill(point);
    if (tool === "move") return;
    this.stroke = { last: point, rect: null, label: this.part, erase: tool === "erase" };
    this.extend(point, how.pressure);
  }

  /**
   * @param {Point} point in the photo
   * @param {number} [pressure] of a pen, in [0,1]: half the brush's size at 0, all of it at 1
   */
  extend(point, pressure = 1) {
    const { stroke, map } = this;
    if (!stroke) return;
    const paint = { label: stroke.label, source: stroke.erase ? this.own : null, over: this.over };
    const rect = paintLine(map, stroke.last, point, (this.size / 2) * (0.5 + 0.5 * pressure), paint);
    stroke.last = point;
    stroke.rect = unite(stroke.rect, rect);
    this.redraw(rect);
  }

  end() {
    const stroke = this.stroke;
    this.stroke = null;
    if (stroke)
      this.commit(stroke.rect, stroke.erase ? this.words.erased : this.words.painted(this.names[stroke.label]));
  }

  /** Take back a stroke that has not ended. */
  cancel() {
    const rect = this.stroke?.rect;
    this.stroke = null;
    if (!rect) return;
    this.undo.drop(rect);
    this.redraw(rect);
  }

  /** @param {Point} point */
  fill(point) {
    const label = this.labelAt(point);
    if (label === null) return;
    if (this.over !== null && label !== this.over) return this.listener.said(this.words.notOver(this.names[this.over]));
    const rect = fillArea(this.map, Math.floor(point.x), Math.floor(point.y), this.part);
    this.redraw(rect);
    this.commit(rect, this.words.filled(this.names[this.part]));
  }

  /** @param {Point} point */
  pick(point) {
    const label = this.labelAt(point);
    if (label === null) return;
    this.choose({ part: label, tool: this.tool === "pick" ? "brush" : this.tool });
    this.listener.said(this.words.picked(this.names[label]));
  }

  /**
   * Put other labels in place of all of them, as one step that can be undone.
   * @param {Uint8Array} data
   * @param {string} said
   */
  replace(data, said) {
    this.cancel();
    this.map.data.set(data);
    const rect = { left: 0, top: 0, right: this.map.width, bottom: this.map.height };
    this.redraw(rect);
    this.commit(rect, said);
  }

  /**
   * @param {Rect | null} rect
   * @param {string} said
   */
  commit(rect, said) {
    const changed = rect ? this.undo.commit(rect) : 0;
    this.listener.said(changed ? this.words.pixels(said, changed) : this.words.nothing);
    this.listener.changed();
  }

  /** @param {"undo" | "redo"} which */
  step(which) {
    this.cancel();
    const rect = this.undo[which]();
    if (!rect) return;
    this.redraw(rect);
    this.listener.said(this.words[which]);
    this.listener.changed();
  }

  /**
   * @param {number} factor
   * @param {Point} [at] in the window; its middle if not given
   */
  zoom(factor, at) {
    this.view.zoom(factor, at ?? { x: this.view.wide / 2, y: this.view.high / 2 });
    this.redraw();
  }

  fit() {
    this.view.fit();
    this.redraw();
  }

  /**
   * @param {number} dx CSS pixels
   * @param {number} dy
   */
  pan(dx, dy) {
    this.view.pan(dx, dy);
    this.redraw();
  }

  /**
   * Draw at the next frame, once, whatever happens until then.
   * @param {Rect | null} [part] of the photo whose labels changed; everything if not given
   */
  redraw(part) {
    if (part === undefined) this.moved = true;
    else this.dirty = unite(this.dirty, part);
    this.waiting ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.waiting = 0;
    if (this.moved) this.drawPhoto();
    if (this.moved || this.dirty) this.overlay.draw(this.map, this.view, this.moved ? null : this.dirty);
    this.moved = false;
    this.dirty = null;
    this.gestures.showRing();
    this.crosshair.show();
  }

  drawPhoto() {
    const context = this.photo.getContext("2d");
    if (!context || !this.picture) return;
    const { view, map, overlay } = this;
    const scale = view.scale * overlay.density;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.photo.width, this.photo.height);
    context.setTransform(scale, 0, 0, scale, view.left * overlay.density, view.top * overlay.density);
    context.imageSmoothingEnabled = scale < 4; // near by, the photo's own pixels are what is painted
    context.drawImage(this.picture, 0, 0, map.width, map.height);
    const has = this.picture instanceof HTMLImageElement ? this.picture.naturalWidth : this.picture.width;
    if (has < map.width && scale > (1.2 * has) / map.width) this.listener.finer();
  }
}
