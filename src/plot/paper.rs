//! Sizes of texts, distances and rectangles on the paper, in points.

/// Text sizes and distances, in points, as in print at the final size.
pub(super) const TITLE: f64 = 8.0;
pub(super) const LETTER: f64 = 10.0;
pub(super) const LABEL: f64 = 8.0;
pub(super) const TICK_TEXT: f64 = 7.0;
pub(super) const TICK: f64 = 2.5;
pub(super) const GAP: f64 = 2.0;
/// Width of the colour bar and its distance from the panel.
pub(super) const BAR: [f64; 2] = [6.0, 5.0];
/// Height of a capital above the baseline, as a share of the size.
pub(super) const CAPITAL: f64 = 0.73;

/// A rectangle on paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rectangle {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Rectangle {
    pub(super) fn right(self) -> f64 {
        self.left + self.width
    }

    pub(super) fn bottom(self) -> f64 {
        self.top + self.height
    }

    pub(super) fn holds(self, [x, y]: [f64; 2]) -> bool {
        self.left <= x && x <= self.right() && self.top <= y && y <= self.bottom()
    }
}
