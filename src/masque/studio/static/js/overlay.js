// @ts-check
// The labels as they are seen: a canvas of the size of the window, not of the photo, in which every pixel takes the
// colour of the label beneath its centre. So a photo of 50 megapixels costs no more than a small one, labels are never
// mixed at any zoom, and a stroke draws again only what it touched.

/** @typedef {import("./labels.js").LabelMap} LabelMap */
/** @typedef {import("./labels.js").Rect} Rect */
/** @typedef {import("./view.js").View} View */
/** @typedef {{tint: number, outline: boolean, pattern: boolean}} Look tint in [0,1] */

const TILE = 8; // pixels after which a pattern repeats

/**
 * Patterns by label, so that parts can be told apart without seeing colours: which pixels of a tile are marked.
 * @type {Array<(x: number, y: number) => boolean>}
 */
const PATTERNS = [
  () => false, // background: the photo as it is
  () => false, // skin: plain
  (x, y) => (x + y) % 8 < 2, // left brow: lines up to the right
  (x, y) => (x - y + 8) % 8 < 2, // right brow: lines down to the right
  (_, y) => y % 4 < 1, // left eye: level lines
  (x) => x % 4 < 1, // right eye: upright lines
  (x, y) => x % 4 < 2 && y % 4 < 2, // nose: dots
  (x, y) => (x + y) % 4 < 1, // upper lip: fine lines up to the right
  (x, y) => x % 4 < 2 !== y % 4 < 2, // mouth: chequered
  (x, y) => (x - y + 8) % 4 < 1, // lower lip: fine lines down to the right
  (x, y) => (x + y) % 8 < 1 || (x - y + 8) % 8 < 1, // hair: crossed lines
];

/**
 * The colour of every label at every place of a tile, as a canvas holds it: [label × 64 + 8·y + x], RGBA.
 * @param {number[][]} colours RGB by label, 0 to 255
 * @param {number} tint how much of the colour is seen over the photo, in [0,1]
 * @param {boolean} pattern
 * @returns {Uint32Array}
 */
export function tiles(colours, tint, pattern) {
  const bytes = new Uint8ClampedArray(256 * TILE * TILE * 4);
  colours.forEach((colour, label) => {
    const mark = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 130 ? 0 : 255;
    for (let place = 0; place < TILE * TILE; place++) {
      const marked = pattern && PATTERNS[label]?.(place % TILE, Math.floor(place / TILE));
      const share = label === 0 ? 0 : marked ? Math.min(1, tint * 1.3) : tint;
      const rgb = marked ? colour.map((value) => 0.45 * value + 0.55 * mark) : colour;
      bytes.set([...rgb, 255 * share], 4 * (label * TILE * TILE + place));
    }
  });
  return new Uint32Array(bytes.buffer);
}

export class Overlay {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number[][]} colours RGB by label
   */
  constructor(canvas, colours) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.colours = colours;
    this.density = 1; // pixels of the screen for a CSS pixel
    this.outline = false;
    this.tiles = tiles(colours, 0.5, false);
    this.lines = this.tiles;
    this.image = this.context.createImageData(1, 1);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** @param {Look} look */
  look(look) {
    this.outline = look.outline;
    this.tiles = tiles(this.colours, look.tint, look.pattern);
    this.lines = tiles(this.colours, 1, false);
    // An outline against the background is black there: it is seen on any photo
    this.lines.fill(0xff000000, 0, TILE * TILE);
  }

  /**
   * @param {number} wide CSS pixels
   * @param {number} high
   * @param {number} density pixels of the screen for a CSS pixel
   */
  resize(wide, high, density) {
    this.density = density;
    this.canvas.width = Math.max(1, Math.round(wide * density));
    this.canvas.height = Math.max(1, Math.round(high * density));
    this.image = this.context.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /**
   * Draw the labels again.
   * @param {LabelMap} map
   * @param {View} view
   * @param {Rect | null} [part] of the photo, in its pixels: only what lies in it; without it everything
   */
  draw(map, view, part) {
    const area = part ? this.seen(view, part) : this.whole();
    if (area.left >= area.right || area.top >= area.bottom) return;
    const reach = this.outline ? Math.max(1, Math.round(this.density)) : 0;
    const scale = view.scale * this.density;
    const columns = places(area.left - reach, area.right + reach, view.left * this.density, scale);
    const rows = places(area.top - reach, area.bottom + reach, view.top * this.density, scale);
    const read = reader(map, columns, rows, reach);
    const inside = { left: firstFrom(columns, 0), right: firstFrom(columns, map.width) };
    for (let y = area.top; y < area.bottom; y++) {
      const at = y - area.top + reach;
      const start = y * this.canvas.width + area.left - reach; // where the first of the columns would be
      this.pixels.fill(0, start + reach, start + columns.length - reach);
      if (rows[at] < 0 || rows[at] >= map.height) continue;
      const [from, to] = [Math.max(reach, inside.left), Math.min(columns.length - reach, inside.right)];
      this.drawRow(read(at - reach), read(at), read(at + reach), from, to, start, reach, y);
    }
    const { left, top, right, bottom } = area;
    this.context.putImageData(this.image, 0, 0, left, top, right - left, bottom - top);
  }

  whole() {
    return { left: 0, top: 0, right: this.canvas.width, bottom: this.canvas.height };
  }

  /**
   * Where a part of the photo is in the canvas.
   * @param {View} view
   * @param {Rect} part
   * @returns {Rect}
   */
  seen(view, part) {
    const from = view.toWindow({ x: part.left, y: part.top });
    const to = view.toWindow({ x: part.right, y: part.bottom });
    const margin = this.outline ? 2 * this.density + 1 : 1;
    return {
      left: Math.max(0, Math.floor(from.x * this.density - margin)),
      top: Math.max(0, Math.floor(from.y * this.density - margin)),
      right: Math.min(this.canvas.width, Math.ceil(to.x * this.density + margin)),
      bottom: Math.min(this.canvas.height, Math.ceil(to.y * this.density + margin)),
    };
  }

  /**
   * Colour a row of the screen.
   * @param {Uint8Array} above the labels of the row `reach` higher
   * @param {Uint8Array} labels of this one
   * @param {Uint8Array} below
   * @param {number} from first place in these
   * @param {number} to one beyond the last
   * @param {number} start where in the pixels their place 0 is
   * @param {number} reach how far from another label an outline goes; 0 without
   * @param {number} y
   */
  drawRow(above, labels, below, from, to, start, reach, y) {
    const { pixels, tiles, lines } = this;
    const tileRow = (y & (TILE - 1)) * TILE;
    const across = start - y * this.canvas.width;
    for (let i = from; i < to; i++) {
      const label = labels[i];
      const place = label * TILE * TILE + tileRow + ((across + i) & (TILE - 1));
      const edge =
        above[i] !== label || below[i] !== label || labels[i - reach] !== label || labels[i + reach] !== label;
      pixels[start + i] = edge ? lines[place] : tiles[place];
    }
  }
}

/**
 * Reads rows of labels as the screen needs them; the last few are kept, since outlines ask for each of them three times.
 * @param {LabelMap} map
 * @param {Int32Array} columns the photo's column at every place of a row
 * @param {Int32Array} rows the photo's row of every row
 * @param {number} reach
 * @returns {(at: number) => Uint8Array} by place in `rows`; beyond the photo, its nearest labels
 */
function reader({ data, width, height }, columns, rows, reach) {
  const count = 2 * reach + 1;
  const kept = Array.from({ length: count }, () => ({ at: -1, labels: new Uint8Array(columns.length) }));
  const within = columns.map((column) => Math.min(width - 1, Math.max(0, column)));
  return (at) => {
    const slot = kept[at % count];
    if (slot.at === at) return slot.labels;
    slot.at = at;
    const row = data.subarray(Math.min(height - 1, Math.max(0, rows[at])) * width);
    for (let i = 0; i < within.length; i++) slot.labels[i] = row[within[i]];
    return slot.labels;
  };
}

/**
 * @param {Int32Array} rising
 * @param {number} value
 * @returns {number} the first place of a number that is not smaller
 */
function firstFrom(rising, value) {
  const found = rising.findIndex((one) => one >= value);
  return found < 0 ? rising.length : found;
}

/**
 * The photo's pixel under the centre of each of the screen's pixels along one axis; it may lie beyond the photo.
 * @param {number} first
 * @param {number} end
 * @param {number} offset of the photo in the canvas
 * @param {number} scale pixels of the canvas for one of the photo
 */
function places(first, end, offset, scale) {
  const found = new Int32Array(end - first);
  for (let i = first; i < end; i++) found[i - first] = Math.floor((i + 0.5 - offset) / scale);
  return found;
}
