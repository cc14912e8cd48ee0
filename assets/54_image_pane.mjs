// @ts-check
// One pane of an image view: a plane across the volume. Where voxels are on the screen, and what pointer, wheel and keys do there.
// Voxel coordinates are continuous: voxel i covers i … i + 1. Gestures: wheel zooms about the pointer (with Shift: through the slices);
// dragging pans, or moves the crosshair when it starts on it; a right drag changes the colour range; a click chooses a voxel;
// with the tools "lasso" and "profile" a drag draws. Keys: arrows ↑ ↓ and PgUp PgDn through the slices, [ ] through the
// layers, + − zoom, 0 fits, arrows ← → pan, Esc leaves a tool.

/** @typedef {import("./51_image_data.mjs").Axis} Axis */
/** @typedef {[number, number]} Point column, row in voxels */

const NEAR_PX = 7, CLICK_PX = 4;
const ZOOM_WHEEL = 0.0015, ZOOM_KEY = 1.25, PAN_KEY_PX = 40;
const LASSO_PX = 4; // between two points
/** @type {Record<Axis, [Axis, Axis]>} */
const ROWS_COLS = { z: ["y", "x"], y: ["z", "x"], x: ["z", "y"] };
const PLACE = { z: 0, y: 1, x: 2 };

export class Pane {
  /** @param {any} view @param {Axis} axis */
  constructor(view, axis) {
    this.view = view;
    this.axis = axis;
    this.rowAxis = ROWS_COLS[axis][0];
    this.colAxis = ROWS_COLS[axis][1];
    this.element = document.createElement("div");
    this.element.className = "image-pane";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "application");
    /** @type {Point[]} */
    this.drawn = [];
    /** @type {{kind: string, x: number, y: number, moved: boolean} | null} */
    this.drag = null;
    const { Marks } = window.imageParts.marks;
    this.marks = new Marks(this);
    this.listen();
  }

  get name() {
    return `${this.colAxis}${this.rowAxis}`;
  }

  /** @param {Axis} axis voxels along it */
  size(axis) {
    return this.view.meta.levels[0][PLACE[axis]];
  }

  /** @param {Axis} axis css pixels a voxel */
  pixels(axis) {
    return this.view.state.zoom * this.view.meta.voxel_um[PLACE[axis]];
  }

  get index() {
    return Math.min(this.size(this.axis) - 1, Math.max(0, Math.floor(this.view.state.index[this.axis])));
  }

  /** @param {number} x @param {number} y css pixels from the pane's corner @returns {Point} */
  voxel(x, y) {
    const { centre } = this.view.state;
    const { clientWidth: w, clientHeight: h } = this.element;
    return [centre[this.colAxis] + (x - w / 2) / this.pixels(this.colAxis), centre[this.rowAxis] + (y - h / 2) / this.pixels(this.rowAxis)];
  }

  /** @param {Point} at @returns {Point} css pixels from the pane's corner */
  screen([col, row]) {
    const { centre } = this.view.state;
    const { clientWidth: w, clientHeight: h } = this.element;
    return [w / 2 + (col - centre[this.colAxis]) * this.pixels(this.colAxis), h / 2 + (row - centre[this.rowAxis]) * this.pixels(this.rowAxis)];
  }

  /** Level of the pyramid whose voxels are about a screen pixel. @param {number[][]} levels of this map or of one laid over it */
  level(levels) {
    const finer = levels[0][PLACE[this.colAxis]] / this.size(this.colAxis);
    const voxels = finer / (Math.max(this.pixels(this.colAxis), this.pixels(this.rowAxis)) * window.devicePixelRatio);
    return Math.min(levels.length - 1, Math.max(0, Math.round(Math.log2(voxels))));
  }

  /** Where the pane is in the frame buffer, and which voxels are there. */
  geometry() {
    const dpr = window.devicePixelRatio;
    const { offsetLeft: x, offsetTop: y, clientWidth: w, clientHeight: h } = this.element;
    return {
      rect: [x, y, w, h].map((v) => Math.round(v * dpr)),
      origin: this.voxel(0, 0),
      step: [1 / (this.pixels(this.colAxis) * dpr), 1 / (this.pixels(this.rowAxis) * dpr)],
      size: [this.size(this.colAxis), this.size(this.rowAxis)],
    };
  }

  /** The largest zoom at which the whole plane is seen. */
  fitting() {
    const [rowUm, colUm] = [this.rowAxis, this.colAxis].map((a) => this.view.meta.voxel_um[PLACE[a]]);
    return Math.min(this.element.clientWidth / (this.size(this.colAxis) * colUm), this.element.clientHeight / (this.size(this.rowAxis) * rowUm));
  }

  listen() {
    const on = (/** @type {string} */ name, /** @type {(e: any) => void} */ act) => this.element.addEventListener(name, act, { passive: false });
    on("pointerdown", (e) => this.down(e));
    on("pointermove", (e) => this.move(e));
    on("pointerup", (e) => this.up(e));
    on("pointercancel", () => this.leave());
    on("pointerleave", () => this.view.read(this, null));
    on("contextmenu", (e) => e.preventDefault());
    on("dblclick", () => this.view.state.tool === "move" && this.view.fit());
    on("wheel", (e) => this.wheel(e));
    on("keydown", (e) => this.key(e));
  }

  /** @param {PointerEvent | WheelEvent} e @returns {Point} */
  place(e) {
    const box = this.element.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  }

  /** Whether a point of the screen lies on the crosshair's lines. @param {number} x @param {number} y */
  onCross(x, y) {
    const { index } = this.view.state;
    const [cx, cy] = this.screen([index[this.colAxis] + 0.5, index[this.rowAxis] + 0.5]);
    return this.view.three && Math.min(Math.abs(x - cx), Math.abs(y - cy)) <= NEAR_PX;
  }

  /** @param {PointerEvent} e */
  down(e) {
    this.element.focus({ preventScroll: true });
    if (e.button === 1) return;
    const [x, y] = this.place(e);
    const tool = this.view.state.tool;
    const kind = e.button === 2 || tool === "window" ? "window" : tool !== "move" ? tool : this.onCross(x, y) ? "cross" : "pan";
    this.drag = { kind, x, y, moved: false };
    this.drawn = kind === "lasso" || kind === "profile" ? [this.voxel(x, y)] : [];
    this.element.setPointerCapture(e.pointerId);
    e.preventDefault();
  }

  /** @param {PointerEvent} e */
  move(e) {
    const [x, y] = this.place(e);
    this.view.read(this, this.voxel(x, y));
    const drag = this.drag;
    if (!drag) return;
    if (!drag.moved && Math.hypot(x - drag.x, y - drag.y) < CLICK_PX) return;
    const [dx, dy] = [x - drag.x, y - drag.y];
    drag.moved = true;
    if (drag.kind === "lasso") return this.draw(x, y);
    if (drag.kind === "profile") this.drawn = [this.drawn[0], this.voxel(x, y)];
    else if (drag.kind === "pan") this.pan(dx, dy);
    else if (drag.kind === "cross") this.cross(x, y);
    else this.view.drift(dx / this.element.clientWidth, dy / this.element.clientHeight);
    if (drag.kind !== "profile") [drag.x, drag.y] = [x, y];
    this.view.later();
  }

  /** @param {number} x @param {number} y */
  draw(x, y) {
    const [lx, ly] = this.screen(this.drawn[this.drawn.length - 1]);
    if (Math.hypot(x - lx, y - ly) >= LASSO_PX) this.drawn.push(this.voxel(x, y));
    this.view.later();
  }

  /** @param {PointerEvent} e */
  up(e) {
    const drag = this.drag;
    this.drag = null;
    if (!drag) return;
    const [x, y] = this.place(e);
    if (!drag.moved) {
      if (drag.kind === "pan" || drag.kind === "cross") this.choose(x, y);
    } else if (drag.kind === "lasso" && this.drawn.length > 2) {
      this.view.emit({ type: "lasso", ...this.plane(), polygon: this.drawn.map(([col, row]) => [rounded(row), rounded(col)]) });
    } else if (drag.kind === "profile") {
      const [from, to] = this.drawn.map((p) => this.point(p));
      this.view.emit({ type: "profile", ...this.plane(), from, to });
    }
    this.view.later();
  }

  leave() {
    this.drag = null;
    this.drawn = [];
    this.view.later();
  }

  plane() {
    return { axis: this.axis, index: this.index, rows: this.rowAxis, columns: this.colAxis };
  }

  /** A point of this plane as continuous coordinates; across the plane, the middle of its voxel. @param {Point} at */
  point([col, row]) {
    return { [this.axis]: this.index + 0.5, [this.rowAxis]: rounded(row), [this.colAxis]: rounded(col) };
  }

  /** @param {number} x @param {number} y */
  choose(x, y) {
    const [col, row] = this.voxel(x, y).map(Math.floor);
    if (col < 0 || row < 0 || col >= this.size(this.colAxis) || row >= this.size(this.rowAxis)) return;
    this.view.change({ index: { [this.axis]: this.index, [this.rowAxis]: row, [this.colAxis]: col } });
    this.view.emit({ type: "voxel", ...this.view.state.index, ...this.view.valuesAt(this, [col + 0.5, row + 0.5]) });
  }

  /** @param {number} x @param {number} y */
  cross(x, y) {
    const [col, row] = this.voxel(x, y).map(Math.floor);
    const within = (/** @type {number} */ v, /** @type {Axis} */ a) => Math.min(this.size(a) - 1, Math.max(0, v));
    this.view.change({ index: { [this.colAxis]: within(col, this.colAxis), [this.rowAxis]: within(row, this.rowAxis) } });
  }

  /** @param {number} dx @param {number} dy css pixels */
  pan(dx, dy) {
    const { centre } = this.view.state;
    const moved = { [this.colAxis]: centre[this.colAxis] - dx / this.pixels(this.colAxis), [this.rowAxis]: centre[this.rowAxis] - dy / this.pixels(this.rowAxis) };
    this.view.change({ centre: moved, fitted: false });
  }

  /** Zoom so that what is at a point of the screen stays there. @param {number} factor @param {number} x @param {number} y */
  zoom(factor, x, y) {
    const before = this.voxel(x, y);
    this.view.change({ zoom: this.view.state.zoom * factor, fitted: false });
    const after = this.voxel(x, y);
    const { centre } = this.view.state;
    this.view.change({ centre: { [this.colAxis]: centre[this.colAxis] + before[0] - after[0], [this.rowAxis]: centre[this.rowAxis] + before[1] - after[1] } });
  }

  /** @param {WheelEvent} e */
  wheel(e) {
    e.preventDefault();
    const turned = e.deltaY || e.deltaX;
    if (e.shiftKey) return this.step(Math.sign(turned));
    this.zoom(Math.exp(-turned * ZOOM_WHEEL), ...this.place(e));
  }

  /** @param {number} by slices */
  step(by) {
    this.view.change({ index: { [this.axis]: Math.min(this.size(this.axis) - 1, Math.max(0, this.index + by)) } });
  }

  /** @param {KeyboardEvent} e */
  key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const [x, y] = [this.element.clientWidth / 2, this.element.clientHeight / 2];
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowUp: () => this.step(1),
      ArrowDown: () => this.step(-1),
      PageUp: () => this.step(10),
      PageDown: () => this.step(-10),
      Home: () => this.step(-Infinity),
      End: () => this.step(Infinity),
      ArrowLeft: () => this.pan(PAN_KEY_PX, 0),
      ArrowRight: () => this.pan(-PAN_KEY_PX, 0),
      "[": () => this.view.layer(-1),
      "]": () => this.view.layer(1),
      "+": () => this.zoom(ZOOM_KEY, x, y),
      "-": () => this.zoom(1 / ZOOM_KEY, x, y),
      0: () => this.view.fit(),
      Escape: () => this.view.change({ tool: "move" }),
      Enter: () => this.choose(...this.screen([this.view.state.index[this.colAxis] + 0.5, this.view.state.index[this.rowAxis] + 0.5])),
    };
    if (!keys[e.key]) return;
    keys[e.key]();
    e.preventDefault();
  }
}

/** @param {number} v */
const rounded = (v) => Math.round(v * 1000) / 1000;

window.imageParts = Object.assign(window.imageParts ?? {}, { pane: { Pane } });
