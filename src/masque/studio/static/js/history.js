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
 *   parent: Entry | null, number: number, button: HTMLElement}} Entry
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
      number,
      button: el("button", { type: "button", "aria-label": label, title: label }, thumb),
    };
    entry.button.dataset.kind = result.kind;
    entry.button.addEventListener("click", () => {
      this.undone = [];
      this.go(entry);
    });
    this.list.append(el("li", {}, entry.button));
    this.entries.push(entry);
    this.current = entry;
    this.undone = [];
    if (this.entries.length > KEPT) this.drop(this.entries[0]);
    this.mark();
    entry.button.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Back to what was shown before this result was made. */
  undo() {
    if (!this.current) return;
    const left = this.current;
    this.undone.push(left);
    if (left.parent) this.go(left.parent);
    else {
      this.current = null;
      this.studio.tabs.restore(left.tab, null, left);
      announce(words.history.none);
      this.mark();
    }
  }

  /** Forth again to what was undone last. */
  redo() {
    const entry = this.undone.pop();
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
    this.studio.results.forget(entry.result);
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
    this.element.hidden = !this.entries.length;
    /** @type {HTMLButtonElement} */ (this.back).disabled = !this.current;
    /** @type {HTMLButtonElement} */ (this.forth).disabled = !this.undone.length;
    for (const entry of this.entries) entry.button.setAttribute("aria-current", String(entry === this.current));
  }
}
