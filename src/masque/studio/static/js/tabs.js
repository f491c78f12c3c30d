// @ts-check
/** The row of tabs: one is open, arrow keys go from one to the next, and each is built when it is first opened. */

import { el } from "./dom.js";
import { words } from "./words.js";

/**
 * What a tab's module exports as `tab`.
 *
 * @typedef {object} Tab
 * @property {string} id
 * @property {(root: HTMLElement, studio: import("./main.js").Studio) => void | Promise<void>} start builds the tab,
 *     once
 * @property {(item: import("./api.js").Item) => void | Promise<void>} [take] puts a picture into the tab's first well
 * @property {(state: any) => void | Promise<void>} [restore] goes back to what the tab gave to `history.add`; null: to
 *     the
 *     photo before any result
 */

/** @type {{id: keyof typeof words.tabs.names, takes: boolean, load: () => Promise<{tab: Tab}>}[]} */
const TABS = [
  { id: "swap", takes: true, load: () => import("./tab-swap.js") },
  { id: "edit", takes: true, load: () => import("./tab-edit.js") },
  // @ts-ignore
  { id: "paint", takes: true, load: () => import("./tab-paint.js") },
  // @ts-ignore
  { id: "style", takes: true, load: () => import("./tab-style.js") },
  // @ts-ignore
  { id: "morph", takes: true, load: () => import("./tab-morph.js") },
  // @ts-ignore
  { id: "new", takes: true, load: () => import("./tab-new.js") },
  { id: "check", takes: false, load: () => import("./tab-check.js") },
];

export class Tabs {
  /** @param {import("./main.js").Studio} studio */
  constructor(studio) {
    this.studio = studio;
    this.current = "";
    this.list = el("div", { class: "tabs", role: "tablist", "aria-label": words.tabs.label });
    this.panels = el("main", { id: "tool" });
    /** @type {Map<string, {button: HTMLElement, panel: HTMLElement, module: Promise<Tab | null> | null}>} */
    this.all = new Map();
    for (const { id } of TABS) this.add(id);
    this.list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event));
  }

  /** @param {keyof typeof words.tabs.names} id */
  add(id) {
    const button = el("button", {
      type: "button",
      role: "tab",
      id: `tab-${id}`,
      "aria-controls": `panel-${id}`,
      "aria-selected": "false",
      tabindex: "-1",
      text: words.tabs.names[id],
      on: { click: () => this.open(id) },
    });
    const panel = el("div", { role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}`, hidden: true });
    this.list.append(button);
    this.panels.append(panel);
    this.all.set(id, { button, panel, module: null });
  }

  /** The tabs that a result can be used in. @returns {{id: string, label: string}[]} */
  takers() {
    return TABS.filter((tab) => tab.takes).map(({ id }) => ({ id, label: words.tabs.names[id] }));
  }

  /** Open a tab. @param {string} id @returns {Promise<Tab | null>} its module, when it is built; null: it is missing */
  open(id) {
    const known = this.all.get(id);
    const entry = TABS.find((tab) => tab.id === id);
    if (!known || !entry) return this.open(TABS[0].id);
    for (const [other, { button, panel }] of this.all) {
      button.setAttribute("aria-selected", String(other === id));
      button.tabIndex = other === id ? 0 : -1;
      panel.hidden = other !== id;
    }
    this.current = id;
    window.history.replaceState(null, "", `#${id}`);
    known.button.scrollIntoView({ block: "nearest", inline: "nearest" });
    known.module ??= this.build(entry, known.panel);
    return known.module;
  }

  /** @param {typeof TABS[number]} entry @param {HTMLElement} panel @returns {Promise<Tab | null>} */
  async build(entry, panel) {
    try {
      const { tab } = await entry.load();
      await tab.start(panel, this.studio);
      return tab;
    } catch (error) {
      console.error(error);
      panel.replaceChildren(el("p", { class: "nothing", role: "alert", text: words.tabs.missing }));
      return null;
    }
  }

  /**
   * Go back to a result in the tab that made it.
   *
   * @param {string} id of the tab
   * @param {any} state what the tab gave with the result; null: to the photo before any
   * @param {import("./history.js").Entry} entry
   */
  async restore(id, state, entry) {
    const tab = await this.open(id);
    if (state === null && entry !== this.studio.history.current && entry.root && !tab?.restore) {
      this.studio.results.clear(entry.root, words.history.none);
    }
    await tab?.restore?.(state);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const ids = TABS.map((tab) => tab.id);
    const now = ids.findIndex((id) => id === this.current);
    const to = /** @type {Record<string, number>} */ ({
      ArrowLeft: now - 1,
      ArrowRight: now + 1,
      Home: 0,
      End: ids.length - 1,
    })[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const id = ids[(to + ids.length) % ids.length];
    this.open(id);
    this.all.get(id)?.button.focus();
  }
}
