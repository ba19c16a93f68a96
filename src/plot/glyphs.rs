//! Small pictures in characters, for prompts and logs.

use super::axes::{Range, Scale};
use super::bins;

/// Heights of a column, lowest first.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The bits of the eight dots of a Braille character, by row and column (Unicode, block U+2800).
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
/// Extents of the plane that differ by more are each stretched to its side.
const MOST_STRETCHED: f64 = 4.0;
/// Thresholds of ordered dithering (Bayer), in 16ths.
const THRESHOLDS: [[f64; 4]; 4] =
    [[0.0, 8.0, 2.0, 10.0], [12.0, 4.0, 14.0, 6.0], [3.0, 11.0, 1.0, 9.0], [15.0, 7.0, 13.0, 5.0]];

/// The least and the largest of the finite values.
pub fn extent(values: impl IntoIterator<Item = f64>) -> Option<[f64; 2]> {
    range(values).map(|range| [range.low, range.high])
}

fn range(values: impl IntoIterator<Item = f64>) -> Option<Range> {
    Range::of(values.into_iter().filter(|value| value.is_finite()), Scale::Linear)
}

/// Values as columns from the least to the largest, in at most `width` characters, each the mean of those that it
/// stands for; `·` where one is not finite.
pub fn sparkline(values: &[f64], width: usize) -> String {
    curve(values, width, 1).concat()
}

/// The same columns in `rows` lines.
pub fn curve(values: &[f64], width: usize, rows: usize) -> Vec<String> {
    let cells = values.len().min(width);
    let part = |i: usize| &values[values.len() * i / cells..values.len() * (i + 1) / cells];
    let means: Vec<f64> = (0..cells).map(|i| part(i).iter().sum::<f64>() / part(i).len() as f64).collect();
    let [low, high] = extent(means.iter().copied()).unwrap_or_default();
    let steps = (rows * HEIGHTS.len()).saturating_sub(1);
    let character = |mean: &f64, row: usize| {
        let share = if high > low { (mean - low) / (high - low) } else { 0.0 };
        // Eighths of a line up to the top of the column, above the bottom of this line.
        let height = (1 + (share * steps as f64).round() as usize).saturating_sub(HEIGHTS.len() * row);
        match mean.is_finite() {
            true if height > 0 => HEIGHTS[height.min(HEIGHTS.len()) - 1],
            false if row == 0 => '·',
            _ => ' ',
        }
    };
    (0..rows).rev().map(|row| means.iter().map(|mean| character(mean, row)).collect()).collect()
}

/// How often values fall into each of `width` equal parts of their extent, as columns.
pub fn histogram(values: &[f64], width: usize) -> Option<String> {
    let range = range(values.iter().copied()).filter(|range| range.low < range.high)?;
    let shares = bins::histogram(values, range, width);
    let most = shares.iter().copied().fold(0.0, f64::max);
    let column = |share: &f64| match *share {
        0.0 => ' ',
        share => HEIGHTS[(share / most * 7.0).round() as usize],
    };
    Some(shares.iter().map(column).collect())
}

/// Where points lie in the plane, in lines of `width` characters, the second coordinate upwards; both are measured by
/// one scale unless their extents are very different.
pub fn dots(points: &[[f64; 2]], width: usize) -> Option<Vec<String>> {
    let finite: Vec<_> = points.iter().filter(|point| point.iter().all(|value| value.is_finite())).collect();
    let along = |axis: usize| range(finite.iter().map(|point| point[axis]));
    let (x, y) = (along(0)?, along(1)?);
    let side = 2 * width;
    let ratio = y.length() / x.length();
    let is_even = ratio.is_finite() && (MOST_STRETCHED.recip()..=MOST_STRETCHED).contains(&ratio);
    let (columns, rows) = match is_even {
        true if ratio > 1.0 => ((side as f64 / ratio) as usize, side),
        true => (side, (side as f64 * ratio) as usize),
        false => (side, side / 2),
    };
    let (columns, rows) = (columns.max(2), rows.next_multiple_of(4).max(4));
    let mut lit = vec![false; columns * rows];
    let place = |range: Range, value: f64, size: usize| match range.low < range.high {
        true => bins::cell(range, value, size),
        false => size / 2,
    };
    for [across, up] in finite {
        lit[(rows - 1 - place(y, *up, rows)) * columns + place(x, *across, columns)] = true;
    }
    Some(braille(columns, rows, |row, column| lit[row * columns + column]))
}

/// An image of `columns` values in a row, from the top, by ordered dithering between its least and its largest value.
pub fn thumbnail(values: &[f64], columns: usize) -> Vec<String> {
    let [low, high] = extent(values.iter().copied()).unwrap_or_default();
    let is_lit = |row: usize, column: usize| {
        let threshold = (THRESHOLDS[row % 4][column % 4] + 0.5) / 16.0;
        values[row * columns + column] > low + threshold * (high - low)
    };
    braille(columns, values.len() / columns, is_lit)
}

/// Lines of Braille characters for dots that are lit or not, by row and column.
fn braille(columns: usize, rows: usize, is_lit: impl Fn(usize, usize) -> bool) -> Vec<String> {
    let character = |top: usize, left: usize| {
        let inside = |row: usize, column: usize| top + row < rows && left + column < columns;
        let bits = (0..8).map(|dot| (dot / 2, dot % 2)).filter(|&(row, column)| inside(row, column));
        let bits = bits.filter(|&(row, column)| is_lit(top + row, left + column));
        char::from_u32(0x2800 + bits.map(|(row, column)| DOTS[row][column]).sum::<u32>()).expect("the block is whole")
    };
    (0..rows).step_by(4).map(|top| (0..columns).step_by(2).map(|left| character(top, left)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_from_the_least_to_the_largest() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 8), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[5.0, 7.0, 1.0, 1.0], 2), "█▁");
        assert_eq!(sparkline(&[1.0, f64::NAN, 3.0], 10), "▁·█");
        assert_eq!((sparkline(&[2.0; 3], 3), sparkline(&[], 3)), ("▁▁▁".to_owned(), String::new()));
    }

    #[test]
    fn columns_go_on_in_the_line_above() {
        assert_eq!(curve(&[0.0, 7.0, 8.0, 15.0, f64::NAN], 5, 2), ["  ▁█ ", "▁███·"]);
        assert_eq!(curve(&[], 5, 2), ["", ""]);
    }

    #[test]
    fn histograms_count() {
        assert_eq!(histogram(&[0.0, 0.1, 0.2, 1.0], 3).unwrap(), "█ ▃");
        assert_eq!(histogram(&[1.0, 1.0], 3), None);
    }

    #[test]
    fn points_lie_where_they_are() {
        let corners = [[0.0, 0.0], [1.0, 1.0], [f64::NAN, 9.0]];
        assert_eq!(dots(&corners, 2).unwrap(), ["⡀⠈"]);
        assert_eq!(dots(&[[0.0, 0.0], [1.0, 100.0]], 4).unwrap(), ["⡀⠀⠀⠈"]);
        assert_eq!(dots(&[[0.0, 0.0], [1.0, 2.0]], 4).unwrap(), ["⠀⠈", "⡀⠀"]);
        assert_eq!(dots(&[[3.0, 3.0]; 2], 4).unwrap(), ["⠀⠀⠂⠀"]);
        assert_eq!(dots(&[], 4), None);
    }

    #[test]
    fn images_are_dithered() {
        let ramp: Vec<f64> = (0..4 * 16).map(|i| f64::from(i % 16)).collect();
        let lines = thumbnail(&ramp, 16);
        let lit = |c: char| (c as u32 - 0x2800).count_ones();
        let counts: Vec<u32> = lines[0].chars().map(lit).collect();
        assert_eq!((lines.len(), counts.len()), (1, 8));
        assert!((30..=34).contains(&counts.iter().sum::<u32>()), "half of the dots: {counts:?}");
        assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]), "{counts:?}");
        assert_eq!(thumbnail(&[1.0; 4], 2), ["⠀"]);
    }
}
