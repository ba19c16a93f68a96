//! All that a training batch needs to know about its times, computed once and in double precision.

use crate::error::{Error, Result};
use crate::score::{Basis, Frame, KernelBasis};
use crate::task::Task;
use crate::train::{Options, Weighting};
use crate::vector::{single, single_rows, singles};

/// Times of the table: each stratum of the largest batch needs one.
const TIMES: usize = Options::LARGEST_BATCH;

/// Times whose kernels one thread computes together.
const BLOCK: usize = 1 << 10;

/// Coefficients of the hybrid score matching objective (Dockhorn, Vahdat, Kreis, arXiv 2112.07068, §3.2) at many times.
///
/// The times are the midpoints of equal parts of [shortest, horizon]. At each the kernel is computed exactly, no
/// coefficient is interpolated, and all differences of large numbers are taken before rounding to single precision:
/// the same formulas in single precision cost a factor of seven in the distance of the samples.
pub(super) struct Table {
    /// One row per time: state [kinds, m, k + m], target [kinds, driven, k + m], weight [driven], clock.
    rows: Vec<f32>,
    times: Vec<f64>,
    size: Size,
}

/// Numbers of kinds of copies, and of components: all m, driven, and of the data k.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) kinds: usize,
    pub(super) components: usize,
    pub(super) driven: usize,
    pub(super) data: usize,
}

impl Size {
    fn of(basis: &KernelBasis) -> Self {
        let process = basis.subject().process();
        Self {
            kinds: basis.count_kinds(),
            components: process.components(),
            driven: process.driven().len(),
            data: process.data_components(),
        }
    }

    /// Columns that data and noise are multiplied with.
    pub(super) fn columns(self) -> usize {
        self.data + self.components
    }

    /// Numbers per time that give states.
    pub(super) fn state(self) -> usize {
        self.kinds * self.components * self.columns()
    }

    /// Numbers per time that give targets.
    pub(super) fn target(self) -> usize {
        self.kinds * self.driven * self.columns()
    }

    /// Numbers per time.
    fn width(self) -> usize {
        self.state() + self.target() + self.driven + 1
    }
}

impl Table {
    /// The table of a basis over [shortest, horizon].
    ///
    /// # Errors
    /// When the kernel has no density at one of the times, or the user interrupts.
    pub(super) fn new(
        basis: &KernelBasis,
        shortest: f64,
        horizon: f64,
        weighting: Weighting,
        task: &Task,
    ) -> Result<Self> {
        let size = Size::of(basis);
        // 4 bytes each.
        task.host().afford((4 * TIMES * size.width()) as f64, |problem| {
            let problem = format!("its {} components make a table of training times that {problem}", size.components);
            Error::process(basis.subject().process().name(), problem).with_hint("couple fewer coordinates")
        })?;
        let time = |i: usize| shortest + (horizon - shortest) * (i as f64 + 0.5) / TIMES as f64;
        let parts = task.blocks(TIMES / BLOCK, |block| {
            let mut rows = Vec::with_capacity(BLOCK * size.width());
            for i in block * BLOCK..(block + 1) * BLOCK {
                append(basis, time(i), weighting, &mut rows)?;
            }
            Ok(rows)
        })?;
        let mut table = Self { rows: parts.concat(), times: (0..TIMES).map(time).collect(), size };
        table.normalise_weights();
        Ok(table)
    }

    /// Numbers per time.
    pub(super) fn width(&self) -> usize {
        self.size.width()
    }

    /// Numbers of components.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// The numbers of the time at `index`.
    pub(super) fn row(&self, index: usize) -> &[f32] {
        &self.rows[index * self.width()..][..self.width()]
    }

    /// The time at `index`.
    pub(super) fn time(&self, index: usize) -> f64 {
        self.times[index]
    }

    /// The time of stratum `stratum` of `strata`, at the place `uniform` in [0, 1) inside it.
    pub(super) fn index(&self, stratum: usize, strata: usize, uniform: f32) -> usize {
        let (first, end) = (stratum * TIMES / strata, (stratum + 1) * TIMES / strata);
        first + ((f64::from(uniform) * (end - first) as f64) as usize).min(end - first - 1)
    }

    /// Makes the weights one on average, so that the loss keeps its scale.
    fn normalise_weights(&mut self) {
        let width = self.width();
        let weights = width - 1 - self.size.driven..width - 1;
        let total: f64 =
            self.rows.chunks_exact(width).flat_map(|row| &row[weights.clone()]).map(|&w| f64::from(w)).sum();
        let mean = total / (TIMES * self.size.driven) as f64;
        for row in self.rows.chunks_exact_mut(width) {
            row[weights.clone()].iter_mut().for_each(|w| *w = single(f64::from(*w) / mean));
        }
    }
}

/// The weight of each driven component's whitened error at `time`, \[driven\]: 1, or D_dd/ℓ_d².
fn weights(basis: &KernelBasis, frame: &Frame, time: f64, weighting: Weighting) -> Result<Vec<f64>> {
    if weighting == Weighting::Whitened {
        return Ok(vec![1.0; frame.unit.len()]);
    }
    let (driven, diffusion) =
        (basis.subject().process().driven(), basis.subject().process().linear_at(time)?.diffusion());
    let coupled = |a: usize| driven.iter().any(|&b| b != a && diffusion[(a, b)] != 0.0);
    if driven.iter().any(|&a| coupled(a)) {
        return Err(Error::argument("weighting", "\"likelihood\" is not supported where noises are correlated")
            .with_hint("use \"whitened\""));
    }
    Ok(driven.iter().zip(&frame.unit).map(|(&d, unit)| diffusion[(d, d)] / (unit * unit)).collect())
}

fn append(basis: &KernelBasis, time: f64, weighting: Weighting, rows: &mut Vec<f32>) -> Result<()> {
    let (frame, kernel) = basis.with_kernel(time)?;
    let kinds = basis.perturbations(&frame, &kernel);
    let matrices = kinds.iter().map(|kind| &kind.state).chain(kinds.iter().map(|kind| &kind.target));
    matrices.for_each(|matrix| rows.extend(single_rows(matrix)));
    rows.extend(singles(weights(basis, &frame, time, weighting)?));
    rows.push(single(frame.clock));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Moments;
    use crate::expr::{Expression, Function};
    use crate::process::fixtures::one_component;
    use crate::score::Subject;

    /// λ = D at the time of the sample, not at any other: for dx = −β(t) x dt + √β(t) dW, ℓ² λ = β(t).
    #[test]
    fn likelihood_weights_follow_the_noise() {
        let rate = Expression::time().multiply(&9.0.into()).add(&1.0.into());
        let drift = rate.multiply(&Expression::component(0, "x")).negate();
        let process = one_component(drift, rate.apply(Function::Sqrt), 1.0);
        let subject = Subject::new(process, vec![1], Moments::isotropic(vec![0.0], 1.0), None).unwrap();
        let basis = KernelBasis::new(subject).unwrap();
        for time in [0.01, 0.4, 1.0] {
            let (frame, _) = basis.with_kernel(time).unwrap();
            let weight = weights(&basis, &frame, time, Weighting::Likelihood).unwrap()[0];
            assert!((weight * frame.unit[0].powi(2) / (1.0 + 9.0 * time) - 1.0).abs() < 1e-12);
        }
    }
}
