//! Which register holds which row while.

use super::lower::{Instruction, Operand, Row};

/// Where an instruction writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Register(u32),
    Output(u32),
}

/// An instruction with its place of writing. The rows it reads are the inputs and, numbered on, the registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) target: Target,
    pub(super) instruction: Instruction,
}

/// The tape without what no output needs, on as few registers as its order allows, and how many those are.
///
/// No step writes a register that it reads.
pub(super) fn allocate(tape: &[Instruction], inputs: u32, outputs: &[Operand]) -> (Vec<Step>, u32) {
    let mut allocator = Allocator::new(tape, inputs, outputs);
    for (output, &operand) in (0..).zip(outputs) {
        let instruction = match operand {
            Operand::Scalar(scalar) => Instruction::Fill(scalar),
            Operand::Row(row) if row < inputs => Instruction::Copy(row),
            Operand::Row(row) => {
                allocator.outputs[(row - inputs) as usize].push(output);
                continue;
            }
        };
        allocator.steps.push(Step { target: Target::Output(output), instruction });
    }
    for (place, &instruction) in tape.iter().enumerate() {
        allocator.place(place, instruction);
    }
    (allocator.steps, allocator.registers)
}

struct Allocator {
    inputs: u32,
    /// By row: the last instruction that reads it, or its own if only an output wants it.
    last_use: Vec<Option<usize>>,
    /// By instruction: the outputs that are its result.
    outputs: Vec<Vec<u32>>,
    /// By row: the input or register that holds it.
    held: Vec<Row>,
    free: Vec<u32>,
    registers: u32,
    steps: Vec<Step>,
}

impl Allocator {
    fn new(tape: &[Instruction], inputs: u32, outputs: &[Operand]) -> Self {
        let mut last_use = vec![None; inputs as usize + tape.len()];
        for &output in outputs {
            if let Operand::Row(row) = output {
                last_use[row as usize] = Some(row.saturating_sub(inputs) as usize);
            }
        }
        for (place, instruction) in tape.iter().enumerate().rev() {
            if last_use[inputs as usize + place].is_some() {
                for row in instruction.rows() {
                    last_use[row as usize] = last_use[row as usize].max(Some(place));
                }
            }
        }
        let held = (0..inputs + tape.len() as u32).collect();
        let outputs = vec![Vec::new(); tape.len()];
        Self { inputs, last_use, outputs, held, free: Vec::new(), registers: 0, steps: Vec::new() }
    }

    fn place(&mut self, place: usize, instruction: Instruction) {
        let row = self.inputs as usize + place;
        let Some(last_use) = self.last_use[row] else { return };
        let physical = instruction.renumbered(|row| self.held[row as usize], |scalar| scalar);
        if let ([only], true) = (&self.outputs[place][..], last_use == place) {
            self.steps.push(Step { target: Target::Output(*only), instruction: physical });
        } else {
            let register = self.take();
            self.held[row] = self.inputs + register;
            self.steps.push(Step { target: Target::Register(register), instruction: physical });
            for &output in &self.outputs[place] {
                let instruction = Instruction::Copy(self.held[row]);
                self.steps.push(Step { target: Target::Output(output), instruction });
            }
            if last_use == place {
                self.free.push(register);
            }
        }
        let mut read: Vec<_> = instruction.rows().filter(|&row| row >= self.inputs).collect();
        read.sort_unstable();
        read.dedup();
        read.retain(|&row| self.last_use[row as usize] == Some(place));
        self.free.extend(read.iter().map(|&row| self.held[row as usize] - self.inputs));
    }

    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.registers += 1;
            self.registers - 1
        })
    }
}
