// @ts-check
// The clock of browser_volume.py inside the page.

window["solid"] = (() => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const LIMIT_MS = 60000;

  /** @param {() => any} holds */
  async function until(holds) {
    const end = performance.now() + LIMIT_MS;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`waited in vain: ${holds}`);
      await frame();
    }
  }

  /** Milliseconds from the start of the navigation to the first picture. @param {string} id */
  async function first(id) {
    await until(() => window["volumeViews"]?.get(id)?.meta && !window["volumeViews"].get(id).frame);
    window["volumeViews"].get(id).scene.gl.getContext().finish();
    await frame();
    return performance.now();
  }

  /** Milliseconds of each frame while it turns as a hand turns it, and of frames in full resolution. @param {string} id @param {number} turns */
  async function turn(id, turns) {
    const v = window["volumeViews"].get(id);
    const gl = v.scene.gl.getContext();
    const finished = () => gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    const hand = [];
    for (let i = 0; i < turns; i++) {
      const started = performance.now();
      const drawn = new Promise((done) => v.root.addEventListener("volume-drawn", done, { once: true }));
      v.scene.camera.azimuth(4);
      await drawn;
      finished();
      hand.push(performance.now() - started);
    }
    v.sharpen(false);
    await frame();
    await frame();
    const full = [];
    for (let i = 0; i < turns / 4; i++) {
      full.push(v.scene.speed());
      await frame();
    }
    return { hand, full };
  }

  return { first, turn };
})();
