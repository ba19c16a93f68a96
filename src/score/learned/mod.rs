//! The learned score: a network on a basis.

mod prepared;

use std::sync::{Arc, PoisonError, RwLock};

use self::prepared::Fixed;
use super::basis::{Basis, Rounded};
use super::{Coordinates, Prepared, Score};
use crate::data::{Moments, Units};
use crate::error::{Error, Result, suggestion};
use crate::host::Host;
use crate::nn::{Candle, Network, Weights};
use crate::process::{Prior, PriorLaw, Process};
use crate::task::{Device, Task};
use crate::vector::single;

/// A score with a network in it. Clones share the weights, so that training one trains all.
#[derive(Debug, Clone)]
pub struct Learned {
    inner: Arc<Inner>,
    condition: Option<Condition>,
}

/// The class whose data a score is of.
#[derive(Debug, Clone, Copy)]
struct Condition {
    class: usize,
    /// w in s + w (s_class − s): 1 for the score of the class, more to go further away from what all data are.
    guidance: f32,
}

#[derive(Debug)]
struct Inner {
    basis: Arc<dyn Basis>,
    network: Arc<dyn Network>,
    weights: RwLock<Arc<Weights>>,
}

impl Learned {
    /// `network` on `basis` before training, which is the score that the basis knows.
    ///
    /// # Errors
    /// When the network is not for the numbers that the basis shows and asks for, or does not fit into the memory of
    /// `host`.
    pub fn new(basis: Box<dyn Basis>, network: Arc<dyn Network>, seed: u64, host: &Host) -> Result<Self> {
        Self::with_weights(basis, network, host, |network| Ok(Weights::new(network.initial(seed))))
    }

    /// As [`Learned::new`], with weights from elsewhere.
    pub(super) fn with_weights(
        basis: Box<dyn Basis>,
        network: Arc<dyn Network>,
        host: &Host,
        weights: impl FnOnce(&dyn Network) -> Result<Weights>,
    ) -> Result<Self> {
        let wanted = (basis.subject().inputs(), basis.subject().outputs());
        let given = (network.inputs(), network.outputs());
        if given != wanted {
            let problem = format!("takes and gives {given:?} numbers, the process with these data {wanted:?}");
            return Err(Error::argument("network", problem));
        }
        let (told, known) = (network.classes(), basis.subject().classes().len());
        if told != 0 && told != known {
            return Err(Error::argument("network", format!("is told one of {told} classes, the data have {known}")));
        }
        network.check_memory(host)?;
        let weights = RwLock::new(Arc::new(weights(network.as_ref())?));
        Ok(Self { inner: Arc::new(Inner { basis: basis.into(), network, weights }), condition: None })
    }

    /// The network.
    pub fn network(&self) -> &Arc<dyn Network> {
        &self.inner.network
    }

    /// What the network is shown and what its answer means.
    pub fn basis(&self) -> &dyn Basis {
        self.inner.basis.as_ref()
    }

    /// The weights at present; later training leaves them as they are.
    pub fn weights(&self) -> Arc<Weights> {
        // A thread that panicked while it held the lock has at worst not replaced the weights.
        self.inner.weights.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The score of the data of one class, by its name, for a network that is told classes. With a `guidance` w other
    /// than 1 it is s + w (s_class − s) of the score s without a class (Ho and Salimans, arXiv 2207.12598), which takes
    /// twice as long. It shares the weights.
    ///
    /// # Errors
    /// When the network is told no classes or there is none of that name, and when the guidance is not finite.
    pub fn given(&self, class: &str, guidance: f64) -> Result<Self> {
        if self.network().classes() == 0 {
            let problem = "has a network that is told no classes";
            let hint = "make it from data with labels, with classes: true or a closure |z, t, c| that uses `c`";
            return Err(Error::argument("score", problem).with_hint(hint));
        }
        if !guidance.is_finite() {
            return Err(Error::argument("guidance", format!("must be finite, got {guidance}")));
        }
        let classes = self.basis().subject().classes();
        let unknown = || {
            let words: Vec<_> = classes.iter().map(String::as_str).collect();
            Error::argument("class", format!("{class:?} is none")).with_hint(suggestion(class, &words, "write one of"))
        };
        let class = classes.iter().position(|known| known == class).ok_or_else(unknown)?;
        Ok(Self { condition: Some(Condition { class, guidance: single(guidance) }), ..self.clone() })
    }

    /// Whether training one trains the other.
    pub(crate) fn shares_weights(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The same score with the weights that `other` has, and will have.
    #[must_use]
    pub(crate) fn sharing(&self, other: &Self) -> Self {
        Self { inner: other.inner.clone(), condition: self.condition }
    }

    /// The same score with weights of its own, which are those at present.
    #[must_use]
    pub(crate) fn apart(&self) -> Self {
        let Inner { basis, network, .. } = self.inner.as_ref();
        let weights = RwLock::new(self.weights());
        let inner = Inner { basis: basis.clone(), network: network.clone(), weights };
        Self { inner: Arc::new(inner), condition: self.condition }
    }

    /// Replaces the weights in all clones.
    pub(crate) fn set_weights(&self, weights: Weights) {
        *self.inner.weights.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(weights);
    }
}

impl Learned {
    /// The class that the network is told.
    fn class(&self) -> Option<usize> {
        self.condition.map(|condition| condition.class)
    }

    /// The guidance, where it is more than to be of a class.
    fn guidance(&self) -> Option<f32> {
        self.condition.map(|condition| condition.guidance).filter(|guidance| *guidance != 1.0)
    }
}

impl Score for Learned {
    fn process(&self) -> &Process {
        self.basis().subject().process()
    }

    fn shape(&self) -> &[usize] {
        self.basis().subject().shape()
    }

    fn moments(&self) -> &Moments {
        self.basis().subject().moments()
    }

    fn has_density(&self) -> bool {
        self.moments().variances.iter().all(|variance| *variance > 0.0)
    }

    fn units(&self) -> Option<&Units> {
        self.basis().subject().units()
    }

    fn is_of_all(&self) -> bool {
        self.condition.is_none()
    }

    fn coordinates(&self) -> Coordinates {
        self.basis().coordinates()
    }

    fn usual_prior(&self) -> PriorLaw {
        self.basis().usual_prior()
    }

    fn prior(&self, law: PriorLaw) -> Result<Prior> {
        self.basis().prior(law)
    }

    fn walls(&self) -> Option<Vec<[f32; 2]>> {
        self.basis().walls()
    }

    fn prepare(&self, times: &[f64], task: &Task) -> Result<Box<dyn Prepared + '_>> {
        let frames = task.blocks(times.len(), |i| Ok(Rounded::new(&self.basis().at(times[i])?)))?;
        let weights = self.weights();
        let inference = match task.device() {
            Device::Cpu => self.network().inference(&weights.average),
            device => Box::new(Candle::on(device, self.network())?.inference(&weights.average, task)?),
        };
        let (class, guidance) = (self.class(), self.guidance());
        Ok(Box::new(Fixed { basis: self.basis(), class, guidance, inference, frames }))
    }
}

impl std::fmt::Display for Learned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, trained {} steps", self.network(), self.weights().steps)?;
        if let Some(Condition { class, guidance }) = self.condition {
            write!(f, "; of the class {:?}", self.basis().subject().classes()[class])?;
            if guidance != 1.0 {
                write!(f, " with guidance {guidance}")?
            }
        }
        match self.basis().note() {
            Some(note) => write!(f, "; {note}"),
            None => Ok(()),
        }
    }
}
