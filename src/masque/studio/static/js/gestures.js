// @ts-check
// Mouse, finger, pen and wheel on the label canvas. One finger, a pen or the left button use the tool; two fingers move
// and zoom; the right button and a pen's other end erase; the middle button and the space bar move; Alt picks.

/** @typedef {import("./canvas.js").LabelCanvas} LabelCanvas */
/** @typedef {import("./labels.js").Point} Point */

const ERASER = 32; // the bit of PointerEvent.buttons for the other end of a pen

export class Gestures {
  /** @param {LabelCanvas} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** @type {Map<number, Point>} */
    this.fingers = new Map();
    /** @type {"tool" | "move" | "pinch" | null} */
    this.mode = null;
    this.pointer = -1; // of the stroke or move that goes on
    this.space = false; // held: dragging moves
    this.dragged = false; // while space was held
    this.pen = false; // a pen was used: a hand on the screen does not paint
    /** @type {Point | null} */
    this.at = null; // the pointer, in the window
    const { element } = canvas;
    element.addEventListener("pointerenter", (event) => this.enter(event));
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    element.addEventListener("pointerup", (event) => this.up(event));
    element.addEventListener("pointercancel", (event) => this.up(event, true));
    element.addEventListener("pointerleave", () => this.leave());
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /**
   * @param {{clientX: number, clientY: number}} event
   * @returns {Point} in the window
   */
  place(event) {
    const { element } = this.canvas;
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left - element.clientLeft, y: event.clientY - box.top - element.clientTop };
  }

  /**
   * Keys are for the canvas while a mouse is over it, unless they are for something outside its desk.
   * @param {PointerEvent} event
   */
  enter(event) {
    const { element } = this.canvas;
    const now = document.activeElement;
    const free = !now || now === document.body || now.closest(".desk")?.contains(element);
    if (event.pointerType !== "touch" && free) element.focus({ preventScroll: true });
  }

  /** @param {PointerEvent} event */
  down(event) {
    const { canvas } = this;
    const at = (this.at = this.place(event));
    event.preventDefault();
    canvas.element.focus({ preventScroll: true });
    canvas.element.setPointerCapture(event.pointerId);
    canvas.crosshair.hide();
    if (event.pointerType === "touch") this.fingers.set(event.pointerId, at);
    if (this.fingers.size === 2) {
      if (this.mode === "tool") canvas.cancel();
      this.mode = "pinch";
      return;
    }
    if (this.mode) return;
    this.pen ||= event.pointerType === "pen";
    this.pointer = event.pointerId;
    const moves = event.button === 1 || this.space || canvas.tool === "move";
    this.mode = moves || (this.pen && event.pointerType === "touch") ? "move" : "tool";
    this.dragged = this.space;
    if (this.mode === "tool") {
      const erase = event.button === 2 || (event.buttons & ERASER) > 0;
      canvas.begin(canvas.view.toPhoto(at), { erase, pick: event.altKey, pressure: pressureOf(event) });
    }
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { canvas } = this;
    const at = this.place(event);
    if (this.mode === "pinch") return this.pinch(event, at);
    if (this.mode && event.pointerId !== this.pointer) return;
    const before = this.at;
    this.at = at;
    if (this.mode === "move" && before) canvas.pan(at.x - before.x, at.y - before.y);
    if (this.mode === "tool") {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const one of events.length ? events : [event]) {
        canvas.extend(canvas.view.toPhoto(this.place(one)), pressureOf(one));
      }
    }
    this.showRing();
    canvas.listener.under(canvas.labelAt(canvas.view.toPhoto(at)));
  }

  /**
   * @param {PointerEvent} event
   * @param {Point} at
   */
  pinch(event, at) {
    if (!this.fingers.has(event.pointerId)) return;
    const [middle, apart] = middleOf(this.fingers);
    this.fingers.set(event.pointerId, at);
    const [now, wide] = middleOf(this.fingers);
    this.canvas.pan(now.x - middle.x, now.y - middle.y);
    if (this.fingers.size === 2 && apart > 0) this.canvas.zoom(wide / apart, now);
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} [lost] the system took the pointer away: the stroke was not meant
   */
  up(event, lost = false) {
    this.fingers.delete(event.pointerId);
    if (this.mode === "pinch") {
      if (!this.fingers.size) this.mode = null;
      return;
    }
    if (event.pointerId !== this.pointer) return;
    if (this.mode === "tool") lost ? this.canvas.cancel() : this.canvas.end();
    this.mode = null;
    if (event.pointerType === "touch") this.leave();
  }

  leave() {
    if (this.mode) return;
    this.at = null;
    this.showRing();
    this.canvas.listener.under(null);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    const speed = event.ctrlKey ? 100 : 400; // with Ctrl: a pinch on a touch pad, of small steps
    this.canvas.zoom(Math.exp((-event.deltaY * lines) / speed), this.place(event));
  }

  /** Show the brush's outline at the pointer, or at the crosshair. */
  showRing() {
    const { canvas } = this;
    const { ring, view, tool, size } = canvas;
    const at = canvas.crosshair.seen ? view.toWindow(canvas.crosshair.point) : this.at;
    ring.hidden = !at || this.space || (tool !== "brush" && tool !== "erase");
    if (!at || ring.hidden) return;
    const wide = Math.max(2, size * view.scale);
    ring.style.width = ring.style.height = `${wide}px`;
    ring.style.transform = `translate(${at.x - wide / 2}px, ${at.y - wide / 2}px)`;
  }
}

/**
 * @param {PointerEvent} event
 * @returns {number} in [0,1]; only a pen has a pressure that is meant
 */
function pressureOf(event) {
  return event.pointerType === "pen" && event.pressure > 0 ? event.pressure : 1;
}

/**
 * @param {Map<number, Point>} fingers
 * @returns {[Point, number]} the place between the first two, and how far apart they are
 */
function middleOf(fingers) {
  const [a, b = a] = [...fingers.values()];
  return [{ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, Math.hypot(a.x - b.x, a.y - b.y)];
}
