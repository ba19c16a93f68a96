//! What a network is told of the classes of the samples it learns from.

use super::Options;
use super::objective::Feed;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::rng::{Purpose, Stream};
use crate::score::Learned;
use crate::vector::single;

/// The classes of data, as all chunks of all batches share them.
pub(super) struct Classes {
    count: usize,
    /// The part of the samples whose class is not told.
    hidden: f32,
    stream: Stream,
}

impl Classes {
    /// Those of `data`, where the network of `model` is told classes.
    ///
    /// # Errors
    /// When it is and the data have others, and when it is not and the options are for it.
    pub(super) fn new(model: &Learned, data: &Dataset, options: &Options) -> Result<Option<Self>> {
        if model.network().classes() == 0 {
            return match options.class_dropout {
                None => Ok(None),
                Some(_) => Err(Error::argument("class_dropout", "is for networks that are told classes; this is not")),
            };
        }
        let (own, classes) = (data.classes(), model.basis().subject().classes());
        if own != classes {
            let named = |classes: &[String]| match classes {
                [] => "no labels".to_owned(),
                classes => format!("the labels {}", classes.join(", ")),
            };
            let problem = format!("has {}, the model was made for {}", named(own), named(classes));
            return Err(Error::argument("data", problem).with_hint("make the model from the data it is trained on"));
        }
        Ok(Some(Self {
            count: own.len(),
            hidden: single(options.class_dropout.unwrap_or(Options::CLASS_DROPOUT)),
            stream: Stream::new(options.seed, Purpose::Dropout).part(1 << 20),
        }))
    }

    /// What the samples of one chunk of each batch are told.
    pub(super) fn told(&self, count: usize) -> Told<'_> {
        Told { classes: self, own: vec![0; count], uniforms: vec![0.0; count], rows: vec![0.0; count * self.count] }
    }
}

/// What the samples of a chunk are told, on buffers allocated once.
pub(super) struct Told<'a> {
    classes: &'a Classes,
    /// The class of each sample.
    own: Vec<u32>,
    uniforms: Vec<f32>,
    /// 1 for the class of each sample, where it is told, [classes, count].
    rows: Vec<f32>,
}

impl Told<'_> {
    /// Of the chunk number `chunk` of the batch of `step`, which `feed` draws.
    pub(super) fn fill(&mut self, feed: &dyn Feed, step: u32, chunk: u32) {
        let Classes { hidden, stream, .. } = self.classes;
        feed.classes(step, chunk, &mut self.own);
        stream.uniforms(step, chunk, &mut self.uniforms);
        self.rows.fill(0.0);
        let count = self.own.len();
        for (sample, (class, uniform)) in self.own.iter().zip(&self.uniforms).enumerate() {
            if uniform >= hidden {
                self.rows[*class as usize * count + sample] = 1.0;
            }
        }
    }

    /// 1 for the class of each sample, where it is told, and 0 for all else, [classes, count].
    pub(super) fn rows(&self) -> &[f32] {
        &self.rows
    }
}
