// @ts-check
// Keys of the label canvas. Arrows move a crosshair, Enter uses the tool there, and held down it draws along with the
// arrows; every tool and part has a key. The keys count only while the focus is on the canvas.

/** @typedef {import("./canvas.js").LabelCanvas} LabelCanvas */
/** @typedef {import("./canvas.js").Tool} Tool */

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {Record<string, Tool>} */
export const TOOL_KEYS = { b: "brush", e: "erase", f: "fill", p: "pick", m: "move" };
/** Keys of the parts by label: the digits, and h for hair, the eleventh. */
export const PART_KEYS = [..."0123456789h"];

export class Crosshair {
  /** @param {LabelCanvas} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.point = { x: 0.5, y: 0.5 }; // in the photo
    this.seen = false;
    this.element = canvas.element.appendChild(document.createElement("div"));
    this.element.className = "crosshair";
    this.element.hidden = true;
    canvas.element.addEventListener("keydown", (event) => this.down(event));
    canvas.element.addEventListener("keyup", (event) => this.up(event));
    canvas.element.addEventListener("blur", () => this.leave());
  }

  /** Back to the middle of the photo. */
  reset() {
    const { width, height } = this.canvas.map;
    this.point = { x: Math.floor(width / 2) + 0.5, y: Math.floor(height / 2) + 0.5 };
    this.hide();
  }

  hide() {
    this.seen = false;
    this.show();
  }

  leave() {
    this.canvas.gestures.space = false;
    if (this.canvas.gestures.mode !== "tool") this.canvas.end();
    this.hide();
  }

  show() {
    this.element.hidden = !this.seen;
    if (!this.seen) return;
    const at = this.canvas.view.toWindow(this.point);
    this.element.style.transform = `translate(${at.x}px, ${at.y}px)`;
  }

  /** @param {KeyboardEvent} event */
  down(event) {
    const { canvas } = this;
    const { gestures } = canvas;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey || event.altKey) return this.undoKey(event);
    if (ARROWS[key]) this.move(...ARROWS[key], event.shiftKey);
    else if (key === "Enter") this.press(event.repeat);
    else if (key === " ") this.holdSpace(event.repeat);
    else if (key === "Escape" && canvas.stroke) canvas.cancel();
    else if (key === "Home") canvas.fit();
    else if (key === "+" || key === "=") canvas.zoom(1.5, this.middle());
    else if (key === "-") canvas.zoom(1 / 1.5, this.middle());
    else if (key === "[") canvas.choose({ size: Math.min(canvas.size - 1, canvas.size / 1.2) });
    else if (key === "]") canvas.choose({ size: Math.max(canvas.size + 1, canvas.size * 1.2) });
    else if (key === "o") this.onlyOver();
    else if (TOOL_KEYS[key]) this.tell({ tool: TOOL_KEYS[key] }, canvas.words.tools[TOOL_KEYS[key]]);
    else if (PART_KEYS.includes(key)) this.tell({ part: PART_KEYS.indexOf(key) }, canvas.names[PART_KEYS.indexOf(key)]);
    else return;
    event.preventDefault();
    gestures.showRing();
  }

  /**
   * Undo and redo: also for keys beside the canvas, so that they mean the same everywhere around it.
   * @param {KeyboardEvent} event
   */
  undoKey(event) {
    const key = event.key.toLowerCase();
    if (event.altKey || event.defaultPrevented || !(event.ctrlKey || event.metaKey) || (key !== "z" && key !== "y"))
      return;
    this.canvas.step(key === "y" || event.shiftKey ? "redo" : "undo");
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  up(event) {
    const { canvas } = this;
    if (event.key === "Enter" && canvas.gestures.mode !== "tool") canvas.end();
    if (event.key !== " ") return;
    canvas.gestures.space = false;
    canvas.element.classList.remove("moving");
    if (!this.seen || canvas.gestures.dragged) return;
    this.press(false);
    canvas.end();
  }

  /** @param {boolean} again the key is still held */
  press(again) {
    if (again || this.canvas.gestures.mode) return;
    this.seen = true;
    this.canvas.begin(this.point);
    this.show();
  }

  /** @param {boolean} again */
  holdSpace(again) {
    if (again) return;
    this.canvas.gestures.space = true;
    this.canvas.gestures.dragged = false;
    this.canvas.element.classList.add("moving");
  }

  /**
   * @param {number} dx
   * @param {number} dy
   * @param {boolean} fine one pixel, otherwise a third of the brush
   */
  move(dx, dy, fine) {
    const { canvas, point } = this;
    const { width, height } = canvas.map;
    const step = fine ? 1 : Math.max(1, Math.round(canvas.size / 3));
    this.seen = true;
    this.point = {
      x: Math.min(width - 0.5, Math.max(0.5, point.x + dx * step)),
      y: Math.min(height - 0.5, Math.max(0.5, point.y + dy * step)),
    };
    if (!canvas.gestures.mode) canvas.extend(this.point);
    canvas.redraw(canvas.view.reveal(this.point) ? undefined : null);
    const label = canvas.labelAt(this.point);
    canvas.listener.under(label);
    canvas.listener.said(canvas.words.at(canvas.names[label ?? 0], Math.floor(this.point.x), Math.floor(this.point.y)));
  }

  /** Paint only over the part at the crosshair or pointer from now on, or over everything again. */
  onlyOver() {
    const { canvas } = this;
    const at = this.seen ? this.point : canvas.gestures.at && canvas.view.toPhoto(canvas.gestures.at);
    const label = canvas.over === null && at ? canvas.labelAt(at) : null;
    this.tell({ over: label }, label === null ? canvas.words.overAll : canvas.words.over(canvas.names[label]));
  }

  /**
   * @param {Parameters<LabelCanvas["choose"]>[0]} choice
   * @param {string} said
   */
  tell(choice, said) {
    this.canvas.choose(choice);
    this.canvas.listener.said(said);
  }

  middle() {
    return this.seen ? this.canvas.view.toWindow(this.point) : undefined;
  }
}
