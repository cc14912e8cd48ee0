// @ts-check
// The cycling page's clicks (see components/cycling_page.py).
// Contract: pick(clickData, cycles) -> the list of cycles with the clicked one added, or taken out again
//           zoom(relayoutData)      -> start and end of the stretch in h, "" for everything

const none = () => window.dash_clientside.no_update;

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

window.dash_clientside = Object.assign({}, window.dash_clientside, { cycling: { pick, zoom } });
