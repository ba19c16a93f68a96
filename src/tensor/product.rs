//! Matrix products.

use ndarray::Ix2;

use super::{Tensor, affordable};
use crate::error::{Error, Result};
use crate::host::Host;

impl Tensor {
    /// The matrix product: [m, k]·[k, n] → [m, n]; a vector on the left is a row, on the right a column, and its axis
    /// disappears from the result.
    ///
    /// # Errors
    /// When the inner lengths differ, a factor is neither a vector nor a matrix, or the memory does not suffice.
    pub fn product(&self, other: &Self, host: &Host) -> Result<Self> {
        let (left, right) = (self.shape(), other.shape());
        let misfit = || {
            Error::argument("matmul", format!("cannot multiply shapes {left:?} and {right:?}"))
                .with_hint("the last length on the left must be the first on the right, for vectors and matrices")
        };
        if !(1..=2).contains(&left.len()) || !(1..=2).contains(&right.len()) || left.last() != right.first() {
            return Err(misfit());
        }
        // Refuses a result that does not fit before the product is begun.
        affordable(&[&left[..left.len() - 1], &right[1..]].concat(), host)?;
        let a = if left.len() == 1 { self.insert_axis(0) } else { self.clone() };
        let b = if right.len() == 1 { other.insert_axis(1) } else { other.clone() };
        let a = a.0.into_dimensionality::<Ix2>().map_err(|_| misfit())?;
        let b = b.0.into_dimensionality::<Ix2>().map_err(|_| misfit())?;
        let full = a.dot(&b).into_dyn();
        let shape: Vec<i64> = left[..left.len() - 1].iter().chain(&right[1..]).map(|&side| side as i64).collect();
        Self::from(full).reshape(&shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
        Tensor::new(shape, values.to_vec()).unwrap()
    }

    #[test]
    fn products() {
        let matrix = tensor(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let vector = tensor(&[3], &[1.0, 0.0, -1.0]);
        assert_eq!(
            matrix.product(&matrix.transpose(), &Host::default()).unwrap(),
            tensor(&[2, 2], &[14.0, 32.0, 32.0, 77.0])
        );
        assert_eq!(matrix.product(&vector, &Host::default()).unwrap(), tensor(&[2], &[-2.0, -2.0]));
        assert_eq!(
            tensor(&[2], &[1.0, 1.0]).product(&matrix, &Host::default()).unwrap(),
            tensor(&[3], &[5.0, 7.0, 9.0])
        );
        assert_eq!(vector.product(&vector, &Host::default()).unwrap(), Tensor::scalar(2.0));
        assert_eq!(
            tensor(&[2, 0], &[]).product(&tensor(&[0, 2], &[]), &Host::default()).unwrap(),
            tensor(&[2, 2], &[0.0; 4])
        );
    }

    #[test]
    fn misfits_name_both_shapes() {
        let matrix = tensor(&[2, 3], &[0.0; 6]);
        let problem = matrix.product(&matrix, &Host::default()).unwrap_err().to_string();
        assert_eq!(problem, "`matmul` cannot multiply shapes [2, 3] and [2, 3]");
        assert!(Tensor::scalar(1.0).product(&matrix, &Host::default()).is_err());
        assert!(matrix.product(&tensor(&[3, 1, 1], &[0.0; 3]), &Host::default()).is_err());
        let long = tensor(&[300_000, 1], &vec![0.0; 300_000]);
        assert!(long.product(&long.transpose(), &Host::default()).unwrap_err().to_string().contains("335.3 GiB"));
    }
}
