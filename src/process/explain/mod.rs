//! A process explained: forward, kernel, reverse process, probability flow and the update of a sampler, as text for a
//! narrow terminal and as LaTeX source.

mod equations;
mod updates;

pub use updates::{UPDATES, Update};

use nalgebra::DMatrix;

use super::describe::matrix;
use super::{Class, Process};
use crate::expr::Expression;
use crate::tensor::number;
use equations::{Motion, Style, square};

/// Lines are broken to stay below this number of characters.
const WIDTH: usize = 78;
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

impl Process {
    /// The forward process, its kernel, the reverse process and the probability flow (Anderson, Stoch. Proc. Appl. 12,
    /// 313 (1982); Song et al., arXiv 2011.13456), and the `update` of a sampler.
    pub fn explain(&self, update: &Update) -> Explanation {
        Explanation { text: self.explain_in_text(update), latex: self.explain_in_latex(update) }
    }

    fn explain_in_text(&self, update: &Update) -> String {
        let mut page = Page::default();
        let reasons =
            if self.reasons().is_empty() { String::new() } else { format!(": {}", self.reasons().join(", ")) };
        page.line("", &format!("{}: {}{reasons}", self.name(), self.kind()));
        page.title(&format!("Forward process, t from 0 to T = {}", self.horizon()));
        page.equations(self, Motion::Forward);
        if !self.parameters().is_empty() {
            let list: Vec<_> = self.parameters().iter().map(|(name, value)| format!("{name} = {value}")).collect();
            page.line("  with ", &list.join(", "));
        }
        page.title("Kernel: the law of z_t given the datum x_0");
        self.kernel_in_text(&mut page);
        page.title("Reverse process, s = T - t, with the scores S_i = d/dz_i ln p_t(z)");
        page.line("  ", "dz = [-f + div D + D S] ds + G dW,  D = G G^T");
        page.equations(self, Motion::Reverse);
        page.title("Probability flow: the same law at every time, without noise");
        page.line("  ", "dz = [-f + div D/2 + D S/2] ds");
        page.equations(self, Motion::Flow);
        page.title(&format!("Step of \"{}\": {}", update.name, update.title));
        update.text.iter().for_each(|line| page.line("  ", line));
        page.line("  ", "b = -f + div D + D S,  u = -f + div D/2 + D S/2,  h the step, xi ~ N(0, 1)");
        page.text
    }

    fn kernel_in_text(&self, page: &mut Page) {
        let law = match self.class() {
            Class::Constant => "Gaussian: mean exp(A t) (x_0, 0) + c,  Sigma' = A Sigma + Sigma A^T + D".to_owned(),
            Class::Commuting => {
                let factor = self.rescaled().map(|(factor, _)| factor.to_string()).unwrap_or_default();
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
        let Ok(kernel) = self.kernel(self.horizon()) else { return };
        let response = kernel.response();
        for i in 0..self.components() {
            let data = (0..kernel.data).filter(|&j| response[(i, j)].abs() > f64::EPSILON * response.amax());
            let carried = data.map(|j| format!("{} {}_0", number(response[(i, j)]), self.component_name(j)));
            let offset = (kernel.offset[i] != 0.0).then(|| number(kernel.offset[i]));
            let terms: Vec<_> = carried.chain(offset).collect();
            let mean = if terms.is_empty() { "0".to_owned() } else { terms.join(" + ").replace("+ -", "- ") };
            page.line("  at T  ", &format!("mean of {} = {mean}", self.component_name(i)));
        }
        if self.components() <= LARGEST_MATRIX {
            page.text.push_str(&format!("  at T         {}\n", matrix(&self.component_names(), &kernel.covariance)));
        }
    }

    fn explain_in_latex(&self, update: &Update) -> String {
        let mut source = format!("% {}: {}\n", self.name(), self.kind());
        let mut align = |title: &str, lines: Vec<String>| {
            source.push_str(&format!("{title}\n\\begin{{align*}}\n  {}\n\\end{{align*}}\n", lines.join(" \\\\\n  ")));
        };
        align("Forward process:", self.equations(Motion::Forward, Style::Latex));
        align("Kernel:", self.kernel_in_latex());
        align("Reverse process, $s = T - t$:", self.equations(Motion::Reverse, Style::Latex));
        align("Probability flow:", self.equations(Motion::Flow, Style::Latex));
        align(&format!("Step ({}):", update.title), update.latex.iter().map(ToString::to_string).collect());
        source
    }

    fn kernel_in_latex(&self) -> Vec<String> {
        if self.class() == Class::Nonlinear {
            return vec!["&\\text{none in closed form}".to_owned()];
        }
        let mut lines = vec![
            "z_t \\mid x_0 &\\sim \\mathcal{N}\\left(\\Phi(t)\\,(x_0, 0)^{\\mathsf T} + c(t),\\, \\Sigma(t)\\right)"
                .to_owned(),
            "\\dot\\Phi &= A \\Phi, \\qquad \\dot\\Sigma = A \\Sigma + \\Sigma A^{\\mathsf T} + D".to_owned(),
        ];
        let size = self.components();
        if size <= LARGEST_MATRIX {
            let drift = &self.definition().drift;
            let entry = |i: usize, j: usize| drift[i].derivative(j).latex();
            let diffusion = |i: usize, j: usize| self.diffusion(i, j).latex();
            lines.push(format!("A &= {}, \\qquad D = {}", latex_matrix(size, entry), latex_matrix(size, diffusion)));
        }
        lines
    }

    /// D_ij = Σ G_is G_js as an expression.
    fn diffusion(&self, i: usize, j: usize) -> Expression {
        let noise = &self.definition().noise;
        let product = |(a, b): (&Expression, &Expression)| {
            if i == j || a.to_string() == b.to_string() { square(a) } else { a.multiply(b) }
        };
        noise[i].iter().zip(&noise[j]).map(product).fold(0.0.into(), |sum: Expression, term| sum.add(&term))
    }
}

fn latex_matrix(size: usize, entry: impl Fn(usize, usize) -> String) -> String {
    let cells = DMatrix::from_fn(size, size, entry);
    let row = |row: nalgebra::RowDVector<String>| row.iter().cloned().collect::<Vec<_>>().join(" & ");
    let rows: Vec<_> = cells.row_iter().map(|cells| row(cells.into_owned())).collect();
    format!("\\begin{{pmatrix}} {} \\end{{pmatrix}}", rows.join(" \\\\ "))
}

/// Text in lines that fit.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn title(&mut self, title: &str) {
        self.text.push('\n');
        self.line("", title);
    }

    /// `text` behind `head`, broken at blanks outside brackets where there are such; further lines are indented.
    fn line(&mut self, head: &str, text: &str) {
        let indent = " ".repeat(head.chars().count() + 4);
        let (mut line, mut is_begun) = (head.to_owned(), false);
        for piece in pieces(text, WIDTH - indent.len()) {
            if is_begun && line.chars().count() + 1 + piece.chars().count() > WIDTH {
                self.text.push_str(&line);
                self.text.push('\n');
                line = format!("{indent}{piece}");
            } else {
                line.push_str(if is_begun { " " } else { "" });
                line.push_str(piece);
            }
            is_begun = true;
        }
        self.text.push_str(&line);
        self.text.push('\n');
    }

    fn equations(&mut self, process: &Process, motion: Motion) {
        process.equations(motion, Style::Text).iter().for_each(|line| self.line("  ", line));
    }
}

/// The parts of `text` between blanks outside round brackets, and of those longer than `width` between all blanks.
fn pieces(text: &str, width: usize) -> Vec<&str> {
    let (mut pieces, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (place, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                pieces.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    let split = |piece: &&str| piece.chars().count() > width;
    pieces.into_iter().flat_map(|piece| if split(&piece) { piece.split(' ').collect() } else { vec![piece] }).collect()
}

#[cfg(test)]
mod tests;
