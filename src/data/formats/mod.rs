//! Arrays in files: `.npy` and `.npz` as NumPy writes them, `.csv` tables.

mod csv;
mod npy;

use std::path::Path;

use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// The formats, by the ending of the file name.
enum Format {
    Npy,
    Npz,
    Csv,
}

fn format(action: &'static str, path: &Path) -> Result<Format> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("npy") => Ok(Format::Npy),
        Some("npz") => Ok(Format::Npz),
        Some("csv") => Ok(Format::Csv),
        _ => Err(Error::file(action, path, "its ending tells no format").with_hint("use .npy, .npz or .csv")),
    }
}

/// Reads an array. `array` names one of several in a `.npz` file and is not allowed elsewhere. A `.csv` file may have
/// a header line; fields are separated by commas, semicolons or tabs.
///
/// # Errors
/// When the file is missing, truncated, ragged, not numeric or of unknown format, or holds no array of that name.
pub fn read(path: &Path, array: Option<&str>) -> Result<Tensor> {
    match (format("read", path)?, array) {
        (Format::Npz, array) => npy::read_npz(path, array),
        (_, Some(array)) => {
            Err(Error::argument("array", format!("is `{array}`, but only .npz files hold several arrays"))
                .with_hint("leave it out"))
        }
        (Format::Npy, None) => npy::read_npy(path),
        (Format::Csv, None) => csv::read(path),
    }
}

/// Writes a tensor to a `.npy`, `.npz` (as `array`) or `.csv` file.
///
/// # Errors
/// When the format is unknown or the file cannot be written; for `.csv`, when the tensor has more than two axes.
pub fn write(path: &Path, tensor: &Tensor) -> Result<()> {
    match format("write", path)? {
        Format::Npy => npy::write_npy(path, tensor),
        Format::Npz => npy::write_npz(path, &[("array", tensor)]),
        Format::Csv => csv::write(path, tensor),
    }
}

/// Writes several named tensors to one `.npz` file.
///
/// # Errors
/// When the file name does not end in `.npz` or the file cannot be written.
pub fn write_named(path: &Path, tensors: &[(&str, &Tensor)]) -> Result<()> {
    match format("write", path)? {
        Format::Npz => npy::write_npz(path, tensors),
        _ => Err(Error::file("write", path, "this format holds one array").with_hint("use .npz for several")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;

    #[test]
    fn every_format_gives_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let values = vec![1.0, -0.1, 3.4e38, 1e-40, f32::INFINITY, 0.0];
        let tensor = Tensor::new(&[3, 2], values).unwrap();
        for ending in ["npy", "npz", "csv", "NPY"] {
            let path = folder.path().join(format!("points.{ending}"));
            write(&path, &tensor).unwrap();
            assert_eq!(read(&path, None).unwrap(), tensor, "{ending}");
        }
        let cube = Tensor::arange(0.0, 24.0, 1.0).unwrap().reshape(&[2, 3, 4]).unwrap();
        let path = folder.path().join("two.npz");
        write_named(&path, &[("cube", &cube), ("flat", &tensor)]).unwrap();
        assert_eq!(read(&path, Some("cube")).unwrap(), cube);
        assert_eq!(read(&path, Some("flat")).unwrap(), tensor);
        let problem = read(&path, None).unwrap_err();
        assert!(problem.to_string().contains("it holds 2 arrays"), "{problem}");
        assert_eq!(problem.hint(), Some("name one of them: cube, flat"));
        let problem = read(&path, Some("cubes")).unwrap_err();
        assert!(problem.to_string().contains("it holds no array `cubes`"), "{problem}");
        assert_eq!(problem.hint(), Some("did you mean `cube`?"));
    }

    #[test]
    fn wrong_names_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let tensor = Tensor::scalar(1.0);
        let at = |name: &str| folder.path().join(name);
        let problem = write(&at("x.txt"), &tensor).unwrap_err();
        assert!(problem.to_string().contains("its ending tells no format"));
        assert_eq!(problem.hint(), Some("use .npy, .npz or .csv"));
        assert!(write_named(&at("x.npy"), &[]).unwrap_err().to_string().contains("holds one array"));
        assert!(write(&at("none/x.npy"), &tensor).unwrap_err().to_string().contains("does not exist"));
        assert!(read(&at("none.npy"), None).unwrap_err().to_string().contains("no such file"));
        write(&at("x.npy"), &tensor).unwrap();
        assert!(read(&at("x.npy"), Some("a")).unwrap_err().to_string().contains("only .npz files"));
    }

    #[test]
    fn data_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("line.csv");
        std::fs::write(&path, "angle\n1\n2\n3\n").unwrap();
        let data = Dataset::from_file(&path, None).unwrap();
        assert_eq!((data.name(), data.shape()), ("line", &[1][..]));
        assert_eq!(data.moments().mean, [2.0]);
        std::fs::write(&path, "1,2\n3,nan\n").unwrap();
        let problem = Dataset::from_file(&path, None).unwrap_err().to_string();
        assert!(problem.starts_with("cannot use `"), "{problem}");
        assert!(problem.ends_with("line.csv`: it has 1 of 4 values not finite, the first (NaN) in row 1"), "{problem}");
    }
}
