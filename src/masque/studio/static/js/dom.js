// @ts-check
/** Making elements, and speaking to screen readers. */

/**
 * @typedef {string | Node | null | undefined | false} Child
 */

/**
 * Make an element.
 *
 * @param {string} tag its name
 * @param {Record<string, any>} [given] attributes by name; `text` is its text, `on` holds listeners by event, `class`
 *     its
 *     classes. A value of true sets an attribute without a value; false, null and undefined leave it out.
 * @param {...Child} children what is put inside
 * @returns {any} the element
 */
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "text") made.textContent = value;
    else if (name === "on") for (const [event, run] of Object.entries(value)) made.addEventListener(event, run);
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(
    .../** @type {(string | Node)[]} */ (
      children.filter((child) => child !== null && child !== undefined && child !== false)
    ),
  );
  return made;
}

let counted = 0;

/**
 * An id that no other element has.
 *
 * @param {string} stem its beginning
 * @returns {string}
 */
export function fresh(stem) {
  counted += 1;
  return `${stem}-${counted}`;
}

const live = el("p", { class: "unseen", "aria-live": "polite", id: "said" });

/**
 * Have screen readers say a sentence when they are free to.
 *
 * @param {string} sentence what is said
 */
export function announce(sentence) {
  if (!live.isConnected) document.body.append(live);
  live.textContent = "";
  setTimeout(() => {
    live.textContent = sentence;
  }, 30); // a text that does not change is not read again
}

/**
 * The two columns of a tab: what goes in at the left, what comes out at the right; below one another on a phone.
 *
 * @param {HTMLElement} root the tab's panel
 * @param {{inputs: string, result: string}} labels what screen readers call them
 * @param {{live?: boolean}} [options] live: on a phone the picture stays in sight above the controls that change it
 * @returns {{inputs: HTMLElement, result: HTMLElement}}
 */
export function columns(root, labels, { live = false } = {}) {
  const inputs = el("section", { class: "inputs", "aria-label": labels.inputs });
  const result = el("section", { class: "outcome", "aria-label": labels.result });
  root.append(el("div", { class: live ? "columns live" : "columns" }, inputs, result));
  return { inputs, result };
}

/**
 * A button that unfolds a short list of further buttons; it folds again by Escape, by a choice and by a click
 * elsewhere.
 *
 * @param {string} label what the button says
 * @param {{label: string, run: () => void}[]} entries the list
 * @returns {HTMLElement}
 */
export function menu(label, entries) {
  const list = el("div", { class: "menu-list" });
  const box = el("details", { class: "menu" }, el("summary", { class: "button quiet", text: label }), list);
  for (const entry of entries) {
    list.append(
      el("button", {
        type: "button",
        text: entry.label,
        on: {
          click: () => {
            box.open = false;
            entry.run();
          },
        },
      }),
    );
  }
  box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !box.open) return;
    box.open = false;
    box.querySelector("summary")?.focus();
  });
  box.addEventListener("focusout", (/** @type {FocusEvent} */ event) => {
    if (event.relatedTarget instanceof Node && !box.contains(event.relatedTarget)) box.open = false;
  });
  box.addEventListener("toggle", () => {
    if (!box.open) return;
    box.classList.remove("up");
    box.classList.toggle("up", list.getBoundingClientRect().bottom > window.innerHeight - 72); // the history is there
    const away = (/** @type {Event} */ event) => {
      if (!box.contains(/** @type {Node} */ (event.target))) box.open = false;
      if (!box.open) document.removeEventListener("pointerdown", away);
    };
    document.addEventListener("pointerdown", away);
  });
  return box;
}
