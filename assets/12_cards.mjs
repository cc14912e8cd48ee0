// @ts-check
// Figure cards (see components/card.py).
// Contract: changed(query, known)     -> the part of the address this card reads, or no update
//           toggle(query)              -> show or hide the traces of single cells without asking the server
// What was chosen in the menu of a card (16_menu.mjs) is done here: PNG, SVG, CSV, the command, a pin (80_boards.mjs), how it was made.

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

/** @param {string} figure @param {string} format */
async function picture(figure, format) {
  const gd = plot(figure);
  if (!gd) return;
  const ground = getComputedStyle(document.body).backgroundColor;
  const name = figure.replace(".", "-");
  const layout = { ...gd.layout, paper_bgcolor: ground };
  await window.Plotly.downloadImage({ data: gd.data, layout }, { ...PIXELS, format, filename: name });
}

/** @param {Event} event */
function act(event) {
  const { menu, action, of } = /** @type {CustomEvent} */ (event).detail;
  if (menu !== "card") return;
  if (action === "png" || action === "svg") picture(of, action);
  else if (action === "csv") window.location.assign(`/export/${of}.csv${window.location.search}`);
  else if (action === "command") window.dash_clientside.menus.copied(`/export/${of}.txt${window.location.search}`);
  else if (action === "how") window.dash_clientside.menus.how({ menu, of });
  else if (action === "pin") window.dispatchEvent(new CustomEvent("interplay-pin", { detail: { view: of, plot: plot(of) } }));
}

window.addEventListener("interplay-chosen", act);

const ANSWER_MS = 600; // in which the server's answer to a change has come, and is drawn

/** Runs when the browser has nothing better to do, one graph at a time: not while what was just asked for is awaited. @param {() => void} work */
const later = (work) => setTimeout(() => (window.requestIdleCallback ? window.requestIdleCallback(work, { timeout: 1500 }) : work()), ANSWER_MS);

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

window.dash_clientside = Object.assign({}, window.dash_clientside, { cards: { changed, toggle } });
