//! Poles and zeros: sets of complex numbers that hold the conjugate of each.

use nalgebra::{Complex, DMatrix};

use crate::gauss::plain_eigenvalues;

/// Imaginary parts below this part of a number are rounding.
const REAL: f64 = 1e-12;
/// Numerators whose sum is below this part of them have a sum of 0, and a zero at infinity.
const NO_GAIN: f64 = 1e-13;

/// Real numbers, and one of each pair of conjugate ones: that with the positive imaginary part.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Roots {
    pub(super) real: Vec<f64>,
    pub(super) pairs: Vec<Complex<f64>>,
}

impl Roots {
    /// Of numbers that come with their conjugates.
    pub(super) fn new(all: impl IntoIterator<Item = Complex<f64>>) -> Self {
        let mut roots = Self::default();
        for root in all {
            match root.im.abs() <= REAL * root.norm() {
                true => roots.real.push(root.re),
                false if root.im > 0.0 => roots.pairs.push(root),
                false => {}
            }
        }
        roots
    }

    /// The eigenvalues of a matrix, if they can be found.
    pub(super) fn of_matrix(matrix: &DMatrix<f64>) -> Option<Self> {
        let is_finite = matrix.iter().all(|entry| entry.is_finite());
        Some(Self::new(plain_eigenvalues(matrix).filter(|_| is_finite)?))
    }

    /// How many they are.
    pub(super) fn count(&self) -> usize {
        self.real.len() + 2 * self.pairs.len()
    }

    /// All of them: the real ones, the pairs, their conjugates.
    pub(super) fn all(&self) -> impl Iterator<Item = Complex<f64>> + Clone + '_ {
        let real = self.real.iter().map(|&root| Complex::new(root, 0.0));
        real.chain(self.pairs.iter().copied()).chain(self.pairs.iter().map(Complex::conj))
    }

    /// The real ones and one of each pair.
    pub(super) fn upper(&self) -> impl Iterator<Item = Complex<f64>> + Clone + '_ {
        self.real.iter().map(|&root| Complex::new(root, 0.0)).chain(self.pairs.iter().copied())
    }

    /// The same with each root moved by a function that keeps conjugates conjugate.
    pub(super) fn map(&self, to: impl Fn(Complex<f64>) -> Complex<f64>) -> Self {
        Self::new(self.upper().chain(self.pairs.iter().map(Complex::conj)).map(to))
    }

    /// Magnitudes of the smallest and the largest.
    pub(super) fn range(&self) -> (f64, f64) {
        let sizes = self.upper().map(|root| root.norm());
        sizes.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), size| (low.min(size), high.max(size)))
    }

    /// The product of (s − root) over all roots.
    pub(super) fn product(&self, s: Complex<f64>) -> Complex<f64> {
        self.all().map(|root| s - root).product()
    }

    /// Coefficients of that product, the highest power first. Where no root has a positive real part all of them are
    /// sums of positive numbers.
    pub(super) fn coefficients(&self) -> Vec<f64> {
        let mut product = vec![1.0];
        let mut times = |factor: &[f64]| {
            let mut longer = vec![0.0; product.len() + factor.len() - 1];
            for (i, a) in product.iter().enumerate() {
                factor.iter().enumerate().for_each(|(j, b)| longer[i + j] += a * b);
            }
            product = longer;
        };
        self.real.iter().for_each(|root| times(&[1.0, -root]));
        self.pairs.iter().for_each(|root| times(&[1.0, -2.0 * root.re, root.norm_sqr()]));
        product
    }
}

/// A sum of simple fractions: real numerators for the real poles, complex ones for the pairs.
#[derive(Debug, Clone)]
pub(super) struct Fractions {
    pub(super) poles: Roots,
    pub(super) real: Vec<f64>,
    pub(super) pairs: Vec<Complex<f64>>,
}

impl Fractions {
    /// With numerators as [`columns`] counts them.
    pub(super) fn new(poles: Roots, numerators: &[f64]) -> Self {
        let (real, pairs) = numerators.split_at(poles.real.len());
        let pairs = pairs.chunks_exact(2).map(|pair| Complex::new(pair[0], pair[1])).collect();
        Self { real: real.to_vec(), pairs, poles }
    }

    /// The zeros of Σ numerator/(s − pole) + `constant`, with `constant` 0 or 1; some may be far away where there
    /// should be fewer.
    pub(super) fn zeros(&self, constant: bool) -> Option<Roots> {
        let numerators: Vec<_> =
            self.real.iter().copied().chain(self.pairs.iter().flat_map(|c| [c.re, c.im])).collect();
        let count = numerators.len();
        let (mut system, mut input) = (DMatrix::zeros(count, count), vec![1.0; count]);
        self.poles.real.iter().enumerate().for_each(|(i, pole)| system[(i, i)] = *pole);
        for (pair, pole) in self.poles.pairs.iter().enumerate() {
            let i = self.poles.real.len() + 2 * pair;
            (system[(i, i)], system[(i, i + 1)]) = (pole.re, pole.im);
            (system[(i + 1, i)], system[(i + 1, i + 1)]) = (-pole.im, pole.re);
            (input[i], input[i + 1]) = (2.0, 0.0);
        }
        if constant {
            // Feedback closes the loop: A - b c.
            return Roots::of_matrix(&DMatrix::from_fn(count, count, |i, j| system[(i, j)] - input[i] * numerators[j]));
        }
        let gain: f64 = input.iter().zip(&numerators).map(|(b, c)| b * c).sum();
        let least = NO_GAIN * numerators.iter().map(|c| c.abs()).sum::<f64>();
        let gain = if gain.abs() < least { least } else { gain };
        let project = DMatrix::from_fn(count, count, |i, j| f64::from(i == j) - input[i] * numerators[j] / gain);
        let mut zeros = Roots::of_matrix(&(project * system))?;
        // The projection itself adds an eigenvalue 0.
        let least = zeros.upper().map(|zero| zero.norm()).fold(f64::INFINITY, f64::min);
        match zeros.real.iter().position(|zero| zero.abs() == least) {
            Some(extra) => drop(zeros.real.remove(extra)),
            None => return None,
        }
        Some(zeros)
    }
}

/// The columns that the real numerators, and the real and imaginary parts of the complex ones, multiply where a pole p
/// contributes numerator·`term`(p).
pub(super) fn columns(poles: &Roots, term: impl Fn(Complex<f64>) -> Vec<Complex<f64>>) -> Vec<Vec<f64>> {
    let real = poles.real.iter().map(|&pole| term(Complex::new(pole, 0.0)).iter().map(|one| one.re).collect());
    let pairs = poles.pairs.iter().flat_map(|&pole| {
        let one = term(pole);
        [one.iter().map(|one| 2.0 * one.re).collect(), one.iter().map(|one| -2.0 * one.im).collect()]
    });
    real.chain(pairs).collect()
}
