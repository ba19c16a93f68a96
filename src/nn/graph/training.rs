//! Loss and gradient of one chunk of a batch, forward and back through all nodes.

use super::extent::Extent;
use super::layer::Pass;
use super::plan::Plan;
use super::{Graph, enter};
use crate::error::Result;
use crate::nn::kernel::Packed;
use crate::nn::{Samples, Training};
use crate::task::Team;

/// The fused passes of a graph.
pub(super) struct FusedTraining {
    graph: Graph,
    plan: Plan,
    packed: Packed,
}

impl FusedTraining {
    pub(super) fn new(graph: Graph) -> Self {
        Self { plan: Plan::training(&graph), packed: graph.packed(), graph }
    }

    fn forward(&self, parameters: &[f32], samples: Samples<'_>, slots: &mut [&mut [f32]], scratch: &mut [f32]) {
        let Self { graph, plan, .. } = self;
        enter(graph.state(), samples.count, samples.state, slots[plan.values[0]]);
        slots[plan.values[1]][..samples.count].copy_from_slice(samples.clock);
        if graph.classes() > 0 {
            enter(Extent::vector(graph.classes()), samples.count, samples.class, slots[plan.values[2]]);
        }
        for (number, node) in graph.nodes.iter().enumerate().skip(graph.shown()) {
            plan.compute(node, number, self.pass_of(number, parameters, samples), slots, scratch);
        }
    }

    /// Leaves the gradient of Σ weight · (answer − target)² · `scale` by the answer in its slot, the part of each
    /// sample in `errors`, and returns that sum.
    fn squared_error(&self, samples: Samples<'_>, scale: f32, slots: &mut [&mut [f32]], errors: &mut [f64]) -> f64 {
        let Self { graph, plan, .. } = self;
        let (last, count, extent) = (graph.nodes.len() - 1, samples.count, graph.answer().layer.output());
        let slot = plan.gradients[last].expect("the answer is trained");
        let gradient = std::mem::take(&mut slots[slot]);
        let answer = plan.value(last, count, slots);
        let mut loss = 0.0;
        errors.fill(0.0);
        let rows = samples.target.chunks_exact(count).zip(samples.weight.chunks_exact(count));
        for (component, (target, weight)) in rows.enumerate() {
            let first = extent.place(component);
            for sample in 0..count {
                let place = first + sample * extent.size();
                let residual = answer[place] - target[sample];
                let pull = scale * weight[sample] * residual;
                let square = f64::from(pull) * f64::from(residual);
                loss += square;
                errors[sample] += square;
                gradient[place] = 2.0 * pull;
            }
        }
        slots[slot] = gradient;
        loss
    }

    /// What the passes of node `number` have at hand.
    fn pass_of<'a>(&'a self, number: usize, parameters: &'a [f32], samples: Samples<'_>) -> Pass<'a> {
        let pass = self.graph.nodes[number].pass(samples.count, parameters, &self.packed);
        Pass { chance: samples.chance.map(|chance| chance.part(number)), ..pass }
    }
}

impl Training for FusedTraining {
    fn parts(&self) -> usize {
        self.packed.parts()
    }

    fn update(&mut self, parameters: &[f32], team: &mut Team<'_>) -> Result<()> {
        self.packed.update(parameters, team);
        Ok(())
    }

    fn space(&self, count: usize) -> usize {
        self.plan.space(&self.graph, count)
    }

    fn pass(
        &self,
        parameters: &[f32],
        samples: Samples<'_>,
        scale: f32,
        space: &mut [f32],
        gradient: &mut [f32],
        errors: &mut [f64],
    ) -> Result<f64> {
        let (mut slots, scratch) = self.plan.slots(samples.count, space);
        self.forward(parameters, samples, &mut slots, scratch);
        let loss = self.squared_error(samples, scale, &mut slots, errors);
        let at = |number| self.pass_of(number, parameters, samples);
        self.plan.backward(&self.graph, at, &mut slots, scratch, |node, pass, values, scratch| {
            let (Some(first), Some(last)) = (node.places.first(), node.places.last()) else { return };
            node.layer.by_parameters(pass, values, scratch, &mut gradient[first.start..last.end]);
        });
        Ok(loss)
    }
}
