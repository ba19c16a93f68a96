//! The forward process as a chain of short Gaussian steps, for processes without a kernel.
//!
//! z_{k+1} = z_k + f(z_k, t) Δ_k + G(z_k, t) √Δ_k ξ (Euler–Maruyama, Itô) with t in the middle of the step. Over a
//! *window* of steps that begins at a known state, the law of the end is taken as the Gaussian linearised along the
//! noiseless path m,
//!
//! ```text
//! m' = m + f(m) Δ        δ' = δ + (f(m + δ) − f(m)) Δ + G(m + δ) √Δ ξ        P' = (1 + JΔ) P (1 + JΔ)ᵀ + D(m) Δ
//! ```
//!
//! with z = m + δ, J the Jacobian of f at m, and m = z, δ = 0, P = 0 where the window begins. Its score −P⁻¹δ is a
//! target whose mean given z is the score of the chain: exactly for a window of one step, and for any window if f is
//! linear and G does not depend on the state (for one step: Singhal, Goldstein, Ranganath, arXiv 2405.15625). δ is
//! carried, not formed as a difference: soon after the start it has fewer digits in z than it needs.

mod discrete;
#[cfg(test)]
mod tests;
mod window;

pub use window::WindowLaw;

use super::{Process, StartNumbers};
use crate::error::{Error, Result};
use crate::expr::{Program, Scalars, Workspace};
use crate::settings::Setting;
use discrete::{Discrete, triangle};

/// A process cut into steps, ready to be walked by blocks of samples.
#[derive(Debug)]
pub struct Chain {
    /// Steps that were asked for.
    asked: usize,
    /// 0 = t_0 < ... < t_J, the horizon.
    times: Vec<f64>,
    components: usize,
    sources: usize,
    /// All components, the driven ones last.
    order: Vec<usize>,
    driven: usize,
    start: StartNumbers,
    step: Program,
    window: Program,
    /// What depends on the time only, of each step.
    scalars: Vec<[Scalars; 2]>,
}

/// Number of steps of a chain.
pub const CHAIN_STEPS: Setting =
    Setting::count("chain_steps", "steps of the simulated paths, equal in √t").between(2.0, 100_000.0).or(500.0);

/// Components beyond which the covariances of windows would cost more than they are worth.
const MOST_COMPONENTS: usize = 24;

impl Chain {
    /// Cuts `process` into `steps` steps, equal in √t: fine where the data are forgotten fastest. They land where the
    /// process switches, and there are more of them where its coefficients change fast.
    ///
    /// # Errors
    /// When `steps` is out of the range of [`CHAIN_STEPS`], or the process couples too many components.
    pub fn new(process: &Process, steps: usize) -> Result<Self> {
        CHAIN_STEPS.check_value(steps as f64)?;
        let components = process.components();
        if components > MOST_COMPONENTS {
            let problem =
                format!("it couples {components} components, more than the {MOST_COMPONENTS} of a simulated kernel");
            return Err(Error::process(process.name(), problem).with_hint("couple fewer coordinates"));
        }
        let time = |k: usize| process.horizon() * (k as f64 / steps as f64).powi(2);
        let places = process.switching_times().iter().copied().filter(|place| *place < process.horizon());
        let mut times: Vec<_> = (0..=steps).map(time).chain(places).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        let times = process.refined(times);
        let discrete = Discrete::of(process);
        let step = Program::new(&discrete.step(), components + discrete.sources(), &["step"])?;
        let window = Program::new(&discrete.window(), discrete.window_inputs(), &["step"])?;
        let scalars = times.windows(2).map(|pair| {
            // At a place where the process switches it may be on either side.
            let (middle, length) = (0.5 * (pair[0] + pair[1]), pair[1] - pair[0]);
            [step.at(middle, &[length]), window.at(middle, &[length])]
        });
        Ok(Self {
            asked: steps,
            scalars: scalars.collect(),
            times,
            components,
            sources: discrete.sources(),
            order: process.undriven_first(),
            driven: process.driven().len(),
            start: process.start()?,
            step,
            window,
        })
    }

    /// The times t_0 = 0, ..., t_J.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Number J of steps.
    pub fn steps(&self) -> usize {
        self.scalars.len()
    }

    /// Number of steps that was asked for.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// The place of `time` among the steps, from 0 to J, linear in √t between them.
    pub fn place(&self, time: f64) -> f64 {
        let before = self.times.partition_point(|&t| t < time).clamp(1, self.steps()) - 1;
        let [from, to] = [before, before + 1].map(|step| self.times[step].sqrt());
        before as f64 + ((time.sqrt() - from) / (to - from)).clamp(0.0, 1.0)
    }

    /// Number of Wiener sources.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// The first step that ends at `time` or later, counted from 1.
    pub fn step_at(&self, time: f64) -> usize {
        self.times.partition_point(|&t| t < time).clamp(1, self.steps())
    }

    /// A thread's own walk of `count` samples with `copies` each.
    pub fn walk(&self, copies: usize, count: usize) -> Walk<'_> {
        let length = copies * count;
        Walk {
            chain: self,
            copies,
            length,
            state: vec![0.0; self.window.inputs() * length],
            next: vec![0.0; self.window.inputs() * length],
            ended: vec![0.0; self.window.outputs() * length],
            workspaces: [self.step.workspace(length), self.window.workspace(length)],
        }
    }
}

/// Samples on their way along a chain.
#[derive(Debug)]
pub struct Walk<'a> {
    chain: &'a Chain,
    copies: usize,
    /// Copies times samples: how long a row is.
    length: usize,
    /// Before a window: z and room for ξ. In a window: m, δ, P (its lower triangle by rows) and room for ξ.
    state: Vec<f32>,
    next: Vec<f32>,
    /// m, δ, P at the ends of the windows.
    ended: Vec<f32>,
    workspaces: [Workspace; 2],
}

impl Walk<'_> {
    /// Puts the samples at t = 0: data `x`, \[d, count\], and auxiliaries by their laws from what `normals` fills in.
    pub fn start(&mut self, x: &[f32], normals: impl FnOnce(&mut [f32])) {
        let state = &mut self.state[..self.chain.components * self.length];
        normals(&mut state[x.len()..]);
        self.chain.start.spread(state);
        state[..x.len()].copy_from_slice(x);
    }

    /// Takes step number `step` outside a window, with what `normals` fills in, \[sources·copies, count\].
    pub fn step(&mut self, step: usize, normals: impl FnOnce(&mut [f32])) {
        let (length, chain) = (self.length, self.chain);
        let size = chain.components * length;
        normals(&mut self.state[size..size + chain.sources * length]);
        let inputs = &self.state[..size + chain.sources * length];
        chain.step.run(&chain.scalars[step][0], &mut self.workspaces[0], length, inputs, &mut self.next[..size]);
        self.state[..size].copy_from_slice(&self.next[..size]);
    }

    /// The states outside a window, \[components·copies, count\].
    pub fn states(&self) -> &[f32] {
        &self.state[..self.chain.components * self.length]
    }

    /// Walks every sample i from the start to step `end[i]` ≥ 1, without windows. `normals` fills in the noise of a
    /// step.
    pub fn paths(&mut self, end: &[u32], mut normals: impl FnMut(usize, &mut [f32])) {
        let latest = end.iter().copied().max().unwrap_or(0) as usize;
        self.ended.fill(0.0);
        for step in 0..latest {
            self.step(step, |noise| normals(step, noise));
            self.leave(step + 1, end, self.chain.components);
        }
    }

    /// Walks every sample i from the start to step `end[i]` > `begin[i]`, with a window from step `begin[i]` on.
    /// `normals` fills in the noise of a step.
    pub fn windows(&mut self, begin: &[u32], end: &[u32], mut normals: impl FnMut(usize, &mut [f32])) {
        let earliest = begin.iter().copied().min().unwrap_or(0) as usize;
        let latest = end.iter().copied().max().unwrap_or(0) as usize;
        for step in 0..earliest {
            self.step(step, |noise| normals(step, noise));
        }
        let (length, chain) = (self.length, self.chain);
        let rows = chain.window.outputs() * length;
        self.state[chain.components * length..rows].fill(0.0);
        for step in earliest..latest {
            for (sample, _) in begin.iter().enumerate().filter(|(_, begin)| **begin as usize == step) {
                self.enter(sample);
            }
            normals(step, &mut self.state[rows..rows + chain.sources * length]);
            chain.window.run(
                &chain.scalars[step][1],
                &mut self.workspaces[1],
                length,
                &self.state,
                &mut self.next[..rows],
            );
            std::mem::swap(&mut self.state, &mut self.next);
            self.leave(step + 1, end, chain.window.outputs());
        }
    }

    /// Begins the window of a sample: m ← m + δ, δ ← 0, P ← 0.
    fn enter(&mut self, sample: usize) {
        let (length, components) = (self.length, self.chain.components);
        for lane in (sample..length).step_by(length / self.copies) {
            for i in 0..components {
                self.state[i * length + lane] += self.state[(components + i) * length + lane];
            }
            for row in components..self.chain.window.outputs() {
                self.state[row * length + lane] = 0.0;
            }
        }
    }

    /// Keeps the first `rows` of the samples that end after step `now`; they walk on, unseen.
    fn leave(&mut self, now: usize, end: &[u32], rows: usize) {
        let length = self.length;
        for (sample, _) in end.iter().enumerate().filter(|(_, end)| **end as usize == now) {
            for lane in (sample..length).step_by(length / self.copies) {
                for row in 0..rows {
                    self.ended[row * length + lane] = self.state[row * length + lane];
                }
            }
        }
    }

    /// The states at the ends of the windows, m + δ, to `out`, \[components·copies, count\].
    pub fn ends(&self, out: &mut [f32]) {
        let size = self.chain.components * self.length;
        let (mean, rest) = self.ended.split_at(size);
        for ((out, m), d) in out.iter_mut().zip(mean).zip(rest) {
            *out = m + d;
        }
    }

    /// Of the window of (sample, copy) number `lane`: the lower-triangular factor of P, the driven components last, and
    /// the deviation δ in the same order.
    pub fn window(&self, lane: usize, law: &mut WindowLaw) {
        let (n, length) = (self.chain.components, self.length);
        let at = |row: usize| f64::from(self.ended[row * length + lane]);
        for (i, &a) in self.chain.order.iter().enumerate() {
            law.deviation[i] = at(n + a);
            for (j, &b) in self.chain.order[..=i].iter().enumerate() {
                law.lower[i * n + j] = at(2 * n + triangle(a.max(b), a.min(b)));
            }
        }
        law.decompose();
    }

    /// Buffers for [`Walk::window`].
    pub fn law(&self) -> WindowLaw {
        let n = self.chain.components;
        WindowLaw { size: n, driven: self.chain.driven, lower: vec![0.0; n * n], deviation: vec![0.0; n] }
    }
}
