//! Which component data come from.

use nalgebra::{DMatrix, DVector};

use super::Mixture;
use crate::error::{Error, Result};
use crate::gauss::log_density;
use crate::task::Task;
use crate::tensor::Tensor;

/// Rows that are looked at between two questions whether to stop.
const ROWS: usize = 4096;

impl Mixture {
    /// The component that each row of `data` most probably comes from, \[n\].
    ///
    /// # Errors
    /// When the rows are no data of the mixture, or interrupted.
    pub(in crate::data) fn classify(&self, data: &Tensor, task: &Task) -> Result<Vec<usize>> {
        let d = self.dimension();
        let rows = data.rows("x")?;
        if rows.width() != d {
            let problem = format!("has data of {} coordinates, the mixture of {d}", rows.width());
            return Err(Error::argument("x", problem));
        }
        let used: Vec<usize> = (0..self.components()).filter(|k| self.weights[*k] > 0.0).collect();
        let factors = used.iter().map(|k| self.factor(*k)).collect::<Result<Vec<_>>>()?;
        let most_probable = |row: &[f32]| {
            let log = |&k: &usize, factor: &DMatrix<f64>| {
                let mean = &self.means[k * d..][..d];
                let residual = DVector::from_fn(d, |c, _| f64::from(row[c]) - mean[c]);
                self.weights[k].ln() + log_density(factor, residual)
            };
            let logs = used.iter().zip(&factors).map(|(k, factor)| (*k, log(k, factor)));
            logs.max_by(|a, b| a.1.total_cmp(&b.1)).expect("a mixture has a component").0
        };
        let blocks = task.blocks(rows.count.div_ceil(ROWS), |block| {
            task.check()?;
            Ok(rows.values.chunks_exact(d).skip(block * ROWS).take(ROWS).map(most_probable).collect::<Vec<_>>())
        })?;
        Ok(blocks.concat())
    }
}
