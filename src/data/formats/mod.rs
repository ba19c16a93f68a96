//! Arrays in files: `.npy` and `.npz` as NumPy writes them, tables in text.

mod array;
mod npy;
mod options;
mod text;

use std::io::{Seek, Write};
use std::path::Path;

pub use array::Array;
pub use options::{Column, Layout, Options};

use crate::error::{Error, Result};
use crate::host::{Host, Inscription};
use crate::tensor::Tensor;

/// The formats, by the ending of the file name.
#[derive(Clone, Copy)]
enum Format {
    Npy,
    Npz,
    /// With what is written between the fields.
    Text(&'static str),
}

const ENDINGS: &str = "use .npy, .npz or .csv (for tables .txt, .dat and .tsv too)";

impl Format {
    fn of(action: &'static str, name: &Path) -> Result<Self> {
        let ending = name.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("npy") => Ok(Self::Npy),
            Some("npz") => Ok(Self::Npz),
            Some("csv") => Ok(Self::Text(",")),
            Some("tsv") => Ok(Self::Text("\t")),
            Some("txt" | "dat") => Ok(Self::Text(" ")),
            _ => Err(Error::file(action, name, "its ending tells no format").with_hint(ENDINGS)),
        }
    }

    /// The format of what is in a file, where its ending does not tell.
    fn found(name: &Path, bytes: &[u8]) -> Result<Self> {
        Self::of("read", name).or_else(|error| match bytes {
            [b'\x93', b'N', b'U', b'M', b'P', b'Y', ..] => Ok(Self::Npy),
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Ok(Self::Npz),
            // Other programs name their tables as they like; what is no text has control characters soon.
            _ if str::from_utf8(bytes).is_ok() && !bytes.contains(&0) => Ok(Self::Text(",")),
            _ => Err(error),
        })
    }

    /// Refuses options that the format has no use for.
    fn check(self, name: &Path, options: &Options) -> Result<()> {
        match (self, &options.array, options.layout.first_given) {
            (Self::Npy | Self::Text(_), Some(array), _) => {
                Err(Error::argument("array", format!("is `{array}`, but only .npz files hold several arrays"))
                    .with_hint("leave it out"))
            }
            (Self::Npy | Self::Npz, _, Some(option)) => {
                Err(Error::argument(option, format!("is for tables in text, and `{}` is none", name.display()))
                    .with_hint("leave it out"))
            }
            _ => Ok(()),
        }
    }

    fn decode(self, name: &Path, bytes: &[u8], options: &Options, host: &Host) -> Result<Array> {
        self.check(name, options)?;
        // At most: a digit and a comma become a double twice, a byte of .npy one.
        let values = if matches!(self, Self::Npz) { 0.0 } else { 8.0 * bytes.len() as f64 };
        host.afford(values, |problem| Error::file("read", name, format!("what it holds {problem}")))?;
        match self {
            Self::Npy => npy::decode(name, bytes),
            Self::Npz => npy::decode_archive(name, bytes, options.array.as_deref(), host),
            Self::Text(_) => text::decode(name, bytes, &options.layout),
        }
    }

    fn encode(self, name: &Path, tensor: &Tensor, out: impl Write + Seek) -> Result<()> {
        match self {
            Self::Npy => npy::encode(name, tensor, out),
            Self::Npz => npy::encode_archive(name, &[("array", tensor)], out),
            Self::Text(delimiter) => text::encode(name, tensor, delimiter, out),
        }
    }
}

/// Reads an array from a file. The ending of its name tells the format, else what is in it does.
///
/// # Errors
/// When the file is missing, truncated, ragged, not numeric or of unknown format, holds no array or column of that
/// name, or an option does not fit the format.
pub fn read(path: &Path, options: &Options, host: &Host) -> Result<Array> {
    if !host.has_file(path)? {
        Format::of("read", path)?;
    }
    decode(path, &host.read(path)?, options, host)
}

/// Reads an array from the bytes of a file, as [`read`]. Errors call it `name`.
///
/// # Errors
/// As [`read`].
pub fn decode(name: &Path, bytes: &[u8], options: &Options, host: &Host) -> Result<Array> {
    Format::found(name, bytes)?.decode(name, bytes, options, host)
}

/// The names of the arrays in the bytes of a `.npz` file; none in another. Errors call it `name`.
///
/// # Errors
/// When it is damaged.
pub fn names(name: &Path, bytes: &[u8]) -> Result<Vec<String>> {
    match Format::found(name, bytes)? {
        Format::Npz => npy::names(name, bytes),
        Format::Npy | Format::Text(_) => Ok(Vec::new()),
    }
}

/// Writes a tensor to a `.npy`, `.npz` (as `array`) or text file.
///
/// # Errors
/// When the format is unknown or the file cannot be written; for text, when the tensor has more than two axes.
pub fn write(path: &Path, tensor: &Tensor, host: &Host) -> Result<()> {
    let format = Format::of("write", path)?;
    host.write(path, |out| {
        format.encode(path, tensor, &mut *out)?;
        match format {
            Format::Npz => inscribe(path, out, host),
            Format::Npy | Format::Text(_) => Ok(()),
        }
    })
}

/// Says in an archive where it comes from.
fn inscribe(path: &Path, out: impl Write + Seek, host: &Host) -> Result<()> {
    host.inscribe(Inscription::Zip, out).map_err(|error| Error::file("write", path, error))
}

/// Writes a tensor as [`write`()] does, but to `out`. The ending of `name` tells the format, and errors call it so.
///
/// # Errors
/// As [`write`()].
pub fn encode(name: &Path, tensor: &Tensor, out: impl Write + Seek) -> Result<()> {
    Format::of("write", name)?.encode(name, tensor, out)
}

/// Whether the ending of a file's name is that of a format that is no text.
#[must_use]
pub fn is_binary(name: &Path) -> bool {
    matches!(Format::of("write", name), Ok(Format::Npy | Format::Npz))
}

/// What file systems allow a name, and more than archives could read back.
const LONGEST_NAME: usize = 250;

/// Writes several named tensors to one `.npz` file.
///
/// # Errors
/// When the file name does not end in `.npz`, a name is too long, or the file cannot be written.
pub fn write_named(path: &Path, tensors: &[(&str, &Tensor)], host: &Host) -> Result<()> {
    if let Some((name, _)) = tensors.iter().find(|(name, _)| name.len() > LONGEST_NAME) {
        let problem = format!("the name of an array has {} bytes, more than {LONGEST_NAME}", name.len());
        return Err(Error::file("write", path, problem));
    }
    match Format::of("write", path)? {
        Format::Npz => host.write(path, |out| {
            npy::encode_archive(path, tensors, &mut *out)?;
            inscribe(path, out, host)
        }),
        _ => Err(Error::file("write", path, "this format holds one array").with_hint("use .npz for several")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::task::Task;

    fn host() -> Host {
        Host::default()
    }

    #[test]
    fn every_format_gives_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let values = vec![1.0, -0.1, 3.4e38, 1e-40, f32::INFINITY, 0.0];
        let tensor = Tensor::new(&[3, 2], values).unwrap();
        let any = Options::default();
        for ending in ["npy", "npz", "csv", "NPY", "txt", "dat", "tsv"] {
            let path = folder.path().join(format!("points.{ending}"));
            write(&path, &tensor, &host()).unwrap();
            let (back, notes) = read(&path, &any, &host()).unwrap().rounded(&path).unwrap();
            assert_eq!((back, notes), (tensor.clone(), Vec::new()), "{ending}");
            let (name, mut bytes) = (format!("embedded.{ending}"), std::io::Cursor::new(Vec::new()));
            encode(Path::new(&name), &tensor, &mut bytes).unwrap();
            let back = decode(Path::new(&name), bytes.get_ref(), &any, &host()).unwrap();
            assert_eq!(back.rounded(Path::new(&name)).unwrap().0, tensor, "{ending}");
            assert_eq!(std::fs::read(&path).unwrap(), bytes.into_inner(), "{ending}");
        }
        let cube = Tensor::arange(0.0, 24.0, 1.0, &host()).unwrap().reshape(&[2, 3, 4]).unwrap();
        let path = folder.path().join("two.npz");
        write_named(&path, &[("cube", &cube), ("flat", &tensor)], &host()).unwrap();
        let named = |name: &str| read(&path, &Options::of_array(name), &host());
        assert_eq!(named("cube").unwrap().rounded(&path).unwrap().0, cube);
        assert_eq!(named("flat").unwrap().rounded(&path).unwrap().0, tensor);
        let problem = read(&path, &any, &host()).unwrap_err();
        assert!(problem.to_string().contains("it holds 2 arrays"), "{problem}");
        assert_eq!(problem.hint(), Some("name one of them: cube, flat"));
        let problem = named("cubes").unwrap_err();
        assert!(problem.to_string().contains("it holds no array `cubes`"), "{problem}");
        assert_eq!(problem.hint(), Some("did you mean `cube`?"));
    }

    #[test]
    fn wrong_names_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let tensor = Tensor::scalar(1.0);
        let at = |name: &str| folder.path().join(name);
        let any = Options::default();
        let problem = write(&at("x.png"), &tensor, &host()).unwrap_err();
        assert!(problem.to_string().contains("its ending tells no format"));
        assert!(problem.hint().unwrap().contains("use .npy, .npz or .csv"));
        assert!(write_named(&at("x.npy"), &[], &host()).unwrap_err().to_string().contains("holds one array"));
        assert!(write(&at("none/x.npy"), &tensor, &host()).unwrap_err().to_string().contains("does not exist"));
        assert!(read(&at("none.npy"), &any, &host()).unwrap_err().to_string().contains("no such file"));
        assert!(read(&at("none.npu"), &any, &host()).unwrap_err().to_string().contains("its ending tells no format"));
        write(&at("x.npy"), &tensor, &host()).unwrap();
        let problem = |options: &Options| read(&at("x.npy"), options, &host()).unwrap_err().to_string();
        assert!(problem(&Options::of_array("a")).contains("only .npz files"));
        let layout = Layout { first_given: Some("skip"), ..Layout::default() };
        assert!(problem(&Options { array: None, layout }).contains("`skip` is for tables in text"));
    }

    #[test]
    fn what_is_in_a_file_tells_where_its_name_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("friction.A");
        let values = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read(&path, &Options::default(), &host()).map(|array| array.values)
        };
        assert_eq!(values(b"# units: real\n\n  1.5e-4 2\n 3 4\n").unwrap(), [1.5e-4, 2.0, 3.0, 4.0]);
        let mut bytes = std::io::Cursor::new(Vec::new());
        encode(Path::new("x.npy"), &Tensor::scalar(2.0), &mut bytes).unwrap();
        assert_eq!(values(bytes.get_ref()).unwrap(), [2.0]);
        let problem = values(b"\x89PNG\0\0").unwrap_err().to_string();
        assert!(problem.ends_with("its ending tells no format"), "{problem}");
    }

    #[test]
    fn data_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("line.csv");
        std::fs::write(&path, "angle\n1\n2\n3\n").unwrap();
        let data = Dataset::from_file(&path, &Options::default(), &Task::default()).unwrap();
        assert_eq!((data.name(), data.shape()), ("line", &[1][..]));
        assert_eq!(data.moments().mean, [2.0]);
        std::fs::write(&path, "1,2\n3,nan\n").unwrap();
        let problem = Dataset::from_file(&path, &Options::default(), &Task::default()).unwrap_err().to_string();
        assert!(problem.starts_with("cannot use `"), "{problem}");
        assert!(problem.ends_with("line.csv`: it has 1 of 4 values not finite, the first (NaN) in row 1"), "{problem}");
    }
}
