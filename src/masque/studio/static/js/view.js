// @ts-check
// Which part of a photo a window shows, and how large. Places in the window are CSS pixels from its top left corner;
// places in the photo are its own pixels.

/** @typedef {import("./labels.js").Point} Point */
/** @typedef {import("./labels.js").Rect} Rect */

const MOST = 40; // CSS pixels for one of the photo: single pixels can be hit with a finger
const SEEN = 48; // CSS pixels of the photo that always stay in the window

export class View {
  constructor() {
    this.width = 1; // of the photo
    this.height = 1;
    this.wide = 1; // of the window
    this.high = 1;
    this.scale = 1; // CSS pixels for one of the photo
    this.left = 0; // where the photo's corner is in the window
    this.top = 0;
    this.fitted = true;
  }

  /** Show the whole photo, in the middle. */
  fit() {
    this.scale = this.fitting();
    this.left = (this.wide - this.width * this.scale) / 2;
    this.top = (this.high - this.height * this.scale) / 2;
    this.fitted = true;
  }

  /**
   * Show a part of the photo as large as it goes, in the middle.
   * @param {Rect} part
   */
  show(part) {
    this.fitted = false;
    const [wide, high] = [part.right - part.left, part.bottom - part.top];
    this.scale = Math.min(MOST, Math.max(this.fitting(), Math.min(this.wide / wide, this.high / high)));
    this.center({ x: part.left + wide / 2, y: part.top + high / 2 });
  }

  /** @returns {number} the scale at which the whole photo is seen */
  fitting() {
    return Math.min(this.wide / this.width, this.high / this.height);
  }

  /**
   * The window has another size: a photo that was seen whole stays so, otherwise its middle stays in the middle.
   * @param {number} wide
   * @param {number} high
   */
  resize(wide, high) {
    const middle = this.toPhoto({ x: this.wide / 2, y: this.high / 2 });
    this.wide = wide;
    this.high = high;
    if (this.fitted) this.fit();
    else this.center(middle);
  }

  /**
   * @param {number} factor larger than 1 comes nearer
   * @param {Point} at the place in the window that stays where it is
   */
  zoom(factor, at) {
    const before = this.scale;
    this.scale = Math.min(MOST, Math.max(this.fitting(), before * factor));
    this.left = at.x - ((at.x - this.left) * this.scale) / before;
    this.top = at.y - ((at.y - this.top) * this.scale) / before;
    this.keepInside();
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.left += dx;
    this.top += dy;
    this.keepInside();
  }

  /** @param {Point} point of the photo, put in the middle of the window */
  center(point) {
    this.left = this.wide / 2 - point.x * this.scale;
    this.top = this.high / 2 - point.y * this.scale;
    this.keepInside();
  }

  /**
   * Move as little as makes a point seen.
   * @param {Point} point of the photo
   * @returns {boolean} whether it moved
   */
  reveal(point) {
    const at = this.toWindow(point);
    const margin = Math.min(40, this.wide / 4, this.high / 4);
    const dx = Math.max(0, margin - at.x) - Math.max(0, at.x - (this.wide - margin));
    const dy = Math.max(0, margin - at.y) - Math.max(0, at.y - (this.high - margin));
    if (this.fitted || (!dx && !dy)) return false;
    this.pan(dx, dy);
    return true;
  }

  keepInside() {
    this.fitted = this.scale <= this.fitting() * 1.0001;
    if (this.fitted) return this.fit();
    this.left = Math.min(this.wide - SEEN, Math.max(SEEN - this.width * this.scale, this.left));
    this.top = Math.min(this.high - SEEN, Math.max(SEEN - this.height * this.scale, this.top));
  }

  /**
   * @param {Point} point in the window
   * @returns {Point} in the photo
   */
  toPhoto(point) {
    return { x: (point.x - this.left) / this.scale, y: (point.y - this.top) / this.scale };
  }

  /**
   * @param {Point} point in the photo
   * @returns {Point} in the window
   */
  toWindow(point) {
    return { x: point.x * this.scale + this.left, y: point.y * this.scale + this.top };
  }
}
