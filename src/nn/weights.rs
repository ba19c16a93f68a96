//! What training changes.

/// Parameters of a network, their moving average, and what the optimiser remembers: all in the order of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// The parameters that training moves.
    pub parameters: Vec<f32>,
    /// Their exponential moving average, which samplers use.
    pub average: Vec<f32>,
    /// First moment of the gradient.
    pub first: Vec<f32>,
    /// Second moment of the gradient.
    pub second: Vec<f32>,
    /// Steps taken.
    pub steps: u64,
}

impl Weights {
    /// Weights before the first step.
    pub fn new(parameters: Vec<f32>) -> Self {
        let zeros = vec![0.0; parameters.len()];
        Self { average: parameters.clone(), parameters, first: zeros.clone(), second: zeros, steps: 0 }
    }
}
