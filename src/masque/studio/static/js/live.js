// @ts-check
/** A result that follows a slider: a small picture while it moves, the full size when it rests. */

import { ApiError } from "./api.js";
import { failing, sentenceOf, wasCancelled } from "./controls.js";
import { progress } from "./task.js";

/** Pixels of the longer side of the small picture. */
export const SMALL = 512;
/** Milliseconds without a movement after which the full size is made. */
const REST = 500;
const PATIENCE = 2000;
/** Milliseconds after which a small picture is asked for again where the server was busy. */
const BUSY = 400;

/**
 * @typedef {import("./api.js").Result} Result
 * @typedef {{touch: () => void, stop: () => void}} Live `touch` when a slider moved; `stop` forgets what is under way
 */

/**
 * Make pictures follow sliders. One small picture is made at a time, always of the newest values, so that a slow
 * machine
 * shows fewer of them and never an old one last.
 *
 * @param {object} given
 * @param {import("./main.js").Studio} given.studio
 * @param {HTMLElement} given.root where progress and failures are shown
 * @param {string} given.label what is done, in progress
 * @param {string} given.verb
 * @param {() => Record<string, any> | null} given.fields what is sent now; null: nothing is to be made
 * @param {(url: string, fields: Record<string, any>) => void} given.onDraft gets each small picture
 * @param {(result: Result, fields: Record<string, any>) => void} given.onDone gets the full size
 * @param {Record<string, {fail: (sentence: string | null) => void}>} [given.places] where failures of a field, or of a
 *     kind, are shown
 * @param {Record<string, any>} [given.small] what is sent as well to have a small picture
 * @returns {Live}
 */
export function live({
  studio,
  root,
  label,
  verb,
  fields,
  onDraft,
  onDone,
  places = {},
  small: shrunk = { longest: SMALL },
}) {
  const fail = failing(root, root);
  let wanted = 0; // counts movements
  let shown = -1; // of which the full size is there: a small picture that comes later is not shown
  let drafting = false;
  let rest = 0;
  let rested = false; // the full size is to follow the small picture that is being made
  /** @type {AbortController | null} */
  let full = null;
  /** @type {AbortController | null} */
  let small = null;
  let address = "";

  const told = (/** @type {unknown} */ error) => {
    if (wasCancelled(error)) return;
    const place = error instanceof ApiError ? (places[error.field ?? ""] ?? places[error.kind]) : undefined;
    (place?.fail ?? fail)(sentenceOf(error));
  };
  const clear = () => {
    fail(null);
    for (const place of Object.values(places)) place.fail(null);
  };

  const draft = async () => {
    if (drafting) return;
    drafting = true;
    try {
      for (let made = -1; made !== wanted;) {
        made = wanted;
        const sent = fields();
        if (!sent) break;
        small = new AbortController();
        const blob = await studio.api.draft(verb, { ...sent, ...shrunk }, small.signal);
        if (small.signal.aborted || shown === wanted) break;
        const last = address;
        address = URL.createObjectURL(blob);
        clear();
        onDraft(address, sent);
        if (last) setTimeout(() => URL.revokeObjectURL(last), 5000);
      }
    } catch (error) {
      if (error instanceof ApiError && error.status === 429) setTimeout(draft, BUSY);
      else told(error);
    } finally {
      drafting = false;
      if (rested) rest = window.setTimeout(finish, REST); // one looks at the small picture first, and may move on
    }
  };

  const finish = async () => {
    rested = false;
    const sent = fields();
    if (!sent) return;
    const mine = new AbortController();
    full = mine;
    const line = progress(label);
    line.cancel.addEventListener("click", () => mine.abort());
    const late = setTimeout(() => root.append(line.element), PATIENCE);
    try {
      const result = await studio.api.run(verb, sent, { onProgress: line.show, signal: mine.signal });
      if (full === mine) {
        shown = wanted;
        clear();
        onDone(result, sent);
      }
    } catch (error) {
      if (full === mine) told(error);
    } finally {
      clearTimeout(late);
      line.element.remove();
    }
  };

  const quiet = () => {
    clearTimeout(rest);
    rested = false;
    full?.abort();
    full = null;
  };
  return {
    touch: () => {
      wanted += 1;
      quiet();
      rest = window.setTimeout(() => (drafting ? (rested = true) : finish()), REST);
      draft();
    },
    stop: () => {
      wanted += 1;
      small?.abort();
      quiet();
      clear();
    },
  };
}
