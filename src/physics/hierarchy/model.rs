//! The random hierarchy model: its rules and its trees, drawn.

use rand::RngExt;
use rand::seq::index;

use crate::error::{Error, Result};
use crate::rng::Stream;
use crate::settings::{Setting, Values};

/// Right-hand sides are numbered in 63 bits.
const MOST_STRINGS: f64 = 9_223_372_036_854_775_808.0;
/// Blocks of random numbers are numbered in 32 bits.
const MOST_LEAVES: f64 = 2_147_483_648.0;

/// The sizes of a random hierarchy model (Cagnetta, Petrini, Tomasini, Favero, Wyart, arXiv 2307.02129): a tree of
/// symbols, where each symbol above the leaves becomes `branching` symbols by one of its `rules`, all as likely. No two
/// symbols of a level share a right-hand side, so whoever knows all leaves knows the tree. The root is uniform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// Number v of symbols of each level, 2 or more.
    pub alphabet: usize,
    /// Number s of children of each node, 2 or more.
    pub branching: usize,
    /// Number L of levels below the root.
    pub depth: usize,
    /// Number m of rules of each symbol of a level: m v is v^s at most.
    pub rules: usize,
}

impl Model {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::count("alphabet", "number v of symbols of each level").between(2.0, 65_536.0).or(32.0),
        Setting::count("branching", "number s of children of each node").between(2.0, 62.0).or(2.0),
        Setting::count("depth", "number L of levels below the root; there are s^L leaves").between(1.0, 30.0).or(10.0),
        Setting::count("rules", "number m of rules of each symbol of a level; all v m differ, so v^s are the most")
            .or(8.0),
    ];

    /// The model that `values` of [`Model::SETTINGS`] describe.
    pub fn read(values: &Values) -> Self {
        Self {
            alphabet: values.count("alphabet"),
            branching: values.count("branching"),
            depth: values.count("depth"),
            rules: values.count("rules"),
        }
    }

    /// # Errors
    /// When a size is out of range, or the rules are more than the right-hand sides.
    pub(super) fn check(&self) -> Result<()> {
        let Self { alphabet, branching, depth, rules } = *self;
        for (setting, size) in Self::SETTINGS.iter().zip([alphabet, branching, depth, rules]) {
            setting.check_value(size as f64)?;
        }
        let strings = (alphabet as f64).powi(branching as i32);
        let needed = alphabet as f64 * rules as f64;
        if needed > strings {
            let problem = format!(
                "of {rules} for each of {alphabet} symbols need {needed} different right-hand sides, and there are \
                 {alphabet}^{branching} = {strings}"
            );
            let most = strings / alphabet as f64;
            return Err(Error::argument("rules", problem).with_hint(format!("take {most} or fewer: rules: {most}")));
        }
        if strings >= MOST_STRINGS {
            let problem = format!("of {branching} with {alphabet} symbols allows {strings:.1e} right-hand sides");
            return Err(Error::argument("branching", problem).with_hint("take fewer: below 2^63 are numbered"));
        }
        let leaves = (branching as f64).powi(depth as i32);
        if leaves > MOST_LEAVES {
            let problem = format!("of {depth} makes trees of {branching}^{depth} = {leaves:.1e} leaves");
            return Err(Error::argument("depth", problem).with_hint("take fewer levels: 2^31 leaves are the most"));
        }
        Ok(())
    }

    /// Number of nodes of a level, which is 0 at the root.
    pub(super) fn nodes(&self, level: usize) -> usize {
        self.branching.pow(level as u32)
    }

    /// Bytes of what is drawn of a tree.
    pub(super) fn bytes(&self) -> f64 {
        let [v, s, m] = [self.alphabet, self.branching, self.rules].map(|size| size as f64);
        // A level draws the numbers of its right-hand sides from a list of up to forty times as many, of four bytes.
        let nodes = 2.0 * s.powi(self.depth as i32);
        4.0 * (nodes + v * m * s * self.depth as f64) + 256.0 * v * m
    }

    /// Rules of each level, and the symbols of a tree that grew by them.
    pub(super) fn draw(&self, stream: &Stream, tree: u32) -> (Rules, Symbols) {
        let rules = Rules((0..self.depth).map(|level| self.draw_rules(stream, tree, level)).collect());
        let mut generator = stream.generator(tree, self.depth as u32);
        let mut levels = vec![vec![generator.random_range(0..self.alphabet as u32)]];
        for level in 0..self.depth {
            let mut symbols = Vec::with_capacity(self.nodes(level + 1));
            for &symbol in &levels[level] {
                let rule = generator.random_range(0..self.rules as u32) as usize;
                let places = rules.of(level, symbol as usize, self).nth(rule).expect("below the number of rules");
                symbols.extend(places.iter().map(|place| place % self.alphabet as u32));
            }
            levels.push(symbols);
        }
        (rules, Symbols(levels))
    }

    /// The rules of one level: different right-hand sides in random order, the first of them those of symbol 0.
    fn draw_rules(&self, stream: &Stream, tree: u32, level: usize) -> Vec<u32> {
        let strings = self.alphabet.pow(self.branching as u32);
        let drawn = index::sample(&mut stream.generator(tree, level as u32), strings, self.alphabet * self.rules);
        let mut places = Vec::with_capacity(drawn.len() * self.branching);
        for mut string in drawn {
            for child in 0..self.branching {
                places.push((child * self.alphabet + string % self.alphabet) as u32);
                string /= self.alphabet;
            }
        }
        places
    }
}

/// The rules by level, symbol and rule: for each child, the place of its symbol among the symbols of all children of a
/// node, child·v + symbol.
pub(super) struct Rules(Vec<Vec<u32>>);

impl Rules {
    /// Those of a symbol of a level.
    pub(super) fn of(&self, level: usize, symbol: usize, model: &Model) -> impl Iterator<Item = &[u32]> {
        let width = model.rules * model.branching;
        self.0[level][symbol * width..][..width].chunks_exact(model.branching)
    }
}

/// The symbols of a tree, level by level from the root, in the order of their parents.
pub(super) struct Symbols(Vec<Vec<u32>>);

impl Symbols {
    /// The symbol of a node of a level.
    pub(super) fn at(&self, level: usize, node: usize) -> usize {
        self.0[level][node] as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::rng::Purpose;

    fn stream(seed: u64) -> Stream {
        Stream::new(seed, Purpose::Hierarchy)
    }

    /// Seen to fail with right-hand sides drawn one by one, and with the rules of another symbol in the tree.
    #[test]
    fn rules_differ_and_trees_follow_them() {
        for (alphabet, branching, depth, rules) in
            [(32, 2, 4, 8), (3, 2, 5, 3), (2, 3, 3, 4), (5, 4, 2, 1), (4, 20, 2, 7)]
        {
            let model = Model { alphabet, branching, depth, rules };
            model.check().unwrap();
            for tree in 0..3 {
                let (drawn, symbols) = model.draw(&stream(1), tree);
                for level in 0..depth {
                    let all: Vec<&[u32]> = (0..alphabet).flat_map(|symbol| drawn.of(level, symbol, &model)).collect();
                    let different: HashSet<_> = all.iter().collect();
                    assert_eq!((all.len(), different.len()), (alphabet * rules, alphabet * rules));
                    for node in 0..model.nodes(level) {
                        let children: Vec<_> = (0..branching)
                            .map(|c| c * alphabet + symbols.at(level + 1, branching * node + c))
                            .collect();
                        let is_these = |places: &[u32]| places.iter().map(|&place| place as usize).eq(children.clone());
                        assert!(drawn.of(level, symbols.at(level, node), &model).any(is_these));
                    }
                }
            }
        }
    }

    /// Each symbol at the root, and each symbol and rule one level below, as often as any other. χ² of 12 degrees of
    /// freedom, below 40 but for one of 14,000 seeds, at each of two levels; the seed is fixed.
    #[test]
    fn symbols_are_drawn_evenly() {
        let model = Model { alphabet: 13, branching: 2, depth: 2, rules: 13 };
        let mut counts = [[0.0; 13]; 2];
        for tree in 0..2600 {
            let (_, symbols) = model.draw(&stream(3), tree);
            counts[0][symbols.at(0, 0)] += 1.0;
            counts[1][symbols.at(2, 1)] += 1.0;
        }
        for counts in counts {
            let chi: f64 = counts.iter().map(|count| (count - 200.0_f64).powi(2) / 200.0).sum();
            assert!(chi < 40.0, "{chi}: {counts:?}");
        }
    }

    #[test]
    fn impossible_models_are_refused() {
        let refused = |alphabet, branching, depth, rules| {
            let error = Model { alphabet, branching, depth, rules }.check().unwrap_err();
            format!("{error}; {}", error.hint().unwrap_or_default())
        };
        assert_eq!(
            refused(32, 2, 10, 33),
            "`rules` of 33 for each of 32 symbols need 1056 different right-hand sides, and there are 32^2 = 1024; take \
             32 or fewer: rules: 32"
        );
        assert_eq!(refused(1, 2, 10, 1), "`alphabet` must be from 2 to 65_536, got 1; ");
        assert!(refused(32, 13, 2, 8).starts_with("`branching` of 13 with 32 symbols allows 3.7e19 right-hand sides"));
        assert!(refused(32, 4, 16, 8).starts_with("`depth` of 16 makes trees of 4^16 = 4.3e9 leaves"));
        assert!(Model { alphabet: 2, branching: 2, depth: 1, rules: 2 }.check().is_ok());
    }
}
