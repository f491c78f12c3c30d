// @ts-check
/**
 * Paint: the label map of a photo is painted in, and the photo follows; or a part takes the shape of another photo's.
 */

import { ApiError } from "./api.js";
import { sentenceOf, wasCancelled } from "./controls.js";
import { el } from "./dom.js";
import { compressed, decompressed } from "./labelfile.js";
import { Desk } from "./paint-desk.js";
import { partChoice } from "./parts.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Item} Item */
/** @typedef {import("./main.js").Studio} Studio */
/** @typedef {import("./well.js").Well} Well */
/**
 * @typedef {{photo: Item, labels: Blob | null}} State what a result was made of; labels: null for another photo's
 *     shape
 */

/** @type {PaintTab | null} */
let open = null;

/** @type {import("./tabs.js").Tab} */
export const tab = {
  id: "paint",
  start(root, studio) {
    open = new PaintTab(root, studio);
  },
  take(item) {
    open?.well.set(item);
  },
  restore(state) {
    return open?.restore(state);
  },
};

class PaintTab {
  /** @param {HTMLElement} root the tab's panel @param {Studio} studio */
  constructor(root, studio) {
    this.studio = studio;
    this.well = studio.well({ label: words.paint.photo, onPhoto: (item) => this.onPhoto(item) });
    this.wait = el("div", { class: "lines" });
    this.place = el("div", { class: "paint-place" });
    this.outcome = el("section", { class: "outcome", "aria-label": words.view.after });
    const title = el("h2", { text: words.paint.title });
    const lead = el("p", { class: "lead", text: words.paint.lead });
    this.page = el(
      "div",
      { class: "paint", "data-state": "empty" },
      title,
      el("div", { class: "paint-in" }, lead, this.well.element, this.wait),
      this.place,
      this.outcome,
    );
    /** @type {AbortController | null} */
    this.opening = null;
    /** @type {Promise<Desk> | null} */
    this.desk = null;
    root.append(this.page);
    studio.api.choices().catch(() => {}); // so that they are there when a photo is; the desk says what failed
    studio.results.clear(this.outcome, words.paint.empty);
  }

  /** @param {Item | null} item what the well holds now @returns {Promise<void>} when it can be painted in */
  async onPhoto(item) {
    this.opening?.abort();
    const controller = (this.opening = new AbortController());
    if (!item) {
      this.page.dataset.state = "empty";
      this.studio.results.clear(this.outcome, words.paint.empty);
      return;
    }
    try {
      await (await this.makeDesk()).open(item, this.wait, controller);
      if (this.opening !== controller) return;
      // A photo of one face needs no well any more; of several, another one can be chosen there
      this.page.dataset.state = item.faces.filter((face) => face.usable).length > 1 ? "choosing" : "painting";
      const { element } = await this.makeDesk();
      if (element.getBoundingClientRect().bottom > window.innerHeight) element.scrollIntoView({ block: "start" });
    } catch (error) {
      if (this.opening === controller && !wasCancelled(error)) this.well.fail(sentenceOf(error));
    }
  }

  /** The desk, made when it is first needed. @returns {Promise<Desk>} */
  makeDesk() {
    this.desk ??= this.studio.api.choices().then((choices) => {
      const desk = new Desk(this.studio, { names: choices.labels.map(nameOf), colours: choices.label_colours });
      desk.element.append(this.makeButtons(desk));
      this.place.append(desk.element, this.shapeFrom(desk, choices.parts));
      return desk;
    });
    this.desk.catch(() => (this.desk = null));
    return this.desk;
  }

  /** @param {import("./api.js").Result} result @param {Record<string, any>} sent @returns {void} shows a result */
  finish(result, sent) {
    /** @type {State} */
    const state = { photo: sent.photo, labels: sent.labels ?? null };
    this.studio.finish(this.outcome, result, { before: sent.photo, tab: "paint", state });
  }

  /** @param {Desk} desk @returns {HTMLElement} what makes a result of it, and the way to another photo */
  makeButtons(desk) {
    const { task, button } = this.studio.controls;
    const make = el("div", { class: "make" });
    task({
      root: make,
      label: words.paint.repaint,
      verb: "repaint",
      onDone: (result, sent) => this.finish(result, sent),
      places: { photo: this.well },
      fields: async () => {
        const { item, painted } = desk;
        if (!item || !painted) throw new ApiError(words.paint.unpainted);
        return { photo: item, pick: item.pick, labels: await compressed(desk.canvas.map) };
      },
    });
    make.append(button({ label: words.paint.other, kind: "quiet", onClick: () => this.well.clear() }));
    return make;
  }

  /** @param {Desk} desk @param {string[]} names of the parts @returns {HTMLElement} the way by another photo's shape */
  shapeFrom(desk, names) {
    const well = this.studio.well({ label: words.paint.shapeOf, onPhoto: () => well.fail(null) });
    const part = partChoice(names, words.paint.shapePart, "mouth");
    const body = el("div", { class: "shape" }, well.element, part.element);
    this.studio.controls.task({
      root: body,
      label: words.paint.takeShape,
      verb: "repaint",
      onDone: (result, sent) => this.finish(result, sent),
      places: { shape_from: well, part },
      fields: () => {
        if (!well.item) throw new ApiError(words.well.needed, "", "shape_from");
        return {
          photo: desk.item,
          pick: desk.item?.pick,
          shape_from: well.item,
          pick_shape_from: well.item.pick,
          part: part.value,
        };
      },
    });
    return el("details", { class: "shape-from" }, el("summary", { text: words.paint.shapeTitle }), body);
  }

  /** Go back to what a result was made of. @param {State | null} state @returns {Promise<void>} */
  async restore(state) {
    if (!state) return this.studio.results.clear(this.outcome, words.paint.empty);
    const desk = await this.makeDesk();
    if (desk.item !== state.photo) {
      this.well.set(state.photo);
      await desk.opened;
    }
    if (state.labels && desk.item === state.photo)
      desk.canvas.replace(await decompressed(state.labels), words.paint.back);
  }
}

/** @param {string} label as the server names it @returns {string} */
const nameOf = (label) => /** @type {Record<string, string>} */ (words.labels)[label] ?? label;
