//! The learned score: a network on top of the Gaussian one.

use std::sync::{Arc, PoisonError, RwLock};

use super::mixed::Balance;
use super::simulated::Balancing;
use super::{Evaluator, Frame, Mixed, Prepared, Score, Simulated, Simulation};
use crate::data::{Dataset, Moments};
use crate::dispatched;
use crate::error::Result;
use crate::host::Host;
use crate::nn::kernel::Inference;
use crate::nn::{Activation, Mlp, Weights};
use crate::process::{Prior, PriorLaw, Process};
use crate::task::Task;

/// A score with a network in it. Clones share the weights, so that training one trains all.
#[derive(Debug, Clone)]
pub struct Learned(Arc<Inner>);

/// What a network adds to, by what is known of the process.
#[derive(Debug)]
pub enum Parametrisation {
    /// Its kernel.
    Mixed(Mixed),
    /// Simulated paths.
    Simulated(Box<Simulated>),
}

impl Parametrisation {
    /// The process.
    pub fn process(&self) -> &Process {
        match self {
            Self::Mixed(mixed) => mixed.process(),
            Self::Simulated(simulated) => simulated.process(),
        }
    }

    /// What the network is shown and what its answer is worth at `time`.
    ///
    /// # Errors
    /// When the noised state has no density there.
    pub fn at(&self, time: f64) -> Result<Frame> {
        match self {
            Self::Mixed(mixed) => mixed.at(time).map(|(frame, _)| frame),
            Self::Simulated(simulated) => simulated.at(time),
        }
    }
}

#[derive(Debug)]
struct Inner {
    shape: Vec<usize>,
    moments: Moments,
    parametrisation: Parametrisation,
    network: Mlp,
    weights: RwLock<Arc<Weights>>,
}

impl Learned {
    /// A multilayer perceptron with layers of widths `hidden` for data of `shape` and `moments`; before training it is
    /// the exact score of Gaussian data with these moments.
    ///
    /// # Errors
    /// When the process has no score, or the network would be empty or too large.
    pub fn mlp(
        process: &Process,
        shape: &[usize],
        moments: &Moments,
        hidden: &[usize],
        activation: Activation,
        seed: u64,
        host: &Host,
    ) -> Result<Self> {
        let parametrisation = Parametrisation::Mixed(Mixed::new(process, moments)?);
        Self::restore(parametrisation, shape, moments, hidden, activation, host, |network| {
            Ok(Weights::new(network.initial(seed)))
        })
    }

    /// As [`Learned::mlp`], for a process whose kernel is not known or not to be used: it is simulated from `data`.
    ///
    /// # Errors
    /// When noise does not reach every block, the simulated paths run away, the network would be empty or too large, or
    /// interrupted.
    pub fn simulated(
        process: &Process,
        data: &Dataset,
        simulation: &Simulation,
        hidden: &[usize],
        activation: Activation,
        seed: u64,
        task: &Task,
    ) -> Result<Self> {
        let simulated = Simulated::new(process, data, simulation, task)?;
        let parametrisation = Parametrisation::Simulated(Box::new(simulated));
        Self::restore(parametrisation, data.shape(), data.moments(), hidden, activation, task.host(), |network| {
            Ok(Weights::new(network.initial(seed)))
        })
    }

    /// A score whose weights come from `weights`.
    pub(super) fn restore(
        parametrisation: Parametrisation,
        shape: &[usize],
        moments: &Moments,
        hidden: &[usize],
        activation: Activation,
        host: &Host,
        weights: impl FnOnce(&Mlp) -> Result<Weights>,
    ) -> Result<Self> {
        let process = parametrisation.process();
        let copies = process.copies(shape.iter().product())?;
        // Every component and the time go in, every driven component comes out.
        let (inputs, outputs) = (process.components() * copies + 1, process.driven().len() * copies);
        let network = Mlp::new(inputs, hidden, outputs, activation)?;
        network.check_memory(host)?;
        let weights = RwLock::new(Arc::new(weights(&network)?));
        let (shape, moments) = (shape.to_vec(), moments.clone());
        Ok(Self(Arc::new(Inner { shape, moments, parametrisation, network, weights })))
    }

    /// The network.
    pub fn network(&self) -> &Mlp {
        &self.0.network
    }

    /// What the network is shown and what its answer means.
    pub fn parametrisation(&self) -> &Parametrisation {
        &self.0.parametrisation
    }

    /// The weights at present; later training leaves them as they are.
    pub fn weights(&self) -> Arc<Weights> {
        // A thread that panicked while it held the lock has at worst not replaced the weights.
        self.0.weights.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the weights in all clones.
    pub(crate) fn set_weights(&self, weights: Weights) {
        *self.0.weights.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(weights);
    }
}

impl Score for Learned {
    fn process(&self) -> &Process {
        self.0.parametrisation.process()
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn moments(&self) -> &Moments {
        &self.0.moments
    }

    /// Simulated states where there are some: a nonlinear drift may throw back what a Gaussian has in its tails and they
    /// have not.
    fn usual_prior(&self) -> PriorLaw {
        match &self.0.parametrisation {
            Parametrisation::Mixed(_) => PriorLaw::Matched,
            Parametrisation::Simulated(_) => PriorLaw::Ensemble,
        }
    }

    fn walls(&self) -> Option<Vec<[f32; 2]>> {
        match &self.0.parametrisation {
            Parametrisation::Mixed(_) => None,
            Parametrisation::Simulated(simulated) => Some(simulated.walls()),
        }
    }

    fn prior(&self, law: PriorLaw) -> Result<Prior> {
        match &self.0.parametrisation {
            Parametrisation::Mixed(_) => Prior::new(self.process(), self.moments(), law),
            Parametrisation::Simulated(simulated) => simulated.prior(law),
        }
    }

    fn prepare(&self, times: &[f64], task: &Task) -> Result<Box<dyn Prepared + '_>> {
        let frames = task.blocks(times.len(), |i| Ok(Rounded::new(&self.0.parametrisation.at(times[i])?)))?;
        Ok(Box::new(Network { model: self, weights: self.weights(), frames }))
    }
}

/// The parametrisation at one time, rounded to single precision.
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
        let shift = |(row, mean): (usize, &f64)| (mean / frame.scale[row / copies]) as f32;
        let gauss = (0..frame.unit.len())
            .flat_map(|d| components.clone().map(move |b| (d, b)))
            .map(|(d, b)| (-frame.gauss[(d, b)] * frame.scale[b]) as f32)
            .collect();
        Self {
            narrow: frame.scale.iter().map(|s| (1.0 / s) as f32).collect(),
            shift: frame.mean.iter().enumerate().map(shift).collect(),
            clock: frame.clock as f32,
            gauss,
            unit: frame.unit.iter().map(|l| (1.0 / l) as f32).collect(),
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
        ((score - known) / f64::from(self.unit[driven])) as f32
    }

    /// ℓ of a driven component.
    pub(crate) fn unit(&self, driven: usize) -> f32 {
        1.0 / self.unit[driven]
    }
}

struct Network<'a> {
    model: &'a Learned,
    weights: Arc<Weights>,
    frames: Vec<Rounded>,
}

/// Samples that pass through the network together: their activations stay in the cache.
const TILE: usize = 256;

impl Prepared for Network<'_> {
    fn evaluator(&self, width: usize) -> Box<dyn Evaluator + '_> {
        let network = &self.model.0.network;
        let tile = width.clamp(1, TILE);
        Box::new(Worker {
            shared: self,
            inference: Inference::new(network, &self.weights.average),
            input: vec![0.0; tile * network.inputs()],
            output: vec![0.0; tile * network.outputs()],
            tile,
            balance: match self.model.parametrisation() {
                Parametrisation::Mixed(_) => None,
                Parametrisation::Simulated(simulated) => Some(simulated.balancing(width)),
            },
        })
    }
}

struct Worker<'a> {
    shared: &'a Network<'a>,
    inference: Inference,
    input: Vec<f32>,
    output: Vec<f32>,
    tile: usize,
    balance: Option<Balancing<'a>>,
}

impl Evaluator for Worker<'_> {
    fn evaluate(&mut self, step: usize, count: usize, state: &[f32], score: &mut [f32]) {
        let frame = &self.shared.frames[step];
        let copies = frame.shift.len() / frame.narrow.len();
        for first in (0..count).step_by(self.tile) {
            let tile = self.tile.min(count - first);
            let place = Place { copies, count, first, tile };
            let network = &self.shared.model.0.network;
            let input = &mut self.input[..tile * network.inputs()];
            let output = &mut self.output[..tile * network.outputs()];
            normalise(&frame.narrow, &frame.shift, place, state, input);
            input[frame.shift.len() * tile..].fill(frame.clock);
            self.inference.evaluate(tile, input, output);
            combine(&frame.gauss, &frame.unit, place, input, output, score);
        }
        if let (Some(balancing), Some(balance)) = (&mut self.balance, &frame.balance) {
            balancing.add(balance, count, state, score);
        }
    }
}

/// Which samples of a block of `count` a tile holds.
#[derive(Clone, Copy)]
struct Place {
    copies: usize,
    count: usize,
    first: usize,
    tile: usize,
}

dispatched! {
    /// u = z/σ − μ/σ, from [m·copies, count] to [m·copies, tile].
    fn normalise(narrow: &[f32], shift: &[f32], place: Place, state: &[f32], input: &mut [f32]) {
        for ((row, shift), input) in shift.iter().enumerate().zip(input.chunks_exact_mut(place.tile)) {
            let narrow = narrow[row / place.copies];
            let state = &state[row * place.count + place.first..][..place.tile];
            for (u, z) in input.iter_mut().zip(state) {
                *u = z.mul_add(narrow, -shift);
            }
        }
    }
}

dispatched! {
    /// ŝ = Σ_b gauss[d, b] u_b + output/ℓ_d, to [driven·copies, count].
    fn combine(gauss: &[f32], unit: &[f32], place: Place, input: &[f32], output: &[f32], score: &mut [f32]) {
        let Place { copies, count, first, tile } = place;
        let blocks = gauss.len() / unit.len();
        for (row, output) in output.chunks_exact(tile).enumerate() {
            let (driven, coordinate) = (row / copies, row % copies);
            let score = &mut score[row * count + first..][..tile];
            for (s, o) in score.iter_mut().zip(output) {
                *s = o * unit[driven];
            }
            for (block, g) in gauss[driven * blocks..][..blocks].iter().enumerate() {
                let input = &input[(block * copies + coordinate) * tile..][..tile];
                for (s, u) in score.iter_mut().zip(input) {
                    *s = u.mul_add(*g, *s);
                }
            }
        }
    }
}
