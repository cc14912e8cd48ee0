// @ts-check
// The clock of browser_slices.py inside the page. Times are from the change to the frame after the drawing that shows it.

window["slices"] = (() => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const LIMIT_MS = 30000;
  const view = (/** @type {string} */ id) => window["imageViews"]?.get(id);
  const parts = () => window["imageParts"];

  /** @param {() => any} holds */
  async function until(holds) {
    const end = performance.now() + LIMIT_MS;
    for (;;) {
      const found = holds();
      if (found) return found;
      if (performance.now() > end) throw new Error(`waited in vain: ${holds}`);
      await frame();
    }
  }

  const slot = (/** @type {any} */ v) => v.slots.of(v.panes[0], "base");
  const exact = (/** @type {any} */ v) => v.slots.wanted(v.panes[0], "base", parts().data.bits(v.meta, false), v.panes[0].level(v.meta.levels));
  const settled = (/** @type {any} */ v) => !v.scrubbing && slot(v).slice?.address === exact(v) && !v.frame;

  /** Once the drawing that shows it is on the screen. @param {any} v @param {(address: string) => boolean} shows */
  async function seen(v, shows) {
    await until(() => slot(v).slice && shows(slot(v).slice.address) && !v.frame);
    v.painter.gl.finish();
    await frame();
    return performance.now();
  }

  const ready = async (/** @type {string} */ id) => {
    await until(() => view(id)?.meta && view(id).state.zoom > 0 && settled(view(id)));
  };

  /** One voxel a pixel. @param {string} id @param {number} side */
  async function fill(id, side) {
    const v = view(id);
    v.change({ zoom: 1 / v.meta.voxel_um[2], fitted: false });
    await ready(id);
    if (v.panes[0].level(v.meta.levels) !== 0 || v.panes[0].element.clientWidth < Math.min(side, 900)) throw new Error("the pane does not show full resolution");
  }

  const at = (/** @type {number} */ index) => (/** @type {string} */ address) => address.includes(`/z/${index}?`);

  /** What was transferred meanwhile. @param {any} v @param {number} bits */
  function transferred(v, bits) {
    const entries = performance.getEntriesByType("resource").filter((e) => e.name.includes("/slice/") && e.name.includes(`bits=${bits}`));
    performance.clearResourceTimings();
    const [, rows, cols] = v.meta.levels[0];
    const sized = entries.map((/** @type {any} */ e) => [e.encodedBodySize, e.name]).filter(([n]) => n > 0);
    const level = (/** @type {string} */ name) => Number(name.split("?")[0].split("/").at(-3));
    return {
      bytes: sized.reduce((n, [b]) => n + b, 0),
      pixels: sized.reduce((n, [, name]) => n + Math.ceil(rows / 2 ** level(name)) * Math.ceil(cols / 2 ** level(name)), 0),
    };
  }

  /** @param {string} id @param {number} steps @param {number} pace */
  async function scrub(id, steps, pace) {
    const v = view(id);
    const most = v.meta.levels[0][0];
    performance.setResourceTimingBufferSize(5000);
    performance.clearResourceTimings();
    const ms = [];
    for (let i = 0; i < steps; i++) {
      const index = 8 + (i % (most - 8));
      const started = performance.now();
      v.change({ index: { z: index } });
      ms.push((await seen(v, at(index))) - started);
      await pause(Math.max(0, pace - (performance.now() - started)));
    }
    const found = { ms, ...transferred(v, 8) };
    await ready(id);
    return found;
  }

  /** @param {string} id @param {number} steps */
  async function jump(id, steps) {
    const v = view(id);
    const most = v.meta.levels[0][0];
    const { low, high } = v.looks.base;
    v.look("base", { low: low - (high - low), high: high + (high - low) }); // other addresses: none of them is in the browser's cache
    const ms = [];
    await ready(id);
    performance.clearResourceTimings();
    for (let i = 0; i < steps; i++) {
      const index = (37 + i * 61) % most;
      v.slots.slices.kept.clear();
      v.slots.slices.bytes = 0;
      v.slots.slices.next.clear();
      const started = performance.now();
      v.change({ index: { z: index } });
      ms.push((await seen(v, at(index))) - started);
      await pause(60);
    }
    const found = { ms, ...transferred(v, 8) };
    await ready(id);
    return found;
  }

  /** @param {string} id @param {number} steps */
  async function rest(id, steps) {
    const v = view(id);
    const most = v.meta.levels[0][0];
    const ms = [];
    performance.clearResourceTimings();
    for (let i = 0; i < steps; i++) {
      const index = (11 + i * 7) % most;
      for (const address of [...v.slots.slices.kept.keys()]) if (address.includes("bits=16")) v.slots.slices.kept.delete(address);
      v.change({ index: { z: index } });
      await until(() => !v.scrubbing);
      const started = performance.now();
      ms.push((await seen(v, (address) => address === exact(v))) - started);
    }
    return { ms, ...transferred(v, 16) };
  }

  /** @param {string} id @param {number} steps @param {number} pace */
  async function layers(id, steps, pace) {
    const v = view(id);
    const n = v.meta.layers.values.length;
    performance.clearResourceTimings();
    const ms = [];
    for (let i = 0; i < steps; i++) {
      const layer = (i + 1) % n;
      const started = performance.now();
      v.change({ energy: layer });
      ms.push((await seen(v, (address) => address.includes(`energy=${layer}&`))) - started);
      await pause(Math.max(0, pace - (performance.now() - started)));
    }
    return { ms, ...transferred(v, 8) };
  }

  return { ready, fill, scrub, jump, rest, layers };
})();
