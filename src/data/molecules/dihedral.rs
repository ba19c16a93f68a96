//! The angle between two bonds around a third.

use super::cell::Cell;

/// The dihedral angle of four atoms in radians, in the sign of IUPAC (Blondel, Karplus, J. Comput. Chem. 17, 1996),
/// with bonds to the nearest images; none where three of them lie on a line or are not finite.
pub(super) fn angle(atoms: [[f64; 3]; 4], cell: Option<&Cell>) -> Option<f64> {
    let bond = |from: [f64; 3], to: [f64; 3]| {
        let vector = [0, 1, 2].map(|axis| to[axis] - from[axis]);
        cell.map_or(vector, |cell| cell.nearest(vector))
    };
    let [a, b, c, d] = atoms;
    let (first, middle, last) = (bond(a, b), bond(b, c), bond(c, d));
    let (before, after) = (cross(first, middle), cross(middle, last));
    let is_plane = |normal: [f64; 3], x: [f64; 3], y: [f64; 3]| {
        let size = dot(x, x) * dot(y, y);
        size > 0.0 && size.is_finite() && dot(normal, normal) > 1e-12 * size
    };
    (is_plane(before, first, middle) && is_plane(after, middle, last))
        .then(|| (dot(middle, middle).sqrt() * dot(first, after)).atan2(dot(before, after)))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
