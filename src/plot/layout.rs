//! Where the panels of a figure lie on the paper, in points.

use super::axes::{Range, Tick};
use super::figure::{Axis, Figure};
use super::font;
use super::legend::Legend;
use super::paper::{BAR, GAP, LABEL, LETTER, Rectangle, TICK, TICK_TEXT, TITLE};
use super::prepare::Prepared;
use crate::error::{Error, Result};

const EDGE: f64 = 4.0;
/// The shortest axis worth drawing.
const LEAST: f64 = 20.0;
const MILLIMETRE: f64 = 72.0 / 25.4;
/// Height over width of panels whose data do not ask for a ratio.
const ASPECT: f64 = 0.72;

/// Where one panel lies and which of its texts are drawn.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) frame: Rectangle,
    /// The left edge of its column, where its letter stands.
    pub(super) edge: f64,
    /// Without a frame and ticks.
    pub(super) is_bare: bool,
    pub(super) x: AxisTexts,
    pub(super) y: AxisTexts,
    /// The ticks of its colour bar, if it carries one.
    pub(super) bar: Option<AxisTexts>,
    pub(super) legend: Option<Legend>,
}

/// The ticks of an axis with their texts, the factor that these leave out, and the label beside them.
#[derive(Debug, Clone, Default)]
pub(super) struct AxisTexts {
    pub(super) ticks: Vec<Tick>,
    pub(super) factor: String,
    pub(super) label: String,
    /// Whether the texts are drawn: not inside a row or column that shares the axis.
    pub(super) shown: bool,
}

impl AxisTexts {
    /// Of an axis that may have ticks of its own, or none.
    fn of(axis: &Axis, range: Range, length: f64, extent: fn(&str) -> f64, shown: bool) -> Self {
        if axis.hidden {
            return Self::default();
        }
        let natural = Self::new(range, length, extent, &axis.label, shown);
        match axis.step.map(|step| range.multiples(step)) {
            Some(ticks) if !ticks.is_empty() => Self { ticks, factor: String::new(), ..natural },
            _ => natural,
        }
    }

    /// As many ticks as leave a fair distance between their texts, whose extent along the axis `extent` measures.
    fn new(range: Range, length: f64, extent: fn(&str) -> f64, label: &str, shown: bool) -> Self {
        const MOST: usize = 6;
        let apart = |pair: &[Tick]| length * (range.fraction(pair[1].value) - range.fraction(pair[0].value)).abs();
        let needed = |pair: &[Tick]| 0.5 * (extent(&pair[0].text) + extent(&pair[1].text)) + 0.8 * TICK_TEXT;
        let fits = |(ticks, _): &(Vec<Tick>, String)| ticks.windows(2).all(|pair| apart(pair) >= needed(pair));
        let candidates = (3..=MOST).rev().map(|count| range.ticks(count));
        let (ticks, factor) = candidates.into_iter().find(fits).unwrap_or_else(|| range.ticks(2));
        Self { ticks, factor, label: if shown { label.to_owned() } else { String::new() }, shown }
    }

    /// Room beside a vertical axis.
    pub(super) fn breadth(&self) -> f64 {
        let texts = self.ticks.iter().map(|tick| font::width(&tick.text, TICK_TEXT)).fold(0.0, f64::max);
        let texts = if self.shown { texts + GAP } else { 0.0 };
        TICK + texts + if self.label.is_empty() { 0.0 } else { 1.3 * LABEL }
    }

    /// Room below a horizontal axis.
    fn height(&self) -> f64 {
        let texts = if self.shown { GAP + TICK_TEXT } else { 0.0 };
        // The factor stands in the line of the label.
        let line = !self.label.is_empty() || (self.shown && !self.factor.is_empty());
        TICK + texts + if line { 1.4 * LABEL } else { 0.0 }
    }

    /// How far the first and the last text stand out of a horizontal axis of `length`.
    fn overhang(&self, range: Range, length: f64) -> [f64; 2] {
        let half = |tick: &Tick| 0.5 * font::width(&tick.text, TICK_TEXT);
        let out = |tick: Option<&Tick>, inside: f64| {
            tick.filter(|_| self.shown).map_or(0.0, |tick| (half(tick) - inside * length).max(0.0))
        };
        let (first, last) = (self.ticks.first(), self.ticks.last());
        let at = |tick: Option<&Tick>| tick.map_or(0.0, |tick| range.fraction(tick.value));
        [out(first, at(first)), out(last, 1.0 - at(last))]
    }
}

fn text_width(text: &str) -> f64 {
    font::width(text, TICK_TEXT)
}

fn text_height(_: &str) -> f64 {
    TICK_TEXT
}

/// The size of the paper and the place of each panel.
pub(super) struct Layout {
    pub(super) size: [f64; 2],
    pub(super) places: Vec<Place>,
}

/// Columns of a figure.
fn columns(figure: &Figure) -> usize {
    let count = figure.panels.len();
    let natural = match count {
        0..=3 => count,
        4 => 2,
        // Rows of three or four, as equal as they can be.
        _ => count.div_ceil(count.div_ceil(4)),
    };
    figure.columns.unwrap_or(natural).min(count)
}

/// Width in mm where none is given: one column of a journal or both, less for two panels without texts between them.
fn natural_width(columns: usize, shared: bool) -> f64 {
    match (columns, shared) {
        (1, _) => 86.0,
        (2, true) => 130.0,
        _ => 178.0,
    }
}

/// Lays out a figure.
///
/// # Errors
/// When the paper has no room for the panels.
pub(super) fn layout(figure: &Figure, prepared: &Prepared) -> Result<Layout> {
    let columns = columns(figure);
    let width = MILLIMETRE * figure.width.unwrap_or_else(|| natural_width(columns, figure.shared));
    // The room for text depends on the ticks, these on the lengths of the axes, these on the room: twice is enough.
    let rough = 0.8 * width / columns as f64;
    let first = Draft::new(figure, prepared, columns, rough, ASPECT * rough);
    let [length, height] = first.axes(figure, prepared, width)?;
    let draft = Draft::new(figure, prepared, columns, length, height);
    draft.place(figure, prepared, width)
}

/// Texts of all panels and the room that they need.
struct Draft {
    columns: usize,
    places: Vec<Place>,
    /// Left and right of each column, above and below each row.
    sides: Vec<[f64; 2]>,
    ends: Vec<[f64; 2]>,
}

impl Draft {
    fn new(figure: &Figure, prepared: &Prepared, columns: usize, length: f64, height: f64) -> Self {
        let count = figure.panels.len();
        let mut draft = Self {
            columns,
            places: Vec::with_capacity(count),
            sides: vec![[EDGE; 2]; columns],
            ends: vec![[EDGE; 2]; count.div_ceil(columns)],
        };
        for (index, panel) in figure.panels.iter().enumerate() {
            let ready = &prepared.panels[index];
            let [wide, high] = fitted(length, height, ready.ratio);
            let frame = Rectangle { left: 0.0, top: 0.0, width: wide, height: high };
            let (row, column) = (index / columns, index % columns);
            let x_shown = !figure.shared || index + columns >= count;
            let y_shown = !figure.shared || column == 0;
            // Axes of one unit get the same ticks.
            let y_extent = if ready.ratio.is_some() { text_width } else { text_height };
            let levels = ready.levels.as_ref().filter(|_| !figure.shared || column + 1 == columns);
            let bar = levels.map(|levels| AxisTexts::new(levels.range, high, text_height, &levels.label, true));
            let place = Place {
                frame,
                edge: 0.0,
                is_bare: panel.x.hidden && panel.y.hidden,
                x: AxisTexts::of(&panel.x, ready.x, wide, text_width, x_shown),
                y: AxisTexts::of(&panel.y, ready.y, high, y_extent, y_shown),
                bar,
                legend: Legend::new(ready, frame),
            };
            let above = if figure.letters {
                LETTER
            } else if panel.title.is_empty() {
                0.0
            } else {
                TITLE
            };
            draft.reserve([row, column], &place, ready.x, above);
            draft.places.push(place);
        }
        draft
    }

    /// Makes room for the texts of one panel, those above it of the size `above`.
    fn reserve(&mut self, [row, column]: [usize; 2], place: &Place, x: Range, above: f64) {
        let overhang = place.x.overhang(x, place.frame.width);
        let bar = place.bar.as_ref().map_or(0.0, |bar| BAR[0] + BAR[1] + GAP + bar.breadth());
        let legend =
            place.legend.as_ref().filter(|legend| !legend.inside).map_or(0.0, |legend| legend.size[0] + 2.0 * GAP);
        let factor = if place.y.factor.is_empty() || !place.y.shown { 0.0 } else { TICK_TEXT + GAP };
        let title = if above > 0.0 { above + 2.0 * GAP } else { factor };
        let side = &mut self.sides[column];
        side[0] = side[0].max(EDGE + place.y.breadth().max(overhang[0]));
        side[1] = side[1].max(EDGE + (bar + legend).max(overhang[1]));
        let end = &mut self.ends[row];
        end[0] = end[0].max(EDGE + title);
        end[1] = end[1].max(EDGE + place.x.height());
    }

    /// Length and height of the axes in paper of `width`.
    fn axes(&self, figure: &Figure, prepared: &Prepared, width: f64) -> Result<[f64; 2]> {
        let taken: f64 = self.sides.iter().flatten().sum();
        let length = (width - taken) / self.columns as f64;
        if length < LEAST {
            let problem = format!("of {:.0} mm has no room for the panels of a row", width / MILLIMETRE);
            return Err(Error::argument("width", problem).with_hint("set `columns` lower or `width` higher"));
        }
        let Some(paper) = figure.height else {
            let ratio = prepared.panels.iter().filter_map(|panel| panel.ratio).reduce(f64::max);
            return Ok([length, ratio.unwrap_or(ASPECT) * length]);
        };
        let taken: f64 = self.ends.iter().flatten().sum();
        let height = (paper * MILLIMETRE - taken) / self.ends.len() as f64;
        if height < LEAST {
            let problem = format!("of {paper} mm has no room for {} rows of panels", self.ends.len());
            return Err(Error::argument("height", problem).with_hint("set it higher, or leave it out"));
        }
        Ok([length, height])
    }

    fn place(mut self, figure: &Figure, prepared: &Prepared, width: f64) -> Result<Layout> {
        let [length, height] = self.axes(figure, prepared, width)?;
        let mut top = 0.0;
        for (row, places) in self.places.chunks_mut(self.columns).enumerate() {
            let mut left = 0.0;
            for (column, place) in places.iter_mut().enumerate() {
                let ratio = prepared.panels[row * self.columns + column].ratio;
                let frame = fitted(length, height, ratio);
                place.edge = left + EDGE;
                place.frame = Rectangle {
                    left: left + self.sides[column][0] + 0.5 * (length - frame[0]),
                    top: top + self.ends[row][0] + 0.5 * (height - frame[1]),
                    width: frame[0],
                    height: frame[1],
                };
                left += self.sides[column][0] + length + self.sides[column][1];
            }
            top += self.ends[row][0] + height + self.ends[row][1];
        }
        Ok(Layout { size: [width, top], places: self.places })
    }
}

/// The largest frame of a `ratio` within `length` × `height`.
fn fitted(length: f64, height: f64, ratio: Option<f64>) -> [f64; 2] {
    match ratio {
        Some(ratio) if ratio * length > height => [height / ratio, height],
        Some(ratio) => [length, ratio * length],
        None => [length, height],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::figure::{Panel, histogram, line, scatter};
    use super::super::prepare::prepare;
    use super::*;
    use crate::property::cases;

    fn panel(kind: u8, size: f64) -> Panel {
        let points = vec![[0.0, 0.0], [size, 1.0]];
        let named = |label: &str| line(vec![0.0, 1.0], vec![0.0, size]).labelled(label);
        match kind {
            0 => Panel::new(vec![scatter(points)]).titled("τ").with_labels("x", "η"),
            1 => Panel::new(vec![named("active"), named("passive")]).with_labels("t", ""),
            _ => Panel::new(vec![histogram(vec![0.0, size])]).with_labels("", "density"),
        }
    }

    fn overlap(a: Rectangle, b: Rectangle) -> bool {
        a.left < b.right() && b.left < a.right() && a.top < b.bottom() && b.top < a.bottom()
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn panels_lie_on_the_paper_side_by_side(
            kinds in prop::collection::vec((0..3u8, 0.01..1e4f64), 1..8),
            columns in 1..4usize,
            shared: bool,
        ) {
            let panels = kinds.iter().map(|&(kind, size)| panel(kind, size)).collect();
            let figure = Figure { columns: Some(columns), width: Some(250.0), shared, ..Figure::new(panels) };
            let layout = layout(&figure, &prepare(&figure)?)?;
            let frames: Vec<Rectangle> = layout.places.iter().map(|place| place.frame).collect();
            for (index, frame) in frames.iter().enumerate() {
                prop_assert!(frame.left > 0.0 && frame.top > 0.0, "{frame:?}");
                prop_assert!(frame.right() < layout.size[0] && frame.bottom() < layout.size[1], "{frame:?}");
                prop_assert!(frames[..index].iter().all(|other| !overlap(*frame, *other)));
            }
        }
    }

    #[test]
    fn scatter_panels_have_axes_of_one_unit() -> Result<()> {
        let figure = Figure::new(vec![panel(0, 2.0)]);
        let prepared = prepare(&figure)?;
        let frame = layout(&figure, &prepared)?.places[0].frame;
        let unit = [frame.width / prepared.panels[0].x.length(), frame.height / prepared.panels[0].y.length()];
        assert!((unit[0] / unit[1] - 1.0).abs() < 1e-12, "{unit:?}");
        Ok(())
    }
}
