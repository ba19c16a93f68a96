//! What computes networks.

use serde::Serialize;

use crate::settings::{Choice, Setting, Values, words};

/// What computes networks; all else is computed on the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The processor, by the program's own passes.
    #[default]
    Cpu,
    /// The processor, by Candle: what is computed on a GPU, step by step.
    Candle,
    /// The first GPU of NVIDIA, by Candle.
    Cuda,
}

const DEVICES: &[(Choice, Device); 3] = &[
    (Choice::new("cpu", "the processor, by the program's own fused passes"), Device::Cpu),
    (Choice::new("candle", "the processor as a GPU would, several times slower, for comparison"), Device::Candle),
    (Choice::new("cuda", "a GPU of NVIDIA, in a tumble that was built with it"), Device::Cuda),
];

impl Device {
    /// How it is set by name.
    pub const SETTING: Setting = Setting::choice("device", "what computes the network", &words(DEVICES));

    /// What `values` with [`Device::SETTING`] set.
    pub fn read(values: &Values) -> Self {
        values.chosen("device", DEVICES)
    }

    /// Its word.
    pub fn name(self) -> &'static str {
        DEVICES.iter().find(|(_, device)| *device == self).map_or("", |(choice, _)| choice.word)
    }
}
