// @ts-check
/** The tab that makes new pictures of a person: drawn ones, turned ones, and ones with what another photo shows. */

import { ApiError } from "./api.js";
import { borrowControls } from "./borrow.js";
import { el } from "./dom.js";
import { drawControls, randomControls } from "./draw.js";
import { turnControls } from "./turn.js";
import { SMALL } from "./live.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Item} Item @typedef {import("./api.js").Result} Result */

/**
 * What each kind of new picture is made with.
 *
 * @typedef {object} Maker
 * @property {import("./main.js").Studio} studio
 * @property {HTMLElement} root where its controls go
 * @property {import("./well.js").Well} well with the photo
 * @property {() => Record<string, any>} photo the fields of the photo; throws ApiError where there is none
 * @property {(url: string) => Promise<void>} preview shows a small picture
 * @property {(result: Result, fields: Record<string, any>) => void} onDone shows a finished one
 */

/** @type {Pictures | null} */
let pictures = null;

/** @type {import("./tabs.js").Tab} */
export const tab = {
  id: "new",
  start(root, studio) {
    pictures = new Pictures(root, studio);
  },
  take: (item) => pictures?.well.set(item),
  restore: (state) => pictures?.restore(state),
};

class Pictures {
  /** @param {HTMLElement} root @param {import("./main.js").Studio} studio */
  constructor(root, studio) {
    this.studio = studio;
    this.turn = 0;
    const labels = { inputs: words.fresh.title, result: words.view.after };
    const { inputs, result } = studio.columns(root, labels, { live: true });
    this.result = result;
    this.panels = Object.fromEntries(
      words.fresh.whats.map(({ value }) => [value, el("div", { class: "panel", hidden: true })]),
    );
    this.well = studio.well({ label: words.fresh.photo, small: true, onPhoto: (item) => this.photo(item) });
    this.what = studio.controls.choice({
      label: words.fresh.what,
      options: words.fresh.whats,
      value: "draw",
      onChange: () => this.open(),
    });
    inputs.append(
      el("h2", { class: "unseen", text: words.fresh.title }),
      el("p", { class: "lead", text: words.fresh.lead }),
      this.well.element,
      el("div", { class: "sliders" }, this.what.element, ...Object.values(this.panels)),
    );
    drawControls(this.maker("draw"));
    this.turning = turnControls(this.maker("turn"));
    borrowControls(this.maker("borrow"));
    randomControls(this.maker("random"));
    this.photo(null);
    this.open();
  }

  /** @param {string} name @returns {Maker} */
  maker(name) {
    return {
      studio: this.studio,
      root: this.panels[name],
      well: this.well,
      photo: () => photoOf(this.well),
      preview: (url) => this.preview(url),
      onDone: (made, sent) => this.done(made, sent),
    };
  }

  /** Something newer is to be shown. @returns {number} */
  next() {
    this.turn += 1;
    return this.turn;
  }

  /** A small picture: of the whole photo, or of the face alone where the network painted it. @param {string} url */
  async preview(url) {
    const turn = this.next();
    const { item } = this.well;
    const image = el("img", { src: url });
    await image.decode();
    if (!item || turn !== this.turn) return;
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    const whole = Math.max(width, height) === Math.min(SMALL, Math.max(item.width, item.height));
    this.studio.results.preview(this.result, url, whole ? item : { url: null, width, height });
  }

  /** @param {Result} made @param {Record<string, any>} sent */
  done(made, sent) {
    this.next();
    const item = /** @type {Item} */ (sent.photo);
    const whole = made.width === item.width && made.height === item.height; // the network's show the face alone
    const state = { item, what: this.what.value };
    this.studio.finish(this.result, made, { before: whole ? item : null, tab: "new", state });
  }

  /** @param {Item | null} item */
  photo(item) {
    this.next();
    this.turning.photo(item);
    if (item) this.studio.results.photo(this.result, item);
    else this.studio.results.clear(this.result, words.fresh.empty);
  }

  open() {
    for (const [name, panel] of Object.entries(this.panels)) panel.hidden = name !== this.what.value;
    if (this.what.value === "turn") this.turning.open();
  }

  /** @param {{item: Item, what: string} | null} state */
  restore(state) {
    if (!state) return this.photo(this.well.item);
    if (this.well.item !== state.item) this.well.set(state.item);
    this.what.set(state.what);
    this.open();
  }
}

/** The fields of a well's photo. @param {import("./well.js").Well} well @returns {Record<string, any>} */
function photoOf(well) {
  if (!well.item) throw new ApiError(words.well.needed, "", "photo");
  return { photo: well.item, pick: well.item.pick };
}
