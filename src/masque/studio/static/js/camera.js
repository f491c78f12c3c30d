// @ts-check
/** A photo taken by the camera of the machine that shows the page. */

import { ApiError } from "./api.js";
import { el } from "./dom.js";
import { words } from "./words.js";

/**
 * Show what the camera sees, and take a picture of it.
 *
 * @returns {Promise<File | null>} a JPEG; null where the user left. Throws ApiError where there is no camera to use.
 */
export async function takePhoto() {
  const stream = await open();
  const video = el("video", { autoplay: true, playsinline: true, "aria-label": words.camera.picture });
  video.muted = true;
  video.srcObject = stream;
  const take = el("button", { type: "button", class: "button main", text: words.camera.take });
  const leave = el("button", { type: "button", class: "button quiet", text: words.camera.leave });
  const dialog = el(
    "dialog",
    { class: "camera", "aria-label": words.camera.title },
    video,
    el("div", { class: "row" }, take, leave),
  );
  document.body.append(dialog);
  dialog.showModal();
  /** @type {File | null} */
  let taken = null;
  await new Promise((/** @type {(value?: unknown) => void} */ done) => {
    dialog.addEventListener("close", done);
    leave.addEventListener("click", () => dialog.close());
    take.addEventListener("click", async () => {
      taken = await still(video);
      dialog.close();
    });
  });
  for (const track of stream.getTracks()) track.stop();
  dialog.remove();
  return taken;
}

/** @returns {Promise<MediaStream>} */
async function open() {
  if (!window.isSecureContext) throw new ApiError(words.camera.insecure);
  if (!navigator.mediaDevices?.getUserMedia) throw new ApiError(words.camera.none);
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 }, facingMode: "user" } });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    throw new ApiError(
      name === "NotAllowedError"
        ? words.camera.forbidden
        : name === "NotReadableError"
          ? words.camera.used
          : words.camera.none,
    );
  }
}

/** @param {HTMLVideoElement} video @returns {Promise<File | null>} what it shows at this moment */
async function still(video) {
  const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
  return blob && new File([blob], "camera.jpg", { type: "image/jpeg" });
}
