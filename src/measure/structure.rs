//! The structure factor of fields on square lattices.

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use std::f64::consts::TAU;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::task::Task;
use crate::tensor::Tensor;

/// Fields that one piece of parallel work takes.
const BLOCK: usize = 64;

/// A structure factor, averaged over directions.
#[derive(Debug, Clone, PartialEq)]
pub struct StructureFactor {
    /// Wave numbers: means of |k| over those that are averaged.
    pub wave_numbers: Vec<f64>,
    /// Means over directions and fields.
    pub values: Vec<f64>,
    /// Their standard errors over fields; not a number where there is one field.
    pub errors: Vec<f64>,
}

/// The structure factor S(k) = ⟨|Σ_r s(r) e^{−ik·r}|²⟩/N of fields on a square lattice of N = L × L sites with periodic
/// sides, averaged over the wave vectors k = 2π(i, j)/L with the same ‖(i, j)‖ to the nearest whole number, from 0 to
/// L/2. The mean of the field is not taken off: S(0) is N⟨m²⟩.
///
/// # Errors
/// When `samples` are no square fields, [n, L, L] or [n, L²], or not finite, or on interruption.
pub fn structure_factor(samples: &Tensor, task: &Task) -> Result<StructureFactor> {
    let rows = samples.rows("samples")?;
    let size = match *rows.shape {
        [height, width] if height == width => height,
        [sites] => sites.isqrt(),
        _ => 0,
    };
    if size * size != rows.width() {
        let problem = format!("must hold fields on square lattices, got shape {:?}", samples.shape());
        return Err(Error::argument("samples", problem).with_hint("the shape is [count, size, size]"));
    }
    let shells = Shells::new(size);
    let transform = FftPlanner::new().plan_fft_forward(size);
    let sites = size * size;
    let blocks = task.blocks(rows.count.div_ceil(BLOCK), |block| {
        let fields = rows.values.chunks_exact(sites).skip(block * BLOCK).take(BLOCK);
        fields
            .map(|field| task.check().map(|()| shells.averages(&powers(field, size, &transform))))
            .collect::<Result<Vec<_>>>()
    })?;
    let each: Vec<Vec<f64>> = blocks.into_iter().flatten().collect();
    let count = each.len() as f64;
    let values: Vec<f64> =
        (0..shells.count()).map(|shell| each.iter().map(|own| own[shell]).sum::<f64>() / count).collect();
    let error = |shell: usize| {
        let sum = each.iter().map(|own| (own[shell] - values[shell]).powi(2)).sum::<f64>();
        (sum / (count - 1.0) / count).sqrt()
    };
    let errors = (0..shells.count()).map(error).collect();
    Ok(StructureFactor { wave_numbers: shells.wave_numbers(), values, errors })
}

/// |ŝ|²/N of a field, [L, L].
fn powers(field: &[f32], size: usize, transform: &Arc<dyn Fft<f64>>) -> Vec<f64> {
    let mut values: Vec<Complex<f64>> = field.iter().map(|value| Complex::new(f64::from(*value), 0.0)).collect();
    // Along rows, then along columns: the order of the axes does not matter to the sums over shells.
    for _ in 0..2 {
        transform.process(&mut values);
        values = (0..values.len()).map(|at| values[at % size * size + at / size]).collect();
    }
    values.iter().map(|value| value.norm_sqr() / values.len() as f64).collect()
}

/// Wave vectors by their length.
struct Shells {
    size: usize,
    /// The shell of each wave vector, [L, L]; none beyond L/2.
    places: Vec<Option<usize>>,
    /// Wave vectors of each shell.
    counts: Vec<f64>,
}

impl Shells {
    fn new(size: usize) -> Self {
        let last = size / 2;
        let shell = |at: usize| (length(at, size).round() as usize <= last).then(|| length(at, size).round() as usize);
        let places: Vec<_> = (0..size * size).map(shell).collect();
        let mut counts = vec![0.0; last + 1];
        places.iter().flatten().for_each(|&shell| counts[shell] += 1.0);
        Self { size, places, counts }
    }

    fn count(&self) -> usize {
        self.counts.len()
    }

    fn averages(&self, values: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.count()];
        for (place, value) in self.places.iter().zip(values) {
            place.iter().for_each(|&shell| sums[shell] += value);
        }
        sums.iter().zip(&self.counts).map(|(sum, count)| sum / count).collect()
    }

    fn wave_numbers(&self) -> Vec<f64> {
        let lengths: Vec<f64> = (0..self.places.len()).map(|at| length(at, self.size)).collect();
        self.averages(&lengths).iter().map(|length| TAU * length / self.size as f64).collect()
    }
}

/// ‖(i, j)‖ of the wave vector at a place of the transform, with i and j from −L/2 to L/2.
fn length(at: usize, size: usize) -> f64 {
    let side = |index: usize| if 2 * index > size { index as f64 - size as f64 } else { index as f64 };
    side(at / size).hypot(side(at % size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::data::ising::{Ising, Method};

    /// |Σ s e^{−ik·r}|²/N by its definition.
    fn naive(field: &[f32], size: usize, k: [usize; 2]) -> f64 {
        let sum: Complex<f64> = field
            .iter()
            .enumerate()
            .map(|(at, value)| {
                let phase = TAU * (k[0] * (at / size) + k[1] * (at % size)) as f64 / size as f64;
                Complex::from_polar(f64::from(*value), -phase)
            })
            .sum();
        sum.norm_sqr() / field.len() as f64
    }

    #[test]
    fn it_is_the_transform_of_its_definition() {
        let task = Task::default();
        for size in [1, 2, 5, 8] {
            let fields = Tensor::normals(&[3, size, size], 1, task.host()).unwrap();
            let found = structure_factor(&fields, &task).unwrap();
            assert_eq!(found.values.len(), size / 2 + 1);
            let mut sums = vec![[0.0; 3]; size / 2 + 1];
            for (i, j) in (0..size).flat_map(|i| (0..size).map(move |j| (i, j))) {
                let side = |index: usize| (index as f64).min((size - index) as f64);
                let shell = side(i).hypot(side(j));
                if let Some(sum) = sums.get_mut(shell.round() as usize) {
                    let powers =
                        fields.values().chunks_exact(size * size).map(|field| naive(field, size, [i, j])).sum::<f64>();
                    *sum = [sum[0] + powers / 3.0, sum[1] + TAU * shell / size as f64, sum[2] + 1.0];
                }
            }
            for (shell, [power, k, count]) in sums.into_iter().enumerate() {
                assert!((found.values[shell] - power / count).abs() < 1e-9 * power, "{size}: {found:?}");
                assert!((found.wave_numbers[shell] - k / count).abs() < 1e-12, "{size}: {found:?}");
            }
        }
    }

    #[test]
    fn a_wave_is_in_its_shell_and_errors_are_over_fields() {
        let task = Task::default();
        let wave =
            |amplitude: f64| (0..64).map(move |at| (amplitude * (TAU * 3.0 * f64::from(at % 8) / 8.0).cos()) as f32);
        let fields = Tensor::new(&[2, 64], wave(1.0).chain(wave(2.0)).collect()).unwrap();
        let found = structure_factor(&fields, &task).unwrap();
        // Two wave vectors, ±3 along x, of N a²/4 each; sixteen have a length near 3.
        let near_3 = (0..64).filter(|&at| length(at, 8).round() == 3.0).count() as f64;
        let of = |amplitude: f64| 2.0 * 16.0 * amplitude * amplitude / near_3;
        assert!((found.values[3] - 0.5 * (of(1.0) + of(2.0))).abs() < 1e-6, "{found:?}");
        assert!((found.errors[3] - 0.5 * (of(2.0) - of(1.0))).abs() < 1e-6, "{found:?}");
        assert!(found.values[1].abs() < 1e-9);
        let one = Tensor::new(&[1, 64], wave(1.0).collect()).unwrap();
        assert!(structure_factor(&one, &task).unwrap().errors[0].is_nan());
        let wrong = Tensor::full(&[2, 3, 4], 1.0, task.host()).unwrap();
        let problem = structure_factor(&wrong, &task).unwrap_err().to_string();
        assert_eq!(problem, "`samples` must hold fields on square lattices, got shape [2, 3, 4]");
    }

    /// S(0) = N⟨m²⟩ of lattices, and a hundred times less at the largest wave number.
    #[test]
    fn of_ising_lattices() {
        let task = Task::default();
        let ising = Ising { size: 16, temperature: 2.2, count: 200, sweeps: None, seed: 1, method: Method::Wolff };
        let data = Dataset::ising(&ising, &task).unwrap();
        let lattices = data.points().unwrap();
        let found = structure_factor(lattices, &task).unwrap();
        let square = |lattice: &[f32]| lattice.iter().map(|spin| f64::from(*spin)).sum::<f64>().powi(2) / 256.0;
        let mean = lattices.values().chunks_exact(256).map(square).sum::<f64>() / 200.0;
        assert!((found.values[0] - mean).abs() < 1e-9 * mean);
        assert!(found.values[8] < 0.01 * found.values[0] && found.values[8] > 0.0, "{found:?}");
    }
}
