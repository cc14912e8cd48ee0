// @ts-check
// Slices as integer textures: window, colour map, overlay, brush and highlight are uniforms, so that a change of any of them
// is a redraw and no request. One context draws all panes of a view, each into its own rectangle of the canvas.

/** @typedef {import("./51_image_data.mjs").Slice} Slice */
/** @typedef {{slice: Slice, per: [number, number]}} Plane a slice, and its texels for each column and row of the pane's voxels */
/** @typedef {Plane & {low: number, high: number, colours: number, labels: boolean}} Map_ one map: window in values, row of the colour table */
/** @typedef {{
 *   rect: [number, number, number, number], origin: [number, number], step: [number, number], size: [number, number],
 *   base: Map_ | null, overlay: Map_ | null, mask: Plane | null, opacity: number, ground: number[], accent: number[],
 *   brush: {on: "base" | "overlay", low: number, high: number} | null, label: number | null,
 * }} Look rect: left, top, width, height in device pixels; origin: column and row of the voxel at its corner; step: voxels a pixel */

const VERTEX = `
void main() { gl_Position = vec4(vec2((gl_VertexID << 1) & 2, gl_VertexID & 2) * 2. - 1., 0, 1); }`;

// Parts that a picture does not use are left out by #define: software WebGL pays for each of them at every pixel.
const FRAGMENT = `
precision highp float; precision highp int; precision highp usampler2D;
uniform usampler2D base, overlay, mask;
uniform sampler2D colours;
uniform vec2 corner, origin, step_;            // corner: left and top of the pane in the frame buffer
uniform vec2 basePer, overlayPer, maskPer;     // texels a voxel
uniform ivec2 baseLast, overlayLast, maskLast; // the last texel
uniform vec3 baseMap, overlayMap;              // low code, colours a code, row of the colour table
uniform vec2 brush;                            // low code, high code
uniform float label;                           // its code; below 0: any
uniform vec3 ground, accent;
uniform float opacity;
out vec4 seen;

#define CODE(t, per, last) texelFetch(t, clamp(ivec2(voxel * per), ivec2(0), last), 0).r
vec3 quantity(uint c, vec3 m) { return texelFetch(colours, ivec2(clamp((float(c) - m.x) * m.y + .5, 0., 255.), m.z), 0).rgb; }
vec3 repeated(uint c, vec3 m) { return texelFetch(colours, ivec2(mod(float(c) - m.x + .5, 247.), m.z), 0).rgb; }

void main() {
  vec2 voxel = origin + vec2(gl_FragCoord.x - corner.x, corner.y - gl_FragCoord.y) * step_;
  vec3 c = ground;
#ifdef BASE
  uint b = CODE(base, basePer, baseLast);
  if (b != 0u) c = BASE(b, baseMap);
#endif
#ifdef OVERLAY
  uint o = CODE(overlay, overlayPer, overlayLast);
  if (o != 0u) c = mix(c, OVERLAY(o, overlayMap), opacity);
#endif
#ifdef BRUSH
  uint lit = BRUSH;
  bool inside = lit != 0u && float(lit) >= brush.x - .5 && float(lit) <= brush.y + .5;
  c = inside ? mix(c, accent, .72) : mix(vec3(dot(c, vec3(.3, .59, .11))), ground, .55);
#endif
#ifdef MASK
  uint m = CODE(mask, maskPer, maskLast);
  if (m != 0u && (label < 0. || float(m) == label)) c = mix(c, accent, .5);
#endif
  seen = vec4(c, 1);
}`;

const ROLES = /** @type {("base" | "overlay" | "mask")[]} */ (["base", "overlay", "mask"]);
const UNIFORMS = ["corner", "origin", "step_", ...ROLES.flatMap((r) => [r, `${r}Per`, `${r}Last`]), "colours", "baseMap", "overlayMap", "brush", "label", "ground", "accent", "opacity"];
const UNITS = { base: 0, overlay: 1, mask: 2, colours: 3 };
const HEAD = "#version 300 es\n";

export class Painter {
  /** @param {HTMLCanvasElement} canvas @param {Uint8Array} table colours, 256 a row, RGBA */
  constructor(canvas, table) {
    const gl = canvas.getContext("webgl2", { antialias: false, depth: false, alpha: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error("no WebGL 2");
    this.canvas = canvas;
    this.gl = gl;
    /** @type {Record<string, WebGLUniformLocation | null>} of the program in use */
    this.at = {};
    /** @type {Map<string, {program: WebGLProgram, at: Record<string, WebGLUniformLocation | null>}>} */
    this.programs = new Map();
    /** @type {Map<string, {texture: WebGLTexture, slice: Slice | null}>} */
    this.textures = new Map();
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.enable(gl.SCISSOR_TEST);
    this.nothing = /** @type {WebGLTexture} */ (gl.createTexture());
    gl.bindTexture(gl.TEXTURE_2D, this.nothing);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8UI, 1, 1, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, new Uint8Array(1));
    this.nearest();
    for (const unit of Object.values(UNITS)) {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, this.nothing);
    }
    gl.activeTexture(gl.TEXTURE0 + UNITS.colours);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, table.length / 1024, 0, gl.RGBA, gl.UNSIGNED_BYTE, table);
    this.nearest();
  }

  /** The program with these parts, made once and now in use. @param {Record<string, string>} parts */
  use(parts) {
    const gl = this.gl;
    const defines = Object.entries(parts).map(([name, value]) => `#define ${name} ${value}\n`).join("");
    let made = this.programs.get(defines);
    if (!made) {
      const program = this.build(defines);
      made = { program, at: Object.fromEntries(UNIFORMS.map((n) => [n, gl.getUniformLocation(program, n)])) };
      this.programs.set(defines, made);
      gl.useProgram(program);
      for (const [name, unit] of Object.entries(UNITS)) gl.uniform1i(made.at[name], unit);
    }
    gl.useProgram(made.program);
    this.at = made.at;
  }

  /** @param {string} defines */
  build(defines) {
    const gl = this.gl;
    const program = /** @type {WebGLProgram} */ (gl.createProgram());
    for (const [kind, source] of /** @type {[number, string][]} */ ([[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, defines + FRAGMENT]])) {
      const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
      gl.shaderSource(shader, HEAD + source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "the shader does not link");
    return program;
  }

  nearest() {
    const gl = this.gl;
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  }

  /** Binds the texture of a pane's map, filled with the slice. @param {string} pane @param {"base" | "overlay" | "mask"} role @param {Plane | null} plane */
  bind(pane, role, plane) {
    const gl = this.gl;
    gl.activeTexture(gl.TEXTURE0 + UNITS[role]);
    if (!plane) return gl.bindTexture(gl.TEXTURE_2D, this.nothing);
    const slice = plane.slice;
    gl.uniform2fv(this.at[`${role}Per`], plane.per);
    gl.uniform2i(this.at[`${role}Last`], slice.cols - 1, slice.rows - 1);
    let kept = this.textures.get(`${pane} ${role}`);
    if (!kept) this.textures.set(`${pane} ${role}`, (kept = { texture: /** @type {WebGLTexture} */ (gl.createTexture()), slice: null }));
    gl.bindTexture(gl.TEXTURE_2D, kept.texture);
    if (kept.slice === slice) return;
    const [inside, type] = slice.bits === 8 ? [gl.R8UI, gl.UNSIGNED_BYTE] : [gl.R16UI, gl.UNSIGNED_SHORT];
    const old = kept.slice;
    if (old && old.bits === slice.bits && old.rows === slice.rows && old.cols === slice.cols) {
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, slice.cols, slice.rows, gl.RED_INTEGER, type, slice.data);
    } else {
      gl.texImage2D(gl.TEXTURE_2D, 0, inside, slice.cols, slice.rows, 0, gl.RED_INTEGER, type, slice.data);
      this.nearest();
    }
    kept.slice = slice;
  }

  /** @param {number[]} ground */
  clear(ground) {
    const { gl, canvas } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.scissor(0, 0, canvas.width, canvas.height);
    gl.clearColor(ground[0], ground[1], ground[2], 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }

  /** @param {string} pane @param {Look} look */
  paint(pane, look) {
    const { gl } = this;
    const [left, top, width, height] = look.rect;
    const above = this.canvas.height - top; // the frame buffer counts upward
    gl.viewport(left, above - height, width, height);
    if (!this.within(look)) return;
    const parts = this.parts(look);
    this.use(parts);
    const { at } = this;
    gl.uniform2f(at.corner, left, above);
    gl.uniform2fv(at.origin, look.origin);
    gl.uniform2fv(at.step_, look.step);
    gl.uniform3fv(at.ground, look.ground);
    gl.uniform3fv(at.accent, look.accent);
    gl.uniform1f(at.opacity, look.opacity);
    this.map(pane, "base", look.base);
    this.map(pane, "overlay", look.overlay);
    this.bind(pane, "mask", parts.MASK ? look.mask : null);
    if (parts.BRUSH) this.brush(look);
    if (look.mask && look.label !== null) gl.uniform1f(at.label, look.label < 0 ? -1 : Math.round((look.label - look.mask.slice.offset) / look.mask.slice.scale));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Keeps the drawing to the pixels whose middle lies in the volume; false where there is none. @param {Look} look */
  within({ rect, origin, step, size }) {
    const [left, top, width, height] = rect;
    const [x0, x1, y0, y1] = [0, 1].flatMap((d) => [0, size[d]].map((v) => Math.min([width, height][d], Math.max(0, Math.ceil((v - origin[d]) / step[d] - 0.5)))));
    this.gl.scissor(left + x0, this.canvas.height - top - y1, Math.max(0, x1 - x0), Math.max(0, y1 - y0));
    return x1 > x0 && y1 > y0;
  }

  /** @param {Look} look */
  parts({ base, overlay, mask, brush, label }) {
    const kind = (/** @type {Map_} */ m) => (m.labels ? "repeated" : "quantity");
    /** @type {Record<string, string>} */
    const parts = {};
    if (base) parts.BASE = kind(base);
    if (overlay) parts.OVERLAY = kind(overlay);
    if (brush && { base, overlay }[brush.on]) parts.BRUSH = brush.on === "base" ? "b" : "o";
    if (mask && label !== null) parts.MASK = "1";
    return parts;
  }

  /** @param {string} pane @param {"base" | "overlay"} role @param {Map_ | null} map */
  map(pane, role, map) {
    this.bind(pane, role, map);
    if (!map) return;
    const low = (map.low - map.slice.offset) / map.slice.scale;
    this.gl.uniform3f(this.at[`${role}Map`], low, (255 * map.slice.scale) / (map.high - map.low), map.colours);
  }

  /** @param {Look} look */
  brush(look) {
    const { slice } = /** @type {Map_} */ (look[/** @type {any} */ (look.brush).on === "base" ? "base" : "overlay"]);
    const [low, high] = [look.brush?.low ?? 0, look.brush?.high ?? 0].map((v) => (v - slice.offset) / slice.scale);
    this.gl.uniform2f(this.at.brush, low, high);
  }

  /** Gives the context back; browsers allow only a few. */
  dispose() {
    this.textures.clear();
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

window.imageParts = Object.assign(window.imageParts ?? {}, { gl: { Painter } });
