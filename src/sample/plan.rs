//! Steps as data: where to evaluate the score, what to draw, what to apply. One executor runs them; how often the score
//! is asked for, how much is drawn and how much memory it takes is counted and not written down again.

use std::ops::Range;
use std::sync::Arc;

use super::layout::Layout;
use super::noise::Noise;
use super::update::{Registers, Update};
use crate::error::Result;
use crate::expr::Program;
use crate::score::{Evaluator, Prepared, Score};
use crate::task::Task;
use crate::vector::Aligned;

/// Where rows of samples begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Among those that stay from step to step: the state first, what the method remembers behind it.
    Kept(usize),
    /// Among those of a thread, which hold from one part of a step to the next.
    Work(usize),
}

/// A part of a step. Rows are counted with their copies.
#[derive(Debug, Clone)]
pub enum Part {
    /// Copies rows.
    Copy { from: Place, to: Place, rows: usize },
    /// Writes the score at `time` of the state at `of` into the thread's rows from `to` on.
    Score { time: f64, of: Place, to: usize },
    /// Fills `rows` of the thread's rows from `to` on with the draw number `draw` of the step.
    Draw { draw: u32, rows: usize, to: usize },
    /// Writes a state, or its velocity, computed from the thread's rows from `from` on.
    Apply { update: Update, from: usize, to: Place },
}

/// The parts of a step, by its number.
pub(super) type Stepper<'a> = Box<dyn Fn(usize) -> Result<Vec<Part>> + Send + Sync + 'a>;

/// What steps take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Evaluations of the score, of all steps.
    pub(super) evaluations: usize,
    /// Most draws of a step.
    pub(super) draws: usize,
    /// Most rows of a draw.
    pub(super) drawn: usize,
    /// Rows of a sample that stay from step to step.
    pub(super) kept: usize,
    /// Rows of a thread.
    work: usize,
}

impl Counts {
    /// With one more part of a step of states with `layout`.
    pub(super) fn and(mut self, part: &Part, layout: Layout) -> Self {
        match *part {
            Part::Copy { from, to, rows } => self.reach(from, rows).reach(to, rows),
            Part::Score { of, to, .. } => {
                self.evaluations += 1;
                self.reach(of, layout.state).reach(Place::Work(to), layout.score)
            }
            Part::Draw { draw, rows, to } => {
                (self.draws, self.drawn) = (self.draws.max(draw as usize + 1), self.drawn.max(rows));
                self.reach(Place::Work(to), rows)
            }
            Part::Apply { ref update, from, to } => {
                let inputs = update.inputs(layout.state / layout.copies) * layout.copies;
                self.reach(Place::Work(from), inputs).reach(to, layout.state)
            }
        }
    }

    fn reach(mut self, place: Place, rows: usize) -> Self {
        match place {
            Place::Kept(row) => self.kept = self.kept.max(row + rows),
            Place::Work(row) => self.work = self.work.max(row + rows),
        }
        self
    }
}

/// A range of steps, prepared; shared by threads.
pub(super) struct Plan<'a> {
    first: usize,
    /// The parts of all steps, one behind the other: a block runs through them all, and memory is read ahead.
    parts: Vec<Part>,
    /// For each part that is a score the number of its time among those prepared.
    nodes: Vec<usize>,
    /// Where the parts of each step begin, and the end.
    begins: Vec<usize>,
    prepared: Option<Box<dyn Prepared + 'a>>,
    layout: Layout,
    noise: &'a Noise,
    counts: Counts,
    programs: Vec<Arc<Program>>,
}

impl<'a> Plan<'a> {
    /// The steps of `range`, with the scores that they need; a process that runs forward needs none.
    ///
    /// # Errors
    /// Those of `step` and of [`Score::prepare`].
    pub(super) fn new(
        range: Range<usize>,
        step: &(impl Fn(usize) -> Result<Vec<Part>> + Send + Sync + ?Sized),
        score: Option<&'a dyn Score>,
        layout: Layout,
        noise: &'a Noise,
        task: &Task,
    ) -> Result<Self> {
        let all = task.blocks(range.len(), |i| step(range.start + i))?;
        let (mut times, mut programs, mut counts) = (Vec::new(), Vec::<Arc<Program>>::new(), Counts::default());
        let (mut parts, mut nodes, mut begins) = (Vec::new(), Vec::new(), vec![0]);
        for part in all.into_iter().flat_map(|step| step.into_iter().map(Some).chain([None])) {
            let Some(part) = part else {
                begins.push(parts.len());
                continue;
            };
            counts = counts.and(&part, layout);
            match &part {
                // The end of a step is often the beginning of the next.
                Part::Score { time, .. } if times.last() != Some(time) => times.push(*time),
                Part::Apply { update, .. } => {
                    let new = update.program().filter(|new| !programs.iter().any(|old| Arc::ptr_eq(old, new)));
                    programs.extend(new.cloned());
                }
                Part::Score { .. } | Part::Copy { .. } | Part::Draw { .. } => {}
            }
            nodes.push(times.len().saturating_sub(1));
            parts.push(part);
        }
        let prepared = score.map(|score| score.prepare(&times, task)).transpose()?;
        Ok(Self { first: range.start, parts, nodes, begins, prepared, layout, noise, counts, programs })
    }

    /// The same steps with other noise.
    pub(super) fn with_noise(self, noise: &'a Noise) -> Self {
        Self { noise, ..self }
    }

    /// What its steps take.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// A thread's own buffers for blocks of `samples`, allocated here and never again.
    pub(super) fn worker(&self, samples: usize) -> Worker<'_> {
        Worker {
            plan: self,
            evaluator: self.prepared.as_ref().map(|prepared| prepared.evaluator(samples)),
            registers: Registers::new(&self.programs, self.layout.copies * samples),
            rows: Aligned::zeros(self.counts.work * samples),
            samples,
        }
    }
}

/// Takes blocks of samples through steps without allocating.
pub(super) struct Worker<'a> {
    plan: &'a Plan<'a>,
    evaluator: Option<Box<dyn Evaluator + 'a>>,
    registers: Registers,
    rows: Aligned,
    samples: usize,
}

impl Worker<'_> {
    /// Takes `kept`, component-major [m·d, samples] and what the method remembers behind, through step number `step`.
    pub(super) fn step(&mut self, step: usize, block: u32, kept: &mut [f32]) {
        let (plan, samples) = (self.plan, self.samples);
        let parts = plan.begins[step - plan.first]..plan.begins[step - plan.first + 1];
        let [state, score] = [plan.layout.state, plan.layout.score].map(|rows| rows * samples);
        for (part, &node) in plan.parts[parts.clone()].iter().zip(&plan.nodes[parts]) {
            match part {
                Part::Copy { from, to, rows } => self.copy(*from, *to, rows * samples, kept),
                Part::Score { of, to, .. } => {
                    let (before, out) = self.rows.split_at_mut(to * samples);
                    let of = match of {
                        Place::Kept(row) => &kept[row * samples..][..state],
                        Place::Work(row) => &before[row * samples..][..state],
                    };
                    if let Some(evaluator) = &mut self.evaluator {
                        evaluator.evaluate(node, samples, of, &mut out[..score]);
                    }
                }
                Part::Draw { draw, rows, to } => {
                    let out = &mut self.rows[to * samples..][..rows * samples];
                    plan.noise.fill(step, *draw, block, samples, out);
                }
                Part::Apply { update, from, to } => self.apply(update, from * samples, *to, kept),
            }
        }
    }

    fn copy(&mut self, from: Place, to: Place, length: usize, kept: &mut [f32]) {
        let at = |row: usize| row * self.samples..row * self.samples + length;
        match (from, to) {
            (Place::Kept(from), Place::Work(to)) => self.rows[at(to)].copy_from_slice(&kept[at(from)]),
            (Place::Work(from), Place::Kept(to)) => kept[at(to)].copy_from_slice(&self.rows[at(from)]),
            (Place::Kept(from), Place::Kept(to)) => kept.copy_within(at(from), at(to).start),
            (Place::Work(from), Place::Work(to)) => self.rows.copy_within(at(from), at(to).start),
        }
    }

    fn apply(&mut self, update: &Update, from: usize, to: Place, kept: &mut [f32]) {
        let Layout { copies, state, .. } = self.plan.layout;
        let (length, size) = (copies * self.samples, state * self.samples);
        let (inputs, out) = match to {
            Place::Kept(row) => (&self.rows[from..], &mut kept[row * self.samples..][..size]),
            Place::Work(row) if row * self.samples >= from => {
                let (inputs, out) = self.rows.split_at_mut(row * self.samples);
                (&inputs[from..], &mut out[..size])
            }
            Place::Work(row) => {
                let (out, inputs) = self.rows.split_at_mut(from);
                (&*inputs, &mut out[row * self.samples..][..size])
            }
        };
        update.apply(&mut self.registers, length, inputs, out);
    }
}
