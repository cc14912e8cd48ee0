// @ts-check
// What is drawn over the pixels of a pane, as SVG: crosshair, scale bar, kept points and regions, lasso and profile line.

const NS = "http://www.w3.org/2000/svg";
const BAR_PX = 120; // longest scale bar
const BESIDE = 3; // slices beside a point's own in which it is still shown, fainter

/** @param {string} name @param {Record<string, string | number>} attributes @param {string} [text] */
function shape(name, attributes, text = "") {
  const made = document.createElementNS(NS, name);
  for (const [k, v] of Object.entries(attributes)) made.setAttribute(k, String(v));
  if (text) made.textContent = text;
  return made;
}

export class Marks {
  /** @param {any} pane */
  constructor(pane) {
    this.pane = pane;
    this.svg = shape("svg", { class: "image-marks", "aria-hidden": "true" });
    this.title = document.createElement("div");
    this.title.className = "image-title";
    pane.element.append(this.svg, this.title);
  }

  draw() {
    const { pane } = this;
    const { three, meta, state } = pane.view;
    const across = `${pane.axis} ${pane.index} (0–${pane.size(pane.axis) - 1})`; // counted as voxels are everywhere else
    this.title.textContent = meta.flat ? "" : `${pane.name} · ${across}`;
    pane.element.setAttribute("aria-label", meta.flat ? `${meta.title}, picture` : `${meta.title}, slice ${across}`);
    pane.element.dataset.tool = state.tool;
    this.svg.replaceChildren(...(three ? this.cross() : []), ...this.kept(), ...this.drawing(), ...this.bar());
  }

  cross() {
    const { pane } = this;
    const { index } = pane.view.state;
    const { clientWidth: w, clientHeight: h } = pane.element;
    const [x, y] = pane.screen([index[pane.colAxis] + 0.5, index[pane.rowAxis] + 0.5]);
    const gap = 6;
    const d = `M0 ${y}H${x - gap}M${x + gap} ${y}H${w}M${x} 0V${y - gap}M${x} ${y + gap}V${h}`;
    return [shape("path", { d, class: "image-halo image-cross-halo" }), shape("path", { d, class: "image-cross" })];
  }

  /** Points and regions that the page keeps. */
  kept() {
    const { pane } = this;
    const made = [];
    for (const point of pane.view.marks.points ?? []) {
      const away = Math.abs(Math.floor(point[pane.axis]) - pane.index);
      if (away > BESIDE) continue;
      const [x, y] = pane.screen([point[pane.colAxis] + 0.5, point[pane.rowAxis] + 0.5]);
      const look = { class: "image-point", opacity: away ? 0.45 : 1, style: `--mark: ${point.colour ?? "#fff"}` };
      made.push(shape("circle", { cx: x, cy: y, r: 5, class: "image-mark-halo", opacity: look.opacity }), shape("circle", { cx: x, cy: y, r: 5, ...look }), shape("text", { x: x + 8, y: y - 6, ...look }, point.name));
    }
    for (const region of pane.view.marks.regions ?? []) {
      if (region.axis !== pane.axis || pane.index < region.index || pane.index > (region.last ?? region.index)) continue;
      const look = { class: "image-region", style: `--mark: ${region.colour ?? "#fff"}` };
      const places = region.polygon.map((/** @type {number[]} */ [row, col]) => pane.screen([col, row]));
      const d = `M${places.map((/** @type {number[]} */ p) => p.join(" ")).join("L")}Z`;
      made.push(shape("path", { d, class: "image-mark-halo" }), shape("path", { d, ...look }));
      made.push(shape("text", { x: places[0][0] + 6, y: places[0][1] - 6, ...look }, region.name));
    }
    for (const line of pane.view.marks.lines ?? []) {
      if (![line.from, line.to].every((/** @type {any} */ end) => Math.floor(end[pane.axis]) === pane.index)) continue;
      const [a, b] = [line.from, line.to].map((/** @type {any} */ end) => pane.screen([end[pane.colAxis], end[pane.rowAxis]]).join(" "));
      made.push(shape("path", { d: `M${a}L${b}`, class: "image-halo" }), shape("path", { d: `M${a}L${b}`, class: "image-profile" }));
    }
    return made;
  }

  drawing() {
    const { pane } = this;
    if (pane.drawn.length < 2) return [];
    const d = `M${pane.drawn.map((/** @type {any} */ p) => pane.screen(p).join(" ")).join("L")}`;
    const closed = pane.drawn.length > 2 ? "Z" : "";
    return [shape("path", { d: d + closed, class: "image-halo" }), shape("path", { d: d + closed, class: closed ? "image-lasso" : "image-profile" })];
  }

  bar() {
    const { pane } = this;
    const { round125 } = window.imageParts.colours;
    const { meta } = pane.view;
    const voxel = pane.pixels(pane.colAxis);
    const pixel = meta.has_voxel_size ? pane.view.state.zoom : voxel; // css pixels a µm, or a voxel
    const length = round125(BAR_PX / pixel);
    if (!(length > 0)) return [];
    const [times, unit] = !meta.has_voxel_size ? [1, length === 1 ? "voxel" : "voxels"] : length < 1 ? [1000, "nm"] : [1, "µm"];
    const words = `${Number((length * times).toPrecision(1))} ${unit}`;
    const [x, y, width] = [10, pane.element.clientHeight - 12, length * pixel];
    return [
      shape("rect", { x: x - 1, y: y - 5, width: width + 2, height: 6, class: "image-bar-halo" }),
      shape("rect", { x, y: y - 4, width, height: 4, class: "image-bar", "data-um": length }),
      shape("text", { x: x + width / 2, y: y - 9, class: "image-bar-text", "text-anchor": "middle" }, words),
    ];
  }
}

window.imageParts = Object.assign(window.imageParts ?? {}, { marks: { Marks } });
