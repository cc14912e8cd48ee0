// @ts-check
// What a 3D view fetches and makes: meshes, coloured slices for its cut plane, and the picture that is saved.

const PICTURE_EDGE = 1024; // of a slice on the cut plane, in voxels
const BAR = { width: 16, margin: 24, height: 0.5, text: 90 };

const KEPT = 12;
/** @type {Map<string, Promise<any>>} */
const meshes = new Map();

/** @param {string} key @returns {Promise<{meta: any, mesh: import("./61_volume_scene.mjs").Mesh}>} */
export function loaded(key) {
  let coming = meshes.get(key);
  if (!coming) {
    coming = Promise.all([fetch(`/mesh/${key}/meta`), fetch(`/mesh/${key}/surface`)]).then(async ([meta, surface]) => {
      if (!meta.ok || !surface.ok) throw new Error(await (meta.ok ? surface : meta).text());
      const [v, f] = (surface.headers.get("X-Mesh") ?? "").split(",").map(Number);
      const bytes = await surface.arrayBuffer();
      const floats = (/** @type {number} */ from, /** @type {number} */ n) => new Float32Array(bytes, 4 * from, n);
      const mesh = { points: floats(0, 3 * v), normals: floats(3 * v, 3 * v), values: floats(6 * v, v), faces: new Uint32Array(bytes, 28 * v, 3 * f) };
      return { meta: await meta.json(), mesh };
    });
    coming.catch(() => meshes.delete(key));
    meshes.set(key, coming);
    for (const old of [...meshes.keys()].slice(0, -KEPT)) meshes.delete(old);
  }
  return coming;
}

/** A slice in its colours; transparent where it has no value. @param {import("./51_image_data.mjs").Slice} slice @param {any} look @param {any} brush */
export function sliced(slice, look, brush) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: slice.cols, height: slice.rows });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(slice.cols, slice.rows);
  const values = Float32Array.from({ length: 2 ** slice.bits }, (_, code) => slice.offset + slice.scale * code);
  const colours = window.imageParts.scene3d.painted(values, look, brush);
  const table = new Uint32Array(values.length); // red in the lowest byte, as the image has it; code 0 stays transparent
  for (let code = 1; code < table.length; code++) table[code] = (255 << 24) | (colours[3 * code + 2] << 16) | (colours[3 * code + 1] << 8) | colours[3 * code];
  const pixels = new Uint32Array(image.data.buffer);
  slice.data.forEach((code, i) => (pixels[i] = table[code]));
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The slice of a map at a voxel of an axis, not larger than a texture should be. @param {any} meta @param {"z" | "y" | "x"} axis @param {number} index @param {number} layer @param {{low: number, high: number}} look @param {boolean} exact in 16 bits, as a brush needs it */
export function cutAt(meta, axis, index, layer, look, exact) {
  const { address, bits, Slices } = window.imageParts.data;
  const level = Math.max(0, meta.levels.findIndex((/** @type {number[]} */ l) => Math.max(...l) <= PICTURE_EDGE));
  const thin = meta.levels[0]["zyx".indexOf(axis)] === 1;
  const wanted = { source: meta, level, axis, index: thin ? 0 : index >> level, layer, bits: bits(meta, !exact), window: [look.low, look.high] };
  const slices = (window.imageParts.slices ??= new Slices());
  return slices.load(address(meta, wanted), level);
}

/** What is seen as a PNG, with colour bar and scale, as an address for a link. @param {any} view */
export async function composed(view) {
  view.sharpen(false);
  const seen = new Image();
  seen.src = await view.scene.picture();
  await seen.decode();
  const canvas = document.createElement("canvas");
  const wide = view.metas.base ? BAR.width + 2 * BAR.margin + BAR.text : 0;
  Object.assign(canvas, { width: seen.width + wide, height: seen.height });
  const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const style = getComputedStyle(view.stage);
  c.fillStyle = style.backgroundColor;
  c.fillRect(0, 0, canvas.width, canvas.height);
  c.drawImage(seen, 0, 0);
  c.fillStyle = style.color;
  c.font = `13px ${style.fontFamily}`;
  c.fillText(view.source.caption, BAR.margin, BAR.margin);
  scale(c, view, seen.height);
  if (view.metas.base) bar(c, view, seen.width + BAR.margin, seen.height);
  return canvas.toDataURL("image/png");
}

/** @param {CanvasRenderingContext2D} c @param {any} view @param {number} height */
function scale(c, view, height) {
  const width = view.bar.getBoundingClientRect().width * window.devicePixelRatio;
  c.fillRect(BAR.margin, height - BAR.margin, width, 4);
  c.fillText(view.bar.textContent, BAR.margin, height - BAR.margin - 7);
}

/** @param {CanvasRenderingContext2D} c @param {any} view @param {number} x @param {number} height */
function bar(c, view, x, height) {
  const { paintBar, unit } = window.imageParts.colours;
  const [meta, look] = [view.metas.base, view.looks.base];
  const [top, tall, ink] = [3 * BAR.margin, Math.round(height * BAR.height), c.fillStyle];
  paintBar(c, look, [x, top, BAR.width, tall], ink);
  c.fillText(unit(meta.units) ? `${meta.title} / ${unit(meta.units)}` : meta.title, x - BAR.margin / 2, BAR.margin);
  c.fillText(meta.definition, x - BAR.margin / 2, 1.8 * BAR.margin);
}

window.imageParts = Object.assign(window.imageParts ?? {}, { picture3d: { loaded, sliced, cutAt, composed } });
