//! NumPy's own formats.

use std::io::{Cursor, Read, Seek, Write};
use std::path::Path;

use ndarray::ArrayD;
use ndarray_npy::{NpzWriter, ReadDataError, ReadNpyError, ReadNpyExt, ReadableElement, WriteNpyExt};
use py_literal::Value;
use zip::ZipArchive;
use zip::result::ZipError;

use super::array::{Array, WHOLE, rounded_whole};
use crate::error::{Error, Result, suggestion};
use crate::host::Host;
use crate::tensor::{self, Tensor};

/// Reads the `.npy` file `path` of floating-point numbers, integers or truth values from its bytes.
pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Array> {
    let (header, values) = modern(bytes);
    if nesting(&header) > DEEPEST {
        return Err(Error::file("read", path, "it is damaged: brackets in its header nest too deeply"));
    }
    let is_long = header.windows(3).any(|kind| kind == b"i8'" || kind == b"u8'");
    let array = ArrayD::<Element>::read_npy(Cursor::new(header).chain(values));
    let mut array = array.map(from_array).map_err(|error| explain(path, &error))?;
    if is_long && array.values.iter().any(|value| value.abs() >= WHOLE) {
        array.notes.push(rounded_whole(path));
    }
    Ok(array)
}

/// The names of the arrays of the `.npz` file `path` from its bytes.
pub(super) fn names(path: &Path, bytes: &[u8]) -> Result<Vec<String>> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(path, &error))?;
    Ok(archive.file_names().filter_map(|file| file.strip_suffix(MEMBER)).map(str::to_owned).collect())
}

/// The ending of an array's name in an archive.
const MEMBER: &str = ".npy";

fn damaged(path: &Path, error: &ZipError) -> Error {
    match error {
        ZipError::UnsupportedArchive(problem) => {
            Error::file("read", path, format!("its compression is unknown: {problem}"))
                .with_hint("write it with np.savez or np.savez_compressed")
        }
        error => Error::file("read", path, format!("it is damaged or not a .npz file ({error})")),
    }
}

/// Reads the array `name` of the `.npz` file `path`, or the only one, from the file's bytes.
pub(super) fn decode_archive(path: &Path, bytes: &[u8], name: Option<&str>, host: &Host) -> Result<Array> {
    let damaged = |error: ZipError| damaged(path, &error);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let members: Vec<String> = archive.file_names().filter(|file| file.ends_with(MEMBER)).map(str::to_owned).collect();
    let names: Vec<&str> = members.iter().filter_map(|member| member.strip_suffix(MEMBER)).collect();
    let member = match (name, members.as_slice()) {
        (_, []) => return Err(Error::file("read", path, "it holds no arrays")),
        (None, [only]) => only,
        (None, several) => {
            return Err(Error::file("read", path, format!("it holds {} arrays", several.len()))
                .with_hint(format!("name one of them: {}", names.join(", "))));
        }
        // As NumPy has it: the name of a member, or that without its ending.
        (Some(name), several) => {
            let is_it = |member: &&String| *member == name || member.strip_suffix(MEMBER) == Some(name);
            several.iter().find(is_it).ok_or_else(|| {
                Error::file("read", path, format!("it holds no array `{name}`"))
                    .with_hint(suggestion(name, &names, "it holds"))
            })?
        }
    };
    let mut file = archive.by_name(member).map_err(damaged)?;
    // Compressed zeros may become a thousand times as many; then each byte a double, at most, twice.
    let size = file.size();
    host.afford(17.0 * size as f64, |problem| Error::file("read", path, format!("`{member}` in it {problem}")))?;
    let mut bytes = Vec::new();
    file.by_ref().take(size).read_to_end(&mut bytes).map_err(|error| damaged(error.into()))?;
    decode(path, &bytes)
}

/// The header as Python 3 writes it, and what follows. Python 2 put an L behind the lengths: `(10L, 2L)`.
fn modern(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let length = match bytes {
        [_, _, _, _, _, _, 1, _, a, b, ..] => 10 + usize::from(u16::from_le_bytes([*a, *b])),
        [_, _, _, _, _, _, _, _, a, b, c, d, ..] => 12 + u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        _ => 0,
    };
    let (header, values) = bytes.split_at(length.min(bytes.len()));
    let mut header = header.to_vec();
    let ends = |rest: &[u8]| rest.iter().find(|byte| **byte != b' ').is_some_and(|byte| b",)".contains(byte));
    for at in 1..header.len() {
        if header[at] == b'L' && header[at - 1].is_ascii_digit() && ends(&header[at + 1..]) {
            header[at] = b' ';
        }
    }
    (header, values)
}

/// Brackets in each other that a header may have; one of records in records has a few.
const DEEPEST: usize = 30;

/// How deep brackets nest: the parser of headers goes down the stack with them.
fn nesting(header: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in header {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
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

/// A number of any type that a file may hold.
#[derive(Clone, Copy)]
struct Element(f64);

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
    /// Reads NumPy's description, such as `<f8` or `|u1`. Without an order, or with the writer's own, the bytes are
    /// taken in the order that nearly all machines have: the lowest first.
    fn parse(text: &str) -> Option<Self> {
        if text == "?" {
            return Self::parse("|b1");
        }
        let big_endian = text.starts_with('>');
        let mut characters = text.trim_start_matches(['<', '|', '=', '>']).chars();
        let class = characters.next()?;
        let size = characters.as_str().parse().ok()?;
        let known = match class {
            'f' => matches!(size, 2 | 4 | 8),
            'i' | 'u' => matches!(size, 1 | 2 | 4 | 8),
            'b' => size == 1,
            _ => false,
        };
        known.then_some(Self { class, size, big_endian })
    }

    fn decode(self, bytes: &[u8]) -> f64 {
        let mut little = [0; 8];
        little[..self.size].copy_from_slice(bytes);
        if self.big_endian {
            little[..self.size].reverse();
        }
        let word = u64::from_le_bytes(little);
        let unused = 64 - 8 * self.size as u32;
        match (self.class, self.size) {
            ('f', 2) => half(word as u16),
            ('f', 4) => f32::from_bits(word as u32).into(),
            ('f', _) => f64::from_bits(word),
            // To the top and back again, which repeats the sign.
            ('i', _) => ((word as i64) << unused >> unused) as f64,
            ('b', _) => f64::from(u8::from(word != 0)),
            _ => word as f64,
        }
    }
}

/// A number of half precision: a sign, 5 bits of exponent, 10 of the fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (bits >> 10 & 31, f64::from(bits & 1023) / 1024.0);
    let size = match exponent {
        0 => fraction * 2_f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2_f64.powi(i32::from(exponent) - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// Brings the values into row-major order.
fn from_array(array: ArrayD<Element>) -> Array {
    let (shape, values) = (array.shape().to_vec(), array.iter().map(|element| element.0).collect());
    Array { shape, values, ..Array::default() }
}

fn explain(path: &Path, error: &ReadNpyError) -> Error {
    let wrong = |reason: String| Error::file("read", path, reason);
    match error {
        ReadNpyError::MissingData => wrong("it is truncated: its header promises more values than follow".into())
            .with_hint("copy or save it again"),
        ReadNpyError::ExtraBytes(count) => wrong(format!("{count} bytes follow the values that its header promises"))
            .with_hint("write each array to a file of its own, or several with np.savez"),
        ReadNpyError::WrongDescriptor(kind) => wrong(format!("its values have type {kind}")).with_hint(in_numpy(kind)),
        ReadNpyError::ParseData(error) => wrong(error.to_string()),
        other => wrong(format!("it is damaged or not a .npy file ({other})")),
    }
}

/// What to do in NumPy with values of a type that are no plain numbers.
fn in_numpy(kind: &Value) -> &'static str {
    let Some(text) = kind.as_string() else {
        return "these are records: in NumPy, structured_to_unstructured(x) of numpy.lib.recfunctions makes columns of them";
    };
    match text.trim_start_matches(['<', '|', '=', '>']).chars().next() {
        Some('c') => "these are complex numbers: in NumPy, np.stack([x.real, x.imag], axis=-1)",
        Some('U' | 'S' | 'a') => "these are texts: in NumPy, np.unique(x, return_inverse=True)[1] numbers them",
        Some('O') => "these are Python objects: in NumPy, x.astype('f8') where they are numbers",
        Some('M' | 'm') => "these are times: in NumPy, (x - x[0]) / np.timedelta64(1, 's')",
        Some('V') => "these are bytes that NumPy has no numbers for, such as bfloat16: write x.astype('f4')",
        _ => "supported are 'f2', 'f4', 'f8', integers and truth values: in NumPy, x.astype('f8')",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::property::cases;

    /// A file as NumPy lays it out: magic, version, header length, header, values.
    fn npy(header: &str, values: &[u8]) -> Vec<u8> {
        let padded = format!("{header:<117}\n");
        [b"\x93NUMPY\x01\x00", (padded.len() as u16).to_le_bytes().as_slice(), padded.as_bytes(), values].concat()
    }

    fn header(kind: &str, order: &str, shape: &str) -> String {
        format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}")
    }

    fn parse(bytes: &[u8]) -> Result<Array> {
        decode(Path::new("array.npy"), bytes)
    }

    #[test]
    fn every_type_of_number() {
        let vector = |kind: &str, bytes: &[u8]| {
            let count = bytes.len() / kind[2..].parse::<usize>().unwrap();
            parse(&npy(&header(kind, "False", &format!("({count},)")), bytes)).unwrap().values
        };
        assert_eq!(vector("<f4", &1.5_f32.to_le_bytes()), [1.5]);
        assert_eq!(vector(">f8", &(-2.5_f64).to_be_bytes()), [-2.5]);
        assert_eq!(vector("|i1", &[0xff, 0x7f]), [-1.0, 127.0]);
        assert_eq!(vector("|u1", &[0xff]), [255.0]);
        assert_eq!(vector("<i2", &(-300_i16).to_le_bytes()), [-300.0]);
        assert_eq!(vector(">i4", &(-70_000_i32).to_be_bytes()), [-70_000.0]);
        assert_eq!(vector("<i8", &i64::MIN.to_le_bytes()), [i64::MIN as f64]);
        assert_eq!(vector("<u8", &u64::MAX.to_le_bytes()), [u64::MAX as f64]);
        assert_eq!(vector("|b1", &[0, 1]), [0.0, 1.0]);
        assert_eq!(vector("=f8", &0.1_f64.to_le_bytes()), [0.1]);
        assert_eq!(vector("|f8", &0.1_f64.to_le_bytes()), [0.1]);
        let halves = [0x3c00_u16, 0xc100, 0x0001, 0x7bff, 0xfc00, 0x8000].map(u16::to_le_bytes).concat();
        assert_eq!(vector("<f2", &halves), [1.0, -2.5, 2_f64.powi(-24), 65504.0, f64::NEG_INFINITY, 0.0]);
        assert!(vector("<f2", &[1, 0x7e])[0].is_nan());
        let truth = parse(&npy(&header("?", "False", "(2,)"), &[0, 1])).unwrap();
        assert_eq!(truth.values, [0.0, 1.0]);
    }

    /// Seen to be rounded without a word.
    #[test]
    fn whole_numbers_that_lose_digits_are_said() {
        let notes = |value: i64| parse(&npy(&header("<i8", "False", "(1,)"), &value.to_le_bytes())).unwrap().notes;
        assert_eq!(notes((1 << 53) - 1), [""; 0]);
        assert!(notes((1 << 53) + 1)[0].contains("beyond 9_007_199_254_740_992 are rounded"), "{:?}", notes(1 << 60));
    }

    #[test]
    fn headers_of_python_2() {
        for shape in ["(3L, 2L)", "(3L, 2L, )", "(3 , 2L )"] {
            let array = parse(&npy(&header("|u1", "False", shape), &[1, 2, 3, 4, 5, 6])).unwrap();
            assert_eq!((array.shape, array.values[5]), (vec![3, 2], 6.0));
        }
        assert_eq!(parse(&npy(&header("|u1", "False", "(2L,)"), &[1, 2])).unwrap().shape, [2]);
    }

    #[test]
    fn hints_fit_the_type() {
        let hint = |kind: &str| {
            let error = parse(&npy(&header(kind, "False", "(1,)"), &[0; 16])).unwrap_err();
            error.hint().unwrap().to_owned()
        };
        assert!(hint("<c8").contains("x.real, x.imag"));
        assert!(hint("<U3").contains("return_inverse"));
        assert!(hint("|O").contains("Python objects"));
        assert!(hint("<M8[D]").contains("timedelta64"));
        assert!(hint("<V2").contains("bfloat16"));
        assert!(hint("<f16").contains("x.astype('f8')"));
        let records = npy("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,), }", &[0; 8]);
        assert!(parse(&records).unwrap_err().hint().unwrap().contains("structured_to_unstructured"));
    }

    #[test]
    fn columns_first() {
        let bytes: Vec<u8> = [1_u8, 2, 3, 4, 5, 6].to_vec();
        let tensor = parse(&npy(&header("|u1", "True", "(2, 3)"), &bytes)).unwrap();
        assert_eq!(tensor.shape, [2, 3]);
        assert_eq!(tensor.values, [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }

    /// Seen to overflow the stack with brackets unlimited, and to panic on what `refused` says.
    #[test]
    fn impossible_headers_are_refused() {
        let shapes = [
            "(-1,)",
            "(4294967296, 4294967296)",
            "(18446744073709551615,)",
            "(18446744073709551616,)",
            "(1.5,)",
            "()()",
            "(0, 18446744073709551615)",
            "(0, 9223372036854775807, 2)",
            "(9223372036854775808, 0)",
            "None",
            "(True,)",
            "(1, 2, 3, 4, 5, 6, 7, 8, 9, 99999999999)",
        ];
        for shape in shapes {
            for order in ["True", "False"] {
                let refused = parse(&npy(&header("<f8", order, shape), &[0; 8])).map(|array| array.shape);
                assert!(refused.is_err(), "{shape}: {refused:?}");
            }
        }
        for kind in ["<f0", "<f-8", "<f99999999999999999999", "", "<", "<i3", "é", "<f8<f8", "|O8"] {
            let refused = parse(&npy(&header(kind, "False", "(1,)"), &[0; 8])).map(|array| array.shape);
            assert!(refused.is_err(), "{kind}: {refused:?}");
        }
        for deep in ["(", "[", "{1:", "(1,"] {
            let text = deep.repeat(20_000);
            let bytes = [b"\x93NUMPY\x02\x00", (text.len() as u32).to_le_bytes().as_slice(), text.as_bytes()].concat();
            assert!(parse(&bytes).unwrap_err().to_string().contains("damaged"));
        }
    }

    proptest! {
        #![proptest_config(cases(2000))]

        /// Whatever becomes of a few bytes of a file, it is read or refused.
        #[test]
        fn damaged_files_do_not_panic(
            damage in proptest::collection::vec((0_usize..200, proptest::num::u8::ANY), 1..6),
            printable in proptest::collection::vec((10_usize..80, 0_usize..20), 0..4),
            length in 0_usize..260,
        ) {
            let tensor = Tensor::new(&[2, 3], vec![1.0; 6]).unwrap();
            let mut plain = Vec::new();
            encode(Path::new("a.npy"), &tensor, &mut plain).unwrap();
            let mut packed = Cursor::new(Vec::new());
            encode_archive(Path::new("a.npz"), &[("x", &tensor)], &mut packed).unwrap();
            for (is_archive, mut bytes) in [(false, plain), (true, packed.into_inner())] {
                for (place, byte) in &damage {
                    let size = bytes.len();
                    bytes[place % size] = *byte;
                }
                for (place, character) in &printable {
                    bytes[*place] = b"0123456789()[]{},'-L"[*character];
                }
                bytes.truncate(if length < 200 { bytes.len() } else { length });
                let found = match is_archive {
                    true => decode_archive(Path::new("a.npz"), &bytes, None, &Host::default()),
                    false => decode(Path::new("a.npy"), &bytes),
                };
                let says = found.err().map(|error| error.to_string()).unwrap_or_else(|| "a.np".into());
                prop_assert!(says.contains("a.np"), "{says}");
            }
        }
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
        let problem = decode_archive(Path::new("array.npz"), b"PK\x03\x04 no archive", None, &Host::default())
            .unwrap_err()
            .to_string();
        assert!(problem.contains("damaged or not a .npz file"), "{problem}");
    }
}
