// @ts-check
// The cycling page's clicks (see components/cycling_page.py).
// Contract: chips(clicks, ids, off) -> cells switched off, and each chip's pressed state
//           pick(clickData, cycles) -> the list of cycles with the clicked one added, or taken out again
//           zoom(relayoutData)      -> start and end of the stretch in h, "" for everything
//           excluded(checked)       -> "shown" or ""

const none = () => window.dash_clientside.no_update;

/** @param {number[]} _clicks @param {{cell: string}[]} ids @param {string} off */
export function chips(_clicks, ids, off) {
  const id = window.dash_clientside.callback_context.triggered_id;
  if (!id) return [none(), ids.map(none)];
  const gone = new Set((off || "").split(",").filter(Boolean));
  if (!gone.delete(id.cell)) gone.add(id.cell);
  return [[...gone].join(","), ids.map((i) => (gone.has(i.cell) ? "false" : "true"))];
}

/** @param {{points: {customdata?: [string, number]}[]} | null} click @param {string} cycles */
export function pick(click, cycles) {
  const cycle = click?.points?.[0]?.customdata?.[1];
  if (cycle === undefined) return none();
  const chosen = new Set((cycles || "").split(",").map(Number).filter(Number.isFinite));
  if (!chosen.delete(cycle)) chosen.add(cycle);
  return [...chosen].sort((a, b) => a - b).join(",");
}

/** A zoom in time asks for that stretch with all its detail; a double click for everything. @param {Record<string, any> | null} event */
export function zoom(event) {
  const axis = ["xaxis", "xaxis2"].find((a) => event && `${a}.range[0]` in event);
  if (axis && event) return [0, 1].map((i) => Number(event[`${axis}.range[${i}]`]).toFixed(5));
  if (event && Object.keys(event).some((k) => /^xaxis2?\.autorange$/.test(k))) return ["", ""];
  return [none(), none()];
}

/** @param {boolean} checked */
export const excluded = (checked) => (checked ? "shown" : "");

window.dash_clientside = Object.assign({}, window.dash_clientside, { cycling: { chips, pick, zoom, excluded } });
