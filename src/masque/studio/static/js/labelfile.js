// @ts-check
// Label maps as bytes: compressed for the server, and as the palette PNG that every masque command reads.

/** @typedef {import("./labels.js").LabelMap} LabelMap */

export const LABELS_TYPE = "application/x-masque-labels";

/**
 * The labels row by row, compressed as zlib does it: what `/api/repaint` takes as its field "labels".
 * @param {LabelMap} map
 * @returns {Promise<Blob>} of type LABELS_TYPE
 */
export async function compressed(map) {
  return new Blob([await deflate(map.data)], { type: LABELS_TYPE });
}

/**
 * The labels of what `compressed` gave.
 * @param {Blob} blob
 * @returns {Promise<Uint8Array>} row by row
 */
export async function decompressed(blob) {
  const stream = blob.stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * A palette PNG whose indices are the labels.
 * @param {LabelMap} map
 * @param {number[][]} colours RGB by label
 * @returns {Promise<Blob>}
 */
export async function palettePNG(map, colours) {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, map.width);
  header.setUint32(4, map.height);
  header.setUint8(8, 8); // bits of an index
  header.setUint8(9, 3); // of a palette
  const rows = new Uint8Array(map.height * (map.width + 1)); // each row begins with its filter: 0, none
  for (let y = 0; y < map.height; y++) {
    rows.set(map.data.subarray(y * map.width, (y + 1) * map.width), y * (map.width + 1) + 1);
  }
  const parts = [
    new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("PLTE", Uint8Array.from(colours.flat())),
    chunk("IDAT", await deflate(rows)),
    chunk("IEND", new Uint8Array(0)),
  ];
  return new Blob(parts, { type: "image/png" });
}

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<Uint8Array<ArrayBuffer>>} a zlib stream
 */
async function deflate(bytes) {
  const stream = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]).stream();
  return new Uint8Array(await new Response(stream.pipeThrough(new CompressionStream("deflate"))).arrayBuffer());
}

/**
 * A piece of a PNG: length, name, content, checksum of name and content.
 * @param {string} name
 * @param {Uint8Array} content
 * @returns {Uint8Array<ArrayBuffer>}
 */
function chunk(name, content) {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = name.charCodeAt(i);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, checksum(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/**
 * CRC-32, as a PNG wants it (ISO 3309).
 * @param {Uint8Array} bytes
 */
function checksum(bytes) {
  let sum = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) sum = TABLE[(sum ^ bytes[i]) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}
