//! The linearised law at the end of a window, of one sample.

/// The linearised law of the end of one window.
#[derive(Debug, Clone)]
pub struct WindowLaw {
    pub(super) size: usize,
    pub(super) driven: usize,
    /// L with L Lᵀ = P, row-major; a column of zeros where nothing is random.
    pub(super) lower: Vec<f64>,
    /// δ.
    pub(super) deviation: Vec<f64>,
}

/// A pivot below this part of its variance is rounding: P is carried in single precision.
const SINGULAR: f64 = 1e-6;

impl WindowLaw {
    /// Turns P, which `lower` holds, into its factor.
    pub(super) fn decompose(&mut self) {
        let n = self.size;
        for i in 0..n {
            let variance = self.lower[i * n + i];
            for j in 0..=i {
                let known: f64 = (0..j).map(|k| self.lower[i * n + k] * self.lower[j * n + k]).sum();
                let left = self.lower[i * n + j] - known;
                let pivot = self.lower[j * n + j];
                self.lower[i * n + j] = match () {
                    () if i == j && left > SINGULAR * variance => left.sqrt(),
                    () if i == j || pivot == 0.0 => 0.0,
                    () => left / pivot,
                };
            }
        }
    }

    /// ε = L⁻¹ δ, in the order of the factor: unit normals if the linearised law is the true one. 0 where nothing is
    /// random.
    pub fn white(&self) -> Vec<f64> {
        let n = self.size;
        let mut white = vec![0.0; n];
        for i in 0..n {
            let known: f64 = (0..i).map(|k| self.lower[i * n + k] * white[k]).sum();
            let pivot = self.lower[i * n + i];
            white[i] = if pivot == 0.0 { 0.0 } else { (self.deviation[i] - known) / pivot };
        }
        white
    }

    /// The driven part of the score, −L_dd^{−ᵀ} ε_d, \[driven\].
    pub fn score(&self) -> Vec<f64> {
        let (n, first) = (self.size, self.size - self.driven);
        let mut score: Vec<_> = self.white()[first..].iter().map(|e| -e).collect();
        for i in (0..self.driven).rev() {
            let below = i + 1..self.driven;
            let known: f64 = below.map(|k| self.lower[(first + k) * n + first + i] * score[k]).sum();
            score[i] = (score[i] - known) / self.lower[(first + i) * n + first + i];
        }
        score
    }

    /// The variance ℓ² of each driven component given all the others, \[driven\].
    pub fn conditional_variance(&self) -> Vec<f64> {
        let (n, first) = (self.size, self.size - self.driven);
        // Columns of L_dd⁻¹.
        let column = |j: usize| {
            let mut inverse = vec![0.0; self.driven];
            for i in j..self.driven {
                let known: f64 = (j..i).map(|k| self.lower[(first + i) * n + first + k] * inverse[k]).sum();
                let unit = if i == j { 1.0 } else { 0.0 };
                inverse[i] = (unit - known) / self.lower[(first + i) * n + first + i];
            }
            1.0 / inverse.iter().map(|v| v * v).sum::<f64>()
        };
        (0..self.driven).map(column).collect()
    }
}
