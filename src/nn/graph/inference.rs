//! A graph as a function, with fixed parameters.

use std::sync::OnceLock;

use super::plan::Plan;
use super::{Graph, enter, leave};
use crate::nn::kernel::Packed;
use crate::nn::{Inference, Network, Shown};

/// Evaluates a graph with fixed parameters.
pub(super) struct FusedInference {
    graph: Graph,
    plan: Plan,
    /// Of the gradient by the state.
    back: Plan,
    parameters: Vec<f32>,
    packed: Packed,
    /// With the transposes of matrices, once a gradient is asked for.
    packed_back: OnceLock<Packed>,
}

/// Multiplications of a tile that take a hundred microseconds, beside which handing it over takes none.
const WORTH_A_THREAD: usize = 5_000_000;

/// Tiles at the same time: each needs its own memory.
const MOST_LANES: usize = 8;

impl FusedInference {
    /// The network with these parameters.
    pub(super) fn new(graph: Graph, parameters: &[f32]) -> Self {
        let mut packed = graph.packed_forward();
        packed.fill(parameters);
        Self {
            plan: Plan::forward(&graph),
            back: Plan::by_state(&graph),
            parameters: parameters.to_vec(),
            packed,
            packed_back: OnceLock::new(),
            graph,
        }
    }
}

impl FusedInference {
    /// Computes all values as they stand in `plan`.
    fn forward(&self, plan: &Plan, packed: &Packed, shown: Shown<'_>, slots: &mut [&mut [f32]], scratch: &mut [f32]) {
        let (Shown { count, state, clock, class }, Self { graph, .. }) = (shown, self);
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
            plan.compute(node, number, node.pass(count, &self.parameters, packed), slots, scratch);
        }
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

    fn evaluate(&self, shown: Shown<'_>, space: &mut [f32], output: &mut [f32]) {
        let Self { graph, plan, .. } = self;
        let (mut slots, scratch) = plan.slots(shown.count, space);
        self.forward(plan, &self.packed, shown, &mut slots, scratch);
        let answer = plan.value(graph.nodes.len() - 1, shown.count, &slots);
        leave(graph.answer().layer.output(), shown.count, answer, output);
    }

    fn gradient_space(&self, count: usize) -> usize {
        self.back.space(&self.graph, count)
    }

    fn gradient(&self, shown: Shown<'_>, weight: &[f32], space: &mut [f32], gradient: &mut [f32]) {
        let Self { graph, back, parameters, packed_back, .. } = self;
        let (Some(by_state), Some(by_answer)) = (back.gradients[0], back.gradients[graph.nodes.len() - 1]) else {
            return gradient.fill(0.0);
        };
        let (mut slots, scratch) = back.slots(shown.count, space);
        let packed = packed_back.get_or_init(|| {
            let mut packed = graph.packed();
            packed.fill(parameters);
            packed
        });
        self.forward(back, packed, shown, &mut slots, scratch);
        enter(graph.answer().layer.output(), shown.count, weight, slots[by_answer]);
        let at = |number: usize| graph.nodes[number].pass(shown.count, parameters, packed);
        back.backward(graph, at, &mut slots, scratch, |_, _, _, _| ());
        leave(graph.state(), shown.count, slots[by_state], gradient);
    }
}
