// @ts-check
/** The tab that makes one face of several, a film in which one turns into the next, or a strip of what lies between. */

import { ApiError } from "./api.js";
import { el, fresh } from "./dom.js";
import { Faces } from "./faces.js";
import { filmControls } from "./film.js";
import { stripControls } from "./strip.js";
import { Weights } from "./weights.js";
import { words } from "./words.js";

/** What is asked for while a slider moves: a small picture that is only looked at. */
const SMALL = { size: 192, preview: true };

/** In which part of the tab a result is made, by its verb. */
const KINDS = /** @type {Record<string, string>} */ ({
  combine: "one",
  invert: "one",
  morph: "film",
  blend: "strip",
  "mix-identity": "strip",
});

/** @typedef {import("./api.js").Item} Item @typedef {import("./api.js").Result} Result */

/** @type {Morpher | null} */
let morpher = null;

/** @type {import("./tabs.js").Tab} */
export const tab = {
  id: "morph",
  start(root, studio) {
    morpher = new Morpher(root, studio);
  },
  take(item) {
    const places = morpher?.faces.places ?? [];
    (places.find(({ well }) => !well.item) ?? places[0]).well.set(item);
  },
  restore: (state) => morpher?.restore(state),
};

class Morpher {
  /** @param {HTMLElement} root @param {import("./main.js").Studio} studio */
  constructor(root, studio) {
    this.studio = studio;
    /** @type {Set<string>} faces whose latents were found */
    this.found = new Set();
    const labels = { inputs: words.morph.title, result: words.view.after };
    const { inputs, result } = studio.columns(root, labels, { live: true });
    this.result = result;
    this.size = { width: 1, height: 1 };
    this.shown = ""; // the faces that the weights are of
    this.weights = new Weights(() => this.live.touch());
    this.one = el("div", { class: "panel" });
    this.film = el("div", { class: "panel" });
    this.strip = el("div", { class: "panel" });
    this.panels = { one: this.one, film: this.film, strip: this.strip };
    this.what = studio.controls.choice({
      label: words.morph.what,
      options: words.morph.whats,
      value: "one",
      onChange: () => this.open(),
    });
    this.faces = new Faces(studio, () => this.changed());
    this.combination();
    this.live = this.follow();
    const done = (/** @type {Result} */ made, /** @type {any} */ sent) => this.done(made, sent);
    filmControls({ studio, root: this.film, faces: this.faces, onDone: done });
    stripControls({ studio, root: this.strip, faces: this.faces, onDone: done });
    inputs.append(
      el("h2", { class: "unseen", text: words.morph.title }),
      el("p", { class: "lead", text: words.morph.lead }),
      this.faces.element,
      el("div", { class: "sliders" }, this.what.element, this.one, this.film, this.strip),
    );
    studio.results.clear(result, words.morph.empty);
    this.open();
    this.changed();
  }

  /** The panel of the combination: a button that finds the latents, the weights, the formula. */
  combination() {
    const { task } = this.studio.controls;
    const places = { photos: this.faces, picks: this.faces };
    this.finding = el("div", {}, el("p", { class: "hint", text: words.morph.finding }));
    task({
      root: this.finding,
      label: words.morph.go,
      verb: "combine",
      places,
      fields: () => ({ ...this.faces.given(), ...this.taken(this.faces.items) }),
      onDone: (made, sent) => this.done(made, sent),
    });
    const id = fresh("formula");
    this.formula = el("input", {
      type: "text",
      id,
      class: "text",
      spellcheck: "false",
      autocomplete: "off",
      maxlength: 200,
    });
    const box = el(
      "details",
      { class: "group formula" },
      el("summary", { text: words.morph.formula }),
      el("label", { for: id, text: words.morph.formulaLabel }),
      this.formula,
      el("p", { class: "hint", text: words.morph.formulaHint }),
    );
    const own = this.studio.controls.failing(box, this.formula);
    const apply = task({
      root: box,
      label: words.morph.formulaGo,
      verb: "combine",
      places: { ...places, formula: { fail: own } },
      fields: () => {
        const formula = this.formula.value.trim();
        if (!formula) throw new ApiError(words.morph.formulaNeeded, "", "formula");
        return { ...this.faces.given(), formula };
      },
      onDone: (made, sent) => this.done(made, sent),
    });
    apply.button.classList.remove("main");
    this.formula.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter") apply.start();
    });
    this.foot = el("div", { class: "task" });
    this.one.append(this.finding, this.weights.element, this.foot, box, this.seen());
  }

  /** What the network makes of a face by itself. @returns {HTMLElement} */
  seen() {
    const box = el(
      "details",
      { class: "group" },
      el("summary", { text: words.morph.seen }),
      el("p", { class: "hint", text: words.morph.seenHint }),
    );
    const first = () => this.faces.places[0].well;
    const show = this.studio.controls.task({
      root: box,
      label: words.morph.seenGo,
      verb: "invert",
      places: {
        get photo() {
          return first();
        },
      },
      fields: () => {
        const { item } = first();
        if (!item) throw new ApiError(words.well.needed, "", "photo");
        return { photo: item, pick: item.pick };
      },
      onDone: (made, sent) => this.done(made, sent),
    });
    show.button.classList.remove("main");
    return box;
  }

  /** Pictures that follow the weights. */
  follow() {
    return this.studio.controls.live({
      root: this.foot,
      label: words.morph.work,
      verb: "combine",
      small: SMALL,
      places: { photos: this.faces, picks: this.faces },
      fields: () => {
        const weights = this.known ? this.weights.given() : null;
        return weights && { ...this.faces.given(), ...weights };
      },
      onDraft: (url) => this.studio.results.preview(this.result, url, { url: null, ...this.size }),
      onDone: (made, sent) => this.done(made, sent),
    });
  }

  /** The weights of a combination that is made before there are sliders. @param {Item[]} items */
  taken(items) {
    return (
      (this.weights.values.length === items.length && this.weights.given()) ||
      (items.length === 2 ? { weight: 0.5 } : { weights: JSON.stringify(items.map(() => 1 / items.length)) })
    );
  }

  /** Whether all latents that are needed were found: what is made of them is made at once. */
  get known() {
    const { items } = this.faces;
    return (
      items.length > 1 &&
      items.length === this.faces.places.length &&
      items.every((item) => this.found.has(keyOf(item)))
    );
  }

  /** @param {Result} made @param {Record<string, any>} sent */
  done(made, sent) {
    if (made.verb === "combine") this.size = { width: made.width, height: made.height };
    if (made.verb === "combine" || (made.verb === "morph" && sent.path !== "warp"))
      for (const item of sent.photos) this.found.add(keyOf(item));
    this.changed();
    this.studio.finish(this.result, made, {
      tab: "morph",
      state: {
        items: sent.photos ?? this.faces.items,
        values: [...this.weights.values],
        formula: sent.formula,
        what: KINDS[made.verb],
      },
    });
  }

  /** Other faces, or latents that were found: show what can be done with them. */
  changed() {
    const { items } = this.faces;
    const known = this.known;
    if (!known) this.live?.stop();
    const now = items.map(keyOf).join(" ");
    if (known && now !== this.shown) this.weights.show(items);
    this.shown = known ? now : "";
    this.finding.hidden = known;
    this.weights.element.hidden = !known;
  }

  open() {
    for (const [name, panel] of Object.entries(this.panels)) panel.hidden = name !== this.what.value;
  }

  /** @param {{items: Item[], values: number[], formula?: string, what: string} | null} state */
  restore(state) {
    this.live.stop();
    if (!state) {
      this.studio.results.clear(this.result, words.morph.empty);
      return;
    }
    this.faces.put(state.items);
    this.what.set(state.what);
    this.open();
    if (state.formula) this.formula.value = state.formula;
    if (this.known && state.values.length === state.items.length) this.weights.show(state.items, state.values);
  }
}

/** A face, to tell it from others. @param {Item} item */
const keyOf = (item) => `${item.id}:${item.pick}`;
