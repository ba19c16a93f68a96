//! Lattices of the two-dimensional Ising model, each the end of a Monte Carlo chain of its own, so independent.

mod bits;
mod metropolis;
mod run;
mod wolff;

use crate::error::{Error, Result};
use crate::rng::{Purpose, Stream};
use crate::settings::{Choice, Setting, Values, words, written};
use crate::task::{Meter, Task};
use crate::tensor::{self, Tensor};
use crate::vector::single;
use run::{ENOUGH_BY_CLUSTERS, Run, enough};

/// A set of lattices: spins ±1 on a square of `size` × `size` sites with periodic sides, energy −Σ s s' over the
/// neighbours, drawn from the law of Boltzmann.
#[derive(Debug, Clone, PartialEq)]
pub struct Ising {
    /// Sites along each side, 2 or more.
    pub size: usize,
    /// In units of the coupling over Boltzmann's constant, above 0.
    pub temperature: f64,
    /// Number of lattices.
    pub count: usize,
    /// Sweeps of each chain; where none are given, 50 by [`Wolff`](Method::Wolff) and 1,000 by
    /// [`Metropolis`](Method::Metropolis), or more where large lattices need them near the critical temperature.
    pub sweeps: Option<usize>,
    /// The same seed gives the same lattices, and fewer are the first of more.
    pub seed: u64,
    /// How a chain goes on.
    pub method: Method,
}

/// How a lattice is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// One spin at a time; a sweep asks each once.
    Metropolis,
    /// A cluster at a time; a sweep flips as many spins as there are.
    Wolff,
}

const METHODS: &[(Choice, Method); 2] = &[
    (Choice::new("metropolis", "one spin at a time; slow to forget near the critical temperature"), Method::Metropolis),
    (Choice::new("wolff", "clusters of equal spins, right at every temperature"), Method::Wolff),
];

impl Ising {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::count("size", "sites along each side of the lattice").between(2.0, 65_536.0).or(32.0),
        Setting::number("temperature", "in units of J/k_B; critical at 2.2692")
            .above(0.0)
            .required("write temperature: 2.269 for the critical one, less for magnetised lattices"),
        Setting::count("count", "number of lattices").or(10_000.0),
        Setting::count("sweeps", "length of each chain; by clusters, in as many flipped spins as there are sites")
            .or_else("50 by clusters, else 1000, or more where size and temperature need them"),
        Setting::seed("seed of the lattices"),
        Setting::choice("method", "how a chain goes on", &words(METHODS)),
    ];

    /// The set that `values` of [`Ising::SETTINGS`] describe.
    pub fn read(values: &Values) -> Self {
        Self {
            size: values.count("size"),
            temperature: values.number("temperature"),
            count: values.count("count"),
            sweeps: values.count_if_given("sweeps"),
            seed: values.natural("seed"),
            method: values.chosen("method", METHODS),
        }
    }

    /// The lattices, [count, size, size].
    ///
    /// # Errors
    /// When `size` is below 2, `temperature` not above 0, `count` 0, the memory does not suffice, or on interruption.
    pub fn lattices(&self, task: &Task) -> Result<Tensor> {
        self.check(task)?;
        self.short().iter().for_each(|warning| task.warn(warning));
        let (together, packed) = self.chains(task)?;
        let sites = self.size * self.size;
        let shape = [self.count, self.size, self.size];
        let mut values = tensor::allocate(&shape, task.host())?;
        for (lattices, words) in values.chunks_mut(together * sites).zip(packed) {
            let stride = together / 64;
            for (r, spins) in lattices.chunks_exact_mut(sites).enumerate() {
                let words = words.iter().skip(r / 64).step_by(stride);
                spins.iter_mut().zip(words).for_each(|(spin, word)| *spin = single_spin(word >> (r % 64)));
            }
        }
        Tensor::new(&shape, values)
    }

    fn check(&self, task: &Task) -> Result<()> {
        if self.size < 2 {
            return Err(Error::argument("size", format!("must be at least 2, got {}", self.size)));
        }
        if !(self.temperature > 0.0 && self.temperature.is_finite()) {
            return Err(Error::argument("temperature", format!("must be above 0, got {}", written(self.temperature))));
        }
        if self.count == 0 {
            return Err(Error::argument("count", "must be at least 1, got 0"));
        }
        // The data and a copy that becomes the dataset, in single precision; lattices as bits; those of each thread.
        let (count, sites) = (self.count as f64, (self.size as f64).powi(2));
        let bytes = sites * (count * (8.0 + 0.125) + 128.0 * task.threads() as f64);
        task.host().afford(bytes, |problem| {
            Error::argument("count", format!("of lattices of this `size` {problem}"))
                .with_hint("take fewer, or smaller ones")
        })
    }

    /// What is told of chains that are too short.
    fn short(&self) -> Option<String> {
        let (sweeps, method) = (self.sweeps?, self.method);
        let least = match method {
            Method::Metropolis => enough(self.size, self.temperature),
            Method::Wolff => ENOUGH_BY_CLUSTERS,
        };
        let way = if method == Method::Metropolis { ", or fewer by method: \"wolff\"" } else { "" };
        (sweeps < least).then(|| {
            format!(
                "lattices of {0} x {0} at temperature {1} may not be in equilibrium after {sweeps} sweeps: take {least} or \
                 more{way}",
                self.size, self.temperature
            )
        })
    }

    /// The sweeps of a chain.
    fn sweeps(&self) -> usize {
        let usual = match self.method {
            Method::Metropolis => enough(self.size, self.temperature).max(1000),
            Method::Wolff => 50,
        };
        self.sweeps.unwrap_or(usual)
    }

    /// How many lattices each block has, and the blocks.
    fn chains(&self, task: &Task) -> Result<(usize, Vec<Vec<u64>>)> {
        let stream = Stream::new(self.seed, Purpose::Lattice).of(&[single(self.temperature), single(self.size as f64)]);
        let blocks = |together| self.count.div_ceil(together);
        let sweeps = self.sweeps();
        let run = |stream, samples, steps| {
            let meter = Meter::new(task, "ising", samples, steps);
            Run { size: self.size, temperature: self.temperature, sweeps, stream, meter, task }
        };
        match self.method {
            Method::Metropolis => {
                let together = metropolis::TOGETHER;
                let run = run(stream, task.ranks().share(blocks(together)).len(), sweeps);
                let packed = task.shared(DRAWING, blocks(together), |block| metropolis::chains(&run, block));
                run.meter.finish();
                Ok((together, packed?))
            }
            Method::Wolff => {
                let together = wolff::TOGETHER;
                let share = task.ranks().share(blocks(together));
                let run = run(stream.part(1), 1, self.count.min(share.len() * together));
                let neighbours = wolff::neighbours(self.size);
                let packed = task.shared(DRAWING, blocks(together), |block| {
                    wolff::chains(&run, &neighbours, block, together.min(self.count - together * block))
                });
                run.meter.finish();
                Ok((together, packed?))
            }
        }
    }
}

/// What ranks do that meet here.
const DRAWING: &str = "drawing lattices";

/// 1 for a last bit of 1, −1 for 0.
fn single_spin(bit: u64) -> f32 {
    if bit & 1 == 1 { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests;
