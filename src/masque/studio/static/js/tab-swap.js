// @ts-check
/** The tab that puts the face of one photo into another. */

import { ApiError } from "./api.js";
import { el } from "./dom.js";
import { words } from "./words.js";

/** @type {((item: import("./api.js").Item) => void) | null} */
let take = null;
/** @type {((sent: Record<string, any> | null) => void) | null} goes back to what was sent, null: to no result */
let restore = null;

/** @type {import("./tabs.js").Tab} */
export const tab = {
  id: "swap",
  start(root, studio) {
    const { choice, button, task } = studio.controls;
    const { inputs, result } = studio.columns(root, { inputs: words.swap.title, result: words.view.after });
    const one = studio.well({ label: words.swap.face, onPhoto: () => one.fail(null) });
    const two = studio.well({ label: words.swap.hair, onPhoto: () => two.fail(null) });
    const expression = choice({ label: words.swap.expression, options: words.swap.expressions, value: "source" });
    const method = choice({
      label: words.swap.method,
      options: words.swap.methods,
      value: "own",
      onChange: (value) => {
        expression.element.hidden = value !== "own";
      },
    });
    const exchange = button({
      label: "⇄",
      title: words.swap.exchange,
      onClick: () => {
        const [a, b] = [one.item, two.item];
        if (b) one.set(b);
        else one.clear();
        if (a) two.set(a);
        else two.clear();
      },
    });
    inputs.append(
      el("h2", { class: "unseen", text: words.swap.title }),
      el("p", { class: "lead", text: words.swap.lead }),
      el("div", { class: "pair" }, one.element, two.element, exchange),
      method.element,
      expression.element,
    );
    task({
      root: inputs,
      label: words.swap.go,
      verb: "swap",
      places: { face: one, hair: two, pick_face: one, pick_hair: two, method, expression },
      fields: () => {
        for (const well of [one, two])
          if (!well.item) throw new ApiError(words.well.needed, "", well === one ? "face" : "hair");
        return {
          face: one.item,
          hair: two.item,
          pick_face: one.item?.pick,
          pick_hair: two.item?.pick,
          method: method.value,
          expression: method.value === "own" ? expression.value : null,
        };
      },
      onDone: (made, sent) => studio.finish(result, made, { before: sent.hair, tab: "swap", state: sent }),
    });
    const clear = () => studio.results.clear(result, words.swap.empty);
    clear();
    take = one.set;
    restore = (state) => {
      if (!state) return clear();
      if (one.item !== state.face) one.set(state.face);
      if (two.item !== state.hair) two.set(state.hair);
      method.set(state.method);
      if (state.expression) expression.set(state.expression);
      expression.element.hidden = state.method !== "own";
    };
  },
  take: (item) => take?.(item),
  restore: (state) => restore?.(state),
};
