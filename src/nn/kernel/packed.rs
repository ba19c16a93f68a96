//! Weights in the order in which products read them, packed once for many products.

use super::product::{PANEL, Right};
use crate::nn::{Layer, Mlp};
use crate::task::Team;

/// The weights of a network for the forward and backward passes of all chunks of a batch.
#[derive(Debug, Clone)]
pub struct Packed(Vec<PackedLayer>);

#[derive(Debug, Clone)]
struct PackedLayer {
    layer: Layer,
    /// Panels of W, [inputs, outputs].
    forward: Vec<f32>,
    /// Panels of Wᵀ, [outputs, inputs]; none of the first layer, whose input has no gradient.
    backward: Vec<f32>,
}

/// One panel to be packed.
struct Item<'a> {
    layer: &'a Layer,
    transposed: bool,
    number: usize,
    out: &'a mut [f32],
}

impl Packed {
    /// Room for the weights of `network`.
    pub fn new(network: &Mlp) -> Self {
        let zeros = |depth: usize, columns: usize| vec![0.0; depth * columns.next_multiple_of(PANEL)];
        let layers = network.layers().into_iter().enumerate().map(|(number, layer)| PackedLayer {
            forward: zeros(layer.inputs, layer.outputs),
            backward: if number == 0 { Vec::new() } else { zeros(layer.outputs, layer.inputs) },
            layer,
        });
        Self(layers.collect())
    }

    /// Items that [`Packed::update`] hands to its team.
    pub fn parts(&self) -> usize {
        self.0.iter().map(|packed| packed.layer.outputs.div_ceil(PANEL) + packed.layer.inputs.div_ceil(PANEL)).sum()
    }

    /// Packs the weights of `parameters`.
    pub fn update(&mut self, parameters: &[f32], team: &mut Team<'_>) {
        let mut items = Vec::new();
        for PackedLayer { layer, forward, backward } in &mut self.0 {
            for (transposed, panels, depth) in [(false, forward, layer.inputs), (true, backward, layer.outputs)] {
                let panels = panels.chunks_exact_mut(PANEL * depth).enumerate();
                items.extend(panels.map(|(number, out)| Item { layer, transposed, number, out }));
            }
        }
        team.each(&mut items, |_, Item { layer, transposed, number, out }| {
            let weight = &parameters[layer.weight.clone()];
            if *transposed {
                pack_transposed(weight, layer.outputs, *number, out);
            } else {
                pack(weight, layer.outputs, *number, out);
            }
        });
    }

    /// W of the layer of that number, as a factor.
    pub(super) fn forward(&self, layer: usize) -> Right<'_> {
        Right::Panels(&self.0[layer].forward)
    }

    /// Wᵀ of the layer of that number, above 0, as a factor.
    pub(super) fn backward(&self, layer: usize) -> Right<'_> {
        Right::Panels(&self.0[layer].backward)
    }
}

/// Writes panel `number` of `weight`, [.., columns], to `out`, [depth, PANEL]; columns beyond the last keep their zeros.
pub(super) fn pack(weight: &[f32], columns: usize, number: usize, out: &mut [f32]) {
    let start = number * PANEL;
    let width = PANEL.min(columns - start);
    for (out, row) in out.chunks_exact_mut(PANEL).zip(weight.chunks_exact(columns)) {
        out[..width].copy_from_slice(&row[start..][..width]);
    }
}

/// The same of the transpose of `weight`: its rows become the columns.
fn pack_transposed(weight: &[f32], columns: usize, number: usize, out: &mut [f32]) {
    for (column, row) in weight.chunks_exact(columns).skip(number * PANEL).take(PANEL).enumerate() {
        for (out, value) in out.chunks_exact_mut(PANEL).zip(row) {
            out[column] = *value;
        }
    }
}
