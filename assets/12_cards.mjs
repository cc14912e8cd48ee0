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

/** What traces were given as: name and place in the legend. @type {WeakMap<any, {name: string, showlegend: boolean}>} */
const given = new WeakMap();

/** Entries that stand for several cells: drawn by the first that is switched on, they count those that are.
 * @param {any} gd @param {(trace: any) => boolean} hidden @returns {Map<number, {name: string, showlegend: boolean}>} by trace */
function legend(gd, hidden) {
  /** @type {Map<string, number[]>} */
  const groups = new Map();
  gd.data.forEach((/** @type {any} */ t, /** @type {number} */ i) => {
    if (!t.legendgroup || t.meta?.id === undefined) return;
    if (!given.has(t)) given.set(t, { name: t.name, showlegend: t.showlegend });
    groups.set(t.legendgroup, [...(groups.get(t.legendgroup) ?? []), i]);
  });
  const made = new Map();
  for (const members of groups.values()) {
    const own = (/** @type {number} */ i) => given.get(gd.data[i]);
    const lead = members.find((i) => own(i)?.showlegend);
    if (lead === undefined) continue;
    const on = members.filter((i) => !hidden(gd.data[i]));
    const n = new Set(on.map((i) => String(gd.data[i].meta.id))).size;
    const name = own(lead)?.name.replace(/n = \d+ cells?/, `n = ${n} ${n === 1 ? "cell" : "cells"}`);
    for (const i of members) made.set(i, i === (on[0] ?? lead) ? { name, showlegend: true } : { name: i === lead ? name : own(i)?.name, showlegend: false });
  }
  return made;
}

/** Traces of cells that are switched off disappear from the screen at once; Plotly, which takes its time, learns of it afterwards.
 * @param {any} gd @param {Set<string>} off */
function switchTraces(gd, off) {
  const hidden = (/** @type {any} */ t) => t.meta?.id !== undefined && off.has(String(t.meta.id));
  (gd._fullData || []).forEach((/** @type {any} */ full, /** @type {number} */ i) => {
    for (const node of gd.querySelectorAll(`.trace${full.uid}`)) node.style.display = hidden(gd.data[i] || {}) ? "none" : "";
  });
  const unlike = (/** @type {any} */ t) => t.meta?.id !== undefined && (t.visible !== false) === hidden(t);
  const settle = () => {
    if (!gd.isConnected || !gd.data) return; // the page was left meanwhile
    const entries = legend(gd, hidden);
    const wanted = gd.data.map((/** @type {any} */ t, /** @type {number} */ i) => ({ name: t.name, showlegend: t.showlegend, ...entries.get(i), visible: hidden(t) ? false : t.visible || true }));
    const other = (/** @type {any} */ t, /** @type {any} */ w) => unlike(t) || t.name !== w.name || t.showlegend !== w.showlegend;
    const list = wanted.flatMap((/** @type {any} */ w, /** @type {number} */ i) => (other(gd.data[i], w) ? [i] : []));
    const update = Object.fromEntries(["visible", "name", "showlegend"].map((k) => [k, list.map((/** @type {number} */ i) => wanted[i][k])]));
    if (list.length) window.Plotly.restyle(gd, update, list);
  };
  // What was never drawn cannot be shown by a style: Plotly has to draw it now.
  if (gd.data.some((/** @type {any} */ t) => unlike(t) && t.visible === false)) settle();
  else later(settle);
}

/** @param {Record<string, string>} query */
export function toggle(query) {
  const off = new Set((query?.off || "").split(",").filter(Boolean));
  for (const gd of document.querySelectorAll(".graph .js-plotly-plot")) if (/** @type {any} */ (gd).data) switchTraces(gd, off);
  return [...off];
}

window.dash_clientside = Object.assign({}, window.dash_clientside, { cards: { changed, toggle } });
