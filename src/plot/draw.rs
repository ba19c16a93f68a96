//! Draws the frame, ticks and texts of a panel.

use super::Figure;
use super::axes::Range;
use super::canvas::{Anchor, Canvas, Point};
use super::colours::INK;
use super::layout::{AxisTexts, Layout, Place};
use super::marks::{self, View};
use super::paper::{BAR, CAPITAL, GAP, LABEL, LETTER, Rectangle, TICK, TICK_TEXT, TITLE};
use super::prepare::{Levels, Prepared, Ready};

const FRAME_WIDTH: f64 = 0.6;
const MINOR_TICK: f64 = 1.4;
/// Colours of the colour bar.
const BAR_STEPS: u32 = 128;

/// Draws all panels.
pub(super) fn draw(figure: &Figure, prepared: &Prepared, layout: &Layout, canvas: &mut dyn Canvas) {
    for (index, (ready, place)) in prepared.panels.iter().zip(&layout.places).enumerate() {
        let view = View { x: ready.x, y: ready.y, frame: place.frame };
        for layer in &ready.layers {
            marks::shade(layer, ready.levels.as_ref(), &view, canvas);
        }
        for layer in &ready.layers {
            marks::draw(layer, &view, canvas);
        }
        if !place.is_bare {
            axes(ready, place, canvas);
        }
        let middle = place.frame.left + 0.5 * place.frame.width;
        canvas.text(&figure.panels[index].title, [middle, place.frame.top - 2.0 * GAP], TITLE, Anchor::Middle, false);
        if let (true, Some(letter)) = (figure.letters, ('a'..='z').nth(index)) {
            let corner = [place.edge, place.frame.top - 2.0 * GAP];
            canvas.text(&letter.to_string(), corner, LETTER, Anchor::Start, false);
        }
        if let (Some(bar), Some(levels)) = (&place.bar, &ready.levels) {
            colour_bar(bar, levels, place.frame, canvas);
        }
        if let Some(legend) = &place.legend {
            legend.draw(ready, &view, canvas);
        }
    }
}

fn outline(frame: Rectangle, canvas: &mut dyn Canvas) {
    let (left, top, right, bottom) = (frame.left, frame.top, frame.right(), frame.bottom());
    let corners = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top], [right, top]];
    canvas.line(&corners, FRAME_WIDTH, INK);
}

fn axes(ready: &Ready, place: &Place, canvas: &mut dyn Canvas) {
    let frame = place.frame;
    outline(frame, canvas);
    horizontal(ready.x, &place.x, frame, canvas);
    vertical(ready.y, &place.y, frame, canvas);
}

fn horizontal(range: Range, texts: &AxisTexts, frame: Rectangle, canvas: &mut dyn Canvas) {
    let bottom = frame.bottom();
    let at = |value: f64| frame.left + range.fraction(value) * frame.width;
    for value in range.minor_ticks() {
        canvas.line(&[[at(value), bottom], [at(value), bottom + MINOR_TICK]], FRAME_WIDTH, INK);
    }
    let baseline = bottom + TICK + GAP + CAPITAL * TICK_TEXT;
    for tick in &texts.ticks {
        canvas.line(&[[at(tick.value), bottom], [at(tick.value), bottom + TICK]], FRAME_WIDTH, INK);
        if texts.shown {
            canvas.text(&tick.text, [at(tick.value), baseline], TICK_TEXT, Anchor::Middle, false);
        }
    }
    let below = bottom + TICK + GAP + TICK_TEXT + 1.1 * LABEL;
    canvas.text(&texts.label, [frame.left + 0.5 * frame.width, below], LABEL, Anchor::Middle, false);
    if texts.shown {
        canvas.text(&texts.factor, [frame.right(), below], TICK_TEXT, Anchor::End, false);
    }
}

fn vertical(range: Range, texts: &AxisTexts, frame: Rectangle, canvas: &mut dyn Canvas) {
    let left = frame.left;
    let at = |value: f64| frame.bottom() - range.fraction(value) * frame.height;
    for value in range.minor_ticks() {
        canvas.line(&[[left, at(value)], [left - MINOR_TICK, at(value)]], FRAME_WIDTH, INK);
    }
    for tick in &texts.ticks {
        canvas.line(&[[left, at(tick.value)], [left - TICK, at(tick.value)]], FRAME_WIDTH, INK);
        if texts.shown {
            let baseline = at(tick.value) + 0.5 * CAPITAL * TICK_TEXT;
            canvas.text(&tick.text, [left - TICK - GAP, baseline], TICK_TEXT, Anchor::End, false);
        }
    }
    let beside = left - texts.breadth() + CAPITAL * LABEL;
    canvas.text(&texts.label, [beside, frame.top + 0.5 * frame.height], LABEL, Anchor::Middle, true);
    if texts.shown {
        canvas.text(&texts.factor, [left, frame.top - 2.0 * GAP], TICK_TEXT, Anchor::Start, false);
    }
}

fn colour_bar(texts: &AxisTexts, levels: &Levels, beside: Rectangle, canvas: &mut dyn Canvas) {
    let bar = Rectangle { left: beside.right() + BAR[1], width: BAR[0], ..beside };
    let level = |share: f64| bar.bottom() - share * bar.height;
    for step in 0..BAR_STEPS {
        let share = |step: u32| f64::from(step) / f64::from(BAR_STEPS);
        let middle = (f64::from(step) + 0.5) / f64::from(BAR_STEPS);
        let colour = levels.colour(levels.range.low + middle * levels.range.length());
        // Up to the top each time: no seams between steps.
        canvas.rectangle([bar.left, bar.top], [bar.right(), level(share(step))], colour, 1.0);
    }
    outline(bar, canvas);
    let right = bar.right();
    for tick in &texts.ticks {
        let y = level(levels.range.fraction(tick.value));
        canvas.line(&[[right, y], [right + TICK, y]], FRAME_WIDTH, INK);
        let at: Point = [right + TICK + GAP, y + 0.5 * CAPITAL * TICK_TEXT];
        canvas.text(&tick.text, at, TICK_TEXT, Anchor::Start, false);
    }
    let beside = right + GAP + texts.breadth();
    canvas.text(&texts.label, [beside, bar.top + 0.5 * bar.height], LABEL, Anchor::Middle, true);
    canvas.text(&texts.factor, [right, bar.top - 2.0 * GAP], TICK_TEXT, Anchor::Middle, false);
}
