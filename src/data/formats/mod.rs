//! Arrays in files: `.npy` and `.npz` as NumPy writes them, `.csv` tables.

mod csv;
mod npy;

use std::io::{Seek, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::host::Host;
use crate::tensor::Tensor;

/// The formats, by the ending of the file name.
#[derive(Clone, Copy)]
enum Format {
    Npy,
    Npz,
    Csv,
}

impl Format {
    fn of(action: &'static str, name: &Path) -> Result<Self> {
        let ending = name.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("npy") => Ok(Self::Npy),
            Some("npz") => Ok(Self::Npz),
            Some("csv") => Ok(Self::Csv),
            _ => Err(Error::file(action, name, "its ending tells no format").with_hint("use .npy, .npz or .csv")),
        }
    }

    /// The format of a file in which `array` may be asked for.
    fn holding(array: Option<&str>, name: &Path) -> Result<Self> {
        match (Self::of("read", name)?, array) {
            (Self::Npy | Self::Csv, Some(array)) => {
                Err(Error::argument("array", format!("is `{array}`, but only .npz files hold several arrays"))
                    .with_hint("leave it out"))
            }
            (format, _) => Ok(format),
        }
    }

    fn decode(self, name: &Path, bytes: &[u8], array: Option<&str>) -> Result<Tensor> {
        match self {
            Self::Npy => npy::decode(name, bytes),
            Self::Npz => npy::decode_archive(name, bytes, array),
            Self::Csv => csv::decode(name, bytes),
        }
    }

    fn encode(self, name: &Path, tensor: &Tensor, out: impl Write + Seek) -> Result<()> {
        match self {
            Self::Npy => npy::encode(name, tensor, out),
            Self::Npz => npy::encode_archive(name, &[("array", tensor)], out),
            Self::Csv => csv::encode(name, tensor, out),
        }
    }
}

/// Reads an array from a file. `array` names one of several in a `.npz` file and is not allowed elsewhere. A `.csv`
/// file may have a header line; fields are separated by commas, semicolons or tabs.
///
/// # Errors
/// When the file is missing, truncated, ragged, not numeric or of unknown format, or holds no array of that name.
pub fn read(path: &Path, array: Option<&str>, host: &Host) -> Result<Tensor> {
    Format::holding(array, path)?.decode(path, &host.read(path)?, array)
}

/// Reads an array from the bytes of a file, as [`read`]. The ending of `name` tells the format, and errors call it so.
///
/// # Errors
/// As [`read`].
pub fn decode(name: &Path, bytes: &[u8], array: Option<&str>) -> Result<Tensor> {
    Format::holding(array, name)?.decode(name, bytes, array)
}

/// Writes a tensor to a `.npy`, `.npz` (as `array`) or `.csv` file.
///
/// # Errors
/// When the format is unknown or the file cannot be written; for `.csv`, when the tensor has more than two axes.
pub fn write(path: &Path, tensor: &Tensor, host: &Host) -> Result<()> {
    let format = Format::of("write", path)?;
    host.write(path, |out| format.encode(path, tensor, out))
}

/// Writes a tensor as [`write`()] does, but to `out`. The ending of `name` tells the format, and errors call it so.
///
/// # Errors
/// As [`write`()].
pub fn encode(name: &Path, tensor: &Tensor, out: impl Write + Seek) -> Result<()> {
    Format::of("write", name)?.encode(name, tensor, out)
}

/// Writes several named tensors to one `.npz` file.
///
/// # Errors
/// When the file name does not end in `.npz` or the file cannot be written.
pub fn write_named(path: &Path, tensors: &[(&str, &Tensor)], host: &Host) -> Result<()> {
    match Format::of("write", path)? {
        Format::Npz => host.write(path, |out| npy::encode_archive(path, tensors, out)),
        _ => Err(Error::file("write", path, "this format holds one array").with_hint("use .npz for several")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;

    fn host() -> Host {
        Host::default()
    }

    #[test]
    fn every_format_gives_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let values = vec![1.0, -0.1, 3.4e38, 1e-40, f32::INFINITY, 0.0];
        let tensor = Tensor::new(&[3, 2], values).unwrap();
        for ending in ["npy", "npz", "csv", "NPY"] {
            let path = folder.path().join(format!("points.{ending}"));
            write(&path, &tensor, &host()).unwrap();
            assert_eq!(read(&path, None, &host()).unwrap(), tensor, "{ending}");
            let (name, mut bytes) = (format!("embedded.{ending}"), std::io::Cursor::new(Vec::new()));
            encode(Path::new(&name), &tensor, &mut bytes).unwrap();
            assert_eq!(decode(Path::new(&name), bytes.get_ref(), None).unwrap(), tensor, "{ending}");
            assert_eq!(std::fs::read(&path).unwrap(), bytes.into_inner(), "{ending}");
        }
        let cube = Tensor::arange(0.0, 24.0, 1.0, &host()).unwrap().reshape(&[2, 3, 4]).unwrap();
        let path = folder.path().join("two.npz");
        write_named(&path, &[("cube", &cube), ("flat", &tensor)], &host()).unwrap();
        assert_eq!(read(&path, Some("cube"), &host()).unwrap(), cube);
        assert_eq!(read(&path, Some("flat"), &host()).unwrap(), tensor);
        let problem = read(&path, None, &host()).unwrap_err();
        assert!(problem.to_string().contains("it holds 2 arrays"), "{problem}");
        assert_eq!(problem.hint(), Some("name one of them: cube, flat"));
        let problem = read(&path, Some("cubes"), &host()).unwrap_err();
        assert!(problem.to_string().contains("it holds no array `cubes`"), "{problem}");
        assert_eq!(problem.hint(), Some("did you mean `cube`?"));
    }

    #[test]
    fn wrong_names_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let tensor = Tensor::scalar(1.0);
        let at = |name: &str| folder.path().join(name);
        let problem = write(&at("x.txt"), &tensor, &host()).unwrap_err();
        assert!(problem.to_string().contains("its ending tells no format"));
        assert_eq!(problem.hint(), Some("use .npy, .npz or .csv"));
        assert!(write_named(&at("x.npy"), &[], &host()).unwrap_err().to_string().contains("holds one array"));
        assert!(write(&at("none/x.npy"), &tensor, &host()).unwrap_err().to_string().contains("does not exist"));
        assert!(read(&at("none.npy"), None, &host()).unwrap_err().to_string().contains("no such file"));
        write(&at("x.npy"), &tensor, &host()).unwrap();
        assert!(read(&at("x.npy"), Some("a"), &host()).unwrap_err().to_string().contains("only .npz files"));
    }

    #[test]
    fn data_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("line.csv");
        std::fs::write(&path, "angle\n1\n2\n3\n").unwrap();
        let data = Dataset::from_file(&path, None, &host()).unwrap();
        assert_eq!((data.name(), data.shape()), ("line", &[1][..]));
        assert_eq!(data.moments().mean, [2.0]);
        std::fs::write(&path, "1,2\n3,nan\n").unwrap();
        let problem = Dataset::from_file(&path, None, &host()).unwrap_err().to_string();
        assert!(problem.starts_with("cannot use `"), "{problem}");
        assert!(problem.ends_with("line.csv`: it has 1 of 4 values not finite, the first (NaN) in row 1"), "{problem}");
    }
}
