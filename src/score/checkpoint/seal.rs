//! The checksum of a saved model: the CRC-32 of all its bytes but its own digits, which notices any byte that changed.

use std::ops::Range;

/// What stands in front of the digits: the description begins with them, and the file with the description.
const MARK: &[u8] = br#""{\"checksum\":\""#;
/// Bytes within which that is.
const BEGINNING: usize = 128;
/// Digits that are to be replaced.
pub(super) const BLANK: &str = "00000000";

/// Puts the checksum in the place of the blank digits.
pub(super) fn seal(bytes: &mut [u8]) {
    let place = place(bytes).expect("the description begins with a blank checksum");
    let digits = checksum(bytes, &place);
    bytes[place].copy_from_slice(digits.as_bytes());
}

/// Whether a file has a checksum, and if so, that it is that of its bytes.
///
/// # Errors
/// Says both.
pub(super) fn check(bytes: &[u8]) -> Result<bool, String> {
    let Some(place) = place(bytes) else { return Ok(false) };
    let found = checksum(bytes, &place);
    match String::from_utf8_lossy(&bytes[place]) {
        kept if kept == found => Ok(true),
        kept => Err(format!("it is damaged: its checksum is {kept}, that of its bytes {found}")),
    }
}

fn place(bytes: &[u8]) -> Option<Range<usize>> {
    let beginning = &bytes[..bytes.len().min(BEGINNING)];
    let start = beginning.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let place = start..start + BLANK.len();
    (place.end <= bytes.len()).then_some(place)
}

fn checksum(bytes: &[u8], place: &Range<usize>) -> String {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..place.start]);
    hasher.update(&bytes[place.end..]);
    format!("{:08x}", hasher.finalize())
}
