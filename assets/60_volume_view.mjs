// @ts-check
// 3D views of particles (see components/volume_view.py, which documents the contract with Dash).
// Contract: show(source, order, id) mounts the view of that id and draws;
//           follow(seen) turns what an image view shows into an order: same range and colours, cut at its crosshair.
// The parts are 61_volume_scene … 63_volume_picture; vtk.js is loaded when the first view asks for it. For tests and measurements
// each drawing sends "volume-drawn" on the view's element.

/** @typedef {import("./62_volume_model.mjs").VolumeView} VolumeView */
/** @typedef {import("./62_volume_model.mjs").Shown} Shown */

const FIND_MS = 2000; // Dash calls before the browser has laid the page out

/** @type {Map<string, VolumeView>} */
const views = new Map();

/** @param {string} id */
async function mounted(id) {
  for (const [name, view] of views) if (!view.root.isConnected) views.delete(name), view.dispose();
  const end = performance.now() + FIND_MS;
  for (;;) {
    const root = /** @type {HTMLElement | undefined} */ ([...document.querySelectorAll(".volume-view")].find((e) => /** @type {HTMLElement} */ (e).dataset.view === id));
    if (root && views.get(id)?.root !== root) views.set(id, new window.imageParts.model3d.VolumeView(root, id));
    if (root || performance.now() > end) return root ? views.get(id) : undefined;
    await new Promise((next) => requestAnimationFrame(next));
  }
}

/** @param {Shown | null} source @param {Record<string, any> | null} order @param {{view: string}} id */
export async function show(source, order, id) {
  const asked = window.dash_clientside.callback_context.triggered.map((/** @type {any} */ t) => t.prop_id);
  const view = source && (await mounted(id.view));
  if (!view || !source) return window.dash_clientside.no_update;
  const first = !view.source;
  await view.show(source);
  if (order && (first || asked.some((/** @type {string} */ p) => p.includes("volume-order")))) view.obey(order);
  return window.dash_clientside.no_update;
}

/** @param {any} seen */
export function follow(seen) {
  if (!seen) return window.dash_clientside.no_update;
  const { low, high, colours } = seen.overlay ?? seen.base;
  return { low, high, colours, cut: { axis: "z", index: seen.index.z } };
}

window.volumeViews = views;
window.dash_clientside = Object.assign({}, window.dash_clientside, { volume: { show, follow } });
