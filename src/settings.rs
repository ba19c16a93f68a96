//! What can be set by name, declared once: the reader of option maps, help, reference, completion and errors all use
//! the same table, and so do the defaults of the functions in Rust.
//!
//! A table is a constant slice of [`Setting`]s beside what it sets. A word of a [`Setting::choice`] may bring settings
//! of its own, which exist only where it is chosen: a method its order, a grid its exponent.
//!
//! ```
//! use tumble::settings::{Choice, Setting, Values};
//!
//! const TABLE: &[Setting] = &[
//!     Setting::count("steps", "number of steps").or(200.0),
//!     Setting::choice("grid", "how the times are spread", &[
//!         Choice::new("uniform", "equal steps"),
//!         Choice::new("rho", "equal steps in t^(1/rho)")
//!             .with(&[Setting::number("rho", "the exponent").above(0.0).or(7.0)]),
//!     ]),
//! ];
//! let values = Values::defaults(TABLE);
//! assert_eq!((values.count("steps"), values.word("grid")), (200, "uniform"));
//! ```

mod number;
mod range;
mod values;

pub use number::written;
pub use range::Range;
pub use values::{Value, Values};

/// One thing that can be set by name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Its name in scripts, and of the field or argument in Rust.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What stands where it is not given.
    pub default: Preset,
    /// What it means, with its unit; the words that follow its name in a list. Behind a semicolon, what helps to
    /// choose.
    pub meaning: &'static str,
    /// The unit of a number, as it follows one in an error: "mm". Empty where it has none, or that of the process.
    pub unit: &'static str,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A finite number.
    Number(Range),
    /// A whole number.
    Whole(Range),
    /// True or false.
    Flag,
    /// A string.
    Text,
    /// One of these words, of which the first is the default.
    Choice(&'static [Choice]),
    /// An array of finite numbers.
    Numbers(Range),
    /// An array of whole numbers.
    Wholes(Range),
    /// An array of strings.
    Texts,
    /// What only the language has; these words say what, as they follow "must be": "a closure", "a map #{ .. }".
    Other(&'static str),
}

/// What stands where a setting is not given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset {
    /// It must be given; what to write, if it is not: "write drift: |s, t, p| #{ x: -s.x }".
    Required(&'static str),
    /// It or one of the other settings of these names must be given, and no two; what to write, if it is otherwise.
    Either(&'static [&'static str], &'static str),
    /// A number.
    Number(f64),
    /// Numbers.
    Numbers(&'static [f64]),
    /// A truth value.
    Flag(bool),
    /// A string.
    Text(&'static str),
    /// The first word of a choice.
    First,
    /// Nothing, and these words, if there are any, say what then is taken: "the horizon".
    Absent(&'static str),
}

/// A word of a choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The word.
    pub word: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What can be set only where it is chosen.
    pub settings: &'static [Setting],
}

impl Choice {
    /// A word without settings of its own.
    pub const fn new(word: &'static str, meaning: &'static str) -> Self {
        Self { word, meaning, settings: &[] }
    }

    /// The same word with settings of its own.
    #[must_use]
    pub const fn with(self, settings: &'static [Setting]) -> Self {
        Self { settings, ..self }
    }
}

impl Setting {
    const fn new(name: &'static str, kind: Kind, default: Preset, meaning: &'static str) -> Self {
        Self { name, kind, default, meaning, unit: "" }
    }

    /// A finite number that must be given.
    pub const fn number(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Number(Range::ALL), Preset::Required(""), meaning)
    }

    /// A whole number above 0 that must be given.
    pub const fn count(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Whole(Range::above(0.0)), Preset::Required(""), meaning)
    }

    /// A whole number, 0 or above, that must be given.
    pub const fn natural(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Whole(Range::from(0.0)), Preset::Required(""), meaning)
    }

    /// The seed of what is random: a whole number, 0 where it is not given.
    pub const fn seed(meaning: &'static str) -> Self {
        Self::natural("seed", meaning).or(0.0)
    }

    /// A truth value; false where it is not given.
    pub const fn flag(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Flag, Preset::Flag(false), meaning)
    }

    /// A string that must be given.
    pub const fn text(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Text, Preset::Required(""), meaning)
    }

    /// One of several words, of which the first is the default.
    pub const fn choice(name: &'static str, meaning: &'static str, choices: &'static [Choice]) -> Self {
        Self::new(name, Kind::Choice(choices), Preset::First, meaning)
    }

    /// An array of finite numbers that must be given.
    pub const fn numbers(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Numbers(Range::ALL), Preset::Required(""), meaning)
    }

    /// An array of whole numbers above 0 that must be given.
    pub const fn counts(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Wholes(Range::above(0.0)), Preset::Required(""), meaning)
    }

    /// An array of strings that must be given.
    pub const fn texts(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Texts, Preset::Required(""), meaning)
    }

    /// What only the language has, described by `wanted` ("a closure"); must be given.
    pub const fn other(name: &'static str, wanted: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Other(wanted), Preset::Required(""), meaning)
    }

    /// The same setting within `range`.
    ///
    /// # Panics
    /// For settings that are not numbers.
    #[must_use]
    pub const fn within(self, range: Range) -> Self {
        let kind = match self.kind {
            Kind::Number(_) => Kind::Number(range),
            Kind::Whole(_) => Kind::Whole(range),
            Kind::Numbers(_) => Kind::Numbers(range),
            Kind::Wholes(_) => Kind::Wholes(range),
            _ => panic!("only numbers have a range"),
        };
        Self { kind, ..self }
    }

    /// The same number, above `least`.
    #[must_use]
    pub const fn above(self, least: f64) -> Self {
        self.within(Range::above(least))
    }

    /// The same number, from `least` to `most`, both included.
    #[must_use]
    pub const fn between(self, least: f64, most: f64) -> Self {
        self.within(Range::between(least, most))
    }

    /// The same number in this unit.
    #[must_use]
    pub const fn in_unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// The same number, `value` where it is not given.
    #[must_use]
    pub const fn or(self, value: f64) -> Self {
        Self { default: Preset::Number(value), ..self }
    }

    /// The same array, `values` where it is not given.
    #[must_use]
    pub const fn or_numbers(self, values: &'static [f64]) -> Self {
        Self { default: Preset::Numbers(values), ..self }
    }

    /// The same truth value, true where it is not given.
    #[must_use]
    pub const fn or_true(self) -> Self {
        Self { default: Preset::Flag(true), ..self }
    }

    /// The same string, `text` where it is not given.
    #[must_use]
    pub const fn or_text(self, text: &'static str) -> Self {
        Self { default: Preset::Text(text), ..self }
    }

    /// The same setting, which need not be given; `otherwise` says in words what then is taken, "the horizon", or is
    /// empty.
    #[must_use]
    pub const fn or_else(self, otherwise: &'static str) -> Self {
        Self { default: Preset::Absent(otherwise), ..self }
    }

    /// The same setting, which must be given, with a `hint` for who left it out: "write horizon: 2".
    #[must_use]
    pub const fn required(self, hint: &'static str) -> Self {
        Self { default: Preset::Required(hint), ..self }
    }

    /// The same setting, which must be given unless one of those named `others` is, with a `hint` for who gave none or
    /// several.
    #[must_use]
    pub const fn unless(self, others: &'static [&'static str], hint: &'static str) -> Self {
        Self { default: Preset::Either(others, hint), ..self }
    }

    /// The words of a choice; none for other settings.
    pub fn choices(&self) -> &'static [Choice] {
        match self.kind {
            Kind::Choice(choices) => choices,
            _ => &[],
        }
    }
}

/// The words of a list, for [`Setting::choice`], of which each stands for something: see [`Values::chosen`].
pub const fn words<T, const N: usize>(list: &[(Choice, T); N]) -> [Choice; N] {
    let mut words = [Choice::new("", ""); N];
    let mut place = 0;
    while place < N {
        words[place] = list[place].0;
        place += 1;
    }
    words
}

/// Whether a map without any key is enough for `tables`.
pub fn all_optional(tables: &[&'static [Setting]]) -> bool {
    let must_be_given = |setting: &Setting| matches!(setting.default, Preset::Required(_) | Preset::Either(..));
    !tables.iter().flat_map(|table| table.iter()).any(must_be_given)
}

/// A choice and its word under which a setting exists.
pub type Owner = (&'static Setting, &'static Choice);

/// All settings of `tables`, those of choices behind the choice that brings them, each with what must be chosen.
pub fn all(tables: &[&'static [Setting]]) -> Vec<(&'static Setting, Option<Owner>)> {
    fn collect(table: &'static [Setting], owner: Option<Owner>, found: &mut Vec<(&'static Setting, Option<Owner>)>) {
        for setting in table {
            found.push((setting, owner));
            setting.choices().iter().for_each(|choice| collect(choice.settings, Some((setting, choice)), found));
        }
    }
    let mut found = Vec::new();
    tables.iter().for_each(|table| collect(table, None, &mut found));
    found
}

/// The setting of this name in a table, or under a word of it.
///
/// # Panics
/// When there is none.
pub fn named(table: &'static [Setting], name: &str) -> &'static Setting {
    let found = all(&[table]).into_iter().find(|(setting, _)| setting.name == name);
    found.unwrap_or_else(|| panic!("no setting `{name}` is declared")).0
}
