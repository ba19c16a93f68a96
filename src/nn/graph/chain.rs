//! A chain of dense layers is a perceptron, whose own passes are faster: there a layer is one pass over memory.

use super::layer::{Activate, Concatenate, Dense, Recipe};
use super::{Graph, Node};
use crate::nn::Mlp;
use crate::vector::single;

impl Graph {
    /// The perceptron that this is, down to the first weights, if it is one: the state and the time behind each other,
    /// dense layers with one nonlinearity between them, and zeros in the last.
    pub fn perceptron(&self) -> Option<Mlp> {
        let (first, chain) = self.nodes[2..].split_first()?;
        let is_chain = chain.iter().zip(2..).all(|(node, before)| node.inputs == [before]);
        first.options::<Concatenate>().filter(|_| first.inputs == [0, 1] && is_chain)?;
        let (last, pairs) = chain.split_last()?;
        let (pairs, rest) = pairs.as_chunks::<2>();
        let activation = pairs.first()?[1].options::<Activate>()?.activation;
        let hidden = |[dense, activated]: &[Node; 2]| {
            let Dense { outputs, bias, gain } = dense.options()?;
            let is_usual = bias && single(gain) == activation.gain();
            (is_usual && activated.options::<Activate>()?.activation == activation).then_some(outputs)
        };
        let widths = pairs.iter().map(hidden).collect::<Option<Vec<_>>>()?;
        let Dense { outputs, bias, gain } = last.options()?;
        (rest.is_empty() && bias && gain == 0.0)
            .then(|| Mlp::new(self.state().size(), &widths, outputs, activation).ok())?
    }
}

impl Node {
    /// Its options, where its layer is of that kind.
    fn options<R: Recipe>(&self) -> Option<R> {
        (self.layer.recipe() == R::KIND).then(|| serde_json::from_value(self.layer.options()).ok())?
    }
}
