//! Square roots of the covariance of a Gaussian process that its probability flow carries along.
//!
//! The flow of a Gaussian process, dz/dt = (A + ½ D Σ⁻¹) z about its mean, has the fundamental matrix R of
//! R' = (A + ½ D Σ⁻¹) R with R Rᵀ = Σ (gDDIM: Zhang, Tao, Chen, arXiv 2206.05564). With the lower-triangular factor L
//! of Σ it is R = L Q, where Q is orthogonal and Q' = K Q: since L⁻¹ L' is lower triangular, the skew-symmetric K has
//! the upper triangle of L⁻¹ A L + ½ L⁻¹ D L⁻ᵀ. So a flow over any time keeps Σ to rounding, and of a single component
//! nothing is left to integrate.

use nalgebra::DMatrix;

use super::followed::{Followed, Law};
use crate::error::{Error, Result};
use crate::gauss::solve_lower_matrix;

/// Q of each kind of copy at any time.
pub(super) struct Rotations<'a> {
    followed: Followed<'a>,
    /// Rising times, and the rotations up to them from the first.
    known: Vec<(f64, Vec<DMatrix<f64>>)>,
}

/// The time from which rotations are counted, in parts of the horizon.
const FIRST: f64 = 1e-12;

/// Parts that a factor of e in time is cut into at least.
const PARTS: f64 = 1.0;

/// The error that a part may add.
const TOLERANCE: f64 = 1e-8;

/// Parts in all, at most: some seconds of work.
const MOST: usize = 20_000;

/// Halvings of a part, at most.
const DEEPEST: u32 = 16;

impl<'a> Rotations<'a> {
    /// Up to the time `last`.
    pub(super) fn new(followed: Followed<'a>, last: f64) -> Result<Self> {
        let first = FIRST * followed.process.horizon();
        let size = followed.process.components();
        let none = followed.at(last)?.factors.iter().map(|_| DMatrix::identity(size, size)).collect();
        let mut rotations = Self { followed, known: vec![(first, none)] };
        if size > 1 && last > first {
            let count = (PARTS * (last / first).ln()).ceil();
            let time = |i: f64| first * (last / first).powf(i / count);
            let mut times: Vec<f64> = (0..=count as usize).map(|i| time(i as f64)).collect();
            // No part reaches across a time at which the process switches.
            let places = rotations.followed.process.switching_times();
            times.extend(places.iter().filter(|place| first < **place && **place < last));
            times.sort_by(f64::total_cmp);
            times.windows(2).try_for_each(|ends| rotations.advance(ends[0], ends[1], 0))?;
        }
        Ok(rotations)
    }

    /// The process whose flow it is.
    pub(super) fn followed(&self) -> &Followed<'a> {
        &self.followed
    }

    /// Goes on from the last known time, `from`, to `to`.
    fn advance(&mut self, from: f64, to: f64, depth: u32) -> Result<()> {
        let middle = (from * to).sqrt();
        let (whole, halves) = (self.turns(from, to)?, [self.turns(from, middle)?, self.turns(middle, to)?]);
        let both: Vec<_> = halves[0].iter().zip(&halves[1]).map(|(first, second)| second * first).collect();
        let error = whole.iter().zip(&both).map(|(whole, both)| (whole - both).abs().max()).fold(0.0, f64::max);
        if error > TOLERANCE && depth < DEEPEST {
            self.advance(from, middle, depth + 1)?;
            return self.advance(middle, to, depth + 1);
        }
        if self.known.len() > MOST {
            return Err(Error::process(self.followed.process.name(), "its flow turns too often up to the horizon")
                .with_hint("take a shorter horizon, or the method \"splitting\""));
        }
        let (_, last) = &self.known[self.known.len() - 1];
        let now = both.iter().zip(last).map(|(turn, last)| turn * last).collect();
        self.known.push((to, now));
        Ok(())
    }

    /// The rotations at `time`.
    pub(super) fn at(&self, time: f64) -> Result<Vec<DMatrix<f64>>> {
        let place = self.known.partition_point(|(known, _)| *known <= time).max(1) - 1;
        let (known, rotations) = &self.known[place];
        if time <= *known || rotations[0].nrows() == 1 {
            return Ok(rotations.clone());
        }
        Ok(self.turns(*known, time)?.iter().zip(rotations).map(|(turn, rotation)| turn * rotation).collect())
    }

    /// R of each kind of copy at `time`, where the reference has this `law`.
    pub(super) fn roots(&self, time: f64, law: &Law) -> Result<Vec<DMatrix<f64>>> {
        Ok(law.factors.iter().zip(self.at(time)?).map(|(factor, rotation)| factor * rotation).collect())
    }

    /// R⁻¹ of each kind of copy at `time`, where the reference has this `law`.
    pub(super) fn inverse_roots(&self, time: f64, law: &Law) -> Result<Vec<DMatrix<f64>>> {
        let inverse = |(factor, rotation): (&DMatrix<f64>, DMatrix<f64>)| {
            let identity = DMatrix::identity(factor.nrows(), factor.nrows());
            rotation.tr_mul(&solve_lower_matrix(factor, &identity))
        };
        Ok(law.factors.iter().zip(self.at(time)?).map(inverse).collect())
    }

    /// The rotations from one time to another: the exponential of Magnus' series to fourth order in the logarithm of
    /// time (Blanes, Casas, Oteo, Ros, arXiv 0810.5488).
    fn turns(&self, from: f64, to: f64) -> Result<Vec<DMatrix<f64>>> {
        let length = (to / from).ln();
        let node = |offset: f64| from * (length * (0.5 + offset)).exp();
        let offset = 3_f64.sqrt() / 6.0;
        let [first, second] = [self.rates(node(-offset))?, self.rates(node(offset))?];
        let turn = |(first, second): (&DMatrix<f64>, &DMatrix<f64>)| {
            let commutator = second * first - first * second;
            ((first + second) * (0.5 * length) + commutator * (3_f64.sqrt() / 12.0 * length * length)).exp()
        };
        Ok(first.iter().zip(&second).map(turn).collect())
    }

    /// t K(t) of each kind.
    fn rates(&self, time: f64) -> Result<Vec<DMatrix<f64>>> {
        let (law, linear) = (self.followed.at(time)?, self.followed.process.linear_at(time)?);
        let diffusion = linear.diffusion();
        let rate = |factor: &DMatrix<f64>| {
            let drift = solve_lower_matrix(factor, &(&linear.drift * factor));
            let noise = solve_lower_matrix(factor, &solve_lower_matrix(factor, &diffusion).transpose());
            let upper = DMatrix::from_fn(factor.nrows(), factor.nrows(), |i, j| match j > i {
                true => time * (drift[(i, j)] + 0.5 * noise[(i, j)]),
                false => 0.0,
            });
            &upper - upper.transpose()
        };
        Ok(law.factors.iter().map(rate).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::process::fixtures::Active;
    use crate::sample::layout::Layout;
    use crate::sample::method::followed::Reference;
    use crate::sample::noise::{Impulses, Noise};
    use crate::sample::problem::Problem;
    use crate::score::Exact;
    use crate::task::Task;

    /// R Rᵀ = Σ and R' = (A + ½ D Σ⁻¹) R, the derivative by differences.
    #[test]
    fn roots_are_carried_by_the_flow() {
        let process = Active { passive: 0.3, ..Active::default() }.process();
        let score = Exact::new(&process, &Dataset::diamond(0.5, 0.04).unwrap()).unwrap();
        let noise = Noise::Impulse(Impulses { first: 0, parts: 0, rows: 0 });
        let (layout, task) = (Layout::new(&process, 2).unwrap(), Task::default());
        let problem = Problem { score: &score, layout, times: vec![2.0, 0.0], noise, task: &task };
        let rotations = Rotations::new(Followed::new(&problem, Reference::Data).unwrap(), 2.0).unwrap();
        let linear = process.constant().unwrap();
        for time in [0.02, 0.3, 1.7] {
            let root = |time: f64| {
                let law = rotations.followed().at(time).unwrap();
                [rotations.roots(time, &law).unwrap().remove(0), rotations.inverse_roots(time, &law).unwrap().remove(0)]
            };
            let [here, inverse] = root(time);
            assert!((&here * &inverse - DMatrix::identity(2, 2)).abs().max() < 1e-12);
            let law = rotations.followed().at(time).unwrap();
            let covariance = &law.factors[0] * law.factors[0].transpose();
            assert!((&here * here.transpose() - &covariance).abs().max() < 1e-12 * covariance.abs().max());
            let step = 1e-4 * time;
            let slope = (&root(time + step)[0] - &root(time - step)[0]) / (2.0 * step);
            let flow = &linear.drift + linear.diffusion() * covariance.try_inverse().unwrap() * 0.5;
            let error = (&slope - flow * &here).abs().max() / slope.abs().max();
            assert!(error < 1e-5, "{time}: {error}");
        }
    }
}
