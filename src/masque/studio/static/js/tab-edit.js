// @ts-check
/**
 * The tab that changes a face's attributes: sliders that begin at what the photo has, and a picture that follows
 * them.
 */

import { sentenceOf } from "./controls.js";
import { el, fresh } from "./dom.js";
import { SMALL } from "./live.js";
import { words } from "./words.js";

/** Attributes of which one excludes the others. */
const RIVALS = [
  ["Age", "Young"],
  ["Hair", "Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"],
];
/** Where attributes stand; all others are folded away under "more". */
const GROUPS = /** @type {[keyof typeof words.edit.groups, string[]][]} */ ([
  ["face", ["Smiling", "Mouth_Slightly_Open"]],
  ["hair", ["Hair"]],
  ["age", ["Age", "Male"]],
]);
/** Values at which a face stays as it is, where it has none of its own. */
const NEUTRAL = /** @type {Record<string, number>} */ ({ Young: 0.5 });
/** Attributes that only adults' faces are changed in, and the ages that can be stated. */
const OF_ADULTS = ["Age", "Young", "Male"];
const ADULT = { low: 18, high: 120 };

/** @type {Editor | null} */
let editor = null;

/** @type {import("./tabs.js").Tab} */
export const tab = {
  id: "edit",
  async start(root, studio) {
    editor = new Editor(root, studio);
    await editor.ready;
  },
  take: (item) => editor?.well.set(item),
  restore: (state) => editor?.restore(state),
};

class Editor {
  /** @param {HTMLElement} root @param {import("./main.js").Studio} studio */
  constructor(root, studio) {
    this.studio = studio;
    /** @type {Record<string, number | string>} what is asked for: what was moved, and nothing else */
    this.changed = {};
    /** @type {Record<string, any>} what was read of the photo */
    this.read = {};
    /** @type {Map<string, {set: (value: any) => void, start: any, back?: HTMLElement}>} */
    this.parts = new Map();
    const { inputs, result } = studio.columns(
      root,
      { inputs: words.edit.title, result: words.view.after },
      { live: true },
    );
    this.result = result;
    this.well = studio.well({ label: words.edit.photo, small: true, onPhoto: (item) => this.photo(item) });
    this.sliders = el("div", { class: "sliders", hidden: true });
    this.said = el("p", { class: "hint", role: "status" });
    this.adult = new Adult(studio, () => this.stated());
    const foot = el("div", { class: "task" });
    this.live = studio.controls.live({
      root: foot,
      label: words.edit.work,
      verb: "edit",
      places: { photo: this.well, pick: this.well, age: this.adult, TooYoungError: this.adult },
      fields: () => this.asked(),
      onDraft: (url, sent) => studio.results.preview(result, url, sent.photo),
      onDone: (made, sent) =>
        studio.finish(result, made, {
          before: sent.photo,
          tab: "edit",
          state: { item: sent.photo, changed: sent.attributes, age: sent.age },
        }),
    });
    inputs.append(
      el("h2", { class: "unseen", text: words.edit.title }),
      el("p", { class: "lead", text: words.edit.lead }),
      this.well.element,
      this.said,
      this.sliders,
      foot,
    );
    this.empty();
    this.ready = studio.api.choices().then(
      (choices) => this.build(choices),
      (error) => {
        this.said.textContent = sentenceOf(error);
      },
    );
  }

  /** @returns {Record<string, any> | null} what is sent now; null: nothing was changed */
  asked() {
    const { item } = this.well;
    const names = Object.keys(this.changed);
    if (!item || !names.length) return null;
    const age = names.some((name) => OF_ADULTS.includes(name)) ? this.adult.age : null;
    return { photo: item, pick: item.pick, attributes: { ...this.changed }, age };
  }

  empty() {
    this.studio.results.clear(this.result, words.edit.empty);
  }

  /**
   * @param {{attributes: {name: string, kind: string, low: number, high: number}[], hair_colours: Record<string,
   *     string>}} choices
   */
  build(choices) {
    const placed = new Set(GROUPS.flatMap(([, names]) => names));
    const groups = [
      ...GROUPS,
      /** @type {const} */ (["more", choices.attributes.map(({ name }) => name).filter((name) => !placed.has(name))]),
    ];
    for (const [group, names] of groups) {
      const parts = choices.attributes
        .filter(({ name }) => names.includes(name))
        .map((given) => (given.kind === "colour" ? this.colour(choices.hair_colours) : this.slider(given)));
      if (!parts.length) continue;
      if (group === "age") parts.push(this.adult.element);
      this.sliders.append(
        group === "more"
          ? el("details", { class: "group" }, el("summary", { text: words.edit.groups.more }), ...parts)
          : el("fieldset", { class: "group" }, el("legend", { text: words.edit.groups[group] }), ...parts),
      );
    }
    const reset = this.studio.controls.button({ label: words.edit.reset, kind: "quiet", onClick: () => this.reset() });
    this.sliders.append(el("div", { class: "row end" }, reset));
  }

  /** @param {{name: string, kind: string, low: number, high: number}} given @returns {HTMLElement} */
  slider({ name, kind, low, high }) {
    const years = kind === "years";
    const label = words.edit.names[name] ?? name.replaceAll("_", " ");
    const start = NEUTRAL[name] ?? low;
    const made = this.studio.controls.slider({
      label,
      min: low,
      max: high,
      step: years ? 1 : 0.01,
      value: start,
      said: years ? words.years : words.percent,
      onInput: (value) => this.move(name, value),
    });
    const back = this.studio.controls.button({
      label: "↺",
      title: words.edit.resetOne(label),
      kind: "quiet",
      onClick: () => {
        made.input.focus(); // the button goes
        this.back(name);
      },
    });
    back.hidden = true;
    made.element.append(back);
    const set = (/** @type {number | null} */ value) =>
      value === null ? made.set((low + high) / 2, words.edit.notRead) : made.set(value);
    this.parts.set(name, { set, start, back });
    return made.element;
  }

  /** @param {Record<string, string>} named @returns {HTMLElement} swatches, and a picker of any colour */
  colour(named) {
    const id = fresh("colour");
    const picker = el("input", { type: "color", id, value: "#4a3222" });
    const keep = this.studio.controls.button({
      label: words.edit.keep,
      kind: "plain",
      onClick: () => this.back("Hair"),
    });
    const swatches = Object.entries(named).map(([name, colour]) => {
      const one = el("button", { type: "button", class: "swatch", "aria-label": name, title: name });
      one.style.backgroundColor = colour;
      one.addEventListener("click", () => {
        set(name);
        this.move("Hair", name);
      });
      return { name, one };
    });
    picker.addEventListener("input", () => {
      set(picker.value);
      this.move("Hair", picker.value);
    });
    const set = (/** @type {string | null} */ value) => {
      for (const { name, one } of swatches) one.setAttribute("aria-pressed", String(name === value));
      keep.setAttribute("aria-pressed", String(!this.changed.Hair && value === this.parts.get("Hair")?.start));
      const shown = value && (named[value] ?? value);
      if (shown?.startsWith("#")) picker.value = shown;
    };
    this.parts.set("Hair", { set, start: null });
    return el(
      "div",
      { class: "colours" },
      el(
        "div",
        { class: "swatches", role: "group", "aria-label": words.edit.swatches },
        keep,
        ...swatches.map(({ one }) => one),
      ),
      el("div", { class: "row" }, el("label", { for: id, text: words.edit.colour }), picker),
    );
  }

  /** @param {import("./api.js").Item | null} item */
  async photo(item) {
    this.live.stop();
    this.changed = {};
    this.read = {};
    this.adult.set(null);
    this.sliders.hidden = true; // until it is known where they begin
    this.said.textContent = "";
    if (!item) return this.empty();
    this.studio.results.photo(this.result, item);
    if (item.faces.length) await this.begin(item);
  }

  /** Have the sliders begin at what the photo has. @param {import("./api.js").Item} item */
  async begin(item) {
    this.said.textContent = `${words.edit.reading}…`;
    const { pick } = item;
    try {
      const found = await this.studio.api.read(item);
      if (this.well.item !== item || item.pick !== pick) return;
      this.read = found;
      for (const [name, part] of this.parts) {
        this.mark(name);
        part.start = this.startOf(name);
        if (!(name in this.changed)) part.set(part.start);
      }
      this.said.textContent = words.plain((found.notes ?? []).join(" "));
      this.warm(item, { Smiling: found.Smiling, ...(found.Hair ? { Hair: found.Hair } : {}) });
    } catch (error) {
      this.said.textContent = "";
      this.well.fail(sentenceOf(error));
    }
    if (this.well.item === item) this.sliders.hidden = false;
  }

  /** Where a slider begins; null: that was not read. @param {string} name @returns {any} */
  startOf(name) {
    if (name === "Young") return NEUTRAL.Young;
    if (name === "Age") return this.read.Age ?? this.adult.age;
    return this.read[name] ?? (name === "Hair" ? null : 0);
  }

  /** It was said how old the person is. */
  stated() {
    const part = this.parts.get("Age");
    if (part) {
      part.start = this.startOf("Age");
      if (!("Age" in this.changed)) part.set(part.start);
    }
    if (Object.keys(this.changed).some((name) => OF_ADULTS.includes(name))) this.live.touch();
  }

  /**
   * Have the server find what all edits of this photo need, by one that changes nothing: the first movement of a slider
   * is then as fast as those after it.
   *
   * @param {import("./api.js").Item} item
   * @param {Record<string, number | string>} attributes what the photo has
   */
  warm(item, attributes) {
    const { api } = this.studio;
    api.draft("edit", { photo: item, pick: item.pick, attributes, longest: SMALL }).catch(() => {}); // not asked for
  }

  /** @param {string} name @param {number | string} value */
  move(name, value) {
    for (const rivals of RIVALS.filter((group) => group.includes(name))) {
      for (const rival of rivals.filter((one) => one !== name && one in this.changed)) this.put(rival);
    }
    this.changed[name] = value;
    this.mark(name);
    this.live.touch();
  }

  /** Offer the way back where something was changed. @param {string} name */
  mark(name) {
    const { back } = this.parts.get(name) ?? {};
    if (back) back.hidden = !(name in this.changed);
  }

  /** Take a change back without a new picture. @param {string} name */
  put(name) {
    delete this.changed[name];
    const part = this.parts.get(name);
    part?.set(part.start);
    this.mark(name);
  }

  /** @param {string} name */
  back(name) {
    if (!(name in this.changed)) return;
    if (Object.keys(this.changed).length === 1) return this.reset();
    this.put(name);
    this.live.touch();
  }

  /** Back to the photo; undo gives again what was asked for. */
  reset() {
    const asked = this.asked();
    if (asked) this.leave(asked);
    this.clear();
  }

  /** @param {Record<string, any>} asked what was asked for until now */
  leave({ photo, attributes, age }) {
    const { history } = this.studio;
    const { current } = history;
    const state = { item: photo, changed: attributes, age };
    const made = current?.tab === "edit" && current.state?.item === photo && same(current.state.changed, attributes);
    history.reset({ ...state, unmade: true }, made ? current : null);
  }

  clear() {
    this.live.stop();
    for (const [name] of this.parts) this.put(name);
    if (this.well.item) this.studio.results.photo(this.result, this.well.item);
  }

  /**
   * @param {{item: import("./api.js").Item, changed: Record<string, number | string>, age?: number | null,
   *     unmade?: boolean} | null} state unmade: its picture is to be made yet
   */
  restore(state) {
    if (!state) return this.clear();
    this.live.stop();
    if (this.well.item !== state.item) this.well.set(state.item);
    for (const [name] of this.parts) this.put(name);
    this.changed = { ...state.changed };
    this.adult.set(state.age ?? null);
    for (const [name, value] of Object.entries(state.changed)) {
      this.parts.get(name)?.set(value);
      this.mark(name);
    }
    if (state.unmade) this.live.touch();
  }
}

/** @param {Record<string, number | string>} one @param {Record<string, number | string>} other @returns {boolean} */
function same(one, other) {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

/** Where a user says that a person is an adult, and how old: faces that read young are aged only then. */
class Adult {
  /** @param {import("./main.js").Studio} studio @param {() => void} onChange */
  constructor(studio, onChange) {
    const [id, hint] = [fresh("adult"), fresh("hint")];
    const { low, high } = ADULT;
    this.input = el("input", { type: "number", id, class: "text", min: low, max: high, step: 1 });
    this.element = el(
      "div",
      { class: "field adult" },
      el("label", { for: id, text: words.edit.adult }),
      this.input,
      el("span", { class: "hint", id: hint, text: words.edit.adultHint }),
    );
    this.fail = studio.controls.failing(this.element, this.input);
    this.input.addEventListener("change", () => {
      this.fail(this.input.validity.valid ? null : words.edit.adultRange(low, high));
      if (this.input.validity.valid) onChange();
    });
  }

  /** @returns {number | null} years; null where none is said, or none that can be */
  get age() {
    return this.input.value && this.input.validity.valid ? Number(this.input.value) : null;
  }

  /** @param {number | null} age */
  set(age) {
    this.fail(null);
    this.input.value = age === null ? "" : String(age);
  }
}
