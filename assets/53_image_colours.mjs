// @ts-check
// Colour tables and how numbers are written beside them. Perceptually even maps only; the anchors are those of the figures, so that
// a histogram and a slice show a value in the same colour. Labels take the colour-blind-safe set of the groups.

/** @type {Record<string, string[]>} */
const MAPS = {
  viridis: ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"],
  cividis: ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"],
  grey: ["#000000", "#ffffff"],
};
const LABELS = ["#4f5660", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999", "#882255", "#44aa99", "#ddcc77", "#aa4499"]; // 13: flags, powers of two, fall on colours of their own

export const NAMES = Object.keys(MAPS);
export const LABEL_ROW = NAMES.length;

/** @param {string} hex @returns {number[]} */
const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** The colour at 0 … 1 of a map. @param {string} name @param {number} t */
export function colour(name, t) {
  const anchors = MAPS[name] ?? MAPS.viridis;
  const place = Math.min(1, Math.max(0, t)) * (anchors.length - 1);
  const i = Math.min(anchors.length - 2, Math.floor(place));
  const [a, b] = [rgb(anchors[i]), rgb(anchors[i + 1])];
  return a.map((v, k) => Math.round(v + (b[k] - v) * (place - i)));
}

/** @param {number} label */
export const labelColour = (label) => LABELS[((Math.round(label) % LABELS.length) + LABELS.length) % LABELS.length];

/** @param {number} label */
export const labelRgb = (label) => rgb(labelColour(label));

/** All maps, a row each of 256 colours, then the labels. */
export function table() {
  const made = new Uint8Array((LABEL_ROW + 1) * 1024).fill(255);
  NAMES.forEach((name, row) => {
    for (let i = 0; i < 256; i++) made.set(colour(name, i / 255), row * 1024 + i * 4);
  });
  for (let i = 0; i < 256; i++) made.set(rgb(labelColour(i)), LABEL_ROW * 1024 + i * 4);
  return made;
}

/** A CSS gradient from the low end to the high one. @param {string} name @param {string} direction */
export const gradient = (name, direction) => `linear-gradient(${direction}, ${(MAPS[name] ?? MAPS.viridis).join(", ")})`;

/** A number with the digits that a range of such a width needs. @param {number} value @param {number} span */
export function written(value, span) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.max(Math.abs(value), span);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(2).replace("-", "−");
  const digits = span > 0 ? Math.min(8, Math.max(0, 2 - Math.floor(Math.log10(span)))) : 3;
  return value.toFixed(digits).replace("-", "−");
}

/** Round numbers inside a range. @param {number} low @param {number} high @param {number} about how many */
export function ticks(low, high, about) {
  const rough = (high - low) / Math.max(1, about);
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.max(0, Math.floor(high / step + 1e-9) - first + 1) }, (_, i) => (first + i) * step);
}

/** A tick of a scale with the digits that tell it from its neighbours. @param {number} value @param {number[]} among */
export const ticked = (value, among) => written(value, among.length > 1 ? 100.01 * (among[1] - among[0]) : Math.abs(value) / 100);

/** The longest round length below. @param {number} most */
export function round125(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return power * ([5, 2, 1].find((m) => m * power <= most) ?? 1);
}

/** Name of a unit as it is read; "1" and "" have none. @param {string} units */
export const unit = (units) => (units === "1" ? "" : units.replace(/\bum\b/g, "µm").replace(/^1\/(\S+)$/, "$1⁻¹"));

/** @param {string} css such as rgb(1, 2, 3) @returns {number[]} 0 … 1 */
export function parts(css) {
  const found = css.match(/[\d.]+/g)?.map(Number) ?? [];
  return found.length >= 3 ? found.slice(0, 3).map((v) => v / 255) : [1, 1, 1];
}

/** A colour bar with its ticks, in a picture that is saved. @param {CanvasRenderingContext2D} c @param {{colours: string, low: number, high: number}} look @param {number[]} box x, top, width, height @param {string} ink */
export function paintBar(c, look, [x, top, width, tall], ink) {
  for (let i = 0; i < tall; i++) {
    c.fillStyle = `rgb(${colour(look.colours, 1 - i / (tall - 1)).join(",")})`;
    c.fillRect(x, top + i, width, 1.5);
  }
  c.fillStyle = ink;
  const found = ticks(look.low, look.high, 5);
  for (const v of found) {
    const y = top + tall * (1 - (v - look.low) / (look.high - look.low));
    c.fillRect(x + width, y, 4, 1);
    c.fillText(ticked(v, found), x + width + 7, y + 4);
  }
}

window.imageParts = Object.assign(window.imageParts ?? {}, {
  colours: { NAMES, LABEL_ROW, colour, labelColour, labelRgb, table, gradient, written, ticks, ticked, paintBar, round125, unit, parts },
});
