//! A tensor read as data, one datum per row.

use std::borrow::Cow;

use ndarray::ArrayView2;

use super::Tensor;
use crate::error::{Error, Result};

/// At least one datum of at least one coordinate, all finite.
#[derive(Debug)]
pub struct Rows<'a> {
    /// Number of data.
    pub count: usize,
    /// Shape of one datum; \[1\] for the numbers of a vector.
    pub shape: &'a [usize],
    /// [count, shape...], row-major.
    pub values: Cow<'a, [f32]>,
}

impl Tensor {
    /// The tensor as data, [count, shape...], or \[count\] of one coordinate each; errors call it `name`.
    ///
    /// # Errors
    /// When it is a single number or empty, or a value is not finite.
    pub fn rows(&self, name: &str) -> Result<Rows<'_>> {
        let refuse = |problem: String, hint: &str| Err(Error::argument(name, problem).with_hint(hint));
        let (count, shape): (_, &[usize]) = match self.shape() {
            [] => {
                let hint = "data have one row each: shape [count, d], or [count] for one coordinate";
                return refuse("is a single number".to_owned(), hint);
            }
            [count] => (*count, &[1]),
            [count, shape @ ..] => (*count, shape),
        };
        if self.is_empty() {
            let hint = "at least one datum of at least one coordinate is needed";
            return refuse(format!("is empty (shape {:?})", self.shape()), hint);
        }
        let rows = Rows { count, shape, values: self.values() };
        let broken = rows.values.iter().filter(|value| !value.is_finite()).count();
        match rows.values.iter().position(|value| !value.is_finite()) {
            None => Ok(rows),
            Some(at) => {
                let (all, first, row) = (rows.values.len(), rows.values[at], at / rows.width());
                let hint =
                    "look at these rows and leave them out; a diverged sampler makes such values: give it more steps";
                refuse(format!("has {broken} of {all} values not finite, the first ({first}) in row {row}"), hint)
            }
        }
    }
}

impl Rows<'_> {
    /// Number of coordinates of one datum.
    pub fn width(&self) -> usize {
        self.values.len() / self.count
    }

    /// The data as a matrix, [count, width].
    pub fn matrix(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape((self.count, self.width()), &self.values).expect("as many values as the shape holds")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_read_by_rows() {
        let cube = Tensor::new(&[2, 1, 3], (0..6).map(|v| v as f32).collect()).unwrap();
        let rows = cube.rows("cube").unwrap();
        assert_eq!((rows.count, rows.shape, rows.width()), (2, &[1, 3][..], 3));
        assert_eq!(rows.matrix().row(1).to_vec(), [3.0, 4.0, 5.0]);
        let vector = Tensor::new(&[2], vec![4.0, 5.0]).unwrap();
        let rows = vector.rows("vector").unwrap();
        assert_eq!((rows.count, rows.shape, rows.width()), (2, &[1][..], 1));
    }

    #[test]
    fn what_cannot_be_data_is_refused() {
        let problem = |shape: &[usize], values: &[f32]| {
            Tensor::new(shape, values.to_vec()).unwrap().rows("x").unwrap_err().to_string()
        };
        assert_eq!(problem(&[], &[1.0]), "`x` is a single number");
        assert_eq!(problem(&[0, 2], &[]), "`x` is empty (shape [0, 2])");
        assert_eq!(problem(&[2, 0], &[]), "`x` is empty (shape [2, 0])");
        let nan = problem(&[3, 2], &[0.0, 1.0, 2.0, f32::NAN, f32::INFINITY, 0.0]);
        assert_eq!(nan, "`x` has 2 of 6 values not finite, the first (NaN) in row 1");
    }
}
