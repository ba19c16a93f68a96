//! The components of the state: how many there are, which are data, which are driven, and which no noise reaches.

use super::{Class, Process};
use crate::error::{Error, Result};
use crate::expr::Node;

/// Given the datum and the components before it, a component that keeps less than this part of its variance has no
/// noise of its own: what the factor then holds is rounding.
const SINGULAR: f64 = 1e-20;

impl Process {
    /// Number d of coordinates that the process couples; `None` where every coordinate is an independent copy.
    pub fn coordinates(&self) -> Option<usize> {
        self.0.definition.coordinates
    }

    /// Number m of components of one copy: its blocks, times the coordinates where these are coupled.
    pub fn components(&self) -> usize {
        self.0.definition.components()
    }

    /// What a component is called: `eta`, or `eta[1]` where coordinates are coupled.
    pub fn component_name(&self, component: usize) -> String {
        self.0.definition.component_name(component)
    }

    /// What all components are called.
    pub fn component_names(&self) -> Vec<String> {
        (0..self.components()).map(|i| self.component_name(i)).collect()
    }

    /// Number k of components that are data, the first ones: 1, or the number of coupled coordinates.
    pub fn data_components(&self) -> usize {
        self.coordinates().unwrap_or(1)
    }

    /// Number of independent copies that data of `dimension` coordinates take: d, or 1 where coordinates are coupled.
    /// The state of many samples is \[components·copies, samples\], the row of (component i, copy c) being
    /// i·copies + c.
    ///
    /// # Errors
    /// When the process couples another number of coordinates.
    pub fn copies(&self, dimension: usize) -> Result<usize> {
        match self.coordinates() {
            None => Ok(dimension),
            Some(own) if own == dimension => Ok(1),
            Some(own) => {
                Err(Error::process(self.name(), format!("it couples {own} coordinates, but the data have {dimension}"))
                    .with_hint(format!("take data of shape [{own}], or a process of {dimension} coordinates")))
            }
        }
    }

    /// The components with noise of their own, in order: those whose score the reverse process needs.
    pub fn driven(&self) -> &[usize] {
        &self.0.driven
    }

    /// The Wiener sources that drive any component, in order.
    pub fn sources(&self) -> &[usize] {
        &self.0.sources
    }

    /// All components, those without noise of their own first, each group in order.
    pub fn undriven_first(&self) -> Vec<usize> {
        let driven = self.driven();
        let mut order: Vec<_> = (0..self.components()).filter(|i| !driven.contains(i)).collect();
        order.extend(driven);
        order
    }

    /// The components that no noise reaches, directly or through the drift. Auxiliaries at rest are not counted where
    /// there is no kernel: they need no score, and fill up a block, as the second angle of a particle in the plane
    /// does.
    pub(super) fn unreached(&self) -> Vec<usize> {
        let mut reached = vec![false; self.components()];
        let mut front = self.driven().to_vec();
        while let Some(from) = front.pop() {
            reached[from] = true;
            front.extend((0..reached.len()).filter(|&to| !reached[to] && self.drives(from, to)));
        }
        (0..reached.len()).filter(|&i| !reached[i] && !self.is_at_rest(i)).collect()
    }

    fn is_at_rest(&self, component: usize) -> bool {
        let is_auxiliary = component >= self.data_components() && self.class() == Class::Nonlinear;
        is_auxiliary && self.definition().drift[component].as_constant() == Some(0.0)
    }

    /// Whether the component `from` occurs in the drift of `to`.
    fn drives(&self, from: usize, to: usize) -> bool {
        match self.constant() {
            Some(linear) => linear.drift[(to, from)] != 0.0,
            None => {
                let occurs = |node: &Node| matches!(node, Node::Component(index, _) if *index == from);
                self.definition().drift[to].find(occurs).is_some()
            }
        }
    }

    /// Whether a score exists and can be used: noise reaches every component, and not the same noise in the same way.
    ///
    /// # Errors
    /// Names the first component that stays without noise, or without noise of its own.
    pub fn require_noise(&self) -> Result<()> {
        if let Some(&component) = self.unreached().first() {
            let name = self.component_name(component);
            return Err(Error::process(self.name(), format!("{name} is never driven: no score can be learned"))
                .with_hint(format!("let noise reach {name} or a block that drives it, with a temperature above 0")));
        }
        if self.class() == Class::Nonlinear {
            return Ok(());
        }
        let kernel = self.kernel(self.horizon())?;
        let is_bound = |&i: &usize| kernel.cholesky[(i, i)].powi(2) < SINGULAR * kernel.covariance[(i, i)];
        let Some(component) = (0..self.components()).find(is_bound) else { return Ok(()) };
        let before = (0..component).map(|i| self.component_name(i)).collect::<Vec<_>>().join(" and ");
        let name = self.component_name(component);
        let problem = format!("given the data, {before} determines {name}: the law has no density and no score");
        Err(Error::process(self.name(), problem).with_hint(format!("give {name} a Wiener source of its own")))
    }
}
