// @ts-check
// What an image view shows as a PNG: its panes with crosshair, marks and scale bars, caption, and the colour bars beside them.

const HEAD = 30, SIDE = 128, MARGIN = 14, BAR_WIDTH = 14, BAR_PART = 0.7, SWATCH = 10, LINE = 16; // css pixels

/** Draws the SVG over a pane as the page's style has it. @param {CanvasRenderingContext2D} c @param {Element} svg */
function marks(c, svg) {
  for (const node of svg.children) {
    const style = getComputedStyle(node);
    const at = (/** @type {string} */ name) => Number(node.getAttribute(name));
    Object.assign(c, { globalAlpha: Number(style.opacity), lineWidth: parseFloat(style.strokeWidth) || 1, strokeStyle: style.stroke, fillStyle: style.fill });
    const stroked = style.stroke !== "none", filled = style.fill !== "none";
    if (node.tagName === "text") {
      Object.assign(c, { font: `${style.fontSize} ${style.fontFamily}`, textAlign: node.getAttribute("text-anchor") === "middle" ? "center" : "left", lineJoin: "round" });
      if (stroked) c.strokeText(node.textContent ?? "", at("x"), at("y"));
      c.fillText(node.textContent ?? "", at("x"), at("y"));
      continue;
    }
    const shape = new Path2D(node.tagName === "path" ? (node.getAttribute("d") ?? "") : "");
    if (node.tagName === "circle") shape.arc(at("cx"), at("cy"), at("r"), 0, 2 * Math.PI);
    if (node.tagName === "rect") shape.rect(at("x"), at("y"), at("width"), at("height"));
    if (filled) c.fill(shape);
    if (stroked) c.stroke(shape);
  }
  Object.assign(c, { globalAlpha: 1, textAlign: "left" });
}

/** @param {CanvasRenderingContext2D} c @param {any} meta @param {any} look @param {number} x @param {number} height @param {string} ink */
function bar(c, meta, look, x, height, ink) {
  const { labelColour, paintBar, unit } = window.imageParts.colours;
  c.fillStyle = ink;
  c.fillText(unit(meta.units) ? `${meta.title} / ${unit(meta.units)}` : meta.title, x, HEAD - 10, SIDE - 8);
  c.fillText(meta.definition, x, HEAD + 4, SIDE - 8);
  const top = HEAD + 2 * MARGIN;
  if (meta.labels) {
    const named = Object.keys(meta.names).length ? Object.keys(meta.names).map(Number) : Array.from({ length: Math.min(12, (meta.high ?? 0) - (meta.low ?? 0) + 1) }, (_, i) => (meta.low ?? 0) + i);
    named.filter((v) => v >= meta.low && v <= meta.high).forEach((v, i) => {
      c.fillStyle = labelColour(v);
      c.fillRect(x, top + i * LINE, SWATCH, SWATCH);
      c.fillStyle = ink;
      c.fillText(meta.names[String(v)] ?? String(v), x + SWATCH + 6, top + i * LINE + 9, SIDE - 30);
    });
    return;
  }
  const tall = Math.round((height - HEAD) * BAR_PART);
  paintBar(c, look, [x, top, BAR_WIDTH, tall], ink);
}

/** @param {any} view */
export function composed(view) {
  const ratio = window.devicePixelRatio;
  const [width, height] = [view.stage.clientWidth + view.roles.length * SIDE, view.stage.clientHeight + HEAD];
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const style = getComputedStyle(view.root);
  const ink = style.color;
  c.scale(ratio, ratio);
  c.fillStyle = getComputedStyle(view.stage).backgroundColor;
  c.fillRect(0, 0, width, height);
  view.draw();
  c.drawImage(view.canvas, 0, HEAD, view.stage.clientWidth, view.stage.clientHeight);
  c.font = `12px ${style.fontFamily}`;
  for (const pane of view.panes) {
    c.save();
    c.translate(pane.element.offsetLeft, HEAD + pane.element.offsetTop);
    c.beginPath();
    c.rect(0, 0, pane.element.clientWidth, pane.element.clientHeight);
    c.clip();
    marks(c, pane.marks.svg);
    c.font = `12px ${style.fontFamily}`;
    c.fillStyle = ink;
    c.fillText(pane.marks.title.textContent ?? "", 8, 16);
    c.restore();
  }
  c.fillStyle = ink;
  const layer = view.layered ? ` · ${view.controls.layers.querySelector("output")?.textContent ?? ""}` : "";
  c.fillText(`${view.source.caption}${layer}`, 8, HEAD - 10);
  view.roles.forEach((/** @type {string} */ role, /** @type {number} */ i) => bar(c, view.metas[role], view.looks[role], view.stage.clientWidth + MARGIN + i * SIDE, height, ink));
  return canvas.toDataURL("image/png");
}

/** @param {any} view */
export function save(view) {
  const link = document.createElement("a");
  Object.assign(link, { href: composed(view), download: `${view.id}.png` });
  link.click();
}

window.imageParts = Object.assign(window.imageParts ?? {}, { picture: { composed, save } });
