//! What is in a file that the program wrote, in words, and how two of them differ.

mod array;
mod kind;
mod model;
mod picture;
mod text;

use std::path::Path;

use kind::Kind;

use crate::error::Result;
use crate::host::Host;

/// How what was made again compares with what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Byte by byte the same.
    Identical,
    /// The same but for what the file says of where it comes from.
    SameContent,
    /// Different, and how.
    Different(String),
}

/// All kinds; the first that fits is it, and the last fits all.
const KINDS: [Kind; 5] = [model::KIND, picture::BITMAP, picture::DRAWING, array::KIND, text::KIND];

fn kind_of(name: &Path, bytes: &[u8]) -> &'static Kind {
    KINDS.iter().find(|kind| (kind.fits)(name, bytes)).expect("the last fits all")
}

/// What is in the file `name` of these `bytes`: a line each.
///
/// # Errors
/// When it is damaged.
pub fn describe(name: &Path, bytes: &[u8], host: &Host) -> Result<Vec<String>> {
    (kind_of(name, bytes).describe)(name, bytes, host)
}

/// How the `second` bytes of the file `name` differ from the `first`.
///
/// # Errors
/// When one is damaged.
pub fn compare(name: &Path, first: &[u8], second: &[u8], host: &Host) -> Result<Comparison> {
    if first == second {
        return Ok(Comparison::Identical);
    }
    let difference = (kind_of(name, first).difference)(name, [first, second], host)?;
    Ok(difference.map_or(Comparison::SameContent, Comparison::Different))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::data::formats;
    use crate::host::Inscription;
    use crate::plot::{Figure, Panel, scatter};
    use crate::tensor::Tensor;

    fn host() -> Host {
        Host::default()
    }

    fn compared(name: &str, first: &[u8], second: &[u8]) -> Comparison {
        compare(Path::new(name), first, second, &host()).unwrap()
    }

    fn described(name: &str, bytes: &[u8]) -> String {
        describe(Path::new(name), bytes, &host()).unwrap().join("; ")
    }

    /// The bytes with where they come from.
    fn inscribed(format: Inscription, bytes: &[u8]) -> Vec<u8> {
        let host = host();
        host.journal().enter("a.rhai", "let x = 1;");
        let mut bytes = Cursor::new(bytes.to_vec());
        host.inscribe(format, &mut bytes).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn arrays() {
        let encoded = |name: &str, values: Vec<f32>| {
            let (tensor, mut out) = (Tensor::new(&[2, 2], values).unwrap(), Cursor::new(Vec::new()));
            formats::encode(Path::new(name), &tensor, &mut out).unwrap();
            out.into_inner()
        };
        for name in ["a.npy", "a.npz", "a.csv"] {
            let first = encoded(name, vec![1.0, 2.0, 3.0, f32::NAN]);
            let second = encoded(name, vec![1.0, 2.5, 3.0, f32::NAN]);
            assert_eq!(compared(name, &first, &first), Comparison::Identical);
            let Comparison::Different(how) = compared(name, &first, &second) else { panic!("{name}") };
            assert!(how.ends_with("1 of 4 numbers differ, by 5.00e-1 at most, of numbers up to 3.00e0"), "{how}");
            let text = described(name, &first);
            assert!(text.ends_with("[2, 2], from 1 to 3, mean 2, 1 not finite"), "{text}");
        }
        let bytes = encoded("a.npz", vec![1.0; 4]);
        let other = inscribed(Inscription::Zip, &bytes);
        assert_eq!(compared("a.npz", &bytes, &other), Comparison::SameContent);
        assert_eq!(described("a.npz", &other), described("a.npz", &bytes));
    }

    #[test]
    fn pictures() {
        let figure = |y: f64| Figure::new(vec![Panel::new(vec![scatter(vec![[0.0, 0.0], [0.5, y], [1.0, 1.0]])])]);
        let [first, second] = [0.2, 0.7].map(|y| figure(y).png().unwrap());
        assert!(described("a.png", &first).starts_with("picture, "), "{}", described("a.png", &first));
        let Comparison::Different(how) = compared("a.png", &first, &second) else { panic!("equal") };
        assert!(how.contains("pixels differ"), "{how}");
        let other = inscribed(Inscription::Png, &first);
        assert_eq!(compared("a.png", &first, &other), Comparison::SameContent);
        let drawing = figure(1.0).svg().unwrap();
        let other = inscribed(Inscription::Svg, drawing.as_bytes());
        assert_eq!(compared("a.svg", drawing.as_bytes(), &other), Comparison::SameContent);
        assert!(described("a.svg", &other).starts_with("drawing, "));
    }

    #[test]
    fn texts() {
        assert_eq!(described("a.json", b"{ \"a\": 1, \"b\": [2] }"), "JSON: a map of a, b");
        assert_eq!(described("a.md", b"# Results\n\n1\n"), "text of 3 lines");
        assert_eq!(described("a", &[0, 255]), "2 bytes");
        let Comparison::Different(how) = compared("a.md", b"one\ntwo\n", b"one\ntwa\n") else { panic!("equal") };
        assert_eq!(how, "from line 2 on: `two`, and made again `twa`");
    }
}
