// @ts-check
// What stands around the panes of an image view: tools, colour maps and ranges, colour bars, sliders, and the line that reads values.
// Everything is built here and speaks to the view only through change(), look(), layer(), fit().

const PERCENTS = /** @type {[string, number, number][]} */ ([["all values", 0, 100], ["0.5–99.5 %", 0.5, 99.5], ["1–99 %", 1, 99], ["2–98 %", 2, 98], ["5–95 %", 5, 95]]);
const TOOLS = [["move", "Move", "Drag pans, wheel zooms, a click chooses a voxel"], ["window", "Range", "Drag changes the colour range (also with the right button)"], ["lasso", "Lasso", "Drag around a region"], ["profile", "Profile", "Drag a line"]];
const GRIP = 0.2; // part of the colour bar at each end that moves this end only
const MOST_LABELS = 12;

/** @param {string} tag @param {string} name @param {Record<string, string>} [attributes] @param {string} [text] @returns {any} */
export function element(tag, name, attributes = {}, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  for (const [k, v] of Object.entries(attributes)) made.setAttribute(k, v);
  if (text) made.textContent = text;
  return made;
}

/** @param {string} name @param {[string, string][]} options @param {(value: string) => void} act */
function choice(name, options, act) {
  const made = element("select", "image-select", { "aria-label": name, title: name });
  for (const [value, words] of options) made.append(element("option", "", { value }, words));
  made.addEventListener("change", () => act(made.value));
  return made;
}

/** @param {string} name @param {number} most @param {(value: number) => void} act @param {number} [step] */
export function slider(name, most, act, step = 1) {
  const made = element("input", "image-slider", { type: "range", min: "0", max: String(most), step: String(step), "aria-label": name });
  made.addEventListener("input", () => act(Number(made.value)));
  return made;
}

/** Number field that applies on Enter and when it is left. @param {string} name @param {(value: number) => void} act */
function field(name, act) {
  const made = element("input", "image-number", { type: "text", inputmode: "decimal", "aria-label": name, title: name });
  made.addEventListener("change", () => {
    const value = Number(made.value.replace("−", "-").replace(",", "."));
    if (Number.isFinite(value)) act(value);
  });
  return made;
}

export class Controls {
  /** @param {any} view */
  constructor(view) {
    this.view = view;
    this.tools = element("div", "image-tools", { role: "toolbar", "aria-label": "Image tools" });
    this.bars = element("div", "image-bars");
    this.layers = element("label", "image-layers");
    this.line = element("div", "image-read", { "aria-live": "off" });
    /** @type {(() => void)[]} */
    this.refreshers = [];
  }

  build() {
    const { view } = this;
    this.refreshers = [];
    const buttons = TOOLS.map(([tool, words, hint]) => this.button(words, hint, () => view.change({ tool }), () => view.state.tool === tool));
    const caption = view.source.caption ? [element("span", "image-caption", {}, view.source.caption)] : [];
    this.tools.replaceChildren(...caption, ...buttons, this.button("Fit", "Show everything (double click)", () => view.fit()));
    for (const role of view.roles) this.tools.append(...this.look(role));
    this.bars.replaceChildren(...view.roles.map((/** @type {string} */ role) => this.bar(role)));
    this.buildLayers();
    this.refresh();
  }

  refresh() {
    for (const act of this.refreshers) act();
  }

  /** @param {string} words @param {string} hint @param {() => void} act @param {() => boolean} [pressed] */
  button(words, hint, act, pressed) {
    const made = element("button", "image-button", { type: "button", title: hint }, words);
    made.addEventListener("click", act);
    if (pressed) this.refreshers.push(() => made.setAttribute("aria-pressed", String(pressed())));
    return made;
  }

  /** Colour map, range, and for what lies on top its opacity. @param {string} role */
  look(role) {
    const { view } = this;
    const { NAMES, written } = window.imageParts.colours;
    const meta = view.metas[role];
    const parts = [element("span", "image-role", {}, meta.title)];
    if (!meta.labels) {
      const colours = choice(`${meta.title}: colours`, NAMES.map((/** @type {string} */ n) => [n, n]), (v) => view.look(role, { colours: v }));
      const percents = PERCENTS.map(([words], i) => /** @type {[string, string]} */ ([String(i), words]));
      const range = choice(`${meta.title}: range`, [...percents, ["", "by hand"]], (v) => v && view.look(role, { percents: PERCENTS[Number(v)].slice(1) }));
      const ends = ["low", "high"].map((end) => field(`${meta.title}: ${end} end of the colours`, (v) => view.look(role, { [end]: v })));
      parts.push(colours, range, ends[0], element("span", "", {}, "–"), ends[1]);
      this.refreshers.push(() => {
        const look = view.looks[role];
        colours.value = look.colours;
        range.value = look.percents ? String(PERCENTS.findIndex(([, a, b]) => a === look.percents[0] && b === look.percents[1])) : "";
        ["low", "high"].forEach((end, i) => document.activeElement !== ends[i] && (ends[i].value = written(look[end], look.high - look.low)));
      });
    }
    if (role === "overlay") {
      const made = slider(`${meta.title}: opacity`, 100, (v) => view.set({ opacity: v / 100 }));
      this.refreshers.push(() => (made.value = String(Math.round(view.opacity * 100))));
      parts.push(made);
    }
    const group = element("span", "image-look");
    group.append(...parts);
    return [group];
  }

  /** @param {string} role */
  bar(role) {
    const { view } = this;
    const { unit } = window.imageParts.colours;
    const meta = view.metas[role];
    const name = unit(meta.units) ? `${meta.title} / ${unit(meta.units)}` : meta.title;
    const made = element("figure", "image-bar-box", { "data-role": role });
    made.append(element("figcaption", "", {}, name));
    if (meta.definition) made.append(element("div", "image-definition", {}, meta.definition));
    if (meta.labels) return made.append(this.swatches(meta)), made;
    const scale = element("div", "image-scale", { title: "Drag an end, or the middle, to change the range" });
    const ramp = element("div", "image-ramp");
    scale.append(ramp);
    made.append(scale);
    this.dragBar(scale, role);
    this.refreshers.push(() => this.ramp(scale, ramp, role));
    if (meta.cut) made.append(element("div", "image-cut", {}, "Far outliers have the colour of the ends."));
    return made;
  }

  /** @param {HTMLElement} scale @param {HTMLElement} ramp @param {string} role */
  ramp(scale, ramp, role) {
    const { gradient, ticks, ticked } = window.imageParts.colours;
    const look = this.view.looks[role];
    ramp.style.background = gradient(look.colours, "to top");
    const span = look.high - look.low;
    const found = ticks(look.low, look.high, 5);
    const made = found.map((/** @type {number} */ v) => {
      const tick = element("span", "image-tick", {}, ticked(v, found));
      tick.style.bottom = `${(100 * (v - look.low)) / (span || 1)}%`;
      return tick;
    });
    scale.replaceChildren(ramp, ...made);
  }

  /** @param {HTMLElement} scale @param {string} role */
  dragBar(scale, role) {
    /** @type {{y: number, low: number, high: number, end: number} | null} */
    let from = null;
    scale.addEventListener("pointerdown", (e) => {
      const box = scale.getBoundingClientRect();
      const at = (box.bottom - e.clientY) / box.height;
      const { low, high } = this.view.looks[role];
      from = { y: e.clientY, low, high, end: at < GRIP ? -1 : at > 1 - GRIP ? 1 : 0 };
      scale.setPointerCapture(e.pointerId);
      e.preventDefault();
    });
    scale.addEventListener("pointermove", (e) => {
      if (!from) return;
      const by = ((from.y - e.clientY) / scale.clientHeight) * (from.high - from.low);
      const low = from.end === 1 ? from.low : from.low + by;
      const high = from.end === -1 ? from.high : from.high + by;
      if (high > low) this.view.look(role, { low, high });
    });
    for (const name of ["pointerup", "pointercancel"]) scale.addEventListener(name, () => (from = null));
  }

  /** @param {import("./51_image_data.mjs").Meta} meta */
  swatches(meta) {
    const { labelColour } = window.imageParts.colours;
    const list = element("ul", "image-labels");
    const [low, high] = [meta.low ?? 0, meta.high ?? 0];
    const named = Object.keys(meta.names).map(Number).filter((v) => v >= low && v <= high);
    const every = Array.from({ length: Math.min(high - low + 1, MOST_LABELS) }, (_, i) => low + i);
    for (const v of named.length ? named.sort((a, b) => a - b) : every) {
      const item = element("li", "", {}, meta.names[String(v)] ?? String(v));
      const swatch = element("span", "swatch");
      swatch.style.background = labelColour(v);
      item.prepend(swatch);
      list.append(item);
    }
    return list;
  }

  buildLayers() {
    const { view } = this;
    const { written, unit } = window.imageParts.colours;
    const found = view.layered;
    this.layers.hidden = !found;
    if (!found) return this.layers.replaceChildren();
    const { name, units, values, names } = found.layers;
    const made = slider(name, values.length - 1, (v) => view.change({ energy: v }));
    const words = element("output", "number");
    const span = Math.abs(values[values.length - 1] - values[0]) / 10 || 1;
    this.layers.replaceChildren(element("span", "", {}, name), made, words);
    this.refreshers.push(() => {
      made.value = String(view.state.energy);
      const place = Math.min(view.state.energy, values.length - 1);
      words.textContent = names?.[place] ?? `${written(values[place], span)} ${unit(units)}`;
      made.setAttribute("aria-valuetext", words.textContent);
    });
  }

  /** Place and values under the pointer. @param {[any, [number, number]] | null} found pane; column, row in voxels */
  read(found) {
    this.line.textContent = found ? this.words(...found) : "";
  }

  /** @param {any} pane @param {[number, number]} at */
  words(pane, at) {
    const { view } = this;
    const { written, unit } = window.imageParts.colours;
    const [col, row] = at.map(Math.floor);
    if (col < 0 || row < 0 || col >= pane.size(pane.colAxis) || row >= pane.size(pane.rowAxis)) return "";
    /** @type {Record<string, number>} */
    const place = { [pane.axis]: pane.index, [pane.rowAxis]: row, [pane.colAxis]: col };
    const values = view.roles.map((/** @type {string} */ role) => {
      const [meta, look, value] = [view.metas[role], view.looks[role], view.slots.value(pane, role, at)];
      const label = meta.names[String(value)] ?? String(value);
      const read = meta.labels ? label : `${written(value, look.high - look.low)} ${unit(meta.units)}`;
      return `${meta.title}: ${Number.isNaN(value) ? "no value" : read}`;
    });
    const axes = view.meta.flat ? ["y", "x"] : ["z", "y", "x"];
    return [axes.map((a) => `${a} ${place[a]}`).join(", "), ...values].join(" · ");
  }
}

window.imageParts = Object.assign(window.imageParts ?? {}, { controls: { Controls, element, slider } });
