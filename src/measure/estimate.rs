//! What is known of a number that was estimated.

/// An estimate with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

impl Estimate {
    /// The mean of `values`, two or more that are independent.
    #[must_use]
    pub fn mean(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let value = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|one| (one - value).powi(2)).sum();
        Self { value, error: (squares / (count - 1.0) / count).sqrt() }
    }

    /// The part of `count` independent cases that are `hits`; the error is by the rule of succession, so that it is not
    /// 0 at the ends.
    #[must_use]
    pub fn part(hits: usize, count: usize) -> Self {
        let (value, likely) = (hits as f64 / count as f64, (hits as f64 + 1.0) / (count as f64 + 2.0));
        Self { value, error: (likely * (1.0 - likely) / count as f64).sqrt() }
    }
}
