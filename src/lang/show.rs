//! What a value shows of itself at a prompt: its text, and beyond it ranges, moments and small pictures in characters.

use std::collections::BTreeSet;

use rhai::{Array, Dynamic, Map};

use super::builtins::plot::Picture;
use super::diagnostics::{fitted, wrapped};
use super::options;
use crate::data::Dataset;
use crate::plot::glyphs::{self, dots, histogram, sparkline, thumbnail};
use crate::sample::State;
use crate::task::Task;
use crate::tensor::Reduction::{self, Maximum, Mean, Minimum, StandardDeviation};
use crate::tensor::{Tensor, align, number};
use crate::train::Record;

/// How a prompt shows values.
pub(super) struct Frame<'a> {
    /// Columns of the terminal.
    pub(super) width: usize,
    pub(super) task: &'a Task,
    /// The text of a value.
    pub(super) text: &'a dyn Fn(&Dynamic) -> String,
}

/// Who shows more than the text, each of one type.
const SHOWS: &[fn(&Dynamic, &Frame<'_>) -> Option<String>] =
    &[tensor, state, dataset, record, figure, map, table, maps];

/// Rows of a table.
const ROWS: usize = 20;
/// Characters of a picture in a row.
const PICTURE: usize = 24;
/// Draws that make a picture of a law.
const DRAWS: usize = 2_000;
/// Coordinates that are told apart.
const COORDINATES: usize = 4;
/// Numbers that are looked at: some tens of milliseconds.
const MOST: usize = 1 << 24;
/// Tensors with no more numbers than this are shown as a whole.
const FEW: usize = 8;

/// A value as a prompt shows it.
pub(super) fn show(value: &Dynamic, frame: &Frame<'_>) -> String {
    SHOWS.iter().find_map(|show| show(value, frame)).unwrap_or_else(|| (frame.text)(value))
}

fn tensor(value: &Dynamic, frame: &Frame<'_>) -> Option<String> {
    let tensor = value.read_lock::<Tensor>()?;
    let picture = tensor.picture(frame.width)?;
    if tensor.len() <= FEW || tensor.len() > MOST {
        return Some(picture);
    }
    let values = tensor.values();
    let wrong = values.iter().filter(|value| !value.is_finite()).count();
    let lines: Vec<String> = match wrong {
        0 => {
            let [mean, deviation, low, high] =
                [Mean, StandardDeviation, Minimum, Maximum].map(|of| reduced(&tensor, of));
            vec![format!("from {} to {}", low?, high?), format!("mean {}, standard deviation {}", mean?, deviation?)]
        }
        count => {
            let range = range(values.iter().copied()).map(|range| format!("from {range}"));
            range.into_iter().chain([format!("{count} of {} are not finite", tensor.len())]).collect()
        }
    };
    let line = lines.join(", ");
    let said = if line.chars().count() + 2 <= frame.width { vec![line] } else { lines };
    Some(format!("{picture}\n  {}", said.join("\n  ")))
}

fn state(value: &Dynamic, frame: &Frame<'_>) -> Option<String> {
    let state = value.read_lock::<State>()?;
    let mut lines = vec![(frame.text)(value)];
    let longest = state.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (name, block) in state.names.iter().zip(&state.blocks) {
        lines.extend(moments(block).map(|moments| format!("  {name:longest$}  {moments}")));
    }
    lines.extend(state.blocks.first().into_iter().flat_map(|data| picture(data, &[], frame.width)));
    lines.extend(state.warnings.iter().map(|warning| format!("  warning: {warning}")));
    Some(lines.join("\n"))
}

fn dataset(value: &Dynamic, frame: &Frame<'_>) -> Option<String> {
    let data = value.read_lock::<Dataset>()?;
    let mut lines = vec![(frame.text)(value)];
    let count = (COORDINATES * DRAWS / data.dimension()).clamp(COORDINATES, DRAWS);
    if let Ok(draws) = data.sample(count, 0, frame.task) {
        lines.extend(picture(&draws, data.columns(), frame.width));
    }
    Some(lines.join("\n"))
}

fn record(value: &Dynamic, frame: &Frame<'_>) -> Option<String> {
    let record = value.read_lock::<Record>()?;
    let losses: Vec<f64> = record.loss.iter().map(|[_, loss]| *loss).collect();
    let range = range(record.loss.iter().map(|[_, loss]| *loss))?;
    let curve = sparkline(&losses, frame.width.saturating_sub(4).min(2 * PICTURE));
    let mut lines = vec![(frame.text)(value), format!("  {curve}"), format!("  loss from {range}")];
    if let [[first, ..], .., [last, ..]] = record.by_time[..] {
        let losses: Vec<f64> = record.by_time.iter().map(|[_, loss, _]| *loss).collect();
        let (columns, first, last) = (sparkline(&losses, frame.width), number(first), number(last));
        lines.push(format!("  {columns} at the end, by time from {first} to {last}"));
    }
    Some(lines.join("\n"))
}

fn figure(value: &Dynamic, frame: &Frame<'_>) -> Option<String> {
    let is_saved = value.read_lock::<Picture>()?.is_saved();
    let text = (frame.text)(value);
    let text = if is_saved { text } else { text + ", not in a file yet: ans.save(\"figure.png\")" };
    Some(wrapped(&text, frame.width))
}

/// A map that is too long for a line, by its keys; nested maps are lines of their own.
fn map(value: &Dynamic, frame: &Frame<'_>) -> Option<String> {
    let map = value.read_lock::<Map>()?;
    let text = (frame.text)(value);
    if text.chars().count() <= frame.width {
        return Some(text);
    }
    let longest = map.keys().map(|key| key.chars().count()).max().unwrap_or(0);
    let room = frame.width.saturating_sub(longest + 4);
    let line = |key: &str, value: &Dynamic| {
        let inner = Frame { width: room, ..*frame };
        let text = match matrix(value, &inner) {
            Some(rows) => rows.join("\n"),
            None => fitted(&show(value, &inner), room),
        };
        format!("  {key:longest$}  {}", text.replace('\n', &format!("\n{:1$}", "", longest + 4)))
    };
    Some(map.iter().map(|(key, value)| line(key, value)).collect::<Vec<_>>().join("\n"))
}

/// Maps, one below the other: a table, of as many rows as are shown of a long tensor's.
fn table(value: &Dynamic, frame: &Frame<'_>) -> Option<String> {
    let rows = value.read_lock::<Array>()?;
    let maps = rows.iter().map(|row| row.read_lock::<Map>()).collect::<Option<Vec<_>>>()?;
    let keys: BTreeSet<&str> = maps.iter().flat_map(|map| map.keys().map(|key| key.as_str())).collect();
    let mut columns = Vec::new();
    for key in keys.iter().filter(|_| maps.len() > 1) {
        let entries: Vec<Option<&Dynamic>> = maps.iter().map(|map| map.get(*key)).collect();
        let is_number = entries.iter().flatten().all(|entry| options::number(entry).is_some());
        let shown = |entry: &Dynamic| options::number(entry).map_or_else(|| (frame.text)(entry), number);
        let text = |entry: &Option<&Dynamic>| entry.map(shown).unwrap_or_default();
        let cells: Vec<String> =
            [(*key).to_owned()].into_iter().chain(entries[..maps.len().min(ROWS)].iter().map(text)).collect();
        let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        let pad = |cell: &String| if is_number { format!("{cell:>width$}") } else { format!("{cell:width$}") };
        columns.push(cells.iter().map(pad).collect::<Vec<_>>());
    }
    let more = (maps.len() > ROWS).then(|| format!("  and {} more", maps.len() - ROWS));
    let mut lines: Vec<String> = Vec::new();
    for beside in beside(&columns, frame.width)? {
        lines.extend((!lines.is_empty()).then(String::new));
        lines.extend((0..beside[0].len()).map(|i| {
            let cells: Vec<&str> = beside.iter().map(|column| column[i].as_str()).collect();
            format!("  {}", cells.join("  ").trim_end())
        }));
        lines.extend(more.clone());
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Columns in groups that fit beside each other; none where one is too wide.
fn beside(columns: &[Vec<String>], width: usize) -> Option<Vec<&[Vec<String>]>> {
    let wide = |column: &Vec<String>| 2 + column[0].chars().count();
    let fits = |column: &Vec<String>| wide(column) <= width && !column.iter().any(|cell| cell.contains('\n'));
    let (mut groups, mut start, mut used) = (Vec::new(), 0, 0);
    for (at, column) in columns.iter().enumerate() {
        if !fits(column) {
            return None;
        }
        if used + wide(column) > width {
            groups.push(&columns[start..at]);
            (start, used) = (at, 0);
        }
        used += wide(column);
    }
    groups.extend((start < columns.len()).then(|| &columns[start..]));
    Some(groups)
}

/// Maps that are no table, such as kernels, one after the other.
fn maps(value: &Dynamic, frame: &Frame<'_>) -> Option<String> {
    let items = value.read_lock::<Array>()?;
    if items.len() < 2 || !items.iter().all(Dynamic::is_map) || (frame.text)(value).chars().count() <= frame.width {
        return None;
    }
    let inner = Frame { width: frame.width.saturating_sub(2), ..*frame };
    let each = items.iter().take(ROWS).enumerate().map(|(i, item)| {
        let text = show(item, &inner);
        format!("  [{i}]{}{}", if text.contains('\n') { "\n  " } else { " " }, text.replace('\n', "\n  "))
    });
    let more = (items.len() > ROWS).then(|| format!("  and {} more", items.len() - ROWS));
    Some(each.chain(more).collect::<Vec<_>>().join("\n"))
}

/// Rows of numbers, aligned.
fn matrix(value: &Dynamic, frame: &Frame<'_>) -> Option<Vec<String>> {
    let rows = value.read_lock::<Array>()?;
    let row = |row: &Dynamic| -> Option<Vec<String>> {
        let entries = row.read_lock::<Array>()?;
        entries.iter().map(|entry| Some(number(entry.as_float().ok()?))).collect()
    };
    let mut rows = rows.iter().map(row).collect::<Option<Vec<_>>>().filter(|rows| rows.len() > 1)?;
    align(&mut rows);
    let lines: Vec<String> = rows.iter().map(|row| row.join("  ")).collect();
    lines.iter().all(|line| line.len() <= frame.width).then_some(lines)
}

/// "-1 to 2.5", the least and the largest of the finite values.
fn range(values: impl IntoIterator<Item = impl Into<f64>>) -> Option<String> {
    let [low, high] = glyphs::extent(values.into_iter().map(Into::into))?;
    Some(format!("{} to {}", number(low), number(high)))
}

/// Mean and standard deviation of the coordinates of samples, [count, shape..]; of many, over all of them.
fn moments(samples: &Tensor) -> Option<String> {
    if samples.len() > MOST {
        return None;
    }
    Some(format!("mean {}; standard deviation {}", reduced(samples, Mean)?, reduced(samples, StandardDeviation)?))
}

/// A number for each of few columns, which may have units of their own; of others, one over all.
fn reduced(tensor: &Tensor, reduction: Reduction) -> Option<String> {
    match tensor.shape() {
        [_, 2..=COORDINATES] => {
            let each = tensor.reduce_axis(reduction, 0).ok()?;
            let numbers: Vec<_> = each.values().iter().map(|value| number(f64::from(*value))).collect();
            Some(format!("({})", numbers.join(", ")))
        }
        _ => tensor.reduce(reduction).ok().map(number),
    }
}

/// What samples, [count, shape..], look like: how often values come, where points lie, the first images. Coordinates
/// have the names of their columns, where there are any.
fn picture(samples: &Tensor, columns: &[String], width: usize) -> Vec<String> {
    let (shape, room) = (&samples.shape()[1..], width.saturating_sub(4));
    let size: usize = shape.iter().product();
    if size == 0 || samples.len() > MOST {
        return Vec::new();
    }
    let values = samples.values();
    let column = |c: usize| values.iter().skip(c).step_by(size).map(|value| f64::from(*value));
    let said = |c: usize| range(column(c)).unwrap_or_else(|| "nothing finite".to_owned());
    let lines = match shape {
        [] | [1] => {
            let bars = histogram(&column(0).collect::<Vec<_>>(), room.min(2 * PICTURE));
            bars.map(|bars| vec![bars, format!("from {}", said(0))]).unwrap_or_default()
        }
        [_] => {
            let points: Vec<_> = column(0).zip(column(1)).map(|(x, y)| [x, y]).collect();
            let mut lines = dots(&points, room.min(PICTURE)).unwrap_or_default();
            lines.push(match columns {
                [first, second, ..] => format!("{first} from {}, {second} from {}", said(0), said(1)),
                _ => format!("coordinate 0 from {}, 1 from {}", said(0), said(1)),
            });
            lines
        }
        [.., rows, columns] => images(&values, size, rows * columns, *columns, room),
    };
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

/// As many of the first images as fit into a row, their channels averaged.
fn images(values: &[f32], size: usize, pixels: usize, columns: usize, room: usize) -> Vec<String> {
    let grey = |image: &[f32]| -> Vec<f64> {
        let channels = (size / pixels) as f64;
        let sum = |pixel: usize| image.iter().skip(pixel).step_by(pixels).map(|value| f64::from(*value)).sum::<f64>();
        (0..pixels).map(|pixel| sum(pixel) / channels).collect()
    };
    let count = (room / (columns.div_ceil(2) + 2)).min(COORDINATES);
    let all: Vec<_> = values.chunks_exact(size).take(count).map(|image| thumbnail(&grey(image), columns)).collect();
    let lines = all.first().map_or(0, Vec::len);
    (0..lines).map(|line| all.iter().map(|image| image[line].as_str()).collect::<Vec<_>>().join("  ")).collect()
}

#[cfg(test)]
mod tests {
    use crate::Runtime;

    fn shown(text: &str) -> String {
        let mut runtime = Runtime::new();
        let value = runtime.run(text).unwrap();
        runtime.show(&value, 60)
    }

    #[test]
    fn tensors_show_their_range_and_what_is_wrong() {
        assert_eq!(shown("tensor([1, 2])"), "Tensor [2]\n  1  2");
        let long = shown("linspace(0, 99, 100)");
        assert!(long.ends_with("99\n  from 0 to 99, mean 49.5, standard deviation 28.866"), "{long}");
        let wrong = shown("tensor([1.0, 0.0 / 0, 3, 4, 5, 6, 7, 8, 9])");
        assert!(wrong.ends_with("\n  from 1 to 9, 1 of 9 are not finite"), "{wrong}");
        let wide = shown("zeros([3, 20]) + 1e-9");
        assert!(wide.lines().all(|line| line.chars().count() <= 60), "{wide}");
    }

    #[test]
    fn data_and_samples_show_what_they_look_like() {
        let law = shown("dataset::diamond()");
        assert!(law.lines().count() > 8 && law.contains('⡀') && law.contains("coordinate 0 from "), "{law}");
        let line = shown("dataset::mixture(#{ means: [[-1.0], [1.0]], std: 0.1 })");
        assert!(line.contains('█') && line.lines().count() == 3, "{line}");
        let images = shown("dataset::ising(#{ size: 8, count: 64, temperature: 2, sweeps: 10 })");
        assert!(images.lines().skip(1).all(|line| line.trim().chars().all(|c| c == ' ' || c >= '⠀')), "{images}");
        let state = shown("simulate(process::active(), zeros([100, 2]) + 3)");
        assert!(state.contains("\n  eta  mean ") && state.contains("; standard deviation "), "{state}");
    }

    #[test]
    fn maps_show_a_key_in_a_line_and_matrices_aligned() {
        assert_eq!(shown("#{ a: 1 }"), "#{\"a\": 1}");
        let text =
            "#{ cov: [[1.0, 0.25], [0.25, 10.0]], name: \"a long name that fills the line to its end, and more\" }";
        assert_eq!(
            shown(text),
            "  cov      1  0.25\n        0.25    10\n  name  \"a long name that fills the line to its end, and\n          more\""
        );
    }

    /// With gaps where a map lacks a key, and no wider than the window.
    #[test]
    fn lists_of_maps_show_as_tables() {
        let rows = "[#{ at: 1, name: \"x\" }, #{ at: 22.5, name: \"eta\" }]";
        assert_eq!(shown(rows), "    at  name\n     1  \"x\"\n  22.5  \"eta\"");
        assert_eq!(shown("[#{ a: 1 }, #{ b: 10 }]"), "  a   b\n  1\n     10");
        let many = shown("let rows = []; for i in 0..30 { rows.push(#{ i: i }); } rows");
        assert!(many.lines().count() == 22 && many.ends_with("\n  and 10 more"), "{many}");
        let wide = shown("let row = #{}; for i in 0..12 { row[`column_${i}`] = i; } [row, row]");
        let lines: Vec<&str> = wide.lines().collect();
        assert!(lines.len() == 11 && lines[3].is_empty() && lines[4].starts_with("  column_3  "), "{wide}");
        let kernels = shown("let p = process::active(); [p.kernel(0.5), p.kernel(1)]");
        assert!(kernels.starts_with("  [0]\n    chol  ") && kernels.contains("\n  [1]\n    chol  "), "{kernels}");
        let inside =
            shown(&format!("#{{ name: \"a long name, so that the map has a line for each key\", rows: {rows} }}"));
        assert!(inside.ends_with("\n  rows      at  name\n             1  \"x\"\n          22.5  \"eta\""), "{inside}");
    }

    #[test]
    fn records_show_the_loss() {
        let text = "let d = dataset::diamond(); let m = score::mlp(process::active(), d, #{ hidden: [8] });
                    train(m, d, #{ steps: 20, interval: 1, batch: 8 })";
        let record = shown(text);
        assert!(record.contains('█') && record.contains("\n  loss from "), "{record}");
        assert!(record.contains(" at the end, by time from 0.1") && record.lines().count() == 4, "{record}");
    }
}
