//! Figures to files.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::canvas::{self, Pixels};
use super::draw::draw;
use super::figure::Figure;
use super::layout::layout;
use super::prepare::{Prepared, prepare};
use crate::error::{Error, Result};
use crate::host::{Host, Inscription};

/// A figure on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The file.
    pub path: PathBuf,
    /// What is not on the picture, panel by panel: points that are not finite, points outside the axes.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Png,
    Svg,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("png") => Ok(Self::Png),
            Some("svg") => Ok(Self::Svg),
            _ => Err(Error::argument("file", format!("`{}` is neither .png nor .svg", path.display()))
                .with_hint("end the name in .png for pixels or .svg for vectors")),
        }
    }
}

impl Figure {
    /// Draws the figure into a file: PNG or SVG, by the extension of its name.
    ///
    /// # Errors
    /// As [`Figure::png`], when the extension is another, and when the file cannot be written.
    pub fn save(&self, path: &Path, host: &Host) -> Result<Saved> {
        let format = Format::of(path)?;
        host.check_writable(path)?;
        let prepared = prepare(self)?;
        let (inscription, mut bytes) = match format {
            Format::Png => (Inscription::Png, self.draw_png(&prepared)?),
            Format::Svg => (Inscription::Svg, self.draw_svg(&prepared)?.into_bytes()),
        };
        host.inscribe(inscription, Cursor::new(&mut bytes)).map_err(|e| Error::file("write", path, e))?;
        host.write_bytes(path, &bytes)?;
        Ok(Saved { path: path.to_owned(), notes: prepared.notes })
    }

    /// The figure as the bytes of a PNG file.
    ///
    /// # Errors
    /// As [`Figure::svg`], and when it has more than 40 million pixels.
    pub fn png(&self) -> Result<Vec<u8>> {
        self.draw_png(&prepare(self)?)
    }

    /// The figure as the bytes of a PNG file, and its width and height on paper in mm.
    ///
    /// # Errors
    /// As [`Figure::png`].
    pub fn png_with_size(&self) -> Result<(Vec<u8>, [f64; 2])> {
        const MM_PER_INCH: f64 = 25.4;
        let prepared = prepare(self)?;
        let size = layout(self, &prepared)?.size.map(|length| length / canvas::INCH * MM_PER_INCH);
        Ok((self.draw_png(&prepared)?, size))
    }

    /// The figure as an SVG document.
    ///
    /// # Errors
    /// When there is nothing to draw, when data or options contradict each other or are out of range; the message
    /// names the panel.
    pub fn svg(&self) -> Result<String> {
        self.draw_svg(&prepare(self)?)
    }

    /// What a drawing of the figure leaves out, panel by panel.
    ///
    /// # Errors
    /// As [`Figure::svg`].
    pub fn notes(&self) -> Result<Vec<String>> {
        Ok(prepare(self)?.notes)
    }

    /// The figure as pixels, and what it does not show.
    pub(super) fn pixels(&self) -> Result<(Pixels, Vec<String>)> {
        let prepared = prepare(self)?;
        Ok((self.draw_pixels(&prepared)?, prepared.notes))
    }

    fn draw_svg(&self, prepared: &Prepared) -> Result<String> {
        let layout = layout(self, prepared)?;
        Ok(canvas::vector(layout.size, |canvas| draw(self, prepared, &layout, canvas)))
    }

    fn draw_png(&self, prepared: &Prepared) -> Result<Vec<u8>> {
        let pixels = self.draw_pixels(prepared)?;
        encode(&pixels, self.dpi).map_err(|e| Error::numerical(format!("the picture cannot be encoded: {e}")))
    }

    fn draw_pixels(&self, prepared: &Prepared) -> Result<Pixels> {
        const MOST_PIXELS: f64 = 40e6;
        let layout = layout(self, prepared)?;
        let [width, height] = layout.size.map(|length| length / canvas::INCH * self.dpi);
        if width * height > MOST_PIXELS {
            let problem = format!("of {} makes a picture of {width:.0} × {height:.0} pixels, too large", self.dpi);
            return Err(Error::argument("dpi", problem).with_hint("lower it, or save as .svg"));
        }
        Ok(canvas::bitmap(layout.size, self.dpi, |canvas| draw(self, prepared, &layout, canvas)))
    }
}

/// PNG with the resolution noted, so that the picture has its intended size on paper.
fn encode(pixels: &Pixels, dpi: f64) -> std::result::Result<Vec<u8>, png::EncodingError> {
    const INCHES_PER_METRE: f64 = 39.370_078_740_157_48;
    let per_metre = (dpi * INCHES_PER_METRE).round() as u32;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width, pixels.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let unit = png::Unit::Meter;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit }));
    encoder.write_header()?.write_image_data(&pixels.rgb)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, Panel, Scale, density, histogram, line, scatter};
    use super::*;

    fn cloud(count: usize) -> Vec<[f64; 2]> {
        // The golden angle fills a disc evenly.
        (0..count).map(|i| 2.4 * i as f64).map(|a| [0.01 * a * a.cos(), 0.01 * a * a.sin()]).collect()
    }

    fn comparison() -> Figure {
        let panel = |title: &str| Panel::new(vec![scatter(cloud(300))]).titled(title).with_labels("x", "η");
        Figure::compare(vec![panel("target"), panel("active, τ = 0.5")])
    }

    fn decoded(path: &Path) -> (png::OutputInfo, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).expect("written")))
            .read_info()
            .expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
        let info = reader.next_frame(&mut pixels).expect("whole");
        (info, pixels)
    }

    #[test]
    fn the_svg_holds_titles_labels_and_points() {
        let svg = comparison().svg().expect("drawable");
        for text in ["target", "active, τ = 0.5", ">\nx\n<", ">\nη\n<"] {
            assert!(svg.contains(text), "no `{text}`");
        }
        assert_eq!(svg.matches("<circle").count(), 600);
        // 130 mm: two panels.
        assert!(svg.contains("width=\"368.50pt\""));
        assert!(svg.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn texts_of_the_user_cannot_break_the_svg() {
        let svg =
            Figure::new(vec![Panel::new(vec![scatter(cloud(3))]).titled("a < b & \"c\"")]).svg().expect("drawable");
        assert!(svg.contains("a &lt; b &amp; &quot;c&quot;"));
    }

    /// Characters that XML does not allow would make the document unreadable. Seen to fail with the text as it is.
    #[test]
    fn control_characters_leave_the_svg_well_formed() {
        let panel = Panel::new(vec![scatter(cloud(3))]).titled("a\0b\tc\u{1b}日").with_labels("\u{7}", "θ₁ → ∞");
        let figure = Figure::new(vec![panel]);
        let svg = figure.svg().expect("drawable");
        let is_allowed =
            |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(svg.chars().all(is_allowed));
        assert!(svg.contains("a\u{fffd}b c\u{fffd}日"));
        assert_eq!(
            figure.notes().expect("drawable"),
            [
                "title: the font of figures lacks `日`; pixels show a box, an SVG what its viewer has",
                "title: U+0000, U+001B cannot be written and stands as a box",
                "x_label: U+0007 cannot be written and stands as a box",
            ]
        );
        assert!(figure.png().is_ok());
    }

    #[test]
    fn the_png_has_its_size_and_holds_ink() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("figure.png");
        let figure = Figure { width: Some(50.8), height: Some(38.1), dpi: 150.0, ..comparison() };
        let saved = figure.save(&path, &Host::default()).expect("saved");
        assert_eq!(saved, Saved { path: path.clone(), notes: vec![] });
        let (info, pixels) = decoded(&path);
        // Two inches by one and a half.
        assert_eq!((info.width, info.height), (300, 225));
        let inked = pixels.chunks_exact(3).filter(|pixel| pixel.iter().any(|&value| value < 250)).count();
        assert!((2000..30_000).contains(&inked), "{inked} pixels of ink");
    }

    #[test]
    fn the_same_figure_gives_the_same_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a.png", "a.svg"] {
            let bytes = |path: &Path| {
                comparison().save(path, &Host::default()).expect("saved");
                std::fs::read(path).expect("written")
            };
            assert_eq!(bytes(&folder.path().join(name)), bytes(&folder.path().join(format!("again {name}"))));
        }
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let mut points = cloud(1000);
        points.extend([[f64::NAN, 0.0], [0.0, f64::INFINITY], [1e9, 0.0]]);
        let notes = Figure::new(vec![Panel::new(vec![scatter(points)]).titled("x")]).notes().expect("drawable");
        assert_eq!(notes, ["panel `x`: 2 of 1003 left out, not finite", "panel `x`: 1 of 1001 outside the axes"]);
    }

    #[test]
    fn wrong_figures_are_refused_by_name() {
        let problem = |panel: Panel| Figure::new(vec![panel]).svg().expect_err("wrong").to_string();
        let empty = problem(Panel::new(vec![scatter(vec![])]).titled("active"));
        assert_eq!(empty, "`data` of panel `active` is empty: there is nothing to draw");
        assert!(problem(Panel::new(vec![density(vec![[f64::NAN; 2]])])).contains("panel 1"));
        assert!(problem(Panel::new(vec![line(vec![1.0], vec![])])).contains("`y` has 0 values for 1"));
        let log = Axis { scale: Scale::Log, ..Axis::default() };
        let negative = Panel { y: log.clone(), ..Panel::new(vec![line(vec![1.0], vec![-1.0])]) };
        assert!(problem(negative).contains("finite and positive"));
        assert!(problem(Panel { x: log, ..Panel::new(vec![histogram(vec![1.0])]) }).contains("log_x"));
        let limits = Axis { limits: Some([2.0, 1.0]), ..Axis::default() };
        assert!(problem(Panel { x: limits, ..Panel::new(vec![scatter(cloud(3))]) }).contains("limits"));
        assert!(Figure::new(vec![]).svg().is_err());
        let crowded = Figure { columns: Some(40), ..Figure::new(vec![Panel::new(vec![scatter(cloud(3))]); 40]) };
        assert!(crowded.svg().is_err_and(|error| error.to_string().contains("no room")));
        let huge = Figure { width: Some(1000.0), dpi: 1200.0, ..comparison() };
        assert!(huge.png().is_err_and(|error| error.to_string().contains("too large")));
        let error = comparison().save(Path::new("figure.pdf"), &Host::default()).expect_err("unknown format");
        assert!(error.hint().is_some_and(|hint| hint.contains(".svg")));
    }

    #[test]
    fn the_smallest_data_can_be_drawn() {
        let panels = vec![
            Panel::new(vec![scatter(vec![[1.0, 1.0]])]),
            Panel::new(vec![density(vec![[0.0, 0.0]])]),
            Panel::new(vec![line(vec![0.0, 0.0], vec![3.0, 3.0])]),
            Panel::new(vec![histogram(vec![2.0; 5])]),
            Panel::new(vec![line(vec![1e150, -1e150], vec![1e-320, 0.0])]),
        ];
        assert!(Figure::new(panels).svg().is_ok());
    }
}
