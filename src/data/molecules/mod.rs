//! Dihedral angles of molecules, from trajectories of molecular dynamics.

mod cell;
mod dihedral;
mod files;
mod frame;
mod gro;
mod gsd;
mod pdb;
mod select;
mod xtc;

use std::path::Path;

pub use select::{Atoms, Place};

use super::Dataset;
use crate::error::{Error, Result};
use crate::settings::{Setting, Values};
use crate::task::Task;
use frame::Frame;

/// Which frames of a trajectory are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    /// Frames left out at the begin.
    pub skip: usize,
    /// One of so many is read.
    pub every: usize,
}

impl Frames {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::natural("skip", "frames to leave out at the begin").or(0.0),
        Setting::count("every", "reads one frame of so many").or(1.0),
    ];

    /// What `values` of [`Frames::SETTINGS`] say.
    pub fn read(values: &Values) -> Self {
        Self { skip: values.natural("skip") as usize, every: values.count("every") }
    }
}

impl Dataset {
    /// Dihedral angles of the frames of a trajectory (.xtc, .gro, .pdb, .gsd), in radians from −π to π, [frames,
    /// angles]; of four atoms of each angle, or of the backbone, with the names that a `topology` (.gro, .pdb) has of
    /// them.
    ///
    /// The sign is that of IUPAC: seen along the middle bond, from the second atom to the third, the angle by which the
    /// first bond must be turned clockwise to cover the last. Bonds are taken across the sides of the periodic box, to
    /// the nearest image. Lengths, nm in .xtc and .gro and Å in .pdb, do not enter.
    ///
    /// # Errors
    /// When a file is missing, truncated or of another kind, topology and trajectory differ in their number of atoms,
    /// an atom does not exist, or three successive atoms lie on a line; when the memory does not suffice.
    pub fn dihedrals(
        trajectory: &Path,
        topology: Option<&Path>,
        atoms: &Atoms,
        frames: Frames,
        task: &Task,
    ) -> Result<Self> {
        let named = topology.map(|path| files::first(path, task)).transpose()?;
        if let (Some(named), Some(path)) = (&named, topology)
            && named.atoms.is_empty()
        {
            let problem = Error::file("use", path, "it has no names of atoms");
            return Err(problem.with_hint("take a .gro or .pdb file"));
        }
        let (mut chosen, mut angles, mut at, mut read) = (None, Vec::new(), 0_usize, 0_usize);
        files::each(trajectory, task, &mut |frame: &Frame| {
            let own = at;
            at += 1;
            if own < frames.skip || !(own - frames.skip).is_multiple_of(frames.every) {
                return Ok(());
            }
            if chosen.is_none() {
                check_counts(named.as_ref(), frame, trajectory)?;
                let names = named.as_ref().map_or(&frame.atoms, |named| &named.atoms);
                chosen = Some(atoms.choose(names, frame.positions.len())?);
            }
            let quadruples = chosen.as_deref().unwrap_or_default();
            if angles.len() + quadruples.len() > angles.capacity() {
                let bytes = 24.0 * angles.len() as f64;
                task.host()
                    .afford(bytes, |problem| Error::file("read", trajectory, format!("its angles {problem}")))?;
            }
            for quadruple in quadruples {
                angles.push(of_frame(frame, *quadruple, own, trajectory)?);
            }
            read += 1;
            Ok(())
        })?;
        let Some(chosen) = chosen else {
            let problem = format!("none of its {at} frames is left after {} are skipped", frames.skip);
            return Err(Error::file("read", trajectory, problem));
        };
        let name = trajectory.file_stem().map_or_else(|| "dihedrals".into(), |stem| stem.to_string_lossy());
        Self::from_values(&name, &[read, chosen.len()], &angles)
    }
}

fn check_counts(named: Option<&Frame>, frame: &Frame, trajectory: &Path) -> Result<()> {
    let own = frame.positions.len();
    match named.map(|named| named.atoms.len()) {
        Some(count) if count != own => {
            let problem = format!("it has {own} atoms, and the topology {count}");
            Err(Error::file("use", trajectory, problem).with_hint("write both with the same group of atoms"))
        }
        _ => Ok(()),
    }
}

fn of_frame(frame: &Frame, atoms: [usize; 4], at: usize, path: &Path) -> Result<f64> {
    let positions = atoms.map(|atom| frame.positions.get(atom).copied());
    let [Some(a), Some(b), Some(c), Some(d)] = positions else {
        let problem = format!("frame {at} has {} atoms, fewer than those before", frame.positions.len());
        return Err(Error::file("read", path, problem));
    };
    dihedral::angle([a, b, c, d], frame.cell.as_ref()).ok_or_else(|| {
        Error::file("use", path, format!("in frame {at} three of the atoms {atoms:?} lie on a line or are not finite"))
    })
}

#[cfg(test)]
mod tests;
