//! Markov embedding of coloured noise: few stable linear equations in white noise that have a wanted correlation
//! function, spectrum, or mean square displacement.
//!
//! A sum of independent Ornstein–Uhlenbeck processes has the correlation C(t) = Σ vᵢ exp(−|t|/τᵢ) and the spectrum
//! S(ω) = Σ 2 vᵢτᵢ/(1 + ω²τᵢ²), vᵢ > 0: enough for what falls without turning, such as power laws. All else is the
//! filter of one white noise. Both are noises by construction: no spectrum of theirs is ever negative.

mod component;
mod decays;
mod filter;
mod ladder;
mod roots;
mod sampled;
mod squares;
#[cfg(test)]
mod tests;
mod vector_fitting;
mod wanted;

pub use component::Component;
pub use ladder::Ladder;
pub use sampled::Sampled;

use crate::error::{Error, Result};
use crate::task::Task;
use decays::{Decay, Of};
use sampled::logarithmic;
use wanted::Wanted;

/// Places per octave at which a function is asked, at equal ratios.
const PER_OCTAVE: f64 = 16.0;
/// Places at equal distances between them: oscillations may last, and resonances be narrow.
const EQUALLY_FAR: usize = 400;

/// Independent noises whose sum is the wanted one.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// The noises.
    pub components: Vec<Component>,
    /// The largest error at the places asked for. At each it counts in parts of the wanted value there; where the
    /// function passes through zero or falls faster than the power 8, in parts of what such a fall from its neighbours
    /// leaves, max |C(t')| min(t/t', t'/t)⁸ over t', and at least of 1e-8 of the largest value. And at least of the
    /// floor.
    pub error: f64,
    /// The place where it is.
    pub worst: f64,
}

impl Embedding {
    /// The function that `sampled` names of the sum, at `places` that rise.
    #[must_use]
    pub fn function(&self, sampled: Sampled, places: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; places.len()];
        for component in &self.components {
            let part = component.function(sampled, places);
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        sum
    }

    /// This, unless its error is beyond the tolerance.
    fn held(self, sampled: Sampled, tolerance: f64) -> Result<Self> {
        if self.error <= tolerance {
            return Ok(self);
        }
        let short = |number: f64| {
            let digits = 10.0_f64.powf(3.0 - number.log10().floor());
            if number.is_normal() { (number * digits).round() / digits } else { number }
        };
        let states: usize = self.components.iter().map(Component::states).sum();
        let states = if states == 1 { "1 state".to_owned() } else { format!("{states} states") };
        let Self { error, worst, .. } = self;
        let problem = format!(
            "is met by no noise that was found: the nearest, of {states}, is off by {} % at {}, and the tolerance is \
             {} %",
            short(100.0 * error),
            short(worst),
            short(100.0 * tolerance)
        );
        Err(Error::argument(sampled.name(), problem).with_hint(
            "raise `tolerance`, narrow `from` to `to`, smooth its steps, or give a `floor` where small values do not \
             matter; a function whose spectrum is negative anywhere belongs to no noise",
        ))
    }

    fn new(components: Vec<Component>, wanted: &Wanted) -> Self {
        let mut embedding = Self { components, error: 0.0, worst: 0.0 };
        (embedding.error, embedding.worst) = wanted.error(&embedding.function(wanted.sampled, &wanted.places));
        embedding
    }
}

/// Few independent noises whose sum has these `values` of a function at `places`, with an error of up to `tolerance`.
/// Values below `floor` times the largest count in parts of that.
///
/// # Errors
/// When no such noise is found; when the numbers of places and values differ, fewer than two places are above 0, a
/// number is not finite, or no value is above 0; when the task is cancelled.
pub fn embed(
    sampled: Sampled,
    places: &[f64],
    values: &[f64],
    tolerance: f64,
    floor: f64,
    task: &Task,
) -> Result<Embedding> {
    let wanted = Wanted::new(sampled, places, values, floor)?;
    let mut found = by_decays(&wanted, tolerance, task)?;
    let is_held = found.iter().any(|embedding| embedding.error <= tolerance);
    if !is_held && sampled != Sampled::Displacement {
        found.extend(by_filter(&wanted, tolerance, task)?);
    }
    let nearest = found.into_iter().min_by(|a, b| a.error.total_cmp(&b.error));
    nearest.ok_or_else(|| no_noise(sampled))?.held(sampled, tolerance)
}

/// The nearest sums of decays: of the position, of the noise, of both, up to the first that is near enough.
fn by_decays(wanted: &Wanted, tolerance: f64, task: &Task) -> Result<Vec<Embedding>> {
    let families: &[&[Of]] = match wanted.sampled {
        Sampled::Displacement => &[&[Of::Position], &[Of::Noise], &[Of::Noise, Of::Position]],
        _ => &[&[Of::Noise]],
    };
    let component = |&Decay { of, variance, time }: &Decay| match of {
        Of::Noise => Component::Decay { variance, time },
        Of::Position => Component::Position { variance, time },
    };
    let mut found = Vec::new();
    for families in families {
        let Some((decays, error)) = decays::fit(wanted, families, tolerance, task)? else { continue };
        found.push(Embedding::new(decays.iter().map(component).collect(), wanted));
        if error <= tolerance {
            break;
        }
    }
    Ok(found)
}

/// The nearest filter, as a sum of its parts where that is as near.
fn by_filter(wanted: &Wanted, tolerance: f64, task: &Task) -> Result<Option<Embedding>> {
    let Some((ladder, error)) = filter::fit(wanted, tolerance, task)? else { return Ok(None) };
    let parts = Embedding::new(Component::parts(&ladder), wanted);
    let is_as_near = parts.error <= error.max(tolerance);
    Ok(Some(if is_as_near { parts } else { Embedding::new(vec![Component::Ladder(ladder)], wanted) }))
}

fn no_noise(sampled: Sampled) -> Error {
    Error::argument(sampled.name(), "is nearest to no noise at all: its values are those of no noise")
}

/// Where to ask a function between `from` and `to`.
///
/// # Errors
/// When not 0 < `from` < `to`.
pub fn places(from: f64, to: f64) -> Result<Vec<f64>> {
    let octaves = (to / from).log2().max(1.0);
    let mut places = logarithmic(from, to, (PER_OCTAVE * octaves).ceil().min(1000.0) as usize)?;
    places.extend((1..EQUALLY_FAR).map(|i| from + (to - from) * i as f64 / EQUALLY_FAR as f64));
    places.sort_by(f64::total_cmp);
    Ok(places)
}
