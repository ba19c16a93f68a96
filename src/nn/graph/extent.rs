//! Shapes of values in a network.

use std::fmt;

/// The shape of a value for each sample: an image of several channels, or a vector, which is an image of one pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Numbers at each pixel.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
}

impl Extent {
    /// A vector of so many numbers.
    #[must_use]
    pub fn vector(channels: usize) -> Self {
        Self { channels, height: 1, width: 1 }
    }

    /// The same pixels with other channels.
    #[must_use]
    pub fn with_channels(self, channels: usize) -> Self {
        Self { channels, ..self }
    }

    /// Number of pixels.
    pub fn pixels(self) -> usize {
        self.height * self.width
    }

    /// Number of numbers.
    pub fn size(self) -> usize {
        self.channels * self.pixels()
    }

    /// Where the number of a component, [channels, pixels] in row-major order, stands in a value, [pixels, channels].
    pub fn place(self, component: usize) -> usize {
        component % self.pixels() * self.channels + component / self.pixels()
    }

    /// Whether it has one pixel.
    pub fn is_vector(self) -> bool {
        self.pixels() == 1
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channels, height, width } = self;
        if self.is_vector() { write!(f, "[{channels}]") } else { write!(f, "[{channels}, {height}, {width}]") }
    }
}
