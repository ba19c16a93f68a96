//! Values that begin with a cache line.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest register: a load across two lines takes twice as long.
const LINE: usize = 64;

/// A row of single-precision values that begins with a cache line.
#[derive(Debug)]
pub(crate) struct Aligned {
    values: Vec<f32>,
    first: usize,
    length: usize,
}

impl Aligned {
    /// `length` zeros.
    pub(crate) fn zeros(length: usize) -> Self {
        let values = vec![0.0; length + LINE / size_of::<f32>() - 1];
        // Not more than what is spare, also where the platform does not say.
        let first = values.as_ptr().align_offset(LINE).min(values.len() - length);
        Self { values, first, length }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[self.first..][..self.length]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.first..][..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen to fail with `first: 0`.
    #[test]
    fn values_begin_with_a_cache_line() {
        for length in [0, 1, 15, 16, 17, 1000] {
            // Several at once, so that not all can have been put well by chance.
            let several: Vec<Aligned> = (0..8).map(|_| Aligned::zeros(length)).collect();
            for mut values in several {
                assert_eq!(values.as_ptr() as usize % LINE, 0);
                assert_eq!(*values, vec![0.0; length]);
                values.fill(1.0);
                assert_eq!(*values, vec![1.0; length]);
            }
        }
    }
}
