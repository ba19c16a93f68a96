//! Other shapes of the same values, and tensors put together.

use ndarray::{Axis, IxDyn};

use super::{Tensor, allocate, axis_of, axis_range};
use crate::error::{Error, Result};
use crate::host::Host;

impl Tensor {
    /// The values in row-major order under another shape. One length may be -1: what the others leave.
    ///
    /// # Errors
    /// When the shape does not hold exactly these values.
    pub fn reshape(&self, shape: &[i64]) -> Result<Self> {
        let misfit = || {
            let (from, count) = (self.shape(), self.len());
            Error::argument("shape", format!("{shape:?} does not hold the {count} values of shape {from:?}"))
                .with_hint("the product of the lengths must stay the same; one of them may be -1")
        };
        let known = shape.iter().filter(|&&side| side != -1);
        let known = known.map(|&side| usize::try_from(side).ok()).try_fold(1_usize, |all, side| all.checked_mul(side?));
        let known = known.ok_or_else(misfit)?;
        let open = shape.iter().filter(|&&side| side == -1).count();
        let rest = self.len().checked_div(known).unwrap_or(0);
        if open > 1 || known * if open == 1 { rest } else { 1 } != self.len() {
            return Err(misfit());
        }
        let full: Vec<usize> = shape.iter().map(|&side| if side == -1 { rest } else { side as usize }).collect();
        self.0.clone().into_shape_with_order(IxDyn(&full)).map(Self).map_err(|_| misfit())
    }

    /// The axes in reverse order: rows become columns.
    #[must_use]
    pub fn transpose(&self) -> Self {
        Self::contiguous(self.0.clone().reversed_axes())
    }

    /// The axes in the order `axes`.
    ///
    /// # Errors
    /// When `axes` is not a permutation of the axes.
    pub fn permute(&self, axes: &[i64]) -> Result<Self> {
        let order: Option<Vec<usize>> = axes.iter().map(|&axis| axis_of(axis, self.rank())).collect();
        let mut seen = vec![false; self.rank()];
        match order {
            Some(order)
                if order.len() == self.rank() && order.iter().all(|&a| !std::mem::replace(&mut seen[a], true)) =>
            {
                Ok(Self::contiguous(self.0.clone().permuted_axes(IxDyn(&order))))
            }
            _ => Err(Error::argument(
                "axes",
                format!("{axes:?} do not name every axis of shape {:?} once", self.shape()),
            )
            .with_hint(axis_range(self.rank()))),
        }
    }

    /// The positions along `axis` moved by `shift`; what leaves at one end comes in at the other.
    ///
    /// # Errors
    /// When the axis does not exist.
    pub fn roll(&self, shift: i64, axis: i64) -> Result<Self> {
        let axis = self.axis(axis)?;
        let length = self.shape()[axis] as i64;
        if length == 0 {
            return Ok(self.clone());
        }
        let order: Vec<usize> = (0..length).map(|place| (place - shift % length).rem_euclid(length) as usize).collect();
        Ok(self.0.select(Axis(axis), &order).into())
    }

    /// The tensors one after the other along an axis they have.
    ///
    /// # Errors
    /// When there are none, the axis does not exist, their shapes differ elsewhere, or the memory does not suffice.
    pub fn concatenate(tensors: &[Self], axis: i64, host: &Host) -> Result<Self> {
        let first = first(tensors)?;
        let axis = first.axis(axis)?;
        for (i, tensor) in tensors.iter().enumerate() {
            let (a, b) = (first.shape(), tensor.shape());
            if a.len() != b.len() || (0..a.len()).any(|k| k != axis && a[k] != b[k]) {
                return Err(Error::argument(
                    "tensors",
                    format!("have shapes {a:?} (number 0) and {b:?} (number {i}), which differ beyond axis {axis}"),
                ));
            }
        }
        let mut shape = first.shape().to_vec();
        shape[axis] = tensors.iter().fold(0, |sum, tensor| sum.saturating_add(tensor.shape()[axis]));
        Self::joined(tensors, axis, &shape, host)
    }

    /// The tensors one after the other along a new axis.
    ///
    /// # Errors
    /// When there are none, the axis is out of range, their shapes differ, or the memory does not suffice.
    pub fn stack(tensors: &[Self], axis: i64, host: &Host) -> Result<Self> {
        let first = first(tensors)?;
        let axis = axis_of(axis, first.rank() + 1).ok_or_else(|| {
            Error::argument("axis", format!("{axis} cannot be added to shape {:?}", first.shape()))
                .with_hint(axis_range(first.rank() + 1))
        })?;
        if let Some(i) = tensors.iter().position(|tensor| tensor.shape() != first.shape()) {
            let (a, b) = (first.shape(), tensors[i].shape());
            return Err(Error::argument("tensors", format!("differ: shape {a:?} (number 0) and {b:?} (number {i})")));
        }
        let mut shape = first.shape().to_vec();
        shape.insert(axis, tensors.len());
        Self::joined(tensors, axis, &shape, host)
    }

    /// Copies the tensors, cut at `axis`, side by side into `shape`.
    fn joined(tensors: &[Self], axis: usize, shape: &[usize], host: &Host) -> Result<Self> {
        let mut values = allocate(shape, host)?;
        values.clear();
        let outer: usize = shape[..axis].iter().product();
        for i in 0..outer {
            for tensor in tensors {
                let run = tensor.len() / outer;
                values.extend_from_slice(&tensor.values()[i * run..(i + 1) * run]);
            }
        }
        Self::new(shape, values)
    }

    /// The same values with an axis of length 1 put in at `axis`.
    pub(super) fn insert_axis(&self, axis: usize) -> Self {
        Self(self.0.clone().insert_axis(Axis(axis)))
    }
}

fn first(tensors: &[Tensor]) -> Result<&Tensor> {
    tensors.first().ok_or_else(|| Error::argument("tensors", "is empty").with_hint("give at least one tensor"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::property::cases;

    fn counted(shape: &[usize]) -> Tensor {
        Tensor::new(shape, (0..shape.iter().product()).map(|v: usize| v as f32).collect()).unwrap()
    }

    #[test]
    fn reshaping() {
        let t = counted(&[2, 6]);
        assert_eq!(t.reshape(&[3, -1]).unwrap(), counted(&[3, 4]));
        assert_eq!(t.reshape(&[12]).unwrap(), counted(&[12]));
        assert_eq!(counted(&[0, 3]).reshape(&[-1, 5]).unwrap().shape(), [0, 5]);
        for bad in [&[5, 2][..], &[-1, -1], &[-1, 5], &[-2, -6], &[], &[0, -1], &[i64::MAX, i64::MAX, 2], &[13]] {
            let problem = t.reshape(bad).expect_err("misfit").to_string();
            assert_eq!(problem, format!("`shape` {bad:?} does not hold the 12 values of shape [2, 6]"));
        }
    }

    #[test]
    fn transposing() {
        let t = counted(&[2, 3]);
        assert_eq!(t.transpose().values()[..], [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(t.permute(&[-1, 0]).unwrap(), t.transpose());
        assert!(t.permute(&[0, 0]).unwrap_err().to_string().contains("[0, 0] do not name every axis of shape [2, 3]"));
        assert!(t.permute(&[0]).is_err() && t.permute(&[0, 2]).is_err());
        assert_eq!(Tensor::scalar(1.0).transpose(), Tensor::scalar(1.0));
    }

    #[test]
    fn rolling() {
        let t = counted(&[2, 3]);
        assert_eq!(t.roll(1, -1).unwrap().values()[..], [2.0, 0.0, 1.0, 5.0, 3.0, 4.0]);
        assert_eq!(t.roll(-4, 1).unwrap().values()[..], [1.0, 2.0, 0.0, 4.0, 5.0, 3.0]);
        assert_eq!(t.roll(i64::MIN, 0).unwrap(), t);
        assert_eq!(counted(&[0]).roll(1, 0).unwrap(), counted(&[0]));
        assert!(t.roll(1, 2).unwrap_err().to_string().contains("2 does not exist"));
    }

    #[test]
    fn misfits_name_both_shapes() {
        let host = Host::default();
        let [a, b] = [counted(&[2, 3]), counted(&[2, 4])];
        let both = [a.clone(), b];
        let problem = Tensor::concatenate(&both, 0, &host).unwrap_err().to_string();
        assert!(problem.contains("[2, 3] (number 0) and [2, 4] (number 1), which differ beyond axis 0"), "{problem}");
        assert_eq!(Tensor::concatenate(&both, -1, &host).unwrap().shape(), [2, 7]);
        assert!(
            Tensor::stack(&both, 0, &host).unwrap_err().to_string().contains("[2, 3] (number 0) and [2, 4] (number 1)")
        );
        assert!(
            Tensor::stack(std::slice::from_ref(&a), 3, &host)
                .unwrap_err()
                .to_string()
                .contains("3 cannot be added to shape [2, 3]")
        );
        assert!(Tensor::concatenate(&[], 0, &host).unwrap_err().to_string().contains("is empty"));
        assert!(Tensor::concatenate(&[Tensor::scalar(1.0)], 0, &host).is_err());
        assert_eq!(
            Tensor::stack(&[Tensor::scalar(1.0), Tensor::scalar(2.0)], 0, &host).unwrap().values()[..],
            [1.0, 2.0]
        );
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn joining_agrees_with_ndarray(shape in proptest::collection::vec(0_usize..4, 1..4), axis in 0_usize..3, other in 0_usize..4) {
            let axis = axis.min(shape.len() - 1);
            let mut shorter = shape.clone();
            shorter[axis] = other;
            let pair = [counted(&shape), counted(&shorter)];
            let views = [pair[0].array().view(), pair[1].array().view()];
            let truth = ndarray::concatenate(Axis(axis), &views).unwrap();
            prop_assert_eq!(Tensor::concatenate(&pair, axis as i64, &Host::default()).unwrap(), Tensor::from(truth));
            let truth = ndarray::stack(Axis(axis), &[views[0].clone(), views[0].clone()]).unwrap();
            let twice = [pair[0].clone(), pair[0].clone()];
            prop_assert_eq!(Tensor::stack(&twice, axis as i64, &Host::default()).unwrap(), Tensor::from(truth));
        }
    }
}
