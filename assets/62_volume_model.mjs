// @ts-check
// A 3D view: what it shows, its controls, and the drawing of a frame by 61_volume_scene. Views of one link share the camera.

/** @typedef {{surface: string, shell: string, shell_shown: boolean, colours: string, link: string, caption: string, cut: {axis: "z" | "y" | "x", index: number} | null}} Shown */

const BUNDLE = "/assets/vendor/vtk-37.4.3.mjs"; // kept for good by the browser: the name changes with the version
const NO_WEBGL = "This browser cannot show 3D here: WebGL 2 is missing or switched off. Use a current browser, or switch on its hardware acceleration.";
const PERCENTS = [1, 99];
const SLOW_MS = 60, STILL_MS = 250; // slower drawings are made at half the resolution while the camera moves
const TURN = 5, ZOOM = 1.15, BAR_PX = 120;
const SIDES = [["xy", "xy"], ["xz", "xz"], ["yz", "yz"], ["oblique", "oblique"]];

/** What went wrong, for people. @param {unknown} err */
const sentence = (err) => (err instanceof TypeError ? "The server did not answer. Is it still running?" : String(/** @type {any} */ (err).message));

export class VolumeView {
  source = /** @type {Shown | null} */ (null);
  asked = "";
  meta = /** @type {any} */ (null); // of the surface
  shellMeta = /** @type {any} */ (null);
  metas = /** @type {Record<string, any>} */ ({}); // base: of the map that colours it
  looks = /** @type {Record<string, any>} */ ({});
  brush = /** @type {any} */ (null);
  cut = /** @type {any} */ (null);
  shellShown = true;
  scene = /** @type {any} */ (null);
  frame = 0;
  copying = false;
  drawings = 0;
  slow = false;
  coarse = false;
  still = 0; // timer

  /** @param {HTMLElement} root @param {string} id */
  constructor(root, id) {
    const { Controls, element } = window.imageParts.controls;
    this.root = root;
    this.id = id;
    this.controls = new Controls(this);
    this.stage = element("div", "volume-stage", { tabindex: "0", role: "application" });
    this.bar = element("div", "volume-scale", { "aria-hidden": "true" });
    this.note = element("div", "image-read");
    this.message = element("div", "image-message", { role: "alert" });
    const body = element("div", "image-body");
    body.append(this.stage, this.controls.bars);
    root.replaceChildren(this.controls.tools, body, this.note, this.message);
    this.caption = element("div", "image-title");
    this.stage.append(this.bar, this.caption);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.stage);
    this.stage.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => this.key(e));
  }

  /** @param {string} words */
  fail(words) {
    this.message.textContent = words;
    this.root.dataset.failed = words ? "yes" : "";
  }

  async start() {
    if (this.scene) return true;
    if (!document.createElement("canvas").getContext("webgl2")) return this.fail(NO_WEBGL), false;
    const vtk = await import(BUNDLE);
    this.scene ??= new window.imageParts.scene3d.Scene(vtk, this.stage);
    this.scene.camera.onModified(() => this.moved());
    this.resize();
    return true;
  }

  /** @param {Shown} source */
  async show(source) {
    const known = JSON.stringify(source);
    if (this.asked === known) return;
    this.asked = known;
    try {
      const [surface, shell, ready] = await Promise.all([window.imageParts.picture3d.loaded(source.surface), source.shell ? window.imageParts.picture3d.loaded(source.shell) : null, this.start()]);
      if (ready && this.asked === known) this.take(source, surface, shell);
    } catch (err) {
      this.fail(sentence(err));
    }
  }

  /** @param {Shown} source @param {{meta: any, mesh: any}} surface @param {{meta: any, mesh: any} | null} shell */
  take(source, { meta, mesh }, shell) {
    const { parts } = window.imageParts.colours;
    const first = !this.source;
    const before = this.metas.base?.key;
    if (first) this.shellShown = source.shell_shown ?? true;
    Object.assign(this, { source, meta, shellMeta: shell?.meta ?? null, metas: meta.colour ? { base: { ...meta.colour, key: meta.colour_key } } : {} });
    if (meta.colour && before !== meta.colour_key) this.looks.base = { ...window.imageParts.data.ranged(meta.colour, PERCENTS), colours: source.colours, labels: meta.colour.labels };
    this.looks.base ??= { low: 0, high: 1, colours: source.colours };
    this.scene.setSurface(mesh);
    this.scene.setShell(shell?.mesh ?? null, parts(getComputedStyle(this.stage).color));
    this.scene.middle = this.extent().map((s) => s / 2);
    this.build(), this.fail("");
    const beside = this.partners().filter((v) => Math.hypot(...v.extent()) >= Math.hypot(...this.extent()));
    if (first) beside.length ? this.scene.take(beside[0].scene.pose()) : this.scene.look("oblique", this.extent());
    this.paint();
    this.slice(this.cut ?? source.cut);
  }

  /** µm along x, y, z. */
  extent() {
    return [...this.meta.size_um].reverse();
  }

  build() {
    const { element } = window.imageParts.controls;
    const { controls } = this;
    this.caption.textContent = this.source?.caption ?? "";
    controls.refreshers = [];
    const sides = SIDES.map(([side, words]) => controls.button(words, `Look at ${words}`, () => this.look3d(side)));
    const axis = element("select", "image-select", { "aria-label": "Cut plane" });
    for (const [value, words] of [["", "no cut"], ["z", "cut along z"], ["y", "cut along y"], ["x", "cut along x"]]) axis.append(element("option", "", { value }, words));
    axis.addEventListener("change", () => this.slice(axis.value ? { axis: axis.value, index: this.middle(axis.value) } : null));
    const depth = window.imageParts.controls.slider("Place of the cut", 1, (/** @type {number} */ v) => this.slice({ ...this.cut, index: v }));
    const flip = controls.button("other side", "Show the other half", () => this.slice({ ...this.cut, flip: !this.cut.flip }));
    const shell = controls.button("shell", "The whole particle, transparent", () => this.set({ shellShown: !this.shellShown }), () => this.shellShown);
    const save = controls.button("PNG", "Save what is seen", () => this.save());
    controls.refreshers.push(() => {
      axis.value = this.cut?.axis ?? "";
      for (const part of [depth, flip]) part.hidden = !this.cut;
      shell.hidden = !this.scene.shell;
      depth.max = String((this.cut ? this.voxels(this.cut.axis) : 1) - 1);
      depth.value = String(this.cut?.index ?? 0);
    });
    const parts = this.metas.base ? controls.look("base") : [];
    controls.tools.replaceChildren(...sides, axis, depth, flip, shell, save, ...parts);
    controls.bars.replaceChildren(...(this.metas.base ? [controls.bar("base")] : []));
    this.note.textContent = this.told(this.meta) + (this.shellMeta ? ` · shell: ${this.told(this.shellMeta)}` : "");
    this.stage.setAttribute("aria-label", `3D view of ${this.metas.base?.title ?? "a surface"}; arrow keys turn it, + and − zoom`);
  }

  /** Triangles of a surface, and how far simplifying moved it. @param {any} meta */
  told(meta) {
    const [mean, most] = [meta.deviation_mean_um, meta.deviation_max_um].map((v) => this.length(v));
    return `${meta.faces} triangles` + (meta.deviation_max_um ? ` (of ${meta.faces_before}; simplifying moved the surface by ${mean} on average, at most ${most})` : "");
  }

  /** @param {number} um */
  length(um) {
    if (!this.meta.has_voxel_size) return `${Number(um.toPrecision(2))} voxels`;
    return um < 1 ? `${Number((um * 1000).toPrecision(2))} nm` : `${Number(um.toPrecision(2))} µm`;
  }

  /** @param {string} axis */
  voxels(axis) {
    return this.metas.base?.levels[0]["zyx".indexOf(axis)] ?? 1;
  }

  /** @param {string} axis */
  middle(axis) {
    return Math.floor(this.voxels(axis) / 2);
  }

  /** @param {string} side */
  look3d(side) {
    this.scene.look(side, this.extent());
  }

  /** @param {string} _role @param {Record<string, any>} patch */
  look(_role, patch) {
    const range = patch.percents ? window.imageParts.data.ranged(this.metas.base, patch.percents) : "low" in patch || "high" in patch ? { percents: null } : {};
    const after = { ...this.looks.base, ...patch, ...range };
    if (!(after.high > after.low)) return;
    this.looks.base = after;
    this.paint();
    this.slice(this.cut);
    this.share(after);
  }

  /** Linked views of one quantity have one scale. @param {{low: number, high: number, colours: string}} look */
  share({ low, high, colours }) {
    const mine = this.metas.base;
    for (const other of this.partners()) {
      const theirs = other.metas.base;
      const [same, differs] = [theirs?.variable === mine.variable && theirs.definition === mine.definition, ["low", "high", "colours"].some((n) => other.looks.base[n] !== { low, high, colours }[n])];
      if (same && differs) other.look("base", { low, high, colours });
    }
  }

  paint() {
    this.scene.paint(this.looks.base, this.brush);
    this.later();
  }

  /** Cut at a slice of the map, or not at all. @param {{axis: "z" | "y" | "x", index: number, flip?: boolean} | null} cut */
  async slice(cut) {
    const { base } = this.metas;
    this.cut = cut && base ? { flip: false, ...cut, index: Math.min(this.voxels(cut.axis) - 1, Math.max(0, cut.index)) } : null;
    if (!this.cut) return this.scene.cut(null), this.later();
    const asked = this.cut;
    const { axis, index, flip } = asked;
    const n = "zyx".indexOf(axis);
    const { cutAt } = window.imageParts.picture3d;
    const found = await cutAt(base, axis, index, this.meta.layer, this.looks.base, Boolean(this.brush)).catch((/** @type {Error} */ err) => this.fail(sentence(err)));
    if (!found || this.cut !== asked) return;
    const at = (index + 0.5) * base.voxel_um[n];
    this.scene.cut({ axis, at, size: this.extent(), flip, pixels: window.imageParts.picture3d.sliced(found, this.looks.base, this.brush) });
    this.later();
  }

  /** @param {Record<string, any>} patch */
  set(patch) {
    Object.assign(this, patch);
    this.later();
  }

  partners() {
    return [...window.volumeViews.values()].filter((/** @type {VolumeView} */ v) => v !== this && v.scene && v.source && this.source?.link && v.source.link === this.source.link);
  }

  moved() {
    if (!this.copying) {
      for (const other of this.partners()) {
        other.copying = true;
        other.scene.take(this.scene.pose());
        other.copying = false;
      }
    }
    if (this.slow) this.sharpen(true);
    this.later();
  }

  /** Half the resolution while the camera moves, all of it once it stands still. @param {boolean} moving */
  sharpen(moving) {
    clearTimeout(this.still);
    if (moving) this.still = window.setTimeout(() => this.sharpen(false), STILL_MS);
    if (this.coarse === moving) return;
    this.coarse = moving;
    this.resize();
  }

  resize() {
    const ratio = window.devicePixelRatio * (this.coarse ? 0.5 : 1);
    const [w, h] = [this.stage.clientWidth, this.stage.clientHeight].map((v) => Math.max(1, Math.round(v * ratio)));
    this.scene?.size(w, h);
    this.later();
  }

  later() {
    if (this.frame || !this.scene || !this.meta) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.root.isConnected) this.draw();
    });
  }

  draw() {
    const { parts, round125 } = window.imageParts.colours;
    this.scene.setGround(parts(getComputedStyle(this.stage).backgroundColor));
    this.scene.shell?.actor.setVisibility(this.shellShown);
    if (++this.drawings === 2) this.slow = this.scene.speed() > SLOW_MS; // the first one also makes the shaders
    else this.scene.render();
    const pixel = this.stage.clientHeight / (2 * this.scene.camera.getParallelScale()); // css pixels a µm
    const length = round125(BAR_PX / pixel);
    this.bar.style.width = `${length * pixel}px`;
    this.bar.textContent = this.length(length);
    this.controls.refresh();
    this.root.dispatchEvent(new CustomEvent("volume-drawn"));
  }

  /** @param {KeyboardEvent} e */
  key(e) {
    const { camera } = this.scene ?? {};
    if (!camera || e.ctrlKey || e.metaKey || e.altKey) return;
    const zoom = (/** @type {number} */ by) => camera.setParallelScale(camera.getParallelScale() * by);
    /** @type {Record<string, () => void>} */
    const keys = { ArrowLeft: () => camera.azimuth(TURN), ArrowRight: () => camera.azimuth(-TURN), ArrowUp: () => camera.elevation(-TURN), ArrowDown: () => camera.elevation(TURN), "+": () => zoom(1 / ZOOM), "-": () => zoom(ZOOM), 0: () => this.look3d("oblique") };
    if (!keys[e.key]) return;
    keys[e.key]();
    camera.orthogonalizeViewUp();
    e.preventDefault();
  }

  async save() {
    const picture = await window.imageParts.picture3d.composed(this);
    const link = document.createElement("a");
    Object.assign(link, { href: picture, download: `${this.id}.png` });
    link.click();
  }

  /** @param {Record<string, any>} order */
  obey(order) {
    if (!this.meta) return void setTimeout(() => this.root.isConnected && this.obey(order), 50);
    const look = Object.fromEntries(["low", "high", "percents", "colours"].filter((n) => order[n] !== undefined && order[n] !== null).map((n) => [n, order[n]]));
    if (order.brush !== undefined) this.brush = order.brush;
    if (order.shell !== undefined) this.shellShown = order.shell;
    if (order.cut !== undefined) this.cut = order.cut && { ...this.cut, ...order.cut };
    if (order.side) this.look3d(order.side);
    if (this.metas.base) this.look("base", look);
  }

  dispose() {
    this.watch.disconnect();
    this.scene?.dispose();
  }
}

window.imageParts = Object.assign(window.imageParts ?? {}, { model3d: { VolumeView } });
