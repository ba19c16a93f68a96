//! Refusing what cannot fit into memory before any of it is allocated.
//!
//! Systems that promise more memory than they have end the program when it is used, not when it is asked for; so large
//! requests are held against what the system says is available. Where it does not say, or less is allowed to the program
//! than the machine has, the allocation itself must fail.

use crate::files;

/// Requests below this are granted without a look.
const SMALL: f64 = 67_108_864.0;

/// "would take 30.1 GiB of memory, and 7.5 GiB are available", where that is so.
pub fn lacking(bytes: f64) -> Option<String> {
    if bytes < SMALL {
        return None;
    }
    let available = files::available_memory()?;
    let problem = || format!("{}, and {} are available", taking(bytes), readable(available));
    (bytes > available).then(problem)
}

/// "would take 30.1 GiB of memory".
pub fn taking(bytes: f64) -> String {
    format!("would take {} of memory", readable(bytes))
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
        assert_eq!(lacking(1e6), None);
        if cfg!(target_os = "linux") {
            let problem = lacking(1e18).unwrap();
            assert!(problem.starts_with("would take 888.2 PiB of memory, and "), "{problem}");
        }
    }
}
