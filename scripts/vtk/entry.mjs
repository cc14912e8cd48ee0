// The parts of vtk.js (BSD-3-Clause, Kitware) that the 3D view uses: surfaces, a textured plane, one camera style.
import "@kitware/vtk.js/Rendering/OpenGL/Profiles/Geometry.js";

export { default as Actor } from "@kitware/vtk.js/Rendering/Core/Actor.js";
export { default as DataArray } from "@kitware/vtk.js/Common/Core/DataArray.js";
export { default as GLWindow } from "@kitware/vtk.js/Rendering/OpenGL/RenderWindow.js";
export { default as Interactor } from "@kitware/vtk.js/Rendering/Core/RenderWindowInteractor.js";
export { default as Mapper } from "@kitware/vtk.js/Rendering/Core/Mapper.js";
export { default as Plane } from "@kitware/vtk.js/Common/DataModel/Plane.js";
export { default as PolyData } from "@kitware/vtk.js/Common/DataModel/PolyData.js";
export { default as Renderer } from "@kitware/vtk.js/Rendering/Core/Renderer.js";
export { default as RenderWindow } from "@kitware/vtk.js/Rendering/Core/RenderWindow.js";
export { default as Texture } from "@kitware/vtk.js/Rendering/Core/Texture.js";
export { default as Trackball } from "@kitware/vtk.js/Interaction/Style/InteractorStyleTrackballCamera.js";
