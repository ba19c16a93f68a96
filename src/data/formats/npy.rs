//! NumPy's own formats.

use std::io::{Cursor, Read, Seek, Write};
use std::path::Path;

use ndarray::ArrayD;
use ndarray_npy::{
    NpzReader, NpzWriter, ReadDataError, ReadNpyError, ReadNpyExt, ReadNpzError, ReadableElement, WriteNpyExt,
};
use py_literal::Value;

use crate::error::{Error, Result, suggestion};
use crate::tensor::{self, Tensor};

/// Reads the `.npy` file `path` of floating-point numbers, integers or truth values from its bytes.
pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Tensor> {
    ArrayD::<Element>::read_npy(bytes).map(from_array).map_err(|e| explain_npy(path, &e))
}

/// Reads the array `name` of the `.npz` file `path`, or the only one, from the file's bytes.
pub(super) fn decode_archive(path: &Path, bytes: &[u8], name: Option<&str>) -> Result<Tensor> {
    let broken = |error: ReadNpzError| match error {
        ReadNpzError::Npy(error) => explain_npy(path, &error),
        ReadNpzError::Zip(error) => Error::file("read", path, format!("it is damaged or not a .npz file ({error})")),
    };
    let mut archive = NpzReader::new(Cursor::new(bytes)).map_err(broken)?;
    let names = archive.names().map_err(broken)?;
    let name = match (name, names.as_slice()) {
        (_, []) => return Err(Error::file("read", path, "it holds no arrays")),
        (None, [only]) => only.clone(),
        (None, several) => {
            return Err(Error::file("read", path, format!("it holds {} arrays", several.len()))
                .with_hint(format!("name one of them: {}", several.join(", "))));
        }
        (Some(name), _) if names.iter().any(|known| known == name) => name.to_owned(),
        (Some(name), _) => {
            let hint = suggestion(name, &names, "it holds");
            return Err(Error::file("read", path, format!("it holds no array `{name}`")).with_hint(hint));
        }
    };
    archive.by_name(&name).map(from_array).map_err(broken)
}

/// Writes the `.npy` file `path`, of single precision.
pub(super) fn encode(path: &Path, tensor: &Tensor, out: impl Write) -> Result<()> {
    tensor.array().write_npy(out).map_err(|e| Error::file("write", path, e))
}

/// Writes the `.npz` file `path`, of single precision.
pub(super) fn encode_archive(path: &Path, tensors: &[(&str, &Tensor)], out: impl Write + Seek) -> Result<()> {
    let mut archive = NpzWriter::new(out);
    for (name, tensor) in tensors {
        archive.add_array(*name, tensor.array()).map_err(|e| Error::file("write", path, e))?;
    }
    archive.finish().map(drop).map_err(|e| Error::file("write", path, e))
}

/// A number of any type that a file may hold, rounded to single precision.
#[derive(Clone, Copy)]
struct Element(f32);

impl ReadableElement for Element {
    /// The crate's own elements set aside all the memory that a header asks for, which a damaged one can make absurd;
    /// here memory grows with the bytes that are really there.
    fn read_to_end_exact_vec<R: Read>(
        mut reader: R,
        descriptor: &Value,
        count: usize,
    ) -> Result<Vec<Self>, ReadDataError> {
        let kind = descriptor.as_string().and_then(|text| Kind::parse(text));
        let kind = kind.ok_or_else(|| ReadDataError::WrongDescriptor(descriptor.clone()))?;
        tensor::count(&[count]).map_err(|e| ReadDataError::ParseData(Box::new(e)))?;
        let expected = count * kind.size;
        let mut bytes = Vec::new();
        reader.by_ref().take(expected as u64).read_to_end(&mut bytes)?;
        if bytes.len() < expected {
            return Err(ReadDataError::MissingData);
        }
        match reader.read_to_end(&mut Vec::new())? {
            0 => Ok(bytes.chunks_exact(kind.size).map(|bytes| Self(kind.decode(bytes))).collect()),
            extra => Err(ReadDataError::ExtraBytes(extra)),
        }
    }
}

/// How a number is stored.
#[derive(Clone, Copy)]
struct Kind {
    class: char,
    size: usize,
    big_endian: bool,
}

impl Kind {
    /// Reads NumPy's description, such as `<f8` or `|u1`.
    fn parse(text: &str) -> Option<Self> {
        let mut characters = text.chars();
        let big_endian = match characters.next()? {
            '<' | '|' => false,
            '>' => true,
            _ => return None,
        };
        let class = characters.next()?;
        let size = characters.as_str().parse().ok()?;
        let known = match class {
            'f' => matches!(size, 4 | 8),
            'i' | 'u' => matches!(size, 1 | 2 | 4 | 8),
            'b' => size == 1,
            _ => false,
        };
        known.then_some(Self { class, size, big_endian })
    }

    fn decode(self, bytes: &[u8]) -> f32 {
        let mut little = [0; 8];
        little[..self.size].copy_from_slice(bytes);
        if self.big_endian {
            little[..self.size].reverse();
        }
        let word = u64::from_le_bytes(little);
        let unused = 64 - 8 * self.size as u32;
        match (self.class, self.size) {
            ('f', 4) => f32::from_bits(word as u32),
            ('f', _) => f64::from_bits(word) as f32,
            // To the top and back again, which repeats the sign.
            ('i', _) => ((word as i64) << unused >> unused) as f32,
            _ => word as f32,
        }
    }
}

fn from_array(array: ArrayD<Element>) -> Tensor {
    array.mapv(|element| element.0).into()
}

fn explain_npy(path: &Path, error: &ReadNpyError) -> Error {
    let wrong = |reason: String| Error::file("read", path, reason);
    match error {
        ReadNpyError::MissingData => wrong("it is truncated: its header promises more values than follow".into())
            .with_hint("copy or save it again"),
        ReadNpyError::ExtraBytes(count) => wrong(format!("{count} bytes follow the values that its header promises")),
        ReadNpyError::WrongDescriptor(kind) => wrong(format!("its values have type {kind}"))
            .with_hint("supported are 'f4', 'f8', integers and truth values: in NumPy, x.astype('f4')"),
        ReadNpyError::ParseData(error) => wrong(error.to_string()),
        other => wrong(format!("it is damaged or not a .npy file ({other})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as NumPy lays it out: magic, version, header length, header, values.
    fn npy(header: &str, values: &[u8]) -> Vec<u8> {
        let padded = format!("{header:<117}\n");
        [b"\x93NUMPY\x01\x00", (padded.len() as u16).to_le_bytes().as_slice(), padded.as_bytes(), values].concat()
    }

    fn header(kind: &str, order: &str, shape: &str) -> String {
        format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}")
    }

    fn parse(bytes: &[u8]) -> Result<Tensor> {
        decode(Path::new("array.npy"), bytes)
    }

    #[test]
    fn every_type_of_number() {
        let vector = |kind: &str, bytes: &[u8]| {
            let count = bytes.len() / kind[2..].parse::<usize>().unwrap();
            parse(&npy(&header(kind, "False", &format!("({count},)")), bytes)).unwrap().values().into_owned()
        };
        assert_eq!(vector("<f4", &1.5_f32.to_le_bytes()), [1.5]);
        assert_eq!(vector(">f8", &(-2.5_f64).to_be_bytes()), [-2.5]);
        assert_eq!(vector("|i1", &[0xff, 0x7f]), [-1.0, 127.0]);
        assert_eq!(vector("|u1", &[0xff]), [255.0]);
        assert_eq!(vector("<i2", &(-300_i16).to_le_bytes()), [-300.0]);
        assert_eq!(vector(">i4", &(-70_000_i32).to_be_bytes()), [-70_000.0]);
        assert_eq!(vector("<i8", &i64::MIN.to_le_bytes()), [i64::MIN as f32]);
        assert_eq!(vector("<u8", &u64::MAX.to_le_bytes()), [u64::MAX as f32]);
        assert_eq!(vector("|b1", &[0, 1]), [0.0, 1.0]);
    }

    #[test]
    fn columns_first() {
        let bytes: Vec<u8> = [1_u8, 2, 3, 4, 5, 6].to_vec();
        let tensor = parse(&npy(&header("|u1", "True", "(2, 3)"), &bytes)).unwrap();
        assert_eq!(tensor.shape(), [2, 3]);
        assert_eq!(tensor.values()[..], [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn damage_is_named() {
        let problem = |bytes: &[u8]| parse(bytes).expect_err("damaged").to_string();
        let good = npy(&header("<f4", "False", "(2,)"), &[0; 8]);
        assert!(parse(&good).is_ok());
        assert!(problem(&good[..good.len() - 1]).contains("it is truncated"));
        assert!(problem(&[good.as_slice(), &[0, 0]].concat()).contains("2 bytes follow"));
        assert!(problem(&good[..40]).contains("damaged or not a .npy file"));
        assert!(problem(b"").contains("damaged or not a .npy file"));
        assert!(problem(b"1,2,3\n4,5,6\n").contains("damaged or not a .npy file"));
        assert!(problem(&npy(&header("<c8", "False", "(1,)"), &[0; 8])).contains("its values have type '<c8'"));
        // The header alone must not make the program set aside the memory it names.
        let huge = npy(&header("<f4", "False", "(4611686018427387904,)"), &[]);
        assert!(problem(&huge).contains("damaged or not") || problem(&huge).contains("EiB"), "{}", problem(&huge));
        assert!(problem(&npy(&header("<f4", "False", "(10000000000,)"), &[])).contains("37.3 GiB"));
        assert!(problem(&npy(&header("<f4", "False", "(1000000,)"), &[0; 8])).contains("it is truncated"));
        let problem = decode_archive(Path::new("array.npz"), b"PK\x03\x04 no archive", None).unwrap_err().to_string();
        assert!(problem.contains("damaged or not a .npz file"), "{problem}");
    }
}
