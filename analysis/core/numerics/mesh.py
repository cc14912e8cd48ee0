"""Surfaces of volumes as triangles: found, simplified with a stated deviation, coloured.

Coordinates are continuous voxel coordinates times the voxel's edge lengths: voxel i covers i … i + 1, its middle is i + 1/2.
Vertices come in the order x, y, z, as drawing programs want them; volumes are (z, y, x).
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

NEAR_FACES = 16  # candidates for the nearest triangle
POINTS_AT_ONCE = 20_000
AGGRESSION = 7.0  # the library's default; lower keeps more of the shape and more triangles


@dataclass(frozen=True)
class Mesh:
    """Triangles.

    ``vertices`` has shape (V, 3), float32, x, y, z in µm; ``faces`` shape (F, 3), int32, seen from outside counter-clockwise.
    """

    vertices: np.ndarray
    faces: np.ndarray

    @property
    def area(self) -> float:
        return float(np.linalg.norm(self._crosses(), axis=1).sum() / 2)

    @property
    def volume(self) -> float:
        """Enclosed volume; negative for a mesh that is turned inside out."""
        corners = self.vertices.astype(np.float64)[self.faces]
        return float(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6)

    def normals(self) -> np.ndarray:
        """Unit normals of the vertices, shape (V, 3), float32, outward, weighted by the area of the triangles around."""
        crosses = self._crosses()
        total = np.zeros(self.vertices.shape, np.float64)
        for corner in range(3):
            np.add.at(total, self.faces[:, corner], crosses)
        length = np.linalg.norm(total, axis=1, keepdims=True)
        return (total / np.maximum(length, np.finfo(float).tiny)).astype(np.float32)

    def _crosses(self) -> np.ndarray:
        a, b, c = (self.vertices.astype(np.float64)[self.faces[:, i]] for i in range(3))
        return np.cross(b - a, c - a)


@dataclass(frozen=True)
class Deviation:
    """How far a simplified surface is from its original, in µm: an upper bound for each vertex of the original."""

    mean: float
    highest: float


def surface(inside: np.ndarray, voxel_um: tuple[float, float, float], *, smooth: float = 0.0) -> Mesh:
    """The closed surface around the marked voxels.

    Parameters
    ----------
    inside
        Shape (z, y, x), bool. What touches the border of the volume is closed there.
    voxel_um
        Edge lengths along z, y, x.
    smooth
        Standard deviation in voxels of a Gaussian over the marks before the surface is found; 0 leaves the stairs of the voxels.
        It rounds what is thinner than about twice that, and drops it where nothing reaches one half.

    Returns
    -------
    Mesh
        Empty where nothing is marked.

    References
    ----------
    .. [1] Lorensen and Cline, Computer Graphics 21, 163 (1987); Lewiner et al., J. Graphics Tools 8, 1 (2003).
    """
    from skimage.measure import marching_cubes

    rim = 1 + int(np.ceil(3 * smooth))
    field = np.pad(inside, rim).astype(np.float32)
    if smooth > 0:
        field = gaussian_filter(field, smooth)
    if not field.max() > 0.5:
        return Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    places, faces, _, _ = marching_cubes(field, 0.5)
    vertices = ((places - rim + 0.5) * np.asarray(voxel_um))[:, ::-1]
    found = Mesh(np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.int32))
    return found if found.volume >= 0 else Mesh(found.vertices, np.ascontiguousarray(found.faces[:, ::-1]))


def simplify(mesh: Mesh, most_faces: int) -> tuple[Mesh, Deviation]:
    """The mesh with about so many triangles, and how far it moved; one that is small enough stays as it is.

    Notes
    -----
    Quadric edge collapse [1]_. Triangles may remain more than asked for where collapsing would fold the surface.

    References
    ----------
    .. [1] Garland and Heckbert, Proc. SIGGRAPH 1997, 209, doi:10.1145/258734.258849.
    """
    import fast_simplification

    if len(mesh.faces) <= most_faces:
        return mesh, Deviation(0.0, 0.0)
    vertices, faces = fast_simplification.simplify(mesh.vertices, mesh.faces, target_count=most_faces, agg=AGGRESSION)
    made = Mesh(np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.int32))
    away = distances(mesh.vertices, made)
    return made, Deviation(float(away.mean()), float(away.max()))


def distances(points: np.ndarray, mesh: Mesh) -> np.ndarray:
    """Distance of each point from a surface, shape (n,), float64, never too small.

    Exact to the ``NEAR_FACES`` triangles with the nearest middles; should a larger one be nearer, the true distance is less.
    """
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    tree = cKDTree(corners.mean(axis=1))
    found = np.empty(len(points))
    count = min(NEAR_FACES, len(corners))
    for start in range(0, len(points), POINTS_AT_ONCE):
        part = points[start : start + POINTS_AT_ONCE].astype(np.float64)
        near = tree.query(part, k=count)[1].reshape(len(part), count)
        found[start : start + len(part)] = _to_triangles(part, corners[near]).min(axis=1)
    return found


def _to_triangles(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Distance of point i from triangle (i, j), shape (n, k): to its plane where the foot lies inside, else to its edges."""
    a, b, c = (corners[:, :, i] for i in range(3))
    p = points[:, None]
    normal = np.cross(b - a, c - a)
    square = np.einsum("ijk,ijk->ij", normal, normal)
    sides = [np.einsum("ijk,ijk->ij", np.cross(v - u, p - u), normal) for u, v in ((a, b), (b, c), (c, a))]
    height = np.abs(np.einsum("ijk,ijk->ij", p - a, normal)) / np.sqrt(np.maximum(square, np.finfo(float).tiny))
    edges = np.min([_to_edge(p, u, v) for u, v in ((a, b), (b, c), (c, a))], axis=0)
    over = (np.min(sides, axis=0) >= 0) & (square > 0)
    return np.where(over, height, edges)


def _to_edge(p: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    along = v - u
    square = np.maximum(np.einsum("ijk,ijk->ij", along, along), np.finfo(float).tiny)
    t = np.clip(np.einsum("ijk,ijk->ij", p - u, along) / square, 0, 1)
    return np.linalg.norm(p - u - t[..., None] * along, axis=-1)


def painted(mesh: Mesh, values: np.ndarray, voxel_um: tuple[float, float, float], *, reach: int = 3) -> np.ndarray:
    """Value at each vertex, shape (V,), float32: of its voxel or of the nearest one that has a value, up to ``reach`` voxels away.

    ``values`` has shape (z, y, x), NaN where there is none; it covers the field from which the mesh was found. NaN where no
    voxel near has a value.
    """
    last = np.asarray(values.shape) - 1
    places = np.clip(np.floor(mesh.vertices[:, ::-1] / np.asarray(voxel_um)).astype(int), 0, last)
    steps = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    steps = steps[np.argsort((steps**2).sum(axis=1), kind="stable")]
    found = np.full(len(places), np.nan, np.float32)
    for step in steps[(steps**2).sum(axis=1) <= reach**2]:
        left = np.flatnonzero(np.isnan(found))
        if left.size == 0:
            break
        at = places[left] + step
        within = ((at >= 0) & (at <= last)).all(axis=1)
        found[left[within]] = values[tuple(at[within].T)]
    return found
