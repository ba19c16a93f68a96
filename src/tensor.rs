//! Dense arrays of single precision: samples, images, histories.
//!
//! Physics is computed in `f64`; [`Tensor::from_f64`] is the one place where it is rounded to `f32`.

use ndarray::{ArcArray, ArrayD, IxDyn};

use crate::error::{Error, Result};

/// A dense `f32` array of any rank. Clones share the data until one of them is written to.
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
        Self::new(shape, values.iter().map(|&v| v as f32).collect())
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    /// The underlying array.
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
}

impl From<ArrayD<f32>> for Tensor {
    fn from(array: ArrayD<f32>) -> Self {
        Self(array.into_shared())
    }
}

/// Zeros for a tensor of `shape`, in row-major order.
///
/// # Errors
/// When the memory does not suffice, with the memory it would take.
pub fn allocate(shape: &[usize]) -> Result<Vec<f32>> {
    let count = shape.iter().try_fold(1_usize, |count, &side| count.checked_mul(side));
    let mut values = Vec::new();
    match count {
        Some(count) if count <= MAX_VALUES && values.try_reserve_exact(count).is_ok() => {
            values.resize(count, 0.0);
            Ok(values)
        }
        _ => {
            let bytes = shape.iter().map(|&side| side as f64).product::<f64>() * 4.0;
            Err(Error::argument("shape", format!("{shape:?} would take {}", readable_size(bytes)))
                .with_hint("work through the data in smaller pieces"))
        }
    }
}

/// 32 GiB in one tensor: beyond this a mistake is likelier than a wish, and systems that promise more memory than they
/// have would kill the program instead of refusing.
const MAX_VALUES: usize = 1 << 33;

fn readable_size(bytes: f64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let power = ((bytes.max(1.0).log2() / 10.0) as usize).min(units.len() - 1);
    format!("{:.1} {}", bytes / 1024_f64.powi(power as i32), units[power])
}
