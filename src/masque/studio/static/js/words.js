// @ts-check
/** Every text of the page, in English. A translation is a copy of this file with the same names. */

/** @param {number} count @param {string} one @param {string} [many] */
const number = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
/** @param {number} value */
const percent = (value) => `${Math.round(100 * value)} %`;

export const words = {
  name: "Masque Studio",
  tagline: "All on this machine: no photo is sent anywhere or kept.",
  away: (/** @type {string} */ host) => `Photos go to ${host} and no further, and are kept nowhere.`,
  skip: "Skip to the tool",
  loading: (/** @type {string} */ what) => `${what}… You can choose photos meanwhile.`,
  loadingModels: "Loading models",
  missing: (/** @type {string[]} */ names) =>
    `No weights are installed for ${names.join(", ")}: what needs them says so.`,
  percent,
  years: (/** @type {number} */ value) => `${Math.round(value)} years`,
  /** A sentence of the server, where it speaks of the command line, in words of the page. */
  plain: (/** @type {string} */ sentence) =>
    sentence
      .replace("paint with the colours of `masque parse`", "open a map that Save map has saved")
      .replace(/start from what `masque parse` writes of (this|a) photo/, "begin with what was seen in the photo")
      .replace(" (`masque faces` lists them)", "")
      .replace("say how old with --age", "say how old the person is, below Age")
      .replace("unless you say how old the person is", "unless you say below Age how old the person is"),

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
    titles: { link: "The link is needed again", password: "The password, please" },
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
    away: "Masque does not answer: look at the terminal of `masque studio`; where it has ended, start it again.",
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
    away: "Take the photo away",
    examples: "Examples",
    example: (/** @type {string} */ title) => `Example: ${title}`,
    alt: (/** @type {string} */ name) => `The photo ${name}`,
    face: (/** @type {number} */ number, /** @type {number} */ of) => `face ${number} of ${of}`,
    small: (/** @type {number} */ number, /** @type {number} */ of) => `face ${number} of ${of}, too small to use`,
    found: (/** @type {string} */ name, /** @type {number} */ faces) => `${name}: ${number(faces, "face")} found.`,
    needed: "Choose a photo first.",
  },

  camera: {
    title: "Take a photo",
    picture: "What the camera sees",
    take: "Take the photo",
    leave: "Cancel",
    none: "No camera was found on this machine: drop or choose a photo instead.",
    insecure: "Browsers give the camera to Studio only on the machine that it runs on: choose a photo instead.",
    forbidden:
      "The browser may not use the camera: allow it in the browser's settings for this page, or choose a photo.",
    used: "The camera is in use by another program: close that one, or choose a photo.",
  },

  task: {
    cancel: "Cancel",
    /** What the server says that it does, where the page says it otherwise. */
    doing: /** @type {Record<string, string>} */ ({ "Finding latents": "Learning the faces" }),
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
    face: "Face",
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
      webp: "WebP, the smallest file",
      mp4: "MP4, the film",
    },
    use: "Use in",
    record: "How it was made",
    changes: "What changed",
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
        hint:
          "The network of a paper (RSGAN), as it is: softer, and it looks worse. Of use where the heads are turned " +
          "far apart.",
      },
      {
        value: "warp",
        label: "Warp",
        hint: "The method before networks, as it is: bends the face by its landmarks alone, and looks worse.",
      },
    ],
    expression: "Whose expression",
    expressions: [
      { value: "source", label: "The face's own" },
      { value: "target", label: "The replaced one's" },
    ],
    go: "Swap",
    exchange: "Exchange the photos",
    empty: "Choose two photos, and the swapped one appears here.",
  },

  edit: {
    title: "Edit",
    lead: "Move a slider: a small picture follows at once, the full size when you rest.",
    photo: "Photo to edit",
    empty: "Choose a photo, and what you change appears here.",
    groups: { face: "Expression", hair: "Hair", age: "Age and sex", more: "More" },
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
    notRead: "not read",
    adult: "This person is an adult, aged",
    adultHint: "If it is empty, the age is read from the face.",
    adultRange: (/** @type {number} */ low, /** @type {number} */ high) =>
      `Say an age from ${low} to ${high} years, or leave it empty: only adults are aged or changed in sex.`,
    work: "Edit",
  },

  cells: {
    label: (/** @type {number} */ count) => `${number(count, "picture")}: arrow keys go from one to the next`,
    open: (/** @type {number} */ one, /** @type {number} */ of) => `Open picture ${one} of ${of}`,
    one: (/** @type {number} */ one, /** @type {number} */ of) => `Picture ${one} of ${of}`,
    opened: (/** @type {string} */ one) => `${one} is shown large.`,
    name: (/** @type {string} */ verb, /** @type {number} */ one) => `${verb} ${one}`,
    all: "All pictures",
  },

  faces: {
    label: "Faces, in their order",
    face: (/** @type {string} */ letter) => `Face ${letter}`,
    add: "Add a face",
    earlier: (/** @type {string} */ letter) => `Move face ${letter} one place forward`,
    later: (/** @type {string} */ letter) => `Move face ${letter} one place back`,
    away: (/** @type {string} */ letter) => `Take face ${letter} away`,
    moved: (/** @type {string} */ one, /** @type {string} */ two) => `Faces ${one} and ${two} changed places.`,
    needed: "Choose a photo here, or take this face away: two faces are needed at least.",
    most: (/** @type {number} */ most) => `${most} faces are the most: the other files were left out.`,
  },

  styles: {
    title: "Several styles at once",
    hint: "The face of the first photo as a label map, painted in the style of each of these portraits by a network.",
    go: "Paint the sheet",
    label: "Portraits, in their order",
    face: (/** @type {string} */ letter) => `Style ${letter}`,
    add: "Add a portrait",
    earlier: (/** @type {string} */ letter) => `Move style ${letter} one place forward`,
    later: (/** @type {string} */ letter) => `Move style ${letter} one place back`,
    away: (/** @type {string} */ letter) => `Take style ${letter} away`,
    moved: (/** @type {string} */ one, /** @type {string} */ two) => `Styles ${one} and ${two} changed places.`,
    needed: "Choose a portrait here, or take this place away: one is needed at least.",
    most: (/** @type {number} */ most) => `${most} portraits are the most: the other files were left out.`,
  },

  weights: {
    two: "How much of each",
    several: "How much of each: what counts is their share",
    share: "From a to b",
    mix: (/** @type {number} */ a, /** @type {number} */ b) => `a ${percent(a)}, b ${percent(b)}`,
    none: "Nothing is taken of any face: move one of the sliders up.",
  },

  morph: {
    title: "Morph and combine",
    lead: "Make one face of several, a film in which one turns into the next, or pictures of what lies between.",
    empty: "Choose two faces or more, and what you make of them appears here.",
    what: "What to make",
    whats: [
      { value: "one", label: "One face", hint: "A face that has something of each." },
      { value: "film", label: "Film", hint: "Each face turns into the next." },
      { value: "strip", label: "Strip", hint: "Pictures on the way from face a to face b." },
    ],
    finding: "Finding the faces takes a quarter of a minute, once for each photo. Then sliders mix them at once.",
    go: "Combine",
    work: "Combine",
    formula: "A formula instead",
    formulaLabel: "Formula",
    formulaHint: "Arithmetic on the faces by their letters, such as a - b + c or (a + b) / 2.",
    formulaGo: "Compute",
    seen: "What the network sees of a face",
    seenHint:
      "The network's own picture of face a, at its best. It is sought more finely, which takes a minute or two.",
    seenGo: "Show it",
    formulaNeeded: "Write a formula first, such as a - b + c.",
  },

  film: {
    seconds: "Length",
    lasts: (/** @type {number} */ seconds) => `${seconds} s`,
    rate: "Pictures a second",
    count: (/** @type {number} */ count) => `${count} pictures`,
    way: "Way from face to face",
    ways: [
      { value: "spherical", label: "Network", hint: "Through faces that the network knows, on an arc." },
      { value: "linear", label: "Straight", hint: "Through faces that the network knows, on a straight line." },
      { value: "warp", label: "Warp", hint: "Bends and fades the photos by landmarks, without a network: fast." },
    ],
    loop: "Back to the first face at the end",
    go: "Make the film",
  },

  strip: {
    steps: "Pictures",
    part: "What changes",
    parts: [
      { value: "both", label: "All", hint: "Face and hair go from a's to b's." },
      { value: "face", label: "Face", hint: "The face goes from a's to b's; the hair stays." },
      { value: "hair", label: "Hair", hint: "The hair goes from a's to b's; the face stays." },
      { value: "identity", label: "Person", hint: "New people between the two, painted by a network." },
    ],
    go: "Make the strip",
  },

  fresh: {
    title: "New pictures",
    lead: "Draw other pictures of a person, turn the head, or borrow what another photo shows.",
    photo: "Photo of the person",
    empty: "Choose a photo, and new pictures of the person appear here.",
    what: "What to make",
    whats: [
      { value: "draw", label: "Draw", hint: "The same person, as other photos could show them." },
      { value: "turn", label: "Turn", hint: "The head turned to the side, raised or lowered." },
      { value: "borrow", label: "Borrow", hint: "Expression, light or pose of another photo." },
      {
        value: "random",
        label: "Random",
        hint: "Random hair or faces by the network of a paper (RSGAN), as it is: these look worse.",
      },
    ],
    count: "Pictures",
    seed: "Seed",
    seedHint: "The same seed draws the same pictures.",
    draw: "Draw",
    others: "Draw others",
    random: "What is drawn",
    randoms: [
      { value: "hair", label: "Hair" },
      { value: "face", label: "Faces" },
    ],
    other: "Photo to borrow from",
    borrow: "What is borrowed",
    borrows: { expression_from: "Expression", light_from: "Light", pose_from: "Pose" },
    borrowGo: "Borrow",
    borrowNone: "Choose what is borrowed: expression, light or pose.",
  },

  turn: {
    yaw: "To the side",
    pitch: "Up or down",
    side: (/** @type {number} */ degrees, /** @type {boolean} */ network) =>
      `${Math.abs(degrees)}°${degrees < 0 ? " left" : degrees > 0 ? " right" : ""}${network ? ", by the network" : ""}`,
    up: (/** @type {number} */ degrees) => `${Math.abs(degrees)}°${degrees < 0 ? " down" : degrees > 0 ? " up" : ""}`,
    own: "own pixels",
    network: "network",
    farther: "Farther, painted by the network (a small picture)",
    ownHint: "The photo's own pixels are moved: sharp, and the whole photo stays.",
    networkHint: "So far to the side a network paints the face: small, and the face alone.",
    front: "Look straight ahead",
    row: "A row of turned heads",
    work: "Turn",
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
    alt: (/** @type {string} */ name) => `The file ${name}`,
    kind: (/** @type {string} */ name) =>
      `${name} is neither a picture nor a film: choose a PNG, JPEG, WebP or MP4 file.`,
  },

  labels: {
    background: "background",
    skin: "skin",
    "left brow": "left brow",
    "right brow": "right brow",
    "left eye": "left eye",
    "right eye": "right eye",
    nose: "nose",
    "upper lip": "upper lip",
    mouth: "mouth",
    "lower lip": "lower lip",
    hair: "hair",
  },

  parts: { eyes: "Eyes", mouth: "Mouth", skin: "Skin", hair: "Hair", all: "All" },

  canvas: {
    title: "Label map over the photo",
    keys:
      "Arrow keys move a crosshair, with Shift by one pixel. Enter uses the tool there; hold Enter and move to draw. " +
      "B brush, E erase, F fill, P pick, M move. 0 to 9 and H choose the part. Brackets change the brush's size. " +
      "O paints only over the part at the crosshair. Plus, minus and Home zoom. Control Z undoes, Control Y redoes.",
    keysTitle: "Keys",
    keyList: [
      ["B E F P M", "brush, erase, fill, pick, move"],
      ["0 to 9, H", "the part"],
      ["[ ]", "smaller or larger brush"],
      ["O", "paint only over the part under the pointer"],
      ["+ − Home", "closer, farther, whole; also the wheel"],
      ["Space", "hold to move the photo"],
      ["Arrows", "move a crosshair; with Shift by one pixel"],
      ["Enter", "use the tool there; hold to draw"],
      ["Ctrl+Z, Ctrl+Y", "undo, redo"],
    ],
    tools: { brush: "Brush", erase: "Erase", fill: "Fill", pick: "Pick", move: "Move" },
    hints: {
      brush: "Draw the chosen part",
      erase: "Bring back what was seen in the photo; also the right mouse button",
      fill: "Give a whole area the chosen part",
      pick: "Choose the part under the pointer; also Alt and a click",
      move: "Move the photo; also two fingers, the middle button, or the space bar held",
    },
    toolsOf: "Tools",
    steps: "Undo and redo",
    zooms: "Zoom",
    undoing: "Undo",
    redoing: "Redo",
    closer: "Closer",
    farther: "Farther",
    whole: "Whole",
    key: (/** @type {string} */ what, /** @type {string} */ key) =>
      `${what} (${key.length === 1 ? key.toUpperCase() : key})`,
    painted: (/** @type {string} */ part) => `Painted ${part}`,
    filled: (/** @type {string} */ part) => `Filled with ${part}`,
    erased: "Brought back what was seen",
    pixels: (/** @type {string} */ what, /** @type {number} */ count) =>
      `${what}: ${count} ${count === 1 ? "pixel" : "pixels"} changed.`,
    nothing: "Nothing changed.",
    picked: (/** @type {string} */ part) => `Part: ${part}.`,
    over: (/** @type {string} */ part) => `Painting only over ${part}.`,
    overAll: "Painting over everything.",
    notOver: (/** @type {string} */ part) =>
      `Only ${part} is painted over: choose an area of it, or paint over everything.`,
    at: (/** @type {string} */ part, /** @type {number} */ x, /** @type {number} */ y) =>
      `${part}, ${x} across, ${y} down`,
    undo: "Undone.",
    redo: "Redone.",
  },

  paint: {
    title: "Paint",
    lead: "The parts of the face are coloured over the photo. Paint them as they should be, and the photo follows.",
    photo: "Photo to paint in",
    empty: "Choose a photo and paint in it, and the repainted photo appears here.",
    desk: "Label map",
    parsing: "Finding the parts of the face",
    repaint: "Repaint",
    unpainted: "Nothing is painted yet: choose a part and draw where it should be, for example hair over the forehead.",
    other: "Another photo",
    part: "Part to paint",
    over: "Paint over",
    everything: "everything",
    only: (/** @type {string} */ part) => `only ${part}`,
    size: "Brush size",
    sizeKeys: "[ smaller, ] larger",
    pixels: (/** @type {number} */ count) => `${count} px`,
    tint: "Tint",
    percent: (/** @type {number} */ value) => `${value} %`,
    outline: "Outlines",
    pattern: "Patterns",
    map: "Label map as a file",
    save: "Save map",
    open: "Open map",
    openTitle: "Open a label map that was saved",
    opened: (/** @type {string} */ name) => `Opened ${name}`,
    reset: "Start over",
    wasReset: "Everything is as it was seen in the photo",
    shapeTitle: "Or take a part's shape from another photo",
    shapeOf: "Photo whose shape is taken",
    shapePart: "Part",
    takeShape: "Take the shape",
    back: "The map of this result",
  },

  style: {
    title: "Style",
    lead: "A part of the photo takes the colours and texture that it has in another photo; its shape stays.",
    photo: "Photo to change",
    from: "Style of this photo",
    part: "What is taken",
    empty: "Choose two photos, and the first in the second's style appears here.",
    go: "Transfer the style",
  },
};
