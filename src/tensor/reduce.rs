//! Sums, means and extremes, in double precision.

use ndarray::Axis;

use super::Tensor;
use super::elementwise::{maximum, minimum};
use crate::error::{Error, Result};
use crate::vector::single;

/// What many values are reduced to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// The sum; 0 of nothing.
    Sum,
    /// The mean.
    Mean,
    /// The mean square distance from the mean: divided by n, not n − 1.
    Variance,
    /// The square root of the variance.
    StandardDeviation,
    /// The smallest value; NaN if any is.
    Minimum,
    /// The largest value; NaN if any is.
    Maximum,
}

impl Reduction {
    /// All reductions.
    pub const ALL: [Self; 6] =
        [Self::Sum, Self::Mean, Self::Variance, Self::StandardDeviation, Self::Minimum, Self::Maximum];

    /// As scripts write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Variance => "var",
            Self::StandardDeviation => "std",
            Self::Minimum => "min",
            Self::Maximum => "max",
        }
    }

    /// The reduction of numbers of any shape.
    ///
    /// # Errors
    /// When there are none and the reduction needs one.
    pub fn of(self, shape: &[usize], values: &[f64]) -> Result<f64> {
        if values.is_empty() && self != Self::Sum {
            return Err(self.of_nothing(shape));
        }
        Ok(self.apply(values.iter().copied()))
    }

    fn of_nothing(self, shape: &[usize]) -> Error {
        Error::argument(self.name(), format!("needs at least one value, got shape {shape:?}"))
    }

    fn apply(self, values: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
        let count = values.len() as f64;
        let mean = || values.clone().sum::<f64>() / count;
        let variance = || {
            let mean = mean();
            values.clone().map(|v| (v - mean).powi(2)).sum::<f64>() / count
        };
        match self {
            Self::Sum => values.sum(),
            Self::Mean => mean(),
            Self::Variance => variance(),
            Self::StandardDeviation => variance().sqrt(),
            Self::Minimum => values.fold(f64::INFINITY, minimum),
            Self::Maximum => values.fold(f64::NEG_INFINITY, maximum),
        }
    }
}

impl Tensor {
    /// The reduction of all values.
    ///
    /// # Errors
    /// When there are no values and the reduction needs one.
    pub fn reduce(&self, reduction: Reduction) -> Result<f64> {
        if self.is_empty() && reduction != Reduction::Sum {
            return Err(reduction.of_nothing(self.shape()));
        }
        Ok(reduction.apply(self.values().iter().map(|&v| f64::from(v))))
    }

    /// The reduction along `axis`, which disappears. Negative axes count from the back.
    ///
    /// # Errors
    /// When the axis does not exist, or is empty and the reduction needs a value.
    pub fn reduce_axis(&self, reduction: Reduction, axis: i64) -> Result<Self> {
        let axis = self.axis(axis)?;
        if self.shape()[axis] == 0 && reduction != Reduction::Sum {
            return Err(reduction.of_nothing(self.shape()));
        }
        Ok(self.0.map_axis(Axis(axis), |lane| single(reduction.apply(lane.iter().map(|&v| f64::from(v))))).into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::host::Host;
    use crate::property::cases;

    #[test]
    fn by_hand() {
        let t = Tensor::new(&[2, 2], vec![1.0, 2.0, 3.0, 8.0]).unwrap();
        let whole = Reduction::ALL.map(|reduction| t.reduce(reduction).unwrap());
        assert_eq!(whole, [14.0, 3.5, 7.25, 7.25_f64.sqrt(), 1.0, 8.0]);
        let columns = |reduction| t.reduce_axis(reduction, 0).unwrap().values().into_owned();
        assert_eq!(columns(Reduction::Sum), [4.0, 10.0]);
        assert_eq!(columns(Reduction::Variance), [1.0, 9.0]);
        assert_eq!(t.reduce_axis(Reduction::Maximum, -1).unwrap().values()[..], [2.0, 8.0]);
        let nan = Tensor::new(&[3], vec![1.0, f32::NAN, 0.0]).unwrap();
        assert!(nan.reduce(Reduction::Minimum).unwrap().is_nan() && nan.reduce(Reduction::Maximum).unwrap().is_nan());
    }

    /// In single precision this mean would be off in the second digit.
    #[test]
    fn long_sums_keep_their_digits() {
        let t = Tensor::full(&[1 << 22], 0.1, &Host::default()).unwrap();
        assert!((t.reduce(Reduction::Mean).unwrap() - 0.1).abs() < 1e-8);
        assert!(t.reduce(Reduction::Variance).unwrap() < 1e-16);
    }

    #[test]
    fn nothing_is_refused() {
        let empty = Tensor::full(&[0, 2], 0.0, &Host::default()).unwrap();
        assert_eq!(empty.reduce(Reduction::Sum).unwrap(), 0.0);
        assert_eq!(empty.reduce_axis(Reduction::Sum, 0).unwrap().values()[..], [0.0, 0.0]);
        let problem = empty.reduce(Reduction::Mean).unwrap_err().to_string();
        assert_eq!(problem, "`mean` needs at least one value, got shape [0, 2]");
        assert!(empty.reduce_axis(Reduction::Maximum, 0).is_err());
        assert!(empty.reduce_axis(Reduction::Mean, 1).unwrap().is_empty());
        assert!(empty.reduce_axis(Reduction::Sum, 2).unwrap_err().to_string().contains("2 does not exist"));
        assert!(Tensor::scalar(1.0).reduce_axis(Reduction::Sum, 0).is_err());
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn an_axis_at_a_time_is_the_whole(rows in 1_usize..6, columns in 1_usize..6, seed in 0_u64..50) {
            let t = Tensor::normals(&[rows, columns], seed, &Host::default()).unwrap();
            for reduction in [Reduction::Sum, Reduction::Mean, Reduction::Minimum, Reduction::Maximum] {
                let once = t.reduce(reduction).unwrap();
                let twice = t.reduce_axis(reduction, 0).unwrap().reduce(reduction).unwrap();
                prop_assert!((once - twice).abs() < 1e-5);
            }
        }
    }
}
