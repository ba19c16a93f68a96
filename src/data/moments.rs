//! What is known of data without drawing from them.

use nalgebra::{DMatrix, DVector};

/// Coordinates up to whose number correlations are known. The axes of more would cost more than what they are worth:
/// every state that enters or leaves a sampler is turned by d² multiplications.
pub(super) const MOST_CORRELATED: usize = 16;

/// Mean and covariance of a data distribution, as the mixed score and the prior use them.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Mean of each coordinate, \[d\].
    pub mean: Vec<f64>,
    /// Variance along each axis, \[d\].
    pub variances: Vec<f64>,
    /// The axes, columns of an orthogonal [d, d], where coordinates are correlated; else they are the coordinates
    /// themselves.
    pub axes: Option<DMatrix<f64>>,
}

/// Coordinates some of which vary so much more than others that a number over all of them is that of few.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uneven {
    /// The coordinate that varies least, of those that vary, and its standard deviation.
    pub narrowest: (usize, f64),
    /// The coordinate that varies most, and its standard deviation.
    pub widest: (usize, f64),
}

/// A standard deviation above so many others is another scale, as that of another unit.
const UNEVEN: f64 = 10.0;

impl Uneven {
    /// Of the standard `deviations` of coordinates, where they differ so much.
    #[must_use]
    pub fn of(deviations: &[f64]) -> Option<Self> {
        let varying = || deviations.iter().copied().enumerate().filter(|(_, deviation)| *deviation > 0.0);
        let narrowest = varying().min_by(|a, b| a.1.total_cmp(&b.1))?;
        let widest = varying().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (widest.1 > UNEVEN * narrowest.1).then_some(Self { narrowest, widest })
    }
}

/// How narrow a part of the data is in a direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detail {
    /// Its variance.
    pub variance: f64,
    /// The variance of all of the data in the same direction.
    pub beside: f64,
}

impl Detail {
    /// Its variance in parts of that of all of the data.
    pub fn share(&self) -> f64 {
        self.variance / self.beside
    }

    /// Whether the data as a whole are not wider.
    pub fn is_whole(&self) -> bool {
        self.share() > 1.0 - RESOLUTION
    }
}

/// Variances closer than that part are one.
const RESOLUTION: f64 = 1e-6;

impl Moments {
    /// One variance in all directions.
    #[must_use]
    pub fn isotropic(mean: Vec<f64>, variance: f64) -> Self {
        let variances = vec![variance; mean.len()];
        Self { mean, variances, axes: None }
    }

    /// Coordinates of these `variances` without correlations. Variances closer to each other than the part `resolution`
    /// are one.
    #[must_use]
    pub fn uncorrelated(mean: Vec<f64>, variances: Vec<f64>, resolution: f64) -> Self {
        let average = variances.iter().sum::<f64>() / variances.len() as f64;
        match variances.iter().all(|v| (v - average).abs() <= resolution * average) {
            true => Self::isotropic(mean, average),
            false => Self { mean, variances, axes: None },
        }
    }

    /// This `covariance`, [d, d]. Correlations below `resolution` are none, and variances closer to each other than
    /// that part are one.
    #[must_use]
    pub fn correlated(mean: Vec<f64>, covariance: &DMatrix<f64>, resolution: f64) -> Self {
        let d = mean.len();
        let is_correlated = |i: usize, j: usize| {
            covariance[(i, j)].abs() > resolution * (covariance[(i, i)] * covariance[(j, j)]).sqrt()
        };
        if !(0..d).any(|i| (0..i).any(|j| is_correlated(i, j))) {
            return Self::uncorrelated(mean, covariance.diagonal().iter().copied().collect(), resolution);
        }
        let eigen = covariance.clone().symmetric_eigen();
        let variances = eigen.eigenvalues.iter().map(|v| v.max(0.0)).collect();
        Self { mean, variances, axes: Some(eigen.eigenvectors) }
    }

    /// Variance averaged over the coordinates.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.variances.iter().sum::<f64>() / self.variances.len() as f64
    }

    /// Variance of each coordinate, \[d\].
    #[must_use]
    pub fn coordinate_variances(&self) -> Vec<f64> {
        let Some(axes) = &self.axes else { return self.variances.clone() };
        let along = |row: usize| axes.row(row).iter().zip(&self.variances).map(|(v, s)| v * v * s).sum();
        (0..self.mean.len()).map(along).collect()
    }

    /// The smallest standard deviation in any direction, of those that vary.
    #[must_use]
    pub fn narrowest(&self) -> Option<f64> {
        let varying = self.variances.iter().filter(|variance| **variance > 0.0);
        varying.map(|variance| variance.sqrt()).min_by(f64::total_cmp)
    }

    /// F with the covariance F Fᵀ, [d, d].
    #[must_use]
    pub fn factor(&self) -> DMatrix<f64> {
        let deviations = DMatrix::from_diagonal(&self.variances.iter().map(|v| v.sqrt()).collect::<Vec<_>>().into());
        match &self.axes {
            Some(axes) => axes * deviations,
            None => deviations,
        }
    }

    /// Turns a vector of coordinates, \[d\], into one along the axes.
    pub fn turn(&self, vector: &mut [f64]) {
        if let Some(axes) = &self.axes {
            let along = axes.tr_mul(&DVector::from_column_slice(vector));
            vector.copy_from_slice(along.as_slice());
        }
    }

    /// Turns a vector along the axes, \[d\], into one of coordinates.
    pub fn turn_back(&self, vector: &mut [f64]) {
        if let Some(axes) = &self.axes {
            let own = axes * DVector::from_column_slice(vector);
            vector.copy_from_slice(own.as_slice());
        }
    }

    /// The same with the average variance in all directions.
    #[must_use]
    pub fn pooled(&self) -> Self {
        Self::isotropic(self.mean.clone(), self.variance())
    }

    /// The same without correlations between coordinates.
    #[must_use]
    pub fn along_coordinates(&self) -> Self {
        Self { mean: self.mean.clone(), variances: self.coordinate_variances(), axes: None }
    }
}
