// @ts-check
/**
 * What is shown of a finished result: the picture beside the photo, its record in words, downloads, and its next use.
 */

import { cellGrid } from "./cells.js";
import { button, failing, sentenceOf } from "./controls.js";
import { announce, el } from "./dom.js";
import { downloadMenu, heatmapTask, useMenu } from "./tools.js";
import { viewer } from "./viewer.js";
import { words } from "./words.js";

/** Pixels of the longer side of what is shown before somebody zooms. */
const SHOWN = 1600;

/**
 * @typedef {import("./api.js").Result} Result
 * @typedef {import("./api.js").Item} Item
 * @typedef {{url: string | null, width: number, height: number, faces?: import("./api.js").Face[],
 *   pick?: number | null}} Before a photo, or as much of it as is known
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
   * @param {Before} before the photo it is made of; without a `url` there
   *     is none to compare with
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

  /**
   * The blob: address of one picture of a sheet, at its full size and with its record inside.
   *
   * @param {Result} result
   * @param {number} cell which, from 0 on
   * @returns {Promise<string>}
   */
  cell(result, cell) {
    const key = `${result.id}/${cell}`;
    const made =
      this.urls.get(key) ?? this.studio.api.picture("results", result.id, { cell }).then(URL.createObjectURL);
    made.catch(() => this.urls.delete(key));
    this.urls.set(key, made);
    return made;
  }

  /** Let go of a result's pictures. @param {Result} result */
  forget(result) {
    for (const [key, url] of this.urls) {
      if (key !== result.id && !key.startsWith(`${result.id}/`)) continue;
      url.then(URL.revokeObjectURL, () => {});
      this.urls.delete(key);
    }
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
    const view = new View(this.studio, root);
    root.replaceChildren(view.element);
    this.views.set(root, view);
    return view;
  }
}

/** The picture of one tab and all that belongs to it. */
class View {
  /** @param {import("./main.js").Studio} studio @param {HTMLElement} root where it is */
  constructor(studio, root) {
    this.studio = studio;
    this.root = root;
    this.turn = 0;
    this.viewer = viewer();
    this.media = el("div", { class: "media" });
    this.tools = el("div", { class: "tools" });
    this.said = el("div", { class: "record" });
    this.element = el("article", { class: "result" }, this.media, this.tools, this.said);
    this.tools.addEventListener("click", (/** @type {Event} */ event) => this.held(event), true);
    this.fail = failing(this.element, this.tools);
  }

  /** Something newer is to be shown. @returns {number} */
  begin() {
    this.turn += 1;
    return this.turn;
  }

  /** @param {string} url @param {Before} before */
  preview(url, before) {
    this.begin();
    this.element.dataset.state = "preview";
    for (const tool of this.tools.querySelectorAll("summary, button")) tool.setAttribute("aria-disabled", "true");
    for (const menu of this.tools.querySelectorAll("details")) menu.open = false;
    this.picture({
      of: before.url ?? "",
      before: before.url,
      after: url,
      width: before.width,
      height: before.height,
      alt: words.view.preview,
      face: faceOf(before),
    });
  }

  /** The tools belong to the last result: while a newer one is made they do nothing. @param {Event} event */
  held(event) {
    const within = event.target instanceof Element && event.target.closest(".progress"); // that can be cancelled
    if (this.element.dataset.state !== "preview" || within) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {import("./viewer.js").Shown} shown */
  picture(shown) {
    if (this.viewer.element.parentElement !== this.media || this.media.childElementCount > 1)
      this.media.replaceChildren(this.viewer.element); // else it keeps the focus
    this.viewer.show(shown);
  }

  /** @param {Item} item */
  photo(item) {
    this.begin();
    this.fail(null);
    this.element.dataset.state = "photo";
    this.picture({
      of: item.url,
      before: null,
      after: item.url,
      width: item.width,
      height: item.height,
      alt: words.well.alt(item.name),
      face: faceOf(item),
    });
    this.tools.replaceChildren();
    this.said.replaceChildren();
  }

  /** @param {Result} result @param {string} url @param {Item | null} before */
  finished(result, url, before) {
    this.fail(null);
    this.element.dataset.state = "done";
    this.element.dataset.result = result.id;
    if (result.kind === "film") {
      const video = el("video", {
        src: url,
        controls: true,
        loop: true,
        playsinline: true,
        "aria-label": words.view.alt(words.verbs[result.verb] ?? result.verb),
      });
      video.style.setProperty("--ratio", String(result.width / result.height));
      this.media.replaceChildren(video);
    } else if ((result.cells ?? 0) > 1) this.sheet(result);
    else {
      const same = before && Math.abs(before.width / before.height - result.width / result.height) < 0.01;
      this.picture({
        of: before?.url ?? "",
        before: same ? before.url : null,
        after: url,
        width: result.width,
        height: result.height,
        alt: words.view.alt(words.verbs[result.verb] ?? result.verb),
        face: faceOf(before?.width === result.width ? before : result),
        full: () => this.full(result, same ? before : null),
      });
    }
    this.tools.replaceChildren(
      ...this.toolsOf(result, before),
      el("span", { class: "hint", text: words.result.size(result.width, result.height) }),
    );
    this.said.replaceChildren(...recordOf(result));
  }

  /**
   * @param {Result} result
   * @param {Item | null} before
   * @param {number} [cell] the one picture of a sheet that they are for
   * @returns {HTMLElement[]}
   */
  toolsOf(result, before, cell) {
    const given = { studio: this.studio, result, cell, fail: this.fail };
    const single = result.kind === "picture" && (cell !== undefined || (result.cells ?? 0) < 2);
    const heat = result.verb === "heatmap";
    const tools = [downloadMenu(given), single && !heat ? useMenu(given) : null];
    const same = before && before.width === result.width && before.height === result.height;
    if (same && single && !heat) tools.push(heatmapTask(this.studio, this.root, result, before));
    return tools.filter((tool) => tool !== null);
  }

  /** A sheet, as a grid of its pictures. @param {Result} result */
  sheet(result) {
    const grid = cellGrid({
      result,
      url: (cell) => this.studio.results.cell(result, cell),
      onOpen: (cell) => this.open(result, grid, cell).catch((error) => this.fail(sentenceOf(error))),
      onError: (error) => this.fail(sentenceOf(error)),
    });
    this.media.replaceChildren(grid.element);
  }

  /**
   * One picture of a sheet, large above the others, with tools of its own.
   *
   * @param {Result} result
   * @param {ReturnType<typeof cellGrid>} grid
   * @param {number} cell which, from 0 on
   */
  async open(result, grid, cell) {
    const turn = this.begin();
    const image = el("img", { src: await this.studio.results.cell(result, cell) });
    await image.decode();
    if (turn !== this.turn) return;
    const alt = words.cells.one(cell + 1, result.cells ?? 0);
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    const back = button({
      label: words.cells.all,
      kind: "quiet",
      onClick: () => {
        this.begin();
        this.finished(result, "", null);
        this.media.querySelectorAll("button")[cell]?.focus();
      },
    });
    this.media.replaceChildren(
      el("div", { class: "cellbar" }, el("span", { text: alt }), back),
      this.viewer.element,
      grid.element,
    );
    grid.mark(cell);
    this.viewer.show({ of: image.src, before: null, after: image.src, width, height, alt });
    this.tools.replaceChildren(
      ...this.toolsOf(result, null, cell),
      el("span", { class: "hint", text: words.result.size(width, height) }),
    );
    grid.focus(cell);
    announce(words.cells.opened(alt));
    this.media.scrollIntoView({ block: "nearest" });
  }

  /** @param {Result} result @param {Item | null} before */
  async full(result, before) {
    if (Math.max(result.width, result.height) <= SHOWN) return null; // it is there already
    const [after, old] = await Promise.all([
      this.studio.api.picture("results", result.id),
      before && this.studio.api.pictureOf(before),
    ]);
    return { before: old && URL.createObjectURL(old), after: URL.createObjectURL(after) };
  }
}

/** The face that was picked, or taken. @param {Before | Result} shown @returns {import("./api.js").Face | null} */
function faceOf(shown) {
  const wanted = "pick" in shown ? shown.pick : null;
  return shown.faces?.find((face) => (wanted ? face.number === wanted : face.taken)) ?? null;
}

/**
 * A record in words, with the whole of it folded.
 *
 * @param {{words: string[], notes?: string[], record: Record<string, any> | null}} said
 * @returns {HTMLElement[]}
 */
export function recordOf(said) {
  const parts = [
    said.record && said.words.length ? el("h3", { text: words.result.record }) : null,
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
