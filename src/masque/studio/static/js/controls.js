// @ts-check
/** Sliders, choices, buttons, and the sentence beside a control that something went wrong. */

import { el, fresh } from "./dom.js";
import { words } from "./words.js";

export { task } from "./task.js";

/**
 * A slider with its name and value.
 *
 * @param {object} given
 * @param {string} given.label what it sets
 * @param {number} given.min
 * @param {number} given.max
 * @param {number} [given.step]
 * @param {number} given.value where it starts
 * @param {(value: number) => string} [given.said] the value as a text
 * @param {(value: number) => void} [given.onInput] while it moves
 * @param {(value: number) => void} [given.onChange] when it was let go
 * @returns {{element: HTMLElement, input: HTMLInputElement, value: number, set: (value: number, said?: string) => void,
 *     range: (min: number, max: number) => void,
 *     fail: (sentence: string | null) => void}} `said` stands in place of the value until it moves
 */
export function slider({ label, min, max, step = 0.01, value, said = String, onInput, onChange }) {
  const id = fresh("slider");
  const shown = el("output", { for: id });
  const input = el("input", { type: "range", id, min, max, step, value });
  const show = (text = said(Number(input.value))) => {
    shown.textContent = text;
    input.setAttribute("aria-valuetext", shown.textContent);
    const [least, most] = [Number(input.min), Number(input.max)];
    input.style.setProperty("--share", `${(100 * (Number(input.value) - least)) / (most - least)}%`);
  };
  input.addEventListener("input", () => {
    show();
    onInput?.(Number(input.value));
  });
  input.addEventListener("change", () => onChange?.(Number(input.value)));
  show();
  const element = el("div", { class: "slider" }, el("label", { for: id, text: label }), shown, input);
  return {
    element,
    input,
    get value() {
      return Number(input.value);
    },
    set: (next, text) => {
      input.value = String(next);
      show(text);
    },
    range: (least, most) => {
      input.min = String(least);
      input.max = String(most);
      show();
    },
    fail: failing(element, input),
  };
}

/**
 * One of a few, as a row of buttons.
 *
 * @param {object} given
 * @param {string} given.label what is chosen
 * @param {{value: string, label: string, hint?: string}[]} given.options
 * @param {string} given.value which one at first
 * @param {(value: string) => void} [given.onChange]
 * @returns {{element: HTMLElement, value: string, set: (value: string) => void, fail: (sentence: string | null) =>
 *     void}}
 */
export function choice({ label, options, value, onChange }) {
  const name = fresh("choice");
  const hint = el("p", { class: "hint", id: fresh("hint") });
  const row = el("div", { class: "choices" });
  const inputs = options.map((option) => {
    const id = fresh("option");
    const input = el("input", {
      type: "radio",
      name,
      id,
      value: option.value,
      checked: option.value === value,
      on: {
        change: () => {
          show();
          onChange?.(option.value);
        },
      },
    });
    row.append(input, el("label", { for: id, text: option.label }));
    return input;
  });
  const chosen = () => inputs.find((input) => input.checked)?.value ?? value;
  const show = () => {
    hint.textContent = options.find((option) => option.value === chosen())?.hint ?? "";
  };
  const element = el("fieldset", { class: "choice" }, el("legend", { text: label }), row, hint);
  show();
  return {
    element,
    get value() {
      return chosen();
    },
    set: (next) => {
      for (const input of inputs) input.checked = input.value === next;
      show();
    },
    fail: failing(element, element),
  };
}

/**
 * A button.
 *
 * @param {object} given
 * @param {string} given.label what it says
 * @param {(event: Event) => void} given.onClick
 * @param {"main" | "quiet" | "plain"} [given.kind] how much it stands out
 * @param {string} [given.title] what screen readers say instead of the label
 * @returns {HTMLButtonElement}
 */
export function button({ label, onClick, kind = "plain", title }) {
  return el("button", {
    type: "button",
    class: `button ${kind}`,
    text: label,
    "aria-label": title,
    title,
    on: { click: onClick },
  });
}

/**
 * What shows, beside a control, the sentence of a failure, and takes it away again for null.
 *
 * @param {HTMLElement} box behind whose content the sentence stands
 * @param {HTMLElement} control what the sentence is about
 * @returns {(sentence: string | null) => void}
 */
export function failing(box, control) {
  const id = fresh("error");
  /** @type {HTMLElement | null} */
  let shown = null;
  return (sentence) => {
    shown?.remove();
    shown = null;
    control.removeAttribute("aria-describedby");
    control.removeAttribute("aria-invalid");
    if (!sentence) return;
    shown = el("p", { class: "error", role: "alert", id, text: sentence });
    box.append(/** @type {Node} */ (shown));
    shown?.scrollIntoView({ block: "nearest" }); // the button that was pressed may stand far from it
    control.setAttribute("aria-describedby", id);
    if (control instanceof HTMLInputElement) control.setAttribute("aria-invalid", "true");
  };
}

/** What a failure says. @param {unknown} error @returns {string} */
export function sentenceOf(error) {
  if (error instanceof Error && "sentence" in error) return words.plain(String(error.sentence));
  console.error(error); // of the page itself: what a user can do about it is to load the page again
  return words.errors.page;
}

/** Whether something was cancelled, which is no failure. @param {unknown} error @returns {boolean} */
export const wasCancelled = (error) => error instanceof DOMException && error.name === "AbortError";
