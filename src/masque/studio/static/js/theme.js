// @ts-check
/** Dark or light: as the system has it, or as it was chosen. */

import { el } from "./dom.js";
import { words } from "./words.js";

const CHOSEN = "masque-colours";

/** @returns {HTMLElement} the choice between the system's colours, light and dark */
export function themeChoice() {
  const chosen = localStorage.getItem(CHOSEN) ?? "auto";
  const options = [
    ["auto", words.theme.auto],
    ["light", words.theme.light],
    ["dark", words.theme.dark],
  ];
  const select = el(
    "select",
    { class: "theme", "aria-label": words.theme.label },
    ...options.map(([value, text]) => el("option", { value, text, selected: value === chosen })),
  );
  select.addEventListener("change", () => {
    localStorage.setItem(CHOSEN, select.value);
    apply(select.value);
  });
  apply(chosen);
  return select;
}

/** @param {string} theme */
function apply(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
