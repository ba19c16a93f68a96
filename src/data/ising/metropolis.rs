//! Metropolis updates of 512 lattices at once: a bit of a word is the spin of one of them, 1 for up.
//!
//! Sites are visited in a fixed order, first those where row and column have an even sum, then the others. Each
//! update alone leaves the law of Boltzmann as it is, so any order does, and odd sizes need no other. A flip costs
//! 4n − 8 where n of the four neighbours are aligned: it is made where n ≤ 2, else with probability e^{−4β} or
//! e^{−8β}. The random numbers that decide are compared with these digit by digit, one random bit of each lattice
//! for each digit, until all lattices are decided; so each has its own 64-bit number, of which most lattices need
//! two bits.
//!
//! Of 64 visits one passes without an attempt. If all were followed by one, a lattice each of whose spins has as many
//! neighbours up as down would only ever turn over as a whole, and that of 2 × 2 sites has such lattices in plenty; so
//! any single spin can flip alone, and each lattice be reached from each. The bits that say so are those that need not
//! be compared where n ≤ 2; elsewhere it is a factor of the probabilities.

use std::ops::Range;

use super::bits::{Bits, digits};
use super::run::Run;
use crate::dispatched;
use crate::error::Result;

/// Words of a site: eight are a register of AVX-512.
const WORDS: usize = 8;
/// Lattices that are updated together; part of what a seed means.
pub(super) const TOGETHER: usize = 64 * WORDS;
/// Sites between two looks at the cancel flag, about a millisecond.
const PATIENCE: usize = 1 << 14;
/// Digits that are compared before the first question whether all lattices are decided, and between two of them.
const FIRST: usize = 8;
const MORE: usize = 2;
/// A visit is passed over with probability 2^−PASS.
const PASS: usize = 6;

/// The part of the visits that are followed by an attempt.
const ATTEMPTED: f64 = 1.0 - 1.0 / (1 << PASS) as f64;

/// One site of all lattices, a cache line.
#[repr(align(64))]
#[derive(Debug, Clone, Copy)]
struct Site([u64; WORDS]);

/// The digits of the probabilities of flips, those of an attempt included, the first one first: all bits 0, or all 1.
struct Rates {
    /// With three aligned neighbours.
    three: [u64; 64],
    /// Where those with four differ from them.
    change: [u64; 64],
}

impl Rates {
    fn new(temperature: f64) -> Self {
        let [three, four] = [-4.0, -8.0].map(|energy: f64| digits((energy / temperature).exp() * ATTEMPTED));
        let spread = |digits: u64| std::array::from_fn(|k| 0_u64.wrapping_sub(digits >> (63 - k) & 1));
        Self { three: spread(three), change: spread(three ^ four) }
    }
}

/// 512 chains: bit r % 64 of word 8 i + r / 64 of the result is spin i, row-major, of lattice r.
pub(super) fn chains(run: &Run, block: usize) -> Result<Vec<u64>> {
    let (size, is_ordered) = (run.size, run.is_ordered());
    let mut bits: [Bits; WORDS] = std::array::from_fn(|word| Bits::new(&run.stream, (WORDS * block + word) as u32));
    let mut draw = || Site(std::array::from_fn(|word| bits[word].next()));
    let first = draw();
    let mut lattice: Vec<_> = (0..size * size).map(|_| if is_ordered { first } else { draw() }).collect();
    let mut state: [[u64; WORDS]; 4] = std::array::from_fn(|k| bits.map(|bits| bits.0[k]));
    let rates = Rates::new(run.temperature);
    let rows = (PATIENCE / size).max(1);
    for _ in 0..run.sweeps {
        for colour in 0..2 {
            for begin in (0..size).step_by(rows) {
                run.task.check()?;
                update(&mut lattice, size, begin..size.min(begin + rows), colour, &rates, &mut state);
            }
        }
        run.meter.count(1)?;
    }
    Ok(lattice.into_iter().flat_map(|site| site.0).collect())
}

dispatched! {
    /// Updates the sites of one colour in some rows.
    fn update(
        lattice: &mut [Site], size: usize, rows: Range<usize>, colour: usize, rates: &Rates, state: &mut [[u64; WORDS]; 4],
    ) {
        // A copy of its own, which nothing else can point at, stays in registers.
        let mut own = *state;
        for row in rows {
            let above = size * if row == 0 { size - 1 } else { row - 1 };
            let below = size * if row + 1 == size { 0 } else { row + 1 };
            let first = size * row;
            for column in ((row + colour) % 2..size).step_by(2) {
                let left = if column == 0 { size - 1 } else { column - 1 };
                let right = if column + 1 == size { 0 } else { column + 1 };
                let neighbours = [above + column, below + column, first + left, first + right].map(|i| lattice[i].0);
                let site = &mut lattice[first + column].0;
                let flips = flips(site, &neighbours, rates, &mut own);
                for word in 0..WORDS {
                    site[word] ^= flips[word];
                }
            }
        }
        *state = own;
    }
}

/// The lattices that flip a site.
#[inline(always)]
fn flips(
    site: &[u64; WORDS],
    neighbours: &[[u64; WORDS]; 4],
    rates: &Rates,
    state: &mut [[u64; WORDS]; 4],
) -> [u64; WORDS] {
    let (mut four, mut open, mut flips, mut pass) = ([0; WORDS], [0; WORDS], [0; WORDS], [0; WORDS]);
    for word in 0..WORDS {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| !(site[word] ^ neighbours[i][word]));
        four[word] = a & b & c & d;
        open[word] = (a & b & (c | d)) | (c & d & (a | b));
        flips[word] = !open[word];
        pass[word] = !open[word];
    }
    let mut digit = 0;
    compare::<FIRST, PASS>(&four, &mut open, &mut flips, &mut pass, rates, &mut digit, state);
    while digit < 64 && open != [0; WORDS] {
        compare::<MORE, 0>(&four, &mut open, &mut flips, &mut pass, rates, &mut digit, state);
    }
    for word in 0..WORDS {
        flips[word] &= !pass[word];
    }
    flips
}

/// Compares `N` more digits in the lattices that are still `open`, and takes out of `pass` those of which one of the
/// first `P` random bits is 0.
///
/// The arrays stand by themselves since the fields of a struct do not stay in registers: with one, all is three times
/// as slow (measured on an Intel Xeon with AVX-512).
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn compare<const N: usize, const P: usize>(
    four: &[u64; WORDS],
    open: &mut [u64; WORDS],
    flips: &mut [u64; WORDS],
    pass: &mut [u64; WORDS],
    rates: &Rates,
    digit: &mut usize,
    state: &mut [[u64; WORDS]; 4],
) {
    let three: &[u64; N] = rates.three[*digit..*digit + N].try_into().expect("N of them");
    let change: &[u64; N] = rates.change[*digit..*digit + N].try_into().expect("N of them");
    // One word after the other, each through all digits: compilers make vectors of it that stay in registers.
    for word in 0..WORDS {
        let mut bits = Bits([0, 1, 2, 3].map(|k| state[k][word]));
        for k in 0..N {
            let random = bits.next();
            let wanted = three[k] ^ (change[k] & four[word]);
            // The first digit that differs decides: the random number is below where it has the 0.
            flips[word] = (flips[word] & !open[word]) | (wanted & open[word]);
            open[word] &= !(random ^ wanted);
            if k < P {
                pass[word] &= random;
            }
        }
        for k in 0..4 {
            state[k][word] = bits.0[k];
        }
    }
    *digit += N;
}
