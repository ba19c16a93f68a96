//! Images of a sample, side by side in a grid.

use super::colours::{Colour, PAPER};
use super::figure::{Axis, Layer, Mark, Panel, Raster};
use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// Images of one sample: [n, height, width] in grey, [n, 1, height, width] the same, [n, 3, height, width] in red,
/// green and blue; [height, width] is one.
#[derive(Debug, Clone)]
pub struct Images {
    tensor: Tensor,
    channels: usize,
    height: usize,
    width: usize,
}

impl Images {
    /// The images of a tensor.
    ///
    /// # Errors
    /// When its shape is none of these, or there is no image; the error calls it `name`.
    pub fn new(name: &str, tensor: &Tensor) -> Result<Self> {
        let (channels, height, width) = match *tensor.shape() {
            [height, width] | [_, height, width] | [_, 1, height, width] => (1, height, width),
            [_, 3, height, width] => (3, height, width),
            _ => {
                let problem =
                    format!("must be images [n, height, width] or [n, 3, height, width], got {:?}", tensor.shape());
                let hint = "bring vectors into the form of images: x.reshape([n, height, width])";
                return Err(Error::argument(name, problem).with_hint(hint));
            }
        };
        if tensor.is_empty() {
            return Err(Error::argument(name, format!("has no image (shape {:?})", tensor.shape())));
        }
        Ok(Self { tensor: tensor.clone(), channels, height, width })
    }

    /// Number of images.
    pub fn count(&self) -> usize {
        self.tensor.len() / self.size()
    }

    /// Numbers of an image.
    fn size(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The first `count` images.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        let values = self.tensor.values();
        let values = values[..count.min(self.count()) * self.size()].to_vec();
        let shape = [values.len() / self.size(), self.channels, self.height, self.width];
        let tensor = Tensor::new(&shape, values).expect("as many values as the shape has");
        Self { tensor, ..self.clone() }
    }

    /// Smallest and largest finite number.
    pub fn range(&self) -> Option<[f64; 2]> {
        let finite =
            self.tensor.values().iter().copied().filter(|value| value.is_finite()).map(f64::from).collect::<Vec<_>>();
        let least = finite.iter().copied().reduce(f64::min)?;
        Some([least, finite.iter().copied().fold(least, f64::max)])
    }

    /// A panel of all images, `columns` in a row and the first on the upper left, with `range` from black to white.
    /// What is not finite stays blank.
    pub fn panel(&self, columns: usize, range: [f64; 2]) -> Panel {
        let columns = columns.min(self.count());
        let rows = self.count().div_ceil(columns);
        // Thin beside large images, and there beside small ones.
        let gap = (self.height.max(self.width) / 14).max(1);
        let stride = [self.width + gap, self.height + gap];
        let shape = [columns * stride[0] - gap, rows * stride[1] - gap];
        let mut pixels = vec![PAPER; shape[0] * shape[1]];
        let values = self.tensor.values();
        for (place, image) in values.chunks_exact(self.size()).enumerate() {
            let corner = [place % columns * stride[0], place / columns * stride[1]];
            let [left, top] = corner.map(|side| side.saturating_sub(gap));
            for y in top..corner[1] + self.height {
                let within = y * shape[0];
                pixels[within + left..][..corner[0] + self.width - left].fill(BETWEEN);
            }
            let area = self.height * self.width;
            for at in 0..area {
                let numbers: Vec<f64> = image.iter().skip(at).step_by(area).map(|value| f64::from(*value)).collect();
                let pixel = (corner[1] + at / self.width) * shape[0] + corner[0] + at % self.width;
                pixels[pixel] = shade(&numbers, range).unwrap_or(PAPER);
            }
        }
        let hidden = Axis { hidden: true, ..Axis::default() };
        let layers = vec![Layer::new(Mark::Image(Raster { shape, pixels }))];
        Panel { layers, x: hidden.clone(), y: hidden, equal: Some(true), ..Panel::default() }
    }
}

/// Between images: no grey, which could be of an image that it runs into.
const BETWEEN: Colour = Colour(168, 186, 212);

/// The colour of the numbers of a pixel, one or three.
fn shade(numbers: &[f64], [low, high]: [f64; 2]) -> Option<Colour> {
    let byte = |number: f64| (255.0 * ((number - low) / (high - low)).clamp(0.0, 1.0)).round() as u8;
    match *numbers {
        [grey] if grey.is_finite() => Some(Colour(byte(grey), byte(grey), byte(grey))),
        [r, g, b] if numbers.iter().all(|number| number.is_finite()) => Some(Colour(byte(r), byte(g), byte(b))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(shape: &[usize], values: &[f32]) -> Images {
        Images::new("data", &Tensor::new(shape, values.to_vec()).unwrap()).unwrap()
    }

    fn raster(panel: &Panel) -> &Raster {
        let Mark::Image(raster) = &panel.layers[0].mark else { panic!("not an image") };
        raster
    }

    #[test]
    fn images_stand_in_rows_from_the_upper_left() {
        let three = images(&[3, 1, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, f32::NAN]);
        assert_eq!((three.count(), three.range()), (3, Some([0.0, 4.0])));
        let panel = three.panel(2, [0.0, 4.0]);
        let Raster { shape, pixels } = raster(&panel);
        // Two images of two pixels and a gap; two rows of one pixel and a gap.
        assert_eq!(*shape, [5, 3]);
        let grey = |level: u8| Colour(level, level, level);
        let wanted = [grey(0), grey(64), BETWEEN, grey(128), grey(191)];
        assert_eq!(pixels[..5], wanted);
        // White runs into no white, and beside the last image the paper shows.
        assert_eq!(pixels[5..10], [BETWEEN, BETWEEN, PAPER, PAPER, PAPER]);
        assert_eq!(pixels[10..], [grey(255), PAPER, PAPER, PAPER, PAPER]);
    }

    #[test]
    fn colours_come_channel_by_channel() {
        let panel = images(&[1, 3, 1, 2], &[0.0, 1.0, 1.0, 0.0, 0.5, 9.0]).panel(5, [0.0, 1.0]);
        assert_eq!(raster(&panel).pixels, [Colour(0, 255, 128), Colour(255, 0, 255)]);
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let refusal = |shape: &[usize]| {
            let tensor = Tensor::new(shape, vec![0.0; shape.iter().product()]).unwrap();
            Images::new("data", &tensor).unwrap_err().to_string()
        };
        assert_eq!(refusal(&[5]), "`data` must be images [n, height, width] or [n, 3, height, width], got [5]");
        assert!(refusal(&[2, 4, 3, 3]).contains("got [2, 4, 3, 3]"));
        assert_eq!(refusal(&[0, 3, 3]), "`data` has no image (shape [0, 3, 3])");
        assert_eq!(images(&[4, 2, 2], &[0.0; 16]).first(3).count(), 3);
    }
}
