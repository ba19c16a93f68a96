//! Which atoms make an angle.

use super::frame::Atom;
use crate::error::{Error, Result, suggestion};

/// The angles of a molecule.
#[derive(Debug, Clone, PartialEq)]
pub enum Atoms {
    /// Of all residues, those of these names, in their order: "phi", "psi" or "omega", all of a residue together.
    Backbone(Vec<String>),
    /// Of four atoms each.
    Each(Vec<[Place; 4]>),
}

/// Where an atom is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// By its place in the file, from 0 on.
    At(usize),
    /// By its name, "CA", or with the name or the number of its residue, "ALA:CA" or "2:CA".
    Named(String),
}

/// The atoms of an angle of the backbone: the name of each and how many residues further on it is.
type Backbone = [(&'static str, isize); 4];

const BACKBONE: &[(&str, Backbone)] = &[
    ("phi", [("C", -1), ("N", 0), ("CA", 0), ("C", 0)]),
    ("psi", [("N", 0), ("CA", 0), ("C", 0), ("N", 1)]),
    ("omega", [("CA", 0), ("C", 0), ("N", 1), ("CA", 1)]),
];

impl Atoms {
    /// The angles of the backbone that `words` name, with blanks between: "phi psi".
    ///
    /// # Errors
    /// When there is no such angle.
    pub fn backbone(words: &str) -> Result<Self> {
        let known: Vec<_> = BACKBONE.iter().map(|(name, _)| *name).collect();
        let names: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        match names.iter().find(|name| !known.contains(&name.as_str())) {
            None if !names.is_empty() => Ok(Self::Backbone(names)),
            unknown => {
                let word = unknown.map_or("", String::as_str);
                let hint = suggestion(word, &known, "the angles of the backbone are");
                Err(Error::argument("atoms", format!("names {word:?}, which is no angle of the backbone")).with_hint(hint))
            }
        }
    }

    /// The places of the four atoms of each angle among `count` atoms of these `names`, which may be unknown.
    pub(super) fn choose(&self, names: &[Atom], count: usize) -> Result<Vec<[usize; 4]>> {
        match self {
            Self::Each(angles) => angles.iter().map(|angle| each(angle, names, count)).collect(),
            Self::Backbone(wanted) => backbone(wanted, names),
        }
    }
}

fn each(angle: &[Place; 4], names: &[Atom], count: usize) -> Result<[usize; 4]> {
    let mut found = [0; 4];
    for (found, place) in found.iter_mut().zip(angle) {
        *found = match place {
            Place::At(at) if *at < count => *at,
            Place::At(at) => {
                let problem = format!("has the atom {at}, and there are {count}, from 0 on");
                return Err(Error::argument("atoms", problem));
            }
            Place::Named(name) => named(name, names)?,
        };
    }
    Ok(found)
}

fn named(wanted: &str, names: &[Atom]) -> Result<usize> {
    need_names(names)?;
    let (residue, name) = wanted.split_once(':').map_or((None, wanted), |(residue, name)| (Some(residue), name));
    let is_there = |atom: &Atom| residue.is_none_or(|residue| atom.residue == residue || atom.number == residue);
    let places: Vec<_> = (0..names.len()).filter(|&at| is_there(&names[at]) && names[at].name == name).collect();
    match places[..] {
        [at] => Ok(at),
        [] => {
            let known: Vec<_> = names.iter().filter(|atom| is_there(atom)).map(|atom| atom.name.as_str()).collect();
            let mut hint = suggestion(name, &known, "its atoms are");
            if known.is_empty() {
                let mut all: Vec<_> = names.iter().map(|atom| format!("{} {}", atom.number, atom.residue)).collect();
                all.dedup();
                all.truncate(20);
                hint = format!("the residues are {}", all.join(", "));
            }
            Err(Error::argument("atoms", format!("names {wanted:?}, and there is no such atom")).with_hint(hint))
        }
        [first, second, ..] => {
            let of = |at: usize| format!("{}:{}", names[at].number, names[at].name);
            let problem = format!("names {wanted:?}, which {} atoms are called", places.len());
            let hint = format!("say which one: {:?} or {:?}", of(first), of(second));
            Err(Error::argument("atoms", problem).with_hint(hint))
        }
    }
}

fn need_names(names: &[Atom]) -> Result<()> {
    match names.is_empty() {
        false => Ok(()),
        true => Err(Error::argument("atoms", "needs names of atoms, which the trajectory has not")
            .with_hint("give a topology, a .gro or .pdb file, or places of atoms from 0 on")),
    }
}

/// The angles of the backbone that have all of their atoms, residue by residue.
fn backbone(wanted: &[String], names: &[Atom]) -> Result<Vec<[usize; 4]>> {
    need_names(names)?;
    let same = |a: &Atom, b: &Atom| a.number == b.number && a.residue == b.residue;
    let residues: Vec<&[Atom]> = names.chunk_by(same).collect();
    let mut first = 0;
    let firsts: Vec<usize> = residues.iter().map(|residue| std::mem::replace(&mut first, first + residue.len())).collect();
    let place = |residue: usize, (name, further): (&str, isize)| {
        let residue = residue.checked_add_signed(further).filter(|residue| *residue < residues.len())?;
        residues[residue].iter().position(|atom| atom.name == name).map(|at| firsts[residue] + at)
    };
    let mut angles = Vec::new();
    for residue in 0..residues.len() {
        let own = wanted.iter().map(|name| {
            let (_, atoms) = BACKBONE.iter().find(|(known, _)| known == name)?;
            let [a, b, c, d] = atoms.map(|atom| place(residue, atom));
            Some([a?, b?, c?, d?])
        });
        // A residue has all of the angles or none of them, so that columns come in groups.
        angles.extend(own.collect::<Option<Vec<_>>>().into_iter().flatten());
    }
    if angles.is_empty() {
        let problem = format!("asks for {}, and no residue has the atoms of all", wanted.join(" and "));
        return Err(Error::argument("atoms", problem).with_hint("their names must be N, CA and C"));
    }
    Ok(angles)
}
