// @ts-check
/** Pictures that chance draws: of the same person, or with random hair or faces. */

import { el, fresh } from "./dom.js";
import { words } from "./words.js";

/** Seeds that are tried: short enough to be written down. */
const SEEDS = 10_000;

/** New pictures of a person. @param {import("./tab-new.js").Maker} maker */
export function drawControls(maker) {
  drawing(maker, { verb: "synthesize", value: 9, most: 36, fields: () => ({}) });
}

/** Random hair for a face, or random faces for its hair. @param {import("./tab-new.js").Maker} maker */
export function randomControls(maker) {
  const part = maker.studio.controls.choice({ label: words.fresh.random, options: words.fresh.randoms, value: "hair" });
  maker.root.append(part.element);
  drawing(maker, { verb: "random", value: 8, most: 24, fields: () => ({ part: part.value }) });
}

/**
 * How many, which seed, and the buttons that draw.
 *
 * @param {import("./tab-new.js").Maker} maker
 * @param {{verb: string, value: number, most: number, fields: () => Record<string, any>}} given value: how many at
 *     first
 */
function drawing({ studio, root, well, photo, onDone }, { verb, value, most, fields }) {
  const { slider, button, task, failing } = studio.controls;
  const count = slider({ label: words.fresh.count, min: 1, max: most, step: 1, value });
  const id = fresh("seed");
  const seed = el("input", { type: "number", id, class: "text", min: 0, max: SEEDS - 1, step: 1, value: 0 });
  const box = el(
    "div",
    { class: "field" },
    el("label", { for: id, text: words.fresh.seed }),
    seed,
    el("span", { class: "hint", text: words.fresh.seedHint }),
  );
  root.append(count.element, box);
  const { start, button: main } = task({
    root,
    label: words.fresh.draw,
    verb,
    places: { photo: well, pick: well, count, seed: { fail: failing(box, seed) } },
    fields: () => ({
      ...photo(),
      ...fields(),
      count: count.value,
      seed: Math.abs(Math.trunc(Number(seed.value) || 0)),
    }),
    onDone,
  });
  main.after(
    button({
      label: words.fresh.others,
      onClick: () => {
        if (main.hasAttribute("aria-busy")) return;
        seed.value = String(Math.floor(Math.random() * SEEDS));
        start();
      },
    }),
  );
}
