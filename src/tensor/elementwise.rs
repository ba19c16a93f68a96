//! Arithmetic value by value, with broadcasting as in NumPy.

use ndarray::{ArrayD, IxDyn, Zip};

use super::{Tensor, allocate};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::vector::single;

/// An operation on two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// a + b
    Add,
    /// a − b
    Subtract,
    /// a · b
    Multiply,
    /// a / b
    Divide,
    /// The remainder of a / b with the sign of a, as in C.
    Remainder,
    /// a to the power b
    Power,
    /// The smaller value; NaN if either is.
    Minimum,
    /// The larger value; NaN if either is.
    Maximum,
    /// 1 where a < b, else 0.
    Less,
    /// 1 where a ≤ b, else 0.
    LessEqual,
    /// 1 where a > b, else 0.
    Greater,
    /// 1 where a ≥ b, else 0.
    GreaterEqual,
    /// 1 where neither value is 0, else 0.
    And,
    /// 0 where both values are 0, else 1.
    Or,
}

impl Binary {
    /// All operations.
    pub const ALL: [Self; 14] = [
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
        Self::Remainder,
        Self::Power,
        Self::Minimum,
        Self::Maximum,
        Self::Less,
        Self::LessEqual,
        Self::Greater,
        Self::GreaterEqual,
        Self::And,
        Self::Or,
    ];

    /// As scripts write it.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Power => "**",
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::And => "&",
            Self::Or => "|",
        }
    }

    fn function(self) -> fn(f32, f32) -> f32 {
        match self {
            Self::Add => |a, b| a + b,
            Self::Subtract => |a, b| a - b,
            Self::Multiply => |a, b| a * b,
            Self::Divide => |a, b| a / b,
            Self::Remainder => |a, b| a % b,
            Self::Power => f32::powf,
            Self::Minimum => minimum,
            Self::Maximum => maximum,
            Self::Less => |a, b| f32::from(a < b),
            Self::LessEqual => |a, b| f32::from(a <= b),
            Self::Greater => |a, b| f32::from(a > b),
            Self::GreaterEqual => |a, b| f32::from(a >= b),
            Self::And => |a, b| f32::from(a != 0.0 && b != 0.0),
            Self::Or => |a, b| f32::from(a != 0.0 || b != 0.0),
        }
    }
}

/// The functions of one value, by the names that scripts use. They are evaluated in double precision and rounded once.
pub const FUNCTIONS: [(&str, fn(f64) -> f64); 20] = [
    ("sqrt", f64::sqrt),
    ("exp", f64::exp),
    ("ln", f64::ln),
    ("log", f64::log10),
    ("sin", f64::sin),
    ("cos", f64::cos),
    ("tan", f64::tan),
    ("asin", f64::asin),
    ("acos", f64::acos),
    ("atan", f64::atan),
    ("sinh", f64::sinh),
    ("cosh", f64::cosh),
    ("tanh", f64::tanh),
    ("asinh", f64::asinh),
    ("acosh", f64::acosh),
    ("atanh", f64::atanh),
    ("abs", f64::abs),
    ("floor", f64::floor),
    ("ceiling", f64::ceil),
    ("round", f64::round),
];

/// The smaller value; NaN if either is.
pub(super) fn minimum<T: PartialOrd>(a: T, b: T) -> T {
    let is_number = a.partial_cmp(&a).is_some();
    if a < b || !is_number { a } else { b }
}

/// The larger value; NaN if either is.
pub(super) fn maximum<T: PartialOrd>(a: T, b: T) -> T {
    let is_number = a.partial_cmp(&a).is_some();
    if a > b || !is_number { a } else { b }
}

impl Tensor {
    /// `self ∘ other`. Axes of length 1, and axes missing in front, repeat.
    ///
    /// # Errors
    /// When the shapes do not fit, or the result does not fit into memory.
    pub fn combine(&self, operation: Binary, other: &Self, host: &Host) -> Result<Self> {
        let shape = broadcast_shape(self.shape(), other.shape()).ok_or_else(|| {
            let (left, right) = (self.shape(), other.shape());
            Error::argument(operation.symbol(), format!("cannot combine shapes {left:?} and {right:?}"))
                .with_hint(FITTING)
        })?;
        let mut out = ArrayD::from_shape_vec(IxDyn(&shape), allocate(&shape, host)?)
            .map_err(|e| Error::argument("shape", format!("{shape:?}: {e}")))?;
        let function = operation.function();
        if let (Some(left), Some(right)) = (self.0.broadcast(IxDyn(&shape)), other.0.broadcast(IxDyn(&shape))) {
            Zip::from(&mut out).and(left).and(right).for_each(|out, &a, &b| *out = function(a, b));
        }
        Ok(out.into())
    }

    /// The value of `a` where `self` is not 0, that of `b` where it is. Shapes repeat as in [`Tensor::combine`].
    ///
    /// # Errors
    /// When the shapes do not fit, or the result does not fit into memory.
    pub fn choose(&self, a: &Self, b: &Self, host: &Host) -> Result<Self> {
        let [own, left, right] = [self.shape(), a.shape(), b.shape()];
        let shape = broadcast_shape(own, left).and_then(|shape| broadcast_shape(&shape, right)).ok_or_else(|| {
            Error::argument("where", format!("cannot combine shapes {own:?}, {left:?} and {right:?}"))
                .with_hint(FITTING)
        })?;
        let mut out = ArrayD::from_shape_vec(IxDyn(&shape), allocate(&shape, host)?)
            .map_err(|e| Error::argument("shape", format!("{shape:?}: {e}")))?;
        let repeated = [self, a, b].map(|tensor| tensor.0.broadcast(IxDyn(&shape)));
        if let [Some(test), Some(a), Some(b)] = repeated {
            Zip::from(&mut out)
                .and(test)
                .and(a)
                .and(b)
                .for_each(|out, &test, &a, &b| *out = if test == 0.0 { b } else { a });
        }
        Ok(out.into())
    }

    /// A tensor of the same shape with `function` of every value, evaluated in double precision.
    #[must_use]
    pub fn map(&self, mut function: impl FnMut(f64) -> f64) -> Self {
        self.0.mapv(|value| single(function(f64::from(value)))).into()
    }

    /// Whether all values agree within `absolute + relative·|other|`. NaN agrees with nothing, an infinity with itself.
    ///
    /// # Errors
    /// When the shapes differ.
    pub fn is_close(&self, other: &Self, relative: f64, absolute: f64) -> Result<bool> {
        if self.shape() != other.shape() {
            let (left, right) = (self.shape(), other.shape());
            return Err(Error::argument("is_close", format!("compares equal shapes, got {left:?} and {right:?}")));
        }
        Ok(self.values().iter().zip(other.values().iter()).all(|(&a, &b)| {
            let (a, b) = (f64::from(a), f64::from(b));
            // Equal infinities have no difference to measure, and an infinite `b` would allow any.
            a == b || (b.is_finite() && (a - b).abs() <= absolute + relative * b.abs())
        }))
    }
}

/// Which shapes fit.
const FITTING: &str = "counted from the last axis, lengths must be equal or one of them 1";

/// The shape that both broadcast to.
fn broadcast_shape(left: &[usize], right: &[usize]) -> Option<Vec<usize>> {
    let rank = left.len().max(right.len());
    // Axis counted from the back; missing axes have length 1.
    let side = |shape: &[usize], back: usize| if back < shape.len() { shape[shape.len() - 1 - back] } else { 1 };
    (0..rank)
        .rev()
        .map(|back| match (side(left, back), side(right, back)) {
            (a, b) if a == b => Some(a),
            (1, b) => Some(b),
            (a, 1) => Some(a),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::property::cases;

    fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
        Tensor::new(shape, values.to_vec()).unwrap()
    }

    #[test]
    fn operations() {
        let (a, b) = (tensor(&[2], &[7.0, -2.0]), tensor(&[2], &[2.0, 3.0]));
        let combine = |operation| a.combine(operation, &b, &Host::default()).unwrap().values().into_owned();
        assert_eq!(combine(Binary::Add), [9.0, 1.0]);
        assert_eq!(combine(Binary::Subtract), [5.0, -5.0]);
        assert_eq!(combine(Binary::Multiply), [14.0, -6.0]);
        assert_eq!(combine(Binary::Divide), [3.5, -2.0 / 3.0]);
        assert_eq!(combine(Binary::Remainder), [1.0, -2.0]);
        assert_eq!(combine(Binary::Power), [49.0, -8.0]);
        assert_eq!(combine(Binary::Minimum), [2.0, -2.0]);
        assert_eq!(combine(Binary::Maximum), [7.0, 3.0]);
        assert_eq!(combine(Binary::Less), [0.0, 1.0]);
        assert_eq!(combine(Binary::GreaterEqual), [1.0, 0.0]);
        assert!(a.combine(Binary::Maximum, &Tensor::scalar(f64::NAN), &Host::default()).unwrap().values()[0].is_nan());
    }

    #[test]
    fn choosing() {
        let test = tensor(&[2, 1], &[1.0, 0.0]);
        let chosen = test.choose(&tensor(&[3], &[1.0, 2.0, 3.0]), &Tensor::scalar(-1.0), &Host::default()).unwrap();
        assert_eq!(chosen, tensor(&[2, 3], &[1.0, 2.0, 3.0, -1.0, -1.0, -1.0]));
        let problem = test.choose(&test, &tensor(&[3, 1], &[0.0; 3]), &Host::default()).unwrap_err().to_string();
        assert_eq!(problem, "`where` cannot combine shapes [2, 1], [2, 1] and [3, 1]");
    }

    #[test]
    fn misfits_name_both_shapes_and_the_operation() {
        let error =
            tensor(&[3, 2], &[0.0; 6]).combine(Binary::Add, &tensor(&[3], &[0.0; 3]), &Host::default()).unwrap_err();
        assert_eq!(error.to_string(), "`+` cannot combine shapes [3, 2] and [3]");
        let (column, row) = (tensor(&[70_000, 1], &[0.0; 70_000]), tensor(&[400_000], &[0.0; 400_000]));
        assert!(column.combine(Binary::Add, &row, &Host::default()).unwrap_err().to_string().contains("104.3 GiB"));
    }

    #[test]
    fn closeness() {
        let (a, b) = (tensor(&[2], &[1.0, f32::INFINITY]), tensor(&[2], &[1.001, f32::INFINITY]));
        assert!(a.is_close(&b, 1e-2, 0.0).unwrap());
        assert!(!a.is_close(&b, 1e-4, 0.0).unwrap());
        let nan = tensor(&[1], &[f32::NAN]);
        assert!(!nan.is_close(&nan, 1.0, 1.0).unwrap());
        let [one, infinity] = [1.0, f64::INFINITY].map(|value| Tensor::full(&[1], value, &Host::default()).unwrap());
        assert!(infinity.is_close(&infinity, 1e-6, 0.0).unwrap());
        for (a, b) in [(&one, &infinity), (&infinity, &one), (&infinity.map(|v| -v), &infinity)] {
            assert!(!a.is_close(b, 1e-6, 1e-6).unwrap(), "{a} {b}");
        }
        assert!(a.is_close(&nan, 1.0, 1.0).unwrap_err().to_string().contains("[2] and [1]"));
    }

    /// A shape and one that broadcasts against it.
    fn fitting_shapes() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
        proptest::collection::vec((0_usize..4, 0_usize..3), 0..4).prop_flat_map(|sides| {
            let left = sides.iter().map(|(n, kind)| if *kind == 1 { 1 } else { *n }).collect::<Vec<_>>();
            let right = sides.iter().map(|(n, kind)| if *kind == 2 { 1 } else { *n }).collect::<Vec<_>>();
            (0..=left.len()).prop_map(move |cut| (left.clone(), right[cut..].to_vec()))
        })
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn broadcasting_agrees_with_ndarray((left, right) in fitting_shapes()) {
            let count = |shape: &[usize]| shape.iter().product::<usize>();
            let fill = |shape: &[usize], from: f32| {
                Tensor::new(shape, (0..count(shape)).map(|i| from + i as f32).collect()).unwrap()
            };
            let (a, b) = (fill(&left, 1.0), fill(&right, 100.0));
            for (x, y) in [(&a, &b), (&b, &a)] {
                let ours = x.combine(Binary::Subtract, y, &Host::default()).unwrap();
                prop_assert_eq!(Tensor::from(x.array().to_owned() - y.array()), ours);
            }
        }

        #[test]
        fn misfits_never_panic(left in proptest::collection::vec(0_usize..4, 0..4),
                               right in proptest::collection::vec(0_usize..4, 0..4)) {
            let zeros = |shape: &[usize]| Tensor::full(shape, 0.0, &Host::default()).unwrap();
            let _ = zeros(&left).combine(Binary::Add, &zeros(&right), &Host::default());
        }
    }
}
