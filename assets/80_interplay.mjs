// @ts-check
// Linked brushing over the panels of a matrix of scatter plots (see components/interplay_page.py).
// Contract: brush(selected) -> names of the chosen replicates; every point's name is its trace's customdata, and all points of
//           the same name are marked in every panel. An empty selection lets go of all.

/** @type {string[]} */
let last = [];

const matrix = () => [...document.querySelectorAll(".graph")].find((g) => g.id.includes('"interplay.matrix"'))?.querySelector(".js-plotly-plot");

/** @param {{points?: {customdata?: string}[]} | null} selected */
export function brush(selected) {
  const gd = /** @type {any} */ (matrix());
  const names = [...new Set((selected?.points || []).map((p) => String(p.customdata)))].sort();
  if (!gd?.data || names.join("\n") === last.join("\n")) return window.dash_clientside.no_update;
  last = names;
  const chosen = new Set(names);
  const places = gd.data.map((/** @type {any} */ t) =>
    names.length ? (t.customdata || []).flatMap((/** @type {string} */ n, /** @type {number} */ i) => (chosen.has(n) ? [i] : [])) : null,
  );
  window.Plotly.restyle(gd, { selectedpoints: places }, gd.data.map((/** @type {any} */ _t, /** @type {number} */ i) => i));
  return names;
}

window.dash_clientside = Object.assign({}, window.dash_clientside, { interplay: { brush } });
