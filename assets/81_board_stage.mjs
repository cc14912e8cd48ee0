// @ts-check
// A board as a presentation (see components/board_page.py): one slide at a time on the whole screen, figures still alive.
// Contract: "interplay-board" {do: present | previous | next | notes | end | arrived}; arrows, Page keys, Home, End, Escape and N
//           do the same. The address keeps the slide (slide=2), so that a link opens the presentation there.

const board = () => document.getElementById("board");
const slides = () => /** @type {HTMLElement[]} */ ([...(board()?.querySelectorAll(".slide") ?? [])]);
const presenting = () => Boolean(board()?.classList.contains("presenting"));
let at = 0;

/** @param {number | null} slide */
function address(slide) {
  const query = new URLSearchParams(window.location.search);
  if (slide === null) query.delete("slide");
  else query.set("slide", String(slide + 1));
  window.history.replaceState(window.history.state, "", `${window.location.pathname}?${query}`);
}

/** @param {number} wanted */
function show(wanted) {
  const all = slides();
  at = Math.min(Math.max(0, wanted), all.length - 1);
  all.forEach((slide, i) => slide.classList.toggle("current", i === at));
  const count = document.getElementById("board-slide");
  if (count) count.textContent = `${at + 1} / ${all.length}`;
  address(at);
  window.dispatchEvent(new Event("resize")); // Plotly fits the figure to its new place
}

/** @param {number} slide */
async function begin(slide) {
  board()?.classList.add("presenting");
  show(slide);
  // A link cannot open the whole screen, only a click can; without it the slides fill the window.
  if (!document.fullscreenElement) await board()?.requestFullscreen?.().catch(() => undefined);
  window.dispatchEvent(new Event("resize"));
}

function end() {
  if (!presenting()) return;
  board()?.classList.remove("presenting");
  slides().forEach((slide) => slide.classList.remove("current"));
  address(null);
  if (document.fullscreenElement) document.exitFullscreen().catch(() => undefined);
  window.dispatchEvent(new Event("resize"));
  slides()[at]?.scrollIntoView({ block: "nearest" });
}

/** @type {Record<string, () => unknown>} */
const DOES = {
  present: () => begin(0),
  previous: () => show(at - 1),
  next: () => show(at + 1),
  notes: () => board()?.classList.toggle("without-notes") !== undefined && window.dispatchEvent(new Event("resize")),
  end,
  arrived: () => {
    const wanted = Number(new URLSearchParams(window.location.search).get("slide"));
    if (wanted > 0 && slides().length) begin(wanted - 1);
  },
};
/** @type {Record<string, () => unknown>} */
const KEYS = {
  ArrowRight: DOES.next,
  ArrowDown: DOES.next,
  PageDown: DOES.next,
  ArrowLeft: DOES.previous,
  ArrowUp: DOES.previous,
  PageUp: DOES.previous,
  Home: () => show(0),
  End: () => show(slides().length - 1),
  Escape: end,
  n: DOES.notes,
};

window.addEventListener("interplay-board", (event) => DOES[/** @type {CustomEvent} */ (event).detail.do]?.());
window.addEventListener("popstate", () => presenting() && !window.location.search.includes("slide=") && end());
document.addEventListener("fullscreenchange", () => !document.fullscreenElement && end());
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select, dialog");
  if (!presenting() || typing || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
