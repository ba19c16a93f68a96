//! The generator of chains of lattices: xoshiro256++ (Blackman, Vigna, ACM Trans. Math. Softw. 47, 2021), of which an
//! update takes ten operations on whole registers, where the same bits of Philox would take ten times as long.
//!
//! Each chain, or each group of 64, has one of its own, whose state of 256 bits is drawn from a stream. Two of them
//! would meet within the longest run with a probability below 2⁻¹²⁸.

use rand::Rng;

use crate::rng::Stream;

/// A generator of 64 bits at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits(pub(super) [u64; 4]);

impl Bits {
    /// The generator of chain `index`, or group of chains, of those that `stream` is for.
    pub(super) fn new(stream: &Stream, index: u32) -> Self {
        let mut words = stream.generator(0, index);
        Self([(); 4].map(|()| words.next_u64()))
    }

    #[inline(always)]
    pub(super) fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let word = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        word
    }
}

/// The first 64 binary digits of a probability below 1: an event has it where a random word is below.
pub(super) fn digits(probability: f64) -> u64 {
    (probability * 2_f64.powi(64)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the authors' program from the state 1, 2, 3, 4.
    #[test]
    fn known_answers() {
        let mut bits = Bits([1, 2, 3, 4]);
        let words = [(); 5].map(|()| bits.next());
        let truth = [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386, 9_228_616_714_210_784_205];
        assert_eq!(words, truth);
    }

    #[test]
    fn digits_are_those_of_the_probability() {
        assert_eq!(digits(0.5), 1 << 63);
        assert_eq!(digits(0.75), 3 << 62);
        assert_eq!(digits(1e-30), 0);
        assert_eq!(digits(1.0), u64::MAX);
    }
}
