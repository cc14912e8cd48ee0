// @ts-check
// Figure cards (see components/card.py).
// Contract: changed(query, known)     -> the part of the address this card reads, or no update
//           act(clicks)                -> download PNG/SVG/CSV, copy the command, ask for a pin (80_boards.mjs); the server answers "how"
//           toggle(query)              -> show or hide the traces of single cells without asking the server

const PIXELS = { width: 960, height: 600, scale: 3 };

/** @param {Record<string, string>} query @param {{reads: string[], query: Record<string, string>}} known */
export function changed(query, known) {
  const part = Object.fromEntries(known.reads.filter((k) => query && k in query).map((k) => [k, query[k]]));
  // Where the page is laid out anew, each card comes drawn: asking for it here too would draw everything twice.
  const drawn = window.dash_clientside.address.anew(known.query, part) || JSON.stringify(part) === JSON.stringify(known.query);
  return drawn ? window.dash_clientside.no_update : { ...known, query: part };
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
  else if (id.action === "pin") window.dispatchEvent(new CustomEvent("interplay-pin", { detail: { view: id.figure, plot: plot(id.figure) } }));
  return id;
}

/** Runs when the browser has nothing better to do, one graph at a time. @param {() => void} work */
const later = (work) => (window.requestIdleCallback ? window.requestIdleCallback(work, { timeout: 1500 }) : setTimeout(work, 50));

/** Traces of cells that are switched off disappear from the screen at once; Plotly, which takes its time, learns of it afterwards.
 * @param {any} gd @param {Set<string>} off */
function switchTraces(gd, off) {
  const hidden = (/** @type {any} */ t) => t.meta?.id !== undefined && off.has(String(t.meta.id));
  (gd._fullData || []).forEach((/** @type {any} */ full, /** @type {number} */ i) => {
    for (const node of gd.querySelectorAll(`.trace${full.uid}`)) node.style.display = hidden(gd.data[i] || {}) ? "none" : "";
  });
  const wrong = () => gd.data.map((/** @type {any} */ _t, /** @type {number} */ i) => i).filter((/** @type {number} */ i) => gd.data[i].meta?.id !== undefined && (gd.data[i].visible !== false) === hidden(gd.data[i]));
  const settle = () => {
    if (!gd.isConnected || !gd.data) return; // the page was left meanwhile
    const list = wrong();
    if (list.length) window.Plotly.restyle(gd, { visible: list.map((/** @type {number} */ i) => !hidden(gd.data[i])) }, list);
  };
  // What was never drawn cannot be shown by a style: Plotly has to draw it now.
  if (wrong().some((/** @type {number} */ i) => gd.data[i].visible === false)) settle();
  else later(settle);
}

/** @param {Record<string, string>} query */
export function toggle(query) {
  const off = new Set((query?.off || "").split(",").filter(Boolean));
  for (const gd of document.querySelectorAll(".graph .js-plotly-plot")) if (/** @type {any} */ (gd).data) switchTraces(gd, off);
  return [...off];
}

window.dash_clientside = Object.assign({}, window.dash_clientside, { cards: { changed, act, toggle } });
