//! Whether an expression is affine in the state, decided by the graph and not by probing.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Expression, Node, Operation};

/// `Σ_i coefficients[i] · z_i + rest`, where neither the coefficients nor the rest depend on the state.
#[derive(Debug, Clone)]
pub struct Affine {
    /// One coefficient per component.
    pub coefficients: Vec<Expression>,
    /// What remains at z = 0.
    pub rest: Expression,
}

impl Affine {
    fn constant(components: usize, rest: Expression) -> Self {
        Self { coefficients: vec![Expression::constant(0.0); components], rest }
    }

    fn is_constant(&self) -> bool {
        self.coefficients.iter().all(|c| c.as_constant() == Some(0.0))
    }

    fn map(&self, f: impl Fn(&Expression) -> Expression) -> Self {
        Self { coefficients: self.coefficients.iter().map(&f).collect(), rest: f(&self.rest) }
    }

    fn zip(&self, other: &Self, f: impl Fn(&Expression, &Expression) -> Expression) -> Self {
        let pairs = self.coefficients.iter().zip(&other.coefficients);
        Self { coefficients: pairs.map(|(a, b)| f(a, b)).collect(), rest: f(&self.rest, &other.rest) }
    }
}

type Memory = HashMap<*const Node, Affine>;

impl Expression {
    /// The expression as an affine function of `components` components of the state.
    ///
    /// # Errors
    /// The innermost part that is not affine.
    pub fn affine(&self, components: usize) -> Result<Affine, Expression> {
        self.decompose(components, &mut Memory::new())
    }

    fn decompose(&self, components: usize, memory: &mut Memory) -> Result<Affine, Expression> {
        let key = Arc::as_ptr(&self.node);
        if let Some(known) = memory.get(&key) {
            return Ok(known.clone());
        }
        let affine = match self.node() {
            Node::Constant(_) | Node::Time | Node::Parameter(_) => Affine::constant(components, self.clone()),
            Node::Component(index, _) => {
                let mut affine = Affine::constant(components, Expression::constant(0.0));
                affine.coefficients[*index] = Expression::constant(1.0);
                affine
            }
            Node::Negate(a) => a.decompose(components, memory)?.map(Expression::negate),
            Node::Binary(operation, a, b) => {
                let (a, b) = (a.decompose(components, memory)?, b.decompose(components, memory)?);
                self.binary(*operation, &a, &b)?
            }
            Node::Apply(_, a) if a.decompose(components, memory)?.is_constant() => {
                Affine::constant(components, self.clone())
            }
            Node::Where(condition, a, b) => {
                for operand in condition.operands() {
                    if !operand.decompose(components, memory)?.is_constant() {
                        return Err(self.clone());
                    }
                }
                let (a, b) = (a.decompose(components, memory)?, b.decompose(components, memory)?);
                // 0 and −0 are one coefficient, though not one number.
                let is_zero = |coefficient: &Expression| coefficient.as_constant() == Some(0.0);
                a.zip(&b, |a, b| if is_zero(a) && is_zero(b) { a.clone() } else { a.or_where(condition, b) })
            }
            Node::Apply(..) => return Err(self.clone()),
        };
        memory.insert(key, affine.clone());
        Ok(affine)
    }

    fn binary(&self, operation: Operation, a: &Affine, b: &Affine) -> Result<Affine, Expression> {
        let components = a.coefficients.len();
        match operation {
            Operation::Add | Operation::Subtract => Ok(a.zip(b, |a, b| a.combine(operation, b))),
            Operation::Multiply if a.is_constant() => Ok(b.map(|part| a.rest.combine(operation, part))),
            Operation::Multiply | Operation::Divide if b.is_constant() => {
                Ok(a.map(|part| part.combine(operation, &b.rest)))
            }
            Operation::Power if a.is_constant() && b.is_constant() => Ok(Affine::constant(components, self.clone())),
            _ => Err(self.clone()),
        }
    }
}
