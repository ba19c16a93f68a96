//! Figures: `plot::scatter`, `density`, `lines`, `histogram`, `panels` and others, and what can be done with one.

mod maps;
mod options;
mod read;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map};

use self::options::{DENSITY, HISTOGRAM, LINES, MAPS, OPTIONS, PANELS, SCATTER};
use self::read::{
    axes, colours, count_matches, dashed, labelled, named, numbers, one_each, point_sets, scale, series, several, text,
};
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Given, Tables, kind, read};
use crate::lang::surroundings::{host, task};
use crate::lang::types;
use crate::plot::{self, Figure, Layer, LineStyle, Mark, Panel};

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    types::register::<Picture>(engine, "Figure", "the functions of `plot` take titles, labels and limits as options");
    let parts = [(rhai::exported_manifest!(functions), OPTIONS), (rhai::exported_manifest!(maps::module), MAPS)];
    engine.register_static_module("plot", tables.joined("plot", &parts).into());
    engine.register_global_module(rhai::exported_module!(methods).into());
}

/// A figure as a script holds it.
#[derive(Debug, Clone)]
pub struct Picture {
    figure: Arc<Figure>,
    saved: Option<PathBuf>,
    notes: Vec<String>,
}

impl Picture {
    /// What it shows.
    pub(in crate::lang) fn figure(&self) -> &Figure {
        &self.figure
    }

    /// Whether it is in a file.
    pub(in crate::lang) fn is_saved(&self) -> bool {
        self.saved.is_some()
    }
}

impl std::fmt::Display for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.figure.panels.len() {
            1 => write!(f, "figure: 1 panel")?,
            count => write!(f, "figure: {count} panels")?,
        }
        if let Some(path) = &self.saved {
            write!(f, ", saved to {}", path.display())?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "; {note}"))
    }
}

#[export_module(manifest)]
mod functions {
    /// Draws points as dots: one panel for each set of points, on the same axes, to be compared.
    ///
    /// # Shapes
    /// `data`: a Tensor `[n, 2]`, an array of `[x, y]`, or an array of several of these
    ///
    /// # Returns
    /// A `Figure`.
    ///
    /// # Errors
    /// When a set has no finite point or the wrong shape, and when the file cannot be written.
    ///
    /// # Example
    /// ```rhai
    /// let target = [[0, 0], [1, 0.5], [0.5, 1]];
    /// let samples = [[0.1, 0], [0.9, 0.5], [0.5, 1.2]];
    /// let fig = plot::scatter([target, samples], #{ titles: ["target", "active, τ = 0.5"], x_label: "x₁" });
    /// assert_eq(fig.to_string(), "figure: 2 panels");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn scatter(ctx: NativeCallContext, data: Dynamic, options: Map) -> Outcome<Picture> {
        read(&ctx, options, SCATTER, |given| {
            let (alpha, size) = (given.number_if_given("alpha"), given.number_if_given("size"));
            let sets = point_sets(&ctx, &data)?;
            let colours = colours(&ctx, given, sets.len())?.into_iter();
            let layer = |(points, colour)| Layer { alpha, size, colour, ..plot::scatter(points) };
            let layers = sets.into_iter().zip(colours).map(layer).collect();
            let panels = match given.texts_if_given("labels") {
                Some(labels) => vec![Panel::new(named(&ctx, layers, labels)?)],
                None => layers.into_iter().map(|layer| Panel::new(vec![layer])).collect(),
            };
            points_figure(&ctx, given, panels)
        })
    }

    /// Draws the probability density of points as a heat map: one panel for each set, on the same axes and colours.
    ///
    /// # Shapes
    /// `data`: a Tensor `[n, 2]`, an array of `[x, y]`, or an array of several of these
    ///
    /// # Returns
    /// A `Figure`. Points outside the axes count for the density, which integrates to 1 over the whole plane.
    ///
    /// # Errors
    /// As for `plot::scatter`.
    ///
    /// # Source
    /// The colours are viridis: Smith and van der Walt 2015.
    ///
    /// # Example
    /// ```rhai
    /// let angles = [[-1.2, 2.4], [-1.1, 2.5], [1, 0.9]];
    /// let fig = plot::density(angles, #{ x_label: "φ", y_label: "ψ", limits: [-3.15, 3.15], cells: 30 });
    /// assert_eq(fig.notes, []);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn density(ctx: NativeCallContext, data: Dynamic, options: Map) -> Outcome<Picture> {
        read(&ctx, options, DENSITY, |given| {
            let cells = given.count_if_given("cells");
            let layer = |points| Layer::new(Mark::Density { points, cells });
            let panels = point_sets(&ctx, &data)?.into_iter().map(|points| Panel::new(vec![layer(points)]));
            points_figure(&ctx, given, panels.collect())
        })
    }

    /// Draws lines through points, with error bars if wanted; `plot::lines(y)` counts x from 0.
    ///
    /// # Shapes
    /// `x`: numbers (a Tensor `[n]` or an array), or an array of such, one for each line; `y`: the same
    ///
    /// # Returns
    /// A `Figure`. A line is broken where a number is not finite, or not positive on a logarithmic axis; `notes` counts
    /// these.
    ///
    /// # Errors
    /// When `x`, `y`, `errors` differ in length, when nothing can be drawn, and when the file cannot be written.
    ///
    /// # Example
    /// ```rhai
    /// let steps = [0.1, 0.02, 0.004];
    /// let fig = plot::lines(steps, [[0.104, 0.053, 0.028], [0.036, 0.006, 0.006]], #{
    ///     labels: ["passive", "active"], x_label: "time step", y_label: "sliced W₁", log_x: true, log_y: true,
    /// });
    /// assert(fig.svg().contains("passive"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn lines(ctx: NativeCallContext, x: Dynamic, y: Dynamic, options: Map) -> Outcome<Picture> {
        lines_figure(&ctx, Some(&x), &y, options)
    }

    #[rhai_fn(name = "lines", return_raw)]
    pub fn counted_lines(ctx: NativeCallContext, y: Dynamic, options: Map) -> Outcome<Picture> {
        lines_figure(&ctx, None, &y, options)
    }

    /// Draws the probability density of numbers as a histogram; several sets share the panel and the cells.
    ///
    /// # Shapes
    /// `data`: numbers (a Tensor of any shape or an array), or an array of several of these
    ///
    /// # Returns
    /// A `Figure`. Numbers outside the axes count for the density.
    ///
    /// # Errors
    /// When a set has no finite number, and when the file cannot be written.
    ///
    /// # Source
    /// Freedman and Diaconis 1981.
    ///
    /// # Example
    /// ```rhai
    /// let fig = plot::histogram([[0.1, 0.4, 0.5], [1, 2, 2.5]], #{ labels: ["active", "passive"], x_label: "x" });
    /// assert(fig.svg().contains("density"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn histogram(ctx: NativeCallContext, data: Dynamic, options: Map) -> Outcome<Picture> {
        let sets = several(&data, false).iter().map(|set| numbers(&ctx, "data", set)).collect::<Outcome<Vec<_>>>()?;
        read(&ctx, options, HISTOGRAM, |given| {
            let cells = given.count_if_given("cells");
            let colours = colours(&ctx, given, sets.len())?.into_iter();
            let layer = |(values, colour)| Layer { colour, ..Layer::new(Mark::Histogram { values, cells }) };
            let layers = sets.into_iter().zip(colours).map(layer).collect();
            let mut panel = axes(&ctx, given, Panel::new(labelled(&ctx, given, layers)?))?;
            panel.title = text(given, "title");
            panel.y.scale = scale(given, "log_y");
            finished(&ctx, given, Figure::new(vec![panel]))
        })
    }

    /// Puts the panels of several figures side by side.
    ///
    /// # Returns
    /// A new `Figure`; the others stay as they were.
    ///
    /// # Errors
    /// When there is no figure, when the width has no room for the panels, and when the file cannot be written.
    ///
    /// # Example
    /// ```rhai
    /// let left = plot::lines([3, 2, 1.5, 1.2], #{ x_label: "step", y_label: "loss" });
    /// let right = plot::histogram([0.1, 0.4, 0.5]);
    /// assert_eq(plot::panels([left, right]).to_string(), "figure: 2 panels");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn panels(ctx: NativeCallContext, figures: Array, options: Map) -> Outcome<Picture> {
        let mut panels = Vec::new();
        for figure in figures {
            match figure.read_lock::<Picture>() {
                Some(picture) => panels.extend(picture.figure.panels.iter().cloned()),
                None => {
                    let problem = format!("must be an array of figures, got {} in it", kind(&ctx, &figure));
                    return Err(Error::argument("figures", problem)).raise(&ctx);
                }
            }
        }
        read(&ctx, options, PANELS, |given| {
            let (shared, columns) = (given.flag("same_axes"), given.count_if_given("columns"));
            finished(&ctx, given, Figure { columns, shared, letters: given.flag("letters"), ..Figure::new(panels) })
        })
    }
}

#[export_module]
mod methods {
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(figure: &mut Picture) -> String {
        figure.to_string()
    }

    /// Saves a figure as `.png` or `.svg`.
    ///
    /// # Returns
    /// The figure.
    ///
    /// # Errors
    /// When the name ends otherwise, and when the file cannot be written.
    #[rhai_fn(return_raw)]
    pub fn save(ctx: NativeCallContext, figure: &mut Picture, file: &str) -> Outcome<Picture> {
        figure.saved = Some(figure.figure.save(Path::new(file), &host(&ctx)).raise(&ctx)?.path);
        Ok(figure.clone())
    }

    /// The figure as the text of an SVG document.
    ///
    /// # Example
    /// ```rhai
    /// assert(plot::lines([1, 2, 4]).svg().starts_with("<svg"));
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn svg(ctx: NativeCallContext, figure: &mut Picture) -> Outcome<String> {
        figure.figure.svg().raise(&ctx)
    }

    /// What the figure does not show: characters that its font lacks, numbers that are not finite, points outside the
    /// axes.
    ///
    /// # Example
    /// ```rhai
    /// let fig = plot::scatter([[0, 0], [1, 1], [0.0 / 0.0, 1]]);
    /// assert_eq(fig.notes, ["panel 1: 1 of 3 left out, not finite"]);
    /// ```
    #[rhai_fn(get = "notes", pure)]
    pub fn notes(figure: &mut Picture) -> Array {
        figure.notes.iter().map(|note| note.clone().into()).collect()
    }
}

/// Completes a figure of panels that show points.
fn points_figure(ctx: &NativeCallContext, given: &Given, mut panels: Vec<Panel>) -> Outcome<Picture> {
    if let Some(titles) = given.texts_if_given("titles") {
        count_matches(ctx, "titles", titles.len(), panels.len())?;
        panels.iter_mut().zip(titles).for_each(|(panel, title)| panel.title.clone_from(title));
    }
    let equal = given.flag_if_given("equal");
    let common = axes(ctx, given, Panel { equal, ..Panel::default() })?;
    let with_axes = |panel: Panel| Panel { title: panel.title, layers: panel.layers, ..common.clone() };
    let panels = panels.into_iter().map(with_axes).collect();
    let (shared, columns) = (given.flag("same_axes"), given.count_if_given("columns"));
    finished(ctx, given, Figure { columns, shared, ..Figure::new(panels) })
}

fn lines_figure(ctx: &NativeCallContext, x: Option<&Dynamic>, y: &Dynamic, options: Map) -> Outcome<Picture> {
    let all = |name: &str, value: &Dynamic| {
        several(value, false).iter().map(|set| series(ctx, name, set)).collect::<Outcome<Vec<_>>>()
    };
    let ys = all("y", y)?;
    let xs = match x {
        Some(x) => one_each(ctx, "x", all("x", x)?, ys.len())?,
        None => ys.iter().map(|y| plot::positions(y.len())).collect(),
    };
    read(ctx, options, LINES, |given| {
        let errors = match given.other("errors") {
            Some(errors) => one_each(ctx, "errors", all("errors", errors)?, ys.len())?.into_iter().map(Some).collect(),
            None => vec![None; ys.len()],
        };
        let (dashed, colours) = (dashed(ctx, given, ys.len())?, colours(ctx, given, ys.len())?);
        let (band, markers) = (given.flag("band"), given.flag_if_given("markers"));
        let size = given.number_if_given("size");
        let data = xs.into_iter().zip(ys).zip(errors).zip(dashed).zip(colours);
        let layers = data.map(|((((x, y), errors), dashed), colour)| {
            let style = LineStyle { markers, dashed, band };
            Layer { size, colour, ..Layer::new(Mark::Line { x, y, errors, style }) }
        });
        let mut panel = axes(ctx, given, Panel::new(labelled(ctx, given, layers.collect())?))?;
        panel.title = text(given, "title");
        panel.equal = given.flag_if_given("equal");
        panel.x.scale = scale(given, "log_x");
        panel.y.scale = scale(given, "log_y");
        finished(ctx, given, Figure::new(vec![panel]))
    })
}

/// Reads what concerns the paper, and saves the figure if a file was named.
fn finished(ctx: &NativeCallContext, given: &Given, figure: Figure) -> Outcome<Picture> {
    let (width, height) = (given.number_if_given("width"), given.number_if_given("height"));
    let figure = Figure { width, height, dpi: given.number("dpi"), ..figure };
    let (saved, notes) = match given.text_if_given("file") {
        Some(file) => {
            let saved = figure.save(Path::new(file), &host(ctx)).raise(ctx)?;
            (Some(saved.path), saved.notes)
        }
        None => (None, figure.notes().raise(ctx)?),
    };
    notes.iter().for_each(|note| task(ctx).warn(note));
    Ok(Picture { figure: Arc::new(figure), saved, notes })
}
