//! The score of the linearised law over a window of steps (see [`Chain`](crate::process::Chain)), whose mean, given the
//! state, is the score of the chain.

use super::answers::Answers;
use super::feed::{Feed, Source};
use super::paths::{Paths, Walked};
use crate::nn::Samples;
use crate::process::WindowLaw;
use crate::score::Basis;

/// Windows of simulated paths.
pub(super) struct Windowed<'a>(pub(super) Paths<'a>);

impl Source for Windowed<'_> {
    fn feed(&self, first: usize, count: usize) -> Box<dyn Feed + '_> {
        let walked = Walked::new(&self.0, first, count, count);
        Box::new(Chunk {
            law: walked.walk.law(),
            walked,
            answers: Answers::new(self.0.basis, count),
            scores: vec![0.0; self.0.basis.subject().outputs()],
        })
    }
}

struct Chunk<'a> {
    walked: Walked<'a>,
    law: WindowLaw,
    answers: Answers<'a>,
    /// Of one sample, [driven·copies].
    scores: Vec<f64>,
}

impl Feed for Chunk<'_> {
    fn fill(&mut self, step: u32, chunk: u32) {
        let Self { walked, law, answers, scores } = self;
        walked.start(step, chunk);
        let noise = walked.paths.noise(step, chunk);
        walked.walk.windows(&walked.begin, &walked.end, noise);
        walked.walk.ends(&mut walked.states);
        let (count, copies) = (walked.end.len(), walked.copies);
        for i in 0..count {
            for copy in 0..copies {
                walked.walk.window(copy * count + i, law);
                // The factor has the driven components in their order.
                for (d, score) in law.score().into_iter().enumerate() {
                    scores[d * copies + copy] = score;
                }
            }
            let state = |row: usize| walked.states[row * count + i];
            answers.set(i, walked.frame(i), state, |d, copy| scores[d * copies + copy]);
        }
    }

    fn classes(&self, step: u32, chunk: u32, out: &mut [u32]) {
        self.walked.classes(step, chunk, out);
    }

    fn samples(&self) -> Samples<'_> {
        self.answers.samples()
    }

    fn time(&self, sample: usize) -> f64 {
        self.walked.time(sample)
    }
}
