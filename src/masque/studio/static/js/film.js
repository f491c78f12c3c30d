// @ts-check
/** What a film of several faces is made by: how long, how smooth, which way, and whether it ends where it began. */

import { el, fresh } from "./dom.js";
import { words } from "./words.js";

/** Pictures of a film at most, as the server has it. */
const MOST = 480;

/**
 * The controls of a film, with the button that makes it.
 *
 * @param {object} given
 * @param {import("./main.js").Studio} given.studio
 * @param {HTMLElement} given.root where they go
 * @param {import("./faces.js").Faces} given.faces whose film it is
 * @param {(result: import("./api.js").Result, fields: Record<string, any>) => void} given.onDone
 */
export function filmControls({ studio, root, faces, onDone }) {
  const { slider, choice, task } = studio.controls;
  const count = () => Math.min(MOST, Math.round(seconds.value * rate.value));
  const said = el("p", { class: "hint", role: "status" });
  const say = () => {
    said.textContent = words.film.count(count());
  };
  const seconds = slider({
    label: words.film.seconds,
    min: 1,
    max: 15,
    step: 0.5,
    value: 3,
    said: words.film.lasts,
    onInput: say,
  });
  const rate = slider({ label: words.film.rate, min: 8, max: 30, step: 1, value: 20, onInput: say });
  const way = choice({ label: words.film.way, options: words.film.ways, value: "spherical" });
  const id = fresh("loop");
  const loop = el("input", { type: "checkbox", id });
  root.append(
    seconds.element,
    rate.element,
    said,
    way.element,
    el("div", { class: "check" }, loop, el("label", { for: id, text: words.film.loop })),
  );
  say();
  task({
    root,
    label: words.film.go,
    verb: "morph",
    places: { photos: faces, picks: faces, frames: rate, seconds, path: way },
    fields: () => ({
      ...faces.given(),
      frames: count(),
      seconds: seconds.value,
      path: way.value,
      loop: loop.checked,
    }),
    onDone,
  });
}
