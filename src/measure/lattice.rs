//! Lattices of spins ±1 on a square with periodic sides.

use crate::error::{Error, Result};
use crate::task::Task;
use crate::tensor::{Rows, Tensor};

/// Lattices that one piece of parallel work takes.
const BLOCK: usize = 256;

/// Lattices of spins.
struct Lattices<'a> {
    rows: Rows<'a>,
    size: usize,
}

impl<'a> Lattices<'a> {
    fn new(samples: &'a Tensor) -> Result<Self> {
        let rows = samples.rows("samples")?;
        let size = match *rows.shape {
            [height, width] if height == width => height,
            [sites] => sites.isqrt(),
            _ => 0,
        };
        if size * size != rows.width() {
            let problem = format!("must hold square lattices, got shape {:?}", samples.shape());
            return Err(Error::argument("samples", problem).with_hint("the shape is [count, size, size]"));
        }
        match rows.values.iter().position(|spin| spin.abs() != 1.0) {
            None => Ok(Self { rows, size }),
            Some(at) => {
                let (spin, row, width) = (rows.values[at], at / rows.width(), rows.width());
                let problem = format!("must hold spins 1 and -1, got {spin} at site {} of row {row}", at % width);
                Err(Error::argument("samples", problem).with_hint("take the signs of other numbers: x / abs(x)"))
            }
        }
    }

    /// What `measure` finds for each lattice, in their order.
    fn each<T: Send>(&self, task: &Task, measure: impl Fn(&[f32]) -> T + Sync) -> Result<Vec<T>> {
        let width = self.rows.width();
        let blocks = task.blocks(self.rows.count.div_ceil(BLOCK), |block| {
            let lattices = self.rows.values.chunks_exact(width).skip(block * BLOCK).take(BLOCK);
            lattices.map(|lattice| task.check().map(|()| measure(lattice))).collect::<Result<Vec<_>>>()
        })?;
        Ok(blocks.into_iter().flatten().collect())
    }

    /// Mean over all lattices of the numbers that `measure` finds for each, `count` of them.
    fn means(&self, count: usize, task: &Task, measure: impl Fn(&[f32]) -> Vec<f64> + Sync) -> Result<Vec<f64>> {
        let mut sums = vec![0.0; count];
        for numbers in self.each(task, measure)? {
            sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        }
        Ok(sums.into_iter().map(|sum| sum / self.rows.count as f64).collect())
    }
}

/// Mean product of the spins of a lattice with those `distance` sites further along both axes.
fn correlation(lattice: &[f32], size: usize, distance: usize) -> f64 {
    let mut sum = 0.0;
    for (i, row) in lattice.chunks_exact(size).enumerate() {
        let below = (i + distance) % size * size;
        for (j, spin) in row.iter().enumerate() {
            sum += f64::from(spin * (row[(j + distance) % size] + lattice[below + j]));
        }
    }
    sum / (2 * lattice.len()) as f64
}

/// Energy per spin of each lattice, \[n\]: −Σ s s' over the pairs of neighbours, divided by the number of spins.
///
/// # Errors
/// When `samples` are not square lattices of spins ±1, [n, size, size] or [n, size²], or on interruption.
pub fn ising_energy(samples: &Tensor, task: &Task) -> Result<Vec<f64>> {
    let lattices = Lattices::new(samples)?;
    lattices.each(task, |lattice| -2.0 * correlation(lattice, lattices.size, 1))
}

/// Mean product of two spins by their distance along an axis, from 0 to half of the size; means over positions, both
/// axes and all lattices. The mean of the spins is not taken off.
///
/// # Errors
/// As [`ising_energy`].
pub fn spin_correlation(samples: &Tensor, task: &Task) -> Result<Vec<f64>> {
    let lattices = Lattices::new(samples)?;
    let distances = lattices.size / 2 + 1;
    lattices.means(distances, task, |lattice| {
        (0..distances).map(|distance| correlation(lattice, lattices.size, distance)).collect()
    })
}

/// For each of `sizes`, the magnetisation of squares of so many sites along each side: its absolute value, with means
/// over all positions of the square, also across the sides of the lattice, and over all lattices.
///
/// # Errors
/// As [`ising_energy`], and when one of `sizes` is 0 or beyond the size of the lattice.
pub fn coarse_magnetisation(samples: &Tensor, sizes: &[usize], task: &Task) -> Result<Vec<f64>> {
    let lattices = Lattices::new(samples)?;
    let size = lattices.size;
    if let Some(wrong) = sizes.iter().find(|side| !(1..=size).contains(*side)) {
        return Err(Error::argument(
            "sizes",
            format!("must be from 1 to {size}, the size of the lattices, got {wrong}"),
        ));
    }
    lattices.means(sizes.len(), task, |lattice| {
        let sums = corner_sums(lattice, size);
        sizes.iter().map(|&side| magnetisation(&sums, size, side)).collect()
    })
}

/// Sums of all spins above and left of each corner of the lattice repeated twice along both axes: [2L + 1, 2L + 1].
fn corner_sums(lattice: &[f32], size: usize) -> Vec<i64> {
    let stride = 2 * size + 1;
    let mut sums = vec![0; stride * stride];
    for i in 0..2 * size {
        let mut row = 0;
        for j in 0..2 * size {
            row += lattice[i % size * size + j % size] as i64;
            sums[(i + 1) * stride + j + 1] = sums[i * stride + j + 1] + row;
        }
    }
    sums
}

fn magnetisation(sums: &[i64], size: usize, side: usize) -> f64 {
    let stride = 2 * size + 1;
    let mut sum = 0;
    for corner in (0..size).flat_map(|i| (0..size).map(move |j| i * stride + j)) {
        let below = corner + side * stride;
        sum += (sums[below + side] - sums[below] - sums[corner + side] + sums[corner]).abs();
    }
    sum as f64 / (size * size * side * side) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lattices(shape: &[usize], spin: impl Fn(usize) -> f32) -> Tensor {
        Tensor::new(shape, (0..shape.iter().product()).map(spin).collect()).unwrap()
    }

    /// All up, stripes along the columns, and a chessboard, of 4 × 4.
    fn known() -> Tensor {
        let spin = |at: usize| {
            let (lattice, i, j) = (at / 16, at / 4 % 4, at % 4);
            [1.0, if j % 4 < 2 { 1.0 } else { -1.0 }, if (i + j) % 2 == 0 { 1.0 } else { -1.0 }][lattice]
        };
        lattices(&[3, 4, 4], spin)
    }

    #[test]
    fn energies_of_known_lattices() {
        let task = Task::default();
        assert_eq!(ising_energy(&known(), &task).unwrap(), [-2.0, -1.0, 2.0]);
        let flat = known().reshape(&[3_i64, 16]).unwrap();
        assert_eq!(ising_energy(&flat, &task).unwrap(), [-2.0, -1.0, 2.0]);
    }

    #[test]
    fn correlations_of_known_lattices() {
        // Stripes: 0 or −1 along a row, always 1 along a column.
        let truth = [1.0, (1.0 + 0.5 - 1.0) / 3.0, (1.0 + 0.0 + 1.0) / 3.0];
        assert_eq!(spin_correlation(&known(), &Task::default()).unwrap(), truth);
    }

    #[test]
    fn magnetisation_of_squares() {
        let sizes = [1, 2, 3, 4];
        let truth = |stripes: f64, chess: f64| (1.0 + stripes + chess) / 3.0;
        let found = coarse_magnetisation(&known(), &sizes, &Task::default()).unwrap();
        let expected = [truth(1.0, 1.0), truth(0.5, 0.0), truth(1.0 / 3.0, 1.0 / 9.0), truth(0.0, 0.0)];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{found:?} for {expected:?}");
    }

    #[test]
    fn what_is_no_lattice_is_refused() {
        let refusal = |tensor: &Tensor| ising_energy(tensor, &Task::default()).unwrap_err().to_string();
        let shape = refusal(&lattices(&[2, 3, 4], |_| 1.0));
        assert!(shape.starts_with("`samples` must hold square lattices, got shape [2, 3, 4]"), "{shape}");
        let spin = refusal(&lattices(&[2, 2, 2], |at| if at == 5 { 0.5 } else { 1.0 }));
        assert!(spin.starts_with("`samples` must hold spins 1 and -1, got 0.5 at site 1 of row 1"), "{spin}");
        let far = coarse_magnetisation(&known(), &[4, 5], &Task::default()).unwrap_err().to_string();
        assert!(far.starts_with("`sizes` must be from 1 to 4, the size of the lattices, got 5"), "{far}");
    }
}
