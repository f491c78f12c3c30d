// @ts-check
/** The person of one photo with what another photo shows: its expression, its light, its pose. */

import { ApiError } from "./api.js";
import { el, fresh } from "./dom.js";
import { words } from "./words.js";

/** @param {import("./tab-new.js").Maker} maker */
export function borrowControls({ studio, root, well, photo, onDone }) {
  const { task, failing } = studio.controls;
  const other = studio.well({ label: words.fresh.other, small: true });
  const checks = Object.entries(words.fresh.borrows).map(([field, label], place) => {
    const id = fresh("borrow");
    const input = el("input", { type: "checkbox", id, checked: place === 0 });
    return { field, input, row: el("div", { class: "check" }, input, el("label", { for: id, text: label })) };
  });
  const which = el(
    "fieldset",
    { class: "choice" },
    el("legend", { text: words.fresh.borrow }),
    el("div", { class: "checks" }, ...checks.map(({ row }) => row)),
  );
  root.append(other.element, which);
  const places = /** @type {Record<string, {fail: (sentence: string | null) => void}>} */ ({
    photo: well,
    pick: well,
    other,
    which: { fail: failing(which, which) },
  });
  for (const { field } of checks) places[field] = other;
  task({
    root,
    label: words.fresh.borrowGo,
    verb: "synthesize",
    places,
    fields: () => {
      const given = photo();
      const { item } = other;
      if (!item) throw new ApiError(words.well.needed, "", "other");
      const wanted = checks.filter(({ input }) => input.checked).map(({ field }) => field);
      if (!wanted.length) throw new ApiError(words.fresh.borrowNone, "", "which");
      return {
        ...given,
        ...Object.fromEntries(
          wanted.flatMap((field) => [
            [field, item],
            [`pick_${field}`, item.pick],
          ]),
        ),
      };
    },
    onDone,
  });
}
