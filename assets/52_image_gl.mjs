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

const VERTEX = `#version 300 es
void main() { gl_Position = vec4(vec2((gl_VertexID << 1) & 2, gl_VertexID & 2) * 2. - 1., 0, 1); }`;

const FRAGMENT = `#version 300 es
precision highp float; precision highp int; precision highp usampler2D;
uniform usampler2D base, overlay, mask;
uniform sampler2D colours;
uniform vec2 corner, origin, step_, size;      // corner: left and top of the pane in the frame buffer
uniform vec2 basePer, overlayPer, maskPer;     // texels a voxel
uniform vec4 baseMap, overlayMap;              // low code, codes across, row of the colour table, 0 absent 1 quantity 2 labels
uniform vec4 brush;                            // 0 none, 1 base, 2 overlay; low code; high code
uniform vec2 label;                            // 0 none, 1 any, 2 one; its code
uniform vec3 ground, accent;
uniform float opacity;
out vec4 seen;

uint code(usampler2D t, vec2 texel) { return texelFetch(t, min(ivec2(texel), textureSize(t, 0) - 1), 0).r; }
vec3 colour(uint c, vec4 m) {
  float v = float(c) - m.x;                    // labels repeat their colours, quantities end with theirs
  int i = m.w > 1.5 ? int(mod(v + .5, 252.)) : int(clamp(v / m.y, 0., 1.) * 255. + .5);
  return texelFetch(colours, ivec2(i, int(m.z)), 0).rgb;
}
void main() {
  vec2 voxel = origin + vec2(gl_FragCoord.x - corner.x, corner.y - gl_FragCoord.y) * step_;
  if (any(lessThan(voxel, vec2(0))) || any(greaterThanEqual(voxel, size))) { seen = vec4(ground, 1); return; }
  uint b = baseMap.w > 0. ? code(base, voxel * basePer) : 0u, o = overlayMap.w > 0. ? code(overlay, voxel * overlayPer) : 0u;
  vec3 c = b == 0u ? ground : colour(b, baseMap);
  if (o != 0u) c = mix(c, colour(o, overlayMap), opacity);
  if (brush.x > 0.) {
    uint v = brush.x > 1.5 ? o : b;
    bool lit = v != 0u && float(v) >= brush.y - .5 && float(v) <= brush.z + .5;
    c = lit ? mix(c, accent, .72) : mix(vec3(dot(c, vec3(.3, .59, .11))), ground, .55);
  }
  if (label.x > 0.) {
    uint m = code(mask, voxel * maskPer);
    if (m != 0u && (label.x < 1.5 || float(m) == label.y)) c = mix(c, accent, .5);
  }
  seen = vec4(c, 1);
}`;

const UNIFORMS = ["base", "overlay", "mask", "colours", "corner", "origin", "step_", "size", "basePer", "overlayPer", "maskPer", "baseMap", "overlayMap", "brush", "label", "ground", "accent", "opacity"];
const UNITS = { base: 0, overlay: 1, mask: 2, colours: 3 };

export class Painter {
  /** @param {HTMLCanvasElement} canvas @param {Uint8Array} table colours, 256 a row, RGBA */
  constructor(canvas, table) {
    const gl = canvas.getContext("webgl2", { antialias: false, depth: false, alpha: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error("no WebGL 2");
    this.canvas = canvas;
    this.gl = gl;
    this.program = this.build();
    this.at = Object.fromEntries(UNIFORMS.map((n) => [n, gl.getUniformLocation(this.program, n)]));
    /** @type {Map<string, {texture: WebGLTexture, slice: Slice | null}>} */
    this.textures = new Map();
    gl.useProgram(this.program);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.enable(gl.SCISSOR_TEST);
    this.nothing = /** @type {WebGLTexture} */ (gl.createTexture());
    gl.bindTexture(gl.TEXTURE_2D, this.nothing);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8UI, 1, 1, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, new Uint8Array(1));
    this.nearest();
    for (const [name, unit] of Object.entries(UNITS)) {
      gl.uniform1i(this.at[name], unit);
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, this.nothing);
    }
    gl.activeTexture(gl.TEXTURE0 + UNITS.colours);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, table.length / 1024, 0, gl.RGBA, gl.UNSIGNED_BYTE, table);
    this.nearest();
  }

  build() {
    const gl = this.gl;
    const program = /** @type {WebGLProgram} */ (gl.createProgram());
    for (const [kind, source] of /** @type {[number, string][]} */ ([[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]])) {
      const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
      gl.shaderSource(shader, source);
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
    gl.uniform2fv(this.at[`${role}Per`], plane.per);
    const slice = plane.slice;
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
    const { gl, at } = this;
    const [left, top, width, height] = look.rect;
    const bottom = this.canvas.height - top - height;
    gl.viewport(left, bottom, width, height);
    gl.scissor(left, bottom, width, height);
    gl.uniform2f(at.corner, left, bottom + height);
    gl.uniform2fv(at.origin, look.origin);
    gl.uniform2fv(at.step_, look.step);
    gl.uniform2fv(at.size, look.size);
    gl.uniform3fv(at.ground, look.ground);
    gl.uniform3fv(at.accent, look.accent);
    gl.uniform1f(at.opacity, look.opacity);
    for (const role of /** @type {("base" | "overlay")[]} */ (["base", "overlay"])) this.map(pane, role, look[role]);
    this.choose(pane, look);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** @param {string} pane @param {"base" | "overlay"} role @param {Map_ | null} map */
  map(pane, role, map) {
    const place = role === "base" ? this.at.baseMap : this.at.overlayMap;
    this.bind(pane, role, map);
    if (!map) return this.gl.uniform4f(place, 0, 1, 0, 0);
    const low = (map.low - map.slice.offset) / map.slice.scale;
    const across = Math.max(1e-6, (map.high - map.low) / map.slice.scale);
    this.gl.uniform4f(place, low, across, map.colours, map.labels ? 2 : 1);
  }

  /** Brush and highlight. @param {string} pane @param {Look} look */
  choose(pane, look) {
    const { gl, at } = this;
    const target = look.brush ? look[look.brush.on] : null;
    if (look.brush && target) {
      const [low, high] = [look.brush.low, look.brush.high].map((v) => (v - target.slice.offset) / target.slice.scale);
      gl.uniform4f(at.brush, look.brush.on === "base" ? 1 : 2, low, high, 0);
    } else gl.uniform4f(at.brush, 0, 0, 0, 0);
    this.bind(pane, "mask", look.mask);
    if (look.mask && look.label !== null) {
      const { slice } = look.mask;
      const code = Math.round((look.label - slice.offset) / slice.scale);
      gl.uniform2f(at.label, look.label < 0 ? 1 : 2, code); // a negative label stands for any
    } else gl.uniform2f(at.label, 0, 0);
  }

  /** Gives the context back; browsers allow only a few. */
  dispose() {
    this.textures.clear();
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

window.imageParts = Object.assign(window.imageParts ?? {}, { gl: { Painter } });
