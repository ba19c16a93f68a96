//! Values apart from those that others hold: what is done to a copy is seen nowhere else.
//!
//! A clone of a script's value shares what closures have captured, and the weights of a learned score. In a copy apart,
//! what was shared is shared among the copies: two closures that count with one number still do.

use rhai::{Array, Dynamic, FnPtr, Map};

use super::builtins::score::Score;
use crate::score::Learned;

/// What was copied so far, by what it is a copy of.
#[derive(Default)]
struct Copies {
    /// Variables that closures share, by where their value is.
    variables: Vec<(*const Dynamic, Dynamic)>,
    scores: Vec<(Learned, Learned)>,
}

/// The same closure with values of its own in the place of those that it captured.
pub(super) fn closure(closure: &FnPtr) -> FnPtr {
    Copies::default().closure(closure)
}

impl Copies {
    fn closure(&mut self, closure: &FnPtr) -> FnPtr {
        let mut own = closure.clone();
        own.iter_curry_mut().for_each(|value| *value = self.value(value));
        own
    }

    fn value(&mut self, value: &Dynamic) -> Dynamic {
        match value.is_shared() {
            true => self.variable(value),
            false => self.inner(value),
        }
    }

    fn variable(&mut self, value: &Dynamic) -> Dynamic {
        // What is being changed at the moment is in the hands of somebody else.
        let Some(inner) = value.read_lock::<Dynamic>() else { return value.clone() };
        let place = std::ptr::from_ref::<Dynamic>(&inner);
        if let Some((_, copy)) = self.variables.iter().find(|(known, _)| *known == place) {
            return copy.clone();
        }
        // A closure may have captured the variable that it is kept in.
        let mut copy = Dynamic::UNIT.into_shared();
        self.variables.push((place, copy.clone()));
        let own = self.inner(&inner);
        if let Some(mut place) = copy.write_lock::<Dynamic>() {
            *place = own;
        }
        copy
    }

    fn inner(&mut self, value: &Dynamic) -> Dynamic {
        if let Some(items) = value.read_lock::<Array>() {
            return items.iter().map(|item| self.value(item)).collect::<Array>().into();
        }
        if let Some(map) = value.read_lock::<Map>() {
            return map.iter().map(|(key, item)| (key.clone(), self.value(item))).collect::<Map>().into();
        }
        if let Some(closure) = value.read_lock::<FnPtr>() {
            return self.closure(&closure).into();
        }
        match value.read_lock::<Score>().as_deref() {
            Some(Score::Learned(score)) => Dynamic::from(Score::Learned(self.score(score))),
            _ => value.clone(),
        }
    }

    fn score(&mut self, score: &Learned) -> Learned {
        if let Some((_, copy)) = self.scores.iter().find(|(known, _)| known.shares_weights(score)) {
            return score.sharing(copy);
        }
        let copy = score.apart();
        self.scores.push((score.clone(), copy.clone()));
        copy
    }
}
