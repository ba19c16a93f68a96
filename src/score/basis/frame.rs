//! What a basis says of one time.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::equilibrium::Balance;
use crate::dispatched;
use crate::vector::{encircle, single, single_rows, singles};

/// The Gaussian that the state of one copy is measured by.
#[derive(Debug, Clone)]
pub struct Gaussian {
    /// Standard deviation σ of each component, \[m\].
    pub scale: DVector<f64>,
    /// s_G,d = −Σ_b gauss[d, b] (z_b − μ_b), [driven, m]: rows of the precision.
    pub gauss: DMatrix<f64>,
}

/// What a network is shown and what its answer is worth at one time, for components b of m and driven components d.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Mean μ of the state, [m·copies].
    pub mean: Vec<f64>,
    /// The Gaussian of each kind of copy.
    pub gaussians: Vec<Gaussian>,
    /// The kind of each copy, \[copies\].
    pub kinds: Arc<[usize]>,
    /// ℓ, \[driven\].
    pub unit: DVector<f64>,
    /// What the network is shown for the time.
    pub clock: f64,
    /// Numbers of the state that are angles, the first ones: their cosines are shown in their place and their sines
    /// behind all others. Then σ is 1 and no Gaussian part knows them.
    pub angles: usize,
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
    /// 1/σ, [kinds, m].
    narrow: Vec<f32>,
    /// μ/σ, [m · copies].
    shift: Vec<f32>,
    pub(crate) clock: f32,
    angles: usize,
    /// Gaussian score per normalised state, [kinds, driven, m].
    gauss: Vec<f32>,
    kinds: Arc<[usize]>,
    components: usize,
    /// 1/ℓ, [driven].
    unit: Vec<f32>,
    balance: Option<Balance>,
}

impl Rounded {
    pub(crate) fn new(frame: &Frame) -> Self {
        let Frame { mean, gaussians, kinds, .. } = frame;
        let components = gaussians[0].scale.len();
        let shift = |(row, mean): (usize, &f64)| {
            let (component, copy) = (row / kinds.len(), row % kinds.len());
            mean / gaussians[kinds[copy]].scale[component]
        };
        let gauss = |Gaussian { scale, gauss }: &Gaussian| {
            single_rows(&DMatrix::from_fn(gauss.nrows(), components, |d, b| -gauss[(d, b)] * scale[b]))
        };
        Self {
            narrow: singles(gaussians.iter().flat_map(|gaussian| gaussian.scale.iter().map(|s| 1.0 / s))),
            shift: singles(mean.iter().enumerate().map(shift)),
            clock: single(frame.clock),
            angles: frame.angles,
            gauss: gaussians.iter().flat_map(gauss).collect(),
            kinds: kinds.clone(),
            components,
            unit: singles(frame.unit.iter().map(|l| 1.0 / l)),
            balance: frame.balance.clone(),
        }
    }

    /// What a nonlinear process adds to the Gaussian part.
    pub(crate) fn balance(&self) -> Option<&Balance> {
        self.balance.as_ref()
    }

    /// 1/σ of a row of the state.
    fn narrow(&self, row: usize) -> f32 {
        let (component, copy) = (row / self.kinds.len(), row % self.kinds.len());
        self.narrow[self.kinds[copy] * self.components + component]
    }

    /// The Gaussian score of a driven component per normalised state, \[m\], of the kind of a copy.
    fn gauss(&self, driven: usize, copy: usize) -> &[f32] {
        &self.gauss[(self.kinds[copy] * self.unit.len() + driven) * self.components..][..self.components]
    }

    /// Writes what the network is shown of one sample's state, u = (z − μ)/σ, \[m·copies\].
    pub(crate) fn show(&self, state: impl Fn(usize) -> f32, mut input: impl FnMut(usize, f32)) {
        for (row, shift) in self.shift.iter().enumerate() {
            input(row, state(row).mul_add(self.narrow(row), -shift));
        }
    }

    /// ℓ (score − s_G) of driven component `driven` and copy `copy`, which the network should answer, for a state shown
    /// as `input` and a `score` without what [`Rounded::balance`] adds.
    pub(crate) fn answer(&self, driven: usize, copy: usize, score: f64, input: impl Fn(usize) -> f32) -> f32 {
        let copies = self.kinds.len();
        let gauss = self.gauss(driven, copy).iter().enumerate();
        let known: f64 = gauss.map(|(b, g)| f64::from(*g) * f64::from(input(b * copies + copy))).sum();
        single((score - known) / f64::from(self.unit[driven]))
    }

    /// ℓ of a driven component.
    pub(crate) fn unit(&self, driven: usize) -> f32 {
        1.0 / self.unit[driven]
    }

    /// Writes what the network is shown of the samples of `tile`, from `state` [m·copies, count] to `input`
    /// [m·copies, tile], with the sines of angles below.
    pub(crate) fn normalise(&self, tile: Tile, state: &[f32], input: &mut [f32]) {
        normalise(self, tile, state, input);
        encircle(self.angles * tile.size, input);
    }

    /// Whether the network is shown angles otherwise than by numbers in units of their width.
    pub(crate) fn has_angles(&self) -> bool {
        self.angles > 0
    }

    /// Writes the score without what [`Rounded::balance`] adds, [driven·copies, count], of the samples of `tile`, to
    /// which the network answered `output` where it was shown `input`.
    pub(crate) fn combine(&self, tile: Tile, input: &[f32], output: &[f32], score: &mut [f32]) {
        combine(self, tile, input, output, score);
    }

    /// Writes `weight`/ℓ, [driven·copies, tile], of the samples of `tile` among `weight`, [driven·copies, count]: what
    /// a weighted sum of scores weighs the answers of the network with.
    pub(crate) fn weigh(&self, tile: Tile, weight: &[f32], out: &mut [f32]) {
        for (row, out) in out.chunks_exact_mut(tile.size).enumerate() {
            let weight = &weight[row * tile.count + tile.first..][..tile.size];
            out.iter_mut().zip(weight).for_each(|(out, weight)| *out = weight * self.unit[row / tile.copies]);
        }
    }

    /// Writes the gradient by the `driven` components of Σ `weight` · score, all [driven·copies, count], of the samples
    /// of `tile`, where that of the weighed answers by what the network was shown is `gradient` [m·copies, tile].
    pub(crate) fn gradient(&self, tile: Tile, driven: &[usize], weight: &[f32], gradient: &[f32], out: &mut [f32]) {
        let Tile { copies, count, first, size, .. } = tile;
        for (place, &component) in driven.iter().enumerate() {
            for copy in 0..copies {
                let out = &mut out[(place * copies + copy) * count + first..][..size];
                out.copy_from_slice(&gradient[(component * copies + copy) * size..][..size]);
                for other in 0..driven.len() {
                    let factor = self.gauss(other, copy)[component];
                    let weight = &weight[(other * copies + copy) * count + first..][..size];
                    out.iter_mut().zip(weight).for_each(|(out, weight)| *out = weight.mul_add(factor, *out));
                }
                let narrow = self.narrow(component * copies + copy);
                out.iter_mut().for_each(|out| *out *= narrow);
            }
        }
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
    /// Samples that a tile may hold.
    pub(crate) most: usize,
}

dispatched! {
    /// u = z/σ − μ/σ, from [m·copies, count] to [m·copies, tile].
    fn normalise(frame: &Rounded, tile: Tile, state: &[f32], input: &mut [f32]) {
        for ((row, shift), input) in frame.shift.iter().enumerate().zip(input.chunks_exact_mut(tile.size)) {
            let narrow = frame.narrow(row);
            let state = &state[row * tile.count + tile.first..][..tile.size];
            for (u, z) in input.iter_mut().zip(state) {
                *u = z.mul_add(narrow, -shift);
            }
        }
    }
}

dispatched! {
    /// ŝ = Σ_b gauss[d, b] u_b + output/ℓ_d, to [driven·copies, count].
    fn combine(frame: &Rounded, tile: Tile, input: &[f32], output: &[f32], score: &mut [f32]) {
        let Tile { copies, count, first, size, .. } = tile;
        for (row, output) in output.chunks_exact(size).enumerate() {
            let (driven, copy) = (row / copies, row % copies);
            let score = &mut score[row * count + first..][..size];
            for (s, o) in score.iter_mut().zip(output) {
                *s = o * frame.unit[driven];
            }
            for (component, g) in frame.gauss(driven, copy).iter().enumerate() {
                let input = &input[(component * copies + copy) * size..][..size];
                for (s, u) in score.iter_mut().zip(input) {
                    *s = u.mul_add(*g, *s);
                }
            }
        }
    }
}
