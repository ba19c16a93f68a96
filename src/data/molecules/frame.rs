//! What a trajectory has of one moment.

use super::cell::Cell;
use crate::error::Result;

/// What takes the frames of a file one after the other.
pub(super) type Take<'a> = &'a mut dyn FnMut(&Frame) -> Result<()>;

/// Positions of atoms at one moment, in the unit of their file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Frame {
    pub(super) positions: Vec<[f64; 3]>,
    /// The periodic box, where there is one.
    pub(super) cell: Option<Cell>,
    /// The names of the atoms, in the formats that have them.
    pub(super) atoms: Vec<Atom>,
}

/// What a file says of an atom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Atom {
    pub(super) name: String,
    /// The name of its residue: "ALA".
    pub(super) residue: String,
    /// The number of its residue with what else tells it from others: "A12".
    pub(super) number: String,
}
