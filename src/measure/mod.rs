//! Distances between samples, and their moments.
//!
//! A sample is a tensor [n, shape...] with one datum per row; a vector \[n\] has one coordinate per datum.

mod agreement;
mod autocorrelation;
mod covariance;
mod energy;
mod estimate;
mod frechet;
mod histogram;
mod lattice;
mod long;
mod mmd;
mod ramachandran;
mod scales;
mod structure;
mod transport;

pub use agreement::{agreement, class_parts};
pub use autocorrelation::autocorrelation;
pub use covariance::{covariance, cross_covariance, mean};
pub use energy::energy_distance;
pub use estimate::Estimate;
pub use frechet::{FrechetDistance, frechet_distance};
pub use histogram::{Bins, js_histogram, kl_histogram};
pub use lattice::{coarse_magnetisation, ising_energy, spin_correlation};
pub use mmd::{BANDWIDTH, Discrepancy, mmd};
pub use ramachandran::{Ramachandran, RamachandranBins, js_ramachandran};
pub use structure::{StructureFactor, structure_factor};
pub use transport::sliced_wasserstein;

use crate::error::{Error, Result};
use crate::tensor::{Rows, Tensor};

/// Two samples of the same kind of datum.
fn pair<'a>(a: &'a Tensor, b: &'a Tensor) -> Result<(Rows<'a>, Rows<'a>)> {
    let (x, y) = (a.rows("a")?, b.rows("b")?);
    if x.width() == y.width() {
        return Ok((x, y));
    }
    let (own, other) = (y.width(), x.width());
    let shapes = format!("(shapes {:?} and {:?})", b.shape(), a.shape());
    Err(Error::argument("b", format!("has data of {own} coordinates, `a` of {other} {shapes}"))
        .with_hint("compare samples of the same data"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;

    #[test]
    fn bad_samples_are_refused_by_every_measure() {
        let task = Task::default();
        let good = Tensor::normals(&[4, 2], 1, task.host()).unwrap();
        let mut nan = good.clone();
        nan.set(&[crate::tensor::Index::At(2)], &Tensor::scalar(f64::NAN)).unwrap();
        let cases = [
            (Tensor::scalar(1.0), "`b` is a single number"),
            (Tensor::full(&[0, 2], 0.0, task.host()).unwrap(), "`b` is empty (shape [0, 2])"),
            (nan, "`b` has 2 of 8 values not finite, the first (NaN) in row 2"),
            (
                Tensor::normals(&[4, 3], 1, task.host()).unwrap(),
                "`b` has data of 3 coordinates, `a` of 2 (shapes [4, 3] and [4, 2])",
            ),
        ];
        for (bad, text) in cases {
            for result in [
                sliced_wasserstein(&good, &bad, 8, 0, &task),
                energy_distance(&good, &bad, &task),
                kl_histogram(&good, &bad, &Bins::default(), &task),
                js_histogram(&good, &bad, &Bins::default(), &task),
            ] {
                let problem = result.expect_err("must be refused").to_string();
                assert!(problem.starts_with(text), "{problem}");
            }
        }
    }
}
