//! Text files of GROMACS: a title, the number of atoms, a line for each, and the box. Lengths are in nm.

use std::path::Path;

use super::cell::Cell;
use super::frame::{Atom, Frame, Take};
use crate::error::{Error, Result};

pub(super) fn read(path: &Path, bytes: Vec<u8>, take: Take<'_>) -> Result<()> {
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = (1..).zip(text.lines());
    while let Some((number, _)) = lines.find(|(_, line)| !line.trim().is_empty()) {
        let wrong = |number: usize, problem: &str| Error::file("read", path, format!("line {number} {problem}"));
        let ends = || Error::file("read", path, "it ends inside a frame").with_hint("it is truncated: copy it again");
        let (number, line) =
            lines.next().ok_or_else(|| wrong(number, "is the last, and the number of atoms must follow"))?;
        let problem = || wrong(number, &format!("must be the number of atoms, got {:?}", line.trim()));
        let count: usize = line.trim().parse().map_err(|_| problem())?;
        let mut frame = Frame::default();
        for _ in 0..count {
            let (number, line) = lines.next().ok_or_else(ends)?;
            let (atom, position) = atom(line).ok_or_else(|| wrong(number, "is no line of an atom in .gro"))?;
            frame.atoms.push(atom);
            frame.positions.push(position);
        }
        let (number, line) = lines.next().ok_or_else(ends)?;
        let sides: Option<Vec<f64>> = line.split_whitespace().map(|side| side.parse().ok()).collect();
        frame.cell = match sides.as_deref() {
            Some(&[x, y, z]) => Cell::new([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, z]]),
            Some(&[xx, yy, zz, xy, xz, yx, yz, zx, zy]) => Cell::new([[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]]),
            _ => return Err(wrong(number, "must have the 3 or 9 numbers of the box")),
        };
        take(&frame)?;
    }
    Ok(())
}

fn atom(line: &str) -> Option<(Atom, [f64; 3])> {
    let field = |first: usize, last: usize| line.get(first..last).map(|text| text.trim().to_owned());
    let atom = Atom { number: field(0, 5)?, residue: field(5, 10)?, name: field(10, 15)? };
    let numbers = line.get(20..)?;
    // All have the same width, that between two points.
    let mut points = numbers.match_indices('.').map(|(at, _)| at);
    let width = points.next().zip(points.next()).map(|(first, second)| second - first)?;
    let number = |at: usize| numbers.get(at * width..(at + 1) * width)?.trim().parse().ok();
    Some((atom, [number(0)?, number(1)?, number(2)?]))
}
