//! Ranges of numbers.

use std::fmt;

use super::number::written;

/// The numbers that a setting may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    least: f64,
    most: f64,
    /// Whether `least` itself is left out.
    is_above: bool,
    /// Whether `most` itself is left out.
    is_below: bool,
}

impl Range {
    /// All finite numbers.
    pub const ALL: Self = Self { least: f64::NEG_INFINITY, most: f64::INFINITY, is_above: false, is_below: false };

    /// Above `least`.
    pub const fn above(least: f64) -> Self {
        Self { least, is_above: true, ..Self::ALL }
    }

    /// `least` or above.
    pub const fn from(least: f64) -> Self {
        Self { least, ..Self::ALL }
    }

    /// From `least` to `most`, both included.
    pub const fn between(least: f64, most: f64) -> Self {
        Self { least, most, ..Self::ALL }
    }

    /// The same range without `most`: [least, most).
    #[must_use]
    pub const fn below(self, most: f64) -> Self {
        Self { most, is_below: true, ..self }
    }

    /// The same range up to `most`.
    #[must_use]
    pub const fn up_to(self, most: f64) -> Self {
        Self { most, is_below: false, ..self }
    }

    /// Whether a number is in the range; none that is not finite is.
    pub fn contains(&self, value: f64) -> bool {
        let above = if self.is_above { value > self.least } else { value >= self.least };
        let below = if self.is_below { value < self.most } else { value <= self.most };
        value.is_finite() && above && below
    }

    /// Whether every finite number is in it.
    pub fn is_all(&self) -> bool {
        *self == Self::ALL
    }
}

/// "above 0", "0 or above", "from 1 to 16384", "in [0, 1)", as they follow "must be".
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_above, is_below, .. } = *self;
        let [least, most] = [self.least, self.most].map(written);
        match (self.least.is_finite(), self.most.is_finite()) {
            (false, false) => f.write_str("finite"),
            (true, false) if is_above => write!(f, "above {least}"),
            (true, false) => write!(f, "{least} or above"),
            (false, true) if is_below => write!(f, "below {most}"),
            (false, true) => write!(f, "at most {most}"),
            (true, true) if is_above && is_below => write!(f, "above {least} and below {most}"),
            (true, true) if is_above => write!(f, "above {least} and at most {most}"),
            (true, true) if is_below => write!(f, "in [{least}, {most})"),
            (true, true) => write!(f, "from {least} to {most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_say_what_they_hold() {
        let cases = [
            (Range::above(0.0), "above 0", vec![1e-300], vec![0.0, -1.0, f64::NAN, f64::INFINITY]),
            (Range::from(0.0), "0 or above", vec![0.0], vec![-1e-300]),
            (Range::between(1e-6, 1.0), "from 1e-6 to 1", vec![1e-6], vec![1e-7]),
            (Range::between(1.0, 3.0), "from 1 to 3", vec![1.0, 3.0], vec![0.9, 3.1]),
            (Range::from(0.0).below(1.0), "in [0, 1)", vec![0.0, 0.99], vec![1.0]),
            (Range::above(0.0).up_to(1.0), "above 0 and at most 1", vec![1.0], vec![0.0, 1.1]),
            (Range::above(0.0).below(2.0), "above 0 and below 2", vec![1.0], vec![0.0, 2.0]),
            (Range::between(1.0, 16_384.0), "from 1 to 16_384", vec![16_384.0], vec![0.0]),
        ];
        for (range, words, inside, outside) in cases {
            assert_eq!(range.to_string(), words);
            assert!(
                inside.iter().all(|&x| range.contains(x)) && !outside.iter().any(|&x| range.contains(x)),
                "{words}"
            );
        }
    }
}
