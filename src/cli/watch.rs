//! `tumble watch`: how trainings go on, from another terminal, by the logs in their folders.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use console::Term;
use tumble::lang::diagnostics::wrapped;
use tumble::plot::glyphs::{curve, extent, sparkline};
use tumble::train::Line;
use tumble::{Error, Host};

use super::exit::INTERRUPTED;
use super::interrupt::Interrupt;
use super::pace::{bar, duration, fitting, three_digits};
use super::terminal;

/// Between two looks at the files, and at whether to stop.
const LOOK: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(50);
/// After a silence like this nobody knows what is left: logs have a line every 10 seconds, unless a step takes longer.
const SILENCE: Duration = Duration::from_secs(30);
/// Folders below the one that is watched.
const DEPTH: usize = 3;
/// Lines of a log by which the speed is measured.
const RECENT: usize = 10;
/// Lines of the curve of one training, and the fewest.
const CURVE: usize = 6;
const LOWEST: usize = 2;
/// Columns of numbers beside curves and bars.
const NUMBER: usize = 10;
const WIDEST: usize = 100;

/// How to leave.
const LEAVE: &str = if cfg!(unix) { "q or Ctrl-C leaves" } else { "Ctrl-C leaves" };

/// A training, as its log tells of it.
#[derive(Default)]
struct Run {
    folder: PathBuf,
    lines: Vec<Line>,
    /// Bytes of the log that were read.
    read: u64,
    /// Since the log was written to, to the second.
    silence: Duration,
}

/// Shows the trainings in and below `folder` until all of them are at their end or the user has seen enough, and
/// returns the exit code; where nobody looks, once.
///
/// # Errors
/// When nobody looks and there is nothing to show.
pub(super) fn folder(host: &Host, interrupt: &Interrupt, folder: &Path) -> tumble::Result<u8> {
    if terminal::redraws() {
        interrupt.during(|| watch(host, interrupt, folder));
        return Ok(if interrupt.leaving().is_some() { INTERRUPTED } else { 0 });
    }
    let runs = find(host, folder, DEPTH, &mut Vec::new());
    if runs.is_empty() {
        return Err(Error::refused(nothing(folder)).with_hint("train(.., #{ checkpoint: \"runs/a\" }) keeps one"));
    }
    describe(&runs, terminal::width(), usize::MAX).iter().for_each(|line| terminal::print(line));
    Ok(0)
}

fn watch(host: &Host, interrupt: &Interrupt, folder: &Path) {
    let terminal = Term::stdout();
    let _unechoed = terminal::Unechoed::new();
    let (mut shown, mut runs): (Vec<String>, Vec<Run>) = Default::default();
    loop {
        runs = find(host, folder, DEPTH, &mut runs);
        let (rows, _) = terminal.size();
        let width = terminal::width_of(&terminal);
        let mut lines = match runs.is_empty() {
            true => vec![format!("{}, waiting", nothing(folder))],
            false => describe(&runs, width, usize::from(rows).saturating_sub(3)),
        };
        let is_over = !runs.is_empty() && runs.iter().all(Run::is_over);
        lines.extend((!is_over).then(|| LEAVE.to_owned()));
        lines.iter_mut().for_each(|line| *line = line.chars().take(width - 1).collect());
        if lines != shown {
            // In a window that became narrower, a line takes several.
            let drawn = shown.iter().map(|line| line.chars().count().div_ceil(width).max(1)).sum();
            let _ = terminal.clear_last_lines(drawn);
            lines.iter().for_each(|line| terminal::print(line));
            shown = lines;
        }
        let start = Instant::now();
        let mut is_left = is_over;
        while start.elapsed() < LOOK && !is_left {
            std::thread::sleep(POLL);
            is_left = interrupt.is_asked() || terminal::key() == Some(b'q');
        }
        if is_left {
            return;
        }
    }
}

fn nothing(folder: &Path) -> String {
    format!("no log of a training in `{}` yet", folder.display())
}

/// The trainings in a folder and those below it, of which some are `known` from a look before.
fn find(host: &Host, folder: &Path, depth: usize, known: &mut Vec<Run>) -> Vec<Run> {
    let at = known.iter().position(|run| run.folder == folder);
    let own = at.map_or_else(|| Run { folder: folder.to_owned(), ..Run::default() }, |at| known.swap_remove(at));
    // What cannot be read, or not yet, is not there.
    let own = own.read_on(host);
    let entries = if depth > 0 { host.entries(folder).unwrap_or_default() } else { Vec::new() };
    let folders = entries.into_iter().filter(|entry| entry.is_folder);
    let below: Vec<Run> = folders.flat_map(|entry| find(host, &entry.path, depth - 1, known)).collect();
    own.into_iter().chain(below).collect()
}

/// How long ago a file was written to, in whole seconds; 0 where its file system does not say.
fn silence(file: &Path) -> Duration {
    let written = file.metadata().and_then(|file| file.modified()).ok();
    Duration::from_secs(written.and_then(|written| written.elapsed().ok()).map_or(0, |since| since.as_secs()))
}

/// Lines that tell of all trainings, as many as fit into the rows: of one at length.
fn describe(runs: &[Run], width: usize, rows: usize) -> Vec<String> {
    let width = width.saturating_sub(1).min(WIDEST);
    if let [run] = runs {
        let lines = run.at_length(width, rows);
        return if lines.len() <= rows { lines } else { run.briefly(width) };
    }
    let fit = (rows.saturating_sub(1) / 2).clamp(1, runs.len());
    // Those that go on are of more interest than those that are over.
    let mut order: Vec<&Run> = runs.iter().collect();
    order.sort_by_key(|run| run.is_over());
    let mut lines: Vec<String> = order[..fit].iter().flat_map(|run| run.briefly(width)).collect();
    if fit < runs.len() {
        lines.push(format!("and {} more", runs.len() - fit));
    }
    lines
}

impl Run {
    /// The run with what its log says since the last look; none where there is no log.
    fn read_on(mut self, host: &Host) -> Option<Self> {
        let log = self.folder.join(Line::FILE);
        let size = log.metadata().ok()?.len();
        self.silence = silence(&log);
        if size == self.read {
            return Some(self);
        }
        // A training that goes on writes its log anew.
        for from in [self.read.min(size), 0] {
            let bytes = host.tail(&log, from).ok()?;
            let whole = &bytes[..bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)];
            let lines = Line::read(whole);
            let is_next = lines.len() == whole.split_inclusive(|byte| *byte == b'\n').count()
                && self.lines.last().zip(lines.first()).is_none_or(|(last, next)| last.step <= next.step);
            if from == 0 {
                self.lines.clear();
            }
            if from == 0 || (from == self.read && is_next) {
                self.lines.extend(lines);
                self.read = from + whole.len() as u64;
                break;
            }
        }
        Some(self)
    }

    fn is_over(&self) -> bool {
        self.lines.last().is_some_and(|line| line.step == line.steps)
    }

    /// "runs/a: step 3000/20000, loss 0.4123, 812 steps/s, 21 s left", or as much of it as fits into a line.
    fn progress(&self, width: usize) -> String {
        let name = self.folder.display();
        let Some(last) = self.lines.last() else { return format!("{name}: begun") };
        let mut parts =
            vec![(0, format!("{name}: step {}/{}", last.step, last.steps)), (2, format!("loss {}", number(last.loss)))];
        if self.is_over() {
            parts.push((1, format!("done in {}", duration(last.seconds))));
        } else if last.stopped {
            parts.extend([(1, "stopped".to_owned()), (3, "resume: true goes on".to_owned())]);
        } else if self.silence >= SILENCE {
            parts.push((1, format!("nothing new for {}", duration(self.silence.as_secs_f64()))));
        } else {
            let [speed, left] = self.pace(last);
            parts.extend([(3, format!("{} steps/s", three_digits(speed))), (1, format!("{} left", duration(left)))]);
        }
        fitting(parts, width)
    }

    /// Steps in a second, and the seconds that are left.
    fn pace(&self, last: &Line) -> [f64; 2] {
        let begin = self.lines.len().checked_sub(RECENT + 1).map_or((0, 0.0), |place| {
            let line = &self.lines[place];
            (line.step, line.seconds)
        });
        let speed = last.step.saturating_sub(begin.0) as f64 / (last.seconds - begin.1).max(1e-9);
        [speed, last.steps.saturating_sub(last.step) as f64 / speed]
    }

    fn losses(&self) -> Vec<f64> {
        self.lines.iter().map(|line| line.loss).collect()
    }

    fn by_time(&self) -> &[[f64; 3]] {
        self.lines.last().map_or(&[], |line| &line.by_time)
    }

    /// Progress, and below it loss and loss by time.
    fn briefly(&self, width: usize) -> Vec<String> {
        let by_time: Vec<f64> = self.by_time().iter().map(|[_, loss, _]| *loss).collect();
        let by_time = sparkline(&by_time, width / 3);
        let room = width.saturating_sub(by_time.chars().count() + 4);
        vec![self.progress(width), format!("  {}  {by_time}", sparkline(&self.losses(), room))]
    }

    /// Progress, loss and loss by time, with a lower curve where there is no room for a whole one.
    fn at_length(&self, width: usize, rows: usize) -> Vec<String> {
        let mut lines: Vec<String> = wrapped(&self.progress(usize::MAX), width).lines().map(str::to_owned).collect();
        if let Some(last) = self.lines.last() {
            lines.push(bar(last.step, last.steps, width));
            let by_time = loss_by_time(self.by_time(), width);
            let height = rows.saturating_sub(lines.len() + by_time.len() + 1).clamp(LOWEST, CURVE);
            lines.extend(loss(&self.losses(), width, height));
            lines.extend(by_time);
        }
        lines
    }
}

/// The loss over the steps, by its logarithm where it falls far.
fn loss(losses: &[f64], width: usize, height: usize) -> Vec<String> {
    let Some([low, high]) = extent(losses.iter().copied()) else { return Vec::new() };
    let is_logarithmic = low > 0.0 && high > 10.0 * low;
    let heights: Vec<f64> = match is_logarithmic {
        true => losses.iter().map(|loss| loss.ln()).collect(),
        false => losses.to_vec(),
    };
    let rows = curve(&heights, width.saturating_sub(NUMBER + 1), height).into_iter().enumerate().map(|(row, text)| {
        let beside = match row {
            0 => number(high),
            row if row + 1 == height => number(low),
            _ => String::new(),
        };
        format!("{beside:>NUMBER$} {text}")
    });
    let scale = if is_logarithmic { ", logarithmic" } else { "" };
    [format!("loss over the steps{scale}")].into_iter().chain(rows).collect()
}

/// A bar for each part of the time.
fn loss_by_time(parts: &[[f64; 3]], width: usize) -> Vec<String> {
    let Some([low, high]) = extent(parts.iter().map(|[_, loss, _]| *loss)) else { return Vec::new() };
    let (low, room) = (low.min(0.0), width.saturating_sub(2 * NUMBER + 2));
    let bars = parts.iter().map(|[time, loss, _]| {
        let share = if high > low { (loss - low) / (high - low) } else { 0.0 };
        let bar = "█".repeat((share * room as f64).round() as usize);
        format!("{:>NUMBER$} {bar} {}", number(*time), number(*loss))
    });
    ["loss by time".to_owned()].into_iter().chain(bars).collect()
}

/// Four decimals, of what they say something of.
fn number(value: f64) -> String {
    match value.abs() {
        0.001..1e5 | 0.0 => format!("{value:.4}"),
        _ => format!("{value:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(steps: &[u64]) -> Run {
        let line = |step: &u64| Line {
            step: *step,
            steps: 100,
            loss: 1.0 / *step as f64,
            by_time: vec![[0.5, 0.25, 10.0], [1.5, 0.5, 10.0]],
            learning_rate: 1e-3,
            gradient_norm: 1.0,
            seconds: *step as f64 / 2.0,
            stopped: false,
        };
        Run { folder: "runs/a".into(), lines: steps.iter().map(line).collect(), ..Run::default() }
    }

    #[test]
    fn one_training_is_shown_at_length() {
        let lines = describe(&[run(&[1, 2, 4, 50])], 41, usize::MAX);
        let expected = [
            "runs/a: step 50/100, loss 0.0200, 2.00",
            "  steps/s, 25 s left",
            "████████████████████░░░░░░░░░░░░░░░░░░░░",
            "loss over the steps, logarithmic",
            "    1.0000 █   ",
            "           ██  ",
            "           ██▇ ",
            "           ███ ",
            "           ███ ",
            "    0.0200 ███▁",
            "loss by time",
            "    0.5000 █████████ 0.2500",
            "    1.5000 ██████████████████ 0.5000",
        ];
        assert_eq!(lines, expected);
        assert!(run(&[1, 100]).progress(80).ends_with("step 100/100, loss 0.0100, done in 50 s"));
        assert_eq!(describe(&[run(&[])], 41, 20), ["runs/a: begun"]);
        // A training that was killed leaves no word of it.
        let silent = Run { silence: Duration::from_secs(200), ..run(&[1, 50]) };
        assert_eq!(silent.progress(80), "runs/a: step 50/100, loss 0.0200, nothing new for 3:20 min");
    }

    #[test]
    fn what_does_not_fit_is_told_briefly() {
        assert_eq!(describe(&[run(&[1, 50])], 41, 5)[1], "  █▁  ▁█");
        let runs = [run(&[100]), run(&[50]), run(&[60])];
        let lines = describe(&runs, 41, 5);
        assert_eq!(lines.len(), 5);
        assert!(lines[0].contains("step 50/100") && lines[2].contains("step 60/100"), "{lines:?}");
        assert_eq!(lines[4], "and 1 more");
        assert_eq!(run(&[1, 50]).progress(36), "runs/a: step 50/100, 25 s left");
        let mut stopped = run(&[1, 50]);
        stopped.lines[1].stopped = true;
        assert_eq!(stopped.progress(41), "runs/a: step 50/100, loss 0.0200, stopped");
    }

    /// Seen to read all of it twice a second.
    #[test]
    fn a_log_is_read_on_and_anew_where_it_was_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (host, log) = (Host::default(), folder.path().join(Line::FILE));
        let lines = |steps: &[u64]| -> Vec<u8> {
            let text =
                run(steps).lines.into_iter().flat_map(|line| [serde_json::to_vec(&line).unwrap(), b"\n".to_vec()]);
            text.flatten().collect()
        };
        let look = |runs: Vec<Run>| {
            let mut runs = runs;
            find(&host, folder.path(), 0, &mut runs)
        };
        let steps = |runs: &[Run]| runs[0].lines.iter().map(|line| line.step).collect::<Vec<_>>();
        assert!(look(Vec::new()).is_empty());
        let half = lines(&[1, 2, 3]);
        std::fs::write(&log, &half[..half.len() - 5]).unwrap();
        let runs = look(Vec::new());
        assert_eq!(steps(&runs), [1, 2]);
        let mut all = lines(&[1, 2, 3, 4]);
        // What was read is not read again: nobody sees that it has become another.
        all[0] = b'x';
        std::fs::write(&log, &all).unwrap();
        let runs = look(runs);
        assert_eq!(steps(&runs), [1, 2, 3, 4]);
        std::fs::write(&log, lines(&[1, 2])).unwrap();
        let runs = look(runs);
        assert_eq!(steps(&runs), [1, 2]);
        std::fs::write(&log, lines(&[10, 20, 30, 40, 50])).unwrap();
        assert_eq!(steps(&look(runs)), [10, 20, 30, 40, 50]);
    }

    #[test]
    fn narrow_windows_do_no_harm() {
        for width in 0..60 {
            assert!(describe(&[run(&[1, 2, 50])], width, usize::MAX).len() > 10);
            assert_eq!(describe(&[run(&[1, 2]), run(&[])], width, usize::MAX).len(), 4);
        }
    }
}
