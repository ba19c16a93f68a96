//! Molecules.

use std::path::Path;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Map};

use crate::data::Dataset;
use crate::data::molecules::{Atoms, Frames, Place};
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, as_whole, kind, read};
use crate::lang::surroundings::task;
use crate::settings::Setting;

pub(super) const OPTIONS: &[(&str, Table)] = &[("dihedrals", &[ATOMS, Frames::SETTINGS])];

const ATOMS: &[Setting] = &[Setting::other(
    "atoms",
    "\"phi psi\" or an array of four atoms for each angle",
    "`\"phi psi\"` (or `\"phi\"`, `\"psi\"`, `\"omega\"`) for the backbone, or an array with four atoms for each angle, by \
     their places from 0 on or by names: `[[\"ACE:C\", \"ALA:N\", \"ALA:CA\", \"2:C\"]]`",
)
.or_else("\"phi psi\"")];

#[export_module(manifest)]
pub(super) mod module {
    /// Dihedral angles of molecules from a trajectory of molecular dynamics.
    ///
    /// The sign is that of IUPAC: seen along the middle bond, from the second atom to the third, the angle by which the
    /// first bond must be turned clockwise to cover the last. Bonds are taken to the nearest image in the periodic box,
    /// so molecules need not be whole. Lengths are in nm in .xtc and .gro, in Å in .pdb, and in the unit of the
    /// simulation in .gsd; angles do not depend on it.
    ///
    /// # Shapes
    /// A datum is [angles], in radians from −π to π, one for each frame. For the backbone, residue by residue: φ and ψ
    /// of the first that has both, and so on.
    ///
    /// # Arguments
    /// - `trajectory`: a file .xtc, .gro, .pdb (each model is a frame) or .gsd
    /// - `topology`: a file .gro or .pdb with the names of the same atoms; may be left out where the trajectory has
    ///   names, or atoms are given by their places
    ///
    /// # Returns
    /// A `Dataset` of as many points as frames are read.
    ///
    /// # Errors
    /// When a file is missing, truncated or of another kind, topology and trajectory differ in their number of atoms,
    /// there is no such atom, or three atoms of an angle lie on a line.
    ///
    /// # Source
    /// IUPAC-IUB Commission on Biochemical Nomenclature, J. Mol. Biol. 52, 1, 1970; Blondel, Karplus, J. Comput. Chem.
    /// 17, 1132, 1996.
    ///
    /// # Example
    /// ```rhai
    /// // let d = dataset::dihedrals("md.xtc", "md.gro", #{ atoms: "phi psi", skip: 100 });
    /// assert_fails(|| dataset::dihedrals("md.xtc", #{ atoms: "phi pis" }), "did you mean `psi`?");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn dihedrals(ctx: NativeCallContext, trajectory: &str, topology: &str, options: Map) -> Outcome<Dataset> {
        read_angles(&ctx, trajectory, Some(Path::new(topology)), options)
    }

    #[rhai_fn(name = "dihedrals", return_raw)]
    pub fn dihedrals_without_topology(ctx: NativeCallContext, trajectory: &str, options: Map) -> Outcome<Dataset> {
        read_angles(&ctx, trajectory, None, options)
    }
}

fn read_angles(ctx: &NativeCallContext, trajectory: &str, topology: Option<&Path>, options: Map) -> Outcome<Dataset> {
    let (atoms, frames) = read(ctx, options, &[ATOMS, Frames::SETTINGS], |given| {
        let atoms = match given.other("atoms") {
            None => Atoms::backbone("phi psi").raise(ctx),
            Some(value) => atoms(ctx, value),
        };
        Ok((atoms?, Frames::read(given)))
    })?;
    Dataset::dihedrals(Path::new(trajectory), topology, &atoms, frames, &task(ctx)).raise(ctx)
}

fn atoms(ctx: &NativeCallContext, value: &Dynamic) -> Outcome<Atoms> {
    if let Ok(words) = value.clone().into_string() {
        return Atoms::backbone(&words).raise(ctx);
    }
    let wrong = |found: &Dynamic| {
        let problem = format!("must be \"phi psi\" or an array with four atoms for each angle, got {}", kind(ctx, found));
        Error::argument("atoms", problem)
    };
    let place = |item: &Dynamic| match item.clone().into_string() {
        Ok(name) => Ok(Place::Named(name)),
        Err(_) => as_whole(item).and_then(|at| usize::try_from(at).ok()).map(Place::At).ok_or_else(|| wrong(item)),
    };
    let four = |item: &Dynamic| {
        let places = item.read_lock::<Array>().ok_or_else(|| wrong(item))?;
        let places = places.iter().map(place).collect::<crate::Result<Vec<_>>>()?;
        let count = places.len();
        <[Place; 4]>::try_from(places).map_err(|_| Error::argument("atoms", format!("must be four for each angle, got {count}")))
    };
    let angles = match value.read_lock::<Array>() {
        Some(items) if !items.is_empty() => items.iter().map(four).collect::<crate::Result<Vec<_>>>(),
        _ => Err(wrong(value)),
    };
    angles.map(Atoms::Each).raise(ctx)
}
