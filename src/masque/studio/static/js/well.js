// @ts-check
/** A well for one photo: it is dropped, pasted, chosen, taken or an example; the faces in it are boxes to click. */

import { takePhoto } from "./camera.js";
import { failing, sentenceOf } from "./controls.js";
import { announce, el } from "./dom.js";
import { chooser, takeFiles } from "./drop.js";
import { exampleRow } from "./examples.js";
import { words } from "./words.js";

/** Pixels of the longer side of what a well shows. */
const SHOWN = 1600;
const PICTURES = "image/*,.heic,.heif";

/**
 * @typedef {import("./api.js").Item} Item
 * @typedef {{element: HTMLElement, readonly item: Item | null, set: (item: Item) => void, clear: () => void,
 *   fail: (sentence: string | null) => void, take: (file: File) => Promise<void>}} Well
 */

/**
 * A photo well.
 *
 * @param {object} given
 * @param {import("./main.js").Studio} given.studio
 * @param {string} given.label what the photo is for
 * @param {string} [given.hint] what kind of photo is good for it
 * @param {(item: Item | null) => void} [given.onPhoto] gets the photo, again when another face is picked, and null when
 *     the well was emptied
 * @param {boolean} [given.several] several files may come at once: all but the first go to `onMore`
 * @param {(files: File[]) => void} [given.onMore]
 * @param {boolean} [given.examples] whether examples are offered
 * @param {boolean} [given.small] whether the photo is shown small, because it stands elsewhere at its full size
 * @returns {Well}
 */
export function well({ studio, label, hint, onPhoto, several = false, onMore, examples = true, small = false }) {
  /** @type {Item | null} */
  let item = null;
  let asked = 0; // only the newest photo counts
  const body = el("div", { class: "well-body" });
  const element = el(
    "section",
    { class: small ? "well small" : "well", "aria-label": label, "data-state": "empty" },
    el("h3", { text: label }),
    body,
  );
  const fail = failing(element, body);

  const taking = (/** @type {File[]} */ files) => {
    take(files[0]);
    if (several && files.length > 1) onMore?.(files.slice(1));
  };
  const take = (/** @type {File} */ file) => fetched(() => studio.api.upload(file), { file });
  const example = (/** @type {string} */ name) => fetched(() => studio.api.example(name), { example: name });

  const fetched = async (/** @type {() => Promise<any>} */ get, /** @type {Partial<Item>} */ from) => {
    const turn = ++asked;
    fail(null);
    element.dataset.state = "busy";
    element.setAttribute("aria-busy", "true");
    try {
      const made = await itemOf(studio, await get(), from);
      if (turn === asked) set(made.item, made.note);
    } catch (error) {
      if (turn === asked) fail(sentenceOf(error));
    } finally {
      if (turn === asked) {
        element.removeAttribute("aria-busy");
        element.dataset.state = item ? "full" : "empty";
      }
    }
  };

  const set = (/** @type {Item} */ next, /** @type {string | null} */ note = null) => {
    asked += 1;
    item = next;
    element.dataset.state = "full";
    element.removeAttribute("aria-busy");
    const focused = body.contains(document.activeElement); // by what is replaced now
    body.replaceChildren(
      picture(next, () => onPhoto?.(next)),
      el(
        "div",
        { class: "well-foot" },
        el("span", { class: "name", text: next.name, title: next.name }),
        chooser({
          label: words.well.other,
          title: `${words.well.other}: ${label}`,
          accept: PICTURES,
          kind: "quiet",
          several,
          taking,
        }),
        el("button", {
          type: "button",
          class: "button quiet away",
          text: "✕",
          title: words.well.away,
          "aria-label": `${words.well.away}: ${label}`,
          on: { click: empty },
        }),
      ),
    );
    if (focused) /** @type {HTMLElement | null} */ (body.querySelector(".well-foot button"))?.focus();
    onPhoto?.(next);
    fail(note);
    announce(words.well.found(next.name, next.faces.length));
  };

  const clear = () => {
    asked += 1;
    item = null;
    element.dataset.state = "empty";
    fail(null);
    body.replaceChildren(...ways());
    onPhoto?.(null);
  };
  const empty = () => {
    clear();
    body.querySelector("button")?.focus();
  };

  const camera = async () => {
    try {
      const file = await takePhoto();
      if (file) await take(file);
    } catch (error) {
      fail(sentenceOf(error));
    }
  };
  const ways = () =>
    [
      el("p", { class: "invite", text: words.well.invite }),
      hint ? el("p", { class: "hint", text: hint }) : null,
      el(
        "div",
        { class: "row" },
        chooser({
          label: words.well.choose,
          title: `${words.well.choose}: ${label}`,
          accept: PICTURES,
          several,
          taking,
        }),
        el("button", {
          type: "button",
          class: "button quiet",
          text: words.well.camera,
          "aria-label": `${words.well.camera}: ${label}`,
          on: { click: camera },
        }),
      ),
      examples ? exampleRow(studio, label, example) : null,
    ].filter((child) => child !== null);

  body.append(...ways());
  takeFiles(element, taking, () => item === null);
  return {
    element,
    get item() {
      return item;
    },
    set,
    clear,
    fail,
    take,
  };
}

/**
 * What lies in a well, of a photo that the server holds.
 *
 * @param {import("./main.js").Studio} studio
 * @param {import("./api.js").Photo} photo
 * @param {Partial<Item>} from its file, or the example's name
 * @returns {Promise<{item: Item, note: string | null}>}
 */
export async function itemOf(studio, photo, from) {
  const url = URL.createObjectURL(await studio.api.picture("photos", photo.id, { longest: SHOWN }));
  const { id, name, width, height, faces } = photo;
  const pick = faces.find((face) => face.taken)?.number ?? null;
  return { item: { id, name, width, height, faces, pick, url, source: "photo", ...from }, note: photo.note };
}

/** @param {Item} item @param {() => void} onPick @returns {HTMLElement} the photo, with a box around each face */
function picture(item, onPick) {
  const frame = el("div", { class: "photo" }, el("img", { src: item.url, alt: words.well.alt(item.name) }));
  frame.style.setProperty("--ratio", String(item.width / item.height));
  const share = (/** @type {number} */ part, /** @type {number} */ whole) => `${((100 * part) / whole).toFixed(3)}%`;
  const boxes = item.faces.map((face) => {
    const box = el("button", {
      type: "button",
      class: "face",
      "aria-pressed": String(face.number === item.pick),
      disabled: !face.usable,
      "aria-label": face.usable
        ? words.well.face(face.number, item.faces.length)
        : words.well.small(face.number, item.faces.length),
      title: face.usable
        ? words.well.face(face.number, item.faces.length)
        : words.well.small(face.number, item.faces.length),
    });
    box.style.left = share(face.left, item.width);
    box.style.top = share(face.top, item.height);
    box.style.width = share(face.width, item.width);
    box.style.height = share(face.height, item.height);
    box.addEventListener("click", () => {
      if (item.pick === face.number) return;
      item.pick = face.number;
      boxes.forEach((one) => one.setAttribute("aria-pressed", String(one === box)));
      onPick();
    });
    return box;
  });
  frame.append(...boxes);
  return frame;
}
