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
    const columns = places(area.left - reach, area.right + reach, view.left, view.scale * this.density, this.density);
    const rows = places(area.top - reach, area.bottom + reach, view.top, view.scale * this.density, this.density);
    for (let y = area.top; y < area.bottom; y++) this.drawRow(map, area, columns, rows, y, reach);
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
   * @param {LabelMap} map
   * @param {Rect} area
   * @param {Int32Array} columns the photo's column of every column of the area, with `reach` more on both sides
   * @param {Int32Array} rows
   * @param {number} y
   * @param {number} reach how far from another label an outline goes; 0 without
   */
  drawRow(map, area, columns, rows, y, reach) {
    const { data, width, height } = map;
    const { pixels, tiles, lines } = this;
    const wide = area.right - area.left;
    const at = y - area.top + reach;
    let out = y * this.canvas.width + area.left;
    if (rows[at] < 0 || rows[at] >= height) {
      pixels.fill(0, out, out + wide);
      return;
    }
    const row = rows[at] * width;
    const above = clamp(rows[at - reach], height) * width;
    const below = clamp(rows[at + reach], height) * width;
    const tileRow = (y & (TILE - 1)) * TILE;
    for (let i = reach; i < wide + reach; i++, out++) {
      const column = columns[i];
      if (column < 0 || column >= width) {
        pixels[out] = 0;
        continue;
      }
      const label = data[row + column];
      const place = label * TILE * TILE + tileRow + ((area.left + i - reach) & (TILE - 1));
      pixels[out] = tiles[place];
      if (!reach) continue;
      const before = data[row + clamp(columns[i - reach], width)];
      const after = data[row + clamp(columns[i + reach], width)];
      const edge = before !== label || after !== label;
      if (edge || data[above + column] !== label || data[below + column] !== label) pixels[out] = lines[place];
    }
  }
}

/**
 * @param {number} value
 * @param {number} count
 */
function clamp(value, count) {
  return value < 0 ? 0 : value >= count ? count - 1 : value;
}

/**
 * The photo's pixel under the centre of each of the screen's pixels along one axis; it may lie beyond the photo.
 * @param {number} first
 * @param {number} end
 * @param {number} offset of the photo in the window, CSS pixels
 * @param {number} scale pixels of the screen for one of the photo
 * @param {number} density
 */
function places(first, end, offset, scale, density) {
  const found = new Int32Array(end - first);
  for (let i = first; i < end; i++) found[i - first] = Math.floor((i + 0.5 - offset * density) / scale);
  return found;
}
