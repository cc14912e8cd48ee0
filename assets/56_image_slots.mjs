// @ts-check
// Which slice a pane shows, and which it asks for next: 8 bits while slices are being scrubbed, 16 at rest. At most two requests for
// a pane are on their way; what arrives is shown if it is later than what is there, so that scrubbing keeps moving.

/** @typedef {import("./51_image_data.mjs").Slice} Slice */
/** @typedef {{slice: Slice | null, shown: number, flying: number, target: string, asked: string, level: number, epoch: number, near: string}} Slot near: for where the neighbours were asked for */

const AT_ONCE = 2;
const AHEAD = [1, 2, 3, -1, 4];
const AXES = ["z", "y", "x"];
const MARGIN = 0.15, WIDEST = 3; // of the range for which 8-bit slices are made, in widths of the range that is shown

export class Slots {
  /** @param {any} view */
  constructor(view) {
    this.view = view;
    /** @type {Map<string, Slot>} */
    this.all = new Map();
    /** @type {Record<string, [number, number]>} */
    this.ranges = {};
    this.count = 0;
    this.epoch = 0;
    this.slices = (window.imageParts.slices ??= new window.imageParts.data.Slices());
  }

  /** Forget what is shown: other data come. */
  reset() {
    this.epoch++;
    this.all.clear();
    this.ranges = {};
  }

  /** The values between which 8-bit slices are spread: a little more than is shown, and the same while that does. @param {string} role */
  range(role) {
    const { low, high } = this.view.looks[role];
    const known = this.ranges[role];
    if (known && known[0] <= low && high <= known[1] && known[1] - known[0] <= WIDEST * (high - low)) return known;
    const more = MARGIN * (high - low);
    return (this.ranges[role] = [low - more, high + more]);
  }

  /** @param {any} pane @param {string} role @returns {Slot} */
  of(pane, role) {
    const name = `${pane.axis} ${role}`;
    let slot = this.all.get(name);
    if (!slot) this.all.set(name, (slot = { slice: null, shown: 0, flying: 0, target: "", asked: "", level: 0, epoch: this.epoch, near: "" }));
    return slot;
  }

  /** What a pane should show of a map, in bits. @param {any} pane @param {string} role @param {number} bits @param {number} level @param {{index?: number, layer?: number}} [by] further on */
  wanted(pane, role, bits, level, by = {}) {
    const { view } = this;
    const meta = view.metas[role];
    const n = meta.levels[level][AXES.indexOf(pane.axis)];
    const ratio = meta.levels[0][AXES.indexOf(pane.axis)] / pane.size(pane.axis);
    const coarse = meta.levels[0][AXES.indexOf(pane.axis)] > 1 ? 2 ** level : 1;
    const index = Math.floor(((pane.index + 0.5) * ratio) / coarse) + (by.index ?? 0);
    const layer = view.layerOf(meta) + (by.layer ?? 0);
    if (index < 0 || index >= n || layer < 0 || layer >= (meta.layers?.values.length ?? 1)) return "";
    return window.imageParts.data.address(meta, { source: view.source[role], level, axis: pane.axis, index, layer, bits, window: this.range(role) });
  }

  /** Ask for what a pane should show, and take at once what is here. @param {any} pane @param {string} role */
  load(pane, role) {
    const { view, slices } = this;
    const { bits } = window.imageParts.data;
    const meta = view.metas[role];
    const slot = this.of(pane, role);
    const sharp = pane.level(meta.levels);
    // A layer is unpacked for one slice of it: while layers are scrubbed, a coarser level must do.
    const quick = Math.min(meta.levels.length - 1, sharp + (view.scrubbing === "layer" && !meta.labels ? 1 : 0));
    const best = this.wanted(pane, role, bits(meta, false), sharp);
    const soon = this.wanted(pane, role, bits(meta, true), quick);
    const have = slices.get(best) ?? (view.scrubbing ? slices.get(soon) : undefined);
    if (have && have !== slot.slice) [slot.slice, slot.shown] = [have, ++this.count];
    slot.target = view.scrubbing ? (have ? "" : soon) : have ? "" : best;
    slot.level = view.scrubbing ? quick : sharp;
    this.send(slot);
    if (view.scrubbing || !slot.target) this.ahead(pane, role, quick);
  }

  /** @param {Slot} slot */
  async send(slot) {
    const at = slot.target;
    if (!at || slot.flying >= AT_ONCE || slot.asked === at) return;
    slot.asked = at;
    slot.flying++;
    const number = ++this.count;
    try {
      const slice = await this.slices.load(at, slot.level);
      if (slot.epoch === this.epoch && number > slot.shown) {
        [slot.slice, slot.shown] = [slice, number];
        this.view.later();
      }
    } catch (err) {
      if (slot.epoch === this.epoch) this.view.fail(err instanceof TypeError ? "The server did not answer. Is it still running?" : String(/** @type {any} */ (err).message ?? err));
    } finally {
      slot.flying--;
      if (slot.asked === at) slot.asked = "";
      if (slot.target === at) slot.target = "";
      this.send(slot);
    }
  }

  /** Slices that may be wanted next. @param {any} pane @param {string} role @param {number} level */
  ahead(pane, role, level) {
    const { view } = this;
    const { bits } = window.imageParts.data;
    const meta = view.metas[role];
    const slot = this.of(pane, role);
    const near = `${pane.index} ${view.layerOf(meta)} ${level} ${view.scrubbing}`;
    if (slot.near === near) return;
    slot.near = near;
    const ways = view.scrubbing === "layer" ? AHEAD.map((i) => ({ layer: i * view.direction })) : view.scrubbing && view.moved !== pane.axis ? [] : AHEAD.map((i) => ({ index: i * view.direction }));
    const list = ways.map((by) => this.wanted(pane, role, bits(meta, true), level, by)).filter(Boolean);
    this.slices.ahead(slot, list.map((at) => [at, level]));
  }

  /** Texels of a map's slice for each column and row of the pane. @param {any} pane @param {string} role @param {Slice} slice @returns {[number, number]} */
  per(pane, role, slice) {
    const meta = this.view.metas[role];
    const one = (/** @type {string} */ axis) => {
      const n = meta.levels[0][AXES.indexOf(axis)];
      return n / pane.size(axis) / (n > 1 ? 2 ** slice.level : 1);
    };
    return [one(pane.colAxis), one(pane.rowAxis)];
  }

  /** What the painter needs of the maps of a pane; null for what is not there yet. @param {any} pane */
  maps(pane) {
    const { metas, looks } = this.view;
    const { LABEL_ROW, NAMES } = window.imageParts.colours;
    const one = (/** @type {string} */ role) => {
      const slice = metas[role] ? this.of(pane, role).slice : null;
      if (!slice) return null;
      const labels = metas[role].labels;
      const { low, high, colours } = labels ? { low: 0, high: 255, colours: "" } : looks[role];
      return { slice, per: this.per(pane, role, slice), low, high, labels, colours: labels ? LABEL_ROW : Math.max(0, NAMES.indexOf(colours)) };
    };
    return { base: one("base"), overlay: one("overlay"), mask: one("mask") };
  }

  /** The value that is shown at a place of a pane, NaN where there is none. @param {any} pane @param {string} role @param {[number, number]} at column, row in voxels */
  value(pane, role, at) {
    const { slice } = this.of(pane, role);
    if (!slice) return NaN;
    const [c, r] = this.per(pane, role, slice);
    return window.imageParts.data.valueAt(slice, Math.floor(at[1] * r), Math.floor(at[0] * c));
  }

  dispose() {
    this.epoch++;
    for (const slot of this.all.values()) this.slices.forget(slot);
  }
}

window.imageParts = Object.assign(window.imageParts ?? {}, { slots: { Slots } });
