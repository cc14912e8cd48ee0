// @ts-check
// The distributions page (see components/distributions_page.py).
// Contract: brush(selectedData) -> "low,high" of the range that was dragged over the histogram, "" when it was taken away.

const DIGITS = 5; // significant digits beyond the range's width

/** @param {{range?: Record<string, number[]>} | null | undefined} selected */
export function brush(selected) {
  const cause = window.dash_clientside.callback_context.triggered_id;
  if (!cause) return window.dash_clientside.no_update;
  const range = selected?.range?.x;
  if (!range) return selected ? window.dash_clientside.no_update : "";
  const [low, high] = [...range].sort((a, b) => a - b);
  if (!(high > low)) return window.dash_clientside.no_update;
  const places = Math.max(0, Math.min(DIGITS, 2 - Math.floor(Math.log10(high - low))));
  return [low, high].map((v) => Number(v.toFixed(places))).join(",");
}

window.dash_clientside = Object.assign({}, window.dash_clientside, { distributions: { brush } });
