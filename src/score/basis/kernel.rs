//! The basis of a process whose kernel is known.
//!
//! s_G is the exact score if the data were Gaussian with their own mean and covariance, u the state, seen from that
//! mean along the axes of that covariance, in the standard deviations that it then would have, and ℓ_d the standard
//! deviation of component d given all others. Angles are on the circle: s_G is that of the auxiliaries alone, and the
//! network is shown cosine and sine.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};
use serde_json::{Value, json};

use super::frame::{Frame, Gaussian, clock};
use super::{Basis, Subject};
use crate::data::Moments;
use crate::error::{Error, Result};
use crate::gauss::precision;
use crate::process::{Kernel, Noised};

/// What files call this kind of basis.
pub(super) const KIND: &str = "kernel";

/// The basis of `subject`, which needs no description.
pub(super) fn restore(_: Value, subject: Subject) -> Result<Box<dyn Basis>> {
    Ok(Box::new(KernelBasis::new(subject)?))
}

/// Most variances that coordinates are told apart by: each needs coefficients of its own at every time of training, and
/// what a variance leaves to the network changes little within a factor.
const MOST_KINDS: usize = 32;

/// The variance by which angles are taken for data without any place, so that the Gaussian part does not know them.
const ANYWHERE: f64 = 1e12;

/// Scores by the kernel of a process.
#[derive(Debug)]
pub struct KernelBasis {
    subject: Subject,
    order: Vec<usize>,
    noised: Noised,
}

/// The normalised state and the whitened target of a kind of copy as linear functions of the centred datum x_0 − m,
/// along the axes of the data, and the noise ε of the perturbation, exact cancellations included.
///
/// The first k columns multiply x_0 − m, column k + i the noise ε_i, the undriven components first.
#[derive(Debug, Clone)]
pub struct Perturbation {
    /// u_b, [m, k + m].
    pub state: DMatrix<f64>,
    /// ℓ_d (∇_d log p(z_t | x_0) − s_G,d), [driven, k + m].
    pub target: DMatrix<f64>,
}

impl KernelBasis {
    /// The basis of a subject.
    ///
    /// # Errors
    /// When no noise drives the process.
    pub fn new(subject: Subject) -> Result<Self> {
        subject.process().require_noise()?;
        let order = subject.process().undriven_first();
        let nowhere = || Moments::isotropic(subject.moments().mean.clone(), ANYWHERE);
        let moments = if subject.angles() > 0 { &nowhere() } else { subject.moments() };
        let noised = Noised::new(subject.process(), moments)?.coarse(MOST_KINDS);
        Ok(Self { subject, order, noised })
    }

    /// The frame at `time` above 0, and the perturbation kernel that it is made of.
    ///
    /// # Errors
    /// When the kernel has no density there.
    pub fn with_kernel(&self, time: f64) -> Result<(Frame, Kernel)> {
        let process = self.subject.process();
        let kernel = process.kernel(time)?;
        let driven = process.driven();
        let spread = kernel.conditional_std();
        let unit = DVector::from_iterator(driven.len(), driven.iter().map(|&d| spread[d]));
        let gaussian = |law: &Kernel| {
            let mut scale = law.covariance.diagonal().map(f64::sqrt);
            let mut gauss = precision(&law.cholesky).select_rows(driven);
            if self.subject.angles() > 0 {
                scale[0] = 1.0;
                gauss.column_mut(0).fill(0.0);
            }
            Gaussian { scale, gauss }
        };
        let gaussians: Vec<_> = self.noised.laws(&kernel).iter().map(gaussian).collect();
        let is_finite = |values: &[f64]| values.iter().all(|v| v.is_finite());
        let is_fine = |law: &Gaussian| is_finite(law.gauss.as_slice()) && is_finite(law.scale.as_slice());
        if !(unit.iter().all(|l| *l > 0.0 && l.is_finite()) && gaussians.iter().all(is_fine)) {
            let problem = format!("has no density at t = {time:e}: the noise does not reach every block");
            return Err(Error::process(process.name(), problem)
                .with_hint("raise `minimum_time`, or drive the block that the noise does not reach"));
        }
        let (mean, clock) = (vec![0.0; self.subject.rows()], clock(time, process.horizon()));
        let kinds = self.noised.kinds().clone();
        let angles = self.subject.angles();
        Ok((Frame { mean, gaussians, kinds, unit, clock, angles, balance: None }, kernel))
    }

    /// The kind of each copy, \[copies\].
    pub fn kinds(&self) -> &Arc<[usize]> {
        self.noised.kinds()
    }

    /// Number of kinds.
    pub fn count_kinds(&self) -> usize {
        self.kinds().iter().max().map_or(0, |last| last + 1)
    }

    /// What a perturbation by `kernel`, at the time of `frame`, shows the network and expects of it, of each kind of
    /// copy.
    pub fn perturbations(&self, frame: &Frame, kernel: &Kernel) -> Vec<Perturbation> {
        let size = self.order.len();
        let data = kernel.data;
        let ordered = kernel.cholesky_in(&self.order);
        // Rows back in declared order; the columns stay those of the noise.
        let mut noise = DMatrix::zeros(size, size);
        for (row, &block) in self.order.iter().enumerate() {
            noise.set_row(block, &ordered.row(row));
        }
        let mut spread = DMatrix::zeros(size, data + size);
        spread.columns_mut(0, data).copy_from(&kernel.response());
        spread.columns_mut(data, size).copy_from(&noise);
        let driven = self.subject.process().driven().len();
        let undriven = size - driven;
        // −L_dd^{−ᵀ} ε_d is the driven part of ∇ log p(z_t | x_0); L^{−ᵀ} is the precision times L.
        let corner_size = (driven, driven);
        let corner = ordered.view((undriven, undriven), corner_size).into_owned();
        let corner = precision(&corner) * corner;
        let of = |Gaussian { scale, gauss }: &Gaussian| {
            let state = DMatrix::from_fn(size, data + size, |b, j| spread[(b, j)] / scale[b]);
            let mut target = gauss * &spread;
            let mut own = target.view_mut((0, data + undriven), corner_size);
            own -= &corner;
            for (mut row, unit) in target.row_iter_mut().zip(&frame.unit) {
                row *= *unit;
            }
            Perturbation { state, target }
        };
        frame.gaussians.iter().map(of).collect()
    }
}

impl Basis for KernelBasis {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn description(&self) -> Value {
        json!({})
    }

    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn at(&self, time: f64) -> Result<Frame> {
        self.with_kernel(time).map(|(frame, _)| frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::fixtures::Active;
    use crate::process::{Linear, Process};

    fn basis(process: &Process, moments: &Moments) -> Result<KernelBasis> {
        let shape = vec![moments.mean.len()];
        KernelBasis::new(Subject::new(process.clone(), shape, moments.clone(), None).unwrap())
    }

    /// Active noise with a force, and passive noise on top: both blocks driven where `passive` is above 0.
    fn active(passive: f64) -> Process {
        Active { passive, force: 0.3, ..Active::default() }.process()
    }

    /// Noise on the data block, and a memory of it without noise of its own: the driven block is declared first.
    fn remembered() -> Process {
        let linear = Linear {
            drift: DMatrix::from_row_slice(2, 2, &[-1.0, 0.4, 1.0, -2.0]),
            noise: DMatrix::from_row_slice(2, 1, &[1.3, 0.0]),
            ..active(0.0).constant().unwrap().clone()
        };
        Process::from_linear("remembered", &["x", "memory"], linear, 2.0).unwrap()
    }

    /// For Gaussian data the marginal score is the Gaussian part, so the whitened target averages to zero given the
    /// state: its covariance with every block of the state vanishes. Seen to fail with L^{−1} for L^{−ᵀ}, with the sign
    /// of the Gaussian part turned, and with the rows of the factor left in the order of the noise.
    #[test]
    fn targets_are_uncorrelated_with_the_state_of_gaussian_data() {
        for process in [active(0.0), active(0.2), remembered()] {
            let moments = Moments::isotropic(vec![0.5, -0.5], 0.17);
            let basis = basis(&process, &moments).unwrap();
            for time in [1e-3, 0.1, 2.0] {
                let (frame, kernel) = basis.with_kernel(time).unwrap();
                let Perturbation { state, target } = &basis.perturbations(&frame, &kernel)[0];
                // Variances of x_0 − m and of the noises.
                let law = DMatrix::from_diagonal(&DVector::from_vec(vec![moments.variance(), 1.0, 1.0]));
                let unit = state * &law * state.transpose();
                assert!(unit.diagonal().iter().all(|v| (v - 1.0).abs() < 1e-12), "variance of the state {unit}");
                let cross = target * &law * state.transpose();
                assert!(cross.abs().max() < 1e-9, "t = {time}: {cross}");
            }
        }
    }

    /// For a datum without variance the Gaussian part is the whole score and nothing is left to learn.
    #[test]
    fn a_single_point_leaves_nothing_to_learn() {
        let basis = basis(&active(0.1), &Moments::isotropic(vec![1.0], 0.0)).unwrap();
        let (frame, kernel) = basis.with_kernel(0.3).unwrap();
        let target = &basis.perturbations(&frame, &kernel)[0].target;
        assert!(target.columns(1, 2).abs().max() < 1e-12, "{target}");
    }

    #[test]
    fn a_process_without_noise_is_refused() {
        let mut linear = active(0.0).constant().unwrap().clone();
        linear.noise.fill(0.0);
        let still = Process::from_linear("still", &["x", "eta"], linear, 2.0).unwrap();
        let error = basis(&still, &Moments::isotropic(vec![0.0], 1.0)).unwrap_err();
        assert!(error.to_string().contains("never driven"), "{error}");
    }
}
