// @ts-check
/** The key to the server: it comes with the opened link, or for a password. */

import { ApiError } from "./api.js";
import { failing, sentenceOf } from "./controls.js";
import { el } from "./dom.js";
import { words } from "./words.js";

const TOKEN = "masque-token";
const CLIENT = "masque-client";

/**
 * The key that the link brought, or that this tab of the browser has kept. It goes from the address bar.
 *
 * @returns {string | null}
 */
export function tokenOfLink() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return sessionStorage.getItem(TOKEN);
  sessionStorage.setItem(TOKEN, token);
  history.replaceState(null, "", location.pathname);
  return token;
}

/** By which the server tells the photos of this tab of the browser from others'. @returns {string} */
export function clientOfTab() {
  const kept = sessionStorage.getItem(CLIENT);
  if (kept) return kept;
  const made = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
  sessionStorage.setItem(CLIENT, made);
  return made;
}

/** @type {Promise<string> | null} */
let asking = null;

/**
 * Ask for the password, or say that the link has to be opened again.
 *
 * @param {import("./api.js").Api} api
 * @returns {Promise<string>} a new token
 */
export function askAtDoor(api) {
  asking ??= ask(api).finally(() => {
    asking = null;
  });
  return asking;
}

/** @param {import("./api.js").Api} api @returns {Promise<string>} */
async function ask(api) {
  sessionStorage.removeItem(TOKEN);
  const door = await fetch("/api/door").then(
    (answer) => answer.json(),
    () => ({ needs: "token" }),
  );
  const inside = door.needs === "password" ? passwordForm(api) : linkSentence();
  const dialog = el(
    "dialog",
    { class: "door", "aria-labelledby": "door-title" },
    el("h2", { id: "door-title", text: inside.title }),
    inside.element,
  );
  dialog.addEventListener("cancel", (/** @type {Event} */ event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
  const token = await inside.token;
  sessionStorage.setItem(TOKEN, token);
  dialog.remove();
  return token;
}

/** @returns {{title: string, element: HTMLElement, token: Promise<string>}} */
function linkSentence() {
  const reload = el("button", {
    type: "button",
    class: "button main",
    text: words.door.reload,
    on: { click: () => location.reload() },
  });
  return {
    title: words.door.titles.link,
    element: el("div", {}, el("p", { role: "alert", text: words.door.link }), reload),
    token: linkFollowed(),
  };
}

/** @returns {Promise<string>} the key of a link that is followed while the page is open */
function linkFollowed() {
  return new Promise((done) => {
    const look = () => {
      const token = tokenOfLink();
      if (!token) return;
      window.removeEventListener("hashchange", look);
      done(token);
    };
    window.addEventListener("hashchange", look);
    look(); // it may have been followed before it was needed
  });
}

/** @param {import("./api.js").Api} api @returns {{title: string, element: HTMLElement, token: Promise<string>}} */
function passwordForm(api) {
  const input = el("input", { type: "password", id: "password", autocomplete: "current-password", required: true });
  const enter = el("button", { type: "submit", class: "button main", text: words.door.enter });
  const form = el(
    "form",
    {},
    el("label", { for: "password", text: words.door.password }),
    input,
    el("p", { class: "hint", text: words.door.hint }),
    enter,
  );
  const fail = failing(form, input);
  const token = new Promise((/** @type {(token: string) => void} */ done) => {
    form.addEventListener("submit", async (/** @type {Event} */ event) => {
      event.preventDefault();
      fail(null);
      enter.disabled = true;
      try {
        const answer = await api.call("POST", "/login", { json: { password: input.value } });
        done((await answer.json()).token);
      } catch (error) {
        fail(error instanceof ApiError ? error.sentence : sentenceOf(error));
        input.select();
      } finally {
        enter.disabled = false;
      }
    });
  });
  return { title: words.door.titles.password, element: form, token };
}
