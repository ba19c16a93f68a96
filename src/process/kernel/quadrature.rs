//! Gauss–Legendre quadrature on one interval.

use std::sync::LazyLock;

/// Nodes of the rule: exact for polynomials of degree 23.
pub(super) const NODES: usize = 12;
/// The Gauss–Legendre rule on [0, 1].
#[derive(Debug)]
pub(super) struct Rule {
    /// u_i, in rising order.
    pub(super) nodes: [f64; NODES],
    /// w_i, of sum 1.
    pub(super) weights: [f64; NODES],
    /// V_ij = ∫_{u_i}^1 ℓ_j(u) du with the Lagrange polynomials ℓ_j of the nodes.
    pub(super) rest: [[f64; NODES]; NODES],
}

/// The one rule of the program.
pub(super) fn rule() -> &'static Rule {
    static RULE: LazyLock<Rule> = LazyLock::new(Rule::new);
    &RULE
}

impl Rule {
    fn new() -> Self {
        let (mut nodes, mut weights) = ([0.0; NODES], [0.0; NODES]);
        // P_k(x_i), k up to the number of nodes.
        let mut values = [[0.0; NODES + 1]; NODES];
        for (i, value) in values.iter_mut().enumerate() {
            let mut x = -f64::cos(std::f64::consts::PI * (i as f64 + 0.75) / (NODES as f64 + 0.5));
            let mut slope = 1.0;
            // Newton's iteration doubles the digits: from three to sixteen in three.
            for _ in 0..6 {
                *value = legendre(x);
                slope = NODES as f64 * (value[NODES - 1] - x * value[NODES]) / (1.0 - x * x);
                x -= value[NODES] / slope;
            }
            *value = legendre(x);
            nodes[i] = 0.5 * (1.0 + x);
            weights[i] = 1.0 / ((1.0 - x * x) * slope * slope);
        }
        // ℓ_j = Σ_k (2k + 1) w_j P_k(x_j) P_k, and ∫_x^1 P_k = (P_{k−1}(x) − P_{k+1}(x))/(2k + 1).
        let mut rest = [[0.0; NODES]; NODES];
        for i in 0..NODES {
            let x = 2.0 * nodes[i] - 1.0;
            for j in 0..NODES {
                let higher = (1..NODES).map(|k| values[j][k] * (values[i][k - 1] - values[i][k + 1]));
                rest[i][j] = 0.5 * weights[j] * (1.0 - x + higher.sum::<f64>());
            }
        }
        Self { nodes, weights, rest }
    }
}

/// P_0, ..., P_NODES at x in [−1, 1].
fn legendre(x: f64) -> [f64; NODES + 1] {
    let mut values = [1.0; NODES + 1];
    values[1] = x;
    for k in 1..NODES {
        values[k + 1] = ((2 * k + 1) as f64 * x * values[k] - k as f64 * values[k - 1]) / (k + 1) as f64;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_is_exact_for_polynomials() {
        let rule = rule();
        for power in 0..2 * NODES as i32 {
            let sum: f64 = rule.nodes.iter().zip(&rule.weights).map(|(u, w)| w * u.powi(power)).sum();
            assert!((sum * f64::from(power + 1) - 1.0).abs() < 1e-14, "degree {power}: {sum}");
        }
        for (row, u) in rule.rest.iter().zip(rule.nodes) {
            for power in 0..NODES as i32 {
                let sum: f64 = row.iter().zip(&rule.nodes).map(|(v, u)| v * u.powi(power)).sum();
                let truth = (1.0 - u.powi(power + 1)) / f64::from(power + 1);
                assert!((sum - truth).abs() < 1e-15, "degree {power} from {u}: {sum}");
            }
        }
    }
}
