//! Refuses figures that contradict themselves, by the name of the option or panel.

use super::axes::Scale;
use super::figure::{Axis, Figure, Layer, Mark, Panel};
use crate::error::{Error, Result};

/// Checks all that can be known before the data are looked at.
pub(super) fn check(figure: &Figure) -> Result<()> {
    if figure.panels.is_empty() {
        return Err(Error::argument("panels", "is empty: a figure needs at least one panel"));
    }
    if figure.columns == Some(0) {
        return Err(Error::argument("columns", "must be at least 1, got 0"));
    }
    for (name, length) in [("width", figure.width), ("height", figure.height)] {
        if let Some(length) = length.filter(|length| !(20.0..=1000.0).contains(length)) {
            return Err(Error::argument(name, format!("must be 20 to 1000 mm, got {length}"))
                .with_hint("86 is one column of a journal, 178 both"));
        }
    }
    if !(36.0..=1200.0).contains(&figure.dpi) {
        return Err(Error::argument("dpi", format!("must be 36 to 1200 dots per inch, got {}", figure.dpi)));
    }
    for panel in &figure.panels {
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
    if let Some(alpha) = layer.alpha.filter(|alpha| !(*alpha > 0.0 && *alpha <= 1.0)) {
        return Err(Error::argument("alpha", format!("must be above 0 and at most 1, got {alpha}")));
    }
    if let Some(size) = layer.size.filter(|size| !(*size > 0.0 && *size <= 50.0)) {
        return Err(Error::argument("size", format!("must be above 0 and at most 50 points, got {size}")));
    }
    match &layer.mark {
        Mark::Scatter { .. } => Ok(()),
        Mark::Line { x, y, errors, .. } => check_line(x, y, errors.as_deref()),
        Mark::Density { cells, .. } => {
            check_cells(*cells)?;
            check_linear("log_x", &panel.x, "densities")?;
            check_linear("log_y", &panel.y, "densities")
        }
        Mark::Histogram { cells, .. } => {
            check_cells(*cells)?;
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

fn check_cells(cells: Option<usize>) -> Result<()> {
    match cells {
        Some(cells) if !(1..=2000).contains(&cells) => {
            Err(Error::argument("cells", format!("must be 1 to 2000, got {cells}")))
        }
        _ => Ok(()),
    }
}

fn check_linear(option: &str, axis: &Axis, what: &str) -> Result<()> {
    match axis.scale {
        Scale::Linear => Ok(()),
        Scale::Log => Err(Error::argument(option, format!("is not supported for {what}"))
            .with_hint("take the logarithm of the data, and of its name")),
    }
}
