// @ts-check
// A scene of vtk.js: a coloured surface, a transparent shell around it, a cut plane that shows the map inside, one camera.
// Coordinates are µm, x to the right, y down, z away from the viewer at first: a slice along z as the image view shows it.

/** @typedef {{points: Float32Array, normals: Float32Array, values: Float32Array, faces: Uint32Array}} Mesh */
/** @typedef {{low: number, high: number, colours: string, labels?: boolean}} Look */
/** @typedef {{low: number, high: number} | null} Brush */
/** @typedef {{axis: "z" | "y" | "x", at: number, size: [number, number, number], pixels: HTMLCanvasElement, flip: boolean}} Cut at: µm along the axis; size: µm along x, y, z */

const SHELL_OPACITY = 0.16;
const DIMMED = 0.75; // towards grey, for what a brush leaves out
const NO_VALUE = [150, 150, 150], ACCENT = [255, 51, 102];
const AXES = ["x", "y", "z"];
/** Position relative to the middle, and what is up: each side shows the volume as the slice of that name does. @type {Record<string, [number[], number[]]>} */
const SIDES = { xy: [[0, 0, -1], [0, -1, 0]], xz: [[0, 1, 0], [0, 0, -1]], yz: [[-1, 0, 0], [0, 0, -1]], oblique: [[0.55, -0.55, -1], [0, -1, 0]] };
/** The half that a cut leaves lies behind it for who looks from the side of that name. @type {Record<string, number>} */
const BEHIND = { x: 1, y: -1, z: 1 };
const FILL = 0.72; // of the sphere around everything: particles are round

/** Colours of the vertices, three bytes each. @param {Float32Array} values @param {Look} look @param {Brush} brush */
export function painted(values, look, brush) {
  const { colour, labelRgb } = window.imageParts.colours;
  const table = Array.from({ length: 256 }, (_, i) => colour(look.colours, i / 255));
  const made = new Uint8Array(values.length * 3);
  const scale = 255 / (look.high - look.low || 1);
  values.forEach((v, i) => {
    let c = Number.isNaN(v) ? NO_VALUE : look.labels ? labelRgb(v) : table[Math.min(255, Math.max(0, Math.round((v - look.low) * scale)))];
    if (brush) c = v >= brush.low && v <= brush.high ? ACCENT : c.map((/** @type {number} */ p) => p + (NO_VALUE[0] - p) * DIMMED);
    made.set(c, 3 * i);
  });
  return made;
}

export class Scene {
  /** @param {any} vtk the bundle @param {HTMLElement} place */
  constructor(vtk, place) {
    this.vtk = vtk;
    this.window = vtk.RenderWindow.newInstance();
    this.renderer = vtk.Renderer.newInstance();
    this.window.addRenderer(this.renderer);
    this.gl = vtk.GLWindow.newInstance();
    this.gl.setContainer(place);
    this.window.addView(this.gl);
    this.interactor = vtk.Interactor.newInstance();
    this.interactor.setView(this.gl);
    this.interactor.initialize();
    this.interactor.setEnableRender(false); // one drawing a frame, by the view, is enough
    this.interactor.bindEvents(place);
    this.interactor.setInteractorStyle(vtk.Trackball.newInstance());
    this.camera = this.renderer.getActiveCamera();
    this.camera.setParallelProjection(true); // lengths on the screen are lengths, whatever the depth
    this.plane = vtk.Plane.newInstance();
    /** @type {{actor: any, mapper: any, data: any, mesh: Mesh} | null} */
    this.surface = null;
    /** @type {any} */
    this.shell = null;
    /** @type {any} */
    this.cutting = null;
    this.middle = [0, 0, 0]; // µm along x, y, z
  }

  /** @param {Mesh} mesh */
  solid(mesh) {
    const { vtk } = this;
    const data = vtk.PolyData.newInstance();
    data.getPoints().setData(mesh.points, 3);
    data.getPointData().setNormals(vtk.DataArray.newInstance({ name: "Normals", values: mesh.normals, numberOfComponents: 3 }));
    const cells = new Uint32Array((mesh.faces.length / 3) * 4);
    for (let i = 0, j = 0; i < mesh.faces.length; i += 3) {
      cells[j++] = 3;
      for (let k = 0; k < 3; k++) cells[j++] = mesh.faces[i + k];
    }
    data.getPolys().setData(cells);
    const mapper = vtk.Mapper.newInstance();
    mapper.setInputData(data);
    const actor = vtk.Actor.newInstance();
    actor.setMapper(mapper);
    actor.getProperty().setSpecular(0.08);
    actor.getProperty().setAmbient(0.25);
    actor.getProperty().setDiffuse(0.8);
    return { actor, mapper, data, mesh };
  }

  /** @param {Mesh} mesh */
  setSurface(mesh) {
    if (this.surface) this.renderer.removeActor(this.surface.actor);
    this.surface = this.solid(mesh);
    this.surface.mapper.setColorModeToDirectScalars();
    this.renderer.addActor(this.surface.actor);
  }

  /** @param {Mesh | null} mesh @param {number[]} ink */
  setShell(mesh, ink) {
    if (this.shell) this.renderer.removeActor(this.shell.actor);
    this.shell = mesh && this.solid(mesh);
    if (!this.shell) return;
    this.shell.mapper.setScalarVisibility(false);
    this.shell.actor.getProperty().setOpacity(SHELL_OPACITY);
    this.shell.actor.getProperty().setColor(...ink);
    this.renderer.addActor(this.shell.actor);
  }

  /** @param {Look} look @param {Brush} brush */
  paint(look, brush) {
    if (!this.surface) return;
    const { data, mesh } = this.surface;
    const values = painted(mesh.values, look, brush);
    data.getPointData().setScalars(this.vtk.DataArray.newInstance({ name: "Colours", values, numberOfComponents: 3 }));
    data.modified();
  }

  /** Opens the surface at a plane and shows the map there; null closes it. @param {Cut | null} cut */
  cut(cut) {
    if (this.cutting) this.renderer.removeActor(this.cutting);
    this.cutting = null;
    this.surface?.mapper.removeAllClippingPlanes();
    if (!cut || !this.surface) return;
    const i = AXES.indexOf(cut.axis);
    const origin = [0, 0, 0];
    origin[i] = cut.at;
    this.plane.setOrigin(...origin);
    this.plane.setNormal(...AXES.map((_, k) => (k === i ? BEHIND[cut.axis] * (cut.flip ? -1 : 1) : 0)));
    this.surface.mapper.addClippingPlane(this.plane);
    this.cutting = this.sheet(cut, i);
    this.renderer.addActor(this.cutting);
  }

  /** A rectangle across the volume with the slice on it. @param {Cut} cut @param {number} i */
  sheet(cut, i) {
    const { vtk } = this;
    const [cols, rows] = [[1, 2], [0, 2], [0, 1]][i]; // of the slice, see components/image_routes.py
    const points = new Float32Array(12);
    [[0, 0], [1, 0], [1, 1], [0, 1]].forEach(([u, v], n) => {
      points[3 * n + i] = cut.at;
      points[3 * n + cols] = u * cut.size[cols];
      points[3 * n + rows] = v * cut.size[rows];
    });
    const data = vtk.PolyData.newInstance();
    data.getPoints().setData(points, 3);
    data.getPolys().setData(new Uint32Array([4, 0, 1, 2, 3]));
    const corners = new Float32Array([0, 1, 1, 1, 1, 0, 0, 0]); // vtk.js turns pictures over: their first row is at 1
    data.getPointData().setTCoords(vtk.DataArray.newInstance({ name: "T", values: corners, numberOfComponents: 2 }));
    const mapper = vtk.Mapper.newInstance();
    mapper.setInputData(data);
    const texture = vtk.Texture.newInstance();
    texture.setInterpolate(false);
    texture.setCanvas(cut.pixels);
    const actor = vtk.Actor.newInstance();
    actor.setMapper(mapper);
    actor.addTexture(texture);
    actor.getProperty().setLighting(false);
    return actor;
  }

  /** @param {string} side @param {number[]} size µm along x, y, z */
  look(side, size) {
    const [from, up] = SIDES[side];
    const middle = size.map((s) => s / 2);
    const far = Math.hypot(...size);
    this.camera.setFocalPoint(...middle);
    this.camera.setPosition(...middle.map((m, i) => m + from[i] * far));
    this.camera.setViewUp(...up);
    this.renderer.resetCamera();
    this.camera.setParallelScale(this.camera.getParallelScale() * FILL);
  }

  /** @param {number[]} ground */
  setGround(ground) {
    this.renderer.setBackground(...ground);
  }

  /** @param {number} width @param {number} height device pixels */
  size(width, height) {
    this.gl.setSize(width, height);
  }

  render() {
    this.renderer.resetCameraClippingRange();
    this.gl.traverseAllPasses();
  }

  /** What is seen, as the address of a PNG. @returns {Promise<string>} */
  picture() {
    const coming = this.gl.captureNextImage("image/png");
    this.render();
    return coming;
  }

  /** Milliseconds that a drawing takes until it is finished. */
  speed() {
    const context = this.gl.getContext();
    const started = performance.now();
    this.render();
    context.readPixels(0, 0, 1, 1, context.RGBA, context.UNSIGNED_BYTE, new Uint8Array(4));
    return performance.now() - started;
  }

  /** What the camera is, relative to the middle of what is shown, to be given to another one: particles of any size stay in sight. */
  pose() {
    const c = this.camera;
    const about = (/** @type {number[]} */ place) => place.map((v, i) => v - this.middle[i]);
    return { position: about(c.getPosition()), focal: about(c.getFocalPoint()), up: c.getViewUp(), scale: c.getParallelScale() };
  }

  /** @param {ReturnType<Scene["pose"]>} pose */
  take(pose) {
    this.camera.setPosition(...pose.position.map((v, i) => v + this.middle[i]));
    this.camera.setFocalPoint(...pose.focal.map((v, i) => v + this.middle[i]));
    this.camera.setViewUp(...pose.up);
    this.camera.setParallelScale(pose.scale);
  }

  dispose() {
    this.interactor.unbindEvents?.();
    this.window.removeView(this.gl);
    this.gl.delete();
    this.window.delete();
  }
}

window.imageParts = Object.assign(window.imageParts ?? {}, { scene3d: { Scene, painted } });
