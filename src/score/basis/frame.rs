//! What a basis says of one time.

use nalgebra::{DMatrix, DVector};

use super::equilibrium::Balance;
use crate::dispatched;
use crate::vector::{single, singles};

/// What a network is shown and what its answer is worth at one time, for components b of m and driven components d.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Mean μ of the state, [m·copies].
    pub mean: Vec<f64>,
    /// Standard deviation σ of each component if the data were Gaussian, \[m\].
    pub scale: DVector<f64>,
    /// s_G,d = −Σ_b gauss[d, b] (z_b − μ_b), [driven, m]: rows of the precision of that Gaussian.
    pub gauss: DMatrix<f64>,
    /// ℓ, \[driven\].
    pub unit: DVector<f64>,
    /// What the network is shown for the time.
    pub clock: f64,
    /// What a nonlinear process adds to the Gaussian part.
    pub balance: Option<Balance>,
}

/// What a network is shown for the time, 1 + ½ ln(t/T). The score changes fastest at short times; measured on the
/// diamond after 4,000 steps, t itself leaves 5 to 100 times the squared error.
pub(super) fn clock(time: f64, horizon: f64) -> f64 {
    1.0 + 0.5 * (time / horizon).ln()
}

/// A frame, rounded to single precision.
#[derive(Debug)]
pub(crate) struct Rounded {
    /// 1/σ, [m].
    narrow: Vec<f32>,
    /// μ/σ, [m · copies].
    shift: Vec<f32>,
    pub(crate) clock: f32,
    /// Gaussian score per normalised state, [driven, m].
    gauss: Vec<f32>,
    /// 1/ℓ, [driven].
    unit: Vec<f32>,
    balance: Option<Balance>,
}

impl Rounded {
    pub(crate) fn new(frame: &Frame) -> Self {
        let components = 0..frame.scale.len();
        let copies = frame.mean.len() / components.len();
        let shift = |(row, mean): (usize, &f64)| mean / frame.scale[row / copies];
        let places = (0..frame.unit.len()).flat_map(|d| components.clone().map(move |b| (d, b)));
        Self {
            narrow: singles(frame.scale.iter().map(|s| 1.0 / s)),
            shift: singles(frame.mean.iter().enumerate().map(shift)),
            clock: single(frame.clock),
            gauss: singles(places.map(|(d, b)| -frame.gauss[(d, b)] * frame.scale[b])),
            unit: singles(frame.unit.iter().map(|l| 1.0 / l)),
            balance: frame.balance.clone(),
        }
    }

    /// What a nonlinear process adds to the Gaussian part.
    pub(crate) fn balance(&self) -> Option<&Balance> {
        self.balance.as_ref()
    }

    /// Writes what the network is shown of one sample's state, u = (z − μ)/σ, \[m·copies\].
    pub(crate) fn show(&self, state: impl Fn(usize) -> f32, mut input: impl FnMut(usize, f32)) {
        let copies = self.shift.len() / self.narrow.len();
        for (row, shift) in self.shift.iter().enumerate() {
            input(row, state(row).mul_add(self.narrow[row / copies], -shift));
        }
    }

    /// ℓ (score − s_G) of driven component `driven` and copy `copy`, which the network should answer, for a state shown
    /// as `input` and a `score` without what [`Rounded::balance`] adds.
    pub(crate) fn answer(&self, driven: usize, copy: usize, score: f64, input: impl Fn(usize) -> f32) -> f32 {
        let (components, copies) = (self.narrow.len(), self.shift.len() / self.narrow.len());
        let gauss = &self.gauss[driven * components..][..components];
        let known: f64 =
            gauss.iter().enumerate().map(|(b, g)| f64::from(*g) * f64::from(input(b * copies + copy))).sum();
        single((score - known) / f64::from(self.unit[driven]))
    }

    /// ℓ of a driven component.
    pub(crate) fn unit(&self, driven: usize) -> f32 {
        1.0 / self.unit[driven]
    }

    /// Writes what the network is shown of the samples of `tile`, from `state` [m·copies, count] to `input`
    /// [m·copies, tile].
    pub(crate) fn normalise(&self, tile: Tile, state: &[f32], input: &mut [f32]) {
        normalise(&self.narrow, &self.shift, tile, state, input);
    }

    /// Writes the score without what [`Rounded::balance`] adds, [driven·copies, count], of the samples of `tile`, to
    /// which the network answered `output` where it was shown `input`.
    pub(crate) fn combine(&self, tile: Tile, input: &[f32], output: &[f32], score: &mut [f32]) {
        combine(&self.gauss, &self.unit, tile, input, output, score);
    }
}

/// Which samples of a block of `count` a tile holds.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    /// Of the process.
    pub(crate) copies: usize,
    pub(crate) count: usize,
    pub(crate) first: usize,
    /// Samples in it.
    pub(crate) size: usize,
}

dispatched! {
    /// u = z/σ − μ/σ, from [m·copies, count] to [m·copies, tile].
    fn normalise(narrow: &[f32], shift: &[f32], tile: Tile, state: &[f32], input: &mut [f32]) {
        for ((row, shift), input) in shift.iter().enumerate().zip(input.chunks_exact_mut(tile.size)) {
            let narrow = narrow[row / tile.copies];
            let state = &state[row * tile.count + tile.first..][..tile.size];
            for (u, z) in input.iter_mut().zip(state) {
                *u = z.mul_add(narrow, -shift);
            }
        }
    }
}

dispatched! {
    /// ŝ = Σ_b gauss[d, b] u_b + output/ℓ_d, to [driven·copies, count].
    fn combine(gauss: &[f32], unit: &[f32], tile: Tile, input: &[f32], output: &[f32], score: &mut [f32]) {
        let Tile { copies, count, first, size } = tile;
        let components = gauss.len() / unit.len();
        for (row, output) in output.chunks_exact(size).enumerate() {
            let (driven, coordinate) = (row / copies, row % copies);
            let score = &mut score[row * count + first..][..size];
            for (s, o) in score.iter_mut().zip(output) {
                *s = o * unit[driven];
            }
            for (component, g) in gauss[driven * components..][..components].iter().enumerate() {
                let input = &input[(component * copies + coordinate) * size..][..size];
                for (s, u) in score.iter_mut().zip(input) {
                    *s = u.mul_add(*g, *s);
                }
            }
        }
    }
}
