// @ts-check
// Figure cards (see components/card.py).
// Contract: changed(query, known)     -> the part of the address this card reads, or no update
//           act(clicks)                -> download PNG/SVG/CSV, copy the command (the server answers "how")
//           toggle(query)              -> show or hide the traces of single cells without asking the server

const PIXELS = { width: 960, height: 600, scale: 3 };

/** @param {Record<string, string>} query @param {{reads: string[], query: Record<string, string>}} known */
export function changed(query, known) {
  const part = Object.fromEntries(known.reads.filter((k) => query && k in query).map((k) => [k, query[k]]));
  return JSON.stringify(part) === JSON.stringify(known.query) ? window.dash_clientside.no_update : { ...known, query: part };
}

/** @param {string} figure @returns {any} */
const plot = (figure) => [...document.querySelectorAll(".graph")].find((g) => g.id.includes(`"${figure}"`))?.querySelector(".js-plotly-plot");

/** @param {string} message @param {string} color */
const tell = (message, color) =>
  window.dash_clientside.set_props("notifications", { sendNotifications: [{ action: "show", message, color, id: String(Date.now()) }] });

/** @param {string} figure @param {string} format */
async function picture(figure, format) {
  const gd = plot(figure);
  if (!gd) return;
  const ground = getComputedStyle(document.body).backgroundColor;
  const name = figure.replace(".", "-");
  const layout = { ...gd.layout, paper_bgcolor: ground };
  await window.Plotly.downloadImage({ data: gd.data, layout }, { ...PIXELS, format, filename: name });
}

/** @param {string} figure */
async function copy(figure) {
  const answer = await fetch(`/export/${figure}.txt${window.location.search}`);
  const text = await answer.text();
  if (!answer.ok) return tell(text, "red");
  try {
    await navigator.clipboard.writeText(text);
    tell("The command is in the clipboard.", "teal");
  } catch {
    tell("The browser refused the clipboard; the command stands under “How was this made?”.", "orange");
  }
}

/** @param {(number | null)[]} clicks */
export function act(clicks) {
  const id = window.dash_clientside.callback_context.triggered_id;
  if (!id || !clicks.some(Boolean)) return window.dash_clientside.no_update;
  if (id.action === "png" || id.action === "svg") picture(id.figure, id.action);
  else if (id.action === "csv") window.location.assign(`/export/${id.figure}.csv${window.location.search}`);
  else if (id.action === "command") copy(id.figure);
  return id;
}

/** @param {Record<string, string>} query */
export function toggle(query) {
  const off = new Set((query?.off || "").split(",").filter(Boolean));
  for (const gd of /** @type {NodeListOf<any>} */ (document.querySelectorAll(".graph .js-plotly-plot"))) {
    const cells = (gd.data || []).map((/** @type {any} */ t) => t.meta?.id);
    const wrong = cells.map((/** @type {any} */ c, /** @type {number} */ i) => i).filter((/** @type {number} */ i) => cells[i] !== undefined && (gd.data[i].visible !== false) === off.has(String(cells[i])));
    if (wrong.length) window.Plotly.restyle(gd, { visible: wrong.map((/** @type {number} */ i) => !off.has(String(cells[i]))) }, wrong);
  }
  return [...off];
}

window.dash_clientside = Object.assign({}, window.dash_clientside, { cards: { changed, act, toggle } });
