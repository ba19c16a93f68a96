//! The instructions on a chunk of samples, all in one piece of vector code.

use super::super::{Comparison, Function};
use super::allocate::{Step, Target};
use super::lower::{Instruction, Operand};
use super::register::Register;
use crate::dispatched;
use crate::vector::math;

/// A row of samples or one value for all of them.
#[derive(Clone, Copy)]
enum Lanes<'a> {
    Row(&'a [f32]),
    Scalar(f32),
}

/// What instructions read.
struct Source<'a> {
    scalars: &'a [f32],
    registers: &'a [Register],
    state: &'a [f32],
    inputs: usize,
    /// Length of the rows of the state, first sample, samples.
    range: (usize, usize, usize),
}

impl<'a> Source<'a> {
    #[inline(always)]
    fn row(&self, row: u32) -> &'a [f32] {
        let (stride, start, count) = self.range;
        let row = row as usize;
        if row < self.inputs {
            &self.state[row * stride + start..][..count]
        } else {
            self.registers[row - self.inputs].samples(count)
        }
    }

    #[inline(always)]
    fn lanes(&self, operand: Operand) -> Lanes<'a> {
        match operand {
            Operand::Row(row) => Lanes::Row(self.row(row)),
            Operand::Scalar(place) => Lanes::Scalar(self.scalars[place as usize]),
        }
    }
}

dispatched! {
    /// Runs `steps` on the samples of `range` (length of the rows, first sample, samples: a multiple of
    /// [`super::LANES`] that the registers can hold) of `state` and `out`.
    pub(super) fn execute(
        steps: &[Step],
        scalars: &[f32],
        registers: &mut [Register],
        range: (usize, usize, usize),
        state: &[f32],
        out: &mut [f32],
    ) {
        let (stride, start, count) = range;
        let inputs = state.len() / stride;
        for step in steps {
            match step.target {
                Target::Output(output) => {
                    let source = Source { scalars, registers, state, inputs, range };
                    perform(step.instruction, &source, &mut out[output as usize * stride + start..][..count]);
                }
                Target::Register(register) => {
                    // Taken out for the others to be read meanwhile.
                    let mut target = std::mem::take(&mut registers[register as usize]);
                    let source = Source { scalars, registers, state, inputs, range };
                    perform(step.instruction, &source, target.samples_mut(count));
                    registers[register as usize] = target;
                }
            }
        }
    }
}

#[inline(always)]
fn perform(instruction: Instruction, source: &Source<'_>, target: &mut [f32]) {
    let row = |row| source.row(row);
    let lanes = |operand| source.lanes(operand);
    match instruction {
        Instruction::Fill(place) => target.fill(source.scalars[place as usize]),
        Instruction::Copy(a) => target.copy_from_slice(row(a)),
        Instruction::Apply(function, a) => apply(function, target, row(a)),
        Instruction::Add(a, b) => of_two(target, Lanes::Row(row(a)), lanes(b), |a, b| a + b),
        Instruction::Subtract(a, b) => of_two(target, Lanes::Row(row(a)), Lanes::Row(row(b)), |a, b| a - b),
        Instruction::Multiply(a, b) => of_two(target, Lanes::Row(row(a)), lanes(b), |a, b| a * b),
        Instruction::Divide(a, b) => of_two(target, lanes(a), Lanes::Row(row(b)), |a, b| a / b),
        Instruction::Power(a, b) => of_two(target, lanes(a), lanes(b), math::pow),
        Instruction::MultiplyAdd(a, b, c) => of_three(target, row(a), lanes(b), lanes(c), |a, b, c| a.mul_add(b, c)),
        Instruction::MultiplySubtract(a, b, c) => {
            of_three(target, row(a), Lanes::Row(row(b)), Lanes::Row(row(c)), |a, b, c| a.mul_add(b, -c));
        }
        Instruction::SubtractProduct(a, b, c) => {
            of_three(target, row(a), Lanes::Row(row(b)), Lanes::Row(row(c)), |a, b, c| (-a).mul_add(b, c));
        }
        Instruction::Compare(comparison, a, b) => compare(comparison, target, lanes(a), lanes(b)),
        Instruction::Select(condition, a, b) => {
            of_three(
                target,
                row(condition),
                lanes(a),
                lanes(b),
                |condition, a, b| if condition != 0.0 { a } else { b },
            );
        }
    }
}

#[inline(always)]
fn apply(function: Function, target: &mut [f32], a: &[f32]) {
    match function {
        Function::Exp => of_one(target, a, math::exp),
        Function::Ln => of_one(target, a, math::ln_any),
        Function::Sqrt => of_one(target, a, f32::sqrt),
        Function::Sin if within_reach(a) => of_one(target, a, math::sin),
        Function::Cos if within_reach(a) => of_one(target, a, math::cos),
        Function::Tan if within_reach(a) => of_one(target, a, math::tan),
        Function::Sin => of_one(target, a, math::sin_any),
        Function::Cos => of_one(target, a, math::cos_any),
        Function::Tan => of_one(target, a, math::tan_any),
        Function::Sinh => of_one(target, a, math::sinh),
        Function::Cosh => of_one(target, a, math::cosh),
        Function::Tanh => of_one(target, a, math::tanh),
        Function::Atan => of_one(target, a, math::atan),
        Function::Abs => of_one(target, a, f32::abs),
        Function::Floor => of_one(target, a, f32::floor),
    }
}

/// Whether all angles can be reduced in vector code.
#[inline(always)]
fn within_reach(angles: &[f32]) -> bool {
    // Without a way out on the first, which would not be vector code.
    !angles.iter().fold(false, |beyond, angle| beyond | (angle.abs() > math::REACH))
}

#[inline(always)]
fn compare(comparison: Comparison, target: &mut [f32], a: Lanes<'_>, b: Lanes<'_>) {
    let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
    match comparison {
        Comparison::Less => of_two(target, a, b, |a, b| truth(a < b)),
        Comparison::LessOrEqual => of_two(target, a, b, |a, b| truth(a <= b)),
        Comparison::Greater => of_two(target, a, b, |a, b| truth(a > b)),
        Comparison::GreaterOrEqual => of_two(target, a, b, |a, b| truth(a >= b)),
        Comparison::Equal => of_two(target, a, b, |a, b| truth(a == b)),
        Comparison::NotEqual => of_two(target, a, b, |a, b| truth(a != b)),
    }
}

#[inline(always)]
fn of_one(target: &mut [f32], a: &[f32], f: impl Fn(f32) -> f32) {
    for (target, &a) in target.iter_mut().zip(a) {
        *target = f(a);
    }
}

#[inline(always)]
fn of_two(target: &mut [f32], a: Lanes<'_>, b: Lanes<'_>, f: impl Fn(f32, f32) -> f32) {
    match (a, b) {
        (Lanes::Row(a), Lanes::Row(b)) => {
            for ((target, &a), &b) in target.iter_mut().zip(a).zip(b) {
                *target = f(a, b);
            }
        }
        (Lanes::Row(a), Lanes::Scalar(b)) => of_one(target, a, |a| f(a, b)),
        (Lanes::Scalar(a), Lanes::Row(b)) => of_one(target, b, |b| f(a, b)),
        (Lanes::Scalar(a), Lanes::Scalar(b)) => target.fill(f(a, b)),
    }
}

#[inline(always)]
fn of_three(target: &mut [f32], a: &[f32], b: Lanes<'_>, c: Lanes<'_>, f: impl Fn(f32, f32, f32) -> f32) {
    match (b, c) {
        (Lanes::Row(b), Lanes::Row(c)) => {
            for (((target, &a), &b), &c) in target.iter_mut().zip(a).zip(b).zip(c) {
                *target = f(a, b, c);
            }
        }
        (b, Lanes::Scalar(c)) => of_two(target, Lanes::Row(a), b, |a, b| f(a, b, c)),
        (Lanes::Scalar(b), c) => of_two(target, Lanes::Row(a), c, |a, c| f(a, b, c)),
    }
}
