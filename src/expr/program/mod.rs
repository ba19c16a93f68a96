//! Expressions compiled for evaluation over blocks of samples in vector code.
//!
//! Equal parts are computed once; what is the same for all samples is computed once per call in double precision; the
//! rest becomes a list of operations on rows of a few hundred samples, which stay in the first-level cache.

mod allocate;
mod execute;
mod graph;
mod lower;
mod register;
#[cfg(test)]
mod tests;

use super::Expression;
use crate::Result;

use allocate::{Step, allocate};
pub(super) use graph::{Graph, Id, Uniforms, Value};
use lower::Lowering;
use register::Register;

/// Samples that pass through all instructions together. A register then takes 2 KiB; fewer samples would make the
/// choice of the next instruction felt, more would drive the registers out of the first-level cache.
const CHUNK: usize = 512;
/// Instructions run on multiples of this many samples, so that no element is left over by the widest vectors.
const LANES: usize = 64;

/// Expressions compiled for evaluation over blocks of samples in vector code.
///
/// Values are those of [`Expression::evaluate`] to single precision: each operation is rounded within the errors
/// stated in [`crate::vector::math`], with these liberties. Sums of products are fused. What is the same for all
/// samples is computed in double precision and enters rounded, also as a reciprocal where it divides. Factors that are
/// the same for all samples are multiplied with each other first. Powers with exponents ±½, ±1, ±3/2, … ±16 are
/// products, square roots and reciprocals. NaN and infinities follow IEEE 754; comparisons with NaN are false.
#[derive(Debug, Clone)]
pub struct Program {
    inputs: usize,
    outputs: usize,
    uniforms: usize,
    scalars: Uniforms,
    steps: Vec<Step>,
    registers: usize,
}

/// What is the same for all samples of a call: made by [`Program::at`].
#[derive(Debug, Clone)]
pub struct Scalars(Vec<f32>);

/// Registers of one thread: made by [`Program::workspace`].
#[derive(Debug)]
pub struct Workspace {
    chunk: usize,
    registers: Vec<Register>,
    /// Inputs and outputs of the last samples, filled up to [`LANES`].
    tail: (Vec<f32>, Vec<f32>),
}

impl Program {
    /// Compiles `outputs`, functions of `inputs` components of the state, of the time and of the parameters named in
    /// `uniforms`: those that are the same for all samples of a call but given anew for each, such as the length of a
    /// step.
    ///
    /// # Errors
    /// On a parameter that is not listed (bind it first) and on a component beyond `inputs`.
    pub fn new(outputs: &[Expression], inputs: usize, uniforms: &[&str]) -> Result<Self> {
        let (graph, places) = Graph::new(outputs, inputs, uniforms)?;
        let mut lowering = Lowering::new(graph, inputs as u32);
        let operands: Vec<_> = places.into_iter().map(|place| lowering.operand(place)).collect();
        let (mut steps, registers) = allocate(&lowering.tape, inputs as u32, &operands);
        let wanted = steps.iter().flat_map(|step| step.instruction.scalars());
        let (scalars, numbers) = Uniforms::new(&lowering.graph, wanted);
        for step in &mut steps {
            step.instruction = step.instruction.renumbered(|row| row, |scalar| numbers[scalar as usize]);
        }
        let (outputs, uniforms) = (outputs.len(), uniforms.len());
        Ok(Self { inputs, outputs, uniforms, scalars, steps, registers: registers as usize })
    }

    /// Components of the state it reads.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Rows it writes.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Computes what depends on `time` and the `uniforms` (in the order of [`Program::new`]) only, in double
    /// precision: once per step, for all blocks and threads.
    ///
    /// # Panics
    /// If `uniforms` is not as long as the list of their names.
    pub fn at(&self, time: f64, uniforms: &[f64]) -> Scalars {
        assert_eq!(uniforms.len(), self.uniforms, "uniforms of a program");
        Scalars(self.scalars.evaluate(time, uniforms))
    }

    /// Registers for a thread that runs rows of up to `length` samples; longer ones are run in pieces.
    pub fn workspace(&self, length: usize) -> Workspace {
        let chunk = length.next_multiple_of(LANES).clamp(LANES, CHUNK);
        let registers = (0..self.registers).map(|_| Register::new(chunk)).collect();
        Workspace { chunk, registers, tail: (vec![0.0; self.inputs * LANES], vec![0.0; self.outputs * LANES]) }
    }

    /// Evaluates all outputs for `length` samples: `state` [inputs, length] → `out` [outputs, length], both row-major,
    /// so that the samples of a component stand together. `scalars` and `workspace` must come from this program. Rows
    /// that begin on multiples of 64 bytes are the fastest.
    ///
    /// The value of a sample does not depend on which others it is evaluated with. Nothing is allocated.
    ///
    /// # Panics
    /// If `state` or `out` is of another size.
    pub fn run(&self, scalars: &Scalars, workspace: &mut Workspace, length: usize, state: &[f32], out: &mut [f32]) {
        assert_eq!(state.len(), self.inputs * length, "state of a program");
        assert_eq!(out.len(), self.outputs * length, "output of a program");
        let whole = length - length % LANES;
        let Workspace { chunk, registers, tail } = workspace;
        for start in (0..whole).step_by(*chunk) {
            let count = (*chunk).min(whole - start);
            execute::execute(&self.steps, &scalars.0, registers, (length, start, count), state, out);
        }
        let rest = length - whole;
        if rest > 0 {
            for (padded, row) in tail.0.chunks_exact_mut(LANES).zip(state.chunks_exact(length)) {
                padded[..rest].copy_from_slice(&row[whole..]);
            }
            execute::execute(&self.steps, &scalars.0, registers, (LANES, 0, LANES), &tail.0, &mut tail.1);
            for (row, padded) in out.chunks_exact_mut(length).zip(tail.1.chunks_exact(LANES)) {
                row[whole..].copy_from_slice(&padded[..rest]);
            }
        }
    }
}
