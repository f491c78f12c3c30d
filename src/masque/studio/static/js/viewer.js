// @ts-check
/** A picture beside what it was before: a divider to drag, and a zoom down to the pixels. */

import { button } from "./controls.js";
import { el } from "./dom.js";
import { words } from "./words.js";
import { zooming } from "./zoom.js";

/**
 * @typedef {import("./zoom.js").Box} Box
 * @typedef {{of?: string, before: string | null, after: string, width: number, height: number, alt: string,
 *   face?: Box | null, full?: () => Promise<{before: string | null, after: string} | null>}} Shown `of` tells which
 *   photo it shows: the zoom stays while that and the size do; `face` is what it is about, in pixels of the picture;
 *   `full` fetches both at their full size
 * @typedef {{element: HTMLElement, show: (shown: Shown) => void, divide: (share: number) => void}} Viewer
 */

/** A viewer. @returns {Viewer} */
export function viewer() {
  const after = el("img", { class: "after", draggable: "false" });
  const before = el("img", { class: "before", draggable: "false", alt: words.view.altBefore });
  const clip = el("div", { class: "layer clip" }, before);
  const divider = el("div", {
    class: "divider",
    role: "slider",
    tabindex: "0",
    "aria-label": words.view.compare,
    "aria-valuemin": 0,
    "aria-valuemax": 100,
  });
  const tags = [
    el("span", { class: "tag left", text: words.view.before, "aria-hidden": true }),
    el("span", { class: "tag right", text: words.view.after, "aria-hidden": true }),
  ];
  const stage = el(
    "div",
    { class: "stage", tabindex: "0", role: "group", "aria-label": words.view.label },
    el("div", { class: "layer" }, after),
    clip,
    ...tags,
    divider,
  );
  const scale = el("output", { class: "scale", "aria-label": words.view.zoom });
  const zoom = zooming(stage, [after, before], scale, () => loadFull());
  const toFace = button({ label: words.view.face, kind: "quiet", onClick: () => zoom.to(shown?.face) });
  const bar = el(
    "div",
    { class: "zoombar", role: "group", "aria-label": words.view.zoom },
    button({ label: "−", title: words.view.out, kind: "quiet", onClick: () => zoom.by(0.5) }),
    scale,
    button({ label: "+", title: words.view.in, kind: "quiet", onClick: () => zoom.by(2) }),
    button({ label: words.view.fit, kind: "quiet", onClick: () => zoom.fit() }),
    button({ label: words.view.pixels, kind: "quiet", onClick: () => zoom.pixels() }),
    toFace,
  );
  const element = el("div", { class: "viewer" }, el("div", { class: "frame" }, stage), bar);

  /** @type {Shown | null} */
  let shown = null;
  let loaded = false;
  /** @type {string[]} addresses of pictures at their full size, which nobody else shows */
  let large = [];
  const loadFull = async () => {
    if (loaded || !shown?.full) return;
    loaded = true;
    const asked = shown;
    const full = await asked.full?.().catch(() => null); // the smaller picture stays
    if (!full) return;
    large.push(...[full.after, full.before].filter((url) => url !== null));
    if (asked !== shown) return forget();
    after.src = full.after;
    if (full.before) before.src = full.before;
  };
  const forget = () => {
    const old = large.filter((url) => url !== after.src && url !== before.src);
    large = large.filter((url) => !old.includes(url));
    old.forEach(URL.revokeObjectURL);
  };
  const divide = (/** @type {number} */ share) => {
    const at = Math.min(100, Math.max(0, share));
    stage.style.setProperty("--divided", `${at}%`);
    divider.setAttribute("aria-valuenow", String(Math.round(at)));
    divider.setAttribute("aria-valuetext", words.view.compared(at));
    stage.dataset.divided = at < 2 ? "no" : at > 98 ? "all" : "yes";
  };
  divideBy(stage, divider, divide, zoom);
  divide(0);

  const show = (/** @type {Shown} */ next) => {
    const other = shown?.of !== next.of || shown?.width !== next.width || shown?.height !== next.height;
    shown = next;
    loaded = false;
    after.src = next.after;
    after.alt = next.alt;
    if (next.before) before.src = next.before;
    forget();
    toFace.hidden = !next.face || next.face.width > next.width / 2;
    clip.hidden = divider.hidden = tags[0].hidden = tags[1].hidden = !next.before;
    element.style.setProperty("--ratio", String(next.width / next.height));
    zoom.width = next.width;
    if (other) {
      zoom.fit();
      divide(0);
    } else {
      zoom.place();
      if (zoom.near) loadFull();
    }
  };
  return { element, show, divide };
}

/**
 * What pointers and keys do: one drags the divider, or the picture when it is near; two zoom.
 *
 * @param {HTMLElement} stage
 * @param {HTMLElement} divider
 * @param {(share: number) => void} divide
 * @param {ReturnType<typeof zooming>} zoom
 */
function divideBy(stage, divider, divide, zoom) {
  /** @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  let dividing = false;
  const at = (/** @type {PointerEvent} */ event) => {
    const { left, top } = stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    stage.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    dividing = !divider.hidden && (event.target === divider || !zoom.near);
    if (dividing && down.size === 1) divide((100 * at(event).x) / stage.clientWidth);
  });
  stage.addEventListener("pointermove", (event) => {
    const from = down.get(event.pointerId);
    if (!from) return;
    const to = at(event);
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const far = (/** @type {{x: number, y: number}} */ one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
      zoom.by(far(to) / far(from), (to.x + other.x) / 2, (to.y + other.y) / 2);
    } else if (dividing) divide((100 * to.x) / stage.clientWidth);
    else zoom.move(to.x - from.x, to.y - from.y);
    down.set(event.pointerId, to);
  });
  for (const name of /** @type {("pointerup" | "pointercancel")[]} */ (["pointerup", "pointercancel"])) {
    stage.addEventListener(name, (event) => down.delete(event.pointerId));
  }
  divider.addEventListener("keydown", (event) => {
    const now = Number(divider.getAttribute("aria-valuenow"));
    const to = /** @type {Record<string, number>} */ ({
      ArrowLeft: now - 5,
      ArrowDown: now - 5,
      ArrowRight: now + 5,
      ArrowUp: now + 5,
      PageUp: now + 20,
      PageDown: now - 20,
      Home: 0,
      End: 100,
    })[event.key];
    if (to === undefined) return;
    event.preventDefault();
    divide(to);
  });
}
