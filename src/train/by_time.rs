//! Where in the time of the forward process the loss sits.

use serde::{Deserialize, Serialize};

/// Parts into which the times are divided.
const PARTS: usize = 10;

/// Equal parts of the times that a training draws.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    from: f64,
    length: f64,
    /// Parts in one unit of time.
    density: f64,
}

impl Parts {
    pub(super) fn new(from: f64, to: f64) -> Self {
        Self { from, length: (to - from) / PARTS as f64, density: PARTS as f64 / (to - from) }
    }

    fn part(self, time: f64) -> usize {
        (((time - self.from) * self.density) as usize).min(PARTS - 1)
    }

    fn middle(self, part: usize) -> f64 {
        self.from + (part as f64 + 0.5) * self.length
    }
}

/// The losses of samples, summed by their times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ByTime {
    sums: [f64; PARTS],
    counts: [u64; PARTS],
}

impl ByTime {
    /// Adds the loss of one sample.
    pub(super) fn add(&mut self, parts: Parts, time: f64, loss: f64) {
        let part = parts.part(time);
        self.sums[part] += loss;
        self.counts[part] += 1;
    }

    /// Adds the losses of other samples.
    pub(super) fn merge(&mut self, other: &Self) {
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, other)| *sum += other);
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
    }

    /// (middle of the part, mean loss, samples) of the parts that have samples.
    pub(super) fn rows(&self, parts: Parts) -> Vec<[f64; 3]> {
        let row = |part: usize| {
            let count = self.counts[part] as f64;
            [parts.middle(part), self.sums[part] / count, count]
        };
        (0..PARTS).filter(|part| self.counts[*part] > 0).map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_apart_by_their_times() {
        let parts = Parts::new(1.0, 3.0);
        let (mut first, mut second) = (ByTime::default(), ByTime::default());
        first.add(parts, 1.0, 4.0);
        first.add(parts, 1.19, 2.0);
        second.add(parts, 3.0, 7.0);
        // Rounding may lead a little beyond either end.
        second.add(parts, 0.99, 0.0);
        first.merge(&second);
        let [[low, mean, count], [high, last, one]] = first.rows(parts)[..] else { panic!("{first:?}") };
        assert!((low - 1.1).abs() < 1e-12 && (high - 2.9).abs() < 1e-12);
        assert_eq!([mean, count, last, one], [2.0, 3.0, 7.0, 1.0]);
    }
}
