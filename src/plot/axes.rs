//! Ranges of axes, where their ticks lie and what stands beside them.

/// How an axis maps numbers to lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Equal steps, equal lengths.
    #[default]
    Linear,
    /// Equal factors, equal lengths; positive numbers only.
    Log,
}

impl Scale {
    /// The number as the axis counts it.
    pub(super) fn forward(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.log10(),
        }
    }

    fn backward(self, position: f64) -> f64 {
        match self {
            Self::Linear => position,
            Self::Log => 10f64.powf(position),
        }
    }

    /// Whether the axis can show `value` at all: not NaN, not infinite, nor so large or small that lengths of axes
    /// overflow.
    pub(super) fn shows(self, value: f64) -> bool {
        const EXTREME: f64 = 1e150;
        match self {
            Self::Linear => value.abs() <= EXTREME,
            Self::Log => (1.0 / EXTREME..=EXTREME).contains(&value),
        }
    }
}

/// What an axis covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) scale: Scale,
    /// The high end is on the left, or below.
    pub(super) reversed: bool,
}

/// A mark on an axis; minor ticks have no text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) text: String,
}

impl Range {
    /// From one end to the other.
    pub(super) const fn between([low, high]: [f64; 2], scale: Scale) -> Self {
        Self { low, high, scale, reversed: false }
    }

    /// All of `values`, which the scale can show; `None` where there are none.
    pub(super) fn of(values: impl IntoIterator<Item = f64>, scale: Scale) -> Option<Self> {
        values.into_iter().map(|value| Self::between([value, value], scale)).reduce(Self::joined)
    }

    /// All of `values` but those far from the bulk: further out than half its length, where the bulk leaves out the
    /// outermost thousandth on either side (at least one value). So a lone outlier does not squash the picture, while
    /// the extremes of a Gaussian sample (1.4 times the range of its inner 99.8 %) stay in.
    pub(super) fn of_bulk(values: &mut [f64], scale: Scale) -> Option<Self> {
        const TOO_FEW_TO_JUDGE: usize = 20;
        let full = Self::of(values.iter().copied(), scale)?;
        if values.len() < TOO_FEW_TO_JUDGE {
            return Some(full);
        }
        let beyond = (values.len() / 1000).max(1);
        let last = values.len() - 1;
        let low = *values.select_nth_unstable_by(beyond, f64::total_cmp).1;
        let high = *values.select_nth_unstable_by(last - beyond, f64::total_cmp).1;
        let near = Self::between([low, high], scale).padded(0.5);
        Self::of(values.iter().copied().filter(|&value| near.holds(value)), scale)
    }

    /// The smallest range that holds both.
    pub(super) fn joined(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high), ..self }
    }

    /// Wider by `share` of the length at both ends; an empty range becomes one around its value.
    pub(super) fn padded(self, share: f64) -> Self {
        let (low, high) = (self.scale.forward(self.low), self.scale.forward(self.high));
        let step = if high > low {
            share * (high - low)
        } else if self.scale == Scale::Linear && low != 0.0 {
            0.1 * low.abs()
        } else {
            0.5
        };
        let step = step.max(f64::MIN_POSITIVE);
        Self { low: self.scale.backward(low - step), high: self.scale.backward(high + step), ..self }
    }

    /// The length as the axis counts it: a difference, or decades.
    pub(super) fn length(self) -> f64 {
        self.scale.forward(self.high) - self.scale.forward(self.low)
    }

    /// Where `value` lies: 0 on the left or below, 1 on the right or above.
    pub(super) fn fraction(self, value: f64) -> f64 {
        let share = (self.scale.forward(value) - self.scale.forward(self.low)) / self.length();
        if self.reversed { 1.0 - share } else { share }
    }

    /// Whether `value` lies within.
    pub(super) fn holds(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Ticks with text, about `count` of them and at least two, and the factor that their texts leave out.
    pub(super) fn ticks(self, count: usize) -> (Vec<Tick>, String) {
        match self.scale {
            Scale::Linear => self.linear_ticks(count),
            Scale::Log => self.log_ticks(count),
        }
    }

    /// Ticks at the multiples of `step`; none where they would be more than fifty.
    pub(super) fn multiples(self, step: f64) -> Vec<Tick> {
        let slack = 1e-9 * self.length();
        let (first, last) = (((self.low - slack) / step).ceil(), ((self.high + slack) / step).floor());
        let count = if last - first <= 50.0 { (last - first + 1.0).max(0.0) as i32 } else { 0 };
        let values = (0..count).map(|i| (first + f64::from(i)) * step);
        values.map(|value| Tick { value, text: signed(&value.to_string()) }).collect()
    }

    /// The unmarked ticks between the decades of a logarithmic axis.
    pub(super) fn minor_ticks(self) -> Vec<f64> {
        if self.scale == Scale::Linear || self.length() > 9.0 {
            return Vec::new();
        }
        self.decades()
            .flat_map(|decade| (2..=9).map(move |digit| f64::from(digit) * 10f64.powi(decade)))
            .filter(|&v| self.holds(v))
            .collect()
    }

    fn linear_ticks(self, count: usize) -> (Vec<Tick>, String) {
        let inside = |step: f64| (self.high / step).floor() - (self.low / step).ceil() + 1.0;
        let steps = [count, 2 * count, 4 * count].map(|count| nice_step(self.length(), count));
        let step = steps.into_iter().find(|&step| inside(step) >= 2.0).unwrap_or(steps[2]);
        // A hair of slack: the ends themselves are often meant to carry a tick.
        let slack = 1e-9 * self.length();
        let first = ((self.low - slack) / step).ceil();
        let values: Vec<f64> =
            (0..=50).map(|i| (first + f64::from(i)) * step).take_while(|&v| v <= self.high + slack).collect();
        let (exponent, factor) = common_factor(self.low.abs().max(self.high.abs()));
        let unit = 10f64.powi(exponent);
        let decimals = (-(step / unit * 1.000_001).log10().floor()).clamp(0.0, 17.0) as usize;
        let text = |value: f64| signed(&format!("{:.decimals$}", value / unit));
        (values.into_iter().map(|value| Tick { value, text: text(value) }).collect(), factor)
    }

    fn log_ticks(self, count: usize) -> (Vec<Tick>, String) {
        let decades: Vec<i32> = self.decades().filter(|&d| self.holds(10f64.powi(d))).collect();
        if decades.len() >= 2 {
            let stride = decades.len().div_ceil(count.max(2)) as i32;
            let power = |d: i32| Tick { value: 10f64.powi(d), text: power_of_ten(d) };
            let ticks = decades.into_iter().filter(|d| d.rem_euclid(stride) == 0).map(power).collect();
            return (ticks, String::new());
        }
        let digits = [&[1, 2, 5][..], &[1, 2, 3, 4, 5, 6, 7, 8, 9]];
        let ticks = digits.into_iter().map(|digits| self.digits_in_decades(digits)).find(|ticks| ticks.len() >= 2);
        match ticks {
            Some(ticks) => (ticks, String::new()),
            // Less than a tenth of a decade: as good as linear.
            None => Self { scale: Scale::Linear, ..self }.linear_ticks(count),
        }
    }

    fn digits_in_decades(self, digits: &[i32]) -> Vec<Tick> {
        self.decades()
            .flat_map(|decade| digits.iter().map(move |&digit| (f64::from(digit) * 10f64.powi(decade), digit, decade)))
            .filter(|&(value, ..)| self.holds(value))
            .map(|(value, digit, decade)| Tick { value, text: plain_or_power(value, digit, decade) })
            .collect()
    }

    fn decades(self) -> impl Iterator<Item = i32> {
        (self.low.log10().floor() as i32)..=(self.high.log10().ceil() as i32)
    }
}

/// The step of 1, 2 or 5 times a power of ten that puts nearest to `count` ticks on `length`, but no more.
fn nice_step(length: f64, count: usize) -> f64 {
    let least = length / count.max(2) as f64;
    let decade = 10f64.powf(least.log10().floor());
    let multiple = [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| m * decade >= least * (1.0 - 1e-9)).unwrap_or(10.0);
    multiple * decade
}

/// The power of ten taken out of the texts of an axis whose largest number is `largest`, and its text.
fn common_factor(largest: f64) -> (i32, String) {
    let exponent = largest.log10().floor() as i32;
    if (-3..=4).contains(&exponent) { (0, String::new()) } else { (exponent, format!("×{}", power_of_ten(exponent))) }
}

fn plain_or_power(value: f64, digit: i32, decade: i32) -> String {
    match (decade, digit) {
        (-3..=3, _) => format!("{value:.*}", (-decade).max(0) as usize),
        (_, 1) => power_of_ten(decade),
        _ => format!("{digit}×{}", power_of_ten(decade)),
    }
}

/// 10 to the power of `exponent`, as print has it.
pub(super) fn power_of_ten(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let sign = if exponent < 0 { "⁻" } else { "" };
    let digits = exponent.unsigned_abs().to_string();
    let raised: String = digits.bytes().map(|b| DIGITS[usize::from(b - b'0')]).collect();
    format!("10{sign}{raised}")
}

/// A minus sign for the hyphen, and no sign on zero.
fn signed(number: &str) -> String {
    match number.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| b == b'0' || b == b'.') => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::property::cases;

    fn linear(low: f64, high: f64) -> Range {
        Range::between([low, high], Scale::Linear)
    }

    fn texts(range: Range, count: usize) -> Vec<String> {
        range.ticks(count).0.into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn ticks_read_as_a_person_would_write_them() {
        assert_eq!(texts(linear(-1.1, 1.1), 5), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(texts(linear(0.0, 20_000.0), 5), ["0", "5000", "10000", "15000", "20000"]);
        assert_eq!(linear(0.0, 4e-5).ticks(4).1, "×10⁻⁵");
        assert_eq!(texts(Range::between([8e-3, 30.0], Scale::Log), 6), ["10⁻²", "10⁻¹", "10⁰", "10¹"]);
        assert_eq!(texts(Range::between([0.9, 6.0], Scale::Log), 5), ["1", "2", "5"]);
    }

    #[test]
    fn an_outlier_is_left_out_and_gaussian_extremes_are_not() {
        let mut values: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
        assert_eq!(Range::of_bulk(&mut values, Scale::Linear).map(|r| r.high), Some(0.999));
        values.push(1e6);
        assert_eq!(Range::of_bulk(&mut values, Scale::Linear).map(|r| r.high), Some(0.999));
        // Twenty of bulk length 18: what lies within another 9 on either side stays.
        let mut few: Vec<f64> = (0..20).map(f64::from).collect();
        few[19] = 26.0;
        assert_eq!(Range::of_bulk(&mut few, Scale::Linear).map(|r| r.high), Some(26.0));
        few[19] = 28.0;
        assert_eq!(Range::of_bulk(&mut few, Scale::Linear).map(|r| r.high), Some(18.0));
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn linear_ticks_lie_within_and_are_few(low in -1e6..1e6f64, exponent in -6..6i32, count in 2..9usize) {
            let range = linear(low, low + 10f64.powi(exponent).max(1e-9 * low.abs()));
            let (ticks, _) = range.ticks(count);
            prop_assert!((2..=count.max(4) + 1).contains(&ticks.len()), "{ticks:?}");
            let slack = 1e-8 * range.length();
            prop_assert!(ticks.iter().all(|t| t.value >= range.low - slack && t.value <= range.high + slack));
        }

        #[test]
        fn different_linear_ticks_have_different_texts(low in -1e3..1e3f64, length in 1e-2..1e3f64, count in 2..9usize) {
            let texts = texts(linear(low, low + length), count);
            prop_assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "{texts:?}");
        }

        #[test]
        fn logarithmic_axes_always_have_two_ticks(low in -8.0..8.0f64, decades in 0.05..12.0f64, count in 3..7usize) {
            let range = Range::between([10f64.powf(low), 10f64.powf(low + decades)], Scale::Log);
            let (ticks, _) = range.ticks(count);
            prop_assert!(ticks.len() >= 2, "{ticks:?}");
            prop_assert!(ticks.iter().all(|t| range.fraction(t.value) > -1e-6 && range.fraction(t.value) < 1.0 + 1e-6));
        }

        #[test]
        fn padding_keeps_everything_and_the_ends_are_0_and_1(low in -1e3..1e3f64, length in 0.0..1e3f64) {
            let range = linear(low, low + length).padded(0.05);
            prop_assert!(range.holds(low) && range.holds(low + length) && range.length() > 0.0);
            prop_assert_eq!(range.fraction(range.low), 0.0);
            prop_assert_eq!(range.fraction(range.high), 1.0);
        }
    }
}
