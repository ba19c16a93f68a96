//! The periodic box.

/// Three edges of a periodic box, the first along x and the second in the plane of x and y, as all programs of
/// molecular dynamics have them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell([[f64; 3]; 3]);

impl Cell {
    /// A box of these edges; none where one of them has no length.
    pub(super) fn new(edges: [[f64; 3]; 3]) -> Option<Self> {
        let has_length = (0..3).all(|axis| edges[axis][axis] > 0.0);
        (has_length && edges.as_flattened().iter().all(|value| value.is_finite())).then_some(Self(edges))
    }

    /// A box of sides `lengths` with `angles` in degrees: between the second and the third, the first and the third,
    /// the first and the second.
    pub(super) fn of_angles([a, b, c]: [f64; 3], angles: [f64; 3]) -> Option<Self> {
        // Exact for right angles, whose cosine is not.
        let [alpha, beta, gamma] = angles.map(|angle| if angle == 90.0 { 0.0 } else { angle.to_radians().cos() });
        let sine = (1.0 - gamma * gamma).sqrt();
        let tilt = (alpha - beta * gamma) / sine;
        let height = (1.0 - beta * beta - tilt * tilt).sqrt();
        Self::new([[a, 0.0, 0.0], [b * gamma, b * sine, 0.0], [c * beta, c * tilt, c * height]])
    }

    /// The same vector between the nearest images of its ends, where it is short against the box.
    pub(super) fn nearest(&self, mut vector: [f64; 3]) -> [f64; 3] {
        for axis in (0..3).rev() {
            let edge = self.0[axis];
            let turns = (vector[axis] / edge[axis]).round();
            vector.iter_mut().zip(edge).for_each(|(x, side)| *x -= turns * side);
        }
        vector
    }
}
