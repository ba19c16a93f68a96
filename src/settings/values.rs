//! What was set: a value for every setting of a table.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{Choice, Kind, Preset, Setting, written};
use crate::error::{Error, Result, nearest};

/// A value that was given.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number, whole or not.
    Number(f64),
    /// A whole number.
    Whole(i64),
    /// A truth value.
    Flag(bool),
    /// A string, or a word.
    Text(String),
    /// Numbers.
    Numbers(Vec<f64>),
    /// Strings.
    Texts(Vec<String>),
    /// What only the language has: it is there, and the caller keeps it.
    Kept,
}

/// A value for each setting of a table; asking for one that the table does not have is a fault of the program.
#[derive(Debug, Clone, Default)]
pub struct Values {
    entries: BTreeMap<&'static str, Entry>,
    asked: RefCell<BTreeSet<&'static str>>,
}

#[derive(Debug, Clone)]
struct Entry {
    setting: &'static Setting,
    value: Option<Value>,
    is_given: bool,
}

impl Values {
    /// The defaults of a table.
    ///
    /// # Panics
    /// When a setting of it must be given.
    pub fn defaults(table: &'static [Setting]) -> Self {
        Self::read(&[table], |_| Ok(None)).unwrap_or_else(|error: Error| panic!("{error}"))
    }

    /// The values of all settings of `tables` that exist under the words chosen, each as `given` has it or its default.
    /// What `given` returns must be of the setting's kind; its range is checked here.
    ///
    /// # Errors
    /// Those of `given`; when a value is out of range or a word is none of its choice; [`Error::Argument`] "is missing"
    /// where a setting must be given.
    pub fn read<E: From<Error>>(
        tables: &[&'static [Setting]],
        mut given: impl FnMut(&'static Setting) -> Result<Option<Value>, E>,
    ) -> Result<Self, E> {
        let mut values = Self::default();
        let mut open: Vec<&'static Setting> = tables.iter().rev().flat_map(|table| table.iter().rev()).collect();
        while let Some(setting) = open.pop() {
            let value = given(setting)?;
            let is_given = value.is_some();
            let value = match value {
                Some(value) => setting.check(&value).map(|()| Some(value)),
                None => setting.preset(),
            }?;
            if let Some(Value::Text(word)) = &value {
                let chosen = setting.choices().iter().find(|choice| choice.word == *word);
                open.extend(chosen.into_iter().flat_map(|choice| choice.settings.iter().rev()));
            }
            values.entries.insert(setting.name, Entry { setting, value, is_given });
        }
        Ok(values)
    }

    /// Refuses none and several of the settings of which one must be given.
    ///
    /// # Errors
    /// Names one of them, and the others.
    pub fn check_alternatives(&self) -> Result<()> {
        for (name, entry) in &self.entries {
            if let Preset::Either(others, hint) = entry.setting.default
                && [name].into_iter().chain(others).filter(|name| self.is_given(name)).count() != 1
            {
                let error =
                    Error::argument(*name, format!("or `{}` must be given, one of them", others.join("` or `")));
                return Err(error.with_hint(hint));
            }
        }
        Ok(())
    }

    /// Whether the table has the setting, under the words chosen.
    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Whether the setting was given rather than taken from its default.
    pub fn is_given(&self, name: &str) -> bool {
        self.entries.get(name).is_some_and(|entry| entry.is_given)
    }

    /// What was given, by name; asks for nothing.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let given = self.entries.iter().filter(|(_, entry)| entry.is_given);
        given.filter_map(|(name, entry)| Some((*name, entry.value.as_ref()?)))
    }

    /// The names that nobody has asked for yet.
    pub fn unasked(&self) -> Vec<&'static str> {
        let asked = self.asked.borrow();
        self.entries.keys().copied().filter(|name| !asked.contains(name)).collect()
    }

    /// A value of any kind, if it is given or has a default; the others below ask for one kind.
    ///
    /// # Panics
    /// When the table has no such setting.
    pub fn ask(&self, name: &str) -> Option<&Value> {
        self.entry(name).value.as_ref()
    }

    fn entry(&self, name: &str) -> &Entry {
        let Some((&own, entry)) = self.entries.get_key_value(name) else { panic!("no setting `{name}` is declared") };
        self.asked.borrow_mut().insert(own);
        entry
    }

    /// A number, if it is given or has a default.
    pub fn number_if_given(&self, name: &str) -> Option<f64> {
        self.ask(name).map(|value| match value {
            Value::Number(number) => *number,
            Value::Whole(whole) => *whole as f64,
            other => unexpected(name, other),
        })
    }

    /// A number.
    pub fn number(&self, name: &str) -> f64 {
        present(name, self.number_if_given(name))
    }

    /// A whole number, if it is given or has a default.
    pub fn whole_if_given(&self, name: &str) -> Option<i64> {
        self.ask(name).map(|value| match value {
            Value::Number(number) => *number as i64,
            Value::Whole(whole) => *whole,
            other => unexpected(name, other),
        })
    }

    /// A whole number, 0 or above.
    pub fn natural(&self, name: &str) -> u64 {
        let whole = present(name, self.whole_if_given(name));
        u64::try_from(whole).unwrap_or_else(|_| panic!("`{name}` is not declared to be 0 or above"))
    }

    /// A number of things.
    pub fn count(&self, name: &str) -> usize {
        present(name, self.count_if_given(name))
    }

    /// A number of things, if it is given or has a default.
    pub fn count_if_given(&self, name: &str) -> Option<usize> {
        let count = |whole| usize::try_from(whole).unwrap_or_else(|_| panic!("`{name}` is not declared to be a count"));
        self.whole_if_given(name).map(count)
    }

    /// A truth value.
    pub fn flag(&self, name: &str) -> bool {
        present(name, self.flag_if_given(name))
    }

    /// A truth value, if it is given or has a default.
    pub fn flag_if_given(&self, name: &str) -> Option<bool> {
        self.ask(name).map(|value| match value {
            Value::Flag(flag) => *flag,
            other => unexpected(name, other),
        })
    }

    /// A string, or the word of a choice, if it is given or has a default.
    pub fn text_if_given(&self, name: &str) -> Option<&str> {
        self.ask(name).map(|value| match value {
            Value::Text(text) => text.as_str(),
            other => unexpected(name, other),
        })
    }

    /// The word of a choice, or a string.
    pub fn word(&self, name: &str) -> &str {
        present(name, self.text_if_given(name))
    }

    /// What the word of a choice stands for in the list that the choice was made of by [`words`](super::words), if it
    /// is given or has a default.
    pub fn chosen_if_given<T: Copy>(&self, name: &str, list: &[(Choice, T)]) -> Option<T> {
        self.text_if_given(name).map(|word| match list.iter().find(|(choice, _)| choice.word == word) {
            Some((_, meant)) => *meant,
            None => panic!("the word {word:?} of `{name}` is not in its list"),
        })
    }

    /// What the word of a choice stands for.
    pub fn chosen<T: Copy>(&self, name: &str, list: &[(Choice, T)]) -> T {
        present(name, self.chosen_if_given(name, list))
    }

    /// An array of numbers, if it is given or has a default.
    pub fn numbers_if_given(&self, name: &str) -> Option<&[f64]> {
        self.ask(name).map(|value| match value {
            Value::Numbers(numbers) => numbers.as_slice(),
            other => unexpected(name, other),
        })
    }

    /// An array of numbers.
    pub fn numbers(&self, name: &str) -> &[f64] {
        present(name, self.numbers_if_given(name))
    }

    /// An array of numbers of things.
    pub fn counts(&self, name: &str) -> Vec<usize> {
        present(name, self.counts_if_given(name))
    }

    /// An array of numbers of things, if it is given or has a default.
    pub fn counts_if_given(&self, name: &str) -> Option<Vec<usize>> {
        // Counts beyond 2⁵³ do not exist as numbers of anything.
        self.numbers_if_given(name).map(|numbers| numbers.iter().map(|&number| number as usize).collect())
    }

    /// An array of strings, if it is given or has a default.
    pub fn texts_if_given(&self, name: &str) -> Option<&[String]> {
        self.ask(name).map(|value| match value {
            Value::Texts(texts) => texts.as_slice(),
            other => unexpected(name, other),
        })
    }
}

fn present<T>(name: &str, value: Option<T>) -> T {
    value.unwrap_or_else(|| panic!("the setting `{name}` has no default"))
}

fn unexpected<T>(name: &str, value: &Value) -> T {
    panic!("the setting `{name}` is declared of another kind than {value:?}")
}

impl Setting {
    /// What is wrong with a setting that must be given and is not.
    pub const MISSING: &'static str = "is missing";

    /// The default, where there is one.
    fn preset(&self) -> Result<Option<Value>> {
        Ok(match self.default {
            Preset::Required("") => return Err(Error::argument(self.name, Self::MISSING)),
            Preset::Required(hint) => return Err(Error::argument(self.name, Self::MISSING).with_hint(hint)),
            Preset::Number(number) if matches!(self.kind, Kind::Whole(_)) => Some(Value::Whole(number as i64)),
            Preset::Number(number) => Some(Value::Number(number)),
            Preset::Numbers(numbers) => Some(Value::Numbers(numbers.to_vec())),
            Preset::Flag(flag) => Some(Value::Flag(flag)),
            Preset::Text(text) => Some(Value::Text(text.to_owned())),
            Preset::First => self.choices().first().map(|choice| Value::Text(choice.word.to_owned())),
            Preset::Either(..) | Preset::Absent(_) => None,
        })
    }

    /// Refuses a value out of range, and a word that is none of the choice.
    ///
    /// # Errors
    /// Names the setting, what it may be, and what it is.
    pub fn check(&self, value: &Value) -> Result<()> {
        match (self.kind, value) {
            (Kind::Number(range) | Kind::Whole(range), Value::Number(number)) => self.check_number(range, *number),
            (Kind::Number(range) | Kind::Whole(range), Value::Whole(whole)) => self.check_number(range, *whole as f64),
            (Kind::Numbers(range) | Kind::Wholes(range), Value::Numbers(numbers)) => {
                numbers.iter().try_for_each(|&number| self.check_number(range, number))
            }
            (Kind::Choice(choices), Value::Text(word)) => self.check_word(choices, word),
            _ => Ok(()),
        }
    }

    /// Refuses a number out of range, as of a struct that was filled in by hand.
    ///
    /// # Errors
    /// As [`Setting::check`].
    pub fn check_value(&self, number: f64) -> Result<()> {
        self.check(&Value::Number(number))
    }

    fn check_number(&self, range: super::Range, number: f64) -> Result<()> {
        match range.contains(number) {
            true => Ok(()),
            false if !number.is_finite() => Err(Error::argument(self.name, format!("must be finite, got {number}"))),
            false => {
                let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
                let error = Error::argument(self.name, format!("must be {range}{unit}, got {}", written(number)));
                // What helps to choose stands behind the meaning.
                Err(match self.meaning.split_once("; ") {
                    Some((_, help)) => error.with_hint(help),
                    None => error,
                })
            }
        }
    }

    fn check_word(&self, choices: &[Choice], word: &str) -> Result<()> {
        if choices.iter().any(|choice| choice.word == word) {
            return Ok(());
        }
        let list = choices.iter().map(|choice| format!("\"{}\"", choice.word)).collect::<Vec<_>>().join(", ");
        let error = Error::argument(self.name, format!("must be one of {list}, got {word:?}"));
        Err(match nearest(word, choices.iter().map(|choice| choice.word)) {
            Some(near) => error.with_hint(format!("did you mean \"{near}\"?")),
            None => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Range, all};
    use super::*;

    const TABLE: &[Setting] = &[
        Setting::count("steps", "number of steps").or(200.0),
        Setting::number("end", "time at which to stop").within(Range::from(0.0)).or(0.0),
        Setting::number("window", "length of the windows").above(0.0).or_else("the score's"),
        Setting::choice(
            "grid",
            "how the times are spread",
            &[
                Choice::new("uniform", "equal steps"),
                Choice::new("rho", "equal steps in t^(1/rho)")
                    .with(&[Setting::number("rho", "the exponent").above(0.0).or(7.0)]),
            ],
        ),
    ];

    fn given(name: &'static str, value: Value) -> Result<Values> {
        Values::read(&[TABLE], |setting| Ok((setting.name == name).then(|| value.clone())))
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        let values = Values::defaults(TABLE);
        assert_eq!((values.count("steps"), values.number("end"), values.word("grid")), (200, 0.0, "uniform"));
        assert_eq!(values.unasked(), ["window"]);
        assert_eq!(values.number_if_given("window"), None);
        assert!(!values.has("rho") && values.unasked().is_empty());
    }

    #[test]
    fn a_word_brings_its_own_settings() {
        let values = given("grid", Value::Text("rho".into())).unwrap();
        assert_eq!(values.number("rho"), 7.0);
        let names: Vec<_> =
            all(&[TABLE]).iter().map(|(s, owner)| (s.name, owner.map(|(_, choice)| choice.word))).collect();
        assert_eq!(names.last(), Some(&("rho", Some("rho"))));
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let refused = |name, value| given(name, value).unwrap_err().to_string();
        assert_eq!(refused("steps", Value::Whole(0)), "`steps` must be above 0, got 0");
        assert_eq!(refused("end", Value::Number(-1.0)), "`end` must be 0 or above, got -1");
        const WIDTH: Setting =
            Setting::number("width", "width in mm; 86 is one column").between(20.0, 99.0).in_unit("mm");
        let error = WIDTH.check_value(5.0).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.hint()),
            ("`width` must be from 20 to 99 mm, got 5", Some("86 is one column"))
        );
        let error = given("grid", Value::Text("unifrom".into())).unwrap_err();
        assert_eq!(error.hint(), Some("did you mean \"uniform\"?"));
    }
}
