//! Files of the Protein Data Bank, format 3.3; each MODEL is a frame. Lengths are in Å.

use std::path::Path;

use super::cell::Cell;
use super::frame::{Atom, Frame, Take};
use crate::error::{Error, Result};

pub(super) fn read(path: &Path, bytes: Vec<u8>, take: Take<'_>) -> Result<()> {
    let text = String::from_utf8_lossy(&bytes);
    let mut frame = Frame::default();
    let (mut is_in_model, mut has_models) = (false, false);
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |problem: &str| Error::file("read", path, format!("line {number} {problem}"));
        match line.get(..6).unwrap_or(line).trim_end() {
            "CRYST1" => frame.cell = cell(line).ok_or_else(|| wrong("must have the sides and angles of the box"))?,
            "MODEL" => (is_in_model, has_models) = (true, true),
            "ENDMDL" => {
                take(&frame)?;
                (frame, is_in_model) = (Frame { cell: frame.cell, ..Frame::default() }, false);
            }
            "ATOM" | "HETATM" => {
                let (atom, position) = atom(line).ok_or_else(|| wrong("is no line of an atom in .pdb"))?;
                // Of several places that an atom may have, the first.
                if matches!(line.get(16..17), Some(" " | "A")) {
                    frame.atoms.push(atom);
                    frame.positions.push(position);
                }
            }
            _ => {}
        }
    }
    match (is_in_model, frame.atoms.is_empty()) {
        (true, _) => Err(Error::file("read", path, "it ends inside a model, without ENDMDL")),
        (false, false) => take(&frame),
        (false, true) if has_models => Ok(()),
        (false, true) => Err(Error::file("read", path, "it has no line of an atom")),
    }
}

/// The box; none where its sides are 1, which stands for no box.
fn cell(line: &str) -> Option<Option<Cell>> {
    let number = |first: usize, last: usize| line.get(first..last)?.trim().parse::<f64>().ok();
    let lengths = [number(6, 15)?, number(15, 24)?, number(24, 33)?];
    let angles = [number(33, 40)?, number(40, 47)?, number(47, 54)?];
    let is_none = lengths.iter().all(|length| *length == 1.0);
    Some(if is_none { None } else { Cell::of_angles(lengths, angles) })
}

fn atom(line: &str) -> Option<(Atom, [f64; 3])> {
    let field = |first: usize, last: usize| line.get(first..last).map(|text| text.trim().to_owned());
    let number = |first: usize, last: usize| line.get(first..last)?.trim().parse().ok();
    // Chain, number and insertion code together tell residues apart.
    let own = format!("{}{}", field(21, 22)?, field(22, 27)?);
    let atom = Atom { name: field(12, 16)?, residue: field(17, 20)?, number: own };
    Some((atom, [number(30, 38)?, number(38, 46)?, number(46, 54)?]))
}
