// @ts-check
/**
 * What is shown of a finished result: the picture beside the photo, its record in words, downloads, and its next use.
 */

import { failing, sentenceOf } from "./controls.js";
import { announce, el, menu } from "./dom.js";
import { viewer } from "./viewer.js";
import { words } from "./words.js";

/** Pixels of the longer side of what is shown before somebody zooms. */
const SHOWN = 1600;

/**
 * @typedef {import("./api.js").Result} Result
 * @typedef {import("./api.js").Item} Item
 * @typedef {{before?: Item | null}} Beside the photo that the result is compared with
 */

/** Shows results. One for the page. */
export class Results {
  /** @param {import("./main.js").Studio} studio */
  constructor(studio) {
    this.studio = studio;
    /** @type {Map<string, Promise<string>>} */
    this.urls = new Map();
    /** @type {WeakMap<HTMLElement, View>} */
    this.views = new WeakMap();
  }

  /**
   * Show a finished result with its tools, in place of what `root` showed.
   *
   * @param {HTMLElement} root where
   * @param {Result} result
   * @param {Beside} [beside]
   * @returns {Promise<void>} when its picture is there
   */
  async show(root, result, { before = null } = {}) {
    const view = this.view(root);
    const turn = view.begin();
    const url = await this.url(result);
    if (turn === view.turn) view.finished(result, url, before);
  }

  /**
   * Show a small picture that is not the result yet; the tools of the last result stay, faint.
   *
   * @param {HTMLElement} root where
   * @param {string} url of the picture
   * @param {Item} before the photo it is made of
   */
  preview(root, url, before) {
    this.view(root).preview(url, before);
  }

  /** Show a photo by itself, before anything is done with it. @param {HTMLElement} root @param {Item} item */
  photo(root, item) {
    this.view(root).photo(item);
  }

  /** Show nothing but a sentence. @param {HTMLElement} root @param {string} sentence */
  clear(root, sentence) {
    this.views.get(root)?.begin();
    this.views.delete(root);
    root.replaceChildren(el("p", { class: "nothing", text: sentence }));
  }

  /**
   * The blob: address of a result's picture, at most `SHOWN` pixels large, or of its film.
   *
   * @param {Result} result
   * @returns {Promise<string>}
   */
  url(result) {
    const { api } = this.studio;
    const kept = this.urls.get(result.id);
    if (kept) return kept;
    const made = (
      result.kind === "film" ? api.film(result.id) : api.picture("results", result.id, { longest: SHOWN })
    ).then(URL.createObjectURL);
    made.catch(() => this.urls.delete(result.id));
    this.urls.set(result.id, made);
    return made;
  }

  /** Let go of a result's picture. @param {Result} result */
  forget(result) {
    this.urls.get(result.id)?.then(URL.revokeObjectURL, () => {});
    this.urls.delete(result.id);
  }

  /** A result as it lies in a well. @param {Result} result @returns {Promise<Item>} */
  async item(result) {
    const { id, width, height, faces } = result;
    const pick = faces.find((face) => face.taken)?.number ?? null;
    return {
      id,
      name: words.verbs[result.verb] ?? result.verb,
      width,
      height,
      faces,
      pick,
      url: await this.url(result),
      source: "result",
    };
  }

  /** @param {HTMLElement} root @returns {View} */
  view(root) {
    const known = this.views.get(root);
    if (known) return known;
    const view = new View(this.studio);
    root.replaceChildren(view.element);
    this.views.set(root, view);
    return view;
  }
}

/** The picture of one tab and all that belongs to it. */
class View {
  /** @param {import("./main.js").Studio} studio */
  constructor(studio) {
    this.studio = studio;
    this.turn = 0;
    this.viewer = viewer();
    this.media = el("div", { class: "media" });
    this.tools = el("div", { class: "tools" });
    this.said = el("div", { class: "record" });
    this.element = el("article", { class: "result" }, this.media, this.tools, this.said);
    this.fail = failing(this.element, this.tools);
  }

  /** Something newer is to be shown. @returns {number} */
  begin() {
    this.turn += 1;
    return this.turn;
  }

  /** @param {string} url @param {Item} before */
  preview(url, before) {
    this.begin();
    this.element.dataset.state = "preview";
    this.media.replaceChildren(this.viewer.element);
    this.viewer.show({
      before: before.url,
      after: url,
      width: before.width,
      height: before.height,
      alt: words.view.preview,
    });
  }

  /** @param {Item} item */
  photo(item) {
    this.begin();
    this.fail(null);
    this.element.dataset.state = "photo";
    this.media.replaceChildren(this.viewer.element);
    this.viewer.show({
      before: null,
      after: item.url,
      width: item.width,
      height: item.height,
      alt: words.well.alt(item.name),
    });
    this.tools.replaceChildren();
    this.said.replaceChildren();
  }

  /** @param {Result} result @param {string} url @param {Item | null} before */
  finished(result, url, before) {
    this.fail(null);
    this.element.dataset.state = "done";
    this.element.dataset.result = result.id;
    if (result.kind === "film")
      this.media.replaceChildren(
        el("video", {
          src: url,
          controls: true,
          loop: true,
          playsinline: true,
          "aria-label": words.view.alt(result.verb),
        }),
      );
    else {
      this.media.replaceChildren(this.viewer.element);
      const same = before && Math.abs(before.width / before.height - result.width / result.height) < 0.01;
      this.viewer.show({
        before: same ? before.url : null,
        after: url,
        width: result.width,
        height: result.height,
        alt: words.view.alt(words.verbs[result.verb] ?? result.verb),
        full: () => this.full(result, same ? before : null),
      });
    }
    this.tools.replaceChildren(
      ...this.toolsOf(result),
      el("span", { class: "hint", text: words.result.size(result.width, result.height) }),
    );
    this.said.replaceChildren(...recordOf(result));
  }

  /** @param {Result} result @param {Item | null} before */
  async full(result, before) {
    if (Math.max(result.width, result.height) <= SHOWN)
      return { before: null, after: await this.studio.results.url(result) };
    const [after, old] = await Promise.all([
      this.studio.api.picture("results", result.id),
      before && this.studio.api.pictureOf(before),
    ]);
    return { before: old && URL.createObjectURL(old), after: URL.createObjectURL(after) };
  }

  /** @param {Result} result @returns {HTMLElement[]} */
  toolsOf(result) {
    const formats = result.kind === "film" ? ["mp4"] : ["png", "jpg", "webp"];
    const labels = /** @type {Record<string, string>} */ (words.result.formats);
    const tools = [
      menu(
        words.result.download,
        formats.map((format) => ({ label: labels[format], run: () => this.download(result, format) })),
      ),
    ];
    const takers = result.kind === "picture" ? this.studio.tabs.takers() : [];
    if (takers.length) {
      tools.push(
        menu(
          words.result.use,
          takers.map((tab) => ({
            label: tab.label,
            run: () => this.studio.use(result, tab.id).catch((error) => this.fail(sentenceOf(error))),
          })),
        ),
      );
    }
    return tools;
  }

  /** @param {Result} result @param {string} format */
  async download(result, format) {
    this.fail(null);
    try {
      const { api } = this.studio;
      const blob = format === "mp4" ? await api.film(result.id) : await api.picture("results", result.id, { format });
      const link = el("a", { href: URL.createObjectURL(blob), download: `masque-${result.verb}.${format}` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      announce(words.result.saved(link.download));
    } catch (error) {
      this.fail(sentenceOf(error));
    }
  }
}

/**
 * A record in words, with the whole of it folded.
 *
 * @param {{words: string[], notes?: string[], record: Record<string, any> | null}} said
 * @returns {HTMLElement[]}
 */
export function recordOf(said) {
  const parts = [
    said.record ? el("h3", { text: words.result.record }) : null,
    el("ul", {}, ...said.words.map((text) => el("li", { text }))),
  ];
  if (said.notes?.length)
    parts.push(
      el("h3", { text: words.result.notes }),
      el("ul", { class: "notes" }, ...said.notes.map((text) => el("li", { text }))),
    );
  if (said.record)
    parts.push(
      el(
        "details",
        { class: "whole" },
        el("summary", { text: words.result.whole }),
        el("pre", { tabindex: "0", text: JSON.stringify(said.record, null, 2) }),
      ),
    );
  return parts.filter((part) => part !== null);
}
