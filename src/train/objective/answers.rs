//! What the network is shown of simulated states, and what it should answer.

use crate::nn::Samples;
use crate::score::{Balancing, Basis, Rounded, SimulatedBasis};

/// The samples of one chunk of each batch.
pub(super) struct Answers<'a> {
    count: usize,
    copies: usize,
    balancing: Option<Balancing<'a>>,
    /// State and known score of one sample, [m·copies] and [driven·copies].
    one: [Vec<f32>; 2],
    /// [m·copies, count].
    state: Vec<f32>,
    clock: Vec<f32>,
    /// [driven·copies, count].
    target: Vec<f32>,
    weight: Vec<f32>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(basis: &'a SimulatedBasis, count: usize) -> Self {
        let subject = basis.subject();
        let (rows, driven) = (subject.inputs(), subject.outputs());
        Self {
            count,
            copies: subject.copies(),
            balancing: basis.balancing(1),
            one: [vec![0.0; rows], vec![0.0; driven]],
            state: vec![0.0; rows * count],
            clock: vec![0.0; count],
            target: vec![0.0; driven * count],
            weight: vec![1.0; driven * count],
        }
    }

    /// Shows sample `sample` the state of that row, and sets what it should answer for the score of that driven
    /// component and copy.
    pub(super) fn set(
        &mut self,
        sample: usize,
        frame: &Rounded,
        state: impl Fn(usize) -> f32,
        score: impl Fn(usize, usize) -> f64,
    ) {
        let (count, copies) = (self.count, self.copies);
        let [one, known] = &mut self.one;
        one.iter_mut().enumerate().for_each(|(row, z)| *z = state(row));
        known.fill(0.0);
        if let (Some(balancing), Some(balance)) = (&mut self.balancing, frame.balance()) {
            balancing.add(balance, 1, one, known);
        }
        frame.show(state, |row, value| self.state[row * count + sample] = value);
        self.clock[sample] = frame.clock;
        let shown = |row: usize| self.state[row * count + sample];
        for (row, known) in known.iter().enumerate() {
            let (driven, copy) = (row / copies, row % copies);
            let score = score(driven, copy) - f64::from(*known);
            self.target[row * count + sample] = frame.answer(driven, copy, score, shown);
        }
    }

    /// Gives sample `sample` no weight.
    pub(super) fn leave_out(&mut self, sample: usize) {
        self.weight.iter_mut().skip(sample).step_by(self.count).for_each(|weight| *weight = 0.0);
    }

    pub(super) fn samples(&self) -> Samples<'_> {
        let Self { count, state, clock, target, weight, .. } = self;
        Samples { count: *count, state, clock, class: &[], target, weight, chance: None }
    }
}
