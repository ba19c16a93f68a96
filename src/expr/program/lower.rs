//! From the graph to instructions on rows.
//!
//! Factors that are the same for all samples, and signs, are carried along beside a value as its scale until something
//! absorbs them: a fused multiply-add takes a scale for nothing. Products wait likewise for a sum to take them.

use std::collections::HashMap;

use super::super::{Comparison, Function, Operation};
use super::graph::{Graph, Id, Value};

/// A row of samples: one of the inputs, or, numbered on after them, the result of an instruction.
pub(super) type Row = u32;

/// What an instruction reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operand {
    Row(Row),
    /// A value that is the same for all samples.
    Scalar(Id),
}

/// An operation on whole rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Instruction {
    /// Every sample the same.
    Fill(Id),
    Copy(Row),
    Apply(Function, Row),
    Add(Row, Operand),
    Subtract(Row, Row),
    Multiply(Row, Operand),
    Divide(Operand, Row),
    Power(Operand, Operand),
    /// a b + c, rounded once.
    MultiplyAdd(Row, Operand, Operand),
    /// a b − c, rounded once.
    MultiplySubtract(Row, Row, Row),
    /// c − a b, rounded once.
    SubtractProduct(Row, Row, Row),
    /// 1 where it holds, else 0.
    Compare(Comparison, Operand, Operand),
    /// The second where the first is not 0, else the third.
    Select(Row, Operand, Operand),
}

impl Instruction {
    fn operands(self) -> impl Iterator<Item = Operand> {
        use Operand::{Row, Scalar};
        let operands = match self {
            Self::Fill(a) => [Some(Scalar(a)), None, None],
            Self::Copy(a) | Self::Apply(_, a) => [Some(Row(a)), None, None],
            Self::Add(a, b) | Self::Multiply(a, b) => [Some(Row(a)), Some(b), None],
            Self::Subtract(a, b) => [Some(Row(a)), Some(Row(b)), None],
            Self::Divide(a, b) => [Some(a), Some(Row(b)), None],
            Self::Power(a, b) | Self::Compare(_, a, b) => [Some(a), Some(b), None],
            Self::MultiplyAdd(a, b, c) | Self::Select(a, b, c) => [Some(Row(a)), Some(b), Some(c)],
            Self::MultiplySubtract(a, b, c) | Self::SubtractProduct(a, b, c) => {
                [Some(Row(a)), Some(Row(b)), Some(Row(c))]
            }
        };
        operands.into_iter().flatten()
    }

    /// The scalars that it reads.
    pub(super) fn scalars(self) -> impl Iterator<Item = Id> {
        self.operands().filter_map(|operand| match operand {
            Operand::Scalar(scalar) => Some(scalar),
            Operand::Row(_) => None,
        })
    }

    /// The rows that it reads.
    pub(super) fn rows(self) -> impl Iterator<Item = Row> {
        self.operands().filter_map(|operand| match operand {
            Operand::Row(row) => Some(row),
            Operand::Scalar(_) => None,
        })
    }

    /// The same operation on what `row` and `scalar` make of its operands.
    pub(super) fn renumbered(self, row: impl Fn(Row) -> Row, scalar: impl Fn(Id) -> Id) -> Self {
        let operand = |operand| match operand {
            Operand::Row(a) => Operand::Row(row(a)),
            Operand::Scalar(a) => Operand::Scalar(scalar(a)),
        };
        match self {
            Self::Fill(a) => Self::Fill(scalar(a)),
            Self::Copy(a) => Self::Copy(row(a)),
            Self::Apply(function, a) => Self::Apply(function, row(a)),
            Self::Add(a, b) => Self::Add(row(a), operand(b)),
            Self::Subtract(a, b) => Self::Subtract(row(a), row(b)),
            Self::Multiply(a, b) => Self::Multiply(row(a), operand(b)),
            Self::Divide(a, b) => Self::Divide(operand(a), row(b)),
            Self::Power(a, b) => Self::Power(operand(a), operand(b)),
            Self::MultiplyAdd(a, b, c) => Self::MultiplyAdd(row(a), operand(b), operand(c)),
            Self::MultiplySubtract(a, b, c) => Self::MultiplySubtract(row(a), row(b), row(c)),
            Self::SubtractProduct(a, b, c) => Self::SubtractProduct(row(a), row(b), row(c)),
            Self::Compare(comparison, a, b) => Self::Compare(comparison, operand(a), operand(b)),
            Self::Select(condition, a, b) => Self::Select(row(condition), operand(a), operand(b)),
        }
    }
}

/// `scale` · `form`, where the scale is a value of the graph that is the same for all samples.
#[derive(Debug, Clone, Copy)]
struct Scaled {
    scale: Id,
    form: Form,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Row(Row),
    Product(Row, Row),
}

/// The instructions so far; none stands there twice.
pub(super) struct Lowering {
    pub(super) graph: Graph,
    pub(super) tape: Vec<Instruction>,
    inputs: u32,
    rows: HashMap<Instruction, Row>,
    scaled: Vec<Option<Scaled>>,
}

impl Lowering {
    /// The instructions for all values of the graph.
    pub(super) fn new(graph: Graph, inputs: u32) -> Self {
        let count = graph.len();
        let mut lowering = Self { graph, tape: Vec::new(), inputs, rows: HashMap::new(), scaled: vec![None; count] };
        for id in 0..count as Id {
            if lowering.graph.varies(id) {
                lowering.scaled[id as usize] = Some(lowering.lower(lowering.graph.value(id)));
            }
        }
        lowering
    }

    /// Where the value stands when all instructions have run.
    pub(super) fn operand(&mut self, id: Id) -> Operand {
        match self.scaled.get(id as usize).copied().flatten() {
            Some(scaled) => Operand::Row(self.row(scaled)),
            None => Operand::Scalar(id),
        }
    }

    fn lower(&mut self, value: Value) -> Scaled {
        match value {
            Value::Input(index) => self.plain(Form::Row(index)),
            Value::Binary(Operation::Add, a, b) => self.sum(a, b),
            Value::Binary(Operation::Multiply, a, b) => self.product(a, b),
            Value::Binary(Operation::Divide, a, b) => self.quotient(a, b),
            Value::Binary(_, a, b) => self.power(a, b),
            Value::Apply(function, a) => self.applied(function, a),
            Value::Compare(comparison, a, b) => {
                let compare = Instruction::Compare(comparison, self.operand(a), self.operand(b));
                self.emitted(compare)
            }
            Value::Select(condition, a, b) => {
                let condition = match self.operand(condition) {
                    Operand::Row(row) => row,
                    Operand::Scalar(same_for_all) => self.emit(Instruction::Fill(same_for_all)),
                };
                let select = Instruction::Select(condition, self.operand(a), self.operand(b));
                self.emitted(select)
            }
            Value::Constant(_) | Value::Time | Value::Uniform(_) | Value::Growth(_) => unreachable!("does not vary"),
        }
    }

    /// The row that the instruction writes.
    fn emit(&mut self, instruction: Instruction) -> Row {
        let next = self.inputs + self.tape.len() as Row;
        *self.rows.entry(instruction).or_insert_with(|| {
            self.tape.push(instruction);
            next
        })
    }

    fn emitted(&mut self, instruction: Instruction) -> Scaled {
        let row = self.emit(instruction);
        self.plain(Form::Row(row))
    }

    fn plain(&mut self, form: Form) -> Scaled {
        Scaled { scale: self.graph.constant(1.0), form }
    }

    fn varying(&self, id: Id) -> Option<Scaled> {
        self.scaled.get(id as usize).copied().flatten()
    }

    /// The form as a row, without its scale.
    fn unscaled(&mut self, form: Form) -> Row {
        match form {
            Form::Row(row) => row,
            Form::Product(a, b) => self.emit(Instruction::Multiply(a, Operand::Row(b))),
        }
    }

    fn row(&mut self, scaled: Scaled) -> Row {
        let row = self.unscaled(scaled.form);
        if self.graph.as_constant(scaled.scale) == Some(1.0) {
            return row;
        }
        self.emit(Instruction::Multiply(row, Operand::Scalar(scaled.scale)))
    }

    fn is_sign(&self, scale: Id) -> bool {
        matches!(self.graph.as_constant(scale), Some(1.0 | -1.0))
    }

    fn times(&mut self, a: Id, b: Id) -> Id {
        self.graph.binary(Operation::Multiply, a, b)
    }

    /// The value as ± a row. Other factors stay inside: carried through a product or a function they could leave the
    /// range of single precision where the value itself does not.
    fn signed(&mut self, scaled: Scaled) -> (Id, Row) {
        if self.is_sign(scaled.scale) {
            return (scaled.scale, self.unscaled(scaled.form));
        }
        (self.graph.constant(1.0), self.row(scaled))
    }

    fn sum(&mut self, a: Id, b: Id) -> Scaled {
        match (self.varying(a), self.varying(b)) {
            (Some(u), Some(v)) => self.sum_of_varying(u, v),
            (Some(u), None) => self.shifted(u, b),
            (None, Some(v)) => self.shifted(v, a),
            (None, None) => unreachable!("does not vary"),
        }
    }

    fn sum_of_varying(&mut self, u: Scaled, v: Scaled) -> Scaled {
        if u.scale == v.scale {
            let form = self.sum_of_forms(u.form, v.form);
            return Scaled { scale: u.scale, form };
        }
        if self.graph.negated(u.scale) == v.scale {
            let form = self.difference_of_forms(u.form, v.form);
            return Scaled { scale: u.scale, form };
        }
        let (plain, other) = if self.is_sign(u.scale) { (u, v) } else { (v, u) };
        let (scale, plain) = self.signed(plain);
        let factor = self.times(scale, other.scale);
        let other = self.unscaled(other.form);
        let sum = self.emit(Instruction::MultiplyAdd(other, Operand::Scalar(factor), Operand::Row(plain)));
        Scaled { scale, form: Form::Row(sum) }
    }

    fn sum_of_forms(&mut self, u: Form, v: Form) -> Form {
        let instruction = match (u, v) {
            (Form::Product(a, b), c) | (c, Form::Product(a, b)) => {
                Instruction::MultiplyAdd(a, Operand::Row(b), Operand::Row(self.unscaled(c)))
            }
            (Form::Row(a), Form::Row(b)) => Instruction::Add(a, Operand::Row(b)),
        };
        Form::Row(self.emit(instruction))
    }

    fn difference_of_forms(&mut self, u: Form, v: Form) -> Form {
        let instruction = match (u, v) {
            (Form::Product(a, b), Form::Row(c)) => Instruction::MultiplySubtract(a, b, c),
            (Form::Row(c), Form::Product(a, b)) => Instruction::SubtractProduct(a, b, c),
            // Two products are rounded alike, or a b − a b would not be 0 and √(x² − y²) not a number at x = y.
            _ => Instruction::Subtract(self.unscaled(u), self.unscaled(v)),
        };
        Form::Row(self.emit(instruction))
    }

    fn shifted(&mut self, u: Scaled, shift: Id) -> Scaled {
        if !self.is_sign(u.scale) {
            let row = self.unscaled(u.form);
            return self.emitted(Instruction::MultiplyAdd(row, Operand::Scalar(u.scale), Operand::Scalar(shift)));
        }
        let shift = Operand::Scalar(self.times(u.scale, shift));
        let sum = self.emit(match u.form {
            Form::Row(row) => Instruction::Add(row, shift),
            Form::Product(a, b) => Instruction::MultiplyAdd(a, Operand::Row(b), shift),
        });
        Scaled { scale: u.scale, form: Form::Row(sum) }
    }

    fn product(&mut self, a: Id, b: Id) -> Scaled {
        match (self.varying(a), self.varying(b)) {
            (Some(u), Some(v)) => {
                let ((first, a), (second, b)) = (self.signed(u), self.signed(v));
                Scaled { scale: self.times(first, second), form: Form::Product(a.min(b), a.max(b)) }
            }
            (Some(u), None) => Scaled { scale: self.times(u.scale, b), form: u.form },
            (None, Some(v)) => Scaled { scale: self.times(a, v.scale), form: v.form },
            (None, None) => unreachable!("does not vary"),
        }
    }

    fn quotient(&mut self, a: Id, b: Id) -> Scaled {
        match (self.varying(a), self.varying(b)) {
            (Some(u), None) => Scaled { scale: self.graph.binary(Operation::Divide, u.scale, b), form: u.form },
            (u, Some(v)) => {
                let (sign, divisor) = self.signed(v);
                let (scale, dividend) = match u {
                    Some(u) => (u.scale, Operand::Row(self.unscaled(u.form))),
                    None => (self.graph.constant(1.0), Operand::Scalar(a)),
                };
                let quotient = self.emit(Instruction::Divide(dividend, divisor));
                Scaled { scale: self.times(sign, scale), form: Form::Row(quotient) }
            }
            (None, None) => unreachable!("does not vary"),
        }
    }

    fn power(&mut self, base: Id, exponent: Id) -> Scaled {
        let (base, halves) = (self.operand(base), self.graph.as_constant(exponent).and_then(small_half_integer));
        match (base, halves) {
            (Operand::Row(base), Some(halves)) => self.power_by_products(base, halves),
            _ => {
                let power = Instruction::Power(base, self.operand(exponent));
                self.emitted(power)
            }
        }
    }

    /// base^(halves/2), within halves/2 units in the last place.
    fn power_by_products(&mut self, base: Row, halves: i32) -> Scaled {
        let mut factors = Vec::new();
        if halves % 2 != 0 {
            factors.push(self.emit(Instruction::Apply(Function::Sqrt, base)));
        }
        let (mut square, mut rest) = (base, halves.unsigned_abs() / 2);
        while rest > 0 {
            if rest % 2 == 1 {
                factors.push(square);
            }
            rest /= 2;
            if rest > 0 {
                square = self.emit(Instruction::Multiply(square, Operand::Row(square)));
            }
        }
        let last = factors.pop().unwrap_or(base);
        let form =
            factors.into_iter().fold(Form::Row(last), |product, factor| Form::Product(factor, self.unscaled(product)));
        if halves > 0 {
            return self.plain(form);
        }
        let (one, power) = (self.graph.constant(1.0), self.unscaled(form));
        self.emitted(Instruction::Divide(Operand::Scalar(one), power))
    }

    fn applied(&mut self, function: Function, a: Id) -> Scaled {
        use Function::{Abs, Atan, Cos, Cosh, Sin, Sinh, Tan, Tanh};
        let Some(argument) = self.varying(a) else { unreachable!("does not vary") };
        let (mut scale, row) = match function {
            Sin | Tan | Sinh | Tanh | Atan | Cos | Cosh | Abs => self.signed(argument),
            _ => (self.graph.constant(1.0), self.row(argument)),
        };
        if matches!(function, Cos | Cosh | Abs) {
            scale = self.graph.constant(1.0);
        }
        Scaled { scale, form: Form::Row(self.emit(Instruction::Apply(function, row))) }
    }
}

/// 2 · `exponent`, if products and a square root make the power cheaper and no less accurate than logarithms do.
fn small_half_integer(exponent: f64) -> Option<i32> {
    let halves = 2.0 * exponent;
    (halves.fract() == 0.0 && halves.abs() <= 32.0).then_some(halves as i32)
}
