//! Numbers as scripts have them.

/// A number as a script would have it, of 15 digits at most: `20_000`, `0.02`, `5e-4`. What is beyond is rounding of
/// double precision: 0.1 + 0.2 is `0.3`.
pub fn written(number: f64) -> String {
    let number = format!("{number:.14e}").parse().unwrap_or(number);
    let size = number.abs();
    if number != 0.0 && !(1e-3..1e15).contains(&size) {
        return format!("{number:e}");
    }
    let text = number.to_string();
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    if size < 10_000.0 {
        return text;
    }
    let mut grouped = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) && c.is_ascii_digit() && !grouped.ends_with('-') {
            grouped.push('_');
        }
        grouped.push(c);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn numbers_are_written_as_in_scripts() {
        let cases = [
            (0.0, "0"),
            (0.5, "0.5"),
            (1e-3, "0.001"),
            (5e-4, "5e-4"),
            (0.02, "0.02"),
            (2000.0, "2000"),
            (20_000.0, "20_000"),
            (-123_456.5, "-123_456.5"),
            (1e30, "1e30"),
            (0.1 + 0.2, "0.3"),
            (1.1 * 1.1, "1.21"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ];
        for (number, text) in cases {
            assert_eq!(written(number), text);
        }
    }
}
