//! Numbers as programs write them.

/// The number that a field holds: with the `decimal` sign, a hyphen or a minus sign, an exponent behind E, or D as
/// Fortran has it, where it may also leave the letter out before three digits.
pub(super) fn parse(field: &str, decimal: char) -> Option<f64> {
    let plain = field.parse::<f64>().ok().filter(|_| decimal == '.' || !field.contains('.'));
    let value = plain.or_else(|| respelt(field, decimal).and_then(|text| text.parse().ok()))?;
    // 1e400 is not an infinity that somebody wrote.
    let is_word = || field.bytes().any(|byte| byte.eq_ignore_ascii_case(&b'n'));
    (value.is_finite() || is_word()).then_some(value)
}

/// A number as Rust reads it, where `field` looks like one.
fn respelt(field: &str, decimal: char) -> Option<String> {
    let mut text = String::with_capacity(field.len() + 1);
    for character in field.chars() {
        text.push(match character {
            '\u{2212}' => '-',
            'd' | 'D' => 'e',
            '.' if decimal != '.' => return None,
            c if c == decimal => '.',
            c if c.is_ascii_digit() || "+-eE".contains(c) => c,
            _ => return None,
        });
    }
    let exponent = text.len().checked_sub(4).filter(|&at| text.is_char_boundary(at));
    if let Some(at) = exponent
        && text[at..].starts_with(['+', '-'])
        && text[..at].contains('.')
        && text[at + 1..].bytes().all(|byte| byte.is_ascii_digit())
    {
        text.insert(at, 'e');
    }
    Some(text)
}

/// Whether a field stands for a value that is not there.
pub(super) fn is_missing(field: &str) -> bool {
    const WORDS: [&str; 10] = ["", "na", "n/a", "nan", "null", "none", "missing", "-", "?", "."];
    WORDS.iter().any(|word| field.eq_ignore_ascii_case(word))
}

/// Whether a number is written without a decimal sign and without an exponent.
pub(super) fn is_whole(field: &str) -> bool {
    let digits = field.strip_prefix(['+', '-', '\u{2212}']).unwrap_or(field);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_many_programs() {
        let cases = [
            ("1.5", Some(1.5)),
            ("+.5", Some(0.5)),
            ("-1.5e+03", Some(-1500.0)),
            ("\u{2212}1.5", Some(-1.5)),
            ("1.0D+00", Some(1.0)),
            ("2.5d-3", Some(2.5e-3)),
            ("3.14-114", Some(3.14e-114)),
            ("-3.14+102", Some(-3.14e102)),
            ("inf", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("1e400", None),
            ("1,5", None),
            ("1_000", None),
            ("0x10", None),
            ("50%", None),
            ("5-3", None),
            ("2019-114", None),
            ("D", None),
            ("", None),
        ];
        for (field, value) in cases {
            assert_eq!(parse(field, '.'), value, "{field}");
        }
        assert!(parse("NaN", '.').unwrap().is_nan());
        assert_eq!(parse("1,5e3", ','), Some(1500.0));
        assert_eq!(parse("15", ','), Some(15.0));
        // With a decimal comma, a point could only stand between thousands.
        assert_eq!(parse("1.234", ','), None);
        assert_eq!(parse("1.234,5", ','), None);
    }
}
