// @ts-check
/** A head that follows sliders: on the photo's own pixels; farther, where that is asked for, by a network. */

import { el, fresh } from "./dom.js";
import { words } from "./words.js";

/** Degrees to either side up to which a network turns heads. */
const FARTHEST = 60;
/** Degrees from how the head is up to which own pixels are turned. */
const BORNE = 20;
const RAISED = 10;
/** Heads of a row, and how far to either side it reaches. */
const ROW = { yaw_from: -40, yaw_to: 40, steps: 9 };

/** @typedef {import("./api.js").Item} Item */

/**
 * @param {import("./tab-new.js").Maker} maker
 * @returns {{photo: (item: Item | null) => void, open: () => void}}
 */
export function turnControls({ studio, root, well, photo, preview, onDone }) {
  const { slider, task, live } = studio.controls;
  let is = 0; // how far the head is turned, as far as is known
  let turned = false;
  /** @type {Item | null} */
  let read = null;
  const far = (/** @type {number} */ degrees) => Math.abs(degrees - is) > BORNE;
  const zone = el("span", { class: "own", text: words.turn.own });
  const zones = el("div", { class: "zones", "aria-hidden": "true" }, zone, el("span", { text: words.turn.network }));
  const id = fresh("farther");
  const farther = el("input", { type: "checkbox", id, on: { change: () => reach() } });
  const allow = el("div", { class: "check" }, farther, el("label", { for: id, text: words.turn.farther }));
  const hint = el("p", { class: "hint" });
  const yaw = slider({
    label: words.turn.yaw,
    min: -BORNE,
    max: BORNE,
    step: 1,
    value: 0,
    said: (degrees) => words.turn.side(degrees, far(degrees)),
    onInput: () => {
      turned = true;
      moved();
    },
  });
  const pitch = slider({
    label: words.turn.pitch,
    min: -RAISED,
    max: RAISED,
    step: 1,
    value: 0,
    said: words.turn.up,
    onInput: () => moved(),
  });
  yaw.element.append(zones);
  const foot = el("div", { class: "task" });
  root.append(yaw.element, hint, allow, pitch.element, foot);

  const show = () => {
    const most = Math.sqrt(Math.max(0, BORNE ** 2 - (turned ? yaw.value - is : 0) ** 2));
    const network = far(yaw.value);
    hint.textContent = network ? words.turn.networkHint : words.turn.ownHint;
    pitch.input.disabled = network;
    if (Math.abs(pitch.value) > most) pitch.set(network ? 0 : Math.sign(pitch.value) * Math.floor(most));
    const at = (/** @type {number} */ degrees) => 100 * Math.min(1, Math.max(0, (degrees + FARTHEST) / (2 * FARTHEST)));
    zone.style.left = `${at(is - BORNE)}%`;
    zone.style.width = `${at(is + BORNE) - at(is - BORNE)}%`;
    zones.hidden = !farther.checked;
  };
  /** The slider ends where own pixels do, unless a network may paint. */
  const reach = () => {
    const was = yaw.value;
    if (farther.checked) yaw.range(-FARTHEST, FARTHEST);
    else yaw.range(Math.max(-FARTHEST, Math.ceil(is - BORNE)), Math.min(FARTHEST, Math.floor(is + BORNE)));
    if (turned && yaw.value !== was) moved();
    else show();
  };
  const moved = () => {
    show();
    following.touch();
  };
  const places = { photo: well, pick: well, yaw, pitch };
  const following = live({
    root: foot,
    label: words.turn.work,
    verb: "turn",
    places,
    fields: () =>
      well.item && (turned || pitch.value) ? { ...photo(), yaw: turned ? yaw.value : null, pitch: pitch.value } : null,
    onDraft: preview,
    onDone: (made, sent) => {
      const { before } = made.record.yaw ?? {};
      if (typeof before === "number") know(before);
      onDone(made, sent);
    },
  });
  const know = (/** @type {number} */ degrees) => {
    is = degrees;
    reach();
    if (!turned) yaw.set(Math.round(degrees));
    show();
  };
  const others = el("div", { class: "row buttons" });
  root.append(others);
  task({ root: others, label: words.turn.front, verb: "frontalize", places, fields: photo, onDone });
  task({
    root: others,
    label: words.turn.row,
    verb: "synthesize",
    places,
    fields: () => ({ ...photo(), ...ROW }),
    onDone,
  });
  for (const main of others.querySelectorAll(".main")) main.classList.remove("main");

  const look = async () => {
    const { item } = well;
    if (!item || item === read || !root.checkVisibility()) return;
    read = item;
    const found = await studio.api.read(item).catch(() => ({})); // then the first turn says how the head is
    if (well.item === item && typeof found.yaw === "number") know(found.yaw);
  };
  reach();
  return {
    photo: () => {
      following.stop();
      turned = false;
      read = null;
      is = 0;
      pitch.set(0);
      reach();
      yaw.set(0);
      show();
      look();
    },
    open: look,
  };
}
