// @ts-check
// The clock inside the page (see in_browser.py). Every function answers in milliseconds of performance.now(), which counts from
// the start of the navigation; what is waited for is looked at once a frame, so an answer is late by one frame at most.
// A graph's state is the number of its traces, of those shown, and of all their points; nothing counts before Plotly drew it.

window["bench"] = (() => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const plots = () => [...document.querySelectorAll(".graph")].map((g) => [JSON.parse(g.id).figure, /** @type {any} */ (g.querySelector(".js-plotly-plot"))]);
  const plot = (/** @type {string} */ figure) => plots().find(([name]) => name === figure)?.[1];
  const size = (/** @type {any} */ t) => (t.x?.length ?? t.y?.length ?? 0);
  const drawn = (/** @type {any} */ gd) => gd?._fullLayout && gd.calcdata && gd._fullData?.length >= gd.data?.length && gd.querySelector(".main-svg");

  // A trace that is switched off leaves the screen first; Plotly's own record of it follows when the browser is idle.
  const onScreen = (/** @type {any} */ gd, /** @type {number} */ i) => gd.querySelector(`.trace${gd._fullData[i]?.uid}`)?.style.display !== "none";

  const state = () =>
    Object.fromEntries(
      plots().map(([figure, gd]) => [
        figure,
        drawn(gd)
          ? {
              traces: gd.data.length,
              shown: gd.data.filter((/** @type {any} */ t, /** @type {number} */ i) => t.visible !== false && onScreen(gd, i)).length,
              points: gd._fullData.reduce((/** @type {number} */ n, /** @type {any} */ t) => n + size(t), 0),
            }
          : { traces: 0, shown: 0, points: 0 },
      ]),
    );

  /** Wait for a condition, one look a frame; the time of the frame after the one that fulfils it, when it is on the screen. @param {() => boolean} holds @param {object} [wanted] */
  async function until(holds, wanted) {
    const end = performance.now() + 30000;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`waited in vain for ${JSON.stringify(wanted)}: ${JSON.stringify(state())}`);
      await frame();
    }
    await frame();
    return performance.now();
  }

  /** What the page waited for between two moments: in all, and how long of it a request to the server was open. @param {number} from @param {number} to */
  function waited(from, to) {
    const asked = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType("resource")).filter((e) => e.startTime < to && e.responseEnd > from);
    let [open, reached] = [0, from];
    for (const e of asked.sort((a, b) => a.startTime - b.startTime)) {
      const [start, end] = [Math.max(e.startTime, reached), Math.min(e.responseEnd, to)];
      if (end > start) [open, reached] = [open + end - start, end];
    }
    return { ms: to - from, server: open };
  }

  const text = (/** @type {object} */ s) => JSON.stringify(Object.entries(s).sort());
  const rows = () => document.querySelectorAll(".scorecard tbody tr:not(.row-empty)").length;

  /** Graphs as expected; with ``graphs`` and ``rows``, also a scorecard, or none. @param {any} expected */
  const holding = (expected) =>
    until(() => text(state()) === text(expected.graphs ?? expected) && (expected.rows === undefined || rows() > 0 === expected.rows), expected);
  const opened = async (/** @type {object} */ expected) => waited(0, await holding(expected));

  /** The state once every graph is drawn and stays the same for some time. @param {number} ms */
  async function settled(ms) {
    let last = "";
    let since = performance.now();
    await until(() => {
      const now = text(state());
      const graphs = Object.values(state());
      if (now !== last || !graphs.length || graphs.some((g) => !g.traces)) since = performance.now();
      last = now;
      return performance.now() - since > ms;
    });
    return state();
  }

  /** The state after the given one, once it stays. @param {object} before @param {number} ms */
  async function changed(before, ms) {
    await until(() => text(state()) !== text(before));
    return settled(ms);
  }

  /** Click, and wait. @param {string} selector @param {() => Promise<number>} wait */
  async function after(selector, wait) {
    const started = performance.now();
    /** @type {HTMLElement} */ (document.querySelector(selector)).click();
    return waited(started, await wait());
  }

  const chip = (/** @type {string} */ cell) => /** @type {HTMLElement} */ ([...document.querySelectorAll(".chip")].find((c) => JSON.parse(c.id).cell === cell));
  const chips = () => [...document.querySelectorAll(".chip")].map((c) => JSON.parse(c.id).cell);
  const id = (/** @type {any} */ t) => (t.meta?.id === undefined ? undefined : String(t.meta.id));
  const cells = (/** @type {string} */ figure) => [...new Set(plot(figure).data.map(id).filter((/** @type {any} */ c) => c !== undefined))];
  /** Whether each trace of a cell can be seen. @param {string} cell */
  const seen = (cell) => plots().flatMap(([, gd]) => gd.data.flatMap((/** @type {any} */ t, /** @type {number} */ i) => (id(t) === cell ? [t.visible !== false && onScreen(gd, i)] : [])));
  const means = () => JSON.stringify(plot("cycling.retention").data.filter((/** @type {any} */ t) => id(t) === undefined).map((/** @type {any} */ t) => (t.y?.bdata ?? [...(t.y ?? [])])));

  /** Switch a cell: its traces follow in every graph, and the means of the groups become others. @param {string} cell */
  async function toggled(cell) {
    const before = means();
    const shown = chip(cell).getAttribute("aria-pressed") !== "true";
    const started = performance.now();
    chip(cell).click();
    const ended = await until(() => seen(cell).every((/** @type {boolean} */ v) => v === shown) && drawn(plot("cycling.retention")) && means() !== before);
    return waited(started, ended);
  }

  /** Choose from the list that is open; without an expected state, only choose. @param {string} option @param {object | null} expected */
  async function chosen(option, expected) {
    const found = /** @type {HTMLElement} */ ([...document.querySelectorAll('[role="option"]')].find((o) => o.checkVisibility() && o.textContent?.trim() === option));
    const started = performance.now();
    found.click();
    return expected === null ? null : waited(started, await holding(expected));
  }

  performance.setResourceTimingBufferSize(5000);
  return { state, rows, settled, changed, opened, holding, after, chips, cells, toggled, chosen };
})();
