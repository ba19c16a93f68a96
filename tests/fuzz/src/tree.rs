//! A slow reference for expressions: trees that are evaluated node by node in double precision, with a bound on how far
//! a computation in lower precision may be from the value. It shares no code with the program.

use super::choices::Choices;

/// An expression of the state x, y, of the time t and of the parameter k.
#[derive(Debug, Clone)]
pub enum Tree {
    /// A number.
    Number(f64),
    /// `x`, `y`, `t` or `k`.
    Symbol(usize),
    /// A function of one argument.
    Of(&'static str, Box<Tree>),
    /// `+`, `-`, `*`, `/`, `**`, `%`, or a function of two arguments.
    Pair(&'static str, Box<(Tree, Tree)>),
    /// One of two values, by a comparison of two others.
    Where(&'static str, Box<[Tree; 4]>),
}

/// The names of the symbols.
pub const SYMBOLS: [&str; 4] = ["x", "y", "t", "k"];

/// Functions that are defined on every expression, number and tensor.
const FUNCTIONS: &[&str] = &[
    "exp", "ln", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan", "abs", "floor", "-", "sign", "ceiling",
    "asin", "acos", "asinh", "acosh", "atanh", "log",
];
const PAIRS: &[&str] = &["+", "-", "*", "/", "**", "max", "min", "hypot", "atan", "%"];
const COMPARISONS: &[&str] = &["<", "<=", ">", ">="];
const NUMBERS: &[f64] = &[0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 3.0, 1e-3, 7.5, -2.0, 1e6, 1e-9, 10.0, 1.5, 4.0];

impl Tree {
    /// The tree that choices stand for.
    pub fn new(choices: &mut Choices, depth: usize) -> Self {
        let part = |choices: &mut Choices| Box::new(Self::new(choices, depth + 1));
        match choices.below(if depth > 6 { 2 } else { 9 }) {
            0 => Self::Symbol(choices.below(SYMBOLS.len())),
            1 => Self::Number(*choices.one(NUMBERS)),
            2..=3 => Self::Of(choices.word(FUNCTIONS), part(choices)),
            4..=7 => Self::Pair(choices.word(PAIRS), Box::new((*part(choices), *part(choices)))),
            _ => {
                let comparison = choices.word(COMPARISONS);
                Self::Where(comparison, Box::new([(); 4].map(|()| *part(choices))))
            }
        }
    }

    /// As a script writes it.
    pub fn script(&self) -> String {
        match self {
            Self::Number(value) => format!("({value:?})"),
            Self::Symbol(i) => SYMBOLS[*i].to_owned(),
            Self::Of("-", a) => format!("(-{})", a.script()),
            Self::Of(name, a) => format!("{name}({})", a.script()),
            Self::Pair(name, pair) if name.starts_with(char::is_alphabetic) => {
                format!("{name}({}, {})", pair.0.script(), pair.1.script())
            }
            Self::Pair(sign, pair) => format!("({} {sign} {})", pair.0.script(), pair.1.script()),
            Self::Where(sign, parts) => {
                let [a, b, c, d] = parts.each_ref().map(Self::script);
                format!("where({a} {sign} {b}, {c}, {d})")
            }
        }
    }

    /// The value where the symbols are `at`, for a computation whose results are rounded to parts `unit`.
    pub fn evaluate(&self, at: &[f64; 4], unit: f64) -> Bounded {
        match self {
            Self::Number(value) => Bounded::rounded(*value, 0.0, unit),
            Self::Symbol(i) => Bounded { value: at[*i], error: if *i < 2 { 0.0 } else { unit * at[*i].abs() } },
            Self::Of(name, a) => Bounded::of(name, a.evaluate(at, unit), unit),
            Self::Pair(name, pair) => {
                Bounded::of_pair(name, pair.0.evaluate(at, unit), pair.1.evaluate(at, unit), unit)
            }
            Self::Where(sign, parts) => {
                let [a, b, c, d] = parts.each_ref().map(|part| part.evaluate(at, unit));
                let is_clear = (a.value - b.value).abs() > 4.0 * (a.error + b.error);
                if !is_clear {
                    return Bounded { value: f64::NAN, error: f64::INFINITY };
                }
                let holds = if sign.starts_with('<') { a.value < b.value } else { a.value > b.value };
                if holds { c } else { d }
            }
        }
    }
}

/// A value, and how far a computation may be from it; infinitely far where nothing can be said.
#[derive(Debug, Clone, Copy)]
pub struct Bounded {
    /// In double precision.
    pub value: f64,
    /// The bound.
    pub error: f64,
}

impl Bounded {
    fn rounded(value: f64, inherited: f64, unit: f64) -> Self {
        // Intermediate results, such as squares, must stay within the range of single precision.
        let leaves_range = value != 0.0 && !(1e-15..1e15).contains(&value.abs());
        let error =
            if leaves_range || !value.is_finite() { f64::INFINITY } else { inherited + 8.0 * unit * value.abs() };
        Self { value, error }
    }

    /// Nothing is known where nothing was known of a part.
    fn unless(self, hopeless: bool) -> Self {
        Self { error: if hopeless { f64::INFINITY } else { self.error }, ..self }
    }

    /// How far `f` moves within the error.
    fn spread(self, f: impl Fn(f64) -> f64) -> f64 {
        if self.error == 0.0 {
            return 0.0;
        }
        let centre = f(self.value);
        let moved = (f(self.value + self.error) - centre).abs().max((f(self.value - self.error) - centre).abs());
        if moved.is_nan() { f64::INFINITY } else { moved }
    }

    fn of(name: &str, a: Self, unit: f64) -> Self {
        let f = |x: f64| match name {
            "exp" => x.exp(),
            "ln" => x.ln(),
            "log" => x.log10(),
            "sqrt" => x.sqrt(),
            "sin" => x.sin(),
            "cos" => x.cos(),
            "tan" => x.tan(),
            "sinh" => x.sinh(),
            "cosh" => x.cosh(),
            "tanh" => x.tanh(),
            "atan" => x.atan(),
            "abs" => x.abs(),
            "floor" => x.floor(),
            "ceiling" => x.ceil(),
            "-" => -x,
            "sign" => {
                if x > 0.0 {
                    1.0
                } else if x < 0.0 {
                    -1.0
                } else {
                    x
                }
            }
            "asin" => x.asin(),
            "acos" => x.acos(),
            "asinh" => x.asinh(),
            "acosh" => x.acosh(),
            "atanh" => x.atanh(),
            other => unreachable!("{other}"),
        };
        let (x, near) = (a.value, a.error * 100.0);
        let is_near_edge = match name {
            "ln" | "log" | "sqrt" => x.abs() <= near,
            "sign" => x.abs() <= near && a.error > 0.0,
            "floor" | "ceiling" => (x - x.round()).abs() <= near && a.error > 0.0,
            "asin" | "acos" | "atanh" => x.abs() > 1.0 - 1e-3 - near,
            "acosh" => x < 1.0 + 1e-3 + near,
            "tan" => x.cos().abs() <= near.max(1e-3),
            _ => false,
        };
        // Functions that are made of others lose digits where these cancel.
        let own = match name {
            "asin" | "acos" | "asinh" | "acosh" | "atanh" => 100.0 * unit * (1.0 + x.abs()),
            // Of a reduced angle.
            "sin" | "cos" | "tan" => unit * (x.abs() + 1.0),
            "ln" | "log" => unit,
            _ => 0.0,
        };
        let loses_phase = matches!(name, "sin" | "cos" | "tan") && (a.error > 0.1 || x.abs() > 1e4);
        Self::rounded(f(x), a.spread(f) + own, unit).unless(is_near_edge || loses_phase || !a.error.is_finite())
    }

    fn of_pair(name: &str, a: Self, b: Self, unit: f64) -> Self {
        let f = |a: f64, b: f64| match name {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "/" => a / b,
            "**" => a.powf(b),
            "max" => a.max(b),
            "min" => a.min(b),
            "hypot" => a.hypot(b),
            "atan" => a.atan2(b),
            "%" => a % b,
            other => unreachable!("{other}"),
        };
        let has_small = |part: Self| part.value.abs() <= part.error * 100.0;
        let ratio = (a.value / b.value - (a.value / b.value).round()).abs();
        let own = match name {
            "**" => unit * a.value.abs().ln().abs() * b.value.abs() * f(a.value, b.value).abs(),
            "+" | "-" => unit * (a.value.abs() + b.value.abs()),
            "%" => unit * a.value.abs() * 8.0,
            _ => 0.0,
        };
        let is_hopeless = match name {
            "/" => has_small(b),
            "**" => has_small(a) || a.value.abs() < 1e-6 || b.value.abs() > 1e3,
            // Where the order is open, the error of either may enter.
            "max" | "min" => (a.value - b.value).abs() <= 4.0 * (a.error + b.error) && a.error + b.error > 0.0,
            "atan" => has_small(a) || has_small(b) || a.value == 0.0 || b.value == 0.0,
            "hypot" => has_small(a) && has_small(b),
            "%" => has_small(b) || ratio < 1e-3 || (a.value / b.value).abs() > 1e4,
            _ => false,
        };
        let inherited = a.spread(|a| f(a, b.value)) + b.spread(|b| f(a.value, b));
        Self::rounded(f(a.value, b.value), inherited + own, unit)
            .unless(is_hopeless || !a.error.is_finite() || !b.error.is_finite())
    }

    /// Whether a computation may have given `value`. About what is not a number nothing is said.
    pub fn admits(self, value: f64) -> bool {
        !self.error.is_finite() || !self.value.is_finite() || (value - self.value).abs() <= 4.0 * self.error
    }
}
