// @ts-check
// What the controls of several pages do (see components/controls.py).
// Contract: chips(clicks, ids, off) -> cells switched off, and each chip's pressed state
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

/** @param {boolean} checked */
export const excluded = (checked) => (checked ? "shown" : "");

window.dash_clientside = Object.assign({}, window.dash_clientside, { controls: { chips, excluded } });
