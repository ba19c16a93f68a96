//! The likelihood bound of a process with few steps, and how it depends on the parameters.

use nalgebra::{DMatrix, DVector};

use super::denoising::Denoising;
use super::observed::{Observed, components, require_density, require_gaussian};
use crate::data::Moments;
use crate::error::{Error, Result};
use crate::process::{KernelSlope, PriorLaw, Process, Sensitivity};

/// By how much the variational bound on −ln p of the data lies above their entropy, in nats per datum: what a model
/// with the best denoiser loses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Excess {
    /// By the prior, which is not the law of the noised data.
    pub prior: f64,
    /// By steps to one Gaussian each.
    pub steps: f64,
    /// By the last step, to a Gaussian about the guess of the datum.
    pub last: f64,
}

impl Excess {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.prior + self.steps + self.last
    }
}

/// What the bound is of.
#[derive(Clone, Copy)]
pub(super) struct Bound<'a> {
    pub(super) moments: &'a Moments,
    pub(super) denoising: &'a Denoising,
    pub(super) prior: PriorLaw,
    /// The times at which steps end, from the horizon down, all above 0, in parts of the horizon; none for infinitely
    /// many steps.
    pub(super) times: &'a [f64],
}

/// The Fisher information of the noised state about the datum, and its derivative by each parameter.
struct Seen {
    value: f64,
    slopes: Vec<f64>,
}

impl Bound<'_> {
    /// The excess of `process`, and the derivative of the total by each of the `parameters`.
    ///
    /// Steps are ancestral: from z_t to the law of the state at the time before given z_t and the guess of the datum. A
    /// step from J to J' > J costs ½ (J' − J) error(J), the last one to the data leaves a Gaussian of the variance
    /// error(J)/d, and steps without number cost nothing (Kingma, Salimans, Poole, Ho, arXiv 2107.00630, section 5).
    ///
    /// # Errors
    /// When the process has no Gaussian kernel, couples coordinates, or its state has no density.
    pub(super) fn of(&self, process: &Process, parameters: &[String]) -> Result<(Excess, Vec<f64>)> {
        require_gaussian(process)?;
        if process.coordinates().is_some() {
            let problem = "it couples coordinates, for which the bound is not known in closed form";
            return Err(Error::process(process.name(), problem));
        }
        require_density(process, &components(process, None)?)?;
        let sensitivities =
            parameters.iter().map(|name| process.sensitivity(name)).collect::<Result<Vec<Sensitivity>>>()?;
        let horizon = process.horizon();
        let (seen, law) = seen(process, &sensitivities, horizon)?;
        let (gap, mut slopes) = self.gap(process, &sensitivities, &seen, &law)?;
        let prior = gap - self.denoising.information(seen.value);
        let [error, _] = self.denoising.error(seen.value);
        add(&mut slopes, -0.5 * error, &seen);
        let mut excess = Excess { prior, steps: 0.0, last: 0.0 };
        let Some((_, earlier)) = self.times.split_first() else { return Ok((excess, slopes)) };
        let mut late = seen;
        for part in earlier {
            let (early, _) = self::seen(process, &sensitivities, part * horizon)?;
            let [error, slope] = self.denoising.error(late.value);
            let [own, _] = self.denoising.error(early.value);
            let gained = early.value - late.value;
            let known = self.denoising.information(early.value) - self.denoising.information(late.value);
            excess.steps += 0.5 * gained * error - known;
            add(&mut slopes, 0.5 * (error - own), &early);
            add(&mut slopes, 0.5 * gained * slope, &late);
            late = early;
        }
        let d = self.denoising.dimension();
        let [error, slope] = self.denoising.error(late.value);
        let normal = 0.5 * d * (std::f64::consts::TAU * std::f64::consts::E * error / d).ln();
        excess.last = normal - self.denoising.entropy_left(late.value);
        add(&mut slopes, 0.5 * (d * slope / error + error), &late);
        Ok((excess, slopes))
    }

    /// E KL(law of the state at the horizon given the datum ‖ prior), and its derivatives.
    fn gap(
        &self,
        process: &Process,
        sensitivities: &[Sensitivity],
        seen: &Seen,
        law: &[KernelSlope],
    ) -> Result<(f64, Vec<f64>)> {
        match self.prior {
            PriorLaw::Stationary => self.stationary_gap(process, sensitivities, law),
            PriorLaw::Matched | PriorLaw::Ensemble => {
                let mut slopes = vec![0.0; sensitivities.len()];
                let mut gap = 0.0;
                for variance in &self.moments.variances {
                    gap += 0.5 * (variance * seen.value).ln_1p();
                    add(&mut slopes, 0.5 * variance / (1.0 + variance * seen.value), seen);
                }
                Ok((gap, slopes))
            }
        }
    }

    fn stationary_gap(
        &self,
        process: &Process,
        sensitivities: &[Sensitivity],
        law: &[KernelSlope],
    ) -> Result<(f64, Vec<f64>)> {
        let kernel = process.kernel(process.horizon())?;
        let prior = process.stationary()?;
        let inverse = |covariance: &DMatrix<f64>| {
            let factor = covariance.clone().cholesky().ok_or_else(|| process.without_stationary_density())?;
            Ok::<_, Error>((factor.inverse(), factor.ln_determinant()))
        };
        let (precision, prior_volume) = inverse(&prior.covariance)?;
        let (own, own_volume) = inverse(&kernel.covariance)?;
        let d = self.moments.mean.len() as f64;
        let variances = self.moments.coordinate_variances();
        let response = kernel.response().column(0).into_owned();
        let centre = &kernel.offset - &prior.mean;
        // Sums over coordinates of 1, of the mean, and of the mean square of a datum.
        let first: f64 = self.moments.mean.iter().sum();
        let second: f64 = self.moments.mean.iter().zip(&variances).map(|(mean, variance)| mean * mean + variance).sum();
        // Σ_c E (z − μ)(z − μ)ᵀ of the state about the mean of the prior.
        let about = |response: &DVector<f64>, centre: &DVector<f64>, other: [&DVector<f64>; 2]| {
            let [r, c] = other;
            response * r.transpose() * second
                + (response * c.transpose() + centre * r.transpose()) * first
                + centre * c.transpose() * d
        };
        let spread = &kernel.covariance * d + about(&response, &centre, [&response, &centre]);
        let size = response.len() as f64;
        let gap = 0.5 * ((&precision * &spread).trace() + d * (prior_volume - own_volume - size));
        let mut slopes = Vec::new();
        for (sensitivity, slope) in sensitivities.iter().zip(law) {
            let (mean, covariance) = sensitivity.stationary()?;
            let moved = about(&slope.response.column(0).into_owned(), &(&slope.offset - mean), [&response, &centre]);
            let spread_slope = &slope.covariance * d + &moved + moved.transpose();
            let turned = &precision * &covariance * &precision;
            let quadratic = (&precision * spread_slope).trace() - (turned * &spread).trace();
            let volumes = (&precision * &covariance).trace() - (&own * &slope.covariance).trace();
            slopes.push(0.5 * (quadratic + d * volumes));
        }
        Ok((gap, slopes))
    }
}

/// What the state at `time` tells of its datum, and how the kernel depends on the parameters.
fn seen(process: &Process, sensitivities: &[Sensitivity], time: f64) -> Result<(Seen, Vec<KernelSlope>)> {
    let observed = Observed::of(process, (0..process.components()).collect(), time)?;
    let white = observed.signal();
    let value = white.norm_squared();
    let weights = observed.weights(&white);
    let law = sensitivities.iter().map(|sensitivity| sensitivity.kernel(time)).collect::<Result<Vec<_>>>()?;
    // d(Rᵀ Σ⁻¹ R) = 2 wᵀ dR − wᵀ dΣ w with w = Σ⁻¹ R.
    let slope = |slope: &KernelSlope| {
        2.0 * weights.dot(&slope.response) - (weights.transpose() * &slope.covariance * &weights).trace()
    };
    let slopes = law.iter().map(slope).collect();
    Ok((Seen { value, slopes }, law))
}

/// Adds what a change of J brings, `by` each unit.
fn add(slopes: &mut [f64], by: f64, seen: &Seen) {
    slopes.iter_mut().zip(&seen.slopes).for_each(|(sum, slope)| *sum += by * slope);
}
