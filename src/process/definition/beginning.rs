//! The numbers of how the auxiliaries start.

use nalgebra::{DMatrix, DVector};

use super::form::Numbers;
use super::{Start, StartLaw, StartNumbers};
use crate::error::{Error, Result};
use crate::gauss::semidefinite_factor;
use crate::process::Linear;
use crate::process::stationary::DAMPED;

impl Numbers<'_> {
    /// The law of the components at t = 0.
    ///
    /// # Errors
    /// When a number of it is not finite, a standard deviation is negative, a covariance is not one, or there is no
    /// stationary law of the auxiliaries alone.
    pub(in crate::process) fn start(&self) -> Result<StartNumbers> {
        let (count, data) = (self.definition.components(), self.definition.coordinates.unwrap_or(1));
        let mut law = StartNumbers { mean: DVector::zeros(count), factor: DMatrix::zeros(count, count) };
        let auxiliary = count - data;
        match &self.definition.start {
            Start::Each(laws) => self.independent(laws, &mut law)?,
            Start::Joint { mean, covariance } => {
                let value = |i: usize, expression| self.value("start", data + i, expression, 0.0);
                for (i, mean) in mean.iter().enumerate() {
                    law.mean[data + i] = value(i, mean)?;
                }
                let mut numbers = DMatrix::zeros(auxiliary, auxiliary);
                for (i, row) in covariance.iter().enumerate() {
                    for (j, entry) in row.iter().enumerate() {
                        numbers[(i, j)] = value(i, entry)?;
                    }
                }
                law.factor.view_mut((data, data), (auxiliary, auxiliary)).copy_from(&self.factor(&numbers, data)?);
            }
            Start::Stationary {} => {
                let settled = self.auxiliaries(data)?.settles();
                let settled = settled.map_err(|why| self.unsettled(&why).with_hint(DAMPED))?;
                law.mean.rows_mut(data, auxiliary).copy_from(&settled.mean);
                let factor = self.factor(&settled.covariance, data)?;
                law.factor.view_mut((data, data), (auxiliary, auxiliary)).copy_from(&factor);
            }
        }
        Ok(law)
    }

    fn refused(&self, problem: String) -> Error {
        Error::part(&self.definition.name, "start", problem)
    }

    fn unsettled(&self, why: &str) -> Error {
        self.refused(format!("there is no stationary law of the auxiliaries: {why}"))
    }

    fn independent(&self, laws: &[Option<StartLaw>], to: &mut StartNumbers) -> Result<()> {
        for (i, law) in laws.iter().enumerate() {
            let Some(law) = law else { continue };
            to.mean[i] = self.value("start", i, &law.mean, 0.0)?;
            let std = self.value("start", i, &law.std, 0.0)?;
            if std < 0.0 {
                let name = self.definition.component_name(i);
                return Err(self.refused(format!("the standard deviation of `{name}` at t = 0 is negative: {std}")));
            }
            to.factor[(i, i)] = std;
        }
        Ok(())
    }

    /// The factor of a covariance of the auxiliaries; the first of them is component `data`.
    fn factor(&self, covariance: &DMatrix<f64>, data: usize) -> Result<DMatrix<f64>> {
        let name = |i: usize| self.definition.component_name(data + i);
        for i in 0..covariance.nrows() {
            for j in 0..i {
                let (below, above) = (covariance[(i, j)], covariance[(j, i)]);
                if (below - above).abs() > 1e-12 * (below.abs() + above.abs()) {
                    let problem = format!(
                        "the covariance of `{}` and `{}` is {above} in one place and {below} in the other",
                        name(j),
                        name(i)
                    );
                    return Err(self.refused(problem).with_hint("a covariance is symmetric"));
                }
            }
        }
        semidefinite_factor(covariance).map_err(|i| {
            let problem =
                format!("the covariance is impossible: given those before it, `{}` has a negative one", name(i));
            self.refused(problem).with_hint("|cov[i][j]| is at most sqrt(cov[i][i] * cov[j][j])")
        })
    }

    /// The process of the auxiliaries alone.
    fn auxiliaries(&self, data: usize) -> Result<Linear> {
        let count = self.definition.components();
        let size = count - data;
        if size == 0 {
            let problem = "there are no auxiliaries to start in their stationary law".to_owned();
            return Err(self.refused(problem).with_hint("leave `start` out: the data start as the dataset says"));
        }
        let sources = self.definition.noise.first().map_or(0, Vec::len);
        let mut linear = Linear {
            drift: DMatrix::zeros(size, size),
            offset: DVector::zeros(size),
            noise: DMatrix::zeros(size, sources),
            start_mean: DVector::zeros(size),
            start_factor: DMatrix::zeros(size, size),
        };
        let hint = "give the covariance: start: |p| #{ cov: [[..], [..]] }";
        for i in 0..size {
            let name = self.definition.component_name(data + i);
            let refuse = |why: String| self.unsettled(&why).with_hint(hint);
            let drift = &self.definition.drift[data + i];
            let affine =
                drift.affine(count).map_err(|part| refuse(format!("`{part}` in the drift of {name} is not linear")))?;
            let row = self.definition.noise[data + i].iter();
            let followed = (0..data).find(|&j| affine.coefficients[j].as_constant() != Some(0.0));
            if let Some(j) = followed {
                return Err(refuse(format!("{name} follows {}, the data", self.definition.component_name(j))));
            }
            if let Some(part) = [drift].into_iter().chain(row.clone()).find(|part| part.depends_on_time()) {
                return Err(refuse(format!("`{part}` of {name} changes with the time")));
            }
            if let Some(part) = row.clone().find(|part| part.depends_on_state()) {
                return Err(refuse(format!("the noise `{part}` of {name} depends on the state")));
            }
            for j in 0..size {
                linear.drift[(i, j)] = self.value("drift", data + i, &affine.coefficients[data + j], 0.0)?;
            }
            linear.offset[i] = self.value("drift", data + i, &affine.rest, 0.0)?;
            for (s, amplitude) in row.enumerate() {
                linear.noise[(i, s)] = self.value("noise", data + i, amplitude, 0.0)?;
            }
        }
        Ok(linear)
    }
}
