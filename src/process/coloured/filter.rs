//! Fits by one filter: poles and residues by vector fitting, the spectrum made non-negative by moving its zeros, the
//! stable factor of it as a ladder, and all numbers of the ladder refined together.

use nalgebra::Complex;

use super::ladder::Ladder;
use super::roots::Roots;
use super::sampled::Sampled;
use super::squares::{Squares, differences};
use super::vector_fitting::vector_fit;
use super::wanted::Wanted;
use crate::error::Result;
use crate::task::Task;

/// States of a ladder, at most.
pub(super) const MOST_STATES: usize = 16;
/// Zeros beyond this many times the largest pole are at infinity.
const FAR: f64 = 1e3;
/// Damping, as a part of its frequency, of a zero that stands where the spectrum was negative.
const SHALLOW: f64 = 0.01;
/// Imaginary parts of zeros below this part are rounding.
const REAL: f64 = 1e-7;
/// Step of numerical derivatives, in logarithms, and in parts of the largest weight.
const STEP: f64 = 1e-6;

/// The ladder of fewest states within the tolerance, else the nearest one found, and its error.
pub(super) fn fit(wanted: &Wanted, tolerance: f64, task: &Task) -> Result<Option<(Ladder, f64)>> {
    let (low, high) = wanted.range();
    // One place of the middle is 1: products of many rates stay in range.
    let unit = match wanted.sampled {
        Sampled::Spectrum => 1.0 / (low * high).sqrt(),
        _ => (low * high).sqrt(),
    };
    let here = wanted.in_units(unit);
    let mut best: Option<(Ladder, f64)> = None;
    for count in 1..=MOST_STATES {
        task.check()?;
        let Some(ladder) = start(&here, count).map(|start| refined(&here, start, task)) else { continue };
        let (error, _) = here.error(&ladder.function(here.sampled, &here.places));
        if best.as_ref().is_none_or(|(_, least)| error < *least) {
            best = Some((ladder.faster(1.0 / unit), error));
        }
        if error <= tolerance {
            break;
        }
    }
    task.check()?;
    Ok(best)
}

/// A ladder with the poles of a vector fit, and its spectrum as far as that is not negative.
fn start(wanted: &Wanted, count: usize) -> Option<Ladder> {
    let (poles, spectrum) = vector_fit(wanted, count)?;
    let zeros = if count == 1 { Roots::default() } else { minimum_phase(&spectrum.zeros(false)?, poles.range().1) };
    let mut ladder = Ladder::with_roots(&poles, &zeros)?;
    let function = wanted.weighted(&ladder.quickly(wanted.sampled, &wanted.places));
    let gain = function.dot(&wanted.weighted(&wanted.values)) / function.norm_squared();
    ladder.weights.iter_mut().for_each(|weight| *weight *= gain.abs().sqrt());
    ladder.is_finite().then_some(ladder)
}

/// Zeros in s, in the left half, of a spectrum with these zeros in ω². Where it changes sign, at two zeros above 0, it
/// is made to touch 0 between them.
fn minimum_phase(squares: &Roots, fastest: f64) -> Roots {
    let far = (FAR * fastest).powi(2);
    let is_pair = |square: &&Complex<f64>| square.im > REAL * square.norm();
    let mut real = squares.real.clone();
    real.extend(squares.pairs.iter().filter(|square| !is_pair(square)).flat_map(|square| [square.re, square.re]));
    real.retain(|square| square.abs() < far);
    real.sort_by(f64::total_cmp);
    let (negative, positive): (Vec<f64>, Vec<f64>) = real.into_iter().partition(|square| *square <= 0.0);
    // The last of an odd number would leave the spectrum negative for ever.
    let touching = positive.chunks_exact(2).map(|pair| Complex::new(-SHALLOW, 1.0) * (pair[0] * pair[1]).powf(0.25));
    let away = squares.pairs.iter().filter(|square| is_pair(square) && square.norm() < far);
    Roots {
        real: negative.iter().map(|square| -(-square).sqrt()).collect(),
        pairs: touching.chain(away.map(|square| -(-*square).sqrt())).collect(),
    }
}

/// Least squares in the logarithms of all rates and in the weights.
fn refined(wanted: &Wanted, start: Ladder, task: &Task) -> Ladder {
    let rates = start.weights.len();
    let ladder = |parameters: &[f64]| {
        let mut couplings: Vec<_> = parameters[..rates].iter().map(|rate| rate.exp()).collect();
        let damping = couplings.pop().expect("the damping");
        Ladder { weights: parameters[rates..].to_vec(), couplings, damping }
    };
    let residual = |parameters: &[f64]| wanted.residual(&ladder(parameters).quickly(wanted.sampled, &wanted.places));
    let slopes = |parameters: &[f64]| {
        let largest = parameters[rates..].iter().fold(0.0, |largest: f64, weight| largest.max(weight.abs()));
        differences(residual, parameters, |i| if i < rates { STEP } else { STEP * largest })
    };
    let mut parameters: Vec<_> = start.couplings.iter().chain([&start.damping]).map(|rate| rate.ln()).collect();
    parameters.extend(&start.weights);
    let squares = Squares { residual: &residual, slopes: &slopes, logarithms: 0..rates };
    ladder(&squares.refined(parameters, task))
}
