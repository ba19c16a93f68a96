//! Figures: what they show ([`Figure`], [`Panel`], [`Layer`]), drawn at the size and resolution of print as PNG or SVG.
//!
//! ```
//! use tumble::plot::{Figure, Panel, line};
//!
//! let x: Vec<f64> = (0..100).map(|i| 0.1 * f64::from(i)).collect();
//! let y = x.iter().map(|x| (-x).exp()).collect();
//! let figure = Figure::new(vec![Panel::new(vec![line(x, y)]).with_labels("t", "⟨η(t)η(0)⟩")]);
//! assert!(figure.svg()?.starts_with("<svg"));
//! # Ok::<(), tumble::Error>(())
//! ```

mod animation;
mod axes;
mod bins;
mod canvas;
mod check;
mod colours;
mod draw;
mod figure;
mod font;
pub mod glyphs;
mod images;
mod layout;
mod legend;
mod marks;
pub mod options;
mod paper;
mod prepare;
mod ramachandran;
mod save;
mod texts;

pub use animation::{Animation, animate, limits};
pub use axes::Scale;
pub use colours::{Colour, PALETTE, viridis};
pub use figure::{
    Axis, Cells, Figure, Layer, LineStyle, Mark, Panel, Raster, density, histogram, line, points, positions, scatter,
    series,
};
pub use images::Images;
pub use ramachandran::ramachandran;
pub use save::Saved;
