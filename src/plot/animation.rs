//! Figures one after the other, as a moving picture: GIF or animated PNG.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::axes::{Range, Scale};
use super::canvas::Pixels;
use super::figure::Figure;
use crate::error::{Error, Result};
use crate::host::Inscription;
use crate::task::{Meter, Task};

/// A moving picture on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Animation {
    /// The file.
    pub path: PathBuf,
    /// Number of figures.
    pub frames: usize,
    /// How long it takes.
    pub seconds: f64,
    /// What the figures do not show, each thing once.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Gif,
    Png,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("gif") => Ok(Self::Gif),
            Some("png" | "apng") => Ok(Self::Png),
            _ => Err(Error::argument("file", format!("`{}` is none of .gif, .png and .apng", path.display()))
                .with_hint("end the name in .gif, which everything shows, or in .png for all colours")),
        }
    }

    fn inscription(self) -> Inscription {
        match self {
            Self::Gif => Inscription::Gif,
            Self::Png => Inscription::Png,
        }
    }

    fn encoder<'a>(
        self,
        first: &Pixels,
        frames: usize,
        rate: f64,
        bytes: &'a mut Vec<u8>,
    ) -> Result<Box<dyn Encode + 'a>> {
        match self {
            Self::Gif => Ok(Box::new(Gif::new(first, rate, bytes)?)),
            Self::Png => Ok(Box::new(Png::new(first, frames, rate, bytes)?)),
        }
    }
}

/// Draws `frames` figures, the one at each place as `figure` makes it, into a file: GIF or animated PNG, by the
/// extension of its name. It goes on from the beginning at the end. `rate` figures are shown in a second; a GIF counts
/// in hundredths of a second.
///
/// # Errors
/// When there is no figure, the extension is another, a figure cannot be drawn or has another size than the first, the
/// file cannot be written, and on interruption.
pub fn animate(
    frames: usize,
    figure: impl Fn(usize) -> Result<Figure> + Sync,
    rate: f64,
    path: &Path,
    task: &Task,
) -> Result<Animation> {
    /// Figures that are drawn before they are encoded.
    const TOGETHER: usize = 16;
    let format = Format::of(path)?;
    task.host().check_writable(path)?;
    if frames == 0 || u16::try_from(frames).is_err() {
        return Err(Error::argument("trajectory", format!("must have from 1 to 65535 frames, got {frames}")));
    }
    let meter = Meter::new(task, "animate", 1, frames);
    let mut notes: Vec<String> = Vec::new();
    let mut size = None;
    let mut bytes = Vec::new();
    let mut encoder: Option<Box<dyn Encode>> = None;
    let mut out = Some(&mut bytes);
    for first in (0..frames).step_by(TOGETHER) {
        let drawn = task.blocks(TOGETHER.min(frames - first), |place| {
            let figure = figure(first + place)?;
            meter.count(1)?;
            figure.pixels()
        })?;
        for (pixels, own_notes) in drawn {
            let own = [pixels.width, pixels.height];
            if *size.get_or_insert(own) != own {
                return Err(Error::argument("trajectory", format!("has frames of {size:?} and of {own:?} pixels")));
            }
            notes.extend(own_notes);
            if let Some(bytes) = out.take() {
                encoder = Some(format.encoder(&pixels, frames, rate, bytes)?);
            }
            encoder.iter_mut().try_for_each(|encoder| encoder.add(&pixels))?;
        }
    }
    encoder.into_iter().try_for_each(Encode::end)?;
    meter.finish();
    task.host().inscribe(format.inscription(), Cursor::new(&mut bytes)).map_err(|e| Error::file("write", path, e))?;
    task.host().write_bytes(path, &bytes)?;
    notes.sort();
    notes.dedup();
    Ok(Animation { path: path.to_owned(), frames, seconds: frames as f64 / rate, notes })
}

/// Limits of x and y that hold `points`, but for lone outliers; none where there is no finite number.
pub fn limits(points: &[[f64; 2]]) -> [Option<[f64; 2]>; 2] {
    let scale = Scale::Linear;
    [0, 1].map(|axis| {
        let mut values: Vec<f64> = points.iter().map(|p| p[axis]).filter(|&value| scale.shows(value)).collect();
        let range = Range::of_bulk(&mut values, scale)?.padded(0.04);
        Some([range.low, range.high])
    })
}

/// Takes pictures of one size one after the other.
trait Encode {
    fn add(&mut self, pixels: &Pixels) -> Result<()>;
    fn end(self: Box<Self>) -> Result<()>;
}

fn failed(problem: impl std::fmt::Display) -> Error {
    Error::numerical(format!("the picture cannot be encoded: {problem}"))
}

struct Gif<'a> {
    encoder: gif::Encoder<&'a mut Vec<u8>>,
    /// Hundredths of a second.
    delay: u16,
}

impl<'a> Gif<'a> {
    fn new(first: &Pixels, rate: f64, bytes: &'a mut Vec<u8>) -> Result<Self> {
        let [width, height] = sides(first)?;
        let mut encoder = gif::Encoder::new(bytes, width, height, &[]).map_err(failed)?;
        encoder.set_repeat(gif::Repeat::Infinite).map_err(failed)?;
        Ok(Self { encoder, delay: (100.0 / rate).round().clamp(1.0, f64::from(u16::MAX)) as u16 })
    }
}

fn sides(pixels: &Pixels) -> Result<[u16; 2]> {
    let side = |side: u32| u16::try_from(side).map_err(|_| failed(format!("{side} pixels are more than a GIF has")));
    Ok([side(pixels.width)?, side(pixels.height)?])
}

impl Encode for Gif<'_> {
    fn add(&mut self, pixels: &Pixels) -> Result<()> {
        /// Of the choice of 256 colours: half of the best that there is, in a third of its time.
        const SPEED: i32 = 10;
        let [width, height] = sides(pixels)?;
        let frame = gif::Frame::from_rgb_speed(width, height, &pixels.rgb, SPEED);
        self.encoder.write_frame(&gif::Frame { delay: self.delay, ..frame }).map_err(failed)
    }

    fn end(self: Box<Self>) -> Result<()> {
        self.encoder.into_inner().map(|_| ()).map_err(failed)
    }
}

struct Png<'a>(png::Writer<&'a mut Vec<u8>>);

impl<'a> Png<'a> {
    fn new(first: &Pixels, frames: usize, rate: f64, bytes: &'a mut Vec<u8>) -> Result<Self> {
        let mut encoder = png::Encoder::new(bytes, first.width, first.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_animated(frames as u32, 0).map_err(failed)?;
        // Thousandths of a second.
        let delay = (1000.0 / rate).round().clamp(1.0, f64::from(u16::MAX)) as u16;
        encoder.set_frame_delay(delay, 1000).map_err(failed)?;
        encoder.write_header().map(Self).map_err(failed)
    }
}

impl Encode for Png<'_> {
    fn add(&mut self, pixels: &Pixels) -> Result<()> {
        self.0.write_image_data(&pixels.rgb).map_err(failed)
    }

    fn end(self: Box<Self>) -> Result<()> {
        self.0.finish().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, Panel, scatter};
    use super::*;

    fn figure(place: usize) -> Result<Figure> {
        let limits = Axis { limits: Some([-1.0, 5.0]), ..Axis::default() };
        let points = vec![[place as f64, 0.0], [0.0, place as f64]];
        let panel = Panel { x: limits.clone(), y: limits, ..Panel::new(vec![scatter(points)]) };
        Ok(Figure { width: Some(40.0), dpi: 72.0, ..Figure::new(vec![panel]) })
    }

    #[test]
    fn a_gif_has_all_frames() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let animation = animate(20, figure, 12.5, &path, &Task::default()).unwrap();
        assert_eq!(
            (animation.frames, animation.seconds, &animation.notes[..]),
            (20, 1.6, &["panel 1: 2 of 2 outside the axes".to_owned()][..])
        );
        let mut decoder = gif::DecodeOptions::new().read_info(std::fs::File::open(&path).unwrap()).unwrap();
        let (mut count, mut seen) = (0, std::collections::BTreeSet::new());
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            assert_eq!((frame.delay, frame.width), (8, 113));
            count += 1;
            seen.insert(frame.buffer.to_vec());
        }
        // Points beyond the axes leave the frames from the sixth on the same.
        assert_eq!((count, seen.len()), (20, 7));
    }

    #[test]
    fn an_animated_png_has_all_frames() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.apng");
        animate(3, figure, 10.0, &path, &Task::default()).unwrap();
        let mut reader =
            png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&path).unwrap())).read_info().unwrap();
        let control = reader.info().animation_control.unwrap();
        assert_eq!((control.num_frames, control.num_plays), (3, 0));
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let mut frames = Vec::new();
        for _ in 0..3 {
            reader.next_frame(&mut pixels).unwrap();
            frames.push(pixels.clone());
        }
        assert!(frames[0] != frames[1] && frames[1] != frames[2]);
    }

    #[test]
    fn wrong_animations_are_refused() {
        let refusal = |frames: usize, name: &str| {
            let folder = tempfile::tempdir().unwrap();
            animate(frames, figure, 10.0, &folder.path().join(name), &Task::default()).unwrap_err().to_string()
        };
        assert!(refusal(2, "a.mp4").ends_with("a.mp4` is none of .gif, .png and .apng"));
        assert_eq!(refusal(0, "a.gif"), "`trajectory` must have from 1 to 65535 frames, got 0");
        let wider = |place: usize| Ok(Figure { width: Some(40.0 + place as f64), ..figure(0)? });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let problem = animate(2, wider, 10.0, &path, &Task::default()).unwrap_err().to_string();
        assert!(problem.starts_with("`trajectory` has frames of "), "{problem}");
        assert!(!path.exists(), "a part of an animation was left behind");
    }
}
