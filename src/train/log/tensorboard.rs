//! Event files of TensorBoard: protocol buffers in records with checksums.
//!
//! The messages are `Event` and `Summary` of `tensorboard/compat/proto`. The time of day is not at hand, and would be
//! none of a run that goes on: events carry the time that the training took, by which TensorBoard shows them too.

use super::line::Line;
use crate::vector::single;

/// Name of the file; readers look for its beginning, and one name is one file however often a run goes on.
pub(super) const FILE: &str = "events.out.tfevents.0.tumble";

/// What every file begins with.
pub(super) fn beginning() -> Vec<u8> {
    record(&[double(1, 0.0), bytes(3, b"brain.Event:2")].concat())
}

/// A line of the log as one event.
pub(super) fn event(line: &Line) -> Vec<u8> {
    let by_time = line.by_time.iter().map(|[time, loss, _]| (format!("loss by time/{time:.4}"), *loss));
    let own = [("loss", line.loss), ("learning rate", line.learning_rate), ("gradient norm", line.gradient_norm)];
    let scalars = own.into_iter().map(|(tag, value)| (tag.to_owned(), value)).chain(by_time);
    let summary: Vec<u8> = scalars
        .flat_map(|(tag, value)| {
            let value = [key(2, 5), single(value).to_le_bytes().to_vec()].concat();
            bytes(1, &[bytes(1, tag.as_bytes()), value].concat())
        })
        .collect();
    record(&[double(1, line.seconds), key(2, 0), varint(line.step), bytes(5, &summary)].concat())
}

/// Length, its checksum, data, their checksum.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length, &masked(&length).to_le_bytes()[..], data, &masked(data).to_le_bytes()].concat()
}

/// CRC-32C, turned and shifted: a plain one of data that hold checksums themselves would be weak.
fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Number and kind of a field.
fn key(field: u64, kind: u64) -> Vec<u8> {
    varint(field << 3 | kind)
}

fn double(field: u64, value: f64) -> Vec<u8> {
    [key(field, 1), value.to_le_bytes().to_vec()].concat()
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [key(field, 2), varint(value.len() as u64), value.to_vec()].concat()
}

/// Seven bits a byte, the lowest first.
fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of CRC-32C, and the first record of any file that TensorFlow writes.
    #[test]
    fn checksums_are_those_of_the_format() {
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        let unmasked = masked(b"123456789").wrapping_sub(0xa282_ead8).rotate_left(15);
        assert_eq!(unmasked, 0xe306_9283);
        assert_eq!(masked(&24_u64.to_le_bytes()).to_le_bytes(), [0xa3, 0x7f, 0x4b, 0x22]);
    }

    #[test]
    fn whole_numbers_are_written_by_sevens() {
        assert_eq!([varint(0), varint(300)], [vec![0], vec![0xac, 0x02]]);
    }
}
