"""Surfaces against bodies whose area, volume and distances are known."""

import numpy as np
import pytest

from analysis.core.numerics import mesh

RADIUS = 20.0


def ball(n: int = 48, radius: float = RADIUS) -> np.ndarray:
    z, y, x = np.ogrid[:n, :n, :n]
    return sum((a - (n - 1) / 2) ** 2 for a in (z, y, x)) <= radius**2


@pytest.fixture(scope="module")
def sphere() -> mesh.Mesh:
    return mesh.surface(ball(), (1.0, 1.0, 1.0), smooth=1.0)


def edges_are_shared_by_two(found: mesh.Mesh) -> bool:
    edges = np.sort(np.concatenate([found.faces[:, [0, 1]], found.faces[:, [1, 2]], found.faces[:, [2, 0]]]), axis=1)
    return bool((np.unique(edges, axis=0, return_counts=True)[1] == 2).all())


def test_a_sphere_has_its_radius_area_and_volume(sphere: mesh.Mesh) -> None:
    away = np.linalg.norm(sphere.vertices - 24.0, axis=1)  # the middle of 48 voxels
    assert np.abs(away - RADIUS).max() < 0.6  # half a voxel: the ball is made of voxels
    assert sphere.area == pytest.approx(4 * np.pi * RADIUS**2, rel=0.03)
    assert sphere.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.02)
    assert edges_are_shared_by_two(sphere)


def test_normals_point_outward(sphere: mesh.Mesh) -> None:
    radial = (sphere.vertices - 24.0) / np.linalg.norm(sphere.vertices - 24.0, axis=1, keepdims=True)
    assert np.einsum("ij,ij->i", radial, sphere.normals()).min() > 0.95


def test_voxels_have_their_size_along_each_axis() -> None:
    body = np.zeros((4, 6, 8), bool)
    body[1:3, 1:5, 1:7] = True
    found = mesh.surface(body, (3.0, 2.0, 1.0))
    low, high = found.vertices.min(axis=0), found.vertices.max(axis=0)
    assert low.tolist() == [1.0, 2.0, 3.0] and high.tolist() == [7.0, 10.0, 9.0]  # x, y, z in µm


def test_what_touches_the_border_is_closed_and_nothing_is_empty() -> None:
    found = mesh.surface(np.ones((5, 5, 5), bool), (1.0, 1.0, 1.0))
    assert edges_are_shared_by_two(found)
    # Marching cubes cut a prism of 1/8 off each edge, and 1/8 − 1/48 off each corner.
    assert found.volume == pytest.approx(125 - 12 * 4 / 8 - 8 * (1 / 8 - 1 / 48), rel=1e-5)
    assert len(mesh.surface(np.zeros((5, 5, 5), bool), (1.0, 1.0, 1.0)).faces) == 0


def test_simplifying_says_how_far_it_moved(sphere: mesh.Mesh) -> None:
    small, away = mesh.simplify(sphere, 1500)
    assert 1000 <= len(small.faces) <= 1600 < len(sphere.faces)
    assert 0 < away.mean < 0.1 and away.mean < away.highest < 0.5
    assert small.volume == pytest.approx(sphere.volume, rel=0.01)
    assert np.abs(np.linalg.norm(small.vertices - 24.0, axis=1) - RADIUS).max() < 1.0
    same, none = mesh.simplify(sphere, 10**6)
    assert same is sphere and none == mesh.Deviation(0.0, 0.0)


def test_the_stated_deviation_bounds_dense_samples(sphere: mesh.Mesh) -> None:
    small, away = mesh.simplify(sphere, 800)
    rng = np.random.default_rng(0)
    corners = small.vertices[small.faces]
    weights = rng.dirichlet([1, 1, 1], size=(60, len(corners)))
    samples = np.einsum("sfc,fcx->sfx", weights, corners).reshape(-1, 3)
    from scipy.spatial import cKDTree

    near = cKDTree(samples).query(sphere.vertices)[0]
    assert away.highest <= near.max() + 1e-6  # samples are never nearer than the surface itself
    assert away.mean <= near.mean() + 1e-6
    assert away.mean > near.mean() - 0.3


def test_distances_from_one_triangle() -> None:
    one = mesh.Mesh(np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0]], np.float32), np.array([[0, 1, 2]], np.int32))
    points = np.array([[1, 1, 3], [1, 1, 0], [-3, -4, 0], [4, 4, 0], [2, -1, 0], [5, 0, 0]], float)
    assert mesh.distances(points, one) == pytest.approx([3, 0, 5, np.sqrt(8), 1, 1])


def test_vertices_take_the_value_of_the_nearest_voxel_that_has_one(sphere: mesh.Mesh) -> None:
    body = ball(radius=RADIUS - 1)  # the map ends inside the surface
    z = np.broadcast_to(np.arange(48.0)[:, None, None], body.shape)
    values = np.where(body, z, np.nan)
    found = mesh.painted(sphere, values, (1.0, 1.0, 1.0))
    assert np.isfinite(found).all()
    assert np.abs(found + 0.5 - sphere.vertices[:, 2]).max() < 2.5
    assert np.isnan(mesh.painted(sphere, np.where(ball(radius=10), z, np.nan), (1.0, 1.0, 1.0))).all()  # too far away
    assert np.isnan(mesh.painted(sphere, np.full(body.shape, np.nan), (1.0, 1.0, 1.0))).all()
