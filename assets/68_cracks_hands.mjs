// @ts-check
// Hands in the segmentation workbench: the brush over the slices, sliders beside number fields, opacity of the layers.
// A stroke is written to the store "crack-brush-stroke" as {measurement, points: [[z, y, x], …], radius, add, at} when the pointer is
// lifted: middles of balls in voxels, voxel i has its middle at i. While it is painted it is only drawn.

const TYPED_MS = 700; // longer than inputs wait after the last letter
const LEAST = 1; // voxels between two balls

/** @type {{pane: any, points: number[][], add: boolean} | null} */
let stroke = null;
/** @type {{pane: any, at: [number, number]} | null} */
let hover = null;

const parts = () => window.crackParts;

/** The pane under the pointer while a brush is chosen. @param {Event} e */
function paneOf(e) {
  if (parts().state.tool === "off") return null;
  const element = /** @type {HTMLElement} */ (e.target).closest?.(".image-view[data-view='cracks'] .image-pane");
  return element ? parts().view()?.panes.find((/** @type {any} */ p) => p.element === element) : null;
}

/** Where the pointer is: middle of a ball. @param {any} pane @param {PointerEvent} e */
function point(pane, e) {
  const [col, row] = pane.voxel(...pane.place(e));
  /** @type {Record<string, number>} */
  const at = { [pane.axis]: pane.index, [pane.rowAxis]: Math.round(row - 0.5), [pane.colAxis]: Math.round(col - 0.5) };
  return [at.z, at.y, at.x];
}

/** @param {any} pane @param {PointerEvent} e */
function add(pane, e) {
  const next = point(pane, e);
  const step = Math.max(LEAST, parts().state.radius / 2);
  const last = stroke?.points.at(-1);
  if (!stroke) return;
  if (!last) return void stroke.points.push(next);
  const length = Math.hypot(...next.map((v, k) => v - last[k]));
  const n = Math.floor(length / step);
  for (let i = 1; i <= n; i++) stroke.points.push(last.map((v, k) => Math.round(v + ((next[k] - v) * i) / n)));
}

document.addEventListener(
  "pointerdown",
  (e) => {
    const pane = e.button === 0 ? paneOf(e) : null;
    if (!pane) return;
    e.stopPropagation();
    e.preventDefault();
    pane.element.focus({ preventScroll: true });
    pane.element.setPointerCapture(e.pointerId);
    stroke = { pane, points: [], add: (parts().state.tool === "add") !== e.altKey };
    add(pane, e);
    parts().refresh();
  },
  true,
);

document.addEventListener(
  "pointermove",
  (e) => {
    const pane = stroke?.pane ?? paneOf(e);
    const before = hover;
    hover = pane ? { pane, at: pane.place(e) } : null;
    if (stroke) add(stroke.pane, e);
    if (hover || before) parts().refresh();
  },
  true,
);

for (const name of ["pointerup", "pointercancel"])
  document.addEventListener(
    name,
    (e) => {
      const done = stroke;
      stroke = null;
      if (!done || name === "pointercancel" || !done.points.length) return;
      const measurement = Number(document.getElementById("crack-said")?.dataset.measurement);
      const data = { measurement, points: done.points, radius: parts().state.radius, add: done.add, at: Date.now() };
      window.dash_clientside.set_props("crack-brush-stroke", { data });
    },
    true,
  );

document.addEventListener("keydown", (e) => {
  if (!(e.ctrlKey || e.metaKey) || !["z", "y"].includes(e.key.toLowerCase())) return;
  if (!(/** @type {HTMLElement} */ (e.target).closest?.(".image-view[data-view='cracks']"))) return;
  e.preventDefault();
  document.getElementById(e.key.toLowerCase() === "y" || e.shiftKey ? "crack-brush-redo" : "crack-brush-undo")?.click();
});

/** The stroke that is being painted, and the brush. @param {any} pane @param {CanvasRenderingContext2D} pen */
function draw(pane, pen) {
  const { radius, tool } = parts().state;
  const { COLOURS } = parts();
  const size = [pane.pixels(pane.colAxis), pane.pixels(pane.rowAxis)].map((p) => (radius + 0.5) * p);
  if (stroke?.pane === pane) {
    pen.fillStyle = `rgb(${(stroke?.add ? COLOURS.added : COLOURS.taken).join(" ")} / 45%)`;
    for (const [z, y, x] of stroke?.points ?? []) {
      const at = /** @type {Record<string, number>} */ ({ z, y, x });
      const [cx, cy] = pane.screen([at[pane.colAxis] + 0.5, at[pane.rowAxis] + 0.5]);
      pen.beginPath();
      pen.ellipse(cx, cy, size[0], size[1], 0, 0, 2 * Math.PI);
      pen.fill();
    }
  }
  if (hover?.pane !== pane || tool === "off") return;
  pen.beginPath();
  pen.ellipse(hover?.at[0] ?? 0, hover?.at[1] ?? 0, size[0], size[1], 0, 0, 2 * Math.PI);
  for (const [width, colour] of /** @type {[number, string][]} */ ([[3, "rgb(0 0 0 / 60%)"], [1.4, `rgb(${(tool === "add" ? COLOURS.added : COLOURS.taken).join(" ")})`]])) {
    Object.assign(pen, { lineWidth: width, strokeStyle: colour });
    pen.stroke();
  }
}

/** Sliders where there are none yet. */
function ready() {
  const { slider } = window.imageParts.controls;
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".crack-opacity:empty"))) {
    const made = slider(`Opacity: ${place.parentElement?.textContent}`, 100, (/** @type {number} */ v) => parts().fade(place.dataset.layer, v / 100));
    made.value = place.dataset.start ?? "0";
    place.append(made);
    parts().fade(place.dataset.layer, Number(made.value) / 100);
  }
  for (const field of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".crack-field[data-low]:not([data-low='']):not(:has(.image-slider))"))) {
    const { field: name = "", low, high, step, preset = "" } = field.dataset;
    const made = slider(field.querySelector("label")?.textContent ?? name, 1, (/** @type {number} */ v) => moved(field, name, v));
    Object.assign(made, { min: low, max: high, step });
    made.addEventListener("change", () => commit(name, Number(made.value), preset));
    field.append(made);
    placed(field);
  }
}

/** A slider at the value of the address, else of the preset. @param {HTMLElement} field */
function placed(field) {
  const { field: name, low, preset } = field.dataset;
  const made = /** @type {HTMLInputElement | null} */ (field.querySelector(".image-slider"));
  const box = /** @type {HTMLInputElement | null} */ (field.querySelector("input:not(.image-slider)"));
  if (made) made.value = parts().state.query[`c_${name}`] || preset || low || "0";
  if (box && made) box.placeholder = preset || "found";
}

/** All sliders, after the address has changed. */
function follow() {
  for (const field of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".crack-field"))) placed(field);
}

/** @param {HTMLElement} field @param {string} name @param {number} value */
function moved(field, name, value) {
  const box = /** @type {HTMLInputElement | null} */ (field.querySelector("input:not(.image-slider)"));
  if (box) box.placeholder = String(value);
  parts().live(name, String(value));
}

/** @param {string} name @param {number} value @param {string} preset */
function commit(name, value, preset) {
  written(name, String(value) === preset ? "" : String(value));
}

/** @param {string} name @param {string} text */
function written(name, text) {
  window.dash_clientside.set_props({ part: "address", name: `c_${name}`, default: "" }, { value: text });
}

/** @type {Map<string, number>} */
const typing = new Map();

// What is typed is tried before the address has it. An input that was set from here and emptied at once would not tell of it.
document.addEventListener("input", (e) => {
  const box = /** @type {HTMLInputElement} */ (e.target);
  const field = /** @type {HTMLElement | null} */ (box.type === "text" ? (box.closest?.(".crack-field[data-low]") ?? null) : null);
  const value = box.value?.replace(",", ".");
  if (!field || (value !== "" && !Number.isFinite(Number(value)))) return;
  const name = field.dataset.field ?? "";
  parts().live(name, value);
  clearTimeout(typing.get(name));
  typing.set(name, setTimeout(() => field.isConnected && written(name, box.value), TYPED_MS));
});

window.crackParts = Object.assign(window.crackParts ?? {}, { hands: { draw, ready, follow } });
