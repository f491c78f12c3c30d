// @ts-check
/** What is asked once, at first use: the consent of those shown, and the weights' terms. */

import { button } from "./controls.js";
import { el } from "./dom.js";
import { words } from "./words.js";

const AGREED = "masque-agreed";

/** Ask, unless this machine or this browser remembers. @param {import("./api.js").Api} api @returns {Promise<void>} */
export async function askConsent(api) {
  if (localStorage.getItem(AGREED) === "yes") return;
  const notice = await api.get("/notice");
  if (!notice.agreed) await dialogOf(notice.text);
  localStorage.setItem(AGREED, "yes");
  if (!notice.agreed) await api.call("POST", "/notice");
}

/** @param {string[]} sentences @returns {Promise<void>} when somebody agreed */
function dialogOf(sentences) {
  return new Promise((done) => {
    const dialog = el(
      "dialog",
      { class: "notice", "aria-labelledby": "notice-title" },
      el("h2", { id: "notice-title", text: words.notice.title }),
      ...sentences.map((text) => el("p", { text })),
      el("p", { class: "hint", text: words.notice.stays }),
      button({
        label: words.notice.agree,
        kind: "main",
        onClick: () => {
          dialog.remove();
          done();
        },
      }),
    );
    dialog.addEventListener("cancel", (/** @type {Event} */ event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
  });
}
