//! Training on simulated forward paths, for processes without a kernel.
//!
//! Two objectives have the score of the chain as their best answer. *Windowed*: the score of the linearised law over a
//! window of steps (see [`Chain`](crate::process::Chain)). *Sliced*: E[½|s|² + vᵀ∂s v] over random directions v (Song, Garg,
//! Shi, Ermon, arXiv 1905.07088) with the derivative taken as a difference (Pang et al., arXiv 2007.03317), which makes it
//! a squared error: ½|s|² + vᵀ(s₊ − s₋)/2ε = ¼|s₊ + v/ε|² + ¼|s₋ − v/ε|² − |v|²/2ε² for s_± = s(z ± εv), up to O(ε²). The
//! two points stand in the same batch, where what is large cancels. With normal v it is denoising score matching (Vincent,
//! Neural Comput. 23, 1661 (2011)) with a noise of ε: what is learned is the score of the law blurred by so much, 4 % too
//! small where the law is as narrow as a window.

use super::feed::Feed;
use super::{Objective, Options, Weighting};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::nn::kernel::Samples;
use crate::process::{Factor, Walk};
use crate::rng::{Purpose, Stream};
use crate::score::{Balancing, Rounded, Simulated};

/// ε of the sliced objective, in units of the deviation within a window.
const DIFFERENCE: f64 = 0.2;

/// What all chunks of all batches share.
pub(super) struct Paths<'a> {
    simulated: &'a Simulated,
    data: &'a Dataset,
    /// The parametrisation after each step of the chain, [J + 1]; the first is not used.
    frames: Vec<Rounded>,
    /// The step after which a window begins that ends after each step, [J + 1].
    begins: Vec<u32>,
    objective: Objective,
    shortest: f64,
    batch: usize,
    choice: Stream,
    times: Stream,
    start: Stream,
    noise: Stream,
}

impl<'a> Paths<'a> {
    pub(super) fn new(simulated: &'a Simulated, data: &'a Dataset, options: &Options) -> Result<Self> {
        if options.weighting == Weighting::Likelihood {
            return Err(Error::argument("weighting", "\"likelihood\" is not supported for simulated paths")
                .with_hint("use \"whitened\""));
        }
        let chain = simulated.chain();
        let window = options.window.unwrap_or(simulated.moments().window);
        let frame = |&t: &f64| simulated.at(t).map(|frame| Rounded::new(&frame));
        let choice = Stream::new(options.seed, Purpose::Batch);
        Ok(Self {
            simulated,
            data,
            frames: chain.times().iter().map(|t| frame(&t.max(chain.times()[1]))).collect::<Result<_>>()?,
            begins: (0..=chain.steps()).map(|end| simulated.window_begin(end, window) as u32).collect(),
            objective: options.objective,
            shortest: options.shortest(simulated.process().horizon()),
            batch: options.batch,
            choice,
            // Far beyond the parts that a dataset takes.
            times: choice.part(1 << 20),
            start: Stream::new(options.seed, Purpose::Start),
            noise: Stream::new(options.seed, Purpose::Perturbation),
        })
    }
}

impl Paths<'_> {
    /// What the targets themselves add to the loss: the squares of directions over ε.
    pub(super) fn baseline(&self) -> f64 {
        match self.objective {
            Objective::Windowed => 0.0,
            Objective::Sliced => DIFFERENCE.powi(-2),
        }
    }
}

/// One chunk of each batch.
pub(super) struct Chunk<'a> {
    source: &'a Paths<'a>,
    /// Place of the chunk's first sample in the batch.
    first: usize,
    count: usize,
    /// Samples that are simulated: half of them for the sliced objective.
    walked: usize,
    walk: Walk<'a>,
    factor: Factor,
    data: Vec<f32>,
    uniforms: Vec<f32>,
    begin: Vec<u32>,
    end: Vec<u32>,
    /// [m·copies, walked].
    states: Vec<f32>,
    directions: Vec<f32>,
    balancing: Balancing<'a>,
    /// State and known score of one sample, [m·copies] and [driven·copies].
    one: [Vec<f32>; 2],
    /// [m·copies + 1, count].
    input: Vec<f32>,
    /// [driven·copies, count].
    target: Vec<f32>,
    weight: Vec<f32>,
}

impl<'a> Chunk<'a> {
    pub(super) fn new(source: &'a Paths<'a>, first: usize, count: usize) -> Self {
        let walked = match source.objective {
            Objective::Windowed => count,
            Objective::Sliced => count.div_ceil(2),
        };
        let (process, copies) = (source.simulated.process(), source.simulated.copies());
        let (rows, driven) = (process.components() * copies, process.driven().len() * copies);
        let walk = source.simulated.chain().walk(copies, walked);
        Self {
            source,
            first,
            count,
            walked,
            factor: walk.factor(),
            walk,
            data: vec![0.0; source.data.dimension() * walked],
            uniforms: vec![0.0; walked],
            begin: vec![0; walked],
            end: vec![0; walked],
            balancing: source.simulated.balancing(1),
            one: [vec![0.0; rows], vec![0.0; driven]],
            states: vec![0.0; rows * walked],
            directions: vec![0.0; driven * walked],
            input: vec![0.0; (rows + 1) * count],
            target: vec![0.0; driven * count],
            weight: vec![1.0; driven * count],
        }
    }

    /// Walks all samples to times stratified over the batch.
    fn simulate(&mut self, step: u32, chunk: u32) {
        let source = self.source;
        let chain = source.simulated.chain();
        source.data.draw(&source.choice, step, chunk, &mut self.data);
        self.walk.start(&self.data, |normals| source.start.normals(step, chunk, normals));
        source.times.uniforms(step, chunk, &mut self.uniforms);
        let horizon = chain.times()[chain.steps()];
        let strata = (source.batch * self.walked / self.count) as f64;
        let first = (self.first * self.walked / self.count) as f64;
        for (i, uniform) in self.uniforms.iter().enumerate() {
            let part = (first + i as f64 + f64::from(*uniform)) / strata;
            let end = chain.step_at(source.shortest + (horizon - source.shortest) * part.min(1.0));
            self.end[i] = end as u32;
            self.begin[i] = source.begins[end];
        }
        let noise = |k: usize, normals: &mut [f32]| source.noise.part(k as u32 + 1).normals(step, chunk, normals);
        match source.objective {
            Objective::Windowed => self.walk.windows(&self.begin, &self.end, noise),
            Objective::Sliced => self.walk.paths(&self.end, noise),
        }
        self.walk.ends(&mut self.states);
    }

    /// Shows sample `sample` of the chunk the state given, and sets what it should answer.
    fn set(&mut self, sample: usize, walked: usize, state: impl Fn(usize) -> f32, score: impl Fn(usize, usize) -> f64) {
        let (count, copies) = (self.count, self.source.simulated.copies());
        let frame = &self.source.frames[self.end[walked] as usize];
        let (input, [one, known]) = (&mut self.input, &mut self.one);
        one.iter_mut().enumerate().for_each(|(row, z)| *z = state(row));
        known.fill(0.0);
        if let Some(balance) = frame.balance() {
            self.balancing.add(balance, 1, one, known);
        }
        frame.show(state, |row, value| input[row * count + sample] = value);
        let clock = input.len() / count - 1;
        input[clock * count + sample] = frame.clock;
        for row in 0..self.target.len() / count {
            let (driven, copy) = (row / copies, row % copies);
            let shown = |row: usize| self.input[row * count + sample];
            self.target[row * count + sample] =
                frame.answer(driven, copy, score(driven, copy) - f64::from(self.one[1][row]), shown);
        }
    }

    fn windowed(&mut self) {
        let (count, copies) = (self.count, self.source.simulated.copies());
        let driven = self.source.simulated.process().driven();
        // The factor has the driven components in their order.
        let mut scores = vec![0.0; driven.len() * copies];
        for i in 0..count {
            for copy in 0..copies {
                self.walk.window(copy * count + i, &mut self.factor);
                for (d, score) in self.factor.score().into_iter().enumerate() {
                    scores[d * copies + copy] = score;
                }
            }
            let states = std::mem::take(&mut self.states);
            self.set(i, i, |row| states[row * count + i], |d, copy| scores[d * copies + copy]);
            self.states = states;
        }
    }

    fn sliced(&mut self, step: u32, chunk: u32) {
        let (walked, copies) = (self.walked, self.source.simulated.copies());
        self.source.noise.normals(step, chunk, &mut self.directions);
        let (states, directions) = (std::mem::take(&mut self.states), std::mem::take(&mut self.directions));
        let driven = self.source.simulated.process().driven();
        for i in 0..walked {
            let frame = &self.source.frames[self.end[i] as usize];
            let unit = |d: usize| f64::from(frame.unit(d)) * DIFFERENCE;
            for (side, sign) in [1.0_f64, -1.0].into_iter().enumerate().take(self.count - 2 * i) {
                let direction = |d: usize, copy: usize| f64::from(directions[(d * copies + copy) * walked + i]);
                let state = |row: usize| {
                    let (component, copy) = (row / copies, row % copies);
                    let z = f64::from(states[row * walked + i]);
                    match driven.iter().position(|&d| d == component) {
                        Some(d) => (z + sign * unit(d) * direction(d, copy)) as f32,
                        None => z as f32,
                    }
                };
                self.set(2 * i + side, i, state, |d, copy| -sign * direction(d, copy) / unit(d));
            }
        }
        (self.states, self.directions) = (states, directions);
    }
}

impl Feed for Chunk<'_> {
    fn fill(&mut self, step: u32, chunk: u32) {
        self.simulate(step, chunk);
        match self.source.objective {
            Objective::Windowed => self.windowed(),
            Objective::Sliced => self.sliced(step, chunk),
        }
    }

    fn samples(&self) -> Samples<'_> {
        Samples { count: self.count, input: &self.input, target: &self.target, weight: &self.weight }
    }

    fn time(&self, sample: usize) -> f64 {
        let walked = if self.walked == self.count { sample } else { sample / 2 };
        self.source.simulated.chain().times()[self.end[walked] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Covariance, Mixture};
    use crate::nn::Activation;
    use crate::process::{Linear, Process};
    use crate::score::{Learned, Parametrisation, Simulation};
    use crate::task::Task;
    use nalgebra::{DMatrix, DVector};

    fn model() -> (Learned, Dataset) {
        let linear = Linear {
            drift: DMatrix::from_row_slice(2, 2, &[-1.0, 1.0, 0.0, -2.0]),
            offset: DVector::zeros(2),
            noise: DMatrix::from_row_slice(2, 1, &[0.0, 2.0]),
            start_mean: DVector::zeros(2),
            start_std: DVector::from_vec(vec![0.0, 1.0]),
        };
        let process = Process::from_linear("active", &["x", "eta"], linear, 1.0).unwrap();
        let law = Mixture::new(vec![1.0], vec![0.4, -0.4], Covariance::Isotropic(vec![0.3])).unwrap();
        let data = Dataset::from_mixture("gaussian", law).unwrap();
        let simulation = Simulation { chain_steps: 60, ..Simulation::default() };
        let model =
            Learned::simulated(&process, &data, &simulation, &[4], Activation::Silu, 1, &Task::default()).unwrap();
        (model, data)
    }

    /// Of Gaussian data under a linear process the Gaussian part is the whole score: what is left of the targets has no
    /// correlation with any component of the state, for windows of all lengths and for the sliced objective. 6 tests of
    /// 5.5 standard errors each: one false alarm in 4·10⁶ seeds, and the seed is fixed. Seen to fail (by 8 to 90 errors)
    /// with J left out of P and with the sign of the sliced targets turned.
    #[test]
    fn targets_are_uncorrelated_with_the_states_of_gaussian_data() {
        let (model, data) = model();
        let Parametrisation::Simulated(simulated) = model.parametrisation() else { panic!("it is simulated") };
        for (objective, window) in
            [(Objective::Windowed, None), (Objective::Windowed, Some(0.2)), (Objective::Sliced, None)]
        {
            let options = Options { objective, window, batch: 256, ..Options::default() };
            let paths = Paths::new(simulated, &data, &options).unwrap();
            let mut chunk = Chunk::new(&paths, 0, 256);
            // Sums of products of the target of coordinate 0 and x_0, η_0, and their squares, per pair of samples.
            let mut sums = [[0.0; 2]; 2];
            let steps = 150;
            for step in 0..steps {
                chunk.fill(step, 0);
                let Samples { count, input, target, .. } = chunk.samples();
                for (row, sum) in [0, 2].into_iter().zip(&mut sums) {
                    for pair in 0..count / 2 {
                        let product = |i: usize| f64::from(target[i]) * f64::from(input[row * count + i]);
                        let both = product(2 * pair) + product(2 * pair + 1);
                        sum[0] += both;
                        sum[1] += both * both;
                    }
                }
            }
            for [sum, squares] in sums {
                let error = squares.sqrt();
                assert!(sum.abs() < 5.5 * error, "{objective:?} {window:?}: {sum} ± {error}");
            }
        }
    }

    /// The pilot of a linear process finds nothing that speaks against the longest window.
    #[test]
    fn linear_processes_have_the_longest_window() {
        let (model, _) = model();
        let Parametrisation::Simulated(simulated) = model.parametrisation() else { panic!("it is simulated") };
        assert_eq!(simulated.moments().window, 1.0);
        assert!(simulated.moments().residual_signal < 0.2);
    }

    #[test]
    fn options_that_do_not_fit_are_refused() {
        let (model, data) = model();
        let Parametrisation::Simulated(simulated) = model.parametrisation() else { panic!("it is simulated") };
        let options = Options { weighting: Weighting::Likelihood, ..Options::default() };
        assert!(Paths::new(simulated, &data, &options).is_err());
    }
}
