//! Figures: `plot::scatter`, `density`, `lines`, `histogram`, `panels`, and what can be done with one.

mod read;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map};

use self::read::{
    axes, count_matches, dashed, flag, labelled, named, numbers, one_each, point_sets, scale, series, several,
};
use crate::error::Error;
use crate::lang::engine::host;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Options, kind};
use crate::plot::{self, Figure, Layer, LineStyle, Mark, Panel};

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_type_with_name::<Picture>("Figure");
    engine.register_static_module("plot", rhai::exported_module!(functions).into());
    engine.register_global_module(rhai::exported_module!(methods).into());
}

/// A figure as a script holds it.
#[derive(Debug, Clone)]
pub struct Picture {
    figure: Arc<Figure>,
    saved: Option<PathBuf>,
    notes: Vec<String>,
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

#[export_module]
mod functions {
    /// Draws points as dots: one panel for each set of points, on the same axes, to be compared.
    ///
    /// # Shapes
    /// `data`: a Tensor `[n, 2]`, an array of `[x, y]`, or an array of several of these
    ///
    /// # Options
    /// - `titles`: array of strings, one above each panel
    /// - `labels`: array of strings instead of `titles`: all sets in one panel, with a legend
    /// - `x_label`, `y_label`: texts beside the axes
    /// - `limits`: `[low, high]` of both axes, or `#{ x: [low, high], y: [low, high] }`; by default all points but
    ///   lone outliers, which are counted in `notes`
    /// - `size`: radius of the dots in points, 1/72 inch (default: by their number)
    /// - `alpha`: opacity of the dots in (0, 1] (default: by their number)
    /// - `equal`: a unit of x is as long as a unit of y (default: unless the panel would be longer than 3 : 1)
    /// - `same_axes`: all panels have the same axes (default true)
    /// - `columns`: panels per row
    /// - `width`, `height`: size on paper in mm (default: one or both columns of a journal, and as high as needed)
    /// - `dpi`: dots per inch of a PNG (default 300)
    /// - `file`: where to save it, as `.png` or `.svg` (default: not saved)
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
        let mut options = Options::new(&ctx, options);
        let (alpha, size) = (options.number("alpha")?, options.number("size")?);
        let layer = |points| Layer { alpha, size, ..plot::scatter(points) };
        let layers = point_sets(&ctx, &data)?.into_iter().map(layer).collect();
        match options.texts("labels")? {
            Some(labels) => {
                let panel = Panel::new(named(&ctx, layers, &labels)?);
                points_figure(&ctx, options, vec![panel])
            }
            None => points_figure(&ctx, options, layers.into_iter().map(|layer| Panel::new(vec![layer])).collect()),
        }
    }

    #[rhai_fn(name = "scatter", return_raw)]
    pub fn plain_scatter(ctx: NativeCallContext, data: Dynamic) -> Outcome<Picture> {
        scatter(ctx, data, Map::new())
    }

    /// Draws the probability density of points as a heat map: one panel for each set, on the same axes and colours.
    ///
    /// # Shapes
    /// `data`: a Tensor `[n, 2]`, an array of `[x, y]`, or an array of several of these
    ///
    /// # Options
    /// - `titles`: array of strings, one above each panel
    /// - `cells`: cells along the longer side (default: by the number of points)
    /// - `x_label`, `y_label`, `limits`, `equal`, `same_axes`, `columns`, `width`, `height`, `dpi`, `file`: as for
    ///   `plot::scatter`; `same_axes` holds for the colours, too
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
        let mut options = Options::new(&ctx, options);
        let cells = options.count("cells")?;
        let layer = |points| Layer::new(Mark::Density { points, cells });
        let panels = point_sets(&ctx, &data)?.into_iter().map(|points| Panel::new(vec![layer(points)]));
        points_figure(&ctx, options, panels.collect())
    }

    #[rhai_fn(name = "density", return_raw)]
    pub fn plain_density(ctx: NativeCallContext, data: Dynamic) -> Outcome<Picture> {
        density(ctx, data, Map::new())
    }

    /// Draws lines through points, with error bars if wanted; `plot::lines(y)` counts x from 0.
    ///
    /// # Shapes
    /// `x`: numbers (a Tensor `[n]` or an array), or an array of such, one for each line; `y`: the same
    ///
    /// # Options
    /// - `labels`: array of strings, one for each line, for the legend
    /// - `errors`: half heights of the error bars, of the shape of `y`
    /// - `band`: errors are drawn as a shaded band (default false)
    /// - `markers`: a symbol at each point (default: up to 40 points)
    /// - `dashed`: all lines are broken, or an array with true or false for each (default false)
    /// - `log_x`, `log_y`: logarithmic axes (default false)
    /// - `size`: width of the lines in points, 1/72 inch (default 1.1, finer for more than 2000 points)
    /// - `title`, `x_label`, `y_label`: texts above the panel and beside the axes
    /// - `limits`: `[low, high]` of both axes, or `#{ x: [low, high], y: [low, high] }` (default: all points)
    /// - `equal`: a unit of x is as long as a unit of y (default false)
    /// - `width`, `height`, `dpi`, `file`: as for `plot::scatter`
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
    pub fn plain_lines(ctx: NativeCallContext, x: Dynamic, y: Dynamic) -> Outcome<Picture> {
        lines_figure(&ctx, Some(&x), &y, Map::new())
    }

    #[rhai_fn(name = "lines", return_raw)]
    pub fn counted_lines(ctx: NativeCallContext, y: Dynamic, options: Map) -> Outcome<Picture> {
        lines_figure(&ctx, None, &y, options)
    }

    #[rhai_fn(name = "lines", return_raw)]
    pub fn plain_counted_lines(ctx: NativeCallContext, y: Dynamic) -> Outcome<Picture> {
        lines_figure(&ctx, None, &y, Map::new())
    }

    /// Draws the probability density of numbers as a histogram; several sets share the panel and the cells.
    ///
    /// # Shapes
    /// `data`: numbers (a Tensor of any shape or an array), or an array of several of these
    ///
    /// # Options
    /// - `labels`: array of strings, one for each set, for the legend
    /// - `cells`: number of cells (default: by the rule of Freedman and Diaconis, for the coarsest set)
    /// - `title`, `x_label`, `y_label`: texts above the panel and beside the axes (`y_label` default `"density"`)
    /// - `log_y`: logarithmic densities (default false)
    /// - `limits`: `#{ x: [low, high], y: [low, high] }`, or one of the two (default: all numbers but lone outliers)
    /// - `width`, `height`, `dpi`, `file`: as for `plot::scatter`
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
        let mut options = Options::new(&ctx, options);
        let cells = options.count("cells")?;
        let sets = several(&data, false).iter().map(|set| numbers(&ctx, "data", set)).collect::<Outcome<Vec<_>>>()?;
        let layers = sets.into_iter().map(|values| Layer::new(Mark::Histogram { values, cells })).collect();
        let layers = labelled(&ctx, &mut options, layers)?;
        let mut panel = axes(&ctx, &mut options, Panel::new(layers))?;
        panel.title = options.text("title")?.unwrap_or_default();
        panel.y.scale = scale(&mut options, "log_y")?;
        if panel.y.label.is_empty() {
            "density".clone_into(&mut panel.y.label);
        }
        finished(&ctx, options, Figure::new(vec![panel]))
    }

    #[rhai_fn(name = "histogram", return_raw)]
    pub fn plain_histogram(ctx: NativeCallContext, data: Dynamic) -> Outcome<Picture> {
        histogram(ctx, data, Map::new())
    }

    /// Puts the panels of several figures side by side.
    ///
    /// # Options
    /// - `columns`: panels per row (default: by their number)
    /// - `same_axes`: all panels have the same axes (default false)
    /// - `width`, `height`, `dpi`, `file`: as for `plot::scatter`
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
        let mut options = Options::new(&ctx, options);
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
        let shared = options.flag_or("same_axes", false)?;
        let columns = options.count("columns")?;
        finished(&ctx, options, Figure { columns, shared, ..Figure::new(panels) })
    }

    #[rhai_fn(name = "panels", return_raw)]
    pub fn plain_panels(ctx: NativeCallContext, figures: Array) -> Outcome<Picture> {
        panels(ctx, figures, Map::new())
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

    /// What the figure does not show, panel by panel: numbers that are not finite, points outside the axes.
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
fn points_figure(ctx: &NativeCallContext, mut options: Options, mut panels: Vec<Panel>) -> Outcome<Picture> {
    if let Some(titles) = options.texts("titles")? {
        count_matches(ctx, "titles", titles.len(), panels.len())?;
        panels.iter_mut().zip(titles).for_each(|(panel, title)| panel.title = title);
    }
    let equal = flag(&mut options, "equal")?;
    let common = axes(ctx, &mut options, Panel { equal, ..Panel::default() })?;
    let with_axes = |panel: Panel| Panel { title: panel.title, layers: panel.layers, ..common.clone() };
    let panels = panels.into_iter().map(with_axes).collect();
    let shared = options.flag_or("same_axes", true)?;
    let columns = options.count("columns")?;
    finished(ctx, options, Figure { columns, shared, ..Figure::new(panels) })
}

fn lines_figure(ctx: &NativeCallContext, x: Option<&Dynamic>, y: &Dynamic, options: Map) -> Outcome<Picture> {
    let mut options = Options::new(ctx, options);
    let all = |name: &str, value: &Dynamic| {
        several(value, false).iter().map(|set| series(ctx, name, set)).collect::<Outcome<Vec<_>>>()
    };
    let ys = all("y", y)?;
    let xs = match x {
        Some(x) => one_each(ctx, "x", all("x", x)?, ys.len())?,
        None => ys.iter().map(|y| plot::positions(y.len())).collect(),
    };
    let errors = match options.take("errors") {
        Some(errors) => one_each(ctx, "errors", all("errors", &errors)?, ys.len())?.into_iter().map(Some).collect(),
        None => vec![None; ys.len()],
    };
    let dashed = dashed(ctx, &mut options, ys.len())?;
    let band = options.flag_or("band", false)?;
    let (markers, size) = (flag(&mut options, "markers")?, options.positive("size")?);
    let data = xs.into_iter().zip(ys).zip(errors).zip(dashed);
    let layers = data.map(|(((x, y), errors), dashed)| {
        let style = LineStyle { markers, dashed, band };
        Layer { size, ..Layer::new(Mark::Line { x, y, errors, style }) }
    });
    let layers = labelled(ctx, &mut options, layers.collect())?;
    let mut panel = axes(ctx, &mut options, Panel::new(layers))?;
    panel.title = options.text("title")?.unwrap_or_default();
    panel.equal = flag(&mut options, "equal")?;
    panel.x.scale = scale(&mut options, "log_x")?;
    panel.y.scale = scale(&mut options, "log_y")?;
    finished(ctx, options, Figure::new(vec![panel]))
}

/// Reads what concerns the paper, refuses unknown options, and saves the figure if a file was named.
fn finished(ctx: &NativeCallContext, mut options: Options, figure: Figure) -> Outcome<Picture> {
    let (width, height) = (options.number("width")?, options.number("height")?);
    let dpi = options.number_or("dpi", figure.dpi)?;
    let file = options.text("file")?;
    options.finish()?;
    let figure = Figure { width, height, dpi, ..figure };
    let (saved, notes) = match file {
        Some(file) => {
            let saved = figure.save(Path::new(&file), &host(ctx)).raise(ctx)?;
            (Some(saved.path), saved.notes)
        }
        None => (None, figure.notes().raise(ctx)?),
    };
    Ok(Picture { figure: Arc::new(figure), saved, notes })
}
