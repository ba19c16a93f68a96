//! What the explanations of known processes say.

use std::collections::BTreeMap;

use super::Explanation;
use super::page::WIDTH;
use crate::expr::{Expression, Function};
use crate::process::{Definition, Process, Start, fixtures};
use crate::sample::METHODS;

/// Blocks (name, drift, amplitude of a source of its own).
fn definition(blocks: Vec<(&str, Expression, Expression)>, parameters: &[(&str, f64)]) -> Process {
    let count = blocks.len();
    let row = |i: usize| (0..count).map(|j| if i == j { blocks[i].2.clone() } else { 0.0.into() }).collect();
    let definition = Definition {
        name: "test".into(),
        blocks: blocks.iter().map(|block| block.0.to_owned()).collect(),
        coordinates: None,
        periodic: Vec::new(),
        parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect::<BTreeMap<_, _>>(),
        drift: blocks.iter().map(|block| block.1.clone()).collect(),
        noise: (0..count).map(row).collect(),
        start: Start::Each(vec![None; count]),
    };
    Process::new(definition, 2.0).unwrap()
}

#[test]
fn an_active_process_is_reversed() {
    let explanation = Explanation::new(&fixtures::symbolic(2.0), &METHODS[0]);
    for line in [
        "dx   = [eta - k x] dt",
        "deta = -eta/tau dt + sqrt(2 Ta)/tau dW2",
        "dx   = [k x - eta] ds",
        "deta = [eta/tau + 2 Ta/tau^2 S_eta] ds + sqrt(2 Ta)/tau dW2",
        "deta = [eta/tau + Ta/tau^2 S_eta] ds",
        "z <- z + b(z, t) h + G(z, t) sqrt(h) xi",
        "mean of x = 0.13534 x_0",
    ] {
        assert!(explanation.text.contains(line), "{line:?} is not in\n{}", explanation.text);
    }
    for part in [
        "\\mathrm{d}x &= \\left[\\eta - k x\\right]\\,\\mathrm{d}t",
        "\\frac{2 T_{a}}{\\tau^{2}} \\partial_{\\eta} \\ln p_t",
        "A = \\begin{pmatrix} -k & 1 \\\\ 0 & -\\frac{1}{\\tau} \\end{pmatrix}",
    ] {
        assert!(
            explanation.latex.replace("&= \\begin", "= \\begin").contains(part),
            "{part:?} is not in\n{}",
            explanation.latex
        );
    }
}

/// The gradient of D belongs to the reverse process, half of it to the flow.
#[test]
fn noise_that_depends_on_the_state_has_its_divergence() {
    let x = Expression::component(0, "x");
    let process =
        definition(vec![("x", x.negate(), Expression::constant(1.0).add(&x.multiply(&x)).apply(Function::Sqrt))], &[]);
    let text = Explanation::new(&process, &METHODS[1]).text;
    for line in ["dx = [x + 2 x + (1 + x x) S_x] ds + sqrt(1 + x x) dW1", "dx = [x + x + (1 + x x)/2 S_x] ds"] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn explanations_fit_a_narrow_terminal() {
    for method in METHODS {
        let text = Explanation::new(&fixtures::symbolic(2.0), method).text;
        assert!(text.contains(&format!("Step of \"{}\"", method.name)));
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(WIDTH), "{longest:?} characters\n{text}");
    }
}
