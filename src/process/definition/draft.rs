//! What the closures of a process say, block by block, brought into components.
//!
//! A closure speaks of blocks, `s.eta`, and may take one apart, `s.eta[0]`. As soon as a coordinate is named,
//! coordinates are coupled, and the state has a component for every pair of block and coordinate; an expression without
//! coordinates then holds for each coordinate with the same coordinate of every block in it.

use std::collections::BTreeMap;

use super::Definition;
use super::entry::{DraftStart, Entry, pick};
use crate::error::{Error, Result};
use crate::expr::{Expression, Node};

/// The amplitudes of the noise of one block.
#[derive(Debug, Clone)]
pub enum Amplitudes {
    /// A Wiener source of the block's own, for every coordinate.
    Own(Expression),
    /// Sources that blocks share, one amplitude each; every coordinate has its own copy of the sources.
    Shared(Vec<Expression>),
    /// Sources that coordinates share too, [coordinates, sources].
    Matrix(Vec<Vec<Expression>>),
}

/// A process as its author writes it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The name given by its author.
    pub name: String,
    /// Names of the blocks; the first is the data.
    pub blocks: Vec<String>,
    /// Number of coordinates, where the author gives it.
    pub coordinates: Option<usize>,
    /// Values of the parameters where the caller gives none.
    pub parameters: BTreeMap<String, f64>,
    /// The drift of each block.
    pub drift: Vec<Entry<Expression>>,
    /// The noise of each block that has any.
    pub noise: Vec<Option<Amplitudes>>,
    /// The laws of the auxiliaries at t = 0.
    pub start: DraftStart,
    /// Names of the blocks whose coordinates are angles.
    pub periodic: Vec<String>,
}

/// Before the number of coordinates is known, the numbers that symbols carry as components are places: those of blocks
/// are below it, those of coordinate c of them from (c + 1) times it.
const STRIDE: usize = 1 << 16;

/// The symbol of one coordinate of the block that `block` is the symbol of.
///
/// # Errors
/// When `block` is not the symbol of a block, or `coordinate` is negative or beyond 65,535.
pub fn coordinate_symbol(block: &Expression, coordinate: i64) -> Result<Expression> {
    let Node::Component(place @ ..STRIDE, name) = block.node() else {
        let problem = format!("cannot be taken out of `{block}`: only a block of the state has coordinates");
        return Err(
            Error::argument("coordinate", problem).with_hint("write s.x[0], and build the expression from that")
        );
    };
    match usize::try_from(coordinate) {
        Ok(c @ ..STRIDE) => Ok(Expression::component(place + (c + 1) * STRIDE, &format!("{name}[{c}]"))),
        _ => Err(Error::argument("coordinate", format!("must be from 0 to {}, got {coordinate}", STRIDE - 1))),
    }
}

/// The coordinate that a symbol stands for.
fn coordinate(place: usize) -> Option<usize> {
    (place / STRIDE).checked_sub(1)
}

impl Draft {
    /// The definition over components.
    ///
    /// # Errors
    /// When entries disagree in the number of coordinates or of shared sources, or a coordinate is named that the state
    /// does not have.
    pub fn definition(self) -> Result<Definition> {
        Definition::check_blocks(&self.blocks)?;
        let coordinates = self.count_coordinates()?;
        self.check_shared(coordinates)?;
        let noise = Noise::of(&self, coordinates)?;
        // What an expression for one coordinate says of the components.
        let component = |expression: &Expression, own: usize| match coordinates {
            None => expression.clone(),
            Some(d) => expression.replace_components(|place| {
                let (block, c) = (place % STRIDE, coordinate(place).unwrap_or(own));
                Some(Expression::component(block * d + c, &format!("{}[{c}]", self.blocks[block])))
            }),
        };
        let (mut drifts, mut noises) = (Vec::new(), Vec::new());
        for (block, drift) in self.drift.iter().enumerate() {
            for c in 0..coordinates.unwrap_or(1) {
                drifts.push(component(pick(drift, c), c));
                noises.push(noise.row(block, c).iter().map(|g| component(g, c)).collect());
            }
        }
        Ok(Definition {
            drift: drifts,
            noise: noises,
            start: self.start.of_components(self.blocks.len(), coordinates.unwrap_or(1))?,
            name: self.name,
            blocks: self.blocks,
            coordinates,
            parameters: self.parameters,
            periodic: self.periodic,
        })
    }

    /// Refuses an array of amplitudes that could be meant for coordinates as well as for sources.
    fn check_shared(&self, coordinates: Option<usize>) -> Result<()> {
        let is_ambiguous = |entry: &Option<Amplitudes>| match entry {
            Some(Amplitudes::Shared(amplitudes)) => Some(amplitudes.len()) == coordinates,
            _ => false,
        };
        let Some(block) = self.noise.iter().position(is_ambiguous) else { return Ok(()) };
        let (block, d) = (&self.blocks[block], coordinates.unwrap_or_default());
        let plural = if d == 1 { "" } else { "s" };
        let problem = format!(
            "gives {d} amplitude{plural} to `{block}`, which has {d} coordinate{plural}: one each, or one per source?"
        );
        Err(Error::argument("noise", problem).with_hint(
            "write one array per coordinate, with one amplitude per source: [[a, 0], [0, b]] for a source each",
        ))
    }

    /// The number of coordinates, if any are told apart.
    fn count_coordinates(&self) -> Result<Option<usize>> {
        let mut known = self.coordinates.map(|d| (d, "coordinates"));
        let drift = self.drift.iter().map(|entry| (entry.count(), "drift"));
        let noise = self.noise.iter().flatten().map(|entry| match entry {
            Amplitudes::Matrix(rows) => (Some(rows.len()), "noise"),
            _ => (None, "noise"),
        });
        let start = match &self.start {
            DraftStart::Each(laws) => laws.as_slice(),
            DraftStart::Joint { .. } | DraftStart::Stationary => &[],
        };
        let start = start.iter().flatten().map(|entry| (entry.count(), "start"));
        for (count, part) in drift.chain(noise).chain(start) {
            let Some(count) = count else { continue };
            let (first, where_) = *known.get_or_insert((count, part));
            if count != first {
                let problem = format!("gives {count} coordinates to a block where `{where_}` gives {first}");
                return Err(Error::argument(part, problem).with_hint("write one entry per coordinate of the data"));
            }
        }
        if known.is_some_and(|(count, _)| count == 0) {
            return Err(Error::argument("coordinates", "must be above 0: an array has one entry per coordinate"));
        }
        let Some((named, symbol)) = self.highest_coordinate() else { return Ok(known.map(|(count, _)| count)) };
        match known {
            Some((count, _)) if named < count => Ok(Some(count)),
            Some((count, _)) => {
                let problem = format!("names `{symbol}`, but a block has {count} coordinates");
                Err(Error::argument("drift", problem).with_hint("coordinates are counted from 0"))
            }
            None => Err(Error::argument("coordinates", format!("is missing: the process takes `{symbol}` by itself"))
                .with_hint(format!("give the number of coordinates of the data, e.g. coordinates: {}", named + 1))),
        }
    }

    fn highest_coordinate(&self) -> Option<(usize, Expression)> {
        let drift = self.drift.iter().flat_map(Entry::all);
        let noise = self.noise.iter().flatten().flat_map(Amplitudes::all);
        let mut highest: Option<(usize, Expression)> = None;
        for expression in drift.chain(noise) {
            loop {
                let least = highest.as_ref().map(|(c, _)| *c);
                let beyond = |node: &Node| matches!(node, Node::Component(place, _) if coordinate(*place) > least);
                let Some(found) = expression.find(beyond) else { break };
                let Node::Component(place, _) = found.node() else { break };
                highest = coordinate(*place).map(|c| (c, found.clone()));
            }
        }
        highest
    }
}

impl Amplitudes {
    fn all(&self) -> Vec<&Expression> {
        match self {
            Self::Own(amplitude) => vec![amplitude],
            Self::Shared(amplitudes) => amplitudes.iter().collect(),
            Self::Matrix(rows) => rows.iter().flatten().collect(),
        }
    }
}

/// Which Wiener sources there are: those of matrices, then shared ones and lone ones, a copy for each coordinate.
struct Noise<'a> {
    blocks: &'a [Option<Amplitudes>],
    matrix: usize,
    shared: usize,
    copies: usize,
}

impl<'a> Noise<'a> {
    fn of(draft: &'a Draft, coordinates: Option<usize>) -> Result<Self> {
        let even = |counts: Vec<(usize, usize)>| {
            let Some(&(_, first)) = counts.first() else { return Ok(0) };
            match counts.iter().find(|(_, count)| *count != first) {
                None => Ok(first),
                Some(&(block, count)) => {
                    let block = &draft.blocks[block];
                    let plural = if count == 1 { "" } else { "s" };
                    let problem =
                        format!("gives {count} amplitude{plural} for `{block}` and {first} for another block");
                    let hint = "arrays need one amplitude per Wiener source, the same number in every block";
                    Err(Error::argument("noise", problem).with_hint(hint))
                }
            }
        };
        let entries = || draft.noise.iter().enumerate();
        let matrices = entries().flat_map(|(b, entry)| match entry {
            Some(Amplitudes::Matrix(rows)) => rows.iter().map(|row| (b, row.len())).collect(),
            _ => Vec::new(),
        });
        let shared = entries().filter_map(|(b, entry)| match entry {
            Some(Amplitudes::Shared(row)) => Some((b, row.len())),
            _ => None,
        });
        let (matrix, shared) = (even(matrices.collect())?, even(shared.collect())?);
        Ok(Self { blocks: &draft.noise, matrix, shared, copies: coordinates.unwrap_or(1) })
    }

    /// The amplitudes of all sources on one component.
    fn row(&self, block: usize, coordinate: usize) -> Vec<Expression> {
        let is_own = |entry: &&Option<Amplitudes>| matches!(entry, Some(Amplitudes::Own(_)));
        let own = self.blocks.iter().filter(is_own).count();
        let mut row = vec![Expression::constant(0.0); self.matrix + (self.shared + own) * self.copies];
        // Sources of one kind stand together, a copy for each coordinate.
        let place = |source: usize| self.matrix + source * self.copies + coordinate;
        match &self.blocks[block] {
            None => {}
            Some(Amplitudes::Matrix(rows)) => row[..self.matrix].clone_from_slice(&rows[coordinate]),
            Some(Amplitudes::Shared(amplitudes)) => {
                for (source, amplitude) in amplitudes.iter().enumerate() {
                    row[place(source)] = amplitude.clone();
                }
            }
            Some(Amplitudes::Own(amplitude)) => {
                let before = self.blocks[..block].iter().filter(is_own).count();
                row[place(self.shared + before)] = amplitude.clone();
            }
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Operation;

    fn draft(drift: Vec<Entry<Expression>>, noise: Vec<Option<Amplitudes>>) -> Draft {
        Draft {
            name: "drafted".into(),
            blocks: vec!["x".into(), "eta".into()],
            coordinates: None,
            parameters: BTreeMap::new(),
            start: DraftStart::Each(vec![None; 2]),
            periodic: Vec::new(),
            drift,
            noise,
        }
    }

    fn blocks() -> [Expression; 2] {
        [Expression::component(0, "x"), Expression::component(1, "eta")]
    }

    /// An η that rotates: dη_0 = −η_0 − η_1, dη_1 = −η_1 + η_0, and an x that every coordinate follows alike.
    #[test]
    fn coordinates_become_components() {
        let [x, eta] = blocks();
        let [first, second] = [0, 1].map(|c| coordinate_symbol(&eta, c).unwrap());
        let minus = |a: &Expression, b: &Expression| a.combine(Operation::Subtract, b);
        let drift =
            vec![Entry::Every(minus(&eta, &x)), Entry::Each(vec![minus(&eta.negate(), &second), minus(&first, &eta)])];
        let definition = draft(drift, vec![None, Some(Amplitudes::Own(2.0.into()))]).definition().unwrap();
        let drifts: Vec<_> = definition.drift.iter().map(ToString::to_string).collect();
        assert_eq!(drifts, ["eta[0] - x[0]", "eta[1] - x[1]", "-eta[0] - eta[1]", "eta[0] - eta[1]"]);
        let noise: Vec<Vec<_>> =
            definition.noise.iter().map(|row| row.iter().map(|g| g.as_constant().unwrap()).collect()).collect();
        assert_eq!(noise, [[0.0, 0.0], [0.0, 0.0], [2.0, 0.0], [0.0, 2.0]]);
        assert_eq!((definition.components(), definition.component_name(3)), (4, "eta[1]".to_owned()));
    }

    #[test]
    fn sources_are_shared_as_told() {
        let [x, eta] = blocks();
        let still = || vec![Entry::Every(x.clone()), Entry::Every(eta.clone())];
        let number = Expression::constant;
        let shared = |values: &[f64]| Some(Amplitudes::Shared(values.iter().map(|&v| number(v)).collect()));
        let rows = |noise: Vec<Option<Amplitudes>>| -> Vec<Vec<f64>> {
            let definition = draft(still(), noise).definition().unwrap();
            definition.noise.iter().map(|row| row.iter().map(|g| g.as_constant().unwrap()).collect()).collect()
        };
        assert_eq!(
            rows(vec![shared(&[1.0, 2.0]), Some(Amplitudes::Own(number(3.0)))]),
            [[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]
        );
        let matrix = Amplitudes::Matrix(vec![vec![number(1.0)], vec![number(2.0)]]);
        assert_eq!(
            rows(vec![Some(matrix), shared(&[5.0])]),
            [[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 5.0]]
        );
        let unclear =
            draft(vec![Entry::Each(vec![x.clone(); 2]), Entry::Every(eta.clone())], vec![shared(&[1.0, 2.0]), None]);
        assert!(unclear.definition().unwrap_err().to_string().contains("one each, or one per source?"));
        let uneven = draft(still(), vec![shared(&[1.0]), shared(&[1.0, 2.0])]).definition().unwrap_err();
        assert!(uneven.to_string().contains("2 amplitudes for `eta` and 1"), "{uneven}");
    }

    #[test]
    fn coordinates_that_do_not_fit_are_refused() {
        let [x, eta] = blocks();
        let third = coordinate_symbol(&eta, 2).unwrap();
        let message = |drift, coordinates| {
            let draft = Draft { coordinates, ..draft(drift, vec![None, None]) };
            let error = draft.definition().unwrap_err();
            format!("{error}; {}", error.hint().unwrap_or_default())
        };
        let alone = vec![Entry::Every(third.clone()), Entry::Every(eta.clone())];
        assert!(message(alone.clone(), None).contains("coordinates: 3"));
        assert!(message(alone, Some(2)).contains("`eta[2]`, but a block has 2 coordinates"));
        let uneven = vec![Entry::Each(vec![x.clone(); 2]), Entry::Each(vec![eta.clone(); 3])];
        assert!(message(uneven, None).contains("gives 3 coordinates"));
        assert!(message(vec![Entry::Each(vec![]), Entry::Every(eta.clone())], None).contains("above 0"));
        assert!(coordinate_symbol(&eta.negate(), 0).unwrap_err().to_string().contains("cannot be taken out of `-eta`"));
        assert!(coordinate_symbol(&eta, -1).is_err() && coordinate_symbol(&third, 0).is_err());
    }
}
