//! Random numbers as a pure function of (seed, purpose, step, block, index): no generator is shared, none has a state
//! to lose, and the same request gives the same bits at any thread count and on any machine.
//!
//! People give one seed to many calls, so what a call draws must also be a function of what it is: each kind of drawing
//! has a [`Purpose`] of its own, and what begins somewhere on the axis of time, or from given states, has that place
//! ([`Stream::at`]) and these states ([`Stream::of`]) in its key. Then two legs of a path, or a path and its way back,
//! are independent under one seed, while the same call again gives the same bits.
//!
//! The function is Philox 4×32 with ten rounds (Salmon, Moraes, Dror, Shaw, SC 2011). Normals are Box–Muller pairs in
//! single precision with 32-bit radii: the smallest is ½·2⁻³², so the tail reaches √(2·33 ln 2) = 6.76 standard
//! deviations.

use rand::RngExt;
use rand::rand_core::{Infallible, TryRng};

use crate::dispatched;
use crate::vector::math::{ln, sin_cos_turns};

/// What a stream of random numbers is for. Streams of different purpose are independent even with the same seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Draws of a dataset that a script asks for.
    Data = 1,
    /// Initial weights of a network.
    Weights,
    /// Which samples and times a training batch takes.
    Batch,
    /// The laws of auxiliaries at the beginning of the paths of a training batch.
    BatchStart,
    /// The noise of a training batch.
    BatchNoise,
    /// One application of the kernel.
    Kernel,
    /// The laws of auxiliaries at the beginning of a simulation.
    ForwardStart,
    /// Wiener increments of a simulation.
    Forward,
    /// The prior at the horizon.
    Prior,
    /// Wiener increments of the reverse process.
    Reverse,
    /// Auxiliaries over which a likelihood is averaged.
    LikelihoodStart,
    /// Random directions in which a divergence is estimated.
    Probe,
    /// Random directions of a projection.
    Projection,
    /// What a script draws for itself.
    Script,
    /// Data, and noise, of paths simulated to learn the moments of a process.
    Pilot,
    /// The laws of auxiliaries at the beginning of these paths.
    PilotStart,
    /// Which sample takes the place of which.
    Shuffle,
    /// Chains of lattices.
    Lattice,
    /// What networks leave out in training, and which samples are not told their class.
    Dropout,
    /// Which points of finite data go into which part.
    Split,
    /// Draws of the Gaussian that stands for the law at the horizon.
    Horizon,
    /// Which way data are moved by a unit of single precision.
    Rounding,
    /// States of known class, over which what they tell of it is averaged.
    Class,
    /// Rules and symbols of random hierarchies, and the noise of their leaves.
    Hierarchy,
}

/// Independent random numbers keyed by a seed, a purpose, and where the drawing begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    purpose: u32,
}

impl Stream {
    /// The stream of `seed` for `purpose`.
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], purpose: purpose as u32 }
    }

    /// A stream independent of this one, for the same purpose: one draw may need uniforms as well as normals, and the
    /// same words must not feed both. `index` 0 is the stream itself; indices up to 2²⁴ differ.
    #[must_use]
    pub fn part(&self, index: u32) -> Self {
        Self { key: self.key, purpose: self.purpose ^ (index << 8) }
    }

    /// The stream of what begins at `time`.
    #[must_use]
    pub fn at(&self, time: f64) -> Self {
        // -0.0 and 0.0 are one time.
        self.keyed((time + 0.0).to_bits())
    }

    /// The stream of what begins from states with these `values`, in this order.
    #[must_use]
    pub fn of(&self, values: &[f32]) -> Self {
        // Both steps are one-to-one, so that sets that differ in one value never meet.
        let mixed = values.iter().fold(values.len() as u64, |hash, value| {
            let hash = (hash ^ u64::from((value + 0.0).to_bits())).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            hash ^ hash >> 32
        });
        self.keyed(mixed)
    }

    /// A stream with another key, that of this one encrypted with `word`.
    fn keyed(&self, word: u64) -> Self {
        // No purpose is 0, so no numbers are drawn from these counters.
        let words = philox(self.key, word as u32, [(word >> 32) as u32, self.purpose, 0]);
        Self { key: [words[0][0], words[1][0]], purpose: self.purpose }
    }

    /// Fills `out` with standard normals of (`step`, `block`).
    pub fn normals(&self, step: u32, block: u32, out: &mut [f32]) {
        normals(self.key, [block, step, self.purpose], out);
    }

    /// Fills `out` with uniforms in [0, 1) of (`step`, `block`).
    pub fn uniforms(&self, step: u32, block: u32, out: &mut [f32]) {
        uniforms(self.key, [block, step, self.purpose], out);
    }

    /// The numbers below `count` in a random order, all orders as likely (Fisher–Yates).
    pub fn permutation(&self, count: usize) -> Vec<usize> {
        let mut order: Vec<_> = (0..count).collect();
        let mut generator = self.generator(0, 0);
        for i in (1..count).rev() {
            order.swap(i, generator.random_range(0..=i));
        }
        order
    }

    /// A sequential generator of (`step`, `block`) for `rand`.
    pub fn generator(&self, step: u32, block: u32) -> Generator {
        Generator { stream: *self, step, block, index: 0, left: 0, words: [0; 4] }
    }
}

const LANES: usize = 16;
/// Random words, and normals, that one pass of `LANES` counters gives.
const GROUP: usize = 4 * LANES;

/// Philox 4×32-10 at `LANES` consecutive counters; word j of counter i is `words[j][i]`.
#[inline(always)]
fn philox(key: [u32; 2], first: u32, rest: [u32; 3]) -> [[u32; LANES]; 4] {
    let mut c = [[0; LANES], [rest[0]; LANES], [rest[1]; LANES], [rest[2]; LANES]];
    for (i, word) in c[0].iter_mut().enumerate() {
        *word = first.wrapping_add(i as u32);
    }
    let mut key = key;
    for _ in 0..10 {
        for i in 0..LANES {
            let a = u64::from(c[0][i]) * 0xD251_1F53;
            let b = u64::from(c[2][i]) * 0xCD9E_8D57;
            c[0][i] = (b >> 32) as u32 ^ c[1][i] ^ key[0];
            c[1][i] = b as u32;
            c[2][i] = (a >> 32) as u32 ^ c[3][i] ^ key[1];
            c[3][i] = a as u32;
        }
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    c
}

/// The radius of a pair of normals, √(−2 ln u) with u = (word + ½)/2³² in (0, 1], whose logarithm is finite.
#[inline(always)]
fn radius(word: u32) -> f32 {
    let u = (word as f32 + 0.5) * 2_f32.powi(-32);
    (-2.0 * ln(u)).sqrt()
}

/// Calls `group(counter, values)` for each full or partial group of `out`.
#[inline(always)]
fn by_groups(out: &mut [f32], mut group: impl FnMut(u32, &mut [f32; GROUP])) {
    let mut counter = 0_u32;
    let mut chunks = out.chunks_exact_mut(GROUP);
    for chunk in &mut chunks {
        group(counter, chunk.try_into().expect("chunks_exact gives groups"));
        counter = counter.wrapping_add(LANES as u32);
    }
    let tail = chunks.into_remainder();
    if !tail.is_empty() {
        let mut whole = [0.0; GROUP];
        group(counter, &mut whole);
        tail.copy_from_slice(&whole[..tail.len()]);
    }
}

dispatched! {
    fn normals(key: [u32; 2], rest: [u32; 3], out: &mut [f32]) {
        by_groups(out, #[inline(always)] |counter, values| {
            let words = philox(key, counter, rest);
            for pair in 0..2 {
                for i in 0..LANES {
                    let turn = (words[2 * pair + 1][i] >> 8) as f32 * 2_f32.powi(-24);
                    let radius = radius(words[2 * pair][i]);
                    let (sin, cos) = sin_cos_turns(turn);
                    values[2 * pair * LANES + i] = radius * cos;
                    values[(2 * pair + 1) * LANES + i] = radius * sin;
                }
            }
        });
    }
}

dispatched! {
    fn uniforms(key: [u32; 2], rest: [u32; 3], out: &mut [f32]) {
        by_groups(out, #[inline(always)] |counter, values| {
            let words = philox(key, counter, rest);
            for (word, value) in words.iter().flatten().zip(values.iter_mut()) {
                *value = (word >> 8) as f32 * 2_f32.powi(-24);
            }
        });
    }
}

/// A sequential view of one (step, block) of a stream.
#[derive(Debug, Clone)]
pub struct Generator {
    stream: Stream,
    step: u32,
    block: u32,
    index: u32,
    left: usize,
    words: [u32; 4],
}

impl Generator {
    fn next_word(&mut self) -> u32 {
        if self.left == 0 {
            let words = philox(self.stream.key, self.index, [self.block, self.step, self.stream.purpose]);
            self.words = words.map(|word| word[0]);
            self.index = self.index.wrapping_add(1);
            self.left = 4;
        }
        self.left -= 1;
        self.words[3 - self.left]
    }
}

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next_word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.next_word()) | u64::from(self.next_word()) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            chunk.copy_from_slice(&self.next_word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
