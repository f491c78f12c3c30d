// @ts-check
// Undo and redo of a label map. A step holds the exclusive-or of the labels before and after, within the rectangle
// that a stroke changed, as runs of equal numbers: a few hundred bytes for most strokes. Applying it once undoes the
// stroke and applying it again redoes it, bit for bit.

/** @typedef {import("./labels.js").LabelMap} LabelMap */
/** @typedef {import("./labels.js").Rect} Rect */
/** @typedef {{rect: Rect, runs: Uint8Array}} Step */

export const MOST_BYTES = 32 * 2 ** 20;

export class Undo {
  /**
   * @param {LabelMap} map the map that is painted in
   * @param {number} [most] bytes that all steps may hold together; the oldest are forgotten beyond it
   */
  constructor(map, most = MOST_BYTES) {
    this.map = map;
    this.most = most;
    this.kept = map.data.slice();
    /** @type {Step[]} */
    this.done = [];
    /** @type {Step[]} */
    this.undone = [];
    this.bytes = 0;
  }

  /**
   * Remember what changed within a rectangle since the last step.
   * @param {Rect} rect
   * @returns {number} how many pixels changed; with 0 nothing is remembered
   */
  commit(rect) {
    const { runs, changed } = runsOfDifference(this.kept, this.map, rect);
    if (!changed) return 0;
    this.undone.forEach((step) => (this.bytes -= step.runs.length));
    this.undone = [];
    this.done.push({ rect, runs });
    this.bytes += runs.length;
    while (this.bytes > this.most && this.done.length > 1) {
      this.bytes -= /** @type {Step} */ (this.done.shift()).runs.length;
    }
    this.copy(this.map.data, this.kept, rect);
    return changed;
  }

  /**
   * Put a rectangle back to what the last step left: an unfinished stroke is dropped.
   * @param {Rect} rect
   */
  drop(rect) {
    this.copy(this.kept, this.map.data, rect);
  }

  /** @returns {Rect | null} what changed */
  undo() {
    return this.apply(this.done, this.undone);
  }

  /** @returns {Rect | null} what changed */
  redo() {
    return this.apply(this.undone, this.done);
  }

  /**
   * @param {Step[]} from
   * @param {Step[]} to
   */
  apply(from, to) {
    const step = from.pop();
    if (!step) return null;
    to.push(step);
    exclusiveOr(this.map, step);
    this.copy(this.map.data, this.kept, step.rect);
    return step.rect;
  }

  /**
   * @param {Uint8Array} from
   * @param {Uint8Array} to
   * @param {Rect} rect
   */
  copy(from, to, rect) {
    for (let row = rect.top; row < rect.bottom; row++) {
      const start = row * this.map.width;
      to.set(from.subarray(start + rect.left, start + rect.right), start + rect.left);
    }
  }
}

/**
 * Runs (value, length) of the exclusive-or within a rectangle, lengths as seven bits a byte, lowest first.
 * @param {Uint8Array} before
 * @param {LabelMap} map
 * @param {Rect} rect
 */
function runsOfDifference(before, map, rect) {
  let runs = new Uint8Array(1024);
  let used = 0;
  let value = 0;
  let length = 0;
  let changed = 0;
  const close = () => {
    if (used + 8 > runs.length) {
      const larger = new Uint8Array(2 * runs.length);
      larger.set(runs);
      runs = larger;
    }
    runs[used++] = value;
    for (; length > 127; length = Math.floor(length / 128)) runs[used++] = (length & 127) | 128;
    runs[used++] = length;
  };
  for (let row = rect.top; row < rect.bottom; row++) {
    const start = row * map.width;
    for (let i = start + rect.left; i < start + rect.right; i++) {
      const difference = before[i] ^ map.data[i];
      if (difference) changed++;
      if (difference !== value) {
        if (length) close();
        value = difference;
        length = 0;
      }
      length++;
    }
  }
  if (length) close();
  return { runs: runs.slice(0, used), changed };
}

/**
 * @param {LabelMap} map
 * @param {Step} step
 */
function exclusiveOr(map, step) {
  const { rect, runs } = step;
  const wide = rect.right - rect.left;
  let column = 0;
  let place = rect.top * map.width + rect.left;
  for (let at = 0; at < runs.length;) {
    const value = runs[at++];
    let left = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = runs[at++];
      left += (byte & 127) * shift;
      if (byte < 128) break;
    }
    while (left > 0) {
      const now = Math.min(left, wide - column);
      if (value) for (let i = place; i < place + now; i++) map.data[i] ^= value;
      left -= now;
      column += now;
      place += now;
      if (column === wide) {
        column = 0;
        place += map.width - wide;
      }
    }
  }
}
