// @ts-check
// Image views: slices through volumes and pictures (see components/image_view.py, which documents the contract with Dash).
// Contract: show(source, order, id) mounts the view of that id and draws; it writes to the stores
//             {part: "image-event", view}  one voxel, lasso or profile line, when a hand made it
//             {part: "image-seen", view}   index, layer and ranges, a moment after they changed
// The parts are 51_image_data … 58_image_scene. They find one another in window.imageParts, not by import: the browser keeps
// files for good under the address that Dash gives them, which an import does not know.
// For tests and measurements each drawing sends "image-drawn" on the view's element, with what each pane shows.

/** @typedef {import("./58_image_scene.mjs").ImageView} ImageView */
/** @typedef {import("./58_image_scene.mjs").Shown} Shown */

const FIND_MS = 2000; // Dash calls before the browser has laid the page out

/** @type {Map<string, ImageView>} */
const views = new Map();

/** @param {string} id */
async function mounted(id) {
  for (const [name, view] of views) if (!view.root.isConnected) views.delete(name), view.dispose();
  const end = performance.now() + FIND_MS;
  for (;;) {
    const root = [...document.querySelectorAll(".image-view")].find((e) => /** @type {HTMLElement} */ (e).dataset.view === id);
    if (root && views.get(id)?.root !== root) views.set(id, new window.imageParts.scene.ImageView(root, id));
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
  if (order && (first || asked.some((/** @type {string} */ p) => p.includes("image-order")))) view.obey(order);
  return window.dash_clientside.no_update;
}

window.imageViews = views;
window.dash_clientside = Object.assign({}, window.dash_clientside, { image: { show } });
