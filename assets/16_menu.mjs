// @ts-check
// Menus of pictures (see components/menu.py): opening, keys, choosing.
// Contract: a button that says data-menu="NAME" opens the menu NAME-menu for what it says in data-of, without the entries named in
//           data-without; what is chosen is told to the window: "interplay-chosen" {menu, action, of}.
//           how({menu, of}) asks the server how something was made; copied(address) puts a text of the server into the clipboard.

const EDGE = 8; // pixels that stay free beside the window's border

/** @type {{menu: HTMLElement, button: HTMLElement} | null} */
let open = null;

/** @param {HTMLElement} menu @returns {HTMLElement[]} */
const entries = (menu) => [...menu.querySelectorAll("[role=menuitem]")].filter((e) => e instanceof HTMLElement && !e.hidden).map((e) => /** @type {HTMLElement} */ (e));

/** @param {HTMLElement} menu @param {HTMLElement} button */
function place(menu, button) {
  const [at, size] = [button.getBoundingClientRect(), menu.getBoundingClientRect()];
  const below = at.bottom + size.height + EDGE < window.innerHeight;
  menu.style.left = `${Math.max(EDGE, Math.min(at.right - size.width, window.innerWidth - size.width - EDGE))}px`;
  menu.style.top = `${Math.max(EDGE, below ? at.bottom + 4 : at.top - size.height - 4)}px`;
}

/** @param {HTMLElement} button */
function show(button) {
  const menu = document.getElementById(`${button.dataset.menu}-menu`);
  if (!menu) return;
  const without = (button.dataset.without ?? "").split(" ");
  for (const e of menu.querySelectorAll("[role=menuitem]")) if (e instanceof HTMLElement) e.hidden = without.includes(e.dataset.action ?? "");
  menu.popover = "auto"; // closes by itself: with Escape, and with a click elsewhere
  menu.showPopover();
  place(menu, button);
  button.setAttribute("aria-expanded", "true");
  open = { menu, button };
  menu.addEventListener("toggle", closed);
  entries(menu)[0]?.focus({ focusVisible: false });
}

/** @param {Event} event */
function closed(event) {
  if (!open || /** @type {ToggleEvent} */ (event).newState !== "closed" || event.target !== open.menu) return;
  open.menu.removeEventListener("toggle", closed);
  open.button.setAttribute("aria-expanded", "false");
  if (document.activeElement === document.body) open.button.focus({ focusVisible: false });
  open = null;
}

/** @param {MouseEvent} event */
function pressed(event) {
  const target = event.target instanceof Element ? event.target : null;
  const button = target?.closest("[data-menu]");
  if (button instanceof HTMLElement) return open?.button === button ? open.menu.hidePopover() : show(button);
  const entry = target?.closest(".menu [role=menuitem]");
  if (!(entry instanceof HTMLElement) || !open) return;
  const { menu, of } = open.button.dataset;
  open.button.focus({ focusVisible: false });
  open.menu.hidePopover();
  window.dispatchEvent(new CustomEvent("interplay-chosen", { detail: { menu, of, action: entry.dataset.action } }));
}

/** @param {KeyboardEvent} event */
function walked(event) {
  if (!open) return;
  const all = entries(open.menu);
  const now = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: all.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  all[(next + all.length) % all.length]?.focus();
}

/** @param {string} message @param {string} color */
const tell = (message, color) =>
  window.dash_clientside.set_props("notifications", { sendNotifications: [{ action: "show", message, color, id: String(Date.now()) }] });

/** @param {string} address */
async function copied(address) {
  const answer = await fetch(address);
  const text = await answer.text();
  if (!answer.ok) return tell(text, "red");
  try {
    await navigator.clipboard.writeText(text);
    tell("The command is in the clipboard.", "teal");
  } catch {
    tell("The browser refused the clipboard; the command stands under “How was this made?”.", "orange");
  }
}

/** @param {{menu: string, of: string}} asked */
const how = ({ menu, of }) => window.dash_clientside.set_props(`${menu}-how`, { data: { of, at: performance.now() } });

document.addEventListener("click", pressed);
document.addEventListener("keydown", walked);
window.dash_clientside = Object.assign({}, window.dash_clientside, { menus: { how, copied } });
