//! E[½|s|² + vᵀ∂s v] over random directions v (Song, Garg, Shi, Ermon, arXiv 1905.07088), which asks for no law at all.
//!
//! The derivative is taken as a difference (Pang et al., arXiv 2007.03317), which makes it a squared error: ½|s|² +
//! vᵀ(s₊ − s₋)/2ε = ¼|s₊ + v/ε|² + ¼|s₋ − v/ε|² − |v|²/2ε² for s_± = s(z ± εv), up to O(ε²). The two points stand in
//! the same batch, where what is large cancels. The numbers of v are ±1: normal ones would add the chance of their
//! squares, three times the noise of the gradient in one dimension.

use super::answers::Answers;
use super::feed::{Feed, Source};
use super::paths::{Paths, Walked};
use crate::error::{Error, Result};
use crate::nn::Samples;
use crate::score::Basis;
use crate::vector::single;

/// ε, in units ℓ of the score. What is learned is (1/ε) tanh(ε s) of a law as narrow as that, 0.75 %
/// too small at 3 standard deviations; the rounding of answers, 10⁻⁷/ε, is far below the noise of a batch.
const DIFFERENCE: f64 = 0.05;

/// Ends of simulated paths, displaced along random directions.
pub(super) struct Sliced<'a>(Paths<'a>);

impl<'a> Sliced<'a> {
    /// # Errors
    /// When batches hold no two samples.
    pub(super) fn new(paths: Paths<'a>) -> Result<Self> {
        match paths.batch {
            0..2 => {
                Err(Error::argument("batch", "must be at least 2 for objective: \"sliced\", which learns from pairs"))
            }
            _ => Ok(Self(paths)),
        }
    }
}

impl Source for Sliced<'_> {
    fn feed(&self, first: usize, count: usize) -> Box<dyn Feed + '_> {
        let walked = count.div_ceil(2);
        Box::new(Chunk {
            count,
            walked: Walked::new(&self.0, first, count, walked),
            answers: Answers::new(self.0.basis, count),
            directions: vec![0.0; self.0.basis.subject().outputs() * walked],
        })
    }

    /// The square of a direction over ε.
    fn baseline(&self) -> f64 {
        DIFFERENCE.powi(-2)
    }

    fn has_pairs(&self) -> bool {
        true
    }
}

struct Chunk<'a> {
    count: usize,
    /// Half as many paths as samples.
    walked: Walked<'a>,
    answers: Answers<'a>,
    /// ±1, [driven·copies, paths].
    directions: Vec<f32>,
}

impl Feed for Chunk<'_> {
    fn fill(&mut self, step: u32, chunk: u32) {
        let Self { count, walked, answers, directions } = self;
        walked.start(step, chunk);
        let noise = walked.paths.noise(step, chunk);
        walked.walk.paths(&walked.end, noise);
        walked.walk.ends(&mut walked.states);
        walked.paths.noise.uniforms(step, chunk, directions);
        directions.iter_mut().for_each(|u| *u = if *u < 0.5 { -1.0 } else { 1.0 });
        let (paths, copies) = (walked.end.len(), walked.copies);
        let driven = walked.paths.basis.subject().process().driven();
        for i in 0..paths {
            let frame = walked.frame(i);
            let unit = |d: usize| f64::from(frame.unit(d)) * DIFFERENCE;
            let direction = |d: usize, copy: usize| f64::from(directions[(d * copies + copy) * paths + i]);
            for (side, sign) in [1.0_f64, -1.0].into_iter().enumerate().take(*count - 2 * i) {
                let state = |row: usize| {
                    let (component, copy) = (row / copies, row % copies);
                    let z = f64::from(walked.states[row * paths + i]);
                    match driven.iter().position(|&d| d == component) {
                        Some(d) => single(z + sign * unit(d) * direction(d, copy)),
                        None => single(z),
                    }
                };
                answers.set(2 * i + side, frame, state, |d, copy| -sign * direction(d, copy) / unit(d));
            }
        }
        // Without the other of its pair a sample is noise of 1/ε.
        if *count % 2 == 1 {
            answers.leave_out(*count - 1);
        }
    }

    fn classes(&self, step: u32, chunk: u32, out: &mut [u32]) {
        self.walked.classes(step, chunk, out);
    }

    fn samples(&self) -> Samples<'_> {
        self.answers.samples()
    }

    fn learned(&self) -> usize {
        self.count - self.count % 2
    }

    fn time(&self, sample: usize) -> f64 {
        self.walked.time(sample / 2)
    }
}
