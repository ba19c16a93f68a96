//! Data that the program carries; `stdlib/data/README.md` says where they come from.

use std::path::Path;

use super::{Dataset, formats};
use crate::error::Result;
use crate::host::Host;

const DIGITS: &[u8] = include_bytes!("../../stdlib/data/digits8x8.npz");
const ALANINE: &[u8] = include_bytes!("../../stdlib/data/alanine_dihedrals.npy");

impl Dataset {
    /// 1797 images of handwritten digits, [8, 8] with values from 0 to 16, and their labels.
    ///
    /// # Errors
    /// When they do not fit into memory.
    pub fn digits(host: &Host) -> Result<Self> {
        let array = |name| formats::decode(Path::new("digits8x8.npz"), DIGITS, &formats::Options::of_array(name), host);
        let (images, labels) = (array("images")?, array("labels")?);
        let data = Self::from_values("digits", &images.shape, &images.values)?;
        data.with_labels(labels.values.iter().map(f64::to_string).collect())
    }

    /// 590,000 pairs of dihedral angles φ, ψ of alanine dipeptide in radians, from −π to π.
    ///
    /// # Errors
    /// When they do not fit into memory.
    pub fn alanine(host: &Host) -> Result<Self> {
        let angles = formats::decode(Path::new("alanine_dihedrals.npy"), ALANINE, &formats::Options::default(), host)?;
        Self::from_values("alanine", &angles.shape, &angles.values)
    }
}
