//! Samples exchanged in one block of a state: what the others then know of them is gone.

use super::State;
use crate::error::Result;
use crate::rng::{Purpose, Stream};
use crate::tensor::Tensor;

impl State {
    /// The same state with the samples of the block `name` in a random order, all orders as likely.
    ///
    /// # Errors
    /// When there is no such block.
    pub fn shuffle(&self, name: &str, seed: u64) -> Result<Self> {
        let block = self.block(name)?;
        let shape = block.shape().to_vec();
        let (count, values) = (shape[0], block.values());
        let size = values.len() / count.max(1);
        let order = Stream::new(seed, Purpose::Shuffle).of(&values).permutation(count);
        let shuffled = order.iter().flat_map(|&i| &values[i * size..(i + 1) * size]).copied().collect();
        let mut state = self.clone();
        state.set_block(name, Tensor::new(&shape, shuffled)?)?;
        Ok(state)
    }
}
