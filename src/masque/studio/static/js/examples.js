// @ts-check
/** Pictures to begin with at once, which come with Masque. */

import { el } from "./dom.js";
import { words } from "./words.js";

/** Pixels of the longer side of a small picture, for screens of two pixels a point. */
const SMALL = 160;

/**
 * Offer the examples as small pictures, or by their names where there are none.
 *
 * @param {import("./main.js").Studio} studio
 * @param {string} label of the well they are for
 * @param {(name: string) => void} run gets the name of the one that was chosen
 * @returns {HTMLElement} it fills when the server has answered, and stays empty where it does not
 */
export function exampleRow(studio, label, run) {
  const row = el("div", { class: "examples", role: "group", "aria-label": `${words.well.examples}: ${label}` });
  studio.api.listed ??= studio.api.examples();
  studio.api.listed.then(
    (examples) => {
      row.append(
        el("span", { class: "hint", text: words.well.examples }),
        ...examples.map((one) => {
          const button = el("button", {
            type: "button",
            class: one.picture ? "thumb" : "chip",
            text: one.picture ? null : one.title,
            title: `${one.title} (${one.by})`,
            "aria-label": `${words.well.example(one.title)}: ${label}`,
            on: { click: () => run(one.name) },
          });
          if (one.picture) fill(studio, button, one);
          return button;
        }),
      );
    },
    () => {
      studio.api.listed = undefined; // asked again by the next well; examples are no reason for a sentence
    },
  );
  return row;
}

/**
 * @param {import("./main.js").Studio} studio
 * @param {HTMLElement} button
 * @param {import("./api.js").Example} example
 */
async function fill(studio, button, example) {
  const kept = studio.api.small;
  if (!kept.has(example.name)) {
    const path = `/examples/${encodeURIComponent(example.name)}/picture?longest=${SMALL}`;
    kept.set(
      example.name,
      studio.api.call("GET", path).then(async (answer) => URL.createObjectURL(await answer.blob())),
    );
  }
  try {
    button.append(el("img", { alt: "", src: await kept.get(example.name) }));
  } catch {
    button.textContent = example.title;
  }
}
