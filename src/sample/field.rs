//! Motions over blocks of samples, for processes of every class: of linear ones the equations of motion are sums of
//! rows, whose weights are computed in double precision; of all others they are compiled.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::combination::{Combination, joined};
use super::update::Update;
use crate::error::Result;
use crate::expr::{Expression, Program};
use crate::process::{Class, Motion, Process};
use crate::score::Coordinates;

/// A motion of a process, ready to be asked for its coefficients at any time.
#[derive(Debug)]
pub(super) struct Field<'a> {
    process: &'a Process,
    motion: Motion,
    coordinates: Coordinates,
    programs: Option<Programs>,
}

/// Of a nonlinear process.
#[derive(Debug)]
struct Programs {
    /// The drift, from components of state and score.
    slope: Arc<Program>,
    /// An Euler–Maruyama step, from components of state, score and noise, where there is noise.
    step: Option<Arc<Program>>,
}

impl<'a> Field<'a> {
    /// Of states in these coordinates.
    ///
    /// # Errors
    /// When the expressions of a nonlinear process cannot be compiled.
    pub(super) fn new(process: &'a Process, motion: Motion, coordinates: Coordinates) -> Result<Self> {
        let programs = match process.class() {
            Class::Nonlinear => Some(Programs::new(process, motion)?),
            _ => None,
        };
        Ok(Self { process, motion, coordinates, programs })
    }

    /// The drift at `time`, from the rows of state and score.
    pub(super) fn slope(&self, time: f64) -> Result<Update> {
        if let Some(programs) = &self.programs {
            return Ok(Update::Program(programs.slope.clone(), programs.slope.at(time, &[])));
        }
        let (offset, weights) = self.linear(time)?;
        Ok(Combination::map(&offset, &weights).into())
    }

    /// An Euler–Maruyama step of `length` that begins at `time`, from the rows of state, score and noise; the noise
    /// does nothing where `is_silent`.
    pub(super) fn step(&self, time: f64, length: f64, is_silent: bool) -> Result<Update> {
        let root = if is_silent { 0.0 } else { length.sqrt() };
        if let Some(program) = self.programs.as_ref().and_then(|programs| programs.step.as_ref()) {
            return Ok(Update::Program(program.clone(), program.at(time, &[length, root])));
        }
        let (offset, weights) = self.linear(time)?;
        let noise = self.process.linear_at(time)?.noise.select_columns(self.process.sources());
        let weights = joined(&[&(weights * length), &(noise * root)]);
        Ok(Combination::step(&(offset * length), &weights).into())
    }

    /// The drift of a linear process: its constant part, which the mean of the noised data has, and the weights of
    /// state and score.
    fn linear(&self, time: f64) -> Result<(DVector<f64>, DMatrix<f64>)> {
        let (drift, score) = self.motion.factors();
        let linear = self.process.linear_at(time)?;
        let state = &linear.drift * drift;
        let weights = match score {
            0.0 => state,
            _ => joined(&[&state, &(linear.diffusion().select_columns(self.process.driven()) * score)]),
        };
        let offset = match self.coordinates {
            Coordinates::Own => linear.offset * drift,
            Coordinates::Principal => DVector::zeros(linear.offset.len()),
        };
        Ok((offset, weights))
    }
}

impl Programs {
    fn new(process: &Process, motion: Motion) -> Result<Self> {
        let equations = process.equations(motion);
        let slope = equations.slope();
        let inputs = process.components() + equations.pull[0].len();
        let step = match motion.is_noisy() {
            true => Some(Arc::new(step(process, &slope, &equations.kick(), inputs)?)),
            false => None,
        };
        Ok(Self { slope: Arc::new(Program::new(&slope, inputs, &[])?), step })
    }
}

/// z + slope · length + kick · root, the noise at the places behind the `inputs` of the slope.
fn step(process: &Process, slope: &[Expression], kick: &[Expression], inputs: usize) -> Result<Program> {
    let (length, root) = (Expression::parameter("length"), Expression::parameter("root"));
    let row = |(i, (slope, kick)): (usize, (&Expression, &Expression))| {
        Expression::component(i, "state").add(&slope.multiply(&length).add(&kick.multiply(&root)))
    };
    let rows: Vec<_> = slope.iter().zip(kick).enumerate().map(row).collect();
    Program::new(&rows, inputs + process.sources().len(), &["length", "root"])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::expr::{Assignment, Function, Operation};
    use crate::process::{Definition, Start};

    fn number(value: f64) -> Expression {
        Expression::constant(value)
    }

    /// Two coupled components with a source of noise in common, one of their own, and one without effect.
    fn linear(rate: &Expression) -> Process {
        let [x, y] = [(0, "x"), (1, "y")].map(|(i, name)| Expression::component(i, name));
        let [k, temperature] = ["k", "T"].map(Expression::parameter);
        let root = |e: &Expression| number(2.0).multiply(e).apply(Function::Sqrt);
        let pull = k.multiply(rate).multiply(&x);
        let definition = Definition {
            name: "linear".into(),
            blocks: vec!["x".into(), "y".into()],
            coordinates: None,
            periodic: Vec::new(),
            parameters: BTreeMap::from([("k".into(), 0.7), ("T".into(), 0.0)]),
            drift: vec![
                y.combine(Operation::Subtract, &pull).add(&number(0.3)),
                x.negate().combine(Operation::Subtract, &y.combine(Operation::Divide, &k)),
            ],
            noise: vec![vec![root(&temperature), root(&k), number(0.1)], vec![number(0.0), root(&k), rate.negate()]],
            start: Start::Each(vec![None, None]),
        };
        Process::new(definition, 2.0).unwrap()
    }

    /// Entry by entry: what samplers of linear processes are given, and the equations that are printed.
    #[test]
    fn weights_are_those_of_the_equations() {
        let none = BTreeMap::new();
        for (rate, class) in
            [(number(1.5), Class::Constant), (number(1.0).add(&Expression::time()), Class::TimeDependent)]
        {
            let process = linear(&rate);
            assert_eq!((process.class(), process.sources()), (class, &[1, 2][..]));
            for (motion, time) in [Motion::Forward, Motion::Reverse, Motion::Flow, Motion::ForwardFlow]
                .into_iter()
                .flat_map(|motion| [0.1, 1.0].map(|time| (motion, time)))
            {
                let near = |found: f64, told: &Expression| {
                    let told = told.evaluate(Assignment { time, parameters: &none, state: &[0.0; 6] });
                    assert!((found - told).abs() < 1e-15, "{motion:?} at {time}: {found}, in print {told}");
                };
                let equations = process.equations(motion);
                let (slope, kick) = (equations.slope(), equations.kick());
                let (offset, weights) = Field::new(&process, motion, Coordinates::Own).unwrap().linear(time).unwrap();
                for (i, slope) in slope.iter().enumerate() {
                    near(offset[i], slope);
                    (0..weights.ncols()).for_each(|j| near(weights[(i, j)], &slope.derivative(j)));
                }
                let noise = process.linear_at(time).unwrap().noise.select_columns(process.sources());
                assert_eq!(kick.is_empty(), !motion.is_noisy());
                for (i, kick) in kick.iter().enumerate() {
                    (0..2).for_each(|j| near(noise[(i, j)], &kick.derivative(weights.ncols() + j)));
                }
            }
        }
    }
}
