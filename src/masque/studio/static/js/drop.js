// @ts-check
/** Ways in for a file: dropped, pasted, chosen, taken by camera. */

import { el } from "./dom.js";

/**
 * @typedef {{element: HTMLElement, taking: (files: File[]) => void, empty: () => boolean}} Taker what can take files
 * @type {Set<Taker>}
 */
const takers = new Set();

/**
 * Let files be dropped on an element, or pasted while it is on the page.
 *
 * @param {HTMLElement} element what they are dropped on
 * @param {(files: File[]) => void} taking gets them
 * @param {() => boolean} empty whether it still waits for one: what is pasted goes to the first that does
 */
export function takeFiles(element, taking, empty) {
  takers.add({ element, taking, empty });
  element.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    element.classList.add("over");
  });
  for (const name of ["dragleave", "drop"]) element.addEventListener(name, () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) taking(files);
  });
}

/** Give what is pasted or dropped anywhere on the page to the well that it is meant for. */
export function watchPage() {
  const pass = (/** @type {Event} */ event, /** @type {File[]} */ files) => {
    if (!files.length || event.defaultPrevented) return;
    const shown = [...takers].filter((taker) => taker.element.checkVisibility());
    const focused = shown.find((taker) => taker.element.contains(document.activeElement));
    const taker = focused ?? shown.find((one) => one.empty()) ?? shown[0];
    if (!taker) return;
    event.preventDefault();
    taker.taking(files);
  };
  document.addEventListener("paste", (event) => pass(event, [...(event.clipboardData?.files ?? [])]));
  document.addEventListener("drop", (event) => {
    pass(event, [...(event.dataTransfer?.files ?? [])]);
    event.preventDefault(); // the browser would leave the page and show the file
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
}

/**
 * A button that opens the system's dialog to choose a file.
 *
 * @param {object} given
 * @param {string} given.label what it says
 * @param {string} given.title what screen readers say
 * @param {string} given.accept kinds of files
 * @param {"quiet" | "plain"} [given.kind] how much it stands out
 * @param {boolean} [given.several] whether more than one can be chosen
 * @param {(files: File[]) => void} given.taking gets them
 * @returns {HTMLElement}
 */
export function chooser({ label, title, accept, kind = "plain", several = false, taking }) {
  const input = el("input", {
    type: "file",
    accept,
    multiple: several,
    hidden: true,
    tabindex: "-1",
    "aria-label": title,
  });
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // the same file may be chosen again
    if (files.length) taking(files);
  });
  const button = el("button", {
    type: "button",
    class: `button ${kind}`,
    text: label,
    "aria-label": title,
    on: { click: () => input.click() },
  });
  return el("span", {}, button, input);
}
