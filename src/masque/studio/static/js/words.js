// @ts-check
/** Every text of the page, in English. A translation is a copy of this file with the same names. */

/** @param {number} count @param {string} one @param {string} [many] */
const number = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
/** @param {number} value */
const percent = (value) => `${Math.round(100 * value)} %`;

export const words = {
  name: "Masque Studio",
  tagline: "All on this machine: no photo is sent anywhere or kept.",
  skip: "Skip to the tool",
  loading: (/** @type {string} */ what) => `${what}… You can choose photos meanwhile.`,
  loadingModels: "Loading models",
  missing: (/** @type {string[]} */ names) =>
    `No weights are installed for ${names.join(", ")}: what needs them says so.`,
  percent,
  years: (/** @type {number} */ value) => `${Math.round(value)} years`,

  theme: { label: "Colours of the page", auto: "Auto", light: "Light", dark: "Dark" },

  tabs: {
    label: "What to do",
    names: {
      swap: "Swap",
      edit: "Edit",
      paint: "Paint",
      style: "Style",
      morph: "Morph",
      new: "New pictures",
      check: "Check",
    },
    missing: "This part of Studio is not installed: install Masque again.",
  },

  door: {
    title: "Who is there?",
    link:
      "This page has no key to Masque any more. Open the link that `masque studio` printed in the terminal; " +
      "where Masque was stopped, start it again.",
    password: "Password",
    hint: "The one in the file that `masque studio --password-file` was given.",
    enter: "Enter",
    reload: "Load the page again",
  },

  notice: {
    title: "Before you begin",
    agree: "I agree",
    stays: "Photos are kept in memory while Studio runs, and are gone when it ends.",
  },

  errors: {
    away: "Masque does not answer: look at the terminal in which `masque studio` runs; where it has ended, start it again.",
    unknown: "Masque could not do this, and did not say why: look at the terminal in which it runs.",
    page: "Something on this page went wrong: load it again.",
    busy: "Masque is busy with other pictures: try again in a few seconds.",
    refused: "The file is too large: make it smaller first.",
    large: (/** @type {string} */ name, /** @type {number} */ megabytes) =>
      `${name} is larger than ${megabytes} MB: make it smaller first.`,
    empty: (/** @type {string} */ name) => `${name} is empty: choose another file.`,
    kind: (/** @type {string} */ name) => `${name} is no picture: choose a photo, such as a JPEG or a PNG.`,
  },

  well: {
    invite: "Drop a photo here, or paste one",
    choose: "Choose a photo",
    camera: "Camera",
    other: "Other photo",
    examples: "Examples",
    example: (/** @type {string} */ title) => `Example: ${title}`,
    alt: (/** @type {string} */ name) => `The photo ${name}`,
    face: (/** @type {number} */ number, /** @type {number} */ of) => `face ${number} of ${of}`,
    small: (/** @type {number} */ number, /** @type {number} */ of) => `face ${number} of ${of}, too small to use`,
    found: (/** @type {string} */ name, /** @type {number} */ faces) => `${name}: ${number(faces, "face")} found.`,
    needed: "Choose a photo first.",
    noFace: "No face was found in this photo: choose one in which a face is seen from the front.",
  },

  camera: {
    title: "Take a photo",
    picture: "What the camera sees",
    take: "Take the photo",
    leave: "Cancel",
    none: "No camera was found on this machine: drop or choose a photo instead.",
    forbidden:
      "The browser may not use the camera: allow it in the browser's settings for this page, or choose a photo.",
    used: "The camera is in use by another program: close that one, or choose a photo.",
  },

  task: {
    cancel: "Cancel",
    working: (/** @type {string} */ what) => `${what}…`,
    waiting: (/** @type {number | null} */ place) =>
      place ? `Waiting; ${number(place, "picture")} before this one.` : "Waiting…",
    share: (/** @type {string} */ what, /** @type {number} */ done, /** @type {number} */ of) =>
      `${what}: ${done} of ${of}`,
    done: (/** @type {string} */ what) => `${what}: done.`,
    cancelled: (/** @type {string} */ what) => `${what}: cancelled.`,
  },

  view: {
    label: "Picture: plus and minus zoom, arrow keys move it",
    compare: "Before and after",
    compared: (/** @type {number} */ share) => `${Math.round(share)} % before, ${Math.round(100 - share)} % after`,
    before: "Before",
    after: "After",
    in: "Zoom in",
    out: "Zoom out",
    fit: "Fit",
    pixels: "Pixels",
    zoom: "Zoom",
    preview: "Preview",
    alt: (/** @type {string} */ verb) => `The result of ${verb}`,
    altBefore: "The photo before",
  },

  result: {
    download: "Download",
    formats: {
      png: "PNG, every pixel as it is",
      jpg: "JPEG, a smaller file",
      webp: "WebP, every pixel as it is",
      mp4: "MP4, the film",
    },
    use: "Use in",
    record: "How it was made",
    whole: "The whole record",
    notes: "Notes",
    size: (/** @type {number} */ width, /** @type {number} */ height) => `${width} × ${height} pixels`,
    saved: (/** @type {string} */ name) => `${name} was downloaded; its record is inside.`,
  },

  history: {
    label: "Pictures of this session",
    undo: "Undo",
    redo: "Redo",
    entry: (/** @type {string} */ verb, /** @type {number} */ number) => `Result ${number}: ${verb}`,
    shown: (/** @type {string} */ entry) => `${entry} is shown.`,
    none: "Back at the photo.",
  },

  verbs: /** @type {Record<string, string>} */ ({
    swap: "Swap",
    edit: "Edit",
    parse: "Label map",
    repaint: "Repaint",
    transfer: "Style",
    "faces-for": "Faces for a label map",
    random: "Random parts",
    blend: "Blend",
    turn: "Turn",
    frontalize: "Frontalize",
    synthesize: "New pictures",
    "mix-identity": "Mix",
    invert: "Latent",
    combine: "Combine",
    morph: "Morph",
    heatmap: "Heat map",
  }),

  swap: {
    title: "Swap",
    lead: "Put the face of one photo into another. Hair, pose, clothes and background of the second photo stay.",
    face: "Whose face",
    hair: "Into which photo",
    method: "Method",
    methods: [
      {
        value: "own",
        label: "Own pixels",
        hint: "Moves and tints the face's own pixels: sharp, at the photo's full size.",
      },
      {
        value: "network",
        label: "Network",
        hint: "What a network paints (RSGAN): softer, but also for heads turned far apart.",
      },
      { value: "warp", label: "Warp", hint: "Bends the face by its landmarks alone, without a network." },
    ],
    expression: "Whose expression",
    expressions: [
      { value: "source", label: "The face's own" },
      { value: "target", label: "The replaced one's" },
    ],
    ownOnly: "The expression can be chosen with own pixels.",
    go: "Swap",
    exchange: "Exchange the photos",
    empty: "Choose two photos, and the swapped one appears here.",
  },

  edit: {
    title: "Edit",
    lead: "Move a slider: a small picture follows at once, the full size when you rest.",
    photo: "Photo to edit",
    empty: "Choose a photo, and what you change appears here.",
    groups: { face: "Expression", hair: "Hair", age: "Age", more: "More" },
    names: /** @type {Record<string, string>} */ ({
      Smiling: "Smile",
      Mouth_Slightly_Open: "Open mouth",
      Age: "Age",
      Young: "Youthful",
      Male: "Male",
      Hair: "Hair colour",
      Black_Hair: "Black hair",
      Blond_Hair: "Blond hair",
      Brown_Hair: "Brown hair",
      Gray_Hair: "Grey hair",
    }),
    colour: "Any colour",
    swatches: "Colours of hair",
    keep: "As it is",
    reset: "Reset all",
    resetOne: (/** @type {string} */ name) => `${name}: back to the photo's`,
    reading: "Reading what the photo has",
    full: "Full size",
    work: "Edit",
  },

  check: {
    title: "Check",
    lead: "What does a picture or film say about how it was made? Its record is read here, and only here.",
    label: "Picture or film to check",
    invite: "Drop a picture or film here, or paste one",
    choose: "Choose a file",
    again: "Check another file",
    empty: "Choose a file, and what its record says appears here.",
    made: "Made by Masque",
    changed: "Made by Masque, and changed since",
    unknown: "No record of Masque",
    record: "The whole record",
    alt: (/** @type {string} */ name) => `The file ${name}`,
    kind: (/** @type {string} */ name) =>
      `${name} is neither a picture nor a film: choose a PNG, JPEG, WebP or MP4 file.`,
  },
};
