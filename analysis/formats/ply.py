"""Triangles as PLY, the Stanford polygon format: read by MeshLab, ParaView, Blender, CloudCompare.

Binary, little-endian: a text header, then vertices (x, y, z, normals, a quantity), then triangles of three indices each. Lengths
are those of the mesh; comments say what they and the quantity are. G. Turk, The PLY Polygon File Format (1994).
"""

from collections.abc import Sequence

import numpy as np

VERTEX = np.dtype([(n, "<f4") for n in ("x", "y", "z", "nx", "ny", "nz", "quality")])
FACE = np.dtype([("count", "u1"), ("corner", "<i4", (3,))])


def ply(points: np.ndarray, normals: np.ndarray, values: np.ndarray, faces: np.ndarray, comments: Sequence[str] = ()) -> bytes:
    """The file of a mesh.

    Parameters
    ----------
    points, normals
        Shape (V, 3).
    values
        Shape (V,): a quantity of every vertex, NaN where it has none. Programs know it as "quality".
    faces
        Shape (F, 3), indices from 0.
    comments
        Lines of the header; what is no printable ASCII is left out.
    """
    vertices = np.empty(len(points), VERTEX)
    for k, name in enumerate("xyz"):
        vertices[name], vertices[f"n{name}"] = points[:, k], normals[:, k]
    vertices["quality"] = values
    triangles = np.empty(len(faces), FACE)
    triangles["count"], triangles["corner"] = 3, faces
    said = [f"comment {''.join(c for c in line if ' ' <= c <= '~')}" for line in comments]
    properties = [f"property float {name}" for name in VERTEX.names or ()]
    head = [
        "ply",
        "format binary_little_endian 1.0",
        *said,
        f"element vertex {len(points)}",
        *properties,
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header",
    ]
    return ("\n".join(head) + "\n").encode("ascii") + vertices.tobytes() + triangles.tobytes()
