// @ts-check
/** How much of each face there is in a combination: one slider between two faces, or one for each of several. */

import { failing, slider } from "./controls.js";
import { el } from "./dom.js";
import { LETTERS } from "./faces.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Item} Item */

/** The sliders of a combination. */
export class Weights {
  /** @param {(weights: number[]) => void} onInput called while one of them moves */
  constructor(onInput) {
    this.onInput = onInput;
    /** @type {number[]} from 0 on; their shares are what counts */
    this.values = [];
    /** @type {ReturnType<typeof slider>[]} */
    this.sliders = [];
    this.rows = el("div", { class: "group" });
    this.legend = el("legend", {});
    this.element = el("fieldset", { class: "group weights" }, this.legend, this.rows);
    this.fail = failing(this.element, this.element);
  }

  /** The shares of the faces, which sum to 1; null where nothing is taken of any. @returns {number[] | null} */
  get shares() {
    const sum = this.values.reduce((total, value) => total + value, 0);
    return sum > 0 ? this.values.map((value) => value / sum) : null;
  }

  /** What is sent of the weights. @returns {{weight: number} | {weights: string} | null} null: nothing of any face */
  given() {
    const { shares } = this;
    this.fail(shares ? null : words.weights.none);
    if (!shares) return null;
    return shares.length === 2 ? { weight: shares[1] } : { weights: JSON.stringify(shares) };
  }

  /**
   * Show sliders for faces; what stood before is kept as far as their number is the same.
   *
   * @param {Item[]} items
   * @param {number[]} [values]
   */
  show(items, values) {
    if (values) this.values = [...values];
    else if (this.values.length !== items.length) this.values = items.map(() => 0.5);
    this.sliders = items.length === 2 ? [this.between()] : items.map((_, place) => this.one(place));
    this.legend.textContent = items.length === 2 ? words.weights.two : words.weights.several;
    const rows =
      items.length === 2
        ? [el("div", { class: "weight two" }, face(items[0]), this.sliders[0].element, face(items[1]))]
        : items.map((item, place) => el("div", { class: "weight" }, face(item), this.sliders[place].element));
    this.rows.replaceChildren(...rows);
    this.fail(null);
    this.say();
  }

  between() {
    return slider({
      label: words.weights.share,
      min: 0,
      max: 1,
      value: this.values[1] / (this.values[0] + this.values[1] || 1),
      said: (value) => words.weights.mix(1 - value, value),
      onInput: (value) => {
        this.values = [1 - value, value];
        this.onInput(this.values);
      },
    });
  }

  /** @param {number} place */
  one(place) {
    return slider({
      label: words.faces.face(LETTERS[place]),
      min: 0,
      max: 1,
      value: this.values[place],
      said: () => words.percent(this.shares?.[place] ?? 0),
      onInput: (value) => {
        this.values[place] = value;
        this.say();
        this.onInput(this.values);
      },
    });
  }

  /** Each share changes with every slider. */
  say() {
    if (this.sliders.length > 1) this.sliders.forEach((one, place) => one.set(this.values[place]));
  }
}

/** A photo's face alone, small. @param {Item} item @returns {HTMLElement} */
export function face(item) {
  const box = item.faces.find(({ number }) => number === item.pick) ?? item.faces[0];
  const image = el("img", { src: item.url, alt: "" });
  const frame = el("span", { class: "face-thumb", title: item.name }, image);
  if (box) {
    const side = 1.5 * Math.max(box.width, box.height);
    const [x, y] = [box.left + box.width / 2, box.top + 0.45 * box.height];
    image.style.width = `${(100 * item.width) / side}%`;
    image.style.left = `${50 - (100 * x) / side}%`;
    image.style.top = `${50 - (100 * y) / side}%`;
  }
  return frame;
}
