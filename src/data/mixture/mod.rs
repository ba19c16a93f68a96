//! Gaussian mixtures Σ wₖ N(μₖ, Sₖ): the data whose scores are known in closed form.

mod classes;
mod sampler;

use nalgebra::{DMatrix, DMatrixView, DVector, DVectorView};

pub(super) use sampler::Sampler;

use super::moments::{Detail, MOST_CORRELATED, Moments};
use super::units::Units;
use crate::error::{Error, Result};
use crate::settings::written;
use crate::tensor::{beyond, coarse, number};

/// A Gaussian mixture of K components over d coordinates. Only [`Mixture::new`] makes one, and checks what the fields
/// promise.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// Weights, \[K\], each ≥ 0, of sum 1.
    pub(crate) weights: Vec<f64>,
    /// Means, [K, d], row-major.
    pub(crate) means: Vec<f64>,
    /// Covariances of the components.
    pub(crate) covariance: Covariance,
}

/// Covariances of the components of a mixture.
#[derive(Debug, Clone, PartialEq)]
pub enum Covariance {
    /// Variance of every coordinate, \[K\]: Sₖ = vₖ I.
    Isotropic(Vec<f64>),
    /// Symmetric positive definite matrices, [K, d, d], row-major.
    Full(Vec<f64>),
}

impl Covariance {
    /// Isotropic covariances from standard deviations, \[K\].
    ///
    /// # Errors
    /// When one is not above 0; the error names the component.
    pub fn from_std(std: &[f64]) -> Result<Self> {
        // A square would hide the sign.
        match std.iter().position(|s| !(*s > 0.0 && s.is_finite())) {
            Some(k) => {
                Err(Error::argument("std", format!("must be above 0, got {} for component {k}", written(std[k]))))
            }
            None => Ok(Self::Isotropic(std.iter().map(|s| s * s).collect())),
        }
    }
}

impl Mixture {
    /// A mixture with its weights normalised and its covariances symmetrised to the last bit.
    ///
    /// # Errors
    /// When a number is not finite, a weight is negative or all are 0, the lengths disagree, or a covariance is not
    /// symmetric positive definite; the error names the component.
    pub fn new(weights: Vec<f64>, means: Vec<f64>, covariance: Covariance) -> Result<Self> {
        let weights = normalise(weights)?;
        let components = weights.len();
        if means.is_empty() || !means.len().is_multiple_of(components) {
            return Err(Error::argument(
                "means",
                format!("has {} numbers, which {components} weights do not divide into points", means.len()),
            )
            .with_hint("give one mean, of the same number of coordinates, for every weight"));
        }
        let dimension = means.len() / components;
        if let Some(at) = means.iter().position(|v| !v.is_finite()) {
            return Err(Error::argument("means", format!("has {} in component {}", means[at], at / dimension)));
        }
        if let Some(at) = beyond(&means) {
            let problem = format!("has {} in component {}, {BEYOND}", written(means[at]), at / dimension);
            return Err(Error::argument("means", problem).with_hint(IN_UNITS));
        }
        let covariance = match covariance {
            Covariance::Isotropic(variances) => isotropic(variances, components)?,
            Covariance::Full(matrices) => full(matrices, components, dimension)?,
        };
        let mixture = Self { weights, means, covariance };
        let far = |k: usize, c: usize| mixture.means[k * dimension + c].abs() + FAR * mixture.deviation(k, c);
        if let Some((k, c)) = mixture.places().find(|&(k, c)| beyond(&[far(k, c)]).is_some()) {
            let problem = format!("of component {k} is {}, {BEYOND}", number(mixture.deviation(k, c)));
            return Err(Error::argument("std", problem).with_hint(IN_UNITS));
        }
        Ok(mixture)
    }

    /// Nine components of equal weight on a 3×3 grid, rotated by 45°: the "diamond" of arXiv 2411.07233.
    ///
    /// `spacing` is the distance between neighbours and `std` the standard deviation of a component.
    ///
    /// # Errors
    /// When `spacing` or `std` is not above 0.
    pub fn diamond(spacing: f64, std: f64) -> Result<Self> {
        for (name, value) in [("spacing", spacing), ("std", std)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::argument(name, format!("must be above 0, got {}", written(value))));
            }
        }
        let step = spacing * std::f64::consts::FRAC_1_SQRT_2;
        let grid = [-1.0, 0.0, 1.0];
        let means = grid.iter().flat_map(|a| grid.iter().flat_map(move |b| [step * (a - b), step * (a + b)])).collect();
        Self::new(vec![1.0; 9], means, Covariance::Isotropic(vec![std * std; 9]))
    }

    /// Number of components K.
    pub fn components(&self) -> usize {
        self.weights.len()
    }

    /// Number of coordinates d.
    pub fn dimension(&self) -> usize {
        self.means.len() / self.components()
    }

    /// Mean and covariance, exactly; of more than 16 coordinates the variances only.
    pub fn moments(&self) -> Moments {
        let d = self.dimension();
        let parts = || self.weights.iter().zip(self.means.chunks_exact(d));
        let mut mean = vec![0.0; d];
        for (weight, component) in parts() {
            for (sum, value) in mean.iter_mut().zip(component) {
                *sum += weight * value;
            }
        }
        let entry = |i: usize, j: usize| {
            let between = |component: &[f64]| (component[i] - mean[i]) * (component[j] - mean[j]);
            parts().enumerate().map(|(k, (weight, m))| weight * (between(m) + self.entry(k, i, j))).sum::<f64>()
        };
        if d > MOST_CORRELATED {
            let variances = (0..d).map(|i| entry(i, i)).collect();
            return Moments::uncorrelated(mean, variances, ROUNDING);
        }
        let covariance = DMatrix::from_fn(d, d, entry);
        Moments::correlated(mean, &covariance, ROUNDING)
    }

    /// The smallest standard deviation of a component in any direction.
    pub fn finest(&self) -> f64 {
        let d = self.dimension();
        let variance = match &self.covariance {
            Covariance::Isotropic(variances) => variances.iter().copied().fold(f64::INFINITY, f64::min),
            Covariance::Full(matrices) => {
                let smallest = |matrix| DMatrix::from_row_slice(d, d, matrix).symmetric_eigenvalues().min();
                matrices.chunks_exact(d * d).map(smallest).fold(f64::INFINITY, f64::min)
            }
        };
        variance.max(0.0).sqrt()
    }

    /// The smallest variance of a component of some weight in any direction, and that which is smallest beside the
    /// variance of the whole in its direction, which the `moments` say.
    pub fn details(&self, moments: &Moments) -> Vec<Detail> {
        let d = self.dimension();
        let all = |direction: DVectorView<'_, f64>| {
            let along = moments.axes.as_ref().map(|axes| axes.tr_mul(&direction));
            let along = along.unwrap_or_else(|| direction.into_owned());
            along.iter().zip(&moments.variances).map(|(part, variance)| part * part * variance).sum()
        };
        let of_component = |k: usize| match &self.covariance {
            // One variance in all directions is smallest beside the widest.
            Covariance::Isotropic(variances) => {
                let beside = moments.variances.iter().copied().fold(0.0, f64::max);
                vec![Detail { variance: variances[k], beside }]
            }
            Covariance::Full(matrices) => {
                let eigen = DMatrix::from_row_slice(d, d, &matrices[k * d * d..][..d * d]).symmetric_eigen();
                let directions = eigen.eigenvalues.iter().zip(eigen.eigenvectors.column_iter());
                directions.map(|(&variance, direction)| Detail { variance, beside: all(direction) }).collect()
            }
        };
        let components = (0..self.components()).filter(|k| self.weights[*k] > 0.0);
        let details: Vec<_> = components.flat_map(of_component).filter(|detail| detail.variance > 0.0).collect();
        let narrowest = details.iter().copied().min_by(|a, b| a.variance.total_cmp(&b.variance));
        let sharpest = details.iter().copied().min_by(|a, b| a.share().total_cmp(&b.share()));
        narrowest
            .into_iter()
            .chain(sharpest.filter(|detail| !detail.is_whole() && Some(*detail) != narrowest))
            .collect()
    }

    /// That samples, which are in single precision, cannot hold a component of some weight in a coordinate: of that
    /// coordinate, as a sentence after its name.
    pub(super) fn coarseness(&self) -> Option<(usize, String)> {
        let d = self.dimension();
        self.places().filter(|(k, _)| self.weights[*k] > 0.0).find_map(|(k, c)| {
            let problem = coarse(self.means[k * d + c], self.deviation(k, c))?;
            let of_component = if self.components() == 1 { String::new() } else { format!("in component {k} ") };
            Some((c, format!("{of_component}{problem}")))
        })
    }

    /// All components, each with all coordinates.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let d = self.dimension();
        (0..self.means.len()).map(move |i| (i / d, i % d))
    }

    /// The standard deviation of component `k` in coordinate `c`.
    fn deviation(&self, k: usize, c: usize) -> f64 {
        self.entry(k, c, c).sqrt()
    }

    /// The mixture in other `units`.
    pub(super) fn scaled(&self, units: &Units) -> Result<Self> {
        let d = self.dimension();
        let scale = &units.scale;
        let means = self.means.iter().enumerate().map(|(i, m)| units.normalise(i % d, *m)).collect();
        let entry = |k: usize, i: usize, j: usize| self.entry(k, i, j) / (scale[i] * scale[j]);
        let covariance = match &self.covariance {
            Covariance::Isotropic(variances) if scale.iter().all(|s| *s == scale[0]) => {
                Covariance::Isotropic(variances.iter().map(|variance| variance / (scale[0] * scale[0])).collect())
            }
            _ => {
                let places = (0..self.components()).flat_map(|k| (0..d * d).map(move |i| (k, i / d, i % d)));
                Covariance::Full(places.map(|(k, i, j)| entry(k, i, j)).collect())
            }
        };
        Self::new(self.weights.clone(), means, covariance)
    }

    /// The mixture as seen from `origin`, \[d\], along `axes`, the columns of an orthogonal [d, d].
    pub(crate) fn seen_from(&self, origin: &[f64], axes: Option<&DMatrix<f64>>) -> Self {
        let d = self.dimension();
        let means = self.means.iter().enumerate().map(|(i, m)| m - origin[i % d]).collect();
        let shifted = Self { means, ..self.clone() };
        let Some(axes) = axes else { return shifted };
        let turned = DMatrix::from_row_slice(self.components(), d, &shifted.means) * axes;
        let covariance = match &self.covariance {
            Covariance::Isotropic(variances) => Covariance::Isotropic(variances.clone()),
            Covariance::Full(matrices) => {
                let turn = |matrix: &[f64]| axes.tr_mul(&DMatrix::from_row_slice(d, d, matrix)) * axes;
                Covariance::Full(matrices.chunks_exact(d * d).flat_map(|m| turn(m).as_slice().to_vec()).collect())
            }
        };
        Self { means: turned.transpose().as_slice().to_vec(), covariance, ..shifted }
    }

    /// The covariance of component `k` times a `vector`, \[d\].
    pub(crate) fn times(&self, k: usize, vector: &DVector<f64>) -> DVector<f64> {
        let d = self.dimension();
        match &self.covariance {
            Covariance::Isotropic(variances) => vector * variances[k],
            Covariance::Full(matrices) => DMatrixView::from_slice(&matrices[k * d * d..][..d * d], d, d) * vector,
        }
    }

    /// The lower-triangular factor of the covariance of component `k`, [d, d].
    ///
    /// # Errors
    /// None for a mixture, which checks its covariances.
    pub(crate) fn factor(&self, k: usize) -> Result<DMatrix<f64>> {
        let d = self.dimension();
        match &self.covariance {
            Covariance::Isotropic(variances) => Ok(DMatrix::from_diagonal_element(d, d, variances[k].sqrt())),
            Covariance::Full(matrices) => factor(&matrices[k * d * d..][..d * d], k, d),
        }
    }

    /// An entry of the covariance of component `k`.
    fn entry(&self, k: usize, i: usize, j: usize) -> f64 {
        let d = self.dimension();
        match &self.covariance {
            Covariance::Isotropic(variances) if i == j => variances[k],
            Covariance::Isotropic(_) => 0.0,
            Covariance::Full(matrices) => matrices[(k * d + i) * d + j],
        }
    }
}

/// Standard deviations from the mean that no sample is beyond.
const FAR: f64 = 10.0;
/// Why numbers are refused, and the way out.
const BEYOND: &str = "beyond what single precision holds, 3.4e38";
const IN_UNITS: &str = "divide the data by a unit of their size";

/// Parts of variances that are rounding of sums over components.
const ROUNDING: f64 = 1e-9;

fn normalise(weights: Vec<f64>) -> Result<Vec<f64>> {
    if weights.is_empty() {
        return Err(Error::argument("weights", "is empty").with_hint("a mixture needs at least one component"));
    }
    if let Some(k) = weights.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
        return Err(Error::argument(
            "weights",
            format!("must be 0 or above, got {} for component {k}", written(weights[k])),
        ));
    }
    let sum: f64 = weights.iter().sum();
    if !(sum > 0.0 && sum.is_finite()) {
        return Err(Error::argument("weights", format!("must have a sum above 0, got {sum}")));
    }
    Ok(weights.into_iter().map(|w| w / sum).collect())
}

fn isotropic(variances: Vec<f64>, components: usize) -> Result<Covariance> {
    if variances.len() != components {
        return Err(Error::argument("std", format!("has {} entries for {components} components", variances.len())));
    }
    if let Some(k) = variances.iter().position(|v| !(*v > 0.0 && v.is_finite())) {
        return Err(Error::argument("std", format!("of component {k} must be above 0 (variance {})", variances[k])));
    }
    Ok(Covariance::Isotropic(variances))
}

fn full(mut matrices: Vec<f64>, components: usize, d: usize) -> Result<Covariance> {
    if matrices.len() != components * d * d {
        return Err(Error::argument(
            "covariances",
            format!("has {} numbers, not {components} matrices of {d}×{d}", matrices.len()),
        ));
    }
    for (k, matrix) in matrices.chunks_exact_mut(d * d).enumerate() {
        if let Some(value) = matrix.iter().find(|v| !v.is_finite()) {
            return Err(Error::argument("covariances", format!("has {value} in component {k}")));
        }
        for i in 0..d {
            for j in 0..i {
                let (lower, upper) = (matrix[i * d + j], matrix[j * d + i]);
                if (lower - upper).abs() > 1e-9 * (matrix[i * d + i] * matrix[j * d + j]).abs().sqrt() {
                    return Err(Error::argument(
                        "covariances",
                        format!("of component {k} is not symmetric: [{i}, {j}] is {lower}, [{j}, {i}] is {upper}"),
                    ));
                }
                matrix[i * d + j] = 0.5 * (lower + upper);
                matrix[j * d + i] = matrix[i * d + j];
            }
        }
        factor(matrix, k, d)?;
    }
    Ok(Covariance::Full(matrices))
}

/// Lower Cholesky factor of the covariance of component `k`, [d, d].
fn factor(matrix: &[f64], k: usize, d: usize) -> Result<DMatrix<f64>> {
    DMatrix::from_row_slice(d, d, matrix).cholesky().map(|factor| factor.l()).ok_or_else(|| {
        Error::argument("covariances", format!("of component {k} is not positive definite"))
            .with_hint("every eigenvalue must be above 0; for a flat direction give it a small variance")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(result: Result<Mixture>) -> String {
        result.expect_err("must be refused").to_string()
    }

    #[test]
    fn bad_mixtures_are_refused_with_the_component() {
        let unit = |k: usize| Covariance::Isotropic(vec![1.0; k]);
        let new = Mixture::new;
        assert!(problem(new(vec![], vec![], unit(0))).contains("is empty"));
        assert!(problem(new(vec![1.0, -1.0], vec![0.0; 2], unit(2))).contains("got -1 for component 1"));
        assert!(problem(new(vec![0.0, 0.0], vec![0.0; 2], unit(2))).contains("a sum above 0"));
        assert!(problem(new(vec![1.0, 1.0], vec![0.0; 3], unit(2))).contains("has 3 numbers"));
        assert!(problem(new(vec![1.0, 1.0], vec![0.0, 0.0, f64::NAN, 0.0], unit(2))).contains("NaN in component 1"));
        assert!(problem(new(vec![1.0], vec![0.0], unit(2))).contains("2 entries for 1 components"));
        let zero = Covariance::Isotropic(vec![1.0, 0.0]);
        assert!(problem(new(vec![1.0, 1.0], vec![0.0; 2], zero)).contains("component 1 must be above 0"));
        let full = |entries: [f64; 4]| new(vec![1.0], vec![0.0; 2], Covariance::Full(entries.to_vec()));
        assert!(problem(full([1.0, 0.2, 0.3, 1.0])).contains("is not symmetric"));
        assert!(problem(full([1.0, 2.0, 2.0, 1.0])).contains("component 0 is not positive definite"));
        assert!(problem(full([1.0, f64::INFINITY, 0.0, 1.0])).contains("inf in component 0"));
        assert!(problem(new(vec![1.0], vec![0.0; 2], Covariance::Full(vec![1.0]))).contains("not 1 matrices of 2×2"));
        assert!(problem(Mixture::diamond(0.5, 0.0)).starts_with("`std` must be above 0"));
        assert!(problem(Mixture::diamond(f64::NAN, 1.0)).starts_with("`spacing` must be above 0"));
    }

    /// Seen to fail when only the moments of all components together were looked at: those are 2^24 wide.
    #[test]
    fn what_single_precision_cannot_hold_is_refused_or_said() {
        let new = |means: [f64; 2], std: f64| {
            Mixture::new(vec![1.0; 2], means.to_vec(), Covariance::from_std(&[std; 2]).unwrap())
        };
        assert!(problem(new([0.0, 1e39], 1.0)).starts_with("`means` has 1e39 in component 1, beyond what single"));
        assert!(problem(new([0.0, 1.0], 1e39)).starts_with("`std` of component 0 is 1.0000e39, beyond what single"));
        let far = 2_f64.powi(24);
        let (c, said) = new([-far, far], 0.5).unwrap().coarseness().unwrap();
        assert_eq!(
            (c, said.starts_with("in component 0 has the mean -16_777_216 and a standard")),
            (0, true),
            "{said}"
        );
        assert_eq!(new([-far, far], 1e3).unwrap().coarseness(), None);
        let small = new([0.0, 1e-40], 1e-41).unwrap().coarseness().unwrap().1;
        assert!(small.starts_with("in component 0 has a standard deviation of 1.0000e-41"), "{small}");
    }

    #[test]
    fn the_diamond_is_a_rotated_grid() {
        let diamond = Mixture::diamond(0.5, 0.04).unwrap();
        assert_eq!((diamond.components(), diamond.dimension()), (9, 2));
        let mut radii: Vec<f64> = diamond.means.chunks(2).map(|m| m[0].hypot(m[1])).collect();
        radii.sort_by(f64::total_cmp);
        let corner = 0.5 * f64::sqrt(2.0);
        for (radius, truth) in radii.iter().zip([0.0, 0.5, 0.5, 0.5, 0.5, corner, corner, corner, corner]) {
            assert!((radius - truth).abs() < 1e-15);
        }
        // The corners of the grid stand on the axes.
        assert!(diamond.means.chunks(2).any(|m| m[0].abs() < 1e-15 && (m[1] - corner).abs() < 1e-15));
        let moments = diamond.moments();
        assert!(moments.mean.iter().all(|m| m.abs() < 1e-16));
        assert!(
            moments.variances == [moments.variance(); 2]
                && (moments.variance() - (0.25 * 2.0 / 3.0 + 0.0016)).abs() < 1e-15
        );
    }
}
