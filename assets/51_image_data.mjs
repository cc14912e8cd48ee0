// @ts-check
// Slices and their descriptions from the server (see components/image_routes.py), kept while there is room.
// What is looked at goes first; slices that may be looked at next are asked for when nothing else is on its way.

const ROOM = 192 * 2 ** 20; // bytes
const AHEAD_AT_ONCE = 2;
const FULL = 65535; // the last 16-bit code
const COARSE = 256; // windows of 8-bit slices change in steps, so that a small change of the window needs no new slice

/** @typedef {{key: string, variable: string}} Source */
/** @typedef {"z" | "y" | "x"} Axis */
/** @typedef {{
 *   key: string, variable: string, title: string, units: string, definition: string, labels: boolean, names: Record<string, string>,
 *   scale: number, offset: number, low: number | null, high: number | null, cut: boolean, flat: boolean, levels: [number, number, number][], has_voxel_size: boolean,
 *   layers: {name: string, units: string, values: number[], names: string[]} | null, voxel_um: [number, number, number],
 *   percents: number[], percentiles: (number | null)[], layer_percentiles: (number | null)[][],
 * }} Meta */
/** @typedef {{data: Uint8Array | Uint16Array, rows: number, cols: number, scale: number, offset: number, level: number, address: string, bits: number}} Slice */
/** @typedef {{source: Source, level: number, axis: Axis, index: number, layer: number, bits: number, window: [number, number]}} Wanted */

/** @type {Map<string, Promise<Meta>>} */
const described = new Map();

/** @param {Source} source */
const folder = (source) => `/slice/${source.key}/${encodeURIComponent(source.variable)}`;

/** @param {Source} source @returns {Promise<Meta>} */
export function describe(source) {
  const at = `${folder(source)}/meta`;
  let known = described.get(at);
  if (!known) {
    known = fetch(at).then(async (answer) => {
      if (!answer.ok) throw new Error(await answer.text());
      return answer.json();
    });
    known.catch(() => described.delete(at));
    described.set(at, known);
  }
  return known;
}

/** Stored codes between which 8-bit slices are spread for a window in values. @param {Meta} meta @param {[number, number]} window */
export function codes(meta, window) {
  if (meta.labels) return [1, 255];
  const [low, high] = window.map((v) => (v - meta.offset) / meta.scale / COARSE);
  const first = Math.min(FULL - COARSE, Math.max(1, Math.floor(low) * COARSE));
  return [first, Math.min(FULL, Math.max(first + COARSE - 1, Math.ceil(high) * COARSE))];
}

/** Bits of slices at rest and while scrubbing: labels must not be mixed, so 8 bits serve them always or never. @param {Meta} meta @param {boolean} scrubbing */
export function bits(meta, scrubbing) {
  if (meta.labels) return (meta.high ?? 0) - (meta.low ?? 0) < 254 ? 8 : 16;
  return scrubbing ? 8 : 16;
}

/** @param {Meta} meta @param {Wanted} w */
export function address(meta, w) {
  const [low, high] = codes(meta, w.window);
  const detail = w.bits === 8 ? `&low=${low}&high=${high}` : "";
  return `${folder(w.source)}/${w.level}/${w.axis}/${w.index}?energy=${w.layer}&bits=${w.bits}${detail}`;
}

/** @param {string} at @param {number} level @param {RequestPriority} priority @returns {Promise<Slice>} */
async function fetched(at, level, priority) {
  const answer = await fetch(at, { priority });
  if (!answer.ok) throw new Error(await answer.text());
  const bits = at.includes("bits=8") ? 8 : 16;
  const content = await answer.arrayBuffer();
  const [rows, cols] = (answer.headers.get("X-Slice-Shape") ?? "").split(",").map(Number);
  const [scale, offset] = ["X-Slice-Scale", "X-Slice-Offset"].map((h) => Number(answer.headers.get(h)));
  return { data: bits === 8 ? new Uint8Array(content) : new Uint16Array(content), rows, cols, scale, offset, level, address: at, bits };
}

export class Slices {
  constructor() {
    /** @type {Map<string, Slice>} */
    this.kept = new Map();
    this.bytes = 0;
    /** @type {Map<string, Promise<Slice>>} */
    this.coming = new Map();
    this.urgent = 0;
    this.early = 0;
    /** @type {Map<object, [string, number][]>} */
    this.next = new Map();
  }

  /** @param {string} at */
  get(at) {
    const found = this.kept.get(at);
    if (found) {
      this.kept.delete(at);
      this.kept.set(at, found);
    }
    return found;
  }

  /** @param {string} at @param {number} level */
  async load(at, level) {
    const known = this.get(at);
    if (known) return known;
    this.urgent++;
    try {
      return await this.ask(at, level, "high");
    } finally {
      this.urgent--;
      this.pump();
    }
  }

  /** What one pane may want next, the likeliest first; replaces what it said before. @param {object} who @param {[string, number][]} list */
  ahead(who, list) {
    this.next.set(who, list);
    this.pump();
  }

  /** @param {object} who */
  forget(who) {
    this.next.delete(who);
  }

  pump() {
    while (!this.urgent && this.early < AHEAD_AT_ONCE) {
      const queue = [...this.next.values()].find((list) => list.length);
      const found = queue?.shift();
      if (!found) return;
      if (this.kept.has(found[0]) || this.coming.has(found[0])) continue;
      this.early++;
      this.ask(found[0], found[1], "low")
        .catch(() => undefined)
        .finally(() => {
          this.early--;
          this.pump();
        });
    }
  }

  /** @param {string} at @param {number} level @param {RequestPriority} priority */
  ask(at, level, priority) {
    let coming = this.coming.get(at);
    if (!coming) {
      coming = fetched(at, level, priority).then((slice) => this.keep(slice));
      coming.catch(() => undefined).finally(() => this.coming.delete(at));
      this.coming.set(at, coming);
    }
    return coming;
  }

  /** @param {Slice} slice */
  keep(slice) {
    this.kept.set(slice.address, slice);
    this.bytes += slice.data.byteLength;
    for (const [at, old] of this.kept) {
      if (this.bytes <= ROOM || old === slice) break;
      this.kept.delete(at);
      this.bytes -= old.data.byteLength;
    }
    return slice;
  }
}

/** The value of a voxel, NaN where it has none. @param {Slice | null | undefined} slice @param {number} row @param {number} col of the slice's own level */
export function valueAt(slice, row, col) {
  const code = slice && row >= 0 && col >= 0 && row < slice.rows && col < slice.cols ? slice.data[row * slice.cols + col] : 0;
  return slice && code ? slice.offset + slice.scale * code : NaN;
}

/** A value at a percentile that the description lists. @param {Meta} meta @param {number} percent @param {number} [layer] */
export function percentile(meta, percent, layer) {
  const list = layer === undefined ? meta.percentiles : (meta.layer_percentiles[layer] ?? meta.percentiles);
  return list[meta.percents.indexOf(percent)] ?? null;
}

/** The range between two percentiles, never of no width. @param {Meta} meta @param {number[]} percents */
export function ranged(meta, percents) {
  const [low, high] = percents.map((p) => percentile(meta, p) ?? 0);
  return { low, high: high > low ? high : low + (Math.abs(low) * 1e-6 || 1), percents };
}

window.imageParts = Object.assign(window.imageParts ?? {}, { data: { describe, codes, bits, address, Slices, valueAt, percentile, ranged } });
