//! Refuses figures that contradict themselves, by the name of the option or panel.

use super::axes::Scale;
use super::figure::{Axis, Figure, Layer, Mark, Panel};
use super::options::{ALPHA, COLUMNS, DENSITY_CELLS, DPI, HEIGHT, HISTOGRAM_CELLS, RADIUS, WIDTH};
use super::texts::texts;
use crate::error::{Error, Result};
use crate::settings::Setting;

/// Checks all that can be known before the data are looked at.
pub(super) fn check(figure: &Figure) -> Result<()> {
    if figure.panels.is_empty() {
        return Err(Error::argument("panels", "is empty: a figure needs at least one panel"));
    }
    let columns = figure.columns.map(|columns| columns as f64);
    let numbers = [(COLUMNS, columns), (WIDTH, figure.width), (HEIGHT, figure.height), (DPI, Some(figure.dpi))];
    numbers.iter().try_for_each(|(setting, number)| check_if_given(setting, *number))?;
    let points = |panel: &Panel| panel.layers.iter().map(|layer| points(&layer.mark)).sum::<usize>();
    let count: usize = figure.panels.iter().map(points).sum();
    if count > MOST_POINTS {
        let problem = format!("has {count} points or cells to draw, and a figure shows {MOST_POINTS} at most");
        return Err(Error::argument("data", problem).with_hint("draw a part: x[0..10_000], or plot::density"));
    }
    for panel in &figure.panels {
        check_texts(panel)?;
        check_axis("x", &panel.x)?;
        check_axis("y", &panel.y)?;
        panel.layers.iter().try_for_each(|layer| check_layer(layer, panel))?;
    }
    let scales = |panel: &Panel| [panel.x.scale, panel.y.scale];
    if figure.shared && figure.panels.iter().any(|panel| scales(panel) != scales(&figure.panels[0])) {
        return Err(Error::argument("panels", "share their ranges, but some axes are linear and others logarithmic"));
    }
    Ok(())
}

/// What takes some seconds to draw.
const MOST_POINTS: usize = 3_000_000;

/// The points and cells that are drawn one by one.
fn points(mark: &Mark) -> usize {
    match mark {
        Mark::Scatter { points } => points.len(),
        Mark::Line { x, .. } => x.len(),
        Mark::Heatmap(cells) => cells.values.len(),
        _ => 0,
    }
}

/// Characters of a text beyond which it is none of a figure.
const LONGEST_TEXT: usize = 2000;

fn check_texts(panel: &Panel) -> Result<()> {
    let long = |(_, text): &(&str, &str)| text.chars().count() > LONGEST_TEXT;
    match texts(panel).find(long) {
        Some((name, text)) => {
            let problem = format!("has {} characters, more than {LONGEST_TEXT}", text.chars().count());
            Err(Error::argument(name, problem))
        }
        None => Ok(()),
    }
}

fn check_if_given(setting: &Setting, number: Option<f64>) -> Result<()> {
    number.map_or(Ok(()), |number| setting.check_value(number))
}

fn check_axis(name: &str, axis: &Axis) -> Result<()> {
    let Some([low, high]) = axis.limits else { return Ok(()) };
    let wrong = |problem: &str| Err(Error::argument("limits", format!("of {name} are [{low}, {high}]: {problem}")));
    if low.is_nan() || high.is_nan() || low >= high {
        return wrong("the first must be below the second");
    }
    if axis.scale == Scale::Log && low <= 0.0 {
        return wrong("a logarithmic axis starts above 0");
    }
    if !axis.scale.shows(low) || !axis.scale.shows(high) {
        return wrong("both must be finite, and of a size that a picture can have");
    }
    Ok(())
}

fn check_layer(layer: &Layer, panel: &Panel) -> Result<()> {
    check_if_given(&ALPHA, layer.alpha)?;
    check_if_given(&RADIUS, layer.size)?;
    match &layer.mark {
        Mark::Scatter { .. } => Ok(()),
        Mark::Line { x, y, errors, .. } => check_line(x, y, errors.as_deref()),
        Mark::Density { cells, .. } => {
            check_if_given(&DENSITY_CELLS, cells.map(|cells| cells as f64))?;
            check_linear("log_x", &panel.x, "densities")?;
            check_linear("log_y", &panel.y, "densities")
        }
        Mark::FreeEnergy { cells, .. } => {
            DENSITY_CELLS.check_value(*cells as f64)?;
            check_linear("log_x", &panel.x, "free energies")?;
            check_linear("log_y", &panel.y, "free energies")
        }
        Mark::Heatmap(cells) => {
            check_linear("log_x", &panel.x, "heat maps")?;
            check_linear("log_y", &panel.y, "heat maps")?;
            check_ends("x", cells.x)?;
            check_ends("y", cells.y)?;
            cells.range.map_or(Ok(()), |range| check_ends("range", range))?;
            check_count("matrix", cells.values.len(), cells.shape)
        }
        Mark::Image(image) => {
            check_linear("log_x", &panel.x, "pictures")?;
            check_linear("log_y", &panel.y, "pictures")?;
            check_count("pixels", image.pixels.len(), image.shape)
        }
        Mark::Histogram { cells, .. } => {
            check_if_given(&HISTOGRAM_CELLS, cells.map(|cells| cells as f64))?;
            check_linear("log_x", &panel.x, "histograms")
        }
    }
}

fn check_line(x: &[f64], y: &[f64], errors: Option<&[f64]>) -> Result<()> {
    if x.len() != y.len() {
        return Err(Error::argument("y", format!("has {} values for {} of `x`", y.len(), x.len())));
    }
    let Some(errors) = errors else { return Ok(()) };
    if errors.len() != y.len() {
        return Err(Error::argument("errors", format!("has {} values for {} of `y`", errors.len(), y.len())));
    }
    if errors.iter().any(|&error| error < 0.0) {
        return Err(Error::argument("errors", "must not be negative: each is half the height of an error bar"));
    }
    Ok(())
}

fn check_ends(name: &str, [low, high]: [f64; 2]) -> Result<()> {
    if low < high && Scale::Linear.shows(low) && Scale::Linear.shows(high) {
        return Ok(());
    }
    Err(Error::argument(name, format!("must go from a lower to a higher number, got [{low}, {high}]")))
}

fn check_count(name: &str, count: usize, shape: [usize; 2]) -> Result<()> {
    match shape[0] * shape[1] {
        cells if cells == count => Ok(()),
        cells => Err(Error::argument(name, format!("has {count} values for {cells} cells"))),
    }
}

fn check_linear(option: &str, axis: &Axis, what: &str) -> Result<()> {
    match axis.scale {
        Scale::Linear => Ok(()),
        Scale::Log => Err(Error::argument(option, format!("is not supported for {what}"))
            .with_hint("take the logarithm of the data, and of its name")),
    }
}
