//! E[½|s|² + vᵀ∂s v] over random directions v (Song, Garg, Shi, Ermon, arXiv 1905.07088), which asks for no law at all.
//!
//! The derivative is taken as a difference (Pang et al., arXiv 2007.03317), which makes it a squared error: ½|s|² +
//! vᵀ(s₊ − s₋)/2ε = ¼|s₊ + v/ε|² + ¼|s₋ − v/ε|² − |v|²/2ε² for s_± = s(z ± εv), up to O(ε²). The two points stand in
//! the same batch, where what is large cancels. With normal v it is denoising score matching (Vincent, Neural Comput.
//! 23, 1661 (2011)) with a noise of ε: what is learned is the score of the law blurred by so much, 4 % too small where
//! the law is as narrow as a window.

use super::answers::Answers;
use super::feed::{Feed, Source};
use super::paths::{Paths, Walked};
use crate::nn::Samples;
use crate::score::Basis;
use crate::vector::single;

/// ε, in units of the deviation within a window.
const DIFFERENCE: f64 = 0.2;

/// Ends of simulated paths, displaced along random directions.
pub(super) struct Sliced<'a>(pub(super) Paths<'a>);

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

    /// The squares of directions over ε.
    fn baseline(&self) -> f64 {
        DIFFERENCE.powi(-2)
    }
}

struct Chunk<'a> {
    count: usize,
    /// Half as many paths as samples.
    walked: Walked<'a>,
    answers: Answers<'a>,
    /// [driven·copies, paths].
    directions: Vec<f32>,
}

impl Feed for Chunk<'_> {
    fn fill(&mut self, step: u32, chunk: u32) {
        let Self { count, walked, answers, directions } = self;
        walked.start(step, chunk);
        let noise = walked.paths.noise(step, chunk);
        walked.walk.paths(&walked.end, noise);
        walked.walk.ends(&mut walked.states);
        walked.paths.noise.normals(step, chunk, directions);
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
    }

    fn samples(&self) -> Samples<'_> {
        self.answers.samples()
    }

    fn time(&self, sample: usize) -> f64 {
        self.walked.time(sample / 2)
    }
}
