//! Refusing what cannot fit into memory before any of it is allocated.
//!
//! Systems that promise more memory than they have end the program when it is used, not when it is asked for; so large
//! requests are held against what the system says is available. Where it does not say, or allows the program less than
//! the machine has, the allocation itself must fail.

use super::Host;

/// Requests below this are granted without a look at the system.
const SMALL: f64 = 67_108_864.0;

impl Host {
    /// "would take 30.1 GiB of memory, and 7.5 GiB are available" (or "allowed"), where that is so.
    pub fn lacking(&self, bytes: f64) -> Option<String> {
        if let Some(limit) = self.memory_limit.filter(|&limit| bytes > limit) {
            return Some(format!("{}, and {} are allowed", taking(bytes), readable(limit)));
        }
        if bytes < SMALL {
            return None;
        }
        let available = available()?;
        let problem = || format!("{}, and {} are available", taking(bytes), readable(available));
        (bytes > available).then(problem)
    }
}

/// "would take 30.1 GiB of memory".
pub(crate) fn taking(bytes: f64) -> String {
    format!("would take {} of memory", readable(bytes))
}

/// Bytes that the system could give to new work without swapping, where it tells (Linux).
fn available() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok().map(|kibibytes: f64| 1024.0 * kibibytes)
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
            let problem = host.lacking(1e18).unwrap();
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
