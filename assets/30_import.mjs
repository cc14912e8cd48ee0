// @ts-check
// Files on their way to the server (see components/import_page.py, components/import_uploads.py).
// Contract with Dash: current(clicks)      -> id of the file whose name was clicked
//                     marks(shown, ids)    -> class of each row's mark: on for the file that is open
//                     tickAll(every, now)  -> every box ticked or none
// Files come from a drop anywhere on the import page or from the button #import-choose. Each goes in pieces that the server
// streams to disk; a piece that fails is sent again from where the server stands. #import-uploads shows how far each is;
// when one has arrived, the store {part: "import-nudge", from: "upload"} says so. Only one piece of a file is in memory.

const TOGETHER = 2; // files at a time
const TRIES = 5;
const MOST = 5000; // a whole disk is dropped by mistake, not by intent
const IGNORED = new Set(["thumbs.db", "desktop.ini"]);
const WAIT_MS = 600;
const ARRIVED = { part: "import-nudge", from: "upload" };

/** @typedef {{file: File, done: number, state: "waiting" | "sending" | "failed" | "stopped" | "arrived", words: string, id: string, stop: AbortController}} Upload */

/** @type {Upload[]} */
let uploads = [];
let arrived = 0;

const none = () => window.dash_clientside.no_update;
const box = () => document.getElementById("import-uploads");
const here = () => document.getElementById("import-grid");
/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** What only the user, not another try, can change. */
class Refused extends Error {}

/** @param {Response} answer */
async function refused(answer) {
  return new Refused((await answer.text()).slice(0, 400) || `The server answered ${answer.status}.`);
}

/** @param {Upload} u */
async function begin(u) {
  const answer = await fetch("/uploads", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: u.file.name, size: u.file.size, stamp: String(u.file.lastModified) }),
    signal: u.stop.signal,
  });
  if (!answer.ok) throw await refused(answer);
  return /** @type {Promise<{id: string, offset: number, chunk: number}>} */ (answer.json());
}

/** Sends one piece; returns where the server stands afterwards. @param {Upload} u @param {number} offset @param {number} chunk */
async function piece(u, offset, chunk) {
  const answer = await fetch(`/uploads/${u.id}`, {
    method: "PATCH",
    headers: { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
    body: u.file.slice(offset, offset + chunk),
    signal: u.stop.signal,
  });
  if (!answer.ok && answer.status !== 409) throw await refused(answer);
  return Number(answer.headers.get("Upload-Offset"));
}

/** @param {Upload} u */
async function offset(u) {
  const answer = await fetch(`/uploads/${u.id}`, { method: "HEAD", signal: u.stop.signal });
  if (!answer.ok) throw new Refused("The server does not know this upload any more. Add the file again.");
  return Number(answer.headers.get("Upload-Offset"));
}

/** @param {Upload} u */
async function send(u) {
  const started = await begin(u);
  u.id = started.id;
  u.done = started.offset;
  let tries = 0;
  while (u.done < u.file.size) {
    try {
      u.done = await piece(u, u.done, started.chunk);
      tries = 0;
    } catch (err) {
      if (err instanceof Refused || u.stop.signal.aborted || ++tries > TRIES) throw err;
      u.words = "connection lost, trying again";
      await pause(WAIT_MS * 2 ** tries);
      u.done = await offset(u).catch((e) => { if (e instanceof Refused) throw e; return u.done; });
    }
    u.words = "";
    draw();
  }
}

/** @param {Upload} u */
async function run(u) {
  u.state = "sending";
  draw();
  try {
    await send(u);
    u.state = "arrived";
    uploads = uploads.filter((x) => x !== u);
    if (here()) window.dash_clientside.set_props(ARRIVED, { data: ++arrived });
  } catch (err) {
    u.state = u.stop.signal.aborted ? "stopped" : "failed";
    u.words = err instanceof Refused ? err.message : "The file cannot be sent: it was changed or moved, or the server is not reachable.";
    if (u.id && u.state === "stopped") fetch(`/uploads/${u.id}`, { method: "DELETE" }).catch(() => undefined);
    if (u.state === "stopped") uploads = uploads.filter((x) => x !== u);
  }
  draw();
  next();
}

function next() {
  const sending = uploads.filter((u) => u.state === "sending").length;
  for (const u of uploads.filter((x) => x.state === "waiting").slice(0, Math.max(0, TOGETHER - sending))) run(u);
}

/** @param {File[]} files */
function add(files) {
  for (const file of files) {
    uploads.push({ file, done: 0, state: "waiting", words: "", id: "", stop: new AbortController() });
  }
  draw();
  next();
}

/** @param {Upload} u */
function dismiss(u) {
  if (u.state === "sending") return u.stop.abort();
  uploads = uploads.filter((x) => x !== u);
  draw();
}

/** @param {string} tag @param {string} name @param {string} text */
function element(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

/** @param {number} bytes */
const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`);

/** @param {Upload} u */
function line(u) {
  const made = element("div", `upload ${u.state}`);
  const bar = /** @type {HTMLProgressElement} */ (element("progress", ""));
  bar.max = Math.max(1, u.file.size);
  bar.value = u.done;
  bar.setAttribute("aria-label", `Upload of ${u.file.name}`);
  const stop = element("button", "tiny", "✕");
  stop.setAttribute("aria-label", `${u.state === "failed" ? "Dismiss" : "Cancel the upload of"} ${u.file.name}`);
  stop.addEventListener("click", () => dismiss(u));
  const words = u.words || (u.state === "waiting" ? "waiting" : `${size(u.done)} of ${size(u.file.size)}`);
  made.append(element("span", "upload-name", u.file.name), ...(u.state === "failed" ? [] : [bar]), element("span", "lot-facts", words), stop);
  return made;
}

function draw() {
  const place = box();
  if (place) place.replaceChildren(...uploads.slice(0, 30).map(line));
}

/** @param {any} directory @returns {Promise<any[]>} */
async function children(directory) {
  const reader = directory.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return found;
    found.push(...some);
  }
}

/** @param {any} entry @param {File[]} into */
async function walk(entry, into) {
  if (into.length >= MOST || entry.name.startsWith(".") || IGNORED.has(entry.name.toLowerCase())) return;
  if (entry.isFile) into.push(await new Promise((done, failed) => entry.file(done, failed)));
  else for (const child of await children(entry)) await walk(child, into);
}

/** Files of a drop, those of folders included; hidden ones are left out. @param {DataTransfer} transfer @returns {Promise<File[]>} */
async function gathered(transfer) {
  // Entries must be taken before anything is awaited: the transfer is emptied when the event ends.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  /** @type {File[]} */
  const files = [];
  for (const entry of entries) await walk(entry, files);
  return files;
}

function choose() {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.addEventListener("change", () => add([...(input.files || [])]));
  input.click();
}

document.addEventListener("click", (event) => {
  const target = /** @type {Element | null} */ (event.target);
  if (target?.closest("#import-choose")) choose();
});

let over = 0;
/** @param {DragEvent} event @param {number} by */
function dragged(event, by) {
  if (!here() || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  over = Math.max(0, over + by);
  document.getElementById("import-drop")?.classList.toggle("over", over > 0);
}
document.addEventListener("dragenter", (event) => dragged(event, 1));
document.addEventListener("dragleave", (event) => dragged(event, -1));
document.addEventListener("dragover", (event) => dragged(event, 0));
document.addEventListener("drop", async (event) => {
  if (!here() || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  over = 0;
  document.getElementById("import-drop")?.classList.remove("over");
  add(await gathered(event.dataTransfer));
});
window.addEventListener("beforeunload", (event) => {
  if (uploads.some((u) => u.state === "sending" || u.state === "waiting")) event.preventDefault();
});

// When the list changes, Dash makes all its rows anew: what somebody is typing goes on in the new input.
/** @type {HTMLInputElement | null} */
let typing = null;

/** @param {Event} event */
function noticed(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  typing = target instanceof HTMLInputElement && target.type === "text" && target.closest(".lot") ? target : null;
}
document.addEventListener("focusin", noticed);
document.addEventListener("input", noticed);

/** As if it had been typed: the component hears of it at once, before the next key. @param {HTMLInputElement} input @param {string} text */
function type(input, text) {
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(input, text);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

function goOn() {
  if (!typing || typing.isConnected) return;
  const [before, after] = [typing, /** @type {HTMLInputElement | null} */ (document.getElementById(typing.id))];
  if (!after) return void (typing = here() ? before : null);
  const caret = [before.selectionStart, before.selectionEnd];
  const isLeft = document.activeElement !== document.body;
  typing = null;
  if (after.value !== before.value) type(after, before.value);
  if (isLeft) return;
  after.focus();
  after.setSelectionRange(caret[0], caret[1]);
}
new MutationObserver(goOn).observe(document.documentElement, { childList: true, subtree: true });

/** @param {(number | null)[]} clicks */
export function current(clicks) {
  const id = window.dash_clientside.callback_context.triggered_id;
  return id && clicks.some(Boolean) ? id.sid : none();
}

/** @param {[string, string] | null} shown @param {{sid: string}[]} ids */
export const marks = (shown, ids) => ids.map((id) => (shown?.[0]?.split(".")[0] === id.sid ? "mark on" : "mark"));

/** @param {boolean} every @param {boolean[]} now */
export const tickAll = (every, now) => now.map(() => Boolean(every));

window.dash_clientside = Object.assign({}, window.dash_clientside, { imports: { current, marks, tickAll } });
