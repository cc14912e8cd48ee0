// @ts-check
// The clock of browser_masks.py inside the page.

window["masks"] = (() => {
  const PANES = 3;
  const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const parts = () => window["crackParts"];

  /** Until masks lie over all slices. @param {number} limit */
  async function ready(limit) {
    const end = performance.now() + limit;
    while (document.querySelectorAll(".crack-mask").length < PANES || !document.getElementById("crack-said")?.textContent?.startsWith("Preview")) {
      if (performance.now() > end) throw new Error(`no masks: ${document.getElementById("crack-said")?.textContent}`);
      await pause(100);
    }
    await pause(2000);
  }

  /** Milliseconds to the first and to the last mask of each change. @param {string} name @param {string[]} values @param {number} times */
  async function change(name, values, times) {
    const found = [];
    for (let i = 0; i < times; i++) {
      /** @type {number[]} */
      const drawn = [];
      const all = new Promise((done) => {
        const hear = (/** @type {Event} */ event) => {
          const { epoch, ms } = /** @type {CustomEvent} */ (event).detail;
          if (epoch === parts().state.epoch) drawn.push(ms);
          if (drawn.length < PANES) return;
          document.removeEventListener("crack-drawn", hear, true);
          done(0);
        };
        document.addEventListener("crack-drawn", hear, true);
      });
      parts().live(name, values[i % values.length]);
      await all;
      found.push([drawn[0], drawn[PANES - 1]]);
      await pause(200);
    }
    return found;
  }

  return { ready, change };
})();
