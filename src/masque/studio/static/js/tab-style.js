// @ts-check
/** Style: a part of a photo takes the colours and texture of the same part of another photo. */

import { ApiError } from "./api.js";
import { el } from "./dom.js";
import { partChoice } from "./parts.js";
import { severalStyles } from "./styles.js";
import { words } from "./words.js";

/** What can be taken over, the most wanted first. */
const PARTS = ["hair", "skin", "mouth", "eyes", "all"];

/** @type {import("./well.js").Well | null} */
let photo = null;
/** @type {import("./well.js").Well | null} */
let model = null;
/** @type {(() => void) | null} */
let reset = null;

/** @type {import("./tabs.js").Tab} */
export const tab = {
  id: "style",
  start(root, studio) {
    const { inputs, result } = studio.columns(root, { inputs: words.style.title, result: words.view.after });
    const one = studio.well({ label: words.style.photo, onPhoto: () => one.fail(null) });
    const two = studio.well({ label: words.style.from, onPhoto: () => two.fail(null) });
    const part = partChoice(PARTS, words.style.part, "hair");
    inputs.append(
      el("h2", { class: "unseen", text: words.style.title }),
      el("p", { class: "lead", text: words.style.lead }),
      el("div", { class: "pair" }, one.element, two.element),
      part.element,
    );
    studio.controls.task({
      root: inputs,
      label: words.style.go,
      verb: "transfer",
      places: { photo: one, pick: one, style_from: two, part },
      fields: () => {
        for (const well of [one, two])
          if (!well.item) throw new ApiError(words.well.needed, "", well === one ? "photo" : "style_from");
        return {
          photo: one.item,
          pick: one.item?.pick,
          style_from: two.item,
          pick_style_from: two.item?.pick,
          part: part.value,
        };
      },
      onDone: (made, sent) =>
        studio.finish(result, made, {
          before: sent.photo,
          tab: "style",
          state: { photo: sent.photo, style_from: sent.style_from },
        }),
    });
    severalStyles({
      studio,
      root: inputs,
      photo: one,
      onDone: (made, sent) =>
        studio.finish(result, made, { tab: "style", state: { photo: sent.photo, style_from: two.item } }),
    });
    reset = () => studio.results.clear(result, words.style.empty);
    reset();
    [photo, model] = [one, two];
  },
  take(item) {
    photo?.set(item);
  },
  restore(state) {
    if (!state) reset?.();
    else {
      if (photo?.item !== state.photo) photo?.set(state.photo);
      if (state.style_from && model?.item !== state.style_from) model?.set(state.style_from);
    }
  },
};
