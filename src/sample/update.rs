//! New states from rows of old ones, of scores and of noise.

use std::sync::Arc;

use super::combination::Combination;
use crate::dispatched;
use crate::expr::{Program, Scalars, Workspace};
use crate::vector::single;

/// A state, or its velocity, computed from rows, at one time.
#[derive(Debug, Clone)]
pub enum Update {
    /// Sums of weighted rows.
    Combination(Arc<Combination>),
    /// Expressions in the rows, compiled.
    Program(Arc<Program>, Scalars),
    /// z + length k, from the rows of z and of a velocity k.
    Along { length: f64 },
    /// z + length (k + k')/2, from the rows of z and of two velocities.
    Mean { length: f64 },
    /// A Langevin step of the driven components, from the rows of state, score and as much noise: of a length by the
    /// mean square of the score over the block, for a signal-to-noise ratio, and at most so long for each.
    Langevin { ratio: f64, most: Arc<[f64]>, driven: Arc<[usize]> },
}

/// What a thread needs to apply the programs among updates, each with its own registers.
#[derive(Debug, Default)]
pub(super) struct Registers(Vec<(*const Program, Workspace)>);

impl Registers {
    /// For rows of `length`.
    pub(super) fn new<'a>(programs: impl IntoIterator<Item = &'a Arc<Program>>, length: usize) -> Self {
        Self(programs.into_iter().map(|program| (Arc::as_ptr(program), program.workspace(length))).collect())
    }
}

impl From<Combination> for Update {
    fn from(combination: Combination) -> Self {
        Self::Combination(Arc::new(combination))
    }
}

impl Update {
    /// Rows of one copy that it reads, for states of `components`.
    pub(super) fn inputs(&self, components: usize) -> usize {
        match self {
            Self::Combination(combination) => combination.inputs(),
            Self::Program(program, _) => program.inputs(),
            Self::Along { .. } => 2 * components,
            Self::Mean { .. } => 3 * components,
            Self::Langevin { driven, .. } => components + 2 * driven.len(),
        }
    }

    /// The program, if it is one.
    pub(super) fn program(&self) -> Option<&Arc<Program>> {
        match self {
            Self::Program(program, _) => Some(program),
            _ => None,
        }
    }

    /// Writes [m, length] from `inputs`, [inputs, length].
    pub(super) fn apply(&self, registers: &mut Registers, length: usize, inputs: &[f32], out: &mut [f32]) {
        match self {
            Self::Combination(combination) => combination.apply(length, inputs, out),
            Self::Program(program, scalars) => {
                let own = registers.0.iter_mut().find(|(owner, _)| *owner == Arc::as_ptr(program));
                let (_, workspace) = own.expect("every program has its registers");
                program.run(scalars, workspace, length, &inputs[..program.inputs() * length], out);
            }
            Self::Along { length } => along(single(*length), inputs, out),
            Self::Mean { length } => mean(single(*length), inputs, out),
            Self::Langevin { ratio, most, driven } => {
                let (state, behind) = inputs.split_at(out.len());
                out.copy_from_slice(state);
                for (place, &component) in driven.iter().enumerate() {
                    let [score, noise] = [place, driven.len() + place].map(|row| &behind[row * length..][..length]);
                    correct(
                        measured(*ratio, score).min(most[place]),
                        score,
                        noise,
                        &mut out[component * length..][..length],
                    );
                }
            }
        }
    }
}

/// ε = 2 r²/⟨ŝ²⟩; a score of 0 everywhere asks for no correction.
fn measured(ratio: f64, score: &[f32]) -> f64 {
    let square = score.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / score.len() as f64;
    if square > 0.0 { 2.0 * ratio * ratio / square } else { 0.0 }
}

/// z ← z + ε ŝ + √(2ε) ξ.
fn correct(length: f64, score: &[f32], noise: &[f32], state: &mut [f32]) {
    let (length, root) = (single(length), single((2.0 * length).sqrt()));
    langevin(length, root, score, noise, state);
}

dispatched! {
    fn langevin(length: f32, root: f32, score: &[f32], noise: &[f32], state: &mut [f32]) {
        for ((z, s), x) in state.iter_mut().zip(score).zip(noise) {
            *z += root.mul_add(*x, length * s);
        }
    }
}

dispatched! {
    fn along(length: f32, inputs: &[f32], out: &mut [f32]) {
        let (state, slope) = inputs.split_at(out.len());
        for ((out, z), k) in out.iter_mut().zip(state).zip(slope) {
            *out = length.mul_add(*k, *z);
        }
    }
}

dispatched! {
    fn mean(length: f32, inputs: &[f32], out: &mut [f32]) {
        let (state, slopes) = inputs.split_at(out.len());
        let (begin, end) = slopes.split_at(out.len());
        for (((out, z), a), b) in out.iter_mut().zip(state).zip(begin).zip(end) {
            *out = (0.5 * length).mul_add(a + b, *z);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_of_rows_are_what_they_say() {
        // State, slope and another slope, of two components and one sample.
        let rows = [1.0, 2.0, 0.5, -0.5, 1.5, 0.5];
        let applied = |update: Update| {
            let mut out = [0.0; 2];
            update.apply(&mut Registers::default(), 1, &rows[..update.inputs(2)], &mut out);
            out
        };
        assert_eq!(applied(Update::Along { length: 0.5 }), [1.25, 1.75]);
        assert_eq!(applied(Update::Mean { length: 0.5 }), [1.5, 2.0]);
    }

    /// ε = 2 r²/⟨ŝ²⟩ over the samples, at most what is allowed.
    #[test]
    fn corrections_are_as_long_as_the_score_allows() {
        for (most, length) in [(1.0, 2.0 * 0.09 / 5.0), (0.01, 0.01_f64)] {
            let update = Update::Langevin { ratio: 0.3, most: [most].into(), driven: [1].into() };
            // Two components of two samples, of which the second is driven; score and noise of this.
            let rows = [7.0, 8.0, 1.0, 2.0, 1.0, 3.0, 0.5, -0.5];
            let mut out = [0.0; 4];
            assert_eq!(2 * update.inputs(2), rows.len());
            update.apply(&mut Registers::default(), 2, &rows, &mut out);
            let truth = [1.0 + length + (2.0 * length).sqrt() * 0.5, 2.0 + 3.0 * length - (2.0 * length).sqrt() * 0.5];
            assert_eq!(out[..2], [7.0, 8.0]);
            assert!(out[2..].iter().zip(truth).all(|(found, truth)| (found - single(truth)).abs() < 1e-6), "{out:?}");
        }
        assert_eq!(measured(0.3, &[0.0, 0.0]), 0.0);
    }
}
