// @ts-check
// The segmentation workbench: masks over the slices of an image view (see components/crack_workbench.py, crack_routes.py).
// Contract: settings(query, strokes), stored(settled) -> fetch the masks of the shown slices anew, and draw them
//           brush(tool, radius) -> what a drag over a slice does: off, add, take
//           seen(seen) -> the place of the crosshair goes into the address, quietly
// live(name, value) tries a parameter before it is in the address. Each drawing of a new mask sends "crack-drawn" on the image view,
// with {axis, index, source, ms}: milliseconds since the change. The brush and the sliders are in 68_cracks_hands.mjs.

const VIEW = "cracks";
const AGAIN_MS = 700; // while particles are being found
const ENVELOPE = 1, CRACK = 2, ADDED = 4, TAKEN = 8, CUT = 16;
/** @type {Record<string, [number, number, number]>} */
const COLOURS = { crack: [230, 60, 20], envelope: [0, 190, 170], solid: [90, 150, 255], cut: [150, 150, 150], added: [255, 200, 0], taken: [190, 90, 255] };
const SAYS = /** @type {Record<string, string>} */ ({
  result: "Stored segmentation of the whole volume.",
  whole: "Preview of the whole volume, not stored.",
  slab: "Preview: each slice from a slab about it. Connected sizes are those of the slab; the whole volume may differ there.",
  mask: "Imported mask, with what was painted on it.",
});

/** @typedef {{axis: string, index: number, epoch: number, rows: number, cols: number, codes: Uint8Array, picture: HTMLCanvasElement, source: string}} Mask */

const state = {
  query: /** @type {Record<string, string>} */ ({}),
  tried: /** @type {Record<string, string>} */ ({}),
  tool: "off",
  radius: 2,
  epoch: 0,
  changed: 0, // when, in ms
  failed: -1, // epoch for which there is no mask
  opacity: /** @type {Record<string, number>} */ ({ crack: 0.65, solid: 0, envelope: 0.9, brush: 0.8 }),
  ratio: "",
};
/** @type {Map<string, Mask>} */
const masks = new Map();
/** @type {Set<string>} */
const flying = new Set();

const view = () => window.imageViews?.get(VIEW);
const said = () => document.getElementById("crack-said");

/** @param {string} words @param {boolean} [wrong] */
function say(words, wrong = false) {
  const line = said();
  if (!line) return;
  if (line.textContent !== words) line.textContent = words;
  line.classList.toggle("wrong", wrong);
}

/** Something that masks depend on has changed. */
function changed() {
  Object.assign(state, { epoch: state.epoch + 1, changed: performance.now() });
  refresh();
}

/** Draw what is here, ask for what is not. */
function refresh() {
  const shown = view();
  if (!shown?.meta || !said()) return;
  for (const pane of shown.panes) {
    const mask = masks.get(pane.axis);
    if ((mask?.epoch !== state.epoch || mask.index !== pane.index) && state.failed !== state.epoch) ask(pane);
    draw(pane);
  }
}

/** @param {any} pane */
async function ask(pane) {
  const { axis } = pane;
  if (flying.has(axis)) return; // what is wanted then is asked for when this has come
  flying.add(axis);
  const wanted = { axis, index: pane.index, epoch: state.epoch, of: said()?.dataset.measurement };
  try {
    const query = new URLSearchParams({ ...state.query, ...state.tried });
    const answer = await fetch(`/cracks/mask/${wanted.of}/${axis}/${wanted.index}?${query}`);
    if (answer.status === 200) await take(answer, wanted);
    else await wait(answer, wanted);
  } catch {
    state.failed = wanted.epoch;
    say("The server did not answer. Is it still running?", true);
  } finally {
    flying.delete(axis);
    refresh();
  }
}

/** @param {Response} answer @param {{axis: string, index: number, epoch: number, of?: string}} wanted */
async function take(answer, { axis, index, epoch, of }) {
  const codes = new Uint8Array(await answer.arrayBuffer());
  if (of !== said()?.dataset.measurement) return;
  const [rows, cols] = (answer.headers.get("X-Slice-Shape") ?? "").split(",").map(Number);
  const source = answer.headers.get("X-Mask-Source") ?? "";
  const ratio = answer.headers.get("X-Mask-Ratio");
  const mask = { axis, index, epoch, rows, cols, codes, source, picture: document.createElement("canvas") };
  masks.set(axis, coloured(mask));
  state.ratio = ratio === null ? "" : ` Crack volume ratio ${(100 * Number(ratio)).toPrecision(3)} %, detection limit not known yet.`;
  say(SAYS[source] + state.ratio);
  const pane = view()?.panes.find((/** @type {any} */ p) => p.axis === axis);
  if (pane) draw(pane);
  const ms = performance.now() - state.changed;
  view()?.root.dispatchEvent(new CustomEvent("crack-drawn", { detail: { axis, index, source, ms, epoch } }));
}

/** Not now, or not at all. @param {Response} answer @param {{epoch: number, index: number}} wanted */
async function wait(answer, wanted) {
  const told = await answer.json();
  if (answer.status === 202) {
    say(`${told.title}: ${Math.round(100 * told.fraction)} % ${told.message}`);
    await new Promise((next) => setTimeout(next, AGAIN_MS));
    return;
  }
  const there = view()?.panes.some((/** @type {any} */ p) => p.index === wanted.index);
  if (state.epoch !== wanted.epoch || !there) return;
  state.failed = wanted.epoch;
  masks.clear();
  say([told.message, told.hint].filter(Boolean).join(" "), true);
}

/** The picture of a mask in the colours of its layers. @param {Mask} mask */
function coloured(mask) {
  const { rows, cols, codes, picture } = mask;
  Object.assign(picture, { width: cols, height: rows });
  const pen = /** @type {CanvasRenderingContext2D} */ (picture.getContext("2d"));
  const image = pen.createImageData(cols, rows);
  const { data } = image;
  const { crack, solid, envelope, brush } = state.opacity;
  for (let i = 0, at = 0; i < codes.length; i++, at += 4) {
    const code = codes[i];
    if (!code) continue;
    const x = i % cols;
    const rim = (x > 0 && !codes[i - 1]) || (x < cols - 1 && !codes[i + 1]) || (i >= cols && !codes[i - cols]) || (i + cols < codes.length && !codes[i + cols]);
    const [colour, alpha] = code & ADDED ? [COLOURS.added, brush] : code & CRACK ? [COLOURS.crack, crack] : code & TAKEN ? [COLOURS.taken, brush] : rim ? [COLOURS.envelope, envelope] : [code & CUT ? COLOURS.cut : COLOURS.solid, code & CUT ? Math.max(solid, 0.25) : solid];
    data[at] = colour[0];
    data[at + 1] = colour[1];
    data[at + 2] = colour[2];
    data[at + 3] = 255 * alpha;
  }
  pen.putImageData(image, 0, 0);
  return mask;
}

/** The canvas over a pane, below its crosshair. @param {any} pane @returns {HTMLCanvasElement} */
function canvasOf(pane) {
  const found = pane.element.querySelector(".crack-mask");
  if (found) return found;
  const made = document.createElement("canvas");
  made.className = "crack-mask";
  made.setAttribute("aria-hidden", "true");
  pane.element.prepend(made);
  return made;
}

/** @param {any} pane */
function draw(pane) {
  const canvas = canvasOf(pane);
  const dpr = window.devicePixelRatio;
  const { clientWidth: w, clientHeight: h } = pane.element;
  if (canvas.width !== Math.round(w * dpr) || canvas.height !== Math.round(h * dpr)) Object.assign(canvas, { width: Math.round(w * dpr), height: Math.round(h * dpr) });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.setTransform(dpr, 0, 0, dpr, 0, 0);
  pen.clearRect(0, 0, w, h);
  const mask = masks.get(pane.axis);
  if (mask && mask.index === pane.index && state.failed !== state.epoch) {
    const [x, y] = pane.screen([0, 0]);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(mask.picture, x, y, mask.cols * pane.pixels(pane.colAxis), mask.rows * pane.pixels(pane.rowAxis));
  }
  window.crackParts.hands?.draw(pane, pen);
}

/** @param {Record<string, string> | null} query @param {any} _brush */
export function settings(query, _brush) {
  state.query = Object.fromEntries(Object.entries(query ?? {}).filter(([name]) => name !== "at" && name !== "tab"));
  state.tried = {};
  window.crackParts.hands?.follow();
  changed();
  return window.dash_clientside.no_update;
}

/** @param {boolean} settled nothing is waited for any more */
export function stored(settled) {
  if (settled) changed();
  return window.dash_clientside.no_update;
}

/** @param {string} tool @param {number | string} radius */
export function brush(tool, radius) {
  Object.assign(state, { tool: tool ?? "off", radius: Number(radius) || 0 });
  refresh();
  return window.dash_clientside.no_update;
}

/** Try a value of a parameter; "" is that of the preset. @param {string} name @param {string} value */
function live(name, value) {
  state.tried = { ...state.tried, [`c_${name}`]: value };
  changed();
}

/** @param {string} layer @param {number} opacity 0 … 1 */
function fade(layer, opacity) {
  state.opacity[layer] = opacity;
  for (const mask of masks.values()) coloured(mask);
  refresh();
}

/** @param {any} seen */
export function seen(seen) {
  if (seen) {
    const query = new URLSearchParams(window.location.search);
    query.set("at", ["z", "y", "x"].map((a) => seen.index[a]).join("."));
    window.history.replaceState(window.history.state, "", `${window.location.pathname}?${query}`);
  }
  return window.dash_clientside.no_update;
}

// The event does not bubble, but it passes the document on its way.
document.addEventListener(
  "image-drawn",
  (e) => {
    if (/** @type {HTMLElement} */ (e.target).dataset.view !== VIEW) return;
    window.crackParts.hands?.ready();
    refresh();
  },
  true,
);

window.crackParts = Object.assign(window.crackParts ?? {}, { state, view, live, fade, refresh, COLOURS });
window.dash_clientside = Object.assign({}, window.dash_clientside, { cracks: { settings, stored, brush, seen } });
