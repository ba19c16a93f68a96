//! How well the kernels of a process obey the equations that define them.
//!
//! Kernels come from series, doubling, collocation and triangularisation. What is checked here is not how they were
//! made but what they are: solutions of Φ' = AΦ, c' = Ac + b, Σ' = AΣ + ΣAᵀ + D (Särkkä, Solin, "Applied Stochastic
//! Differential Equations", 2019, §5.5), in the integrated form over a window, with A, b, D asked of the graph anew;
//! and a semigroup, Φ(t, 0) = Φ(t, s)Φ(s, 0), Σ(t) = Φ(t, s)Σ(s)Φ(t, s)ᵀ + Q(t, s).

use nalgebra::{DMatrix, DVector};

use super::Kernel;
use super::passage::norm;
use super::quadrature::rule;
use crate::error::Result;
use crate::process::Process;

/// Residuals above this do not pass.
const PASSED: f64 = 1e-9;
/// A window is halved while its residual is above this, which quadrature over it could be the reason of: coefficients
/// may have kinks.
const QUADRATURE: f64 = 1e-13;
/// Windows per time.
const WINDOWS: usize = 100;
/// Largest ‖A‖h of a window.
const LONGEST: f64 = 0.5;
/// Places at which coefficients switch that are looked at in one window, and windows between two of them.
const MOST_PLACES: usize = 30;
/// Times that coefficients are asked at for what was overlooked: as many spread evenly, and as many evenly in ln t from
/// this part of the horizon on.
const SAMPLES: u32 = 1 << 16;
const FIRST_SAMPLE: f64 = 1e-9;
/// Windows that are looked at of each coefficient, where it changes most.
const MOST_SUSPECTS: usize = 8;
/// Times per factor of ten.
const PER_DECADE: i32 = 2;
/// Factors of ten from the first time to the horizon.
const DECADES: i32 = 6;

/// The largest difference between two sides of an equation, entry by entry relative to what the entry is made of (of a
/// covariance, √(Σ_ii Σ_jj)), and the time where it is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Residual {
    /// The relative difference.
    pub value: f64,
    /// The time.
    pub time: f64,
}

/// Residuals of the kernels of a process over times from 10⁻⁶ T to T.
#[derive(Debug, Clone, PartialEq)]
pub struct Certificate {
    /// Of the equations of motion of Φ, c and Σ.
    pub equation: Residual,
    /// Of the law of composition.
    pub composition: Residual,
    /// Of L Lᵀ = Σ.
    pub factor: Residual,
    /// The times that were looked at.
    pub times: Vec<f64>,
}

impl Certificate {
    /// Whether every residual is below 10⁻⁹.
    pub fn passed(&self) -> bool {
        [self.equation, self.composition, self.factor].iter().all(|residual| residual.value <= PASSED)
    }
}

impl Residual {
    fn raise(&mut self, value: f64, time: f64) {
        if value > self.value {
            *self = Self { value, time };
        }
    }
}

impl Process {
    /// Checks kernels and transitions against the equations that define them.
    ///
    /// # Errors
    /// When the process has no kernel, or a kernel cannot be computed.
    pub fn check(&self) -> Result<Certificate> {
        let count = PER_DECADE * DECADES;
        let time = |i: i32| self.horizon() * 10_f64.powf(f64::from(i - count) / f64::from(PER_DECADE));
        let times: Vec<f64> = (0..=count).map(time).collect();
        let (mut equation, mut composition, mut factor) =
            (Residual::default(), Residual::default(), Residual::default());
        for &time in &times {
            let kernel = self.kernel(time)?;
            let product = &kernel.cholesky * kernel.cholesky.transpose();
            factor.raise(covariance_residual(&(product - &kernel.covariance), &kernel.covariance), time);
            for part in [1e-3, 0.5, 0.999] {
                composition.raise(self.composition_residual(part * time, &kernel)?, time);
            }
            equation.raise(self.equation_residual(self.window(time)?)?, time);
        }
        for (start, end) in self.suspects()? {
            equation.raise(self.equation_residual((start, end))?, end);
        }
        Ok(Certificate { equation, composition, factor, times })
    }

    /// Of the way to `whole` through the time `between`.
    fn composition_residual(&self, between: f64, whole: &Kernel) -> Result<f64> {
        let (first, second) = (self.kernel(between)?, self.transition(between, whole.time)?);
        let step = &second.transfer;
        let covariance = step * &first.covariance * step.transpose() + &second.covariance;
        let transfer = step * &first.transfer;
        let offset = step * &first.offset + &second.offset;
        let transfer_size = step.abs() * first.transfer.abs();
        let offset_size = step.abs() * first.offset.abs() + second.offset.abs();
        Ok(largest([
            covariance_residual(&(covariance - &whole.covariance), &whole.covariance),
            ratios((transfer - &whole.transfer).as_slice(), transfer_size.as_slice()),
            ratios((offset - &whole.offset).as_slice(), offset_size.as_slice()),
        ]))
    }

    /// The window of the equations of motion that ends at `end`.
    fn window(&self, end: f64) -> Result<(f64, f64)> {
        let rate = norm(&self.linear_at(end)?.drift);
        Ok((end - (0.5 * end).min(LONGEST / rate), end))
    }

    /// Of the equations of motion over a window, in pieces between the last of the places in it. The piece with the
    /// largest residual is halved while quadrature over it may be the reason.
    fn equation_residual(&self, (start, end): (f64, f64)) -> Result<f64> {
        let within = |place: &&f64| start < **place && **place < end;
        let mut borders: Vec<f64> =
            self.switching_times().iter().rev().filter(within).take(MOST_PLACES).copied().collect();
        if borders.len() < MOST_PLACES {
            borders.push(start);
        }
        borders.insert(0, end);
        let kernels = borders.into_iter().map(|time| self.kernel(time)).collect::<Result<Vec<_>>>()?;
        let last = &kernels[0];
        let piece = |start: &Kernel, end: &Kernel| -> Result<Piece> {
            let defect = self.defect(start, end)?;
            Ok(Piece { residual: defect.residual(last), start: start.clone(), end: end.clone(), defect })
        };
        let mut pieces = kernels.windows(2).map(|pair| piece(&pair[1], &pair[0])).collect::<Result<Vec<_>>>()?;
        while pieces.len() < WINDOWS {
            let worst = (0..pieces.len()).max_by(|&a, &b| pieces[a].residual.total_cmp(&pieces[b].residual));
            let Some(worst) = worst.filter(|&worst| pieces[worst].residual > QUADRATURE) else { break };
            let Piece { start, end, .. } = pieces.swap_remove(worst);
            let middle = self.kernel(0.5 * (start.time + end.time))?;
            pieces.extend([piece(&start, &middle)?, piece(&middle, &end)?]);
        }
        let defects = pieces.into_iter().map(|piece| piece.defect);
        Ok(defects.reduce(|sum, own| sum.plus(&own)).map_or(0.0, |defect| defect.residual(last)))
    }

    /// Windows where coefficients may have been overlooked: between neighbouring places, and where they change most
    /// between two of many times, which know nothing of how the kernels were made.
    fn suspects(&self) -> Result<Vec<(f64, f64)>> {
        let Some(timeline) = self.0.timeline.as_ref().filter(|timeline| !timeline.varying().is_empty()) else {
            return Ok(Vec::new());
        };
        let horizon = self.horizon();
        let evenly = (1..=SAMPLES).map(|i| horizon * f64::from(i) / f64::from(SAMPLES));
        let graded = (1..=SAMPLES).map(|i| FIRST_SAMPLE.powf(f64::from(i) / f64::from(SAMPLES)) * horizon);
        let mut times: Vec<f64> = evenly.chain(graded).collect();
        times.sort_by(f64::total_cmp);
        let mut windows = Vec::new();
        let mut changes: Vec<Vec<(f64, usize)>> = vec![Vec::new(); timeline.varying().len()];
        let mut before = timeline.course().at(times[0]);
        for (i, &time) in times.iter().enumerate().skip(1) {
            let now = timeline.course().at(time);
            for (changes, (now, before)) in changes.iter_mut().zip(now.iter().zip(&before)) {
                changes.push(((now - before).abs(), i));
            }
            before = now;
        }
        for changes in &mut changes {
            let most = MOST_SUSPECTS.min(changes.len() - 1);
            changes.select_nth_unstable_by(most, |a, b| b.0.total_cmp(&a.0));
            let around = |&(_, i): &(f64, usize)| (times[i.saturating_sub(2)], times[(i + 1).min(times.len() - 1)]);
            windows.extend(changes[..most].iter().map(around));
        }
        let near = self.switching_times().windows(2).take(MOST_PLACES);
        for pair in near {
            windows.push((self.window(pair[1])?.0.max(pair[0]), pair[1]));
        }
        Ok(windows)
    }

    /// Change minus integral over one window.
    fn defect(&self, start: &Kernel, end: &Kernel) -> Result<Defect> {
        let mut defect = Defect::between(start, end);
        let length = end.time - start.time;
        for (node, weight) in rule().nodes.iter().zip(rule().weights) {
            let time = start.time + length * node;
            let (linear, kernel) = (self.linear_at(time)?, self.kernel(time)?);
            defect.subtract(&linear.drift, &linear.offset, &linear.diffusion(), &kernel, length * weight);
        }
        Ok(defect)
    }
}

/// A part of a window.
struct Piece {
    start: Kernel,
    end: Kernel,
    defect: Defect,
    residual: f64,
}

/// The change of a kernel minus the integral of its rate of change, and sizes to compare it with.
struct Defect {
    transfer: DMatrix<f64>,
    offset: DVector<f64>,
    covariance: DMatrix<f64>,
    transfer_size: DMatrix<f64>,
    offset_size: DVector<f64>,
}

impl Defect {
    fn between(start: &Kernel, end: &Kernel) -> Self {
        Self {
            transfer: &end.transfer - &start.transfer,
            offset: &end.offset - &start.offset,
            covariance: &end.covariance - &start.covariance,
            transfer_size: end.transfer.abs() + start.transfer.abs(),
            offset_size: end.offset.abs() + start.offset.abs(),
        }
    }

    /// Subtracts `weight` times the rate of change at `kernel`.
    fn subtract(&mut self, a: &DMatrix<f64>, b: &DVector<f64>, d: &DMatrix<f64>, kernel: &Kernel, weight: f64) {
        let carried = a * &kernel.covariance;
        self.covariance -= weight * (&carried + carried.transpose() + d);
        self.transfer -= weight * (a * &kernel.transfer);
        self.offset -= weight * (a * &kernel.offset + b);
        self.transfer_size += weight * (a.abs() * kernel.transfer.abs());
        self.offset_size += weight * (a.abs() * kernel.offset.abs() + b.abs());
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            transfer: self.transfer + &other.transfer,
            offset: self.offset + &other.offset,
            covariance: self.covariance + &other.covariance,
            transfer_size: self.transfer_size + &other.transfer_size,
            offset_size: self.offset_size + &other.offset_size,
        }
    }

    fn residual(&self, end: &Kernel) -> f64 {
        largest([
            covariance_residual(&self.covariance, &end.covariance),
            ratios(self.transfer.as_slice(), self.transfer_size.as_slice()),
            ratios(self.offset.as_slice(), self.offset_size.as_slice()),
        ])
    }
}

/// The largest entry of a difference of covariances, relative to √(Σ_ii Σ_jj).
fn covariance_residual(difference: &DMatrix<f64>, covariance: &DMatrix<f64>) -> f64 {
    let size = covariance.nrows();
    let spread = covariance.diagonal().map(f64::sqrt);
    let sizes = DMatrix::from_fn(size, size, |i, j| spread[i] * spread[j]);
    ratios(difference.as_slice(), sizes.as_slice())
}

/// The largest of |difference|/size; 0/0 counts as 0.
fn ratios(differences: &[f64], sizes: &[f64]) -> f64 {
    let pairs = differences.iter().zip(sizes).filter(|(difference, _)| **difference != 0.0);
    largest(pairs.map(|(difference, size)| difference.abs() / size))
}

/// The largest number, infinite where one is not a number.
fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |worst, value| if value.is_nan() { f64::INFINITY } else { value.max(worst) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In units of the deviations of both components; what does not differ counts as nothing, also where both are 0.
    #[test]
    fn covariances_differ_in_parts_of_their_deviations() {
        let covariance = DMatrix::from_row_slice(3, 3, &[4.0, 1.0, 0.0, 1.0, 9.0, 0.0, 0.0, 0.0, 0.0]);
        let mut difference = DMatrix::zeros(3, 3);
        difference[(0, 0)] = -0.8;
        assert!((covariance_residual(&difference, &covariance) - 0.2).abs() < 1e-15);
        difference[(1, 0)] = 1.5;
        assert!((covariance_residual(&difference, &covariance) - 0.25).abs() < 1e-15);
        difference[(2, 1)] = 1e-9;
        assert_eq!(covariance_residual(&difference, &covariance), f64::INFINITY);
    }
}
