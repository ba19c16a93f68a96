//! How much a script may compute, by itself and by what it calls.

use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result, suggestion};

/// Limits of a run of a script. Who passes one is told its name, and how to raise it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Operations of the script itself, about 30 million in a second: 200 million by default, which only a script
    /// reaches that computes what tensors are for, or that does not end. What builtins compute does not count.
    pub operations: u64,
    /// Bytes that the script may print, 256 MiB by default.
    pub output: u64,
    /// Time of a run, of all that it computes; none by default.
    pub time: Option<Duration>,
    /// Bytes of memory that the program may hold; by default all that is available.
    pub memory: Option<f64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { operations: 200_000_000, output: 256 << 20, time: None, memory: None }
    }
}

const NAMES: [&str; 4] = ["memory", "time", "operations", "output"];

impl Limits {
    /// The same limits but for those in `text`: `memory=8G,time=1h,operations=1e9,output=1M`, with K, M, G, T for
    /// powers of 1024 of bytes, and s, m, h, d for times.
    ///
    /// # Errors
    /// When there is no limit of a name, or a value is none of its kind.
    pub fn with(mut self, text: &str) -> Result<Self> {
        for part in text.split(',') {
            let (name, value) = part.split_once('=').ok_or_else(|| {
                Error::argument("limit", format!("must be of the form name=value, got {part:?}"))
                    .with_hint("for instance --limit memory=8G,time=1h")
            })?;
            match name.trim() {
                "memory" => self.memory = Some(bytes(value)?),
                "time" => self.time = Some(time(value)?),
                "operations" => self.operations = number(value)? as u64,
                "output" => self.output = bytes(value)? as u64,
                other => {
                    return Err(Error::argument("limit", format!("has no `{other}`")).with_hint(suggestion(
                        other,
                        &NAMES,
                        "limits are",
                    )));
                }
            }
        }
        Ok(self)
    }
}

impl FromStr for Limits {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::default().with(text)
    }
}

fn number(text: &str) -> Result<f64> {
    let number = text.trim().parse::<f64>().ok().filter(|number| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| Error::argument("limit", format!("must be a number above 0, got {text:?}")))
}

/// A number with one of the `units` behind it, of which each has its factor.
fn with_unit(text: &str, units: &[(&str, f64)]) -> Result<f64> {
    let text = text.trim();
    let unit = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    match unit {
        Some((text, factor)) => Ok(number(text)? * factor),
        None => number(text),
    }
}

fn bytes(text: &str) -> Result<f64> {
    let kibi = 1024_f64;
    with_unit(text, &[("K", kibi), ("M", kibi.powi(2)), ("G", kibi.powi(3)), ("T", kibi.powi(4))])
}

fn time(text: &str) -> Result<Duration> {
    let seconds = with_unit(text, &[("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)])?;
    Duration::try_from_secs_f64(seconds).map_err(|_| Error::argument("limit", format!("of time is too long: {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_with_units() {
        let limits: Limits = "memory=1.5G, time=2m,operations=1e9,output=10K".parse().unwrap();
        let truth = Limits {
            operations: 1_000_000_000,
            output: 10_240,
            time: Some(Duration::from_secs(120)),
            memory: Some(1.5 * 1024_f64.powi(3)),
        };
        assert_eq!(limits, truth);
        for (text, problem) in [
            ("memory", "must be of the form name=value, got \"memory\""),
            ("mem=1", "has no `mem`"),
            ("time=-1", "must be a number above 0, got \"-1\""),
            ("time=1e300d", "of time is too long"),
            ("operations=inf", "must be a number above 0"),
        ] {
            let found = text.parse::<Limits>().unwrap_err().to_string();
            assert!(found.contains(problem), "{found}");
        }
    }
}
