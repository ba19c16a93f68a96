//! Weights in the order in which products read them, packed once for many products.

use std::ops::Range;

use super::product::{PANEL, Right};
use super::winograd::{POINTS, pack_points, pack_points_transposed};
use crate::task::Team;

/// A matrix among the parameters of a network, [rows, columns] in row-major order.
#[derive(Debug, Clone)]
pub struct Matrix {
    pub(in crate::nn) rows: usize,
    pub(in crate::nn) columns: usize,
    pub(in crate::nn) place: Range<usize>,
    pub(in crate::nn) form: Form,
    /// Whether its transpose is a factor too, of the backward pass.
    pub(in crate::nn) is_transposed: bool,
}

/// What a matrix is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::nn) enum Form {
    /// Equal parts of its rows, of which each is transposed for itself, and which change their order then: the taps of
    /// a row of a convolution. Most matrices are one part.
    Parts(usize),
    /// The points of 3×3 taps, below each other, in the place of the taps themselves. Their transpose has those of the
    /// taps in the opposite order.
    Points,
}

impl Matrix {
    /// Parts of its rows that are transposed for themselves.
    fn parts(&self) -> usize {
        match self.form {
            Form::Parts(parts) => parts,
            Form::Points => POINTS,
        }
    }

    /// Numbers of its panels, and of those of its transpose.
    pub(in crate::nn) fn packed_numbers(&self) -> usize {
        let back = if self.is_transposed { panels(self.back_rows(), self.back_columns()) } else { 0 };
        panels(self.rows, self.columns) + back
    }

    /// Rows of the transpose.
    fn back_rows(&self) -> usize {
        self.columns * self.parts()
    }

    /// Columns of the transpose.
    fn back_columns(&self) -> usize {
        self.rows / self.parts()
    }
}

/// Numbers of the panels of a matrix.
fn panels(rows: usize, columns: usize) -> usize {
    rows * columns.next_multiple_of(PANEL)
}

/// The weights of a network for the forward and backward passes of all chunks of a batch.
#[derive(Debug, Clone)]
pub(in crate::nn) struct Packed(Vec<PackedMatrix>);

#[derive(Debug, Clone)]
struct PackedMatrix {
    matrix: Matrix,
    /// Panels of W, [rows, columns].
    forward: Vec<f32>,
    /// Panels of Wᵀ, [parts·columns, rows/parts], or none.
    backward: Vec<f32>,
}

/// One panel to be packed.
struct Item<'a> {
    matrix: &'a Matrix,
    transposed: bool,
    number: usize,
    out: &'a mut [f32],
}

impl Item<'_> {
    fn fill(&mut self, parameters: &[f32]) {
        let Self { matrix, transposed, number, out } = self;
        let values = &parameters[matrix.place.clone()];
        match (matrix.form, *transposed) {
            (Form::Points, false) => return pack_points(values, matrix.columns, *number, out),
            (Form::Points, true) => return pack_points_transposed(values, matrix.back_columns(), *number, out),
            (Form::Parts(_), false) => return pack(values, matrix.columns, *number, out),
            (Form::Parts(_), true) => (),
        }
        // The parts of a transpose stand in the opposite order.
        let parts = values.chunks_exact(matrix.back_columns() * matrix.columns).rev();
        for (values, out) in parts.zip(out.chunks_exact_mut(matrix.columns * PANEL)) {
            pack_transposed(values, matrix.columns, *number, out);
        }
    }
}

impl Packed {
    /// Room for `matrices`.
    pub(in crate::nn) fn new(matrices: impl IntoIterator<Item = Matrix>) -> Self {
        let zeros = |rows: usize, columns: usize| vec![0.0; panels(rows, columns)];
        let packed = |matrix: Matrix| PackedMatrix {
            forward: zeros(matrix.rows, matrix.columns),
            backward: match matrix.is_transposed {
                true => zeros(matrix.back_rows(), matrix.back_columns()),
                false => Vec::new(),
            },
            matrix,
        };
        Self(matrices.into_iter().map(packed).collect())
    }

    /// Items that [`Packed::update`] hands to its team.
    pub(in crate::nn) fn parts(&self) -> usize {
        let panels = |columns: usize| columns.div_ceil(PANEL);
        self.0.iter().map(|packed| panels(packed.matrix.columns) + panels(packed.matrix.back_columns())).sum()
    }

    /// Packs the matrices of `parameters`.
    pub(in crate::nn) fn update(&mut self, parameters: &[f32], team: &mut Team<'_>) {
        team.each(&mut self.items(), |_, item| item.fill(parameters));
    }

    /// The same without a team.
    pub(in crate::nn) fn fill(&mut self, parameters: &[f32]) {
        self.items().iter_mut().for_each(|item| item.fill(parameters));
    }

    fn items(&mut self) -> Vec<Item<'_>> {
        let mut items = Vec::new();
        for PackedMatrix { matrix, forward, backward } in &mut self.0 {
            for (transposed, panels, depth) in [(false, forward, matrix.rows), (true, backward, matrix.back_rows())] {
                let panels = panels.chunks_exact_mut(PANEL * depth).enumerate();
                items.extend(panels.map(|(number, out)| Item { matrix, transposed, number, out }));
            }
        }
        items
    }

    /// The matrix of that number, as a factor.
    pub(in crate::nn) fn forward(&self, number: usize) -> Right<'_> {
        Right::Panels(&self.0[number].forward)
    }

    /// The panels of that matrix, or of its transpose, each [depth, PANEL].
    pub(in crate::nn) fn panels(&self, number: usize, transposed: bool) -> impl Iterator<Item = &[f32]> + Clone {
        let PackedMatrix { matrix, forward, backward } = &self.0[number];
        let (panels, depth) = if transposed { (backward, matrix.back_rows()) } else { (forward, matrix.rows) };
        panels.chunks_exact(depth * PANEL)
    }

    /// Its transpose, as a factor.
    pub(in crate::nn) fn backward(&self, number: usize) -> Right<'_> {
        Right::Panels(&self.0[number].backward)
    }
}

/// Writes panel `number` of `weight`, [.., columns], to `out`, [depth, PANEL]; columns beyond the last keep their
/// zeros.
pub(super) fn pack(weight: &[f32], columns: usize, number: usize, out: &mut [f32]) {
    let start = number * PANEL;
    let width = PANEL.min(columns - start);
    for (out, row) in out.chunks_exact_mut(PANEL).zip(weight.chunks_exact(columns)) {
        out[..width].copy_from_slice(&row[start..][..width]);
    }
}

/// The same of the transpose of `weight`: its rows become the columns.
fn pack_transposed(weight: &[f32], columns: usize, number: usize, out: &mut [f32]) {
    for (column, row) in weight.chunks_exact(columns).skip(number * PANEL).take(PANEL).enumerate() {
        for (out, value) in out.chunks_exact_mut(PANEL).zip(row) {
            out[column] = *value;
        }
    }
}
