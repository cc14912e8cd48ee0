// @ts-check
// An image view: its panes, what they show and share, and the drawing of a frame. Changes only note what is wanted and ask for the
// next frame, which loads and paints. Linked views of one shape share index, layer and zoom.

/** @typedef {import("./51_image_data.mjs").Source} Source */
/** @typedef {{low: number, high: number, colours: string, percents: number[] | null}} Look */
/** @typedef {{base: Source, overlay: Source | null, mask: Source | null, axes: string[], link: string, caption: string, colours: Record<string, string>, opacity: number}} Shown */
/** @typedef {{index: Record<string, number>, centre: Record<string, number>, energy: number, zoom: number, tool: string, fitted: boolean}} State */

const AXES = ["z", "y", "x"];
const ROLES = ["base", "overlay", "mask"];
const REST_MS = 130, SEEN_MS = 250;
const PERCENTS = [1, 99];
const NO_WEBGL = "This browser cannot show images here: WebGL 2 is missing or switched off. Use a current browser, or switch on its hardware acceleration.";

/** @type {Map<string, {state: State, views: Set<ImageView>}>} */
const links = new Map();

export class ImageView {
  root = /** @type {HTMLElement} */ (document.body);
  id = "";
  source = /** @type {any} */ (null); // as Shown; a role's source by its name
  metas = /** @type {Record<string, any>} */ ({}); // by role: base, overlay, mask
  meta = /** @type {any} */ (null); // of the base
  roles = /** @type {string[]} */ ([]);
  looks = /** @type {Record<string, Look>} */ ({});
  opacity = 0.6;
  brush = /** @type {any} */ (null);
  label = /** @type {number | null} */ (null);
  marks = /** @type {{points?: any[], regions?: any[], lines?: any[]}} */ ({});
  panes = /** @type {any[]} */ ([]);
  state = /** @type {State} */ (/** @type {unknown} */ (null));
  group = /** @type {{state: State, views: Set<ImageView>}} */ ({ views: new Set() });
  linked = "";
  asked = "";
  reported = "";
  scrubbing = ""; // "slice" or "layer" while it lasts
  moved = "z";
  direction = 1;
  at = /** @type {[any, [number, number]] | null} */ (null); // what the pointer is on
  painter = /** @type {any} */ (null);
  frame = 0;
  timers = { rest: 0, seen: 0 };

  /** @param {HTMLElement} root @param {string} id */
  constructor(root, id) {
    const { Controls, element } = window.imageParts.controls;
    Object.assign(this, { root, id });
    this.controls = new Controls(this);
    this.stage = element("div", "image-stage");
    this.canvas = element("canvas", "image-canvas", { "aria-hidden": "true" });
    this.message = element("div", "image-message", { role: "alert" });
    this.stage.append(this.canvas);
    const body = element("div", "image-body");
    body.append(this.stage, this.controls.bars);
    root.replaceChildren(this.controls.tools, body, this.controls.layers, this.controls.line, this.message);
    this.slots = new window.imageParts.slots.Slots(this);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.stage);
    this.canvas.addEventListener("webglcontextlost", (/** @type {Event} */ e) => e.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => this.start() && this.later());
    this.start();
  }

  start() {
    try {
      this.painter = new window.imageParts.gl.Painter(this.canvas, window.imageParts.colours.table());
    } catch {
      this.fail(NO_WEBGL);
    }
    return this.painter;
  }

  /** @param {string} words */
  fail(words) {
    this.message.textContent = words;
    this.root.dataset.failed = words ? "yes" : "";
  }

  /** @param {Shown} source */
  async show(source) {
    const known = JSON.stringify(source);
    if (this.asked === known || !this.painter) return;
    this.asked = known;
    const given = /** @type {any} */ (source);
    try {
      const wanted = ROLES.filter((r) => given[r]);
      const found = await Promise.all(wanted.map((r) => window.imageParts.data.describe(given[r])));
      if (this.asked !== known) return;
      this.take(source, Object.fromEntries(wanted.map((r, i) => [r, found[i]])));
      this.fail("");
    } catch (err) {
      this.fail(err instanceof TypeError ? "The server did not answer. Is it still running?" : String(/** @type {any} */ (err).message));
    }
  }

  /** @param {Shown} source @param {Record<string, any>} metas */
  take(source, metas) {
    for (const [role, meta] of Object.entries(metas)) {
      if (this.metas[role]?.key === meta.key && this.looks[role]) continue;
      const colours = source.colours?.[role] ?? (role === "base" && source.overlay ? "grey" : "viridis");
      this.looks[role] = { ...window.imageParts.data.ranged(meta, PERCENTS), colours };
    }
    this.opacity = source.opacity ?? this.opacity;
    Object.assign(this, { source, metas, meta: metas.base, roles: ROLES.filter((r) => metas[r] && r !== "mask") });
    this.slots.reset();
    this.join(source);
    this.arrange(this.meta.flat ? ["z"] : source.axes);
    this.controls.build();
    if (this.state.fitted) this.fit();
    this.later();
  }

  /** Views of one link and one shape share index, layer, zoom. @param {Shown} source */
  join(source) {
    const size = this.meta.levels[0];
    const name = source.link ? `${source.link} ${size}` : `${this.id} ${size}`;
    if (this.linked === name) return;
    links.get(this.linked)?.views.delete(this);
    const place = (/** @type {number} */ half) => Object.fromEntries(AXES.map((a, i) => [a, half ? Math.floor(size[i] / 2) : size[i] / 2]));
    const fresh = { index: place(1), centre: place(0), energy: 0, zoom: NaN, tool: "move", fitted: true };
    const group = links.get(name) ?? { state: fresh, views: new Set() };
    group.views.add(this);
    links.set(name, group);
    Object.assign(this, { linked: name, group, state: group.state });
  }

  /** @param {string[]} axes */
  arrange(axes) {
    if (this.panes.map((p) => p.axis).join() === axes.join()) return;
    const { element, slider } = window.imageParts.controls;
    this.panes = axes.map((axis) => new window.imageParts.pane.Pane(this, axis));
    const cells = this.panes.map((pane) => {
      const cell = element("div", "image-cell");
      pane.slider = slider(`Slice along ${pane.axis}`, 0, (/** @type {number} */ v) => this.change({ index: { [pane.axis]: v } }));
      cell.append(pane.element, ...(this.meta.flat ? [] : [pane.slider]));
      return cell;
    });
    this.stage.replaceChildren(this.canvas, ...cells);
    this.stage.dataset.panes = String(axes.length);
  }

  get three() {
    return this.panes.length > 1;
  }

  /** The description whose layers the slider walks through. */
  get layered() {
    return [this.metas.base, this.metas.overlay].find((m) => m?.layers && m.layers.values.length > 1) ?? null;
  }

  /** @param {any} meta */
  layerOf(meta) {
    return Math.min(this.state.energy, (meta.layers?.values.length ?? 1) - 1);
  }

  /** Change what linked views share. @param {Record<string, any>} patch */
  change(patch) {
    const { state } = this;
    const moved = AXES.find((a) => patch.index && a in patch.index && patch.index[a] !== state.index[a]);
    const turned = patch.energy !== undefined && patch.energy !== state.energy;
    const by = moved ? patch.index[moved] - state.index[moved] : patch.energy - state.energy;
    if (moved || turned) for (const view of this.group.views) view.scrub(moved, by);
    Object.assign(state.index, patch.index);
    Object.assign(state.centre, patch.centre);
    for (const name of ["energy", "zoom", "tool", "fitted"]) if (patch[name] !== undefined) Object.assign(state, { [name]: patch[name] });
    for (const view of this.group.views) view.later();
  }

  /** @param {string | undefined} axis @param {number} by */
  scrub(axis, by) {
    Object.assign(this, { scrubbing: axis ? "slice" : "layer", moved: axis ?? this.moved, direction: Math.sign(by) });
    clearTimeout(this.timers.rest);
    this.timers.rest = window.setTimeout(() => this.set({ scrubbing: "" }), REST_MS);
  }

  /** @param {number} by */
  layer(by) {
    const most = (this.layered?.layers?.values.length ?? 1) - 1;
    this.change({ energy: Math.min(most, Math.max(0, this.state.energy + by)) });
  }

  /** Colour map and range of a map. @param {string} role @param {Record<string, any>} patch */
  look(role, patch) {
    const before = this.looks[role];
    const range = patch.percents ? window.imageParts.data.ranged(this.metas[role], patch.percents) : "low" in patch || "high" in patch ? { percents: null } : {};
    const after = { ...before, ...patch, ...range };
    if (after.high > after.low) this.set({ looks: { ...this.looks, [role]: after } });
  }

  /** Range by hand: across changes its width, down its place. @param {number} across @param {number} down parts of the pane */
  drift(across, down) {
    const role = this.roles[this.roles.length - 1];
    const { low, high } = this.looks[role];
    const [middle, half] = [(low + high) / 2 + down * (high - low), ((high - low) / 2) * Math.exp(2 * across)];
    if (!this.metas[role].labels) this.look(role, { low: middle - half, high: middle + half });
  }

  /** Change what is this view's own: looks, opacity, brush, label, marks. @param {Record<string, any>} patch */
  set(patch) {
    Object.assign(this, patch);
    this.later();
  }

  fit() {
    const zoom = Math.min(...this.panes.map((p) => p.fitting())) * 0.98;
    if (!(zoom > 0)) return;
    this.change({ zoom, centre: Object.fromEntries(AXES.map((a, i) => [a, this.meta.levels[0][i] / 2])), fitted: true });
  }

  resize() {
    const ratio = window.devicePixelRatio;
    const [w, h] = [this.stage.clientWidth, this.stage.clientHeight].map((v) => Math.max(1, Math.round(v * ratio)));
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    if (this.meta && this.state.fitted) this.fit();
    this.later();
  }

  later() {
    if (this.frame || !this.meta || !this.painter) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.root.isConnected) return;
      for (const pane of this.panes) for (const role of Object.keys(this.metas)) if (this.state.zoom > 0) this.slots.load(pane, role);
      this.draw();
    });
  }

  draw() {
    const { parts } = window.imageParts.colours;
    const style = getComputedStyle(this.stage);
    const [ground, accent] = [parts(style.backgroundColor), parts(style.accentColor)];
    this.painter.clear(ground);
    for (const pane of this.panes) {
      const { opacity, brush, label } = this;
      this.painter.paint(pane.axis, { ...pane.geometry(), ...this.slots.maps(pane), opacity, brush, label, ground, accent });
      pane.marks.draw();
      pane.slider.max = String(pane.size(pane.axis) - 1);
      pane.slider.value = String(pane.index);
    }
    this.controls.refresh();
    this.controls.read(this.at);
    this.tell();
    clearTimeout(this.timers.seen);
    this.timers.seen = window.setTimeout(() => this.report(), SEEN_MS);
  }

  tell() {
    const panes = Object.fromEntries(this.panes.map((p) => [p.axis, { index: p.index, ...this.slots.of(p, "base").slice, data: undefined }]));
    this.root.dispatchEvent(new CustomEvent("image-drawn", { detail: { panes, energy: this.state.energy } }));
  }

  /** @param {any} pane @param {[number, number] | null} at */
  read(pane, at) {
    this.at = at && [pane, at];
    this.controls.read(this.at);
  }

  /** @param {any} pane @param {[number, number]} at */
  valuesAt(pane, at) {
    const known = (/** @type {number} */ v) => (Number.isNaN(v) ? null : v); // JSON has no NaN
    return Object.fromEntries(this.roles.map((r) => [r === "base" ? "value" : "overlay_value", known(this.slots.value(pane, r, at))]));
  }

  /** @param {Record<string, any>} event */
  emit(event) {
    const layer = this.state.energy;
    const facts = { view: this.id, ...this.source.base, energy: layer, energy_value: this.layered?.layers?.values[layer] ?? null };
    window.dash_clientside.set_props({ part: "image-event", view: this.id }, { data: { ...facts, ...event, at: Date.now() } });
  }

  report() {
    const { index, energy } = this.state;
    const data = { index: { ...index }, energy, base: this.looks.base, overlay: this.looks.overlay ?? null, opacity: this.opacity };
    const text = JSON.stringify(data);
    if (text === this.reported || !this.root.isConnected) return;
    this.reported = text;
    window.dash_clientside.set_props({ part: "image-seen", view: this.id }, { data });
  }

  /** What Dash asks for. @param {Record<string, any>} order */
  obey(order) {
    if (!this.meta) return void setTimeout(() => this.root.isConnected && this.obey(order), 50);
    const part = (/** @type {string[]} */ names) => Object.fromEntries(names.filter((n) => order[n] !== undefined).map((n) => [n, order[n]]));
    const shared = part(["index", "centre", "energy", "zoom", "tool"]);
    if (Object.keys(shared).length) this.change(shared.zoom || shared.centre ? { ...shared, fitted: false } : shared);
    for (const role of this.roles) if (order[role]) this.look(role, order[role]);
    if (order.marks) for (const pane of this.panes) pane.drawn = []; // what was drawn is kept now
    this.set(part(["opacity", "brush", "label", "marks"]));
  }

  dispose() {
    links.get(this.linked)?.views.delete(this);
    this.watch.disconnect();
    this.slots.dispose();
    this.painter?.dispose();
  }
}

window.imageParts = Object.assign(window.imageParts ?? {}, { scene: { ImageView } });
