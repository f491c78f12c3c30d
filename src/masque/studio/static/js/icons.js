// @ts-check
// The tools' icons: outlines drawn in a square of 24, in the colour of the text.

const PATHS = {
  brush: "M4 20c3 0 5-1 5-3a2.5 2.5 0 0 0-5-.5C3.5 18 4 19 2.5 19.500M9 15 19 4.500a1.4 1.4 0 0 1 2 2L11 17",
  erase: "M8 20h12M5.5 17 3.5 15a1.5 1.5 0 0 1 0-2L13 4l7 7-9 9H8.500zM8 9l7 7",
  fill: "m5 12 7-7 7 7-7 7zM9 8 6 5M5 12h14M21 15c1 2 1.5 2.5 1.5 3.500a1.5 1.5 0 0 1-3 0c0-1 .5-1.5 1.5-3.5",
  pick: "m14 6 4 4M12 8l4 4-8.5 8.500H3.500v-4zM14 6l2-2a2 2 0 0 1 3 0l1 1a2 2 0 0 1 0 3l-2 2",
  move: "M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3",
  undo: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-4",
  redo: "m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h4",
  closer: "M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14M16 16l5 5M8 11h6M11 8v6",
  farther: "M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14M16 16l5 5M8 11h6",
  whole: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * @param {IconName} name
 * @returns {SVGSVGElement} hidden from screen readers: the control that it stands in has a name
 */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" })) {
    svg.setAttribute(key, value);
  }
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
