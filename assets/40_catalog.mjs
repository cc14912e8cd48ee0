// @ts-check
// The catalog's grids (see components/catalog_grid.py, catalog_page.py).
// Contract: edit(changes)        -> each changed cell is POSTed to /catalog/edit, one after the other; the answered row replaces
//                                   the grid's, a refusal is said in "catalog-said"; "New group…" asks for its name instead
//           ask(clicks, rows)    -> {action, table, ids, at} for the dialogs
//           selected(rows, ids)  -> what is selected, in words; which buttons can be used; the link into Cycling
//           columns(fields)      -> shows these columns; search(text) -> rows that contain it
// Grid:     catalogOpen (when editing starts), CatalogGroup, CatalogValue (renderers), catalogNumber, catalogChoice (formatters), catalogOrder (comparator)

const NEW_GROUP = "New group…";
const KEPT_MS = 10000;
const none = () => window.dash_clientside.no_update;
const cause = () => window.dash_clientside.callback_context.triggered_id;

/** @param {string | object} id @param {object} props */
const set = (id, props) => window.dash_clientside.set_props(id, props);

/** @param {string} table @returns {any} */
function apiOf(table) {
  try {
    return window.dash_ag_grid.getApi({ part: "catalog-grid", table });
  } catch {
    return null; // the page was left meanwhile
  }
}

let queue = Promise.resolve();

/** @typedef {{rowId: string, colId: string, value: unknown, oldValue: unknown, data: Record<string, unknown>}} Change */

/** @param {Change[][]} changes */
export function edit(changes) {
  const table = cause()?.table;
  const made = changes.find(Boolean) ?? [];
  for (const change of made) {
    if (change.value === NEW_GROUP) askForGroup(table, change);
    else if ((change.value ?? "") !== (change.oldValue ?? "")) queue = queue.then(() => store(table, change));
  }
  return none();
}

/** @param {string} table @param {Change} change */
function askForGroup(table, change) {
  apiOf(table)?.applyTransaction({ update: [{ ...change.data, group: change.oldValue }] });
  set("catalog-asked", { data: { action: "group", table, ids: [Number(change.rowId)], at: Date.now() } });
}

/** @param {string} table @param {Change} change */
async function store(table, change) {
  const before = { ...change.data, [change.colId]: change.oldValue };
  const { row, notice } = await post(table, change).catch(() => ({ row: before, notice: unanswered() }));
  const api = apiOf(table);
  if (!api) return;
  api.applyTransaction(row ? { update: [row] } : { remove: [{ id: Number(change.rowId) }] });
  const node = api.getRowNode(change.rowId);
  if (node && !notice) api.flashCells({ rowNodes: [node], columns: [change.colId], flashDuration: 250, fadeDuration: 500 });
  say(notice, `${table} ${change.rowId} ${change.colId}`);
  set({ part: "catalog-written", by: "edit" }, { data: { at: Date.now(), table, rows: table === "groups" } });
}

let complaint = { cell: "", at: 0 };

/** A refusal stays until its cell is right or some time has passed: the next stored value must not wipe it away. @param {object | null} notice @param {string} cell */
function say(notice, cell) {
  if (!notice && complaint.cell !== cell && Date.now() - complaint.at < KEPT_MS) return;
  complaint = notice ? { cell, at: Date.now() } : { cell: "", at: 0 };
  set("catalog-said", { children: notice ?? [] });
}

/** @param {string} table @param {Change} change */
async function post(table, change) {
  const body = JSON.stringify({ table, row: Number(change.rowId), field: change.colId, value: change.value ?? null });
  const answer = await fetch("/catalog/edit", { method: "POST", headers: { "Content-Type": "application/json" }, body, keepalive: body.length < 60000 });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/** Said when no answer came: the value that was there is shown again. */
const unanswered = () => ({
  namespace: "dash_html_components",
  type: "Div",
  props: { role: "alert", className: "catalog-lost", children: "The server did not answer: the last change was not stored. Try again when it is back." },
});

/** @param {(number | null)[]} clicks @param {{id: number}[][]} rows @param {{table: string}[]} grids */
export function ask(clicks, rows, grids) {
  const id = cause();
  if (!id || !clicks.some(Boolean)) return none();
  return { action: id.action, table: grids[0]?.table ?? "cells", ids: (rows[0] ?? []).map((r) => r.id), at: Date.now() };
}

/** @param {Record<string, any>[][]} rows @param {{needs: string}[]} ids */
export function selected(rows, ids) {
  const chosen = rows[0] ?? [];
  const enough = { any: true, some: chosen.length > 0, one: chosen.length === 1, out: chosen.some((r) => r.excluded === "yes") };
  const off = ids.map((id) => !enough[/** @type {keyof typeof enough} */ (id.needs)]);
  const names = [...new Set(chosen.map((r) => (r.n_cells !== undefined ? r.name : r.group)).filter(Boolean))];
  const query = new URLSearchParams({ ref: names[0] ?? "", cmp: names[1] ?? "none" });
  const words = chosen.length ? `${chosen.length} selected` : "";
  return [words, off, names.length ? `/cycling?${query}` : "/cycling", { visibility: names.length ? "visible" : "hidden" }];
}

/** @param {string[][]} fields @param {{table: string}[]} ids */
export function columns(fields, ids) {
  if (!ids.length) return none();
  const shown = new Set(fields[0]);
  const settled = (/** @type {any} */ api) => {
    const state = api.getColumnState().filter((/** @type {any} */ c) => !c.colId.startsWith("ag-Grid"));
    api.applyColumnState({ state: state.map((/** @type {any} */ c) => ({ colId: c.colId, hide: !shown.has(c.colId) })) });
  };
  window.dash_ag_grid?.getApiAsync({ part: "catalog-grid", table: ids[0].table }).then(settled, () => undefined);
  return none();
}

/** @param {string} text @param {{table: string}[]} grids */
export function search(text, grids) {
  for (const { table } of grids) apiOf(table)?.setGridOption("quickFilterText", text ?? "");
  return none();
}

/** A group's name after a dot in its colour. @param {{value: string | null, data?: {swatch: string | null}}} props */
function CatalogGroup({ value, data }) {
  const h = window.React.createElement;
  if (!value) return null;
  return h("span", { className: "catalog-group" }, h("span", { className: "swatch", style: { background: data?.swatch ?? "transparent" } }), value);
}

/** The value itself, where the formatter serves the editor's list. @param {{value: string | null}} props */
const CatalogValue = ({ value }) => value ?? null;

/** In a list of choices the blank one has a name. @param {{value: string | null}} params */
const catalogChoice = ({ value }) => value || "not recorded";

/** Six significant digits, which hides what floating point adds. @param {{value: unknown}} params */
function catalogNumber({ value }) {
  return typeof value === "number" ? String(Number(value.toPrecision(6))).replace("-", "−") : "";
}

/** "Cell 2" before "Cell 10". @param {unknown} a @param {unknown} b */
const catalogOrder = (a, b) => String(a ?? "").localeCompare(String(b ?? ""), undefined, { numeric: true, sensitivity: "base" });

/** A list of choices opens together with its editor, however that was started. */
function catalogOpen() {
  setTimeout(() => {
    const picker = document.querySelector(".ag-cell-inline-editing .ag-select .ag-picker-field-wrapper[aria-expanded='false']");
    picker?.dispatchEvent(new MouseEvent("mousedown", { bubbles: true }));
  });
}

window.dashAgGridFunctions = Object.assign({}, window.dashAgGridFunctions, { catalogOpen, catalogChoice, catalogNumber, catalogOrder });
window.dashAgGridComponentFunctions = Object.assign({}, window.dashAgGridComponentFunctions, { CatalogGroup, CatalogValue });
window.dash_clientside = Object.assign({}, window.dash_clientside, { catalog: { edit, ask, selected, columns, search } });
