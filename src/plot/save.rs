//! Figures to files.

use std::path::{Path, PathBuf};

use super::canvas::{self, Pixels};
use super::draw;
use super::figure::Figure;
use super::layout;
use super::prepare;
use crate::error::{Error, Result};
use crate::files;

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
    /// As [`Figure::svg`], when the extension is another, and when the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<Saved> {
        let format = Format::of(path)?;
        files::check_writable(path)?;
        let prepared = prepare::prepare(self)?;
        let bytes = match format {
            Format::Png => self.encode(&prepared, path)?,
            Format::Svg => self.vector(&prepared).into_bytes(),
        };
        files::write(path, |out| std::io::Write::write_all(out, &bytes).map_err(|e| Error::file("write", path, e)))?;
        Ok(Saved { path: path.to_owned(), notes: prepared.notes })
    }

    /// The figure as an SVG document.
    ///
    /// # Errors
    /// When there is nothing to draw, when data or options contradict each other or are out of range; the message
    /// names the panel.
    pub fn svg(&self) -> Result<String> {
        Ok(self.vector(&prepare::prepare(self)?))
    }

    /// What a drawing of the figure leaves out, panel by panel.
    ///
    /// # Errors
    /// As [`Figure::svg`].
    pub fn notes(&self) -> Result<Vec<String>> {
        Ok(prepare::prepare(self)?.notes)
    }

    fn vector(&self, prepared: &prepare::Prepared) -> String {
        let layout = layout::layout(self, prepared);
        canvas::vector(layout.size, |canvas| draw::draw(self, prepared, &layout, canvas))
    }

    fn encode(&self, prepared: &prepare::Prepared, path: &Path) -> Result<Vec<u8>> {
        let layout = layout::layout(self, prepared);
        let pixels = canvas::bitmap(layout.size, self.dpi, |canvas| draw::draw(self, prepared, &layout, canvas));
        png(&pixels, self.dpi).map_err(|e| Error::file("write", path, e))
    }
}

/// PNG with the resolution noted, so that the picture has its intended size on paper.
fn png(pixels: &Pixels, dpi: f64) -> std::result::Result<Vec<u8>, png::EncodingError> {
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
