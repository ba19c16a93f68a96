//! Heat maps, grids of images, and what moves.

use std::path::Path;

use rhai::plugin::*;
use rhai::{Dynamic, Map};

use super::options::{ANIMATE, HEATMAP, IMAGES, RAMACHANDRAN, UPPER};
use super::read::{axes, count_matches, point_sets, several, text};
use super::{Picture, finished};
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Given, read};
use crate::lang::surroundings::task;
use crate::lang::tensors::tensor_argument;
use crate::plot::{self, Cells, Figure, Images, Layer, Mark, Panel};
use crate::tensor::{Index, Tensor};

#[export_module(manifest)]
pub(super) mod module {
    /// Draws the numbers of a matrix as a heat map with a colour bar.
    ///
    /// # Shapes
    /// `matrix` [rows, columns]: the columns lie along x, and the first row is the lowest, or with `origin: "upper"`
    /// the highest.
    ///
    /// # Returns
    /// A `Figure`. Numbers that are not finite stay blank, and `notes` counts them.
    ///
    /// # Errors
    /// When the matrix has another shape or no finite number, and when the file cannot be written.
    ///
    /// # Source
    /// The colours are viridis: Smith and van der Walt 2015.
    ///
    /// # Example
    /// ```rhai
    /// let fig = plot::heatmap([[1, 0.5], [0.5, 1]], #{ label: "correlation", range: [0, 1] });
    /// assert(fig.svg().contains("correlation"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn heatmap(ctx: NativeCallContext, matrix: Dynamic, options: Map) -> Outcome<Picture> {
        let tensor = tensor_argument(&ctx, "matrix", &matrix)?;
        let [rows, columns] = *tensor.shape() else {
            let problem = format!("must have shape [rows, columns], got {:?}", tensor.shape());
            return Err(Error::argument("matrix", problem)).raise(&ctx);
        };
        read(&ctx, options, HEATMAP, |given| {
            // The centres of cells are whole numbers where nothing else is said.
            let side = |name: &str, count: usize| {
                ends(&ctx, given, name).map(|ends| ends.unwrap_or([-0.5, count as f64 - 0.5]))
            };
            let cells = Cells {
                shape: [columns, rows],
                values: tensor.values().iter().copied().map(f64::from).collect(),
                x: side("x", columns)?,
                y: side("y", rows)?,
                range: ends(&ctx, given, "range")?,
                label: text(given, "label"),
            };
            let mut panel = Panel::new(vec![Layer::new(Mark::Heatmap(cells))]).titled(text(given, "title"));
            panel = panel.with_labels(text(given, "x_label"), text(given, "y_label"));
            panel.equal = given.flag_if_given("equal");
            panel.y.reversed = given.word("origin") == UPPER;
            finished(&ctx, given, Figure::new(vec![panel]))
        })
    }

    /// Draws images in a grid, one panel for each set of them, all on the same scale from black to white.
    ///
    /// # Shapes
    /// `data`: a Tensor [n, height, width] in grey or [n, 3, height, width] in red, green and blue; [height, width] is
    /// one image; or an array of several of these
    ///
    /// # Returns
    /// A `Figure`. The first image of a set is on the upper left. `notes` says where only some of a set are shown.
    ///
    /// # Errors
    /// When a tensor has another shape or nothing finite, and when the file cannot be written.
    ///
    /// # Example
    /// ```rhai
    /// let digits = dataset::digits().sample(32, 1);
    /// let fig = plot::images([digits, 16 - digits], #{ titles: ["digits", "their negatives"], columns: 8 });
    /// assert_eq(fig.to_string(), "figure: 2 panels");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn images(ctx: NativeCallContext, data: Dynamic, options: Map) -> Outcome<Picture> {
        let sets =
            several(&data, false).iter().map(|set| tensor_argument(&ctx, "data", set)).collect::<Outcome<Vec<_>>>();
        let sets =
            sets?.iter().map(|tensor| Images::new("data", tensor)).collect::<crate::Result<Vec<_>>>().raise(&ctx)?;
        read(&ctx, options, IMAGES, |given| {
            let grid = Grid::read(&ctx, given, &sets)?;
            let mut panels: Vec<Panel> = sets.iter().map(|set| grid.panel(set)).collect();
            if let Some(titles) = given.texts_if_given("titles") {
                count_matches(&ctx, "titles", titles.len(), panels.len())?;
                panels.iter_mut().zip(titles).for_each(|(panel, title)| panel.title.clone_from(title));
            }
            let mut picture = finished(&ctx, given, Figure::new(panels))?;
            let cut = sets.iter().enumerate().filter(|(_, set)| set.count() > grid.count);
            let note =
                |(at, set): (usize, &Images)| format!("panel {}: {} of {} images", at + 1, grid.count, set.count());
            picture.notes.extend(cut.map(note));
            Ok(picture)
        })
    }

    /// Draws the free energy of pairs of dihedral angles, −ln p/p_max with p their density, one panel for each set, on
    /// the same colours.
    ///
    /// # Shapes
    /// `data`: angles in radians, a Tensor [n, 2] of φ and ψ or an array of [φ, ψ], or an array of several of these
    ///
    /// # Returns
    /// A `Figure` with axes in degrees, and the energy in units of k_B T. Angles beyond ±π are taken modulo 2π. Cells
    /// without angles stay blank. Cells of few angles are uncertain: of n, by 1/√n.
    ///
    /// # Errors
    /// When a set has no finite point or the wrong shape, and when the file cannot be written.
    ///
    /// # Source
    /// Ramachandran, Ramakrishnan, Sasisekharan, J. Mol. Biol. 7, 95, 1963; as drawn by Behera et al., arXiv
    /// 2411.07233, figure 3.
    ///
    /// # Example
    /// ```rhai
    /// let angles = dataset::alanine().sample(10_000, 1);
    /// let fig = plot::ramachandran([angles, angles + 2 * PI], #{ titles: ["data", "a turn further"] });
    /// assert_eq(fig.notes, []);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn ramachandran(ctx: NativeCallContext, data: Dynamic, options: Map) -> Outcome<Picture> {
        let sets = point_sets(&ctx, &data)?;
        read(&ctx, options, RAMACHANDRAN, |given| {
            let cells = given.count("cells");
            let mut panels: Vec<Panel> = sets.iter().map(|set| plot::ramachandran(set, cells)).collect();
            if let Some(titles) = given.texts_if_given("titles") {
                count_matches(&ctx, "titles", titles.len(), panels.len())?;
                panels.iter_mut().zip(titles).for_each(|(panel, title)| panel.title.clone_from(title));
            }
            let columns = given.count_if_given("columns");
            finished(&ctx, given, Figure { columns, ..Figure::compare(panels) })
        })
    }

    /// Makes a moving picture of points or images at successive times.
    ///
    /// # Shapes
    /// `trajectory`: a Tensor [times, n, 2] of points in the plane, such as `sample` and `simulate` keep, or of images
    /// [times, n, height, width] or [times, n, 3, height, width]
    ///
    /// # Returns
    /// `#{ file, frames, seconds, notes }`: what was written, and what it does not show.
    ///
    /// # Errors
    /// When the trajectory has another shape or nothing finite, there are more than 65,535 times, or the file cannot be
    /// written.
    ///
    /// # Example
    /// ```rhai
    /// assert_fails(|| plot::animate(zeros([3, 10, 2]), #{ file: "paths.mp4" }), "none of .gif, .png and .apng");
    /// // let s = simulate(process::active(), dataset::diamond().sample(500, 1), #{ steps: 200, keep: "all" });
    /// // plot::animate(s.path("x"), #{ file: "paths.gif", rate: 25 });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn animate(ctx: NativeCallContext, trajectory: Dynamic, options: Map) -> Outcome<Map> {
        let trajectory = tensor_argument(&ctx, "trajectory", &trajectory)?;
        let frames = trajectory.shape().first().copied().unwrap_or(0);
        let at = |frame: usize| trajectory.get(&[Index::At(frame as i64)]);
        read(&ctx, options, ANIMATE, |given| {
            let titles = given.texts_if_given("titles").unwrap_or_default();
            if !titles.is_empty() {
                count_matches(&ctx, "titles", titles.len(), frames)?;
            }
            let panel = panel_of(&ctx, given, &trajectory)?;
            let (width, dpi) = (given.number_if_given("width"), given.number("dpi"));
            let figure = |frame: usize| {
                let titled = panel(&at(frame)?)?.titled(titles.get(frame).cloned().unwrap_or_default());
                Ok(Figure { width, dpi, ..Figure::new(vec![titled]) })
            };
            let file = Path::new(given.word("file"));
            let made = plot::animate(frames, figure, given.number("rate"), file, &task(&ctx)).raise(&ctx)?;
            let notes: rhai::Array = made.notes.into_iter().map(Dynamic::from).collect();
            Ok(Map::from([
                ("file".into(), made.path.display().to_string().into()),
                ("frames".into(), Dynamic::from_int(made.frames as i64)),
                ("seconds".into(), Dynamic::from_float(made.seconds)),
                ("notes".into(), notes.into()),
            ]))
        })
    }
}

/// What makes the panel of a time of a trajectory, on axes or a scale that serve all times.
fn panel_of<'a>(
    ctx: &NativeCallContext,
    given: &Given,
    trajectory: &Tensor,
) -> Outcome<Box<dyn Fn(&Tensor) -> crate::Result<Panel> + Sync + 'a>> {
    let common = axes(ctx, given, Panel { equal: given.flag_if_given("equal"), ..Panel::default() })?;
    let (size, alpha) = (given.number_if_given("size"), given.number_if_given("alpha"));
    match *trajectory.shape() {
        [times, count, 2] => {
            let all = trajectory.reshape(&[(times * count) as i64, 2]).and_then(|all| plot::points(&all)).raise(ctx)?;
            let grid = ["columns", "count"].map(|name| given.count_if_given(name));
            if grid.iter().any(Option::is_some) || ends(ctx, given, "range")?.is_some() {
                let problem = "are for trajectories of images, and this one is of points";
                return Err(Error::argument("columns, count and range", problem)).raise(ctx);
            }
            let natural = plot::limits(&all);
            let mut common = common;
            for (axis, natural) in [(&mut common.x, 0), (&mut common.y, 1)].map(|(axis, at)| (axis, natural[at])) {
                axis.limits = axis.limits.or(natural);
            }
            Ok(Box::new(move |points| {
                let layers = vec![Layer { size, alpha, ..plot::scatter(plot::points(points)?) }];
                Ok(Panel { layers, ..common.clone() })
            }))
        }
        [times, count, ref image @ ..] if !image.is_empty() => {
            let all: Vec<i64> = [times * count].iter().chain(image).map(|side| *side as i64).collect();
            let flat = trajectory.reshape(&all).raise(ctx)?;
            let images = Images::new("trajectory", &flat).raise(ctx)?;
            let mut grid = Grid::read(ctx, given, std::slice::from_ref(&images))?;
            grid.count = grid.count.min(count);
            Ok(Box::new(move |images| Ok(grid.panel(&Images::new("trajectory", images)?))))
        }
        _ => {
            let problem = format!("must be [times, n, 2] or [times, n, height, width], got {:?}", trajectory.shape());
            Err(Error::argument("trajectory", problem).with_hint("keep states at several times: keep: \"all\""))
                .raise(ctx)
        }
    }
}

/// How images are shown.
struct Grid {
    count: usize,
    columns: usize,
    range: [f64; 2],
}

impl Grid {
    fn read(ctx: &NativeCallContext, given: &Given, sets: &[Images]) -> Outcome<Self> {
        const USUAL: usize = 64;
        let most = sets.iter().map(Images::count).max().unwrap_or(1);
        let count = given.count_if_given("count").unwrap_or(USUAL).min(most);
        let columns = given.count_if_given("columns").unwrap_or_else(|| (count as f64).sqrt().ceil() as usize);
        let range = match ends(ctx, given, "range")? {
            Some([low, high]) if low < high => [low, high],
            Some([low, high]) => {
                let problem = format!("must go from a lower to a higher number, got [{low}, {high}]");
                return Err(Error::argument("range", problem)).raise(ctx);
            }
            None => common_range(sets).raise(ctx)?,
        };
        Ok(Self { count, columns, range })
    }

    fn panel(&self, images: &Images) -> Panel {
        images.first(self.count).panel(self.columns, self.range)
    }
}

/// Smallest and largest number of all sets.
fn common_range(sets: &[Images]) -> crate::Result<[f64; 2]> {
    let joined = sets.iter().filter_map(Images::range).reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])]);
    match joined {
        Some([low, high]) if low < high => Ok([low, high]),
        Some([value, _]) => Ok([value - 0.5, value + 0.5]),
        None => Err(Error::argument("data", "has no finite number: there is nothing to draw")),
    }
}

/// Two numbers.
fn ends(ctx: &NativeCallContext, given: &Given, name: &str) -> Outcome<Option<[f64; 2]>> {
    let pair = |numbers: &[f64]| match *numbers {
        [low, high] => Ok([low, high]),
        _ => Err(Error::argument(name, format!("must be [low, high], got {} numbers", numbers.len()))).raise(ctx),
    };
    given.numbers_if_given(name).map(pair).transpose()
}
