//! Euler–Maruyama with Langevin corrections (Song et al., arXiv 2011.13456, algorithm 5) after each step.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::about::{About, Fixed, Method, Needs, Way};
use crate::error::Result;
use crate::expr::Assignment;
use crate::process::{Class, Motion, Process};
use crate::sample::combination::{Combination, joined};
use crate::sample::layout::Layout;
use crate::sample::plan::{Part, Place, Stepper};
use crate::sample::problem::Problem;
use crate::sample::update::Update;
use crate::settings::{Setting, Value, Values};

pub(in crate::sample) const ABOUT: About = About {
    name: "pc",
    meaning: "Euler–Maruyama with Langevin corrections after each step that does not end at t = 0",
    title: "Euler-Maruyama with Langevin corrections",
    text: &[
        "z <- z + b(z, t) h + G(z, t) sqrt(h) xi",
        "z_d <- z_d + e S_d(z, t - h) + sqrt(2 e) xi for the driven z_d,  e = min(2 (snr |xi|/|S_d|)^2, h D_dd/2)",
    ],
    latex: &[
        "z &\\leftarrow z + b(z, t)\\, h + G(z, t) \\sqrt{h}\\, \\xi, \\qquad b = -f + \\nabla \\cdot D + D \\nabla \\ln \
         p_t",
        "z_d &\\leftarrow z_d + \\epsilon\\, \\partial_d \\ln p_{t-h}(z) + \\sqrt{2 \\epsilon}\\, \\xi, \\qquad \\epsilon \
         = \\min\\Bigl(2 \\left(r \\lVert \\xi \\rVert / \\lVert \\partial_d \\ln p \\rVert\\right)^2, \\tfrac12 h \
         D_{dd}\\Bigr)",
    ],
    steps: 1000,
    settings: SETTINGS,
    needs: Needs::Any,
    read: |values| Arc::new(PredictorCorrector::read(values)),
};

const SETTINGS: &[Setting] = &[CORRECTOR_STEPS, SNR];
/// Parts of a random stream are numbered by 24 bits.
const CORRECTOR_STEPS: Setting = Setting::count("corrector_steps", "corrections a step").between(1.0, 1000.0).or(1.0);
const SNR: Setting = Setting::number(
    "snr",
    "signal-to-noise ratio of a correction, which adds at most the noise of the step before it where that does not \
     depend on the state",
)
.above(0.0)
.or(0.16);

/// Euler–Maruyama with Langevin corrections after each step that does not end at t = 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictorCorrector {
    /// Corrections after a step.
    pub corrector_steps: usize,
    /// Signal-to-noise ratio r of a correction.
    pub snr: f64,
}

impl PredictorCorrector {
    fn read(values: &Values) -> Self {
        Self { corrector_steps: values.count("corrector_steps"), snr: values.number("snr") }
    }
}

impl Default for PredictorCorrector {
    fn default() -> Self {
        Self::read(&Values::defaults(SETTINGS))
    }
}

impl Method for PredictorCorrector {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn words(&self) -> String {
        format!("{} corrections a step, snr {}", self.corrector_steps, self.snr)
    }

    fn check(&self) -> Result<()> {
        CORRECTOR_STEPS.check(&Value::Number(self.corrector_steps as f64))?;
        SNR.check(&Value::Number(self.snr))
    }

    fn way(&self) -> Way<'_> {
        Way::Fixed(self)
    }
}

impl Fixed for PredictorCorrector {
    fn stepper<'a>(&'a self, problem: &'a Problem<'a>) -> Result<Stepper<'a>> {
        let reverse = problem.field(Motion::Reverse)?;
        let Layout { state, score, .. } = problem.layout;
        Ok(Box::new(move |step| {
            let mut parts = problem.euler(&reverse, step)?;
            let (before, time) = problem.span(step);
            if time == 0.0 {
                return Ok(parts);
            }
            let update = self.correction(problem, time, before - time)?;
            for correction in 0..self.corrector_steps {
                parts.extend([
                    problem.load(),
                    problem.score(time),
                    Part::Draw { draw: 1 + correction as u32, rows: score, to: state + score },
                    Part::Apply { update: update.clone(), from: 0, to: Place::Kept(0) },
                ]);
            }
            Ok(parts)
        }))
    }
}

impl PredictorCorrector {
    /// Langevin steps z_d ← z_d + ε ŝ_d + √(2ε) ξ_d keep the law of the driven components given all others. With
    /// ε = 2 (r ‖ξ‖/‖ŝ‖)² the ratio of signal to noise is r; where there is a kernel, ℓ_d, the deviation of z_d given
    /// all others, stands for the mean of ‖ξ‖/‖ŝ‖, so that no sample has a say in the step of another.
    ///
    /// A correction of the length ε leaves a variance too large by ε/2 of its precision, however many there are. So it
    /// adds at most the noise of the step of `length` before it, 2ε ≤ h D_dd, and vanishes with it.
    fn correction(&self, problem: &Problem<'_>, time: f64, length: f64) -> Result<Update> {
        let (process, driven) = (problem.process(), problem.process().driven());
        if process.class() == Class::Nonlinear {
            let most = longest(process, time, length);
            return Ok(Update::Langevin { ratio: self.snr, most: most.into(), driven: driven.into() });
        }
        let spread = process.kernel(time)?.conditional_std();
        let diffusion = process.linear_at(time)?.diffusion();
        let of = |&d: &usize| (2.0 * (self.snr * spread[d]).powi(2)).min(0.5 * length * diffusion[(d, d)]);
        Ok(langevin(process.components(), driven, &driven.iter().map(of).collect::<Vec<_>>()).into())
    }
}

/// The longest correction of each driven component of a nonlinear process, ½ h D_dd; without bound where its noise
/// depends on the state.
fn longest(process: &Process, time: f64, length: f64) -> Vec<f64> {
    let diffusion = process.bound_diffusion();
    let at = Assignment { time, parameters: process.parameters(), state: &[] };
    let of = |&d: &usize| match &diffusion[d][d] {
        noise if noise.depends_on_state() => f64::INFINITY,
        noise => 0.5 * length * noise.evaluate(at),
    };
    process.driven().iter().map(of).collect()
}

/// The Langevin step of `lengths` ε, from the rows of state, score and as much noise.
fn langevin(components: usize, driven: &[usize], lengths: &[f64]) -> Combination {
    let place = |factors: Vec<f64>| {
        let mut matrix = DMatrix::zeros(components, driven.len());
        driven.iter().zip(factors).enumerate().for_each(|(column, (&row, factor))| matrix[(row, column)] = factor);
        matrix
    };
    let score = place(lengths.to_vec());
    let noise = place(lengths.iter().map(|length| (2.0 * length).sqrt()).collect());
    let state = DMatrix::zeros(components, components);
    Combination::step(&DVector::zeros(components), &joined(&[&state, &score, &noise]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Covariance, Dataset, Mixture};
    use crate::expr::{Expression, Function};
    use crate::process::fixtures::{Active, one_component};
    use crate::sample::noise::{Impulses, Noise};
    use crate::sample::update::Registers;
    use crate::score::Exact;
    use crate::task::Task;

    /// ε from the inverse of the covariance, ℓ_d² = 1/(Σ⁻¹)_dd, or from the noise of the step before, whichever is
    /// less.
    #[test]
    fn a_correction_has_its_length() {
        let process = Active { passive: 0.3, ..Active::default() }.process();
        let one = Mixture::new(vec![1.0], vec![0.0], Covariance::Isotropic(vec![0.2])).unwrap();
        let score = Exact::new(&process, &Dataset::from_mixture("gaussian", one).unwrap()).unwrap();
        let layout = Layout::new(&process, 1).unwrap();
        let noise = Noise::Impulse(Impulses { first: 0, parts: 0, rows: 0 });
        let task = Task::default();
        let problem = Problem { score: &score, layout, times: vec![2.0, 0.0], noise, task: &task };
        let method = PredictorCorrector { corrector_steps: 1, snr: 0.3 };
        let precision = process.kernel(0.7).unwrap().covariance.try_inverse().unwrap();
        // 2 T_p and 2 T_a/τ².
        let diffusion = [0.6, 8.0];
        for length in [1e-3, 10.0] {
            let update = method.correction(&problem, 0.7, length).unwrap();
            let mut moved = [0.0_f32; 2];
            // State, score and noise.
            update.apply(&mut Registers::default(), 1, &[1.0, 2.0, 3.0, -4.0, 0.5, -0.7], &mut moved);
            for (d, (state, score, noise)) in [(1.0, 3.0, 0.5), (2.0, -4.0, -0.7)].into_iter().enumerate() {
                let by_ratio = 2.0 * 0.3 * 0.3 / precision[(d, d)];
                let by_step = 0.5 * length * diffusion[d];
                assert_eq!(by_step < by_ratio, length < 1.0, "both bounds are met");
                let epsilon = by_ratio.min(by_step);
                let truth = state + epsilon * score + (2.0 * epsilon).sqrt() * noise;
                assert!((f64::from(moved[d]) - truth).abs() < 1e-6, "{length}, {d}: {} not {truth}", moved[d]);
            }
        }
    }

    fn nonlinear(noise: Expression) -> Process {
        let x = Expression::component(0, "x");
        one_component(x.multiply(&x).multiply(&x).negate(), noise, 1.0)
    }

    #[test]
    fn noise_bounds_a_correction_where_it_is_known() {
        let most = longest(&nonlinear(Expression::constant(0.5)), 0.3, 0.2);
        assert!(most.len() == 1 && (most[0] - 0.5 * 0.2 * 0.25).abs() < 1e-15, "{most:?}");
        let x = Expression::component(0, "x");
        let square = x.multiply(&x).add(&Expression::constant(1.0));
        assert_eq!(longest(&nonlinear(square.apply(Function::Sqrt)), 0.3, 0.2), [f64::INFINITY]);
    }
}
