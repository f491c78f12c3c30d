// @ts-check
// Which part of a face an edit takes: the same choice in Paint and in Style.

import { choice } from "./controls.js";
import { words } from "./words.js";

/**
 * @param {string[]} parts as the server names them
 * @param {string} label what is chosen
 * @param {string} value which one at first
 * @returns {ReturnType<typeof choice>}
 */
export function partChoice(parts, label, value) {
  const names = /** @type {Record<string, string>} */ (words.parts);
  return choice({ label, value, options: parts.map((part) => ({ value: part, label: names[part] ?? part })) });
}
