//! Texts that a figure cannot show as they are.

use super::figure::{Figure, Panel};
use super::font;

impl Figure {
    /// What is not shown of titles and labels as it was given: characters that the font does not have, and those that
    /// control something.
    pub fn unwritable(&self) -> Vec<String> {
        let problem = |(name, text): (&str, &str)| {
            let (controls, absent): (Vec<char>, Vec<char>) = font::missing(text).chars().partition(|c| c.is_control());
            let shown =
                |characters: &[char]| characters.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ");
            let absent = (!absent.is_empty()).then(|| {
                format!(
                    "{name}: the font of figures lacks {}; pixels show a box, an SVG what its viewer has",
                    shown(&absent)
                )
            });
            let controls = (!controls.is_empty()).then(|| {
                let codes: Vec<_> = controls.iter().map(|&c| format!("U+{:04X}", u32::from(c))).collect();
                format!("{name}: {} cannot be written and stands as a box", codes.join(", "))
            });
            [absent, controls].into_iter().flatten().collect::<Vec<_>>()
        };
        let mut problems: Vec<_> = self.panels.iter().flat_map(texts).flat_map(problem).collect();
        problems.dedup();
        problems
    }
}

/// The texts of a panel, each with what it is.
pub(super) fn texts(panel: &Panel) -> impl Iterator<Item = (&str, &str)> {
    let axes = [("title", &panel.title), ("x_label", &panel.x.label), ("y_label", &panel.y.label)];
    let layers = panel.layers.iter().map(|layer| ("label", layer.label.as_str()));
    axes.into_iter().map(|(name, text)| (name, text.as_str())).chain(layers)
}
