// @ts-check
/** The results of this session: a strip to look back at, and undo and redo. */

import { button } from "./controls.js";
import { announce, el } from "./dom.js";
import { words } from "./words.js";

/** Results that are kept; the oldest go first. */
const KEPT = 40;

/**
 * @typedef {import("./api.js").Result} Result
 * @typedef {{result: Result, tab: string, root: HTMLElement | null, before: import("./api.js").Item | null, state: any,
 *   parent: Entry | null, left: Left | null, number: number, button: HTMLElement}} Entry
 * @typedef {{tab: string, state: any, entry: Entry | null}} Left what a reset took back; entry: its result, where there
 *   was one
 */

export class History {
  /** @param {import("./main.js").Studio} studio */
  constructor(studio) {
    this.studio = studio;
    /** @type {Entry[]} */
    this.entries = [];
    /** @type {Entry | null} */
    this.current = null;
    /** @type {Entry[]} */
    this.undone = [];
    /** @type {Left | null} where everything was reset last, and nothing made since */
    this.left = null;
    /** @type {Set<Result>} what was not downloaded */
    this.unsaved = new Set();
    this.count = 0;
    this.list = el("ol", {});
    this.back = button({ label: words.history.undo, kind: "quiet", onClick: () => this.undo() });
    this.forth = button({ label: words.history.redo, kind: "quiet", onClick: () => this.redo() });
    this.element = el(
      "section",
      { class: "history", "aria-label": words.history.label, hidden: true },
      el("div", { class: "row" }, this.back, this.forth),
      this.list,
    );
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("beforeunload", (event) => this.leaving(event));
    this.mark();
  }

  /**
   * Put a result at the end of the strip.
   *
   * @param {Result} result
   * @param {object} [made]
   * @param {HTMLElement | null} [made.root] where it is shown, to be shown there again
   * @param {import("./api.js").Item | null} [made.before] what it is compared with
   * @param {any} [made.state] what the tab's `restore(state)` gets when somebody comes back to this result
   * @param {string} [made.tab] the tab that made it; the one that is open if not given
   */
  add(result, { root = null, before = null, state = null, tab = this.studio.tabs.current } = {}) {
    this.count += 1;
    const number = this.count;
    const label = words.history.entry(words.verbs[result.verb] ?? result.verb, number);
    const thumb = el("img", { alt: "" });
    if (result.kind === "film") thumb.hidden = true;
    else
      this.studio.results.url(result).then(
        (url) => {
          thumb.src = url;
        },
        () => {},
      );
    /** @type {Entry} */
    const entry = {
      result,
      tab,
      root,
      before,
      state,
      parent: this.current,
      left: this.left,
      number,
      button: el("button", { type: "button", "aria-label": label, title: label }, thumb),
    };
    entry.button.dataset.kind = result.kind;
    entry.button.addEventListener("click", () => {
      this.undone = [];
      this.left = null;
      this.go(entry);
    });
    this.list.append(el("li", {}, entry.button));
    this.entries.push(entry);
    this.unsaved.add(result);
    this.current = entry;
    this.left = null;
    this.undone = [];
    if (this.entries.length > KEPT) this.drop(this.entries[0]);
    this.mark();
    entry.button.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /**
   * A tab went back to its photo; undo then gives again what it left.
   *
   * @param {any} state what the tab's `restore(state)` gets then
   * @param {Entry | null} entry the result of that state, where it was made
   */
  reset(state, entry) {
    this.left = { tab: this.studio.tabs.current, state, entry };
    this.current = null;
    this.undone = [];
    this.mark();
  }

  /** Back to what was shown before this result was made. */
  undo() {
    if (!this.current) return this.unreset();
    const left = this.current;
    this.undone.push(left);
    if (left.parent) this.go(left.parent);
    else {
      this.current = null;
      this.left = left.left;
      this.studio.tabs.restore(left.tab, null, left);
      announce(words.history.none);
      this.mark();
    }
  }

  /** Back to what was there before a reset. */
  unreset() {
    const { left } = this;
    if (!left) return;
    this.left = null;
    if (left.entry) this.go(left.entry);
    else {
      this.mark();
      this.studio.tabs.open(left.tab).then((tab) => tab?.restore?.(left.state));
    }
  }

  /** Forth again to what was undone last. */
  redo() {
    const entry = this.undone.pop();
    this.left = null;
    if (entry) this.go(entry);
  }

  /** Show an entry in the tab that made it. @param {Entry} entry */
  async go(entry) {
    this.current = entry;
    this.mark();
    announce(
      words.history.shown(words.history.entry(words.verbs[entry.result.verb] ?? entry.result.verb, entry.number)),
    );
    await this.studio.tabs.restore(entry.tab, entry.state, entry);
    if (entry.root && this.current === entry)
      await this.studio.results.show(entry.root, entry.result, { before: entry.before });
  }

  /** @param {Entry} entry */
  drop(entry) {
    this.entries = this.entries.filter((one) => one !== entry);
    for (const one of this.entries) if (one.parent === entry) one.parent = null;
    entry.button.parentElement?.remove();
    this.unsaved.delete(entry.result);
    this.studio.results.forget(entry.result);
  }

  /** A result was downloaded. @param {Result} result */
  saved(result) {
    this.unsaved.delete(result);
  }

  /** Ask before the page is left and results are lost. @param {Event} event */
  leaving(event) {
    if (this.unsaved.size) event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const typing = event.target instanceof HTMLInputElement && /^(text|password|number)$/.test(event.target.type);
    if (event.defaultPrevented || typing || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) this.redo();
    else this.undo();
  }

  mark() {
    this.element.hidden = !this.entries.length && !this.left;
    /** @type {HTMLButtonElement} */ (this.back).disabled = !this.current && !this.left;
    /** @type {HTMLButtonElement} */ (this.forth).disabled = !this.undone.length;
    for (const entry of this.entries) entry.button.setAttribute("aria-current", String(entry === this.current));
  }
}
