//! Colours that survive colour blindness and a grey printer.

/// Red, green, blue, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// Text, axes, ticks.
pub(super) const INK: Colour = Colour(0x1A, 0x1A, 0x1A);
/// Paper.
pub(super) const PAPER: Colour = Colour(0xFF, 0xFF, 0xFF);

/// The qualitative palette of Okabe and Ito, "Color Universal Design" (2008), strongest on white paper first.
pub const PALETTE: [Colour; 7] = [
    Colour(0x00, 0x72, 0xB2),
    Colour(0xD5, 0x5E, 0x00),
    Colour(0x00, 0x9E, 0x73),
    Colour(0xCC, 0x79, 0xA7),
    Colour(0xE6, 0x9F, 0x00),
    Colour(0x56, 0xB4, 0xE9),
    Colour(0x00, 0x00, 0x00),
];

/// Equally spaced stations of viridis (Smith and van der Walt 2015), perceptually uniform and safe for all kinds of
/// colour blindness.
const VIRIDIS: [Colour; 9] = [
    Colour(68, 1, 84),
    Colour(71, 44, 122),
    Colour(59, 81, 139),
    Colour(44, 113, 142),
    Colour(33, 144, 141),
    Colour(39, 173, 129),
    Colour(92, 200, 99),
    Colour(170, 220, 50),
    Colour(253, 231, 37),
];

/// The colour of the layer at `index` where none was chosen.
pub(super) fn series(index: usize) -> Colour {
    PALETTE[index % PALETTE.len()]
}

/// The place of a colour in the palette, if it is there.
pub(super) fn place(colour: Colour) -> Option<usize> {
    PALETTE.iter().position(|other| *other == colour)
}

/// Viridis at `level` in [0, 1]; levels outside are clamped.
pub fn viridis(level: f64) -> Colour {
    let position = level.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let station = (position as usize).min(VIRIDIS.len() - 2);
    VIRIDIS[station].mixed(VIRIDIS[station + 1], position - station as f64)
}

impl Colour {
    /// This colour at weight 0, `other` at weight 1.
    fn mixed(self, other: Self, weight: f64) -> Self {
        let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * weight).round() as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: Colour) -> f64 {
        0.2126 * f64::from(colour.0) + 0.7152 * f64::from(colour.1) + 0.0722 * f64::from(colour.2)
    }

    #[test]
    fn viridis_grows_lighter_all_the_way() {
        let levels: Vec<f64> = (0..=255).map(|i| luminance(viridis(f64::from(i) / 255.0))).collect();
        assert!(levels.windows(2).all(|pair| pair[1] >= pair[0] - 0.5), "prints wrongly in grey");
        assert_eq!(viridis(-1.0), VIRIDIS[0]);
        assert_eq!(viridis(2.0), VIRIDIS[8]);
    }
}
