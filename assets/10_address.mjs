// @ts-check
// The address bar as state (see components/address.py).
// Contract: collect(values, search, ids, store) -> query object for the store, and the only history.pushState of the program;
//           links(query, ids) -> hrefs that keep the chosen groups.
//           anew(before, after) -> whether the page is laid out anew when its address goes from one query to the other

const CARRIED = ["ref", "cmp", "excluded"]; // kept when another page is opened
const PAGE = ["ref", "cmp", "excluded", "tab", "test", "table", "particle", "beside", "states", "cycle", "dims", "show", "edge", "recipe", "calibrants", "energies", "values", "preset", "c_detector"]; // decide what a page consists of: it is laid out anew

/** @param {string} search @returns {Record<string, string>} */
export const parse = (search) => Object.fromEntries(new URLSearchParams(search || ""));

/** @param {unknown} value */
const text = (value) => (value == null ? "" : Array.isArray(value) ? value.join(",") : String(value));

/** @param {Record<string, string>} before @param {Record<string, string>} after */
export const anew = (before, after) => PAGE.some((name) => before[name] !== after[name]);

/** @param {unknown[]} values @param {string} _search @param {{name: string, default: string}[]} ids @param {Record<string, string> | null} store */
export function collect(values, _search, ids, store) {
  const base = parse(window.location.search);
  const query = { ...base };
  // A link or the back button changed the address: it is right, and the controls still mounted belong to the view before.
  const given = (window.dash_clientside.callback_context.triggered || []).some((t) => t.prop_id.startsWith("_pages_location"));
  if (given) return JSON.stringify(base) === JSON.stringify(store) ? window.dash_clientside.no_update : base;
  ids.forEach((id, i) => {
    const value = text(values[i]);
    if (value === id.default) delete query[id.name];
    else query[id.name] = value;
  });
  const after = new URLSearchParams(query).toString();
  if (after !== new URLSearchParams(base).toString()) {
    window.history.pushState({}, "", window.location.pathname + (after ? `?${after}` : ""));
    // Dash's location hears this event, so that its router asks for the page again.
    if (anew(base, query)) window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }
  return JSON.stringify(query) === JSON.stringify(store) ? window.dash_clientside.no_update : query;
}

/** @param {Record<string, string>} query @param {{path: string}[]} ids */
export function links(query, ids) {
  const kept = new URLSearchParams(CARRIED.filter((k) => query?.[k]).map((k) => [k, query[k]])).toString();
  return ids.map((id) => id.path + (kept ? `?${kept}` : ""));
}

window.dash_clientside = Object.assign({}, window.dash_clientside, { address: { collect, links, anew } });
