// @ts-check
/** Calls of the server: photos, results, and jobs that make one of the other. */

import { words } from "./words.js";

/**
 * @typedef {{number: number, left: number, top: number, width: number, height: number, usable: boolean,
 *   taken: boolean}} Face
 * @typedef {{id: string, name: string, width: number, height: number, faces: Face[], note: string | null}} Photo
 * @typedef {{id: string, name: string, width: number, height: number, faces: Face[], pick: number | null, url: string,
 *   file?: File, example?: string, source: "photo" | "result"}} Item a photo in a well; `pick` counts from 1
 * @typedef {{id: string, verb: string, width: number, height: number, record: Record<string, any>, words: string[],
 *   notes: string[], photo: string | null, kind: "picture" | "film" | "labels", labels: boolean, latent: boolean,
 *   cells: number | null, faces: Face[]}} Result
 * @typedef {{id: string, verb: string, state: string, place: number | null, doing: string | null, done: number,
 *   of: number, seconds: number, version: number, error: {error: string, kind: string, field: string | null} | null,
 *   result: Result | null}} Job
 * @typedef {{name: string, title: string, by: string, picture?: boolean}} Example
 * @typedef {string | number | boolean | null | undefined | Blob | Item | Record<string, any>} Value
 */

/** A failure, as one sentence that says what to do. */
export class ApiError extends Error {
  /**
   * @param {string} sentence what a user reads
   * @param {string} [kind] the error's class on the server
   * @param {string | null} [field] the field of the call that caused it
   * @param {number} [status] of HTTP; 0 where the server did not answer
   */
  constructor(sentence, kind = "", field = null, status = 0) {
    super(sentence);
    this.sentence = sentence;
    this.kind = kind;
    this.field = field;
    this.status = status;
  }
}

/** What a call is cancelled with. @returns {DOMException} */
export const cancelled = () => new DOMException("cancelled", "AbortError");

/** @param {unknown} value @returns {value is Item} */
const isItem = (value) => typeof value === "object" && value !== null && "source" in value && "id" in value;

export class Api {
  /**
   * @param {string | null} token what the door gave
   * @param {string} client whose photos these are
   * @param {() => Promise<string>} ask asks for the password, or says that the link is needed; gives a new token
   */
  constructor(token, client, ask) {
    this.token = token;
    this.client = client;
    this.ask = ask;
    /** @type {Promise<any> | undefined} */
    this.chosen = undefined;
    /** @type {Promise<Example[]> | undefined} */
    this.listed = undefined;
    /** @type {Map<string, Promise<string>>} addresses of examples' small pictures, by name */
    this.small = new Map();
    this.limits = { megabytes: 30, megapixels: 50 };
    /** @type {Map<Item, Promise<void>>} */
    this.restoring = new Map();
  }

  /**
   * One call.
   *
   * @param {string} method of HTTP
   * @param {string} path from /api on
   * @param {{body?: BodyInit | null, json?: object, signal?: AbortSignal, accept?: string}} [options]
   * @returns {Promise<Response>} an answer of 2xx. Throws ApiError for any other.
   */
  async call(method, path, { body = null, json, signal, accept = "application/json" } = {}) {
    for (;;) {
      const headers = new Headers({ "X-Masque-Client": this.client, Accept: accept });
      if (this.token) headers.set("Authorization", `Bearer ${this.token}`);
      if (json) headers.set("Content-Type", "application/json");
      const answer = await fetch(`/api${path}`, {
        method,
        headers,
        signal,
        body: json ? JSON.stringify(json) : body,
      }).catch((error) => {
        throw error.name === "AbortError" ? error : new ApiError(words.errors.away);
      });
      if (answer.ok) return answer;
      if (answer.status === 401 && path !== "/login") {
        this.token = await this.ask();
        continue;
      }
      throw await failure(answer);
    }
  }

  /** @param {string} path @returns {Promise<any>} */
  async get(path) {
    return (await this.call("GET", path)).json();
  }

  /**
   * @param {File} file
   * @param {string | null} field
   * @returns {void} throws ApiError where the server would refuse it
   */
  check(file, field = null) {
    const { megabytes } = this.limits;
    if (file.size > megabytes * 1e6) throw new ApiError(words.errors.large(file.name, megabytes), "UploadError", field);
    if (file.size === 0) throw new ApiError(words.errors.empty(file.name), "UploadError", field);
  }

  /** @param {File} file a picture @param {AbortSignal} [signal] @returns {Promise<Photo>} */
  async upload(file, signal) {
    this.check(file, "photo");
    if (file.type && !file.type.startsWith("image/"))
      throw new ApiError(words.errors.kind(file.name), "PictureError", "photo");
    const body = new FormData();
    body.append("photo", file, file.name || "photo");
    return (await this.call("POST", "/photos", { body, signal })).json();
  }

  /** @returns {Promise<Example[]>} */
  examples() {
    return this.get("/examples");
  }

  /** @param {string} name @returns {Promise<Photo>} */
  async example(name) {
    return (await this.call("POST", `/examples/${encodeURIComponent(name)}`)).json();
  }

  /** @returns {Promise<any>} what can be asked for: attributes, colours of hair, labels */
  choices() {
    this.chosen ??= this.get("/choices").catch((/** @type {Error} */ error) => {
      this.chosen = undefined;
      throw error;
    });
    return this.chosen;
  }

  /**
   * A picture of a photo or of a result.
   *
   * @param {"photos" | "results"} kind which
   * @param {string} id its id
   * @param {{longest?: number, format?: string, cell?: number, signal?: AbortSignal}} [options] longest: pixels of the
   *     longer side, for a small JPEG; format: png, jpg or webp, at full size; cell: one picture of a sheet, from 0 on
   * @returns {Promise<Blob>}
   */
  async picture(kind, id, { longest, format, cell, signal } = {}) {
    const query = new URLSearchParams();
    if (longest) query.set("longest", String(longest));
    if (format) query.set("format", format);
    if (cell !== undefined) query.set("cell", String(cell));
    return (await this.call("GET", `/${kind}/${id}/picture?${query}`, { signal })).blob();
  }

  /**
   * The picture of what lies in a well; the photo is uploaded again where the server holds it no longer.
   *
   * @param {Item} item @param {{longest?: number}} [options] @returns {Promise<Blob>}
   */
  pictureOf(item, options = {}) {
    return this.again([item], () => this.picture(item.source === "result" ? "results" : "photos", item.id, options));
  }

  /** What a face has: where sliders begin. @param {Item} item @returns {Promise<any>} */
  read(item) {
    const pick = () => (item.pick ? `?pick=${item.pick}` : "");
    return this.again([item], async () => (await this.call("POST", `/photos/${item.id}/read${pick()}`)).json());
  }

  /** @param {string} id of a result @returns {Promise<Uint8Array>} label numbers, row by row */
  async labels(id) {
    return new Uint8Array(await (await this.call("GET", `/results/${id}/labels`)).arrayBuffer());
  }

  /** @param {string} id of a result @returns {Promise<Blob>} video/mp4 */
  async film(id) {
    return (await this.call("GET", `/results/${id}/film`)).blob();
  }

  /** What a file's record says. @param {File} file @param {AbortSignal} [signal] @returns {Promise<any>} */
  async verify(file, signal) {
    this.check(file, "file");
    const body = new FormData();
    body.append("file", file, file.name || "file");
    return (await this.call("POST", "/verify", { body, signal })).json();
  }

  /**
   * Start a job and wait for what it makes.
   *
   * @param {string} verb such as "swap"
   * @param {Record<string, Value | Value[]>} fields by name: photos as items, lists as several fields, files as blobs,
   *     other objects as JSON; null and undefined are left out
   * @param {{onProgress?: (job: Job) => void, signal?: AbortSignal}} [options] aborting the signal cancels the job
   * @returns {Promise<Result>} Throws ApiError, or AbortError when it was cancelled.
   */
  run(verb, fields, { onProgress, signal } = {}) {
    const items = Object.values(fields).flat().filter(isItem);
    return this.again(items, async () => {
      const started = await this.call("POST", `/${verb}?job=true`, { body: form(fields), signal });
      return this.follow(await started.json(), onProgress, signal);
    });
  }

  /**
   * Make a small picture at once, without a job: nothing is kept of it.
   *
   * @param {string} verb such as "edit"
   * @param {Record<string, Value | Value[]>} fields as of `run`, with `longest`
   * @param {AbortSignal} [signal]
   * @returns {Promise<Blob>}
   */
  draft(verb, fields, signal) {
    const items = Object.values(fields).flat().filter(isItem);
    return this.again(items, async () => {
      return (await this.call("POST", `/${verb}`, { body: form(fields), signal, accept: "image/png" })).blob();
    });
  }

  /**
   * @param {Job} job
   * @param {((job: Job) => void) | undefined} onProgress
   * @param {AbortSignal} [signal]
   * @returns {Promise<Result>}
   */
  async follow(job, onProgress, signal) {
    try {
      while (job.state === "waiting" || job.state === "running") {
        onProgress?.(job);
        job = await (await this.call("GET", `/jobs/${job.id}?wait=20&seen=${job.version}`, { signal })).json();
      }
    } catch (error) {
      if (signal?.aborted) this.call("DELETE", `/jobs/${job.id}`).catch(() => {}); // it may have ended by itself
      throw error;
    }
    if (job.state === "cancelled") throw cancelled();
    if (job.error || !job.result) {
      const { error, kind, field } = job.error ?? { error: words.errors.unknown, kind: "", field: null };
      throw new ApiError(error, kind, field, kind === "NotHeldError" ? 404 : 422);
    }
    return job.result;
  }

  /**
   * Make a call, and once more after its photos were uploaded anew where the server holds one of them no longer.
   *
   * @template T
   * @param {Item[]} items whose photos the call needs
   * @param {() => Promise<T>} run the call
   * @returns {Promise<T>}
   */
  async again(items, run) {
    try {
      return await run();
    } catch (error) {
      const mine = items.filter((item) => item.file || item.example);
      if (!(error instanceof ApiError) || error.status !== 404 || !mine.length) throw error;
      await Promise.all(mine.map((item) => this.restore(item)));
      return run();
    }
  }

  /** Upload an item's photo again, unless the server still has it. @param {Item} item @returns {Promise<void>} */
  restore(item) {
    const under =
      this.restoring.get(item) ??
      this.get(`/photos/${item.id}`)
        .catch(async () => {
          const photo = item.file ? await this.upload(item.file) : await this.example(String(item.example));
          item.id = photo.id;
        })
        .finally(() => this.restoring.delete(item));
    this.restoring.set(item, under);
    return under;
  }
}

/**
 * @param {Response} answer
 * @returns {Promise<ApiError>} the server's sentence, or one that says what its status means
 */
async function failure(answer) {
  const said = await answer.json().catch(() => null);
  const plain =
    answer.status === 413 ? words.errors.refused : answer.status === 429 ? words.errors.busy : words.errors.unknown;
  return new ApiError(said?.error ?? plain, said?.kind ?? "", said?.field ?? null, answer.status);
}

/** @param {Record<string, Value | Value[]>} fields @returns {FormData} */
function form(fields) {
  const body = new FormData();
  for (const [name, given] of Object.entries(fields)) {
    for (const value of Array.isArray(given) ? given : [given]) {
      if (value === null || value === undefined) continue;
      if (value instanceof Blob) body.append(name, value, value instanceof File ? value.name : name);
      else if (isItem(value)) body.append(name, value.id);
      else body.append(name, typeof value === "object" ? JSON.stringify(value) : String(value));
    }
  }
  return body;
}
