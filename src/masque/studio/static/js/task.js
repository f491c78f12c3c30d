// @ts-check
/** A button that makes a result: one click, progress after two seconds, a way to cancel, and failures beside it. */

import { ApiError } from "./api.js";
import { failing, sentenceOf, wasCancelled } from "./controls.js";
import { announce, el } from "./dom.js";
import { words } from "./words.js";

/** Milliseconds after which a user is told what is being done. */
const PATIENCE = 2000;

/**
 * @typedef {{fail: (sentence: string | null) => void}} Place where a failure can be shown: a well, a slider, a choice
 * @typedef {import("./api.js").Result} Result
 * @typedef {import("./api.js").Job} Job
 */

/**
 * A button that starts a job, and the line below it that tells how far that is. While it runs, a click starts none;
 * other buttons are free.
 *
 * @param {object} given
 * @param {import("./main.js").Studio} given.studio
 * @param {HTMLElement} given.root where the button goes
 * @param {string} given.label what the button says
 * @param {string} given.verb what is done, such as "swap"
 * @param {() => Record<string, any> | null | Promise<Record<string, any> | null>} given.fields what is sent, looked up
 *     at the click; null: not yet possible,
 *     and a place says why. May throw an ApiError
 * @param {(result: Result, fields: Record<string, any>) => void} given.onDone
 * @param {Record<string, Place>} [given.places] where failures of a field are shown; others stand below the button
 * @returns {{button: HTMLButtonElement, start: () => Promise<void>, cancel: () => void}}
 */
export function task({ studio, root, label, verb, fields, onDone, places = {} }) {
  const button = el("button", { type: "button", class: "button main", text: label });
  const lines = el("div", { class: "lines" });
  const box = el("div", { class: "task" }, button, lines);
  const fail = failing(box, button);
  /** @type {Set<AbortController>} */
  const running = new Set();
  const told = (/** @type {unknown} */ error) => {
    const place = error instanceof ApiError && error.field ? places[error.field] : undefined;
    (place?.fail ?? fail)(sentenceOf(error));
  };
  const start = async () => {
    if (running.size) return;
    fail(null);
    for (const place of Object.values(places)) place.fail(null);
    const line = progress(label);
    const controller = new AbortController();
    line.cancel.addEventListener("click", () => controller.abort());
    running.add(controller);
    button.setAttribute("aria-busy", "true");
    button.setAttribute("aria-disabled", "true");
    const late = setTimeout(() => {
      lines.append(line.element);
      line.element.scrollIntoView({ block: "nearest" });
      announce(words.task.working(label));
    }, PATIENCE);
    try {
      const sent = await fields();
      if (!sent) return;
      const result = await studio.api.run(verb, sent, { onProgress: line.show, signal: controller.signal });
      onDone(result, sent);
      announce(words.task.done(label));
    } catch (error) {
      if (wasCancelled(error)) announce(words.task.cancelled(label));
      else told(error);
    } finally {
      clearTimeout(late);
      running.delete(controller);
      if (line.element.contains(document.activeElement)) button.focus();
      line.element.remove();
      button.removeAttribute("aria-busy");
      button.removeAttribute("aria-disabled");
    }
  };
  button.addEventListener("click", start);
  root.append(box);
  return { button, start, cancel: () => running.forEach((controller) => controller.abort()) };
}

/**
 * A line that tells how far a job is.
 *
 * @param {string} label what is done
 * @returns {{element: HTMLElement, cancel: HTMLButtonElement, show: (job: Job) => void}}
 */
export function progress(label) {
  const said = el("span", { text: words.task.working(label) });
  const bar = el("progress", { "aria-label": label });
  const cancel = el("button", {
    type: "button",
    class: "button quiet",
    text: words.task.cancel,
    "aria-label": `${words.task.cancel}: ${label}`,
  });
  const element = el("div", { class: "progress" }, said, bar, cancel);
  const show = (/** @type {Job} */ job) => {
    const doing = words.task.doing[job.doing ?? ""] ?? job.doing ?? label;
    said.textContent = job.state === "waiting" ? words.task.waiting(job.place) : words.task.working(doing);
    if (job.of > 1) {
      bar.max = job.of;
      bar.value = job.done;
      if (job.state === "running") said.textContent = words.task.share(doing, job.done, job.of);
    } else bar.removeAttribute("value");
  };
  return { element, cancel, show };
}
