// @ts-check
// Painting in a label map: pure functions on arrays of label numbers. A label map is a Uint8Array of
// width × height numbers, row by row; pixel (i, j) is the unit square whose centre is (i + 0.5, j + 0.5).
// Every function writes whole labels, never mixtures, so that a painted map holds exactly the labels chosen.

/** @typedef {{data: Uint8Array, width: number, height: number}} LabelMap */
/** @typedef {{x: number, y: number}} Point */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Rect right and bottom are exclusive */

/**
 * What a brush leaves behind.
 * @typedef {object} Paint
 * @property {number} label the label number to write
 * @property {Uint8Array | null} [source] in place of one label: take each pixel's label from this map (erasing)
 * @property {number | null} [over] write only where this label is now; null: everywhere
 */

/**
 * Write every pixel whose centre is at most `radius` from the line between two points.
 *
 * Row by row the stroke is one run of pixels, since the shape is convex; so a long stroke of a wide brush costs
 * no more than its pixels.
 * @param {LabelMap} map changed in place
 * @param {Point} from
 * @param {Point} to the same as `from` for a dab
 * @param {number} radius in pixels; a dab always writes the pixel that it is in
 * @param {Paint} paint
 * @returns {Rect | null} what may have changed, or null if all of it lies beyond the map
 */
export function paintLine(map, from, to, radius, paint) {
  const dirty = {
    left: Math.max(0, Math.floor(Math.min(from.x, to.x) - radius)),
    top: Math.max(0, Math.floor(Math.min(from.y, to.y) - radius)),
    right: Math.min(map.width, Math.ceil(Math.max(from.x, to.x) + radius) + 1),
    bottom: Math.min(map.height, Math.ceil(Math.max(from.y, to.y) + radius) + 1),
  };
  if (dirty.left >= dirty.right || dirty.top >= dirty.bottom) return null;
  for (let row = dirty.top; row < dirty.bottom; row++) {
    const [low, high] = spanOfLine(from, to, radius, row + 0.5);
    const first = Math.max(dirty.left, Math.ceil(low - 0.5));
    const last = Math.min(dirty.right - 1, Math.floor(high - 0.5));
    if (first <= last) writeRun(map, row * map.width + first, row * map.width + last + 1, paint);
  }
  for (const point of [from, to]) {
    const column = Math.floor(point.x);
    const row = Math.floor(point.y);
    if (column < 0 || row < 0 || column >= map.width || row >= map.height) continue;
    writeRun(map, row * map.width + column, row * map.width + column + 1, paint);
  }
  return dirty;
}

/**
 * Where the horizontal line at height y is within `radius` of a segment: [low, high], empty if low > high.
 * @param {Point} a
 * @param {Point} b
 * @param {number} radius
 * @param {number} y
 * @returns {[number, number]}
 */
function spanOfLine(a, b, radius, y) {
  let low = Infinity;
  let high = -Infinity;
  for (const end of [a, b]) {
    const rise = y - end.y;
    if (Math.abs(rise) > radius) continue;
    const half = Math.sqrt(radius * radius - rise * rise);
    low = Math.min(low, end.x - half);
    high = Math.max(high, end.x + half);
  }
  const side = spanOfSides(a, b, radius, y);
  return [Math.min(low, side[0]), Math.max(high, side[1])];
}

/**
 * The same for the rectangle along the segment, without the round ends.
 * @param {Point} a
 * @param {Point} b
 * @param {number} radius
 * @param {number} y
 * @returns {[number, number]}
 */
function spanOfSides(a, b, radius, y) {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const length = Math.hypot(dx, dy);
  const rise = y - a.y;
  // With u = x - a.x: 0 ≤ dx·u + dy·rise ≤ length² (between the ends), |dx·rise - dy·u| ≤ radius·length (beside it)
  const along = between(dx, -dy * rise, length * length - dy * rise);
  const beside = between(-dy, -radius * length - dx * rise, radius * length - dx * rise);
  const low = Math.max(along[0], beside[0]);
  const high = Math.min(along[1], beside[1]);
  return length > 0 && low <= high ? [a.x + low, a.x + high] : [Infinity, -Infinity];
}

/**
 * All u with low ≤ slope·u ≤ high.
 * @param {number} slope
 * @param {number} low
 * @param {number} high
 * @returns {[number, number]}
 */
function between(slope, low, high) {
  if (slope === 0) return low <= 0 && high >= 0 ? [-Infinity, Infinity] : [Infinity, -Infinity];
  return slope > 0 ? [low / slope, high / slope] : [high / slope, low / slope];
}

/**
 * @param {LabelMap} map
 * @param {number} start first pixel's place in the array
 * @param {number} end one beyond the last
 * @param {Paint} paint
 */
function writeRun(map, start, end, paint) {
  const { data } = map;
  const { label, source = null, over = null } = paint;
  if (over === null && source === null) {
    data.fill(label, start, end);
    return;
  }
  for (let i = start; i < end; i++) if (over === null || data[i] === over) data[i] = source ? source[i] : label;
}

/**
 * Give a whole area of one label another: the pixels that are joined to a pixel by their sides.
 * @param {LabelMap} map changed in place
 * @param {number} column of a pixel in the area
 * @param {number} row
 * @param {number} label
 * @returns {Rect | null} what changed, or null if the area has this label already
 */
export function fillArea(map, column, row, label) {
  const { data, width, height } = map;
  const old = data[row * width + column];
  if (old === label) return null;
  const dirty = { left: column, top: row, right: column + 1, bottom: row + 1 };
  const waiting = [row * width + column];
  while (waiting.length) {
    const place = /** @type {number} */ (waiting.pop());
    if (data[place] !== old) continue;
    const y = Math.floor(place / width);
    const start = y * width;
    let first = place;
    let last = place;
    while (first > start && data[first - 1] === old) first--;
    while (last < start + width - 1 && data[last + 1] === old) last++;
    data.fill(label, first, last + 1);
    dirty.left = Math.min(dirty.left, first - start);
    dirty.right = Math.max(dirty.right, last - start + 1);
    dirty.top = Math.min(dirty.top, y);
    dirty.bottom = Math.max(dirty.bottom, y + 1);
    if (y > 0) startsOfRuns(data, old, first - width, last - width, waiting);
    if (y < height - 1) startsOfRuns(data, old, first + width, last + width, waiting);
  }
  return dirty;
}

/**
 * Add the first place of every run of a label within part of a row.
 * @param {Uint8Array} data
 * @param {number} label
 * @param {number} first
 * @param {number} last
 * @param {number[]} waiting
 */
function startsOfRuns(data, label, first, last, waiting) {
  for (let i = first; i <= last; i++) if (data[i] === label && (i === first || data[i - 1] !== label)) waiting.push(i);
}

/**
 * The smallest rectangle around every pixel that is not background.
 * @param {LabelMap} map
 * @returns {Rect | null} null if all of it is background
 */
export function boundsOf({ data, width, height }) {
  const found = { left: width, top: height, right: 0, bottom: 0 };
  for (let row = 0; row < height; row++) {
    const start = row * width;
    let first = 0;
    while (first < width && !data[start + first]) first++;
    if (first === width) continue;
    let last = width - 1;
    while (!data[start + last]) last--;
    found.left = Math.min(found.left, first);
    found.right = Math.max(found.right, last + 1);
    found.top = Math.min(found.top, row);
    found.bottom = row + 1;
  }
  return found.bottom ? found : null;
}

/**
 * The smallest rectangle around two.
 * @param {Rect | null} a
 * @param {Rect | null} b
 * @returns {Rect | null}
 */
export function unite(a, b) {
  if (!a || !b) return a || b;
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}
