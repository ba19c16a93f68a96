//! SHA-256 of files and texts, in hexadecimal digits.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// The hash of what is left of a file, or of a part of one.
pub(super) fn hash(file: &mut impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digits(hash)),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// The hash of some bytes.
pub(super) fn hash_of(bytes: &[u8]) -> String {
    digits(Sha256::new_with_prefix(bytes))
}

/// A hash in hexadecimal digits.
pub(super) fn digits(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
