// @ts-check
/** A strip of pictures between two faces: parts of the one that turn into the other's, or people who lie between. */

import { ApiError } from "./api.js";
import { el } from "./dom.js";
import { words } from "./words.js";

/**
 * The controls of a strip, with the button that makes it.
 *
 * @param {object} given
 * @param {import("./main.js").Studio} given.studio
 * @param {HTMLElement} given.root where they go
 * @param {import("./faces.js").Faces} given.faces of which the first two are taken
 * @param {(result: import("./api.js").Result, fields: Record<string, any>) => void} given.onDone
 */
export function stripControls({ studio, root, faces, onDone }) {
  const { slider, choice, task } = studio.controls;
  const steps = slider({ label: words.strip.steps, min: 3, max: 12, step: 1, value: 6 });
  const part = choice({
    label: words.strip.part,
    options: words.strip.parts,
    value: "both",
    onChange: () => show(),
  });
  const fail = (/** @type {number} */ place) => faces.places[place].well;
  const places = {
    get a() {
      return fail(0);
    },
    get b() {
      return fail(1);
    },
    steps,
    part,
  };
  const fields = () => {
    const [a, b] = [0, 1].map((place) => faces.places[place].well.item);
    if (!a || !b) throw new ApiError(words.well.needed, "", a ? "b" : "a");
    return { a, b, pick_a: a.pick, pick_b: b.pick, steps: steps.value };
  };
  const blended = el("div", {});
  const mixed = el("div", {});
  root.append(part.element, steps.element, blended, mixed);
  task({
    root: blended,
    label: words.strip.go,
    verb: "blend",
    places,
    fields: () => ({ ...fields(), part: part.value }),
    onDone,
  });
  task({ root: mixed, label: words.strip.go, verb: "mix-identity", places, fields, onDone });
  const show = () => {
    blended.hidden = part.value === "identity";
    mixed.hidden = part.value !== "identity";
  };
  show();
}
