//! Dense arrays of single precision: samples, images, histories.
//!
//! Physics is computed in `f64`. What depends on time only, coefficients of a step, a score or a kernel, is rounded to
//! `f32` once, where it meets the samples (see [`single`]); arithmetic on samples is in `f32`, and functions and
//! reductions of a tensor are evaluated in `f64`.

pub mod archive;
mod create;
mod display;
mod elementwise;
mod index;
mod matrix;
mod number;
mod order;
mod product;
mod reduce;
mod rounding;
mod rows;
mod shape;

use ndarray::{ArcArray, ArrayD, IxDyn};

pub use create::{affordable, allocate, count, steps_between};
pub(crate) use display::align;
pub use elementwise::{Binary, FUNCTIONS};
pub use index::Index;
pub use matrix::{eigenvalues, inverse, solve};
pub(crate) use number::number;
pub use order::{argsort, cumulative_sum, extreme, extreme_along, quantile, quantile_along, quantiles};
pub use reduce::Reduction;
pub use rounding::{beyond, coarse, loss, lost};
pub use rows::Rows;

use crate::error::{Error, Result};
use crate::vector::{single, singles};

/// A dense `f32` array of any rank, contiguous in row-major order. Clones and slices share the data until one of them
/// is written to.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor(ArcArray<f32, IxDyn>);

impl Tensor {
    /// A tensor of `shape` with the values in row-major order.
    ///
    /// # Errors
    /// When the number of values is not the product of the shape.
    pub fn new(shape: &[usize], values: Vec<f32>) -> Result<Self> {
        let count = values.len();
        ArrayD::from_shape_vec(IxDyn(shape), values)
            .map(|array| Self(array.into_shared()))
            .map_err(|_| Error::argument("shape", format!("{shape:?} does not hold {count} values")))
    }

    /// A tensor of `shape` with values rounded to single precision.
    ///
    /// # Errors
    /// As [`Tensor::new`].
    pub fn from_f64(shape: &[usize], values: &[f64]) -> Result<Self> {
        Self::new(shape, singles(values))
    }

    /// A tensor of rank 0.
    pub fn scalar(value: f64) -> Self {
        Self(ArcArray::from_elem(IxDyn(&[]), single(value)))
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.0.ndim()
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no values at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a tensor that has exactly one.
    pub fn item(&self) -> Option<f64> {
        match self.values()[..] {
            [value] => Some(f64::from(value)),
            _ => None,
        }
    }

    /// The underlying array, in row-major order.
    pub fn array(&self) -> &ArcArray<f32, IxDyn> {
        &self.0
    }

    /// The values in row-major order.
    pub fn values(&self) -> std::borrow::Cow<'_, [f32]> {
        match self.0.as_slice() {
            Some(values) => values.into(),
            None => self.0.iter().copied().collect::<Vec<_>>().into(),
        }
    }

    /// The array as a tensor, brought into row-major order where it is not.
    fn contiguous(array: ArcArray<f32, IxDyn>) -> Self {
        if array.is_standard_layout() { Self(array) } else { array.as_standard_layout().into_owned().into() }
    }

    /// The axis that a caller counts from the front (0, 1, ...) or the back (-1, -2, ...).
    fn axis(&self, axis: i64) -> Result<usize> {
        axis_in(self.shape(), axis)
    }
}

/// The axis of a tensor of `shape` that a caller counts from the front or the back.
fn axis_in(shape: &[usize], axis: i64) -> Result<usize> {
    axis_of(axis, shape.len()).ok_or_else(|| {
        Error::argument("axis", format!("{axis} does not exist in a tensor of shape {shape:?}"))
            .with_hint(axis_range(shape.len()))
    })
}

/// The position that `axis` names among `rank`, if it does.
fn axis_of(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let position = if axis < 0 { axis + rank } else { axis };
    (0..rank).contains(&position).then_some(position as usize)
}

fn axis_range(rank: usize) -> String {
    match rank {
        0 => "a single number has no axes".into(),
        1 => "its only axis is 0".into(),
        _ => format!("its axes are 0 to {}, or -{rank} to -1 from the back", rank - 1),
    }
}

impl From<ndarray::Array2<f64>> for Tensor {
    /// Rounds to single precision.
    fn from(array: ndarray::Array2<f64>) -> Self {
        array.mapv(single).into_dyn().into()
    }
}

impl From<ArrayD<f32>> for Tensor {
    fn from(array: ArrayD<f32>) -> Self {
        Self::contiguous(array.into_shared())
    }
}
