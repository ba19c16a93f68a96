//! Refusing what cannot fit into memory before any of it is allocated: the one place where requests are weighed.
//!
//! Systems that promise more memory than they have end the program when it is used, not when it is asked for; so large
//! requests are held against what the system says is available, and against what it allows this program.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use super::Host;
use super::allocation::{has_grown, held, small, take_largest};
use crate::error::{Error, Result};

/// Requests below this are granted without a look at the system.
const SMALL: f64 = 67_108_864.0;

impl Host {
    /// Grants a request for `bytes` of memory, all that the work ahead allocates, or refuses it before any is
    /// allocated; `refuse` makes the error of a problem such as "would take 30.1 GiB of memory, and 7.5 GiB are
    /// available".
    ///
    /// # Errors
    /// What `refuse` makes, where the host does not allow so much or the system does not have it.
    pub fn afford(&self, bytes: f64, refuse: impl FnOnce(String) -> Error) -> Result<()> {
        match self.lacking(bytes) {
            None => {
                GRANTED.set(GRANTED.get().max(bytes));
                Ok(())
            }
            Some(problem) => Err(refuse(problem)),
        }
    }

    /// Whether there is hardly any memory left.
    pub fn is_exhausted(&self) -> bool {
        let of_limit = self.memory_limit.is_some_and(|limit| limit - held() < limit.min(SMALL) / 16.0);
        of_limit || available().is_some_and(|available| available < SMALL)
    }

    /// Watches what a script keeps from here on.
    pub fn watch(&self) -> Growth {
        let left = self.memory_limit.map(|limit| (limit - held()).max(0.0));
        let room = [left, available()].into_iter().flatten().reduce(f64::min).unwrap_or(f64::INFINITY);
        take_largest();
        // A room without end has no bound: the sum is rounded to the largest number.
        Growth { most: (small() as f64 + PART * room) as isize }
    }

    fn lacking(&self, bytes: f64) -> Option<String> {
        if let Some(limit) = self.memory_limit.filter(|&limit| bytes > limit - held()) {
            return Some(format!("{}, and {} are allowed", taking(bytes), readable((limit - held()).max(0.0))));
        }
        if bytes < SMALL {
            return None;
        }
        let available = available()?;
        let problem = || format!("{}, and {} are available", taking(bytes), readable(available));
        (bytes > available).then(problem)
    }
}

/// Memory that the values of a script take, in a program whose allocator counts.
///
/// Values that a script nests are many small pieces, and operators of the language copy them unasked. An operation may
/// double what there is, so that a part of the memory must do.
#[derive(Debug, Clone, Copy)]
pub struct Growth {
    /// Bytes in small pieces that are too many.
    most: isize,
}

impl Default for Growth {
    /// Before anything is watched.
    fn default() -> Self {
        Self { most: isize::MAX }
    }
}

impl Growth {
    /// Whether the values have grown so far that the next operation may take all memory. Cheap enough for every
    /// operation.
    #[inline]
    pub fn is_dangerous(&self) -> bool {
        has_grown(self.most) && self.is_much()
    }

    #[cold]
    fn is_much(&self) -> bool {
        if small() > self.most {
            return true;
        }
        // What was asked for was weighed; a text that is put together was not.
        let largest = take_largest();
        largest > GRANTED.take() && largest > PART * available().unwrap_or(f64::INFINITY)
    }
}

/// The part of the memory that a script may fill without asking.
const PART: f64 = 0.125;

thread_local! {
    /// The largest request that this thread was granted since a large piece was taken.
    static GRANTED: Cell<f64> = const { Cell::new(0.0) };
}

/// "would take 30.1 GiB of memory".
pub(crate) fn taking(bytes: f64) -> String {
    format!("would take {} of memory", readable(bytes))
}

/// Bytes that this program can still have, where the system tells (Linux): what is available to new work without
/// swapping, what is left of the limit on the addresses of the program, and of those on the groups that it belongs to.
fn available() -> Option<f64> {
    let free = kibibytes("/proc/meminfo", "MemAvailable:");
    [free, addresses_left(), groups_left()].into_iter().flatten().reduce(f64::min)
}

/// The bytes that a line of a file states in units of 1024.
fn kibibytes(file: &str, name: &str) -> Option<f64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse().ok().map(|kibibytes: f64| 1024.0 * kibibytes)
}

fn addresses_left() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some((limit - kibibytes("/proc/self/status", "VmSize:")?).max(0.0))
}

/// What is left in the tightest of the control groups, of either version.
fn groups_left() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let groups = text.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        match (parts.next()?, parts.next()?) {
            ("", path) => Some(("/sys/fs/cgroup", path, ["memory.max", "memory.current"])),
            (kinds, path) if kinds.split(',').any(|kind| kind == "memory") => {
                Some(("/sys/fs/cgroup/memory", path, ["memory.limit_in_bytes", "memory.usage_in_bytes"]))
            }
            _ => None,
        }
    });
    // A group is inside of all those above it. In a container the path may be that outside, and only the root be there.
    let folders = groups.flat_map(|(root, path, files)| {
        let inner = PathBuf::from(root).join(path.trim_start_matches('/'));
        let above: Vec<_> = inner.ancestors().take_while(|above| above.starts_with(root)).map(Path::to_owned).collect();
        above.into_iter().map(move |folder| (folder, files))
    });
    folders.filter_map(|(folder, files)| group_left(&folder, files)).reduce(f64::min)
}

fn group_left(folder: &Path, [limit, used]: [&str; 2]) -> Option<f64> {
    let number = |file: &str| std::fs::read_to_string(folder.join(file)).ok()?.trim().parse::<f64>().ok();
    // What is cached of files goes when it is needed.
    let cached = std::fs::read_to_string(folder.join("memory.stat")).ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("inactive_file "))?;
        line.trim().parse::<f64>().ok()
    });
    Some((number(limit)? - number(used)? + cached.unwrap_or(0.0)).max(0.0))
}

fn readable(bytes: f64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let power = ((bytes.max(1.0).log2() / 10.0) as usize).min(units.len() - 1);
    format!("{:.1} {}", bytes / 1024_f64.powi(power as i32), units[power])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_not_fit_is_refused() {
        let host = Host::default();
        assert_eq!(host.lacking(1e6), None);
        if cfg!(target_os = "linux") {
            let refuse = |problem| Error::argument("count", problem);
            let problem = host.afford(1e18, refuse).unwrap_err().to_string();
            let problem = problem.strip_prefix("`count` ").unwrap();
            assert!(problem.starts_with("would take 888.2 PiB of memory, and "), "{problem}");
            assert!(problem.ends_with(" are available"), "{problem}");
        }
    }

    #[test]
    fn hosts_differ_in_what_they_allow() {
        let narrow = Host::default().with_memory_limit(1024.0);
        assert_eq!(narrow.lacking(1024.0), None);
        assert_eq!(narrow.lacking(4096.0).unwrap(), "would take 4.0 KiB of memory, and 1.0 KiB are allowed");
        assert_eq!(Host::default().lacking(4096.0), None);
        if cfg!(target_os = "linux") {
            // A limit promises nothing that the machine does not have.
            let wide = Host::default().with_memory_limit(1e20).lacking(1e18).unwrap();
            assert!(wide.ends_with(" are available"), "{wide}");
        }
    }
}
