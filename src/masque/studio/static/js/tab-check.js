// @ts-check
/** The tab that says what a file's record tells of how it was made. */

import { ApiError } from "./api.js";
import { failing, sentenceOf } from "./controls.js";
import { announce, el } from "./dom.js";
import { chooser, takeFiles } from "./drop.js";
import { recordOf } from "./result.js";
import { words } from "./words.js";

const KINDS = "image/*,video/mp4,.heic,.heif";

/** @type {import("./tabs.js").Tab} */
export const tab = {
  id: "check",
  start(root, studio) {
    const { inputs, result } = studio.columns(root, { inputs: words.check.title, result: words.result.record });
    const body = el("div", { class: "well-body" });
    const well = el("section", { class: "well", "aria-label": words.check.label, "data-state": "empty" }, body);
    const fail = failing(well, body);
    const taking = (/** @type {File[]} */ files) => look(files[0]);
    const choose = (/** @type {string} */ label) => chooser({ label, title: label, accept: KINDS, taking });
    let asked = 0;

    const look = async (/** @type {File} */ file) => {
      const turn = ++asked;
      fail(null);
      well.setAttribute("aria-busy", "true");
      try {
        if (file.type && !/^(image|video)\//.test(file.type)) throw new ApiError(words.check.kind(file.name));
        const verdict = await studio.api.verify(file);
        if (turn !== asked) return;
        body.replaceChildren(
          shownOf(file),
          el(
            "div",
            { class: "well-foot" },
            el("span", { class: "name", text: file.name, title: file.name }),
            choose(words.check.again),
          ),
        );
        well.dataset.state = "full";
        result.replaceChildren(...verdictOf(verdict));
        announce(verdict.words.join(" "));
      } catch (error) {
        if (turn !== asked) return;
        begin(); // what the file before said is not said of this one
        fail(sentenceOf(error));
      } finally {
        if (turn === asked) well.removeAttribute("aria-busy");
      }
    };

    const begin = () => {
      well.dataset.state = "empty";
      body.replaceChildren(
        el("p", { class: "invite", text: words.check.invite }),
        el("div", { class: "row" }, choose(words.check.choose)),
      );
      result.replaceChildren(el("p", { class: "nothing", text: words.check.empty }));
    };
    begin();
    takeFiles(well, taking, () => true);
    inputs.append(
      el("h2", { class: "unseen", text: words.check.title }),
      el("p", { class: "lead", text: words.check.lead }),
      well,
    );
  },
};

/** @param {File} file @returns {HTMLElement} what the file shows, by the browser's own eyes */
function shownOf(file) {
  const url = URL.createObjectURL(file);
  const film = file.type.startsWith("video/");
  const shown = film
    ? el("video", { src: url, controls: true, loop: true, playsinline: true, "aria-label": words.check.alt(file.name) })
    : el("img", { src: url, alt: words.check.alt(file.name) });
  if (!film) shown.addEventListener("error", () => shown.remove()); // a kind that the browser does not know
  return el("div", { class: "photo checked" }, shown);
}

/**
 * @param {{masque: boolean, unchanged: boolean | null, words: string[], record: Record<string, any> | null}} verdict
 * @returns {HTMLElement[]}
 */
function verdictOf(verdict) {
  const state = !verdict.masque ? "unknown" : verdict.unchanged === false ? "changed" : "made";
  return [
    el(
      "div",
      { class: "verdict", "data-state": state },
      el("span", { class: "mark", "aria-hidden": true }),
      el("h2", { text: words.check[state] }),
    ),
    el("div", { class: "record" }, ...recordOf(verdict)),
  ];
}
