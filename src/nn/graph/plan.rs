//! Which values of a pass stand where, planned once: values that are never needed at the same time share a slot.

use super::layer::{Pass, Values};
use super::{Graph, Node};

/// Where the values of all nodes stand, and the gradients by them.
#[derive(Debug)]
pub(super) struct Plan {
    /// The slot of each node's value.
    pub(super) values: Vec<usize>,
    /// The slot of the gradient by each node's value, where there is one.
    pub(super) gradients: Vec<Option<usize>>,
    /// Numbers of each slot for one sample.
    slots: Vec<usize>,
    /// Numbers of each value for one sample.
    sizes: Vec<usize>,
}

/// Numbers of a cache line: loads and stores across two take longer.
const LINE: usize = 16;

/// So many numbers or a few more, up to the end of a cache line.
fn aligned(numbers: usize) -> usize {
    numbers.next_multiple_of(LINE)
}

/// A value, from the moment that writes it to the last that reads it.
struct Life {
    size: usize,
    first: usize,
    last: usize,
}

impl Plan {
    /// Of a pass that only computes the answer.
    pub(super) fn forward(graph: &Graph) -> Self {
        let passed = vec![false; graph.nodes.len()];
        let lives = graph.nodes.iter().enumerate().map(|(number, node)| value(graph, number, node, &passed));
        let (values, slots) = assign(&lives.collect::<Vec<_>>());
        Self { values, gradients: Vec::new(), slots, sizes: sizes(graph) }
    }

    /// Of a pass that goes on to the gradients by parameters.
    pub(super) fn training(graph: &Graph) -> Self {
        Self::with_gradients(graph, &graph.nodes.iter().map(|node| node.is_trained).collect::<Vec<_>>())
    }

    /// Of a pass that goes on to the gradient by the state.
    pub(super) fn by_state(graph: &Graph) -> Self {
        let mut passed = vec![true];
        for node in &graph.nodes[1..] {
            passed.push(node.inputs.iter().any(|&input| passed[input]));
        }
        Self::with_gradients(graph, &passed)
    }

    /// Of a pass that goes on to the gradients by the values of the nodes that are `passed`, in the opposite order:
    /// node i is computed at the moment i of 2n, and the gradients behind it at the moment 2n − i.
    fn with_gradients(graph: &Graph, passed: &[bool]) -> Self {
        let nodes = graph.nodes.iter().enumerate();
        let mut lives: Vec<_> = nodes.clone().map(|(number, node)| value(graph, number, node, passed)).collect();
        let passed: Vec<_> = nodes.filter(|(number, _)| passed[*number]).collect();
        lives.extend(passed.iter().map(|(number, node)| gradient(graph, *number, node)));
        let (mut values, slots) = assign(&lives);
        let of_gradients = values.split_off(graph.nodes.len());
        let mut gradients = vec![None; graph.nodes.len()];
        passed.iter().zip(of_gradients).for_each(|((number, _), slot)| gradients[*number] = Some(slot));
        Self { values, gradients, slots, sizes: sizes(graph) }
    }

    /// Numbers of working memory of a pass over `count` samples.
    pub(super) fn space(&self, graph: &Graph, count: usize) -> usize {
        LINE - 1 + self.slots.iter().map(|&size| aligned(size * count)).sum::<usize>() + graph.scratch(count)
    }

    /// Computes the value of node `number` from those of others, which stand in `slots`.
    pub(super) fn compute(
        &self,
        node: &Node,
        number: usize,
        pass: Pass<'_>,
        slots: &mut [&mut [f32]],
        scratch: &mut [f32],
    ) {
        let own = std::mem::take(&mut slots[self.values[number]]);
        let inputs: Vec<&[f32]> = node.inputs.iter().map(|&input| self.value(input, pass.count, slots)).collect();
        node.layer.forward(pass, &inputs, scratch, &mut own[..node.size(pass.count)]);
        slots[self.values[number]] = own;
    }

    /// Walks from the gradient by the answer, which stands in its slot, to the gradients by all other values that have
    /// one. Calls `each` with what is known at every node.
    pub(super) fn backward<'a>(
        &self,
        graph: &'a Graph,
        pass: impl Fn(usize) -> Pass<'a>,
        slots: &mut [&mut [f32]],
        scratch: &mut [f32],
        mut each: impl FnMut(&'a Node, Pass<'a>, Values<'_>, &mut [f32]),
    ) {
        // Whether something was added to the gradient by a node: what stood in its slot before is another's.
        let mut is_begun = vec![false; graph.nodes.len()];
        for (number, node) in graph.nodes.iter().enumerate().skip(graph.shown()).rev() {
            let Some(own) = self.gradients[number] else { continue };
            let pass = pass(number);
            for (place, &input) in node.inputs.iter().enumerate() {
                let Some(slot) = self.gradients[input] else { continue };
                let sum = std::mem::take(&mut slots[slot]);
                let out = &mut sum[..graph.nodes[input].size(pass.count)];
                if !std::mem::replace(&mut is_begun[input], true) {
                    out.fill(0.0);
                }
                let inputs = self.inputs(node, pass.count, slots);
                let values = Values { inputs: &inputs, upstream: &slots[own][..node.size(pass.count)] };
                node.layer.backward(pass, values, place, scratch, out);
                slots[slot] = sum;
            }
            let inputs = self.inputs(node, pass.count, slots);
            let values = Values { inputs: &inputs, upstream: &slots[own][..node.size(pass.count)] };
            each(node, pass, values, scratch);
        }
    }

    /// What a node was made of, or nothing where it is not kept: the slots may hold other things then.
    fn inputs<'a>(&self, node: &Node, count: usize, slots: &'a [&mut [f32]]) -> Vec<&'a [f32]> {
        let is_kept = node.layer.keeps_inputs();
        let value = |&input: &usize| if is_kept { self.value(input, count, slots) } else { &[][..] };
        node.inputs.iter().map(value).collect()
    }

    /// The value of node `number` for `count` samples.
    pub(super) fn value<'a>(&self, number: usize, count: usize, slots: &'a [&mut [f32]]) -> &'a [f32] {
        &slots[self.values[number]][..count * self.sizes[number]]
    }

    /// The slots for `count` samples at the head of `space`, each from a cache line on, and what is left of it.
    pub(super) fn slots<'a>(&self, count: usize, space: &'a mut [f32]) -> (Vec<&'a mut [f32]>, &'a mut [f32]) {
        // Not more than what is spare, also where the platform does not say.
        let skipped = space.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE - 1);
        let mut rest = &mut space[skipped..];
        let mut take = |size: usize| {
            let (slot, behind) = std::mem::take(&mut rest).split_at_mut(aligned(size * count));
            rest = behind;
            slot
        };
        let slots = self.slots.iter().map(|&size| take(size)).collect();
        (slots, rest)
    }
}

fn sizes(graph: &Graph) -> Vec<usize> {
    graph.nodes.iter().map(|node| node.size(1)).collect()
}

/// Numbers of the nodes that take node `number`.
fn consumers(graph: &Graph, number: usize) -> impl Iterator<Item = (usize, &Node)> {
    graph.nodes.iter().enumerate().filter(move |(_, node)| node.inputs.contains(&number))
}

fn value(graph: &Graph, number: usize, node: &Node, passed: &[bool]) -> Life {
    let moments = 2 * graph.nodes.len();
    let last_forward = consumers(graph, number).map(|(consumer, _)| consumer).max().unwrap_or(number);
    let by_consumers = consumers(graph, number).filter(|(number, node)| passed[*number] && node.layer.keeps_inputs());
    let last_backward = by_consumers.map(|(consumer, _)| moments - consumer).max().unwrap_or(0);
    // The answer is read when all is computed.
    let is_answer = number + 1 == graph.nodes.len();
    let last = if is_answer { moments / 2 } else { last_forward };
    // What is shown stands there before the first moment.
    let first = if number < graph.shown() { 0 } else { number };
    Life { size: node.size(1), first, last: last.max(last_backward) }
}

fn gradient(graph: &Graph, number: usize, node: &Node) -> Life {
    let moments = 2 * graph.nodes.len();
    let first = consumers(graph, number).map(|(consumer, _)| moments - consumer).min();
    let first = first.unwrap_or(moments / 2);
    Life { size: node.size(1), first, last: moments - number }
}

/// A slot for each life, and the sizes of the slots: in the order of their beginnings, each takes the free slot that
/// it fills best.
fn assign(lives: &[Life]) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<_> = (0..lives.len()).collect();
    order.sort_by_key(|&i| lives[i].first);
    let (mut slots, mut sizes, mut ends): (_, Vec<usize>, Vec<usize>) = (vec![0; lives.len()], Vec::new(), Vec::new());
    for i in order {
        let Life { size, first, last } = lives[i];
        let free = (0..sizes.len()).filter(|&slot| ends[slot] < first);
        let slot = free.min_by_key(|&slot| (size.saturating_sub(sizes[slot]), sizes[slot].abs_diff(size)));
        let slot = slot.unwrap_or_else(|| {
            sizes.push(0);
            ends.push(0);
            sizes.len() - 1
        });
        sizes[slot] = sizes[slot].max(size);
        ends[slot] = last;
        slots[i] = slot;
    }
    (slots, sizes)
}
