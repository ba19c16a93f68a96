//! The embedded font, DejaVu Sans cut down to Latin, Greek and mathematics.

use std::borrow::Cow;
use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};

use crate::vector::single;

/// Families that SVG viewers look for; the first is the embedded one, Verdana has nearly its widths.
pub(super) const FAMILIES: &str = "DejaVu Sans, Verdana, Geneva, sans-serif";

const BYTES: &[u8] = include_bytes!("../../stdlib/font/DejaVuSans-subset.ttf");

fn font() -> &'static FontRef<'static> {
    static FONT: OnceLock<FontRef<'static>> = OnceLock::new();
    FONT.get_or_init(|| FontRef::try_from_slice(BYTES).expect("the embedded font is part of the program"))
}

/// The scale at which an em is `size`; `ab_glyph` itself counts from the highest to the lowest point.
fn em_scale(size: f64) -> PxScale {
    let font = font();
    let units = font.units_per_em().unwrap_or(2048.0);
    PxScale::from(single(size) * font.height_unscaled() / units)
}

/// A text as a line of it can be written in any format: blanks for tabs and ends of lines, and a mark for every other
/// character that controls something or that XML does not allow.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let is_barred = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    let shown = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        c if is_barred(c) => '\u{fffd}',
        c => c,
    };
    if text.contains(is_barred) { text.chars().map(shown).collect::<String>().into() } else { text.into() }
}

/// The characters of a text that the font has no glyph for, each once.
pub(super) fn missing(text: &str) -> String {
    let mut missing = String::new();
    for character in text.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')) {
        if font().glyph_id(character).0 == 0 && !missing.contains(character) {
            missing.push(character);
        }
    }
    missing
}

/// Glyphs of a line with the distance of each from its start, in the unit of `size`; then the width of the line.
fn set(text: &str, size: f64) -> (Vec<(ab_glyph::GlyphId, f64)>, f64) {
    let scaled = font().as_scaled(em_scale(size));
    let mut pen = 0.0;
    let mut previous = None;
    let mut glyphs = Vec::with_capacity(text.len());
    for id in printable(text).chars().map(|character| scaled.glyph_id(character)) {
        if let Some(previous) = previous.replace(id) {
            pen += f64::from(scaled.kern(previous, id));
        }
        glyphs.push((id, pen));
        pen += f64::from(scaled.h_advance(id));
    }
    (glyphs, pen)
}

/// Width of a line of text whose em is `size`, in the same unit.
pub(super) fn width(text: &str, size: f64) -> f64 {
    set(text, size).1
}

/// Calls `paint(x, y, coverage)` for the pixels of a line of text whose baseline starts at the origin, y downwards.
pub(super) fn rasterise(text: &str, size: f64, mut paint: impl FnMut(i32, i32, f32)) {
    for (id, pen) in set(text, size).0 {
        let glyph = id.with_scale_and_position(em_scale(size), point(single(pen), 0.0));
        if let Some(outline) = font().outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, coverage| paint(x as i32 + corner.x as i32, y as i32 + corner.y as i32, coverage));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letters_of_physics_are_there() {
        let wanted =
            "AZaz019 αβγδεζηθικλμνξοπρςστυφχψωΓΔΘΛΞΠΣΦΨΩ ∂∇∫√∞≈≠≤≥±×·−→⟨⟩∝∈ℝ‖′°ħℓ ₀₁₂₃₄₅₆₇₈₉₊₋ₓₙᵢⱼₜ ⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ äéüß";
        let missing: String = wanted.chars().filter(|&c| font().glyph_id(c).0 == 0).collect();
        assert_eq!(missing, "");
    }

    #[test]
    fn every_text_can_be_written() {
        assert_eq!(printable("two\nlines\tand \0 \u{1b}[0m\u{ffff}"), "two lines and \u{fffd} \u{fffd}[0m\u{fffd}");
        assert!(matches!(printable("θ₁ → ∞ 日本語"), Cow::Borrowed(_)));
        assert_eq!(missing("日 θ₁ 本日\n\0"), "日本\0");
    }

    #[test]
    fn widths_scale_and_add_up() {
        // "nn" holds no kerning pair.
        assert!((width("nn", 8.0) - 2.0 * width("n", 8.0)).abs() < 1e-6);
        assert!((width("τ = 0.5", 16.0) - 2.0 * width("τ = 0.5", 8.0)).abs() < 1e-4);
        // The advance of the figure 0 in the table `hmtx` of DejaVu Sans: 1303 of 2048 units per em.
        assert!((width("0", 2048.0) - 1303.0).abs() < 0.5);
    }

    #[test]
    fn letters_stand_on_the_baseline() {
        let (mut top, mut bottom) = (i32::MAX, i32::MIN);
        rasterise("H", 100.0, |_, y, coverage| {
            if coverage > 0.5 {
                top = top.min(y);
                bottom = bottom.max(y);
            }
        });
        // Cap height of DejaVu Sans: 1493 of 2048 units.
        assert!((top + 73).abs() <= 1 && bottom.abs() <= 1, "{top} to {bottom}");
    }
}
