//! Values in JSON, texts, and whatever else there is.

use std::path::Path;

use serde_json::Value;

use super::kind::{Kind, ending};
use crate::error::Result;
use crate::host::Host;

pub(super) const KIND: Kind = Kind { fits: |_, _| true, describe, difference };

/// Characters of a line that are shown.
const SHOWN: usize = 60;
/// Keys of a map that are named.
const NAMED: usize = 12;

/// The bytes as a text, if they are one.
pub(super) fn of(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

fn describe(name: &Path, bytes: &[u8], _: &Host) -> Result<Vec<String>> {
    let value = (ending(name) == "json").then(|| serde_json::from_slice(bytes).ok()).flatten();
    Ok(vec![match (value, of(bytes)) {
        (Some(value), _) => format!("JSON: {}", kind(&value)),
        (None, Some(text)) => format!("text of {} lines", text.lines().count()),
        (None, None) => format!("{} bytes", bytes.len()),
    }])
}

fn kind(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let names: Vec<&str> = map.keys().take(NAMED).map(String::as_str).collect();
            let more = if map.len() > NAMED { ", ..." } else { "" };
            format!("a map of {}{more}", names.join(", "))
        }
        Value::Array(items) => format!("an array of {} values", items.len()),
        other => cut(&other.to_string()),
    }
}

/// Where the second begins to differ.
pub(super) fn difference(_: &Path, [first, second]: [&[u8]; 2], _: &Host) -> Result<Option<String>> {
    if first == second {
        return Ok(None);
    }
    let Some([first, second]) = of(first).zip(of(second)).map(<[&str; 2]>::from) else {
        let same = first.iter().zip(second).take_while(|(a, b)| a == b).count();
        return Ok(Some(format!("from byte {same} on; {} bytes, and made again {}", first.len(), second.len())));
    };
    let mut lines = first.lines().map(Some).chain([None]).zip(second.lines().map(Some).chain([None])).enumerate();
    let apart = lines.find(|(_, (first, second))| first != second);
    Ok(Some(match apart {
        Some((at, (first, second))) => {
            let shown = |line: Option<&str>| line.map_or("the end".to_owned(), |line| format!("`{}`", cut(line)));
            format!("from line {} on: {}, and made again {}", at + 1, shown(first), shown(second))
        }
        None => "in the ends of lines".to_owned(),
    }))
}

/// The beginning of a long text.
fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
