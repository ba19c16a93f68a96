//! A graph as a function, with fixed parameters.

use super::plan::Plan;
use super::{Graph, enter};
use crate::nn::kernel::Packed;
use crate::nn::{Inference, Network, Shown};

/// Evaluates a graph with fixed parameters.
pub(super) struct FusedInference {
    graph: Graph,
    plan: Plan,
    parameters: Vec<f32>,
    packed: Packed,
}

/// Multiplications of a tile that take a hundred microseconds, beside which handing it over takes none.
const WORTH_A_THREAD: usize = 5_000_000;

/// Tiles at the same time: each needs its own memory.
const MOST_LANES: usize = 8;

impl FusedInference {
    /// The network with these parameters.
    pub(super) fn new(graph: Graph, parameters: &[f32]) -> Self {
        let mut packed = graph.packed();
        packed.fill(parameters);
        Self { plan: Plan::forward(&graph), parameters: parameters.to_vec(), packed, graph }
    }
}

impl Inference for FusedInference {
    fn tile(&self) -> usize {
        self.graph.chunk()
    }

    fn lanes(&self) -> usize {
        if self.graph.multiplications() * self.tile() < WORTH_A_THREAD { 1 } else { MOST_LANES }
    }

    fn space(&self, count: usize) -> usize {
        self.plan.space(&self.graph, count)
    }

    fn evaluate(&self, Shown { count, state, clock, class }: Shown<'_>, space: &mut [f32], output: &mut [f32]) {
        let Self { graph, plan, .. } = self;
        let (mut slots, scratch) = plan.slots(count, space);
        enter(graph.state(), count, state, slots[plan.values[0]]);
        slots[plan.values[1]][..count].fill(clock);
        if graph.classes() > 0 {
            let rows = &mut slots[plan.values[2]][..count * graph.classes()];
            rows.fill(0.0);
            if let Some(class) = class {
                rows.iter_mut().skip(class).step_by(graph.classes()).for_each(|row| *row = 1.0);
            }
        }
        for (number, node) in graph.nodes.iter().enumerate().skip(graph.shown()) {
            plan.compute(node, number, node.pass(count, &self.parameters, &self.packed), &mut slots, scratch);
        }
        let extent = graph.answer().layer.output();
        let answer = plan.value(graph.nodes.len() - 1, count, &slots);
        for (component, row) in output.chunks_exact_mut(count).enumerate() {
            let places = answer[extent.place(component)..].iter().step_by(extent.size());
            row.iter_mut().zip(places).for_each(|(out, value)| *out = *value);
        }
    }
}
