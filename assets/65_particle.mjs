// @ts-check
// The particle page in the browser (see components/particle_page.py).
// Contract: brush(selected, map, brush) -> range of values "low,high" of what was dragged over in the histogram, "" for none
//           seen(seen, id)               -> place, layer and range of the first picture go into the address, quietly; the range of
//                                           colours and the layer go on to the picture beside it, the cut to the 3D view

const SLICES = ["particle-a", "particle-b"], SOLIDS = ["solid-a", "solid-b"];
const DIGITS = 7;

const none = () => window.dash_clientside.no_update;

/** @param {any} selected @param {string} _map @param {string} brush */
export function brush(selected, _map, brush) {
  const causes = (window.dash_clientside.callback_context.triggered || []).map((/** @type {any} */ t) => t.prop_id);
  if (!causes.some((/** @type {string} */ c) => c.endsWith("selectedData"))) return brush ? "" : none(); // another map: the range means nothing
  const labels = (selected?.points ?? []).map((/** @type {any} */ p) => p.customdata).filter((/** @type {any} */ v) => typeof v === "number");
  if (selected && !labels.length && !selected.range) return none(); // a figure that is drawn anew says so without a range
  const ends = labels.length ? [Math.min(...labels) - 0.5, Math.max(...labels) + 0.5] : selected?.range?.x;
  if (!ends) return brush ? "" : none();
  const [low, high] = [...ends].sort((a, b) => a - b).map((v) => Number(Number(v).toPrecision(DIGITS)));
  return high > low ? `${low},${high}` : "";
}

/** Replaces parts of the address that are the view's own; "" takes one out. @param {Record<string, string>} parts */
function quietly(parts) {
  const query = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(parts)) value ? query.set(name, value) : query.delete(name);
  const after = query.toString();
  if (after !== new URLSearchParams(window.location.search).toString()) window.history.replaceState(window.history.state, "", window.location.pathname + (after ? `?${after}` : ""));
}

/** @param {any} look */
function rangeOf(look) {
  const short = (/** @type {number} */ v) => String(Number(v.toPrecision(DIGITS)));
  if (!look.percents) return `${short(look.low)}_${short(look.high)}`;
  const [low, high] = look.percents;
  return low === 1 && high === 99 ? "" : `${low}_${high}%`;
}

/** @param {string} part @param {string} view @param {any} order */
const send = (part, view, order) => window.dash_clientside.set_props({ part, view }, { data: order });

/** @param {any} seen @param {{view: string}} id */
export function seen(seen, id) {
  if (!seen) return none();
  const role = seen.overlay ? "overlay" : "base";
  const look = seen[role];
  const views = window.imageViews;
  if (id.view === SLICES[0]) {
    const { z, y, x } = seen.index;
    const layered = views.get(id.view)?.layered;
    quietly({ at: `${z}.${y}.${x}`, layer: layered && (seen.energy || seen.overlay) ? String(seen.energy) : "", range: look.percents === undefined ? "" : rangeOf(look) });
    follow(seen);
  }
  const other = SLICES.find((v) => v !== id.view) ?? "";
  const partner = views.get(other);
  const theirs = partner?.looks[role];
  const key = `${id.view} ${views.get(id.view)?.metas[role]?.key}`;
  const first = !met.has(key);
  met.add(key);
  if (first && look.percents) return none(); // its own range, before the common one has come
  if (partner?.root.isConnected && theirs && alike(views.get(id.view)?.metas[role], partner.metas[role]) && (theirs.low !== look.low || theirs.high !== look.high || theirs.colours !== look.colours))
    send("image-order", other, { [role]: { low: look.low, high: look.high, colours: look.colours }, energy: seen.energy });
  return none();
}

/** Views with the maps that they were seen with. @type {Set<string>} */
const met = new Set();

/** The 3D view takes range and colours of the slices beside it, and where it is cut the place of the crosshair. @param {any} seen */
function follow(seen) {
  const solid = window.volumeViews?.get(SOLIDS[0]);
  if (!solid?.root.isConnected) return;
  const { cut: _, ...look } = window.dash_clientside.volume.follow(seen);
  const cut = solid.cut ? { cut: { axis: solid.cut.axis, index: seen.index[solid.cut.axis] } } : {};
  send("volume-order", SOLIDS[0], { ...look, ...cut });
}

/** Maps that may share a scale: one quantity by one definition. @param {any} a @param {any} b */
const alike = (a, b) => a && b && a.variable === b.variable && a.definition === b.definition && a.units === b.units;

/** What was chosen in the menu of a picture (16_menu.mjs). @param {Event} event */
function act(event) {
  const { menu, action, of } = /** @type {CustomEvent} */ (event).detail;
  if (menu !== "stage") return;
  if (action === "png") SLICES.includes(of) ? window.imageParts.picture.save(window.imageViews.get(of)) : window.volumeViews.get(of)?.save();
  else if (action === "csv") window.location.assign(`/particle/${of}/slices.csv${window.location.search}`);
  else if (action === "command") window.dash_clientside.menus.copied(`/particle/${of}/command.txt${window.location.search}`);
  else if (action === "how") window.dash_clientside.menus.how({ menu, of });
  else if (action === "pin") window.dispatchEvent(new CustomEvent("interplay-pin", { detail: { view: "particle.slices", plot: document.querySelector(`[data-view="${of}"]`) } }));
}

window.addEventListener("interplay-chosen", act);

window.dash_clientside = Object.assign({}, window.dash_clientside, { particle: { brush, seen } });
