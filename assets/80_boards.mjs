// @ts-check
// Review boards (see components/board_page.py, board_view.py, board_routes.py).
// Contract: a click on an element with data-do does what it names; data-* beside it say to what. Changes are POSTed to /board/…
//           with the version that the page shows; then the store "board-saved" changes and the page is drawn again.
//           The event "interplay-pin" {view, plot} asks for a board and pins the figure there.
// The parts find one another in window.boardParts, not by import: the browser keeps files under the address that Dash gives them.
//           Other modules listen to "interplay-board" {do, element}: 81_board_stage.mjs, 82_board_export.mjs.

/** @param {any} question @param {(values: Record<string, any>) => Promise<any>} save */
const ask = (question, save) => window.boardParts.dialog.ask(question, save);

const board = () => document.getElementById("board");
/** @param {string} message @param {string} color */
export const tell = (message, color) =>
  window.dash_clientside.set_props("notifications", { sendNotifications: [{ action: "show", message, color, id: String(Date.now()) }] });

/** @param {string} url @param {object} [body] */
export async function post(url, body) {
  const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) }).catch(() => null);
  if (!answer) throw new Error("The server does not answer. Nothing was saved.");
  return told(answer);
}

/** What the server answered, or its sentence as an error. @param {Response} answer */
async function told(answer) {
  if (!answer.ok) throw new Error(`The server answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  const said = await answer.json();
  if (said.problem) throw new Error(said.problem);
  return said;
}

/** The page is drawn again from what is stored. */
const again = () => window.dash_clientside.set_props("board-saved", { data: Date.now() });

/** @param {string} what @param {object} [body] */
async function change(what, body) {
  const here = board();
  if (!here) return;
  await post(`/board/${here.dataset.board}/${what}`, { version: Number(here.dataset.version), ...body });
  again();
}

/** A change without a dialog: what went wrong is said in a corner. @param {() => Promise<unknown>} work */
const quietly = (work) => work().catch((err) => tell(err.message, "red"));

/** Ranges that the viewer has set on a plot. @param {any} gd */
function zoomOf(gd) {
  /** @type {Record<string, unknown>} */
  const kept = {};
  for (const [name, axis] of Object.entries(gd?.layout ?? {})) {
    const full = gd._fullLayout?.[name];
    if (!/^[xy]axis\d*$/.test(name) || axis.autorange !== false || !axis.range || !full) continue;
    const moved = full._rangeInitial0 === undefined || full._rangeInitial0 !== full.range[0] || full._rangeInitial1 !== full.range[1];
    if (moved) kept[`${name}.range`] = [...axis.range];
  }
  return kept;
}

// -- pinning from any page -------------------------------------------------------------------------------------------------

/** @param {{view: string, plot: any}} asked */
async function pin({ view, plot }) {
  const card = plot?.closest(".card");
  const title = card?.getAttribute("aria-label") ?? view;
  const known = await fetch("/board/list.json").then((a) => a.json()).catch(() => []);
  const boards = known.map((/** @type {any} */ b) => [String(b.id), `${b.name} (${b.figures})`]);
  const last = window.localStorage.getItem("interplay-board") ?? "";
  const fields = [
    { name: "board", label: "Board", kind: "choice", options: [...boards, ["", "A new board"]], value: boards.some((/** @type {string[]} */ b) => b[0] === last) ? last : boards[0]?.[0] ?? "" },
    { name: "name", label: "Name of the new board", kind: "line", value: boards.length ? "" : "Review" },
    { name: "title", label: "Title of the figure", kind: "line", value: title },
    { name: "note", label: "Note (Markdown)", kind: "text", value: "" },
  ];
  const shown = { view, search: window.location.search, page: window.location.pathname, layout: zoomOf(plot) };
  const made = await ask({ title: "Pin to a board", button: "Pin", fields }, (v) =>
    post("/board/pin", { ...shown, board: v.board ? Number(v.board) : null, name: v.name, title: v.title, note: v.note }),
  );
  if (!made) return;
  window.localStorage.setItem("interplay-board", String(made.id));
  tell(`Pinned to '${made.name}', version ${made.version}.`, "teal");
}

window.addEventListener("interplay-pin", (event) => pin(/** @type {CustomEvent} */ (event).detail));

// -- the page ----------------------------------------------------------------------------------------------------------------

/** @param {HTMLElement} el */
const section = (el) => /** @type {HTMLElement} */ (el.closest("[data-pin]"));
/** @param {HTMLElement} el */
const words = (el) => /** @type {HTMLElement} */ (el.closest("[data-notes]")).dataset;

/** @param {HTMLElement} el */
function texts(el) {
  const fields = [
    { name: "title", label: "Title", kind: "line", value: words(el).title ?? "" },
    { name: "notes", label: "Notes (Markdown)", kind: "text", value: words(el).notes ?? "" },
  ];
  return ask({ title: "Title and notes", button: "Save", fields }, (v) => change("change", { do: "texts", ...v }));
}

/** @param {HTMLElement} el */
function pinWords(el) {
  const { pin: id, title = "", note = "" } = section(el).dataset;
  const fields = [
    { name: "title", label: "Title", kind: "line", value: title },
    { name: "note", label: "Note (Markdown)", kind: "text", value: note },
  ];
  return ask({ title: "Title and note", button: "Save", fields }, (v) => change("change", { do: "pin", id, ...v }));
}

/** @param {HTMLElement} el */
function action(el) {
  const row = /** @type {HTMLElement | null} */ (el.closest("[data-action]"));
  const was = row?.dataset ?? /** @type {DOMStringMap} */ ({});
  const fields = [
    { name: "what", label: "Kind", kind: "choice", options: [["action", "Action"], ["decision", "Decision"]], value: was.what ?? "action" },
    { name: "text", label: "What", kind: "text", value: was.text ?? "" },
    { name: "owner", label: "Owner", kind: "line", value: was.owner ?? "" },
    { name: "date", label: "Date", kind: "date", value: was.date ?? "" },
  ];
  const title = row ? "Decision or action" : "Add a decision or an action";
  return ask({ title, button: "Save", fields }, (v) => change("change", { do: "action", ...(row ? { id: was.action } : {}), ...v }));
}

/** @param {HTMLElement} el */
async function refresh(el) {
  const here = board();
  if (!here) return;
  const state = section(el).querySelector(".board-state");
  el.setAttribute("disabled", "");
  try {
    for (;;) {
      const told = await post(`/board/${here.dataset.board}/refresh`, { version: Number(here.dataset.version), pin: section(el).dataset.pin });
      if (!told.waiting) return again();
      if (state) state.textContent = `computing ${told.waiting}, ${Math.round(100 * told.fraction)} %`;
      await new Promise((done) => setTimeout(done, 800));
      if (!el.isConnected) return;
    }
  } finally {
    el.removeAttribute("disabled");
  }
}

const create = () =>
  ask({ title: "New board", button: "Make", fields: [{ name: "name", label: "Name", kind: "line", value: "" }] }, async (v) => {
    const made = await post("/board/new", v);
    window.location.assign(`/boards?board=${made.id}`);
  });

/** @param {HTMLElement} el */
const remove = (el) =>
  ask({ title: "Delete this board", text: `'${el.dataset.name}' goes with all its versions.`, button: "Delete", danger: true, fields: [] }, async () => {
    await post(`/board/${el.dataset.board}/delete`);
    again();
  });

/** @param {HTMLElement} el */
const takeOff = (el) =>
  ask({ title: "Take off the board", text: "Older versions keep the figure.", button: "Take off", danger: true, fields: [] }, () => change("change", { do: "remove", id: el.dataset.id }));

async function restore() {
  const here = board();
  if (!here) return;
  await post(`/board/${here.dataset.board}/restore`, { version: Number(here.dataset.latest), to: Number(here.dataset.version) });
  window.location.assign(`/boards?board=${here.dataset.board}`);
}

/** @type {Record<string, (el: HTMLElement) => unknown>} */
const DOES = {
  texts,
  pin: pinWords,
  action,
  new: create,
  delete: remove,
  remove: takeOff,
  done: (el) => quietly(() => change("change", { do: "done", id: el.dataset.id, done: el.dataset.done === "1" })),
  drop: (el) => quietly(() => change("change", { do: "drop", id: el.dataset.id })),
  move: (el) => quietly(() => change("change", { do: "move", id: el.dataset.id, to: Number(el.dataset.to) })),
  zoom: (el) => quietly(() => change("change", { do: "zoom", id: el.dataset.id, layout: zoomOf(section(el).querySelector(".js-plotly-plot")) })),
  refresh: (el) => quietly(() => refresh(el)),
  restore: () => quietly(restore),
};

document.addEventListener("click", (event) => {
  const el = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-do]")) : null;
  if (!el || el.hasAttribute("disabled")) return;
  const name = el.dataset.do ?? "";
  if (DOES[name]) DOES[name](el);
  else window.dispatchEvent(new CustomEvent("interplay-board", { detail: { do: name, element: el } }));
});

/** The body of a board was drawn: a presentation that runs, or that the address asks for, goes on. */
export function arrived() {
  window.dispatchEvent(new CustomEvent("interplay-board", { detail: { do: "arrived", element: board() } }));
  return window.dash_clientside.no_update;
}

window.boardParts = Object.assign({}, window.boardParts, { page: { post, tell, told } });
window.dash_clientside = Object.assign({}, window.dash_clientside, { boards: { arrived } });
