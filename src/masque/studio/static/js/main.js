// @ts-check
/** The page: the door, the notice, the tabs, and what all of them share. */

import { Api } from "./api.js";
import * as controls from "./controls.js";
import { askAtDoor, clientOfTab, tokenOfLink } from "./door.js";
import { columns, el } from "./dom.js";
import { watchPage } from "./drop.js";
import { History } from "./history.js";
import { live } from "./live.js";
import { askConsent } from "./notice.js";
import { Results } from "./result.js";
import { Tabs } from "./tabs.js";
import { themeChoice } from "./theme.js";
import { itemOf, well } from "./well.js";
import { words } from "./words.js";

/** Milliseconds between looks at a server that still loads. */
const LOOK = 700;

/** What every tab works with. */
export class Studio {
  /** @param {Api} api */
  constructor(api) {
    this.api = api;
    this.words = words;
    this.columns = columns;
    this.results = new Results(this);
    this.history = new History(this);
    this.tabs = new Tabs(this);
    this.controls = {
      ...controls,
      task: (/** @type {Omit<Parameters<typeof controls.task>[0], "studio">} */ given) =>
        controls.task({ studio: this, ...given }),
      live: (/** @type {Omit<Parameters<typeof live>[0], "studio">} */ given) => live({ studio: this, ...given }),
    };
  }

  /**
   * A well for one photo.
   *
   * @param {Omit<Parameters<typeof well>[0], "studio">} given
   * @returns {import("./well.js").Well}
   */
  well(given) {
    return well({ studio: this, ...given });
  }

  /** What lies in a well, of a file. @param {File} file @returns {Promise<import("./api.js").Item>} */
  async itemOf(file) {
    return (await itemOf(this, await this.api.upload(file), { file })).item;
  }

  /**
   * Show a result, and put it into the history.
   *
   * @param {HTMLElement} root where it is shown
   * @param {import("./api.js").Result} result
   * @param {{before?: import("./api.js").Item | null, state?: any, tab?: string}} [made] before: what it is compared
   *     with;
   *     state: what the tab's `restore(state)` gets when somebody comes back to it; tab: which made it
   */
  finish(root, result, { before = null, state = null, tab = this.tabs.current } = {}) {
    this.history.add(result, { root, before, state, tab });
    const shown = this.results.show(root, result, { before });
    if (
      tab === this.tabs.current &&
      !root.closest(".live") &&
      root.getBoundingClientRect().top > window.innerHeight / 2
    ) {
      shown.then(() => root.scrollIntoView({ block: "start" })); // on a phone it lies below all controls
    }
    return shown;
  }

  /**
   * One picture of a sheet as a photo of its own.
   *
   * @param {import("./api.js").Result} result
   * @param {number} cell from 0 on
   * @returns {Promise<import("./api.js").Item>}
   */
  async itemOfCell(result, cell) {
    const name = words.cells.name(words.verbs[result.verb] ?? result.verb, cell + 1);
    const content = await this.api.picture("results", result.id, { cell });
    return this.itemOf(new File([content], `${name}.png`, { type: "image/png" }));
  }

  /**
   * Put a result into the first well of a tab, and open that tab.
   *
   * @param {import("./api.js").Result} result
   * @param {string} id
   * @param {number} [cell] of a sheet, the one picture to use, from 0 on
   */
  async use(result, id, cell) {
    const item = cell === undefined ? await this.results.item(result) : await this.itemOfCell(result, cell);
    const tab = await this.tabs.open(id);
    await tab?.take?.(item);
    document.getElementById("tool")?.scrollIntoView({ block: "start" });
    document.getElementById(`tab-${id}`)?.focus({ preventScroll: true }); // the button that was clicked is out of sight
  }
}

/** @param {Studio} studio @returns {HTMLElement} a sentence while models load, and where weights are missing */
function status(studio) {
  const line = el("p", { class: "status", role: "status" });
  const look = async () => {
    const now = await studio.api.get("/status").catch(() => null); // what a user then tries says why
    if (now?.limits) studio.api.limits = now.limits;
    if (now?.ready) line.textContent = now.missing?.length ? words.missing(now.missing) : "";
    else {
      line.textContent = words.loading(now?.doing ?? words.loadingModels);
      setTimeout(look, LOOK);
    }
    line.hidden = !line.textContent;
  };
  look();
  return line;
}

/** Build the page. */
async function start() {
  const opened = location.hash.slice(1);
  const token = tokenOfLink();
  const here = /^(127\.|localhost$|\[::1\])/.test(location.hostname);
  /** @type {Api} */
  const api = new Api(token, clientOfTab(), () => askAtDoor(api));
  const studio = new Studio(api);
  document.body.append(
    el("a", {
      class: "skip",
      href: "#tool",
      text: words.skip,
      on: {
        click: (/** @type {Event} */ event) => {
          event.preventDefault();
          studio.tabs.panels.querySelector("button")?.focus();
        },
      },
    }),
    el(
      "header",
      {},
      el(
        "div",
        { class: "brand" },
        el("h1", { text: words.name }),
        el("p", { text: here ? words.tagline : words.away(location.hostname) }),
      ),
      themeChoice(),
    ),
    el("nav", {}, studio.tabs.list),
    studio.tabs.panels,
    studio.history.element,
  );
  watchPage();
  studio.tabs.panels.before(status(studio));
  await studio.tabs.open(opened);
  await askConsent(api);
}

start();
