//! A process explained: forward, kernel, reverse process, probability flow and the step of a sampler, as text for a
//! narrow terminal and as LaTeX source.

mod page;

use nalgebra::DMatrix;

use crate::process::{Class, Motion, Process, covariance_table};
use crate::sample::About;
use crate::tensor::number;
use page::Page;

/// Matrices of more components are left out of the LaTeX source.
const LARGEST_MATRIX: usize = 6;

/// What a process is and how it is reversed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// For a terminal of 80 columns.
    pub text: String,
    /// LaTeX source for the body of a document that uses `amsmath`.
    pub latex: String,
}

impl Explanation {
    /// The forward process, its kernel, the reverse process and the probability flow (Anderson, Stoch. Proc. Appl. 12,
    /// 313 (1982); Song et al., arXiv 2011.13456), and the step of a `method`.
    pub fn new(process: &Process, method: &About) -> Self {
        Self { text: text(process, method), latex: latex(process, method) }
    }
}

fn text(process: &Process, method: &About) -> String {
    let mut page = Page::default();
    let equations = |page: &mut Page, motion: Motion| {
        process.equations(motion).effective().text().iter().for_each(|line| page.line("  ", line));
    };
    let reasons =
        if process.reasons().is_empty() { String::new() } else { format!(": {}", process.reasons().join(", ")) };
    page.line("", &format!("{}: {}{reasons}", process.name(), process.kind()));
    page.title(&format!("Forward process, t from 0 to T = {}", process.horizon()));
    equations(&mut page, Motion::Forward);
    if !process.parameters().is_empty() {
        let list: Vec<_> = process.parameters().iter().map(|(name, value)| format!("{name} = {value}")).collect();
        page.line("  with ", &list.join(", "));
    }
    page.title("Kernel: the law of z_t given the datum x_0");
    kernel_in_text(process, &mut page);
    page.title("Reverse process, s = T - t, with the scores S_i = d/dz_i ln p_t(z)");
    page.line("  ", "dz = [-f + div D + D S] ds + G dW,  D = G G^T");
    equations(&mut page, Motion::Reverse);
    page.title("Probability flow: the same law at every time, without noise");
    page.line("  ", "dz = [-f + div D/2 + D S/2] ds");
    equations(&mut page, Motion::Flow);
    page.title(&format!("Step of \"{}\": {}", method.name, method.title));
    method.text.iter().for_each(|line| page.line("  ", line));
    page.line("  ", "b = -f + div D + D S,  u = -f + div D/2 + D S/2,  h the step, xi ~ N(0, 1)");
    page.text
}

fn kernel_in_text(process: &Process, page: &mut Page) {
    let law = match process.class() {
        Class::Constant => "Gaussian: mean exp(A t) (x_0, 0) + c,  Sigma' = A Sigma + Sigma A^T + D".to_owned(),
        Class::Commuting => {
            let factor = process.rescaled().map(|(factor, _)| factor.to_string()).unwrap_or_default();
            format!("Gaussian: mean exp(A theta) (x_0, 0) + c in the time theta, d theta/dt = {factor}")
        }
        Class::TimeDependent => {
            "Gaussian: mean Phi (x_0, 0) + c,  Phi' = A(t) Phi,  Sigma' = A Sigma + Sigma A^T + D, integrated"
                .to_owned()
        }
        Class::Nonlinear => {
            "none in closed form: forward paths are simulated, and scores learned from their transitions".to_owned()
        }
    };
    page.line("  ", &law);
    let Ok(kernel) = process.kernel(process.horizon()) else { return };
    let response = kernel.response();
    for i in 0..process.components() {
        let data = (0..kernel.data).filter(|&j| response[(i, j)].abs() > f64::EPSILON * response.amax());
        let carried = data.map(|j| format!("{} {}_0", number(response[(i, j)]), process.component_name(j)));
        let offset = (kernel.offset[i] != 0.0).then(|| number(kernel.offset[i]));
        let terms: Vec<_> = carried.chain(offset).collect();
        let mean = if terms.is_empty() { "0".to_owned() } else { terms.join(" + ").replace("+ -", "- ") };
        page.line("  at T  ", &format!("mean of {} = {mean}", process.component_name(i)));
    }
    if process.components() <= LARGEST_MATRIX {
        let table = covariance_table(&process.component_names(), &kernel.covariance);
        page.text.push_str(&format!("  at T         {table}\n"));
    }
}

fn latex(process: &Process, method: &About) -> String {
    let mut source = format!("% {}: {}\n", process.name(), process.kind());
    let mut align = |title: &str, lines: Vec<String>| {
        source.push_str(&format!("{title}\n\\begin{{align*}}\n  {}\n\\end{{align*}}\n", lines.join(" \\\\\n  ")));
    };
    align("Forward process:", process.equations(Motion::Forward).effective().latex());
    align("Kernel:", kernel_in_latex(process));
    align("Reverse process, $s = T - t$:", process.equations(Motion::Reverse).effective().latex());
    align("Probability flow:", process.equations(Motion::Flow).effective().latex());
    align(&format!("Step ({}):", method.title), method.latex.iter().map(ToString::to_string).collect());
    source
}

fn kernel_in_latex(process: &Process) -> Vec<String> {
    if process.class() == Class::Nonlinear {
        return vec!["&\\text{none in closed form}".to_owned()];
    }
    let mut lines = vec![
        "z_t \\mid x_0 &\\sim \\mathcal{N}\\left(\\Phi(t)\\,(x_0, 0)^{\\mathsf T} + c(t),\\, \\Sigma(t)\\right)"
            .to_owned(),
        "\\dot\\Phi &= A \\Phi, \\qquad \\dot\\Sigma = A \\Sigma + \\Sigma A^{\\mathsf T} + D".to_owned(),
    ];
    let size = process.components();
    if size <= LARGEST_MATRIX {
        let definition = process.definition();
        let entry = |i: usize, j: usize| definition.drift[i].derivative(j).latex();
        let diffusion = |i: usize, j: usize| definition.diffusion(i, j).latex();
        lines.push(format!("A &= {}, \\qquad D = {}", latex_matrix(size, entry), latex_matrix(size, diffusion)));
    }
    lines
}

fn latex_matrix(size: usize, entry: impl Fn(usize, usize) -> String) -> String {
    let cells = DMatrix::from_fn(size, size, entry);
    let row = |row: nalgebra::RowDVector<String>| row.iter().cloned().collect::<Vec<_>>().join(" & ");
    let rows: Vec<_> = cells.row_iter().map(|cells| row(cells.into_owned())).collect();
    format!("\\begin{{pmatrix}} {} \\end{{pmatrix}}", rows.join(" \\\\ "))
}

#[cfg(test)]
mod tests;
