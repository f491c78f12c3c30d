// @ts-check
/** What can be done with a finished result: it is downloaded, used in another tab, or compared with what it was. */

import { sentenceOf } from "./controls.js";
import { announce, el, menu } from "./dom.js";
import { words } from "./words.js";

/**
 * @typedef {import("./api.js").Result} Result
 * @typedef {{studio: import("./main.js").Studio, result: Result, cell?: number, fail: (sentence: string | null) =>
 *     void}}
 *   Given `cell`: the one picture of a sheet that is meant; `fail` shows what goes wrong
 */

/** The formats in which a result can be saved. @param {Given} given @returns {HTMLElement} */
export function downloadMenu(given) {
  const formats = given.result.kind === "film" ? ["mp4"] : ["png", "jpg", "webp"];
  const labels = /** @type {Record<string, string>} */ (words.result.formats);
  return menu(
    words.result.download,
    formats.map((format) => ({ label: labels[format], run: () => download(given, format) })),
  );
}

/** @param {Given} given @param {string} format */
async function download({ studio, result, cell, fail }, format) {
  fail(null);
  try {
    const { api } = studio;
    const blob =
      format === "mp4" ? await api.film(result.id) : await api.picture("results", result.id, { format, cell });
    const name = cell === undefined ? result.verb : `${result.verb}-${cell + 1}`;
    const link = el("a", { href: URL.createObjectURL(blob), download: `masque-${name}.${format}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    studio.history.saved(result);
    announce(words.result.saved(link.download));
  } catch (error) {
    fail(sentenceOf(error));
  }
}

/**
 * The tabs that a result can be used in.
 *
 * @param {Given} given
 * @returns {HTMLElement | null} null where there are none
 */
export function useMenu({ studio, result, cell, fail }) {
  const takers = studio.tabs.takers();
  if (!takers.length) return null;
  return menu(
    words.result.use,
    takers.map((tab) => ({
      label: tab.label,
      run: () => studio.use(result, tab.id, cell).catch((error) => fail(sentenceOf(error))),
    })),
  );
}

/**
 * A button that shows where an edit changed colours, in place of the edit.
 *
 * @param {import("./main.js").Studio} studio
 * @param {HTMLElement} root where the result is shown
 * @param {Result} result
 * @param {import("./api.js").Item} before the photo that it was
 * @returns {HTMLElement}
 */
export function heatmapTask(studio, root, result, before) {
  const box = el("div", { class: "heat" });
  const tab = studio.tabs.current;
  const { button } = studio.controls.task({
    root: box,
    label: words.result.changes,
    verb: "heatmap",
    fields: async () => ({ photo: before, edited: await studio.results.item(result) }),
    onDone: (made) => {
      const shown = studio.history.entries.find((entry) => entry.result === result);
      studio.finish(root, made, { before, tab, state: shown?.state ?? null });
    },
  });
  button.classList.remove("main");
  return box;
}
