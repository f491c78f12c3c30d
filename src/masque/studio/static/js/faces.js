// @ts-check
/** Several photos in an order: a well for each, with buttons that move it, take it away, and add another. */

import { ApiError } from "./api.js";
import { button, failing } from "./controls.js";
import { announce, el } from "./dom.js";
import { words } from "./words.js";

/** Names of faces, in their order, as formulas have them. */
export const LETTERS = "abcdefgh";
const MOST = LETTERS.length;

/**
 * @typedef {import("./api.js").Item} Item
 * @typedef {{well: import("./well.js").Well, element: HTMLElement, earlier: HTMLButtonElement,
 *   later: HTMLButtonElement, away: HTMLButtonElement}} Place
 */

/** Faces in an order, eight at most. */
export class Faces {
  /**
   * @param {import("./main.js").Studio} studio
   * @param {() => void} onChange called when another face stands somewhere
   * @param {{least?: number, texts?: typeof words.faces}} [options] least: how many there are at least; texts: what
   *     they are called
   */
  constructor(studio, onChange, { least = 2, texts = words.faces } = {}) {
    this.studio = studio;
    this.least = least;
    this.texts = texts;
    this.onChange = onChange;
    /** @type {Place[]} */
    this.places = [];
    this.moving = true; // nobody is told before all stand
    this.list = el("ol", { class: "faces", "aria-label": this.texts.label });
    this.more = button({
      label: this.texts.add,
      onClick: () => this.add().well.element.querySelector("button")?.focus(),
    });
    this.element = el("div", { class: "faces-box" }, this.list, el("div", { class: "row" }, this.more));
    this.own = failing(this.element, this.list);
    this.fail = (/** @type {string | null} */ sentence) => this.tell(sentence);
    while (this.places.length < this.least) this.add();
    this.moving = false;
    this.mark();
  }

  /** The photos, those that are missing left out. @returns {Item[]} */
  get items() {
    return this.places.map(({ well }) => well.item).filter((item) => item !== null);
  }

  /**
   * What is sent of the faces.
   *
   * @param {string} [field] of the call
   * @returns {{photos: Item[], picks: string}} Throws ApiError where a place is empty, or a photo shows no face.
   */
  given(field = "photos") {
    const { items } = this;
    if (items.length < Math.max(this.least, this.places.length)) throw new ApiError(this.texts.needed, "", field);
    return { photos: items, picks: JSON.stringify(items.map((item) => item.pick)) };
  }

  /** One more place. @returns {Place} */
  add() {
    const number = this.places.length;
    const letter = LETTERS[number];
    const well = this.studio.well({
      label: this.texts.face(letter),
      small: true,
      several: true,
      onPhoto: () => this.changed(),
      onMore: (files) => this.take(files),
    });
    const tool = (/** @type {string} */ label, /** @type {string} */ title, /** @type {() => void} */ onClick) =>
      button({ label, title, kind: "quiet", onClick });
    const place = {
      well,
      earlier: tool("←", this.texts.earlier(letter), () => this.exchange(number - 1, number, -1)),
      later: tool("→", this.texts.later(letter), () => this.exchange(number, number + 1, 1)),
      away: tool("✕", this.texts.away(letter), () => this.remove(number)),
      element: el("li", {}, well.element),
    };
    well.element.append(el("div", { class: "face-tools" }, place.earlier, place.later, place.away));
    this.list.append(place.element);
    this.places.push(place);
    this.changed();
    return place;
  }

  /** Put files into the places that are empty, and into new ones. @param {File[]} files */
  take(files) {
    const room = MOST - this.items.length;
    for (const file of files.slice(0, room)) this.free().well.take(file);
    if (files.length > room) this.own(this.texts.most(MOST));
  }

  /** A place that waits for a photo. @returns {Place} */
  free() {
    return this.places.find(({ well }) => !well.item && well.element.dataset.state !== "busy") ?? this.add();
  }

  /** @param {number} one @param {number} two the next place @param {-1 | 1} way in which the focus goes along */
  exchange(one, two, way) {
    const [a, b] = [this.places[one].well.item, this.places[two].well.item];
    this.set(one, b);
    this.set(two, a);
    const { earlier, later } = this.places[way < 0 ? one : two];
    const again = way < 0 ? earlier : later;
    (again.disabled ? (way < 0 ? later : earlier) : again).focus();
    announce(this.texts.moved(LETTERS[one], LETTERS[two]));
  }

  /** Take a face away; those behind it move up. @param {number} number */
  remove(number) {
    const items = this.places.map(({ well }) => well.item);
    items.splice(number, 1);
    if (this.places.length > this.least) this.places.pop()?.element.remove();
    this.put(items);
    this.places[Math.min(number, this.places.length - 1)].well.element.querySelector("button")?.focus();
  }

  /** Have exactly these faces. @param {(Item | null)[]} items */
  put(items) {
    this.moving = true;
    while (this.places.length > Math.max(items.length, this.least)) this.places.pop()?.element.remove();
    while (this.places.length < items.length) this.add();
    this.places.forEach((_, place) => this.set(place, items[place] ?? null));
    this.moving = false;
    this.changed();
  }

  /** @param {number} place @param {Item | null} item */
  set(place, item) {
    const { well } = this.places[place];
    if (well.item === item) return;
    if (item) well.set(item);
    else well.clear();
  }

  /** Show a failure at the photo that it names, or at the first place that is empty. @param {string | null} sentence */
  tell(sentence) {
    this.own(null);
    for (const { well } of this.places) well.fail(null);
    if (!sentence) return;
    const named = this.places.find(({ well }) => well.item && sentence.includes(well.item.name));
    const empty = this.places.find(({ well }) => !well.item);
    (named ?? empty)?.well.fail(sentence);
    if (!named && !empty) this.own(sentence);
  }

  changed() {
    if (this.moving) return;
    this.own(null);
    this.mark();
    this.onChange();
  }

  /** Which buttons can be pressed now. */
  mark() {
    this.places.forEach(({ earlier, later, away, well }, place) => {
      const beside = (/** @type {number} */ other) => this.places[other] && (this.places[other].well.item || well.item);
      earlier.disabled = !beside(place - 1);
      later.disabled = !beside(place + 1);
      away.disabled = this.places.length <= this.least && !well.item;
    });
    this.more.disabled = this.places.length >= MOST;
  }
}
