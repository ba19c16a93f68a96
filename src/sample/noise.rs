//! Where samplers take their noise from.

use crate::rng::Stream;

use super::layout::BLOCK;

/// The noise of the steps of a method.
#[derive(Debug, Clone)]
pub(super) enum Noise {
    /// Standard normals, keyed by step and block.
    Normal(Stream),
    /// One unit impulse in one sample at one place: what comes out is the response of the method to it.
    Impulse(Impulses),
}

/// Which sample gets its impulse where: sample `first` + i at the i-th of the places (step, part, row), rows fastest.
#[derive(Debug, Clone)]
pub(super) struct Impulses {
    pub(super) first: usize,
    /// Most draws per step.
    pub(super) parts: usize,
    /// Most rows per draw.
    pub(super) rows: usize,
}

impl Noise {
    /// Fills `out`, [rows, samples], with draw number `part` of step number `step`.
    pub(super) fn fill(&self, step: usize, part: u32, block: u32, samples: usize, out: &mut [f32]) {
        match self {
            Self::Normal(stream) => stream.part(part).normals(step as u32, block, out),
            Self::Impulse(impulses) => {
                out.fill(0.0);
                let begin = impulses.first + (step * impulses.parts + part as usize) * impulses.rows;
                for (row, out) in out.chunks_exact_mut(samples).enumerate() {
                    if let Some(at) = (begin + row).checked_sub(block as usize * BLOCK).filter(|&at| at < samples) {
                        out[at] = 1.0;
                    }
                }
            }
        }
    }
}
