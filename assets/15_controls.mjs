// @ts-check
// What the controls of several pages do (see components/controls.py).
// Contract: chips(clicks, ids, off) -> cells switched off, and each chip's pressed state
//           excluded(checked)       -> "shown" or ""
// A press of a button that says data-press="NAME" is noted in the store NAME-pressed: its id, and when.

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

/** Notes which button was pressed (see components/pressed.py). @param {MouseEvent} event */
async function note(event) {
  const button = event.target instanceof Element && event.target.closest("[data-press]");
  if (!(button instanceof HTMLElement)) return;
  const told = { ...JSON.parse(button.id), at: event.timeStamp };
  const { press, pressAfter } = button.dataset;
  await new Promise((done) => setTimeout(done, Number(pressAfter || 0)));
  window.dash_clientside.set_props(`${press}-pressed`, { data: told });
}

document.addEventListener("click", note);

window.dash_clientside = Object.assign({}, window.dash_clientside, { controls: { chips, excluded } });
