//! Where a file comes from, in the file itself, for the formats that have room for it.
//!
//! Each is written behind all else that is in the file, so that whatever encodes the rest need not know of it. Saved
//! models have theirs in the description that their checksum covers, and write it themselves.

use std::borrow::Cow;
use std::io::{self, Seek, SeekFrom, Write};

use super::Host;
use super::provenance::Provenance;

/// What marks an inscription as one of tumble.
const MARK: &str = "tumble";

/// A format with room for an inscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inscription {
    /// PNG, animated or not: an `iTXt` chunk.
    Png,
    /// SVG: a `metadata` element.
    Svg,
    /// GIF: a comment extension.
    Gif,
    /// ZIP archives, such as `.npz`: the comment of the archive.
    Zip,
}

/// All formats.
const ALL: [Inscription; 4] = [Inscription::Png, Inscription::Svg, Inscription::Gif, Inscription::Zip];

impl Host {
    /// Writes into a file that is complete where it comes from, if a script runs.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn inscribe(&self, format: Inscription, mut out: impl Write + Seek) -> io::Result<()> {
        let Some(text) = self.provenance().and_then(|provenance| provenance.text(format.most())) else { return Ok(()) };
        let (end, tail) = format.tail(&text);
        out.seek(SeekFrom::End(-(end as i64)))?;
        out.write_all(&tail)
    }
}

impl Provenance {
    /// What the bytes of a file say of where it comes from.
    pub fn of_file(bytes: &[u8]) -> Option<Self> {
        let inscribed = ALL.iter().filter_map(|format| format.find(bytes)).next();
        Self::read(&inscribed.or_else(|| in_model(bytes).map(Cow::Owned))?)
    }
}

const SVG_BEGIN: &str = "<metadata id=\"tumble\">";
const SVG_END: &str = "</metadata>";
const SVG_TAIL: &str = "</svg>\n";
const PNG_END: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";
const GIF_COMMENT: [u8; 2] = [0x21, 0xfe];
const GIF_END: u8 = 0x3b;

impl Inscription {
    /// The bytes of a drawing without what it says of where it comes from.
    pub fn erased(bytes: &[u8]) -> Vec<u8> {
        let without = || {
            let (before, rest) = str::from_utf8(bytes).ok()?.split_once(SVG_BEGIN)?;
            let (_, after) = rest.split_once(&format!("{SVG_END}\n"))?;
            Some([before, after].concat().into_bytes())
        };
        without().unwrap_or_else(|| bytes.to_vec())
    }

    /// Bytes of the longest text.
    fn most(self) -> usize {
        match self {
            // The length of the comment is written in two bytes.
            Self::Zip => 65_000,
            _ => 1 << 20,
        }
    }

    /// How many bytes at the end of the file give way to what.
    fn tail(self, text: &str) -> (usize, Vec<u8>) {
        match self {
            Self::Png => {
                let name = [b"iTXt", MARK.as_bytes(), &[0; 5], text.as_bytes()].concat();
                let length = (name.len() - 4) as u32;
                let sum = crc32fast::hash(&name);
                let chunk = [&length.to_be_bytes()[..], &name, &sum.to_be_bytes(), &PNG_END].concat();
                (PNG_END.len(), chunk)
            }
            Self::Svg => {
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                (SVG_TAIL.len(), format!("{SVG_BEGIN}{text}{SVG_END}\n{SVG_TAIL}").into_bytes())
            }
            Self::Gif => {
                let mut tail = GIF_COMMENT.to_vec();
                for part in [MARK.as_bytes(), text.as_bytes()].concat().chunks(255) {
                    tail.push(part.len() as u8);
                    tail.extend(part);
                }
                tail.extend([0, GIF_END]);
                (1, tail)
            }
            Self::Zip => (2, [&(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()),
        }
    }

    /// The text in a file, if the file is of this format and has one.
    fn find(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Png => {
                let name = [b"iTXt", MARK.as_bytes(), &[0; 5]].concat();
                let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
                while let Some((length, chunk)) = rest.split_first_chunk::<4>() {
                    let length = u32::from_be_bytes(*length) as usize;
                    if let Some(text) = chunk.get(..length.checked_add(4)?)?.strip_prefix(&name[..]) {
                        return str::from_utf8(text).ok().map(Cow::Borrowed);
                    }
                    rest = chunk.get(length.checked_add(8)?..)?;
                }
                None
            }
            Self::Svg => {
                let text = str::from_utf8(bytes).ok().filter(|text| text.contains("<svg"))?;
                let (text, _) = text.split_once(SVG_BEGIN)?.1.split_once(SVG_END)?;
                Some(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").into())
            }
            Self::Gif => {
                bytes.strip_prefix(b"GIF8")?;
                // Between the two stands the length of the first part.
                let is_mark = |window: &[u8]| window.starts_with(&GIF_COMMENT) && window.ends_with(MARK.as_bytes());
                let start = bytes.windows(GIF_COMMENT.len() + 1 + MARK.len()).rposition(is_mark)?;
                let mut rest = &bytes[start + GIF_COMMENT.len()..];
                let mut text = Vec::new();
                while let Some((&length @ 1.., part)) = rest.split_first() {
                    text.extend(part.get(..usize::from(length))?);
                    rest = &part[usize::from(length)..];
                }
                String::from_utf8(text.split_off(MARK.len())).ok().map(Cow::Owned)
            }
            Self::Zip => {
                const END: usize = 22;
                bytes.strip_prefix(b"PK")?;
                let start = bytes.len().saturating_sub(END + usize::from(u16::MAX));
                let end = start + bytes[start..].windows(4).rposition(|window| window == b"PK\x05\x06")?;
                str::from_utf8(bytes.get(end + END..)?).ok().map(Cow::Borrowed)
            }
        }
    }
}

/// The text in the description of a saved model.
fn in_model(bytes: &[u8]) -> Option<String> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let header = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let header: serde_json::Value = serde_json::from_slice(header).ok()?;
    let description: serde_json::Value = serde_json::from_str(header["__metadata__"][MARK].as_str()?).ok()?;
    description.get("provenance").map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Whether the encoders' own readers take the files is tested where these are written.
    #[test]
    fn every_format_gives_back_what_was_inscribed() {
        let host = Host::default();
        host.journal().enter("a <b> & \"c\".rhai", &"let x = 1;\n".repeat(100));
        let seed = |seed| host.journal().compute(super::super::Call::new("sample", &Default::default()), Some(seed));
        (0..9).for_each(seed);
        let expected = host.provenance();
        let begin: [&[u8]; 4] = [b"\x89PNG\r\n\x1a\n", b"<svg>\n", b"GIF89a", b"PK\x05\x06"];
        let end: [&[u8]; 4] = [&PNG_END, SVG_TAIL.as_bytes(), &[GIF_END], &[0; 18]];
        for (format, (begin, end)) in ALL.into_iter().zip(begin.into_iter().zip(end)) {
            let mut file = Cursor::new([begin, end].concat());
            host.inscribe(format, &mut file).unwrap();
            let bytes = file.into_inner();
            assert_eq!(Provenance::of_file(&bytes), expected, "{format:?}");
            // What is cut off anywhere is no reason to stop.
            (0..bytes.len()).for_each(|length| drop(Provenance::of_file(&bytes[..length])));
        }
        assert!(expected.is_some() && Provenance::of_file(b"").is_none());
    }

    #[test]
    fn without_a_script_nothing_is_inscribed() {
        let mut file = Cursor::new(b"GIF89a;".to_vec());
        Host::default().inscribe(Inscription::Gif, &mut file).unwrap();
        assert_eq!(file.into_inner(), b"GIF89a;");
    }
}
