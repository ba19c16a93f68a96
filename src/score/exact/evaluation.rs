//! What all evaluators of exact scores need.

use crate::error::{Error, Result};
use crate::process::{Kernel, Process};

/// Samples that one pass of the evaluators' inner loops holds in registers.
pub(super) const LANES: usize = 64;

/// Writes the lanes of `sum`, \[rows\], to the samples from `start` on of `score`, [rows, count].
pub(super) fn store(sum: &[[f32; LANES]], count: usize, start: usize, score: &mut [f32]) {
    let used = LANES.min(count - start);
    for (row, sum) in sum.iter().enumerate() {
        score[row * count + start..][..used].copy_from_slice(&sum[..used]);
    }
}

/// The kernel at `time`, refused where its law has no density.
pub(super) fn kernel(process: &Process, time: f64) -> Result<Kernel> {
    let kernel = process.kernel(time)?;
    if kernel.cholesky.diagonal().iter().all(|&pivot| pivot > 0.0) {
        Ok(kernel)
    } else {
        Err(Error::numerical(format!("the law of the noised state at t = {time} is singular: it has no score"))
            .with_hint("ask for times above 0, and let noise reach every block"))
    }
}
