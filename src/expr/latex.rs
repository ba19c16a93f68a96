//! Expressions as LaTeX source: `\frac{\sqrt{2 T_{a}}}{\tau}`.

use super::print::{Binding, LARGEST, binding};
use super::{Comparison, Condition, Expression, Function, Node, Operation};

/// Names that LaTeX has a letter for.
const GREEK: [&str; 34] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi",
    "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
];

impl Expression {
    /// LaTeX source for mathematics mode.
    pub fn latex(&self) -> String {
        if self.size > LARGEST {
            return format!("\\langle \\text{{{} operations}} \\rangle", self.size);
        }
        match self.node() {
            Node::Constant(value) => number(*value),
            Node::Time => "t".to_owned(),
            Node::Parameter(name) | Node::Component(_, name) => symbol(name),
            Node::Negate(a) => format!("-{}", inside(a, Binding::Product)),
            Node::Binary(operation, a, b) => pair(*operation, a, b),
            Node::Apply(function, a) => apply(*function, a),
            Node::Where(condition, a, b) => {
                let (a, b) = (a.latex(), b.latex());
                format!("\\begin{{cases}} {a} & {} \\\\ {b} & \\text{{otherwise}} \\end{{cases}}", condition.latex())
            }
        }
    }

    /// LaTeX source that can stand as a factor: a sum in brackets.
    pub fn latex_factor(&self) -> String {
        if self.is_sum() { brackets(&self.latex()) } else { self.latex() }
    }
}

fn brackets(inner: &str) -> String {
    format!("\\left({inner}\\right)")
}

fn inside(expression: &Expression, least: Binding) -> String {
    let latex = expression.latex();
    if binding(expression) < least { brackets(&latex) } else { latex }
}

fn pair(operation: Operation, a: &Expression, b: &Expression) -> String {
    match operation {
        Operation::Add => {
            let (a, b) = (a.latex(), b.latex());
            match b.strip_prefix('-') {
                Some(b) => format!("{a} - {b}"),
                None => format!("{a} + {b}"),
            }
        }
        Operation::Subtract => format!("{} - {}", a.latex(), inside(b, Binding::Product)),
        Operation::Multiply => match a.node() {
            Node::Negate(a) => format!("-{}", product(a, b)),
            _ => product(a, b),
        },
        Operation::Divide => match a.node() {
            Node::Negate(a) => format!("-\\frac{{{}}}{{{}}}", a.latex(), b.latex()),
            Node::Constant(value) if *value < 0.0 => format!("-\\frac{{{}}}{{{}}}", number(-value), b.latex()),
            _ => format!("\\frac{{{}}}{{{}}}", a.latex(), b.latex()),
        },
        // A fraction, a root of it and an index need brackets to be raised.
        Operation::Power => match a.node() {
            Node::Time | Node::Parameter(_) | Node::Component(..) => format!("{}^{{{}}}", a.latex(), b.latex()),
            Node::Constant(value) if *value >= 0.0 => format!("{}^{{{}}}", a.latex(), b.latex()),
            _ => format!("{}^{{{}}}", brackets(&a.latex()), b.latex()),
        },
    }
}

fn product(a: &Expression, b: &Expression) -> String {
    let a = if a.as_constant().is_some() { a.latex() } else { inside(a, Binding::Product) };
    let b = inside(b, Binding::Product);
    let joint = if b.starts_with(|c: char| c.is_ascii_digit()) { "\\cdot " } else { "" };
    format!("{a} {joint}{b}")
}

fn apply(function: Function, a: &Expression) -> String {
    let inner = a.latex();
    match function {
        Function::Sqrt => format!("\\sqrt{{{inner}}}"),
        Function::Exp => format!("e^{{{inner}}}"),
        Function::Abs => format!("\\left|{inner}\\right|"),
        Function::Floor => format!("\\left\\lfloor{inner}\\right\\rfloor"),
        Function::Atan => format!("\\arctan{}", brackets(&inner)),
        _ => format!("\\{}{}", function.name(), brackets(&inner)),
    }
}

fn number(value: f64) -> String {
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{digits} \\cdot 10^{{{exponent}}}").replace(".0 ", " "),
        None => value.to_string(),
    }
}

impl Condition {
    fn latex(&self) -> String {
        match self {
            Self::Compare(comparison, a, b) => {
                let sign = match comparison {
                    Comparison::Less => "<",
                    Comparison::LessOrEqual => "\\le",
                    Comparison::Greater => ">",
                    Comparison::GreaterOrEqual => "\\ge",
                    Comparison::Equal => "=",
                    Comparison::NotEqual => "\\ne",
                };
                format!("{} {sign} {}", a.latex(), b.latex())
            }
            Self::And(pair) => format!("{} \\land {}", brackets(&pair.0.latex()), brackets(&pair.1.latex())),
            Self::Or(pair) => format!("{} \\lor {}", brackets(&pair.0.latex()), brackets(&pair.1.latex())),
            Self::Not(inner) => format!("\\neg {}", brackets(&inner.latex())),
        }
    }
}

/// A name as LaTeX: `tau` is τ, `Ta` is T with index a, `sigma_min` and `eta[0]` have indices too.
pub fn symbol(name: &str) -> String {
    let (name, coordinate) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((name, coordinate)) => (name, Some(coordinate)),
        None => (name, None),
    };
    let (base, index) = match name.split_once('_') {
        Some((base, index)) if !base.is_empty() && !index.is_empty() => (base, index),
        _ => split(name),
    };
    let indices: Vec<_> =
        [(!index.is_empty()).then(|| letter(index)), coordinate.map(str::to_owned)].into_iter().flatten().collect();
    match indices.is_empty() {
        true => letter(base),
        false => format!("{}_{{{}}}", letter(base), indices.join(",")),
    }
}

/// `eta1` is eta and 1, `Ta` is T and a; other names stay whole.
fn split(name: &str) -> (&str, &str) {
    let end = name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let mut letters = name.chars();
    match (letters.next(), letters.next(), letters.next()) {
        _ if end > 0 && end < name.len() => name.split_at(end),
        (Some(first), Some(second), None)
            if first.is_uppercase() && second.is_lowercase() && !GREEK.contains(&name) =>
        {
            name.split_at(first.len_utf8())
        }
        _ => (name, ""),
    }
}

fn letter(name: &str) -> String {
    if GREEK.contains(&name) {
        format!("\\{name}")
    } else if name.chars().count() == 1 || name.chars().all(|c| c.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\\mathrm{{{}}}", name.replace('_', "\\_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let cases = [
            ("x", "x"),
            ("tau", "\\tau"),
            ("Gamma", "\\Gamma"),
            ("Ta", "T_{a}"),
            ("Xi", "\\Xi"),
            ("v0", "v_{0}"),
            ("eta12", "\\eta_{12}"),
            ("eta[1]", "\\eta_{1}"),
            ("eta1[0]", "\\eta_{1,0}"),
            ("sigma_min", "\\sigma_{\\mathrm{min}}"),
            ("speed", "\\mathrm{speed}"),
            ("_x", "\\mathrm{\\_x}"),
        ];
        for (name, expected) in cases {
            assert_eq!(symbol(name), expected);
        }
    }

    #[test]
    fn expressions() {
        use Operation::{Divide, Power, Subtract};
        let (x, k, tau) = (Expression::component(0, "x"), Expression::parameter("k"), Expression::parameter("tau"));
        let sum = x.add(&k);
        let two = Expression::constant(2.0);
        let positive = Condition::Compare(Comparison::GreaterOrEqual, x.clone(), 0.0.into());
        let cases = [
            (k.negate().multiply(&x), "-k x"),
            (sum.multiply(&sum), "\\left(x + k\\right) \\left(x + k\\right)"),
            (x.combine(Subtract, &sum), "x - \\left(x + k\\right)"),
            (two.multiply(&k).apply(Function::Sqrt).combine(Divide, &tau), "\\frac{\\sqrt{2 k}}{\\tau}"),
            (x.negate().combine(Divide, &tau), "-\\frac{x}{\\tau}"),
            (x.combine(Divide, &k).combine(Power, &two), "\\left(\\frac{x}{k}\\right)^{2}"),
            (x.combine(Power, &two), "x^{2}"),
            (two.multiply(&Expression::constant(3.0).combine(Power, &x)), "2 \\cdot 3^{x}"),
            (x.apply(Function::Tanh), "\\tanh\\left(x\\right)"),
            (x.negate().apply(Function::Exp), "e^{-x}"),
            (Expression::constant(1e-9), "1 \\cdot 10^{-9}"),
            (x.or_where(&positive, &k), "\\begin{cases} x & x \\ge 0 \\\\ k & \\text{otherwise} \\end{cases}"),
        ];
        for (expression, expected) in cases {
            assert_eq!(expression.latex(), expected);
        }
    }
}
