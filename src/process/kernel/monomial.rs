//! Functions of the time as constant × product of powers, which shows by the graph what two of them have in common.

use std::collections::{BTreeMap, HashMap};

use crate::expr::{Assignment, Expression, Function, Node, Operation};

/// Powers closer than this are the same: they come from a few multiplications of numbers like ½.
const SAME_POWER: f64 = 1e-12;

/// constant · Π_b base_b^power.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Monomial {
    pub(super) constant: f64,
    /// Powers by number of the base, none 0.
    powers: BTreeMap<usize, f64>,
}

/// The bases of some monomials: functions of the time that were not taken apart, each once.
pub(super) struct Bases<'a> {
    parameters: &'a BTreeMap<String, f64>,
    known: Vec<Expression>,
    /// Their numbers by what they look like in a file, which is the same for the same graph.
    numbers: HashMap<String, usize>,
    /// What was taken apart already. The expressions are kept: the place of one that is gone may be used again.
    memory: HashMap<*const Node, (Expression, Monomial)>,
}

impl Monomial {
    fn number(constant: f64) -> Self {
        Self { constant, powers: BTreeMap::new() }
    }

    /// Whether it is the same at all times.
    pub(super) fn is_constant(&self) -> bool {
        self.powers.is_empty()
    }

    /// Whether both are the same but for the constant.
    pub(super) fn is_multiple(&self, other: &Self) -> bool {
        let same = |((a, p), (b, q)): ((&usize, &f64), (&usize, &f64))| a == b && (p - q).abs() < SAME_POWER;
        self.powers.len() == other.powers.len() && self.powers.iter().zip(&other.powers).all(same)
    }

    pub(super) fn with_constant(self, constant: f64) -> Self {
        Self { constant, ..self }
    }

    fn times(&self, other: &Self) -> Self {
        let mut powers = self.powers.clone();
        for (&base, power) in &other.powers {
            *powers.entry(base).or_insert(0.0) += power;
        }
        powers.retain(|_, power| power.abs() >= SAME_POWER);
        Self { constant: self.constant * other.constant, powers }
    }

    /// The monomial to a constant power, where that is a monomial: √(b²) is |b| and not b.
    pub(super) fn power(&self, exponent: f64) -> Option<Self> {
        let hides_sign = |power: &f64| power % 2.0 == 0.0;
        if exponent.fract() != 0.0 && (self.constant < 0.0 || self.powers.values().any(hides_sign)) {
            return None;
        }
        let powers = self.powers.iter().map(|(&base, power)| (base, power * exponent));
        let powers = if exponent == 0.0 { BTreeMap::new() } else { powers.collect() };
        Some(Self { constant: self.constant.powf(exponent), powers })
    }
}

impl<'a> Bases<'a> {
    pub(super) fn new(parameters: &'a BTreeMap<String, f64>) -> Self {
        Self { parameters, known: Vec::new(), numbers: HashMap::new(), memory: HashMap::new() }
    }

    /// The monomial that an expression in the time and the parameters is.
    pub(super) fn monomial(&mut self, expression: &Expression) -> Monomial {
        let key: *const Node = expression.node();
        if let Some((_, known)) = self.memory.get(&key) {
            return known.clone();
        }
        let monomial = self.taken_apart(expression).unwrap_or_else(|| self.whole(expression));
        self.memory.insert(key, (expression.clone(), monomial.clone()));
        monomial
    }

    fn taken_apart(&mut self, expression: &Expression) -> Option<Monomial> {
        match expression.node() {
            Node::Constant(value) => Some(Monomial::number(*value)),
            Node::Parameter(name) => self.parameters.get(&**name).map(|&value| Monomial::number(value)),
            Node::Negate(a) => {
                let a = self.monomial(a);
                let constant = -a.constant;
                Some(a.with_constant(constant))
            }
            Node::Binary(operation, a, b) => {
                let (a, b) = (self.monomial(a), self.monomial(b));
                binary(*operation, &a, &b)
            }
            Node::Apply(Function::Sqrt, a) => self.monomial(a).power(0.5),
            _ if !expression.depends_on_time() => Some(Monomial::number(expression.evaluate(Assignment {
                time: 0.0,
                parameters: self.parameters,
                state: &[],
            }))),
            _ => None,
        }
    }

    /// The expression as a base of its own.
    fn whole(&mut self, expression: &Expression) -> Monomial {
        let text = serde_json::to_string(expression).unwrap_or_default();
        let next = self.known.len();
        let number = *self.numbers.entry(text).or_insert(next);
        if number == next {
            self.known.push(expression.clone());
        }
        Monomial { constant: 1.0, powers: BTreeMap::from([(number, 1.0)]) }
    }

    /// The expression that a monomial stands for.
    pub(super) fn expression(&self, monomial: &Monomial) -> Expression {
        let factors = monomial.powers.iter().map(|(&base, &power)| {
            let base = &self.known[base];
            if power == 0.5 { base.apply(Function::Sqrt) } else { base.combine(Operation::Power, &power.into()) }
        });
        factors.fold(Expression::constant(monomial.constant), |product, factor| product.multiply(&factor))
    }
}

fn binary(operation: Operation, a: &Monomial, b: &Monomial) -> Option<Monomial> {
    match operation {
        Operation::Multiply => Some(a.times(b)),
        Operation::Divide => Some(a.times(&b.power(-1.0)?)),
        Operation::Power if b.is_constant() => a.power(b.constant),
        Operation::Add if a.is_multiple(b) => Some(a.clone().with_constant(a.constant + b.constant)),
        Operation::Subtract if a.is_multiple(b) => Some(a.clone().with_constant(a.constant - b.constant)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beta() -> Expression {
        let [low, high] = [0.1, 20.0].map(Expression::constant);
        low.add(&Expression::time().multiply(&high))
    }

    #[test]
    fn drift_and_noise_share_their_factor() {
        let parameters = BTreeMap::from([("k".to_owned(), 3.0)]);
        let mut bases = Bases::new(&parameters);
        let k = Expression::parameter("k");
        let drift = bases.monomial(&k.multiply(&beta().negate()).combine(Operation::Divide, &2.0.into()));
        let noise = bases.monomial(&beta().multiply(&k).apply(Function::Sqrt));
        assert_eq!((drift.constant, noise.constant), (-1.5, 3_f64.sqrt()));
        assert!(noise.power(2.0).unwrap().is_multiple(&drift));
        assert!(!noise.is_multiple(&drift));
        assert!(!bases.monomial(&Expression::time()).is_multiple(&drift));
        let factor = bases.expression(&noise.with_constant(1.0));
        assert_eq!(factor.to_string(), beta().apply(Function::Sqrt).to_string());
    }

    #[test]
    fn powers_and_sums_are_taken_apart() {
        let parameters = BTreeMap::new();
        let mut bases = Bases::new(&parameters);
        let ratio = beta().combine(Operation::Divide, &beta());
        assert_eq!(bases.monomial(&ratio), Monomial::number(1.0));
        let sum = beta().multiply(&3.0.into()).add(&beta());
        assert_eq!(bases.monomial(&sum), bases.monomial(&beta()).with_constant(4.0));
        let square = beta().combine(Operation::Power, &2.0.into());
        assert!(bases.monomial(&square).power(0.5).is_none(), "the root of a square has no sign");
        let doubled = (0..60).fold(beta(), |x, _| x.add(&x));
        assert_eq!(bases.monomial(&doubled).constant, 2_f64.powi(60));
    }
}
