//! Warnings where coordinates of different units make one distance.

use crate::data::Uneven;
use crate::error::Result;
use crate::task::Task;
use crate::tensor::{Reduction, Tensor};

/// Coordinates up to which each may be of its own kind; more are pixels, features and the like.
const MOST: usize = 16;

/// Warns where a distance of samples like `a`, [n, d], is that of few of the coordinates; `what` begins the sentence.
pub(super) fn warn_if_uneven(what: &str, a: &Tensor, task: &Task) -> Result<()> {
    let [_, 2..=MOST] = a.shape() else { return Ok(()) };
    let deviations = a.reduce_axis(Reduction::StandardDeviation, 0)?;
    let deviations: Vec<f64> = deviations.values().iter().map(|deviation| f64::from(*deviation)).collect();
    if let Some(Uneven { narrowest, widest }) = Uneven::of(&deviations) {
        // A power of ten, so that other samples of the same law are not warned of again.
        let times = 10_f64.powf((widest.1 / narrowest.1).log10().floor());
        task.warn(&format!(
            "{what}: coordinate {} varies more than {times} times as much as coordinate {}, so that the distance is \
             nearly that of the wide coordinates alone; if units differ, divide both samples by the same standard \
             deviations, as a / s and b / s with s = a.std(0)",
            widest.0, narrowest.0,
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{energy_distance, frechet_distance, mmd, sliced_wasserstein};
    use crate::task::watched;

    fn warnings(a: &Tensor, b: &Tensor) -> Vec<String> {
        let measured = watched(|task| {
            sliced_wasserstein(a, b, 8, 0, task).unwrap();
            energy_distance(a, b, task).unwrap();
            mmd(a, b, None, task).unwrap();
            frechet_distance(a, b, task).unwrap();
        });
        measured.1
    }

    fn normals(shape: &[usize], seed: u64, scales: &[f32]) -> Tensor {
        let host = Task::default();
        let values = Tensor::normals(shape, seed, host.host()).unwrap().values().into_owned();
        let scaled = values.iter().zip(scales.iter().cycle()).map(|(value, scale)| value * scale).collect();
        Tensor::new(shape, scaled).unwrap()
    }

    #[test]
    fn metres_beside_grams_are_told_by_every_distance_and_pixels_by_none() {
        let scales = [1.0, 3e4];
        let said = warnings(&normals(&[50, 2], 1, &scales), &normals(&[50, 2], 2, &scales));
        assert_eq!(said.len(), 4, "{said:?}");
        for warning in &said {
            assert!(warning.contains("coordinate 1 varies more than 10000 times as much as coordinate 0"), "{warning}");
        }
        for (shape, scales) in [(&[50, 2][..], [1.0, 5.0]), (&[50, 2, 2], scales)] {
            assert_eq!(warnings(&normals(shape, 1, &scales), &normals(shape, 2, &scales)), Vec::<String>::new());
        }
    }
}
