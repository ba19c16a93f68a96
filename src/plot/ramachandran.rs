//! Free energy of pairs of dihedral angles.

use super::figure::{Axis, Layer, Mark, Panel};

/// A panel with the free energy of pairs (φ, ψ) of dihedral angles in radians, on axes in degrees from −180° to 180°:
/// −ln p/p_max in units of k_B T, on `cells` × `cells` cells. Angles beyond ±π are taken modulo 2π.
pub fn ramachandran(angles: &[[f64; 2]], cells: usize) -> Panel {
    let degrees = |angle: f64| (angle.to_degrees() + 180.0).rem_euclid(360.0) - 180.0;
    let points = angles.iter().map(|pair| pair.map(degrees)).collect();
    let axis = |label: &str| Axis {
        label: label.to_owned(),
        limits: Some([-180.0, 180.0]),
        step: Some(90.0),
        ..Axis::default()
    };
    let layers = vec![Layer::new(Mark::FreeEnergy { points, cells })];
    Panel { layers, x: axis("φ (°)"), y: axis("ψ (°)"), equal: Some(true), ..Panel::default() }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn angles_are_degrees_of_one_turn() {
        let panel = ramachandran(&[[0.0, PI], [1.5 * PI, -3.5 * PI]], 10);
        let Mark::FreeEnergy { points, .. } = &panel.layers[0].mark else { panic!("another mark") };
        let close = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).abs() < 1e-9 && (a[1] - b[1]).abs() < 1e-9;
        assert!(close(points[0], [0.0, -180.0]) && close(points[1], [-90.0, 90.0]), "{points:?}");
    }
}
