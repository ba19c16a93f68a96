//! Arithmetic of intervals: what a function can be over a stretch of its argument.

use super::super::program::{Id, Value};
use super::super::{Comparison, Function, Operation};

/// All numbers from `low` to `high`; none where `low` is above `high`. Ends are rounded to nearest, so that they are
/// off by a few roundings at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The least.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// Whether there may be no value somewhere (NaN), as of ln over [-1, 1]: no comparison with it is sure to hold.
    pub is_partial: bool,
}

impl Interval {
    /// No number: what a function is where it is not defined.
    pub const EMPTY: Self = Self { low: f64::INFINITY, high: f64::NEG_INFINITY, is_partial: true };
    const ALL: Self = Self::between(f64::NEG_INFINITY, f64::INFINITY);
    const FALSE: Self = Self::point(0.0);
    const TRUE: Self = Self::point(1.0);
    const EITHER: Self = Self::between(0.0, 1.0);

    /// One number; none of NaN.
    pub const fn point(value: f64) -> Self {
        if value.is_nan() { Self::EMPTY } else { Self::between(value, value) }
    }

    /// All numbers from `low` to `high`.
    pub const fn between(low: f64, high: f64) -> Self {
        Self { low, high, is_partial: false }
    }

    /// From one end to the other, an end without value being infinite.
    fn of(low: f64, high: f64) -> Self {
        Self {
            low: if low.is_nan() { f64::NEG_INFINITY } else { low },
            high: if high.is_nan() { f64::INFINITY } else { high },
            is_partial: low.is_nan() || high.is_nan(),
        }
    }

    /// The same, without value somewhere if `is_partial`.
    fn unless_partial(self, is_partial: bool) -> Self {
        Self { is_partial: self.is_partial || is_partial, ..self }
    }

    fn is_empty(self) -> bool {
        self.low > self.high
    }

    fn is_endless(self) -> bool {
        self.low == f64::NEG_INFINITY || self.high == f64::INFINITY
    }

    /// Whether it holds `value`.
    pub fn holds(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The largest absolute value; 0 of none.
    pub fn size(self) -> f64 {
        if self.is_empty() { 0.0 } else { self.low.abs().max(self.high.abs()) }
    }

    /// The smallest interval that holds both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            is_partial: self.is_partial || other.is_partial,
        }
    }

    fn at_least(self, low: f64) -> Self {
        Self { low: self.low.max(low), ..self }.unless_partial(self.low < low)
    }

    fn rising(self, function: impl Fn(f64) -> f64) -> Self {
        match self.is_empty() {
            true => Self::EMPTY,
            false => Self::of(function(self.low), function(self.high)).unless_partial(self.is_partial),
        }
    }

    /// |self|.
    fn absolute(self) -> Self {
        match self {
            _ if self.is_empty() || self.low >= 0.0 => self,
            _ if self.high <= 0.0 => Self { low: -self.high, high: -self.low, ..self },
            _ => Self { low: 0.0, high: self.size(), ..self },
        }
    }

    fn reciprocal(self) -> Self {
        match self {
            _ if self.is_empty() => self,
            _ if self.low > 0.0 || self.high < 0.0 => Self { low: 1.0 / self.high, high: 1.0 / self.low, ..self },
            _ if self.low == 0.0 && self.high > 0.0 => Self { low: 1.0 / self.high, high: f64::INFINITY, ..self },
            _ if self.high == 0.0 && self.low < 0.0 => Self { low: f64::NEG_INFINITY, high: 1.0 / self.low, ..self },
            _ => Self::ALL.unless_partial(self.is_partial),
        }
    }

    /// The hull of what `function` makes of the four pairs of ends: of a function that is monotone in each argument.
    fn corners(self, other: Self, function: impl Fn(f64, f64) -> f64) -> Self {
        if self.is_empty() || other.is_empty() {
            return Self::EMPTY;
        }
        let pairs = [self.low, self.high].into_iter().flat_map(|a| [other.low, other.high].map(|b| (a, b)));
        let hull = pairs.map(|(a, b)| function(a, b)).map(|value| Self::of(value, value)).reduce(Self::hull);
        hull.unwrap_or(Self::EMPTY).unless_partial(self.is_partial || other.is_partial)
    }

    fn plus(self, other: Self) -> Self {
        match self.is_empty() || other.is_empty() {
            true => Self::EMPTY,
            false => Self::of(self.low + other.low, self.high + other.high)
                .unless_partial(self.is_partial || other.is_partial || self.is_endless() && other.is_endless()),
        }
    }

    fn times(self, other: Self) -> Self {
        // An end that is infinite stands for numbers as large as you like, and for infinity.
        let is_partial = self.holds(0.0) && other.is_endless() || other.holds(0.0) && self.is_endless();
        self.corners(other, |a, b| if a == 0.0 || b == 0.0 { 0.0 } else { a * b }).unless_partial(is_partial)
    }

    fn power(self, exponent: Self) -> Self {
        let is_partial = self.is_partial || exponent.is_partial;
        // x^0 and 1^x are 1 even of what has no value.
        let is_one = self.is_partial && exponent.holds(0.0) || exponent.is_partial && self.holds(1.0);
        let values = match self.is_empty() || exponent.is_empty() {
            true => Self::EMPTY,
            false if exponent.low == exponent.high => self.to_the(exponent.low),
            false if self.low >= 0.0 => self.corners(exponent, f64::powf),
            false => Self::ALL.unless_partial(true),
        };
        let all = if is_one { values.hull(Self::point(1.0)) } else { values };
        all.unless_partial(is_partial)
    }

    /// The power with exponent `n`, of some value.
    fn to_the(self, n: f64) -> Self {
        match n {
            _ if !n.is_finite() => Self::ALL.unless_partial(true),
            _ if n < 0.0 => self.to_the(-n).reciprocal(),
            2.0 => self.absolute().rising(|a| a * a),
            _ if n % 2.0 == 0.0 => self.absolute().rising(|a| a.powf(n)),
            _ if n.fract() == 0.0 => self.rising(|a| a.powf(n)),
            _ => self.at_least(0.0).rising(|a| a.powf(n)),
        }
    }

    /// sin(2π·) at `turns`.
    fn wave(turns: Self, function: impl Fn(f64) -> f64, radians: Self) -> Self {
        if turns.is_empty() {
            return Self::EMPTY;
        }
        let passes = |phase: f64| (turns.high - phase).floor() >= (turns.low - phase).ceil();
        if turns.is_endless() {
            return Self::between(-1.0, 1.0).unless_partial(true);
        }
        let [a, b] = [radians.low, radians.high].map(function);
        Self {
            low: if passes(0.75) { -1.0 } else { a.min(b) },
            high: if passes(0.25) { 1.0 } else { a.max(b) },
            is_partial: radians.is_partial,
        }
    }

    fn applied(self, function: Function) -> Self {
        let turns = |shift: f64| self.rising(|x| x / std::f64::consts::TAU + shift);
        match function {
            Function::Exp | Function::Sinh | Function::Tanh | Function::Atan | Function::Floor => {
                self.rising(|x| function.of(x))
            }
            Function::Ln | Function::Sqrt => self.at_least(0.0).rising(|x| function.of(x)),
            Function::Cosh => self.absolute().rising(f64::cosh),
            Function::Abs => self.absolute(),
            Function::Sin => Self::wave(turns(0.0), f64::sin, self),
            Function::Cos => Self::wave(turns(0.25), f64::cos, self),
            Function::Tan => {
                let branch = self.rising(|x| (x / std::f64::consts::PI + 0.5).floor());
                match branch.low == branch.high {
                    true => self.rising(f64::tan),
                    false => Self::ALL.unless_partial(self.is_partial || self.is_endless()),
                }
            }
        }
    }

    fn compared(self, comparison: Comparison, other: Self) -> Self {
        let (holds, fails) = match comparison {
            Comparison::Less => (self.high < other.low, self.low >= other.high),
            Comparison::LessOrEqual => (self.high <= other.low, self.low > other.high),
            Comparison::Greater => return other.compared(Comparison::Less, self),
            Comparison::GreaterOrEqual => return other.compared(Comparison::LessOrEqual, self),
            Comparison::Equal => {
                let points = self.low == self.high && other.low == other.high;
                (points && self.low == other.low, self.high < other.low || other.high < self.low)
            }
            Comparison::NotEqual => {
                let Self { low, high, .. } = self.compared(Comparison::Equal, other);
                return Self::between(1.0 - high, 1.0 - low);
            }
        };
        let is_partial = self.is_partial || other.is_partial;
        match (holds, fails) {
            _ if self.is_empty() || other.is_empty() => Self::FALSE,
            (true, _) if !is_partial => Self::TRUE,
            (_, true) => Self::FALSE,
            _ => Self::EITHER,
        }
    }

    fn chosen(self, yes: Self, no: Self) -> Self {
        match (self.holds(0.0), self == Self::FALSE) {
            (false, _) => yes,
            (true, true) => no,
            _ => yes.hull(no),
        }
    }
}

/// What a value of a graph can be over the times `time`, from what its parts can be.
pub(super) fn enclose(value: Value, time: Interval, part: impl Fn(Id) -> Interval) -> Interval {
    match value {
        Value::Constant(bits) => Interval::point(f64::from_bits(bits)),
        Value::Time => time,
        Value::Uniform(_) | Value::Input(_) => Interval::ALL,
        Value::Binary(Operation::Add, a, b) => part(a).plus(part(b)),
        Value::Binary(Operation::Subtract, a, b) => part(a).plus(part(b).times(Interval::point(-1.0))),
        Value::Binary(Operation::Multiply, a, b) if a == b => part(a).power(Interval::point(2.0)),
        Value::Binary(Operation::Multiply, a, b) => part(a).times(part(b)),
        Value::Binary(Operation::Divide, a, b) => part(a).times(part(b).reciprocal()),
        Value::Binary(Operation::Power, a, b) => part(a).power(part(b)),
        Value::Apply(function, a) => part(a).applied(function),
        Value::Growth(a) => part(a).rising(f64::exp_m1),
        Value::Compare(comparison, a, b) => part(a).compared(comparison, part(b)),
        Value::Select(condition, a, b) => part(condition).chosen(part(a), part(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_extremes_and_poles() {
        let i = Interval::between;
        assert_eq!(i(-2.0, 3.0).power(Interval::point(2.0)), i(0.0, 9.0));
        assert_eq!(i(-2.0, 3.0).power(Interval::point(3.0)), i(-8.0, 27.0));
        assert_eq!(i(0.0, 4.0).power(Interval::point(-0.5)), i(0.5, f64::INFINITY));
        assert_eq!(i(-1.0, 2.0).reciprocal(), Interval::ALL);
        assert_eq!(i(0.0, 2.0).times(i(1.0, f64::INFINITY)), i(0.0, f64::INFINITY).unless_partial(true));
        assert_eq!(i(1.0, 2.0).applied(Function::Sin).high, 1.0);
        assert_eq!(i(4.0, 5.0).applied(Function::Sin).low, -1.0);
        assert_eq!(i(3.0, 3.3).applied(Function::Cos).low, -1.0);
        assert_eq!(i(-0.1, 0.1).applied(Function::Cos).high, 1.0);
        assert_eq!(i(1.0, 2.0).applied(Function::Tan), Interval::ALL);
        assert!(i(-2.0, -1.0).applied(Function::Sqrt).is_empty());
        assert_eq!(i(0.0, 1.0).compared(Comparison::Less, i(1.0, 2.0)), Interval::EITHER);
        assert_eq!(i(0.0, 0.9).compared(Comparison::Less, i(1.0, 2.0)), Interval::TRUE);
        assert_eq!(i(0.0, 0.9).compared(Comparison::Equal, i(1.0, 2.0)), Interval::FALSE);
        assert_eq!(Interval::EITHER.chosen(i(1.0, 2.0), i(5.0, 6.0)), i(1.0, 6.0));
        // Comparisons with what may have no value: of ln over [-1, 1], at most 0, and of ln over [-2, -1].
        let logarithm = i(-1.0, 1.0).applied(Function::Ln);
        assert_eq!(logarithm.compared(Comparison::Less, Interval::point(2.0)), Interval::EITHER);
        assert_eq!(logarithm.compared(Comparison::Greater, Interval::point(2.0)), Interval::FALSE);
        assert_eq!(logarithm.compared(Comparison::NotEqual, Interval::point(2.0)), Interval::TRUE);
        let nothing = i(-2.0, -1.0).applied(Function::Ln);
        assert_eq!(nothing.compared(Comparison::Less, Interval::point(2.0)), Interval::FALSE);
        assert_eq!(nothing.compared(Comparison::NotEqual, Interval::point(2.0)), Interval::TRUE);
        assert!(Interval::ALL.plus(Interval::ALL).is_partial && !i(0.0, 1.0).plus(i(1.0, 2.0)).is_partial);
    }
}
