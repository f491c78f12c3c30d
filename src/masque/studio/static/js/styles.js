// @ts-check
/** The shape of a face in the styles of several portraits at once. */

import { ApiError } from "./api.js";
import { el } from "./dom.js";
import { Faces } from "./faces.js";
import { words } from "./words.js";

/**
 * A folded part with a place for each portrait, and the button that paints the sheet.
 *
 * @param {object} given
 * @param {import("./main.js").Studio} given.studio
 * @param {HTMLElement} given.root where it goes
 * @param {import("./well.js").Well} given.photo with the photo whose shape is painted
 * @param {(result: import("./api.js").Result, fields: Record<string, any>) => void} given.onDone
 */
export function severalStyles({ studio, root, photo, onDone }) {
  const faces = new Faces(studio, () => {}, { least: 1, texts: words.styles });
  const panel = el("div", { class: "panel" }, el("p", { class: "hint", text: words.styles.hint }), faces.element);
  root.append(el("details", { class: "group" }, el("summary", { text: words.styles.title }), panel));
  const { button } = studio.controls.task({
    root: panel,
    label: words.styles.go,
    verb: "faces-for",
    places: { photo, pick: photo, styles: faces, picks: faces },
    fields: () => {
      if (!photo.item) throw new ApiError(words.well.needed, "", "photo");
      const { photos: styles, picks } = faces.given("styles");
      return { photo: photo.item, pick: photo.item.pick, styles, picks };
    },
    onDone,
  });
  button.classList.remove("main");
}
