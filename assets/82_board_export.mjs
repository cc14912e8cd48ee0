// @ts-check
// Exports of boards and archives of studies (see components/board_jobs.py).
// Contract: "interplay-board" {do: export | figures | study-export | study-import, element}; each becomes a job whose progress stands
//           in #board-running with a way to stop it; its file is downloaded when it is there.

/** @param {string} url @param {object} [body] @returns {Promise<any>} */
const post = (url, body) => window.boardParts.page.post(url, body);
/** @param {string} message @param {string} color */
const tell = (message, color) => window.boardParts.page.tell(message, color);
/** @param {any} question @param {(values: Record<string, any>) => Promise<any>} save */
const ask = (question, save) => window.boardParts.dialog.ask(question, save);
/** @param {string} tag @param {Record<string, string>} [attributes] @param {(Node | string)[]} children */
const element = (tag, attributes, ...children) => window.boardParts.dialog.element(tag, attributes, ...children);

const POLL_MS = 600;
const box = () => document.getElementById("board-running");
/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** @typedef {{key: string, title: string, state: string, fraction: number, message: string, file: string}} Told */

/** @param {Promise<Told>} begun */
async function follow(begun) {
  const words = element("span", {}, "…");
  const bar = /** @type {HTMLProgressElement} */ (element("progress", { max: "1", value: "0", "aria-label": "Progress" }));
  const stop = element("button", { type: "button", class: "dialog-button" }, "Cancel");
  const row = element("div", { class: "board-job" }, words, bar, stop);
  box()?.append(row);
  try {
    let told = await begun;
    stop.addEventListener("click", () => post(`/board/jobs/${told.key}/cancel`).catch((err) => tell(err.message, "red")));
    while (told.state === "queued" || told.state === "running") {
      words.textContent = `${told.title}: ${told.message || "waiting for a free worker"}`;
      bar.value = told.fraction;
      await pause(POLL_MS);
      told = await fetch(`/board/jobs/${told.key}`).then(window.boardParts.page.told);
    }
    ended(told, row);
  } catch (err) {
    row.remove();
    tell(err instanceof Error ? err.message : String(err), "red");
  }
}

/** @param {Told} told @param {HTMLElement} row */
function ended(told, row) {
  row.remove();
  if (told.file) window.location.assign(told.file);
  else if (told.state === "done") box()?.append(element("div", { class: "board-job" }, told.message));
  else tell(told.message || `${told.title}: ${told.state}`, told.state === "cancelled" ? "gray" : "red");
}

/** @param {string} kind @param {object} [options] */
function begin(kind, options) {
  const here = document.getElementById("board");
  if (here) follow(post(`/board/${here.dataset.board}/export`, { version: Number(here.dataset.version), kind, options: options ?? {} }));
}

/** @param {HTMLElement} el */
function exported(el) {
  const { kind = "", format, size } = el.dataset;
  begin(kind, format ? { format, size } : {});
}

const figures = () =>
  ask(
    {
      title: "Figures as files",
      button: "Export",
      fields: [
        { name: "format", label: "Format", kind: "choice", options: [["pdf", "PDF"], ["svg", "SVG"], ["png", "PNG, 600 dpi"]], value: "pdf" },
        { name: "size", label: "Width", kind: "choice", options: [["single", "single column, 89 mm"], ["double", "double column, 183 mm"]], value: "single" },
        { name: "font_pt", label: "Font size / pt", kind: "number", value: "7" },
        { name: "aspect", label: "Height / width (empty: as suits each figure)", kind: "number", value: "" },
      ],
    },
    async (v) => begin("figures", { format: v.format, size: v.size, font_pt: Number(v.font_pt), aspect: v.aspect ? Number(v.aspect) : null }),
  );

const study = () =>
  ask(
    {
      title: "Import a study",
      text: "The archive becomes a new workspace in a folder of its own, beside the one that is open. Nothing of this one changes.",
      button: "Import",
      fields: [
        { name: "file", label: "Study archive (.zip)", kind: "file", value: "", accept: ".zip" },
        { name: "name", label: "Name of the new folder", kind: "line", value: "imported-study" },
      ],
    },
    async (v) => {
      if (!v.file) throw new Error("Choose the archive first.");
      const url = `/board/study/import?name=${encodeURIComponent(v.name)}`;
      const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/zip" }, body: v.file });
      follow(Promise.resolve(await window.boardParts.page.told(answer)));
    },
  );

/** @type {Record<string, (el: HTMLElement) => unknown>} */
const DOES = { export: exported, figures, "study-export": () => follow(post("/board/study/export")), "study-import": study };
window.addEventListener("interplay-board", (event) => {
  const { do: name, element: el } = /** @type {CustomEvent} */ (event).detail;
  DOES[name]?.(el);
});
